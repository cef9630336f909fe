"""Turn what following a forward pass wrote down into a network, its storage and its rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from cnnmem.count.autograd import Storage
from cnnmem.count.table import Row
from cnnmem.errors import ShapeError
from cnnmem.model.layers import NOTHING, Layer, Recorded, Shape
from cnnmem.model.network import INPUT, Node

from .follow import Follower, Frame, Saved


class Graph:
    """The nodes, storage and rows of a forward pass that was followed.

    It is made while the model's output is still alive: the output holds the graph of backward, and
    that graph holds what is kept. `width` is the bytes per value of the network's dtype; `outputs`
    are the frames that gave the model's output.
    """

    def __init__(
        self, follower: Follower, outputs: Sequence[Frame], width: int, batch: int
    ) -> None:
        self.follower, self.batch, self.width = follower, batch, width
        self.frames = follower.frames
        # one name per parameter, even for a tied one, as `named_parameters` gives them
        self.parameters: dict[str, nn.Parameter] = {}
        self.names: dict[int, str] = {}
        # running statistics that no row has yet
        self.running: dict[int, int] = {}
        for part in follower.parts:
            self._list(part, follower.names[id(part)])
        self.counted: set[str] = set()
        self.used: list[list[str]] = []  # the names of the parameters that each row uses
        self.position = {id(frame): i for i, frame in enumerate(self.frames)}
        kept = _Kept(follower, self.position, width)
        rows = [self._row(i, frame, kept) for i, frame in enumerate(self.frames)]
        rows += self._unused()
        blocks = _blocks(follower.model, [row["name"] for row in rows])
        self.rows = tuple(
            [
                Row(**row, block=INPUT if row["kind"] == INPUT else block)
                for row, block in zip(rows, blocks, strict=True)
            ]
        )
        self.nodes = tuple(self._nodes())
        self.storage = self._storage(kept, [self.position[id(frame)] for frame in outputs])

    def _list(self, part: nn.Module, path: str) -> None:
        """Note a module's own parameters and running statistics."""
        for key, parameter in part._parameters.items():
            if parameter is not None and id(parameter) not in self.names:
                name = f"{path}.{key}" if path else key
                self.names[id(parameter)], self.parameters[name] = name, parameter
        for key, buffer in part._buffers.items():
            if key in ("running_mean", "running_var") and buffer is not None:
                self.running[id(buffer)] = buffer.numel()

    def _nodes(self) -> Iterator[Node]:
        """Yield a node per row but the first, which is the image."""
        rows = self.rows
        names = [INPUT, *(row.name for row in rows[1:])]
        for i, row in enumerate(rows[1:], 1):
            frozen = row.params > 0 and not row.trainable
            if i >= len(self.frames):
                yield Node(row.name, Recorded(row.kind), (), row.block, frozen=frozen)
                continue
            frame = self.frames[i]
            sources = tuple([names[self.position[id(source)]] for source in frame.sources])
            layer = _layer(frame, row, len(sources), self.batch)
            yield Node(row.name, layer, sources, row.block, frame.functional, frozen)

    def _storage(self, kept: _Kept, outputs: list[int]) -> Storage:
        extra = len(self.rows) - len(self.frames)
        owners, sizes, in_use = [], [], []
        reached = _reached(self.frames, self.position, outputs)
        for i, frame in enumerate(self.frames):
            owner = i
            for output in frame.outputs[:1]:
                maker = self.follower.maker.get(output.key)
                owner = self.position.get(id(maker), i) if maker is not None else i
            owners.append(owner)
            sizes.append(_bytes(frame))
            keeper = frame.keeper
            in_use.append(keeper() is not None if keeper is not None else i in reached)
        end = range(len(self.frames), len(self.rows))
        return Storage(
            owner=(*owners, *end),
            keeper=kept.keeper,
            kept=(NOTHING,) * (len(self.rows) - 1),
            requires_grad=(*[frame.learns for frame in self.frames], *[False] * extra),
            in_use=(*in_use, *[False] * extra),
            sizes=(*sizes, *[0] * extra),
            asked=(*[tuple(kept.asked.get(i, ())) for i in range(len(self.frames))], *[()] * extra),
            outputs=tuple(dict.fromkeys(outputs)) or (len(self.frames) - 1,),
        )

    def _row(self, position: int, frame: Frame, kept: _Kept) -> dict[str, Any]:
        """Return the fields of a frame's row, but for its block."""
        statistics = weights = biases = trainable = 0
        owned = [self.names[i] for i in frame.parameters if i in self.names]
        running = [i for i in frame.parameters if i in self.running]
        if frame.module is not None:
            inside = [frame.module] if not frame.module._modules else frame.module.modules()
            for part in inside:
                own = part._parameters.values()
                owned += [self.names[id(p)] for p in own if p is not None]
                running += [id(b) for b in part._buffers.values() if id(b) in self.running]
        for i in running:
            statistics += self.running.pop(i, 0)
        self.used.append(owned)
        for name in owned:
            if name not in self.counted:
                self.counted.add(name)
                parameter = self.parameters[name]
                count = parameter.numel()
                trainable += count * parameter.requires_grad
                if is_bias(name):
                    biases += count
                else:
                    weights += count
        how = {"new": 0, "view": 0, "overwrite": 0}
        for output in frame.outputs:
            # dropout's output stands for its input, as in the plain tables
            new = output.how == "new" and frame.kind == "dropout"
            how["view" if new else output.how] += output.values
        shape = shape_of_one(frame.outputs[0].shape, self.batch) if frame.outputs else (0,)
        batch = self.batch
        return dict(
            name=frame.name,
            kind=frame.kind,
            inputs=tuple([shape_of_one(shape, batch) for shape in frame.inputs]),
            output=shape,
            weights=weights,
            biases=biases,
            statistics=statistics,
            trainable=trainable,
            stored=(weights + biases + statistics) * self.width,
            values=how["new"],
            macs=frame.macs,
            saved=kept.saved.get(position, 0),
            views=how["view"],
            overwrites=how["overwrite"],
            input_values=sum([_values(shape) for shape in frame.inputs]),
            functional=frame.functional,
            **kept.columns.get(position, {}),
        )

    def _unused(self) -> Iterator[dict[str, Any]]:
        """Yield a row's fields for each module whose parameters or statistics no call has used."""
        names, counted = self.names, self.counted
        for module in self.follower.parts:
            if not module._parameters and not module._buffers:
                continue
            path = self.follower.names[id(module)]
            own = [
                (name, p)
                for name, p in module._parameters.items()
                if p is not None and names[id(p)] not in counted
            ]
            counted.update(names[id(p)] for _, p in own)
            biases = sum(p.numel() for name, p in own if is_bias(name))
            statistics = sum(self.running.pop(id(b), 0) for b in module._buffers.values())
            if own or statistics:
                weights = sum(p.numel() for _, p in own) - biases
                name = self.follower.unique(path or "parameters")
                yield {
                    "name": name,
                    "kind": "unused",
                    "weights": weights,
                    "biases": biases,
                    "statistics": statistics,
                    "trainable": sum(p.numel() for _, p in own if p.requires_grad),
                    "stored": (weights + biases + statistics) * self.width,
                }


