"""The first explorer: a network's layers as stacked bars, counted as the reader chooses."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from itertools import groupby
from typing import Any, Protocol

from cnnmem.charts import Group, Series, StackedBars
from cnnmem.count import conventions
from cnnmem.count.conventions import QUANTITIES, Convention, column
from cnnmem.count.table import Summary, summary
from cnnmem.count.totals import Total, amounts, show
from cnnmem.errors import CnnmemError
from cnnmem.model.network import Network
from cnnmem.units import MEMORY, percent

from .choices import built, image_of, label, offer
from .controls import Choice, Number, Switch
from .explorer import Explorer, View

# What can be stacked, and the conventions that add it up, the first one by default.
STACKS: dict[str, tuple[str, ...]] = {
    "parameters": (
        "parameters",
        "weights",
        "keras-parameters",
        "keras-parameters-int32",
        "parameters-mb",
        "parameters-mib",
        "parameters-rounded-mb",
        "parameters-rounded-mib",
        "keras-parameters-mib",
    ),
    "feature maps": (
        "tensors",
        "tensors-mib",
        "values",
        "cs231n",
        "cs231n-values",
        "keras-outputs",
        "torchinfo-memory",
        "torchsummary",
        "torchstat",
        "caffe",
        "inference-peak",
    ),
    "kept for backward": ("autograd",),
    "parameters and feature maps": ("keras-memory",),
    "MACs": (
        "macs",
        "convolution-macs",
        "flops",
        "torchinfo-macs",
        "torchprofile",
        "fvcore",
        "thop",
        "ptflops-aten",
        "ptflops-pytorch",
    ),
}
CROWDED = 40  # from so many bars on, blocks are named instead of layers


def bars_of(
    table: Summary,
    convention: Convention | str = "tensors",
    *,
    log: bool = False,
    title: str = "",
) -> StackedBars:
    """Return a table's layers as bars, stacked from what the convention counts.

    The bars sum to the convention's total, but for rounding and 32-bit wraps, which a note names.
    Rows that hold nothing of their own (views, in-place layers) get no bar unless they count.

    >>> from cnnmem import summary
    >>> bars_of(summary("vgg16"), "parameters").total
    138357544
    """
    convention = conventions.get(convention)
    stacks = _stacks(table, convention)
    shown = [
        i
        for i, row in enumerate(table.rows)
        if row.values or row.params or any(values[i] for values in stacks.values())
    ]
    rows = [table.rows[i] for i in shown]
    series = tuple(
        Series(QUANTITIES[quantity][0], tuple([values[i] for i in shown]))
        for quantity, values in stacks.items()
        if any(values)
    )
    unit = convention.unit
    memory = unit in MEMORY and unit.size > 1
    note = ""
    if convention.arithmetic == "int32":
        note = "Bars show exact counts; the total wraps at 2^31."
    elif convention.rounding:
        note = "Bars show exact counts; the total is of rounded ones."
    return StackedBars(
        title or f"{table.network}: {convention.title}",
        tuple(row.name for row in rows),
        series,
        unit.name,
        unit.size,
        base_unit="bytes" if memory else "",
        log=log,
        groups=groups_of(rows) if len(rows) > CROWDED else (),
        note=note,
    )


def _stacks(table: Summary, convention: Convention) -> dict[str, list[int]]:
    """Return for each quantity of a convention what it adds at each row, in bytes or counts."""
    times = convention.factor * convention.bytes_per_value
    stacks: dict[str, list[int]] = {}
    for count in convention.counts:
        values = column(table, count.quantity)
        stack = stacks.setdefault(count.quantity, [0] * len(values))
        weight = count.times * times
        for i, row in enumerate(table.rows):
            if values[i] and count.applies(row.kind, row.functional):
                stack[i] += int(values[i] * weight)
            if row.name == convention.until:
                break
    return stacks


class InBlock(Protocol):
    """What belongs to a block: a row of a table, a part of a budget."""

    @property
    def block(self) -> str:
        """The block's name."""


