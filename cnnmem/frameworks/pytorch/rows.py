"""Turn the frames of a recorded forward pass into rows."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cnnmem.count.table import Row
from cnnmem.model.layers import Shape

from .fake import StandIns
from .recorder import Frame, Held, Recorder


def rows_of(recorder: Recorder, stand_ins: StandIns, width: int, batch: int) -> tuple[Row, ...]:
    """Return the rows of a finished recording, while the model's output is still alive.

    The output holds autograd's graph, and the graph holds what is kept. `stand_ins` are the
    parameters and buffers that the model ran with; `width` is the bytes per value of the network's
    dtype.
    """
    kept = _Kept(recorder, width)
    # one name per parameter, even for a tied one, and the same name for its stand-in
    names: dict[int, str] = {}
    for name, parameter in recorder.model.named_parameters():
        names[id(parameter)] = names[id(stand_ins[id(parameter)])] = name
    counted: set[int | str] = set()
    rows = [_row(frame, kept, names, counted, batch) for frame in recorder.frames]
    rows += _unused(recorder, names, counted)
    blocks = _blocks(recorder.model, [row.name for row in rows])
    return tuple(
        row if row.kind == "input" else row._replace(block=block)
        for row, block in zip(rows, blocks, strict=True)
    )


class _Kept:
    """What autograd keeps, each storage once, by the frame that first kept it and by its maker."""

    def __init__(self, recorder: Recorder, width: int) -> None:
        # bytes, by the id of the frame that first kept them
        self.saved: dict[int, int] = {}
        # values in each column, by the id of the frame that made them
        self.columns: dict[int, dict[str, int]] = {}
        seen: set[int] = set()
        for frame in recorder.frames:
            for reference in frame.saved:
                held = reference()
                if held is None:
                    continue  # its part of the graph is gone, so nothing needs it
                key = recorder.storage(held.tensor)
                maker = recorder.maker.get(key, frame)
                if key in seen or maker is None:
                    continue
                seen.add(key)
                size = held.tensor.untyped_storage().nbytes()
                self.saved[id(frame)] = self.saved.get(id(frame), 0) + size
                column, values = _column(frame, held, key in recorder.maker, size, width)
                owner = self.columns.setdefault(id(maker), {})
                owner[column] = owner.get(column, 0) + values


def _column(frame: Frame, held: Held, is_output: bool, size: int, width: int) -> tuple[str, int]:
    """Return the column that a kept storage counts in, and its amount there."""
    if held.tensor.dtype == torch.int64:
        return "indices", size // 8
    if is_output:
        return "kept_values", size // width
    if frame.kind == "dropout":
        return "masks", size // held.tensor.element_size()
    largest = max([output.values for output in frame.outputs], default=0)
    if frame.kind.endswith("norm") and held.tensor.numel() < largest:
        return "batch_statistics", size // width
    return "copies", size // width


def _row(
    frame: Frame, kept: _Kept, names: dict[int, str], counted: set[int | str], batch: int
) -> Row:
    owned = list(frame.parameters)
    statistics = 0
    if frame.module is not None:
        owned += list(frame.module.parameters())
        if id(frame.module) not in counted:
            counted.add(id(frame.module))
            statistics = statistics_of(frame.module)
    weights = biases = 0
    for parameter in owned:
        name = names[id(parameter)]
        if name not in counted:
            counted.add(name)
            if is_bias(name):
                biases += parameter.numel()
            else:
                weights += parameter.numel()
    how = {"new": 0, "view": 0, "overwrite": 0}
    for output in frame.outputs:
        # dropout's output counts as its input, as in the plain tables
        new = output.how == "new" and frame.kind == "dropout"
        how["view" if new else output.how] += output.values
    shape = shape_of_one(frame.outputs[0].shape, batch) if frame.outputs else (0,)
    return Row(
        name=frame.name,
        kind=frame.kind,
        inputs=tuple(shape_of_one(shape, batch) for shape in frame.inputs),
        output=shape,
        weights=weights,
        biases=biases,
        statistics=statistics,
        values=how["new"],
        macs=frame.macs,
        saved=kept.saved.get(id(frame), 0),
        views=how["view"],
        overwrites=how["overwrite"],
        input_values=sum(math.prod(shape) for shape in frame.inputs),
        functional=frame.functional,
        block="input",
        **kept.columns.get(id(frame), {}),
    )


def is_bias(name: str) -> bool:
    """Return whether a parameter is a bias, judging by its name.

    >>> is_bias("fc.bias"), is_bias("attention.in_proj_bias"), is_bias("attention.bias_table")
    (True, True, False)
    """
    last = name.rpartition(".")[2]
    return last == "bias" or last.endswith("_bias") or last.startswith(("bias_hh", "bias_ih"))


def statistics_of(module: nn.Module) -> int:
    """Return the number of running statistics of a module and its children."""
    return sum(
        buffer.numel()
        for name, buffer in module.named_buffers()
        if name.rpartition(".")[2] in ("running_mean", "running_var")
    )


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


def _unused(recorder: Recorder, names: dict[int, str], counted: set[int | str]) -> Iterator[Row]:
    """Yield a row for each module whose parameters or statistics no call has used."""
    for path, module in recorder.model.named_modules():
        own: list[tuple[str, Tensor]] = [
            (name, p)
            for name, p in module.named_parameters(recurse=False)
            if names[id(p)] not in counted
        ]
        counted.update(names[id(p)] for _, p in own)
        biases = sum(p.numel() for name, p in own if is_bias(name))
        statistics = 0
        if not any(True for _ in module.children()) and id(module) not in counted:
            statistics = statistics_of(module)
        if own or statistics:
            weights = sum(p.numel() for _, p in own) - biases
            name = recorder.unique(path or "parameters")
            yield Row(name, "unused", weights=weights, biases=biases, statistics=statistics)


def _blocks(model: nn.Module, names: list[str]) -> list[str]:
    """Return each row's block: the first part of its name, or two if one part holds most rows."""
    first = [name.split(".")[0] for name in names]
    children = dict(model.named_children())
    for container in {part for part in first if first.count(part) > len(names) / 2}:
        parts = list(children[container].children()) if container in children else []
        if sum(any(True for _ in part.children()) for part in parts) > len(parts) / 2:
            return [
                ".".join(name.split(".")[:2]) if part == container else part
                for name, part in zip(names, first, strict=True)
            ]
    return first
