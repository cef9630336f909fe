"""The first explorer: a network's layers as stacked bars, counted as the reader chooses."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from typing import Any

from cnnmem.charts import StackedBars
from cnnmem.count import conventions
from cnnmem.count.table import table_of
from cnnmem.count.totals import Total, amounts, total
from cnnmem.errors import CnnmemError
from cnnmem.model.network import Network
from cnnmem.plots import bars_of
from cnnmem.units import percent

from .choices import built, chosen, image_of, natural_size, offer
from .controls import Checkbox, Dropdown, Slider
from .explorer import Explorer, View


def readout(of: Total) -> str:
    """Return a total with its unit and convention, and the row that holds most of it."""
    table, convention = of.table, of.convention
    counted = amounts(table, convention)
    whole = sum(counted)
    largest = max(range(len(counted)), key=lambda i: counted[i])
    size = "x".join(map(str, table.image[:2]))
    most = f"; {table.rows[largest].name} holds {percent(counted[largest], whole)}" if whole else ""
    name = f"{convention.name}: " if convention.named_apart else ""
    return (
        f"{table.network} at {size}, batch {table.batch}: {of.amount} "
        f"({name}{convention.title}){most}"
    )


def largest_rows(
    chart: StackedBars, most: int = 8
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return header and rows of a chart's highest bars, with exact values."""
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
    network: Any = "vgg16",
    input_shape: Any = None,
    *,
    size: int | None = None,
    batch: int | None = None,
    stack: str = "parameters",
    convention: str | None = None,
    top: bool = True,
    log: bool = False,
    kinds: bool = False,
    networks: Sequence[str | Network] | None = None,
) -> Explorer:
    """Return the explorer of a network's layers.

    `network` is a `Network`, a name of the zoo (NAME or NAME/VARIANT), a torch module with its
    `input_shape` (N, C, H, W), or a Keras model. `size` (default: the network's own) and
    `batch` (default: N, or 1) are where the sliders stand at first.

    Controls: `network` (`networks` limits the choice, default the whole zoo), `size` in pixels,
    `batch`, `stack` (what is stacked: a group of conventions), `convention` (which of the group),
    `top` (with the classifier), `log` (logarithmic axis), `kinds` (a bar has the
    colour of its layer's kind), `table` (the largest layers as a table
    below).

    >>> explorer = explore("vgg16")
    >>> explorer.readout.split(": ")[1].split(";")[0]
    '138,357,544 parameters (learned weights and biases)'
    >>> explorer.set(size=64, stack="MACs").settings["convention"]
    'macs'
    """
    given = chosen(network, input_shape)
    offered, first = offer(networks, given.network)
    stacks = conventions.groups()
    if stack not in stacks:
        raise CnnmemError(f"stack is {stack!r}; it can be {', '.join(stacks)}")
    if convention is not None and convention not in stacks[stack]:
        raise CnnmemError(
            f"convention {convention!r} does not add up {stack}; "
            f"it can be {', '.join(stacks[stack])}"
        )

    def view(
        network: str,
        size: int,
        batch: int,
        stack: str,
        convention: str,
        top: bool,
        log: bool,
        kinds: bool,
        table: bool,
    ) -> View:
        net = built(offered[network], top)
        counted = table_of(net, image_of(net, size), batch)
        of = total(counted, convention)
        title = f"{network}: {stack} per layer"
        chart = bars_of(counted, convention, log=log, title=title, by_kind=kinds)
        return View((chart,), readout(of), largest_rows(chart) if table else None)

    return Explorer(
        "Layers explorer",
        (
            Dropdown("network", "network", tuple((name, name) for name in offered), first),
            Slider(
                "size",
                "input size (px)",
                least=16,
                most=1536,
                value=given.size or natural_size(offered[first]) if size is None else size,
                step=16,
                help="height and width of the image",
            ),
            Slider(
                "batch", "batch (images)", 1, 256, (given.batch or 1) if batch is None else batch
            ),
            Dropdown("stack", "show", tuple((name, name) for name in stacks), stack),
            Dropdown("convention", "counted as", _conventions, convention),
            Checkbox("top", "with the classifier", top),
            Checkbox("log", "logarithmic axis", log),
            Checkbox("kinds", "colours by kind of layer", kinds),
            Checkbox("table", "table of the largest layers"),
        ),
        view,
        help="Drag a slider, or focus it and press the arrow keys; the box beside it takes any "
        "whole number. Point at a bar for its exact numbers. The line above the chart gives the "
        "total with its unit and the convention that counts it.",
    )


def _conventions(settings: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{name} [{conventions.get(name).unit}]", name)
        for name in conventions.groups()[settings.get("stack", "parameters")]
    )