def _bytes(frame: Frame) -> int:
    """Return the bytes of a frame's outputs, each storage once."""
    return sum({output.key: output.bytes for output in frame.outputs}.values())


def _reached(frames: list[Frame], position: dict[int, int], outputs: list[int]) -> set[int]:
    """Return the positions that the outputs depend on."""
    reached, waiting = set(outputs), list(outputs)
    while waiting:
        for source in frames[waiting.pop()].sources:
            at = position[id(source)]
            if at not in reached:
                reached.add(at)
                waiting.append(at)
    return reached


def _layer(frame: Frame, row: Row, sources: int, batch: int) -> Layer:
    """Return the plain layer that a frame is, or one that has the frame's numbers only."""
    layer = frame.layer
    if layer is not None and frame.times == batch:
        least, most = layer.arity
        one = frame.calls <= 1 or _fits(layer, row)
        if one and sources == len(row.inputs) and least <= sources <= (most or sources):
            return layer
    view = not (row.values or row.overwrites) and row.kind != "dropout"
    return Recorded(row.kind, row.output, view)


def _fits(layer: Layer, row: Row) -> bool:
    """Return whether a layer gives a row's shape, where more than one function was called."""
    try:
        return layer.output_shape(*row.inputs) == row.output
    except (ShapeError, ValueError):
        return False


