"""The formulas of a row, in symbols and with its values filled in.

The text comes from the code that counts: the layer's own methods run again, on numbers that record
what is done with them (`formula.Named`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import NamedTuple

from cnnmem.errors import CnnmemError
from cnnmem.model.formula import Named
from cnnmem.model.kinds import kind_title
from cnnmem.model.layers import Layer, Recorded, Shape
from cnnmem.model.network import INPUT
from cnnmem.model.windows import AXES, LENGTHS, shape_text
from cnnmem.units import bytes_per_value, memory

from .table import Row, Table


def explain(table: Table, name: str) -> str:
    """Return the formulas of the row `name` of a table.

    Raises `UnknownNameError` if there is no such row, `CnnmemError` for a table without its layers,
    such as one read from a framework's model.

    >>> from cnnmem import summary
    >>> print(explain(summary("vgg16"), "conv1_2"))
    conv1_2 (convolutions): 224 x 224 x 64 -> 224 x 224 x 64
      height of the output = ⌊(H + P_top + P_bottom − D_h · (K_h − 1) − 1) / S_h⌋ + 1
                           = ⌊(224 + 1 + 1 − 1 · (3 − 1) − 1) / 1⌋ + 1
                           = 224
      width of the output  = ⌊(W + P_left + P_right − D_w · (K_w − 1) − 1) / S_w⌋ + 1
                           = ⌊(224 + 1 + 1 − 1 · (3 − 1) − 1) / 1⌋ + 1
                           = 224
      weights              = K_h · K_w · C_in · C_out
                           = 3 · 3 · 64 · 64
                           = 36,864
      biases               = C_out
                           = 64
      values               = H_out · W_out · C_out
                           = 224 · 224 · 64
                           = 3,211,264 = 12.85 MB
      MACs                 = K_h · K_w · C_in · C_out · H_out · W_out
                           = 3 · 3 · 64 · 64 · 224 · 224
                           = 1,849,688,064
      kept for backward: its input, the output of conv1_1 (relu1_1 keeps it already)
    """
    row = table[name]
    if row.kind == INPUT:
        sides = " · ".join(map(str, row.output))
        return f"{INPUT}: the image, {sides} = {row.values // table.batch:,} values"
    layer, row = _layer_and_row(table, name)
    shown = []
    for what, count in _formulas(layer, row, table):
        texts = _texts(count)
        if what == "values":
            texts[-1] += f" = {memory(int(count) * bytes_per_value(table.dtype))}"
        shown.append((what, *texts))
    width = max((len(what) for what, *_ in shown), default=0)
    inputs = ", ".join(map(shape_text, row.inputs))
    lines = [f"{name} ({kind_title(row.kind)}): {inputs} -> {shape_text(row.output)}"]
    if isinstance(layer, Recorded):
        lines.append("  recorded at this size: this operation has no formula here")
    for what, *texts in shown:
        lines.append(f"  {what:<{width}} = {texts[0]}")
        lines += [f"  {'':<{width}} = {text}" for text in texts[1:]]
    return "\n".join([*lines, f"  kept for backward: {_kept(table, name)}"])


class Formula(NamedTuple):
    """A number of a row: what it is, its formula in symbols and in numbers, and its value.

    `symbols` is empty for a constant.
    """

    what: str
    symbols: str
    numbers: str
    value: int


def formulas(table: Table, name: str, operations: bool = False) -> tuple[Formula, ...]:
    """Return the formulas of a row as data, with `operations` those of its arithmetic too.

    Raises what `explain` raises and, with `operations`, what `Layer.one_value` raises.

    >>> from cnnmem import summary
    >>> [f.value for f in formulas(summary("vgg16"), "fc1")]
    [102760448, 4096, 4096, 102760448]
    >>> formulas(summary("vgg16"), "fc1", operations=True)[-1].symbols
    '(H · W · C_in − 1 + 1) · D_out'
    """
    layer, row = _layer_and_row(table, name)
    if isinstance(layer, Recorded):
        return ()
    counts = list(_formulas(layer, row, table))
    if operations:
        counts += _operations(layer, row)
    found = []
    for what, count in counts:
        symbols, numbers = (
            (count.symbols, count.numbers) if isinstance(count, Named) else ("", f"{count:,}")
        )
        found.append(Formula(what, symbols, numbers, int(count)))
    return tuple(found)


def _layer_and_row(table: Table, name: str) -> tuple[Layer, Row]:
    row = table[name]
    if table.graph is None:
        raise CnnmemError(
            f"the table of {table.network} holds only counts, not the layers behind them; "
            "explain a row of a plain network (cnnmem.zoo)"
        )
    return next(node.layer for node in table.graph.nodes if node.name == name), row


def _operations(layer: Layer, row: Row) -> Iterator[tuple[str, int]]:
    """Yield the operations behind one output value, then those of all output values."""
    one = traced(layer).one_value(*_inputs(row))
    everything = one * math.prod(_named(row.output, "out"))
    for what, counted in (("of one value", one), ("in all", everything)):
        for field in fields(counted):
            if count := getattr(counted, field.name):
                yield f"{field.name} {what}", count


def traced(layer: Layer) -> Layer:
    """Return the layer with its numbers named as in the textbooks."""
    copy = object.__new__(type(layer))  # its `__post_init__` would turn named numbers into ints
    for field in fields(layer):
        value, symbol = getattr(layer, field.name), layer.symbols.get(field.name)
        if isinstance(value, tuple) and symbol:
            value = tuple(Named(s, v) for s, v in zip(symbol, value, strict=True))
        elif isinstance(symbol, str) and value is not None and not isinstance(value, str):
            value = Named(symbol, value)
        object.__setattr__(copy, field.name, value)
    return copy


def _named(shape: Shape, mark: str) -> Shape:
    *sizes, last = shape
    if not sizes:
        return (Named(f"D_{mark}", last),)
    ending = "" if mark == "in" else f"_{mark}"
    lengths = LENGTHS.get(len(sizes)) or [f"n{i}" for i in range(1, len(sizes) + 1)]
    named = [Named(letter + ending, n) for letter, n in zip(lengths, sizes, strict=True)]
    return (*named, Named(f"C_{mark}", last))


def _inputs(row: Row) -> list[Shape]:
    marks = ["in"] if len(row.inputs) == 1 else [str(i) for i in range(1, len(row.inputs) + 1)]
    return [_named(shape, mark) for shape, mark in zip(row.inputs, marks, strict=True)]


def _recorded(row: Row) -> Iterator[tuple[str, int]]:
    """Yield the numbers of a row whose layer has no formula."""
    counts = {
        "weights": row.weights,
        "biases": row.biases,
        "running statistics": row.statistics,
        "values": row.values,
        "MACs": row.macs,
    }
    yield from ((what, count) for what, count in counts.items() if count)


def _formulas(layer: Layer, row: Row, table: Table) -> Iterator[tuple[str, int]]:
    if isinstance(layer, Recorded):
        yield from _recorded(row)
        return
    layer = traced(layer)
    inputs = _inputs(row)
    axes = (*AXES.get(len(row.output) - 1, ()), "channels") if len(row.output) > 1 else ("length",)
    for axis, n in zip(axes, layer.output_shape(*inputs), strict=False):
        if isinstance(n, Named) and n.symbols != n.numbers and " " in n.symbols:
            yield f"{axis} of the output", n
    output = _named(row.output, "out")
    batch = Named("N", table.batch) if table.batch > 1 else 1
    counts = {
        "weights": (layer.weights(*inputs), row.weights),
        "biases": (layer.biases(*inputs), row.biases),
        "running statistics": (layer.statistics(*inputs), row.statistics),
        "values": (math.prod((batch, *output)), row.values),
        "MACs": (layer.macs(output, *inputs) * batch, row.macs),
    }
    for what, (formula, count) in counts.items():
        if count:
            # a framework's layer may give more than the formula says: a recurrent one its state
            yield what, formula if formula == count else count


def _texts(count: int) -> list[str]:
    if isinstance(count, Named):
        return list(dict.fromkeys([count.symbols, count.numbers, f"{int(count):,}"]))
    return [f"{count:,}"]


def _kept(table: Table, name: str) -> str:
    """Say what the row's backward keeps, and which row keeps it already."""
    if not table.says_saved:
        return "unknown" + ("; it differs between Keras' backends" if table.how == "read" else "")
    assert table.graph is not None
    assert table.storage is not None
    names = [INPUT, *(node.name for node in table.graph.nodes)]
    position = names.index(name)
    storage, row = table.storage, table[name]
    sources = table.graph.sources[position - 1]
    wanted: list[tuple[str, int]] = []
    if storage.asked:
        inputs = {storage.owner[source] for source in sources}
        for owner in storage.asked[position]:
            wanted.append(("its input" if owner in inputs else "its output", owner))
    else:
        kept = storage.kept[position - 1]
        if kept.inputs:
            wanted += [("its input", source) for source in sources]
        if kept.output:
            wanted.append(("its output", position))
    parts = []
    for what, at in wanted:
        owner = storage.owner[at]
        keeper = storage.keeper.get(owner)
        made = "the image" if owner == 0 else f"the output of {names[owner]}"
        if what == "its output" and owner != position:
            made = f"written over {made}"
        if keeper != position and keeper is not None:
            parts.append(f"{what}, {made} ({names[keeper]} keeps it already)")
        elif owner == position:
            parts.append(what)
        else:
            parts.append(f"{what}, {made}")
    for what, count, width in (
        ("a copy of its input", row.copies, bytes_per_value(table.dtype)),
        ("a dropout mask", row.masks, bytes_per_value(table.dtype)),
        ("int64 indices", row.indices, 8),
        (
            "the mean and the inverse deviation of the batch",
            row.batch_statistics,
            bytes_per_value(table.dtype),
        ),
    ):
        if count:
            parts.append(f"{what}, {count:,} x {width} bytes")
    if not parts:
        return "nothing"
    text = "; ".join(parts)
    return f"{text}; {row.saved:,} bytes new" if row.saved else text
