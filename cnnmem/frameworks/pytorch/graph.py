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
from cnnmem.model.network import INPUT, Call, Node

from .calls import module_facts, own_parameters
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
        self.counted: set[str] = set()  # names of parameters that a row has
        self.position = {id(frame): i for i, frame in enumerate(self.frames)}
        self.running = dict(follower.running)  # statistics that no row has yet
        # the names of the parameters that each row uses
        self.used = [self._used(frame) for frame in self.frames]
        numbers = [self._stored(*used) for used in self.used]
        unused = list(self._unused())
        names = [frame.name for frame in self.frames] + [row.name for row in unused]
        blocks = _blocks(follower.model, names)
        kept = _Kept(follower, self.position, width)
        self.sequences = _maps_of_one_axis(self.frames)
        rows = [
            self._row(i, frame, kept, numbers[i], blocks[i]) for i, frame in enumerate(self.frames)
        ]
        after = zip(unused, blocks[len(rows) :], strict=True)
        self.rows = (*rows, *[row._replace(block=block) for row, block in after])
        self.nodes = tuple(self._nodes())
        self.storage = self._storage(kept, [self.position[id(frame)] for frame in outputs])

    def _nodes(self) -> Iterator[Node]:
        """Yield a node per row but the first, which is the image."""
        rows = self.rows
        last = {id(frame.module): frame for frame in self.frames if frame.module is not None}
        names = [INPUT, *(row.name for row in rows[1:])]
        for i, row in enumerate(rows[1:], 1):
            frozen = row.params > 0 and not row.trainable
            if i >= len(self.frames):
                yield Node(row.name, Recorded(row.kind), (), row.block, frozen=frozen)
                continue
            frame = self.frames[i]
            sources = tuple([names[self.position[id(source)]] for source in frame.sources])
            layer = _layer(frame, row, len(sources), self.batch)
            call = self._call(frame, last)
            yield Node(row.name, layer, sources, row.block, frame.functional, frozen, call)

    def _call(self, frame: Frame, last: dict[int, Frame]) -> Call:
        """Return how a frame was called; `last` are the modules' last calls."""
        facts, params, module = set(frame.facts), 0, frame.module
        if module is not None:
            facts |= module_facts(module, frame.inputs[0] if frame.inputs else ())
            params = own_parameters(module)
            if last[id(module)] is not frame:
                facts.add("called again")
            if id(module) in self.follower.shared:
                facts.add("shared")
        first = frame.outputs[0].shape[:1] if frame.outputs else (self.batch,)
        if first != (self.batch,):
            facts.add("regrouped" if first and first[0] % self.batch == 0 else "unbatched")
        return Call(frozenset(facts), params)

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

    def _used(self, frame: Frame) -> tuple[list[str], list[int]]:
        """Return the names of the parameters that a frame uses, and ids of running statistics."""
        names, follower = self.follower.parameter_names, self.follower
        given = frame.parameters
        if frame.module is None:
            inside: Any = ()
        else:
            inside = [frame.module] if not frame.module._modules else frame.module.modules()
        for part in inside:
            given = [*given, *[id(p) for p in part._parameters.values() if p is not None]]
            given += [id(b) for b in part._buffers.values()]
        return [names[i] for i in given if i in names], [i for i in given if i in follower.running]

    def _stored(self, names: list[str], running: list[int]) -> tuple[int, int, int, int]:
        """Return the weights, biases, statistics and learned parameters that no earlier row has."""
        weights = biases = trainable = 0
        for name in names:
            if name not in self.counted:
                self.counted.add(name)
                parameter = self.follower.parameters[name]
                count = parameter.numel()
                if parameter.requires_grad:
                    trainable += count
                if is_bias(name):
                    biases += count
                else:
                    weights += count
        return weights, biases, sum([self.running.pop(i, 0) for i in running]), trainable

    def _row(
        self,
        position: int,
        frame: Frame,
        kept: _Kept,
        stored: tuple[int, int, int, int],
        block: str,
    ) -> Row:
        weights, biases, statistics, trainable = stored
        new = view = overwritten = 0
        for output in frame.outputs:
            # dropout's output stands for its input, as in the plain tables
            if output.how == "view" or (output.how == "new" and frame.kind in DROPS):
                view += output.values
            elif output.how == "new":
                new += output.values
            else:
                overwritten += output.values
        columns = kept.columns.get(position, _NO_COLUMNS)
        values, copies, masks, indices, batch_statistics = columns
        batch = self.batch
        inputs = tuple([shape_of_one(shape, batch) for shape in frame.inputs])
        shape = shape_of_one(frame.outputs[0].shape, batch) if frame.outputs else (0,)
        if self.sequences:
            shape, inputs = self._channels_last(frame, shape, inputs)
        return Row(
            frame.name,
            frame.kind,
            inputs,
            shape,
            weights,
            biases,
            statistics,
            trainable,
            (weights + biases + statistics) * self.width,
            new,
            frame.macs,
            kept.saved.get(position, 0),
            view,
            overwritten,
            sum([_values(shape) for shape in frame.inputs]),
            values,
            copies,
            masks,
            indices,
            batch_statistics,
            INPUT if frame.kind == INPUT else block,
            frame.functional,
        )

    def _channels_last(
        self, frame: Frame, shape: Shape, inputs: tuple[Shape, ...]
    ) -> tuple[Shape, tuple[Shape, ...]]:
        """Return a row's shapes with those of maps of one axis turned from (C, L) to (L, C)."""
        sources = frame.sources if len(frame.sources) == len(inputs) else [frame] * len(inputs)
        moved = zip(inputs, [id(source) in self.sequences for source in sources], strict=True)
        return (
            shape[::-1] if id(frame) in self.sequences and len(shape) == 2 else shape,
            tuple([each[::-1] if move and len(each) == 2 else each for each, move in moved]),
        )

    def _unused(self) -> Iterator[Row]:
        """Yield a row for each module whose parameters or statistics no call has used."""
        follower = self.follower
        names = follower.parameter_names
        for module in follower.parts:
            if not module._parameters and not module._buffers:
                continue
            own = [names[id(p)] for p in module._parameters.values() if p is not None]
            left = [name for name in own if name not in self.counted]
            stored = self._stored(left, [id(b) for b in module._buffers.values()])
            weights, biases, statistics, trainable = stored
            if left or statistics:
                yield Row(
                    follower.unique(follower.names[id(module)] or "parameters"),
                    "unused",
                    weights=weights,
                    biases=biases,
                    statistics=statistics,
                    trainable=trainable,
                    stored=(weights + biases + statistics) * self.width,
                )


