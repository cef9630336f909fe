"""The explorer of counters: what each tool adds to the same multiply-accumulates."""

from __future__ import annotations

from cnnmem.charts import Series, StackedBars
from cnnmem.count.table import Summary, summary
from cnnmem.count.tools import GROUPS, TOOLS, extras, sentence
from cnnmem.errors import CnnmemError

from .choices import built, labels
from .controls import Choice, Number, Switch
from .explore import CROWDED, groups_of
from .explorer import Explorer, View

SHOWN = ("all tools", "one tool, layer by layer")
EXACT = "exact MACs"


def audit(
    network: str = "resnet18",
    *,
    tool: str = "thop",
    show: str = "all tools",
    size: int = 224,
) -> Explorer:
    """Return the explorer of what counting tools add to the MACs, for one image.

    Controls: `network`, `tool` (a name of `cnnmem.count.tools.TOOLS`), `show` (a value of `SHOWN`),
    `size` in pixels, `table` (the counts of all tools as a table).

    >>> print(audit(tool="fvcore").readout.splitlines()[0])
    fvcore: 1,819,065,856 MACs = 1,814,073,344 + 4,967,424 batch normalisation + 25,088 pooling
    (+0.2752 %)
    """

    def view(network: str, tool: str, show: str, size: int, table: bool) -> View:
        chosen = built(network)
        counted = summary(chosen, (size, size, chosen.image[2]))
        chart = tools(counted, tool) if show == "all tools" else layers(counted, tool)
        text = f"{sentence(counted, tool)}\n{network} at {size}x{size}, one image, forward."
        return View((chart,), text, _table(counted) if table else None)

    if tool not in TOOLS:
        raise CnnmemError(f"tool is {tool!r}; it can be {', '.join(TOOLS)}")
    return Explorer(
        "Counters under audit",
        (
            Choice("network", "network", tuple((n, n) for n in labels()), network),
            Choice("tool", "tool", tuple((t, t) for t in TOOLS), tool),
            Choice("show", "show", tuple((s, s) for s in SHOWN), show),
            Number("size", "input size (px)", 32, 512, size, 16),
            Switch("table", "table of all counts"),
        ),
        view,
        help="All tools agree on the multiply-accumulates of convolutions and linear layers. A bar "
        "shows what a tool counts beside them; choose a tool to see in which layers.",
    )


def tools(table: Summary, tool: str) -> StackedBars:
    """Return what each tool adds to the MACs as bars, side by side.

    >>> tools(summary("resnet18"), "thop").totals[5]
    9960448
    """
    added = [{}, *(extras(table, one.convention) for one in TOOLS.values())]
    series = [
        Series(group, tuple([sum(each.get(group, ())) for each in added])) for group in GROUPS
    ]
    return StackedBars(
        f"{table.network}: what each tool adds to {table.macs:,} MACs",
        (EXACT, *TOOLS),
        tuple(one for one in series if any(one.values)),
        "operations",
        category="tool",
        adds_up=False,
        highlight=frozenset({tool}),
        note="FlopCounterMode adds nothing, but prints two FLOPs for each MAC.",
    )


def layers(table: Summary, tool: str) -> StackedBars:
    """Return what a tool adds to the MACs as bars, of the layers that it adds something to.

    >>> layers(summary("resnet18"), "thop").total
    9960448
    """
    added = extras(table, TOOLS[tool].convention)
    shown = [i for i in range(len(table.rows)) if any(column[i] for column in added.values())]
    rows = [table.rows[i] for i in shown]
    return StackedBars(
        f"{table.network}: what {tool} adds to the MACs, layer by layer",
        tuple(row.name for row in rows),
        tuple(Series(group, tuple([column[i] for i in shown])) for group, column in added.items()),
        "operations",
        groups=groups_of(rows) if len(rows) > CROWDED else (),
    )


def _table(table: Summary) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return what all tools print, as a table."""
    rows = [(EXACT, f"{table.macs:,}", "MACs", "0")]
    for name, tool in TOOLS.items():
        total = table.total(tool.convention)
        added = sum(map(sum, extras(table, tool.convention).values()))
        rows.append((name, f"{int(total.value):,}", str(total.unit), f"{added:,}"))
    return ("tool", "prints", "unit", "added to the MACs"), tuple(rows)