def groups_of(rows: Sequence[InBlock]) -> tuple[Group, ...]:
    """Return the runs of rows of one block."""
    groups, start = [], 0
    for name, run in groupby([row.block for row in rows]):
        stop = start + len(list(run))
        groups.append(Group(name, start, stop))
        start = stop
    return tuple(groups)


def readout(of: Total) -> str:
    """Return a total with its unit and convention, and the row that holds most of it."""
    table, convention = of.summary, of.convention
    counted = amounts(table, convention)
    whole = sum(counted)
    largest = max(range(len(counted)), key=lambda i: counted[i])
    size = "x".join(map(str, table.image[:2]))
    most = f"; {table.rows[largest].name} holds {percent(counted[largest], whole)}" if whole else ""
    return (
        f"{table.network} at {size}, batch {table.batch}: {show(of.value)} {of.unit} "
        f"({convention.name}: {convention.title}){most}"
    )


def largest_rows(
    chart: StackedBars, most: int = 8
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return header and rows of a chart's highest bars, exact."""
    order = nlargest(most, range(len(chart.categories)), key=chart.totals.__getitem__)
    header = ("layer", *[s.name for s in chart.series], "sum", "share")
    return header, tuple(
        (
            chart.categories[i],
            *[f"{s.values[i]:,}" for s in chart.series],
            f"{chart.totals[i]:,}",
            percent(chart.totals[i], chart.total),  # type: ignore[arg-type]
        )
        for i in order
    )


def explore(
    network: str | Network = "vgg16",
    *,
    size: int | None = None,
    batch: int = 1,
    stack: str = "parameters",
    convention: str | None = None,
    top: bool = True,
    log: bool = False,
    networks: Sequence[str | Network] | None = None,
) -> Explorer:
    """Return the explorer of a network's layers.

    Controls: `network` (NAME or NAME/VARIANT; `networks` limits the choice, default the whole
    zoo), `size` in pixels, `batch`, `stack` (what is stacked: a key of `STACKS`), `convention`
    (how it is added up), `top` (with the classifier), `log` (logarithmic axis), `table` (the
    largest layers as a table below).

    >>> explorer = explore("vgg16")
    >>> explorer.readout.split(": ")[1].split(";")[0]
    '138,357,544 parameters (parameters'
    >>> explorer.set(size=64, stack="MACs").settings["convention"]
    'macs'
    """
    offered = offer(networks, network)
    if stack not in STACKS:
        raise CnnmemError(f"stack is {stack!r}; it can be {', '.join(STACKS)}")
    if convention is not None and convention not in STACKS[stack]:
        raise CnnmemError(
            f"convention {convention!r} does not add up {stack}; "
            f"it can be {', '.join(STACKS[stack])}"
        )
    first = label(network)
    natural = built(offered[first]).image[0]

    def view(
        network: str,
        size: int,
        batch: int,
        stack: str,
        convention: str,
        top: bool,
        log: bool,
        table: bool,
    ) -> View:
        chosen = built(offered[network], top)
        counted = summary(chosen, image_of(chosen, size), batch)
        of = counted.total(convention)
        chart = bars_of(counted, convention, log=log, title=f"{network}: {stack} per layer")
        return View((chart,), readout(of), largest_rows(chart) if table else None)

    return Explorer(
        "Layers explorer",
        (
            Choice("network", "network", tuple((name, name) for name in offered), first),
            Number("size", "input size (px)", 16, 1536, size or natural, 16,
                   "height and width of the image"),
            Number("batch", "batch (images)", 1, 256, batch),
            Choice("stack", "show", tuple((name, name) for name in STACKS), stack),
            Choice("convention", "counted as", _conventions, convention),
            Switch("top", "with the classifier", top),
            Switch("log", "logarithmic axis", log),
            Switch("table", "table of the largest layers"),
        ),
        view,
        help="Drag a slider, or focus it and press the arrow keys; the box beside it takes any "
        "whole number. Point at a bar for its exact numbers. The line above the chart says the "
        "total with its unit and the convention that counts it.",
    )  # fmt: skip


def _conventions(settings: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{name} [{conventions.get(name).unit}]", name)
        for name in STACKS[settings.get("stack", "parameters")]
    )