# Kinds of calls that take (N, C, L) for a map of one axis, and those that may turn one around.
_OF_MAPS = {
    *("conv", "depthwise_conv", "separable_conv", "conv_transpose", "max_pool", "avg_pool"),
    *("adaptive_avg_pool", "adaptive_max_pool", "global_max_pool", "upsample", "batch_norm"),
    *("instance_norm", "group_norm", "reflection_pad", "replication_pad", "circular_pad"),
}
_KEEP = {"concatenate", "zero_pad", "glu", "global_avg_pool"}  # the axes, but not the shape
_TURN = {"transpose", "permute", "t", "swapaxes", "swapdims", "movedim", "moveaxis"}


def _maps_of_one_axis(frames: list[Frame]) -> set[int]:
    """Return the ids of the frames that gave a map (N, C, L), not a sequence (N, L, C).

    A convolution, a pool or the like says so of what it reads and gives; a call that keeps the
    shape passes it on, both ways.
    """
    found: set[int] = set()
    for frame in frames:
        of_maps = frame.kind in _OF_MAPS or (frame.kind == "zero_pad" and not frame.functional)
        if of_maps and frame.inputs and len(frame.inputs[0]) == 3:
            found.add(id(frame))
            found.update([id(source) for source in frame.sources])
    if not found:
        return found
    follows = [
        frame
        for frame in frames
        if frame.sources and frame.kind not in _TURN and _keeps_axes(frame)
    ]
    for frame in reversed(follows):
        if id(frame) in found:
            found.update([id(source) for source in frame.sources])
    for frame in follows:
        if any(id(source) in found for source in frame.sources):
            found.add(id(frame))
    return found


def _keeps_axes(frame: Frame) -> bool:
    """Return whether the axes of what a frame reads are those of what it gives."""
    if not (frame.inputs and frame.outputs and len(frame.inputs[0]) == 3):
        return False
    given = frame.outputs[0].shape
    return frame.inputs[0] == given or (frame.kind in _KEEP and len(given) == 3)


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
        # with two axes (L, C), a function need not have worked on the ones that are shown
        sure = frame.calls <= 1 and not any(len(s) == 2 for s in (row.output, *row.inputs))
        one = sure or _fits(layer, row)
        if one and sources == len(row.inputs) and least <= sources <= (most or sources):
            return layer
    view = not (row.values or row.overwrites) and row.kind not in DROPS
    return Recorded(row.kind, row.output, view)


def _fits(layer: Layer, row: Row) -> bool:
    """Return whether a layer gives a row's shape, where more than one function was called."""
    try:
        return layer.output_shape(*row.inputs) == row.output
    except (ShapeError, ValueError):
        return False


DROPS = ("dropout", "stochastic_depth")  # they draw a mask in training
# the columns of a row that say what is kept, in the row's order
_COLUMNS = {
    column: i
    for i, column in enumerate(("kept_values", "copies", "masks", "indices", "batch_statistics"))
}
_NO_COLUMNS = (0,) * len(_COLUMNS)


class _Kept:
    """What autograd keeps, each storage once, by the frame that first kept it and by its maker."""

    def __init__(self, follower: Follower, position: dict[int, int], width: int) -> None:
        self.saved: dict[int, int] = {}  # bytes, by the position that first kept them
        self.keeper: dict[int, int] = {}  # the position that keeps a position's storage first
        self.asked: dict[int, list[int]] = {}  # the positions whose storages a frame keeps
        self.columns: dict[int, list[int]] = {}  # values, by the position that made them
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
                self.columns.setdefault(owner, [0] * len(_COLUMNS))[_COLUMNS[column]] += values


def _column(frame: Frame, saved: Saved, is_output: bool, width: int) -> tuple[str, int]:
    """Return the column of a kept storage and how much it is there."""
    if saved.column:
        return saved.column, saved.bytes // (8 if saved.column == "indices" else width)
    if saved.dtype == torch.int64:
        return "indices", saved.bytes // 8
    if is_output:
        return "kept_values", saved.bytes // width
    if frame.kind in DROPS:
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