class _Kept:
    """What autograd keeps, each storage once, by the frame that first kept it and by its maker."""

    def __init__(self, follower: Follower, position: dict[int, int], width: int) -> None:
        self.saved: dict[int, int] = {}  # bytes, by the position that first kept them
        self.keeper: dict[int, int] = {}  # the position that keeps a position's storage first
        self.asked: dict[int, list[int]] = {}  # the positions whose storages a frame keeps
        self.columns: dict[int, dict[str, int]] = {}  # values, by the position that made them
        seen: set[int] = set()
        maker_of = follower.maker
        for i, frame in enumerate(follower.frames):
            for saved in frame.saved:
                key = saved.key
                known = key in maker_of
                maker = maker_of[key] if known else frame
                if maker is None or saved.keeper() is None:
                    continue  # a parameter, or its part of the graph is gone
                owner = position[id(maker)]
                if known:
                    self.asked.setdefault(i, []).append(owner)
                if key in seen:
                    continue
                seen.add(key)
                if known:
                    self.keeper.setdefault(owner, i)
                self.saved[i] = self.saved.get(i, 0) + saved.bytes
                column, values = _column(frame, saved, known, width)
                of = self.columns.setdefault(owner, {})
                of[column] = of.get(column, 0) + values


def _column(frame: Frame, saved: Saved, is_output: bool, width: int) -> tuple[str, int]:
    """Return the column of a kept storage and how much it is there."""
    if saved.column:
        return saved.column, saved.bytes // (8 if saved.column == "indices" else width)
    if saved.dtype == torch.int64:
        return "indices", saved.bytes // 8
    if is_output:
        return "kept_values", saved.bytes // width
    if frame.kind == "dropout":
        return "masks", saved.bytes // saved.dtype.itemsize
    largest = max([output.values for output in frame.outputs], default=0)
    if frame.kind.endswith("norm") and saved.values < largest:
        return "batch_statistics", saved.bytes // width
    return "copies", saved.bytes // width


def is_bias(name: str) -> bool:
    """Return whether a parameter is a bias, judging by its name.

    >>> is_bias("fc.bias"), is_bias("attention.in_proj_bias"), is_bias("attention.bias_table")
    (True, True, False)
    """
    last = name.rpartition(".")[2]
    return last == "bias" or last.endswith("_bias") or last.startswith(("bias_hh", "bias_ih"))


@lru_cache(8192)
def _values(shape: tuple[int, ...]) -> int:
    return math.prod(shape)


@lru_cache(8192)
def shape_of_one(shape: tuple[int, ...], batch: int) -> Shape:
    """Return the shape of one image: (N, C, H, W) gives (H, W, C).

    Maps with any number of axes get their channels last; sequences (N, L, C) keep their order. If
    the first axis is a multiple of the batch (windows of an image), the multiple stays.

    >>> shape_of_one((2, 64, 56, 48), 2), shape_of_one((2, 10), 2), shape_of_one((6, 49, 96), 2)
    ((56, 48, 64), (10,), (3, 49, 96))
    """
    if not shape:
        return (1,)
    if shape[0] % batch:
        return tuple(shape)
    many, rest = shape[0] // batch, tuple(shape[1:])
    if len(rest) >= 3:
        rest = (*rest[1:], rest[0])
    if many > 1:
        rest = (many, *rest)
    return rest or (1,)


def _blocks(model: nn.Module, names: list[str]) -> list[str]:
    """Return each row's block: the first part of its name, or two if one part holds most rows."""
    first = [name.split(".")[0] for name in names]
    children = dict(model.named_children())
    for container in [part for part, rows in Counter(first).items() if rows > len(names) / 2]:
        parts = list(children[container].children()) if container in children else []
        if sum(any(True for _ in part.children()) for part in parts) > len(parts) / 2:
            return [
                ".".join(name.split(".")[:2]) if part == container else part
                for name, part in zip(names, first, strict=True)
            ]
    return first
