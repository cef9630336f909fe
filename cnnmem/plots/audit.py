"""What counting tools add to the multiply-accumulates, as bars."""

from __future__ import annotations

from cnnmem.charts import StackedBars
from cnnmem.count.audit import GROUPS, extras
from cnnmem.count.table import Table
from cnnmem.count.tools import TOOLS

from .colours import series as series_of
from .layer_bars import groups_of

EXACT_MACS = "exact MACs"


def bars_by_tool(table: Table, tool: str) -> StackedBars:
    """Return what each tool adds to the MACs as bars, side by side.

    >>> from cnnmem import summary
    >>> bars_by_tool(summary("resnet18"), "thop").totals[5]
    9960448
    """
    added = [{}, *(extras(table, one.convention) for one in TOOLS.values())]
    series = [series_of(group, [sum(each.get(group, ())) for each in added]) for group in GROUPS]
    return StackedBars(
        f"{table.network}: what each tool adds to {table.macs:,} MACs",
        (EXACT_MACS, *TOOLS),
        tuple(one for one in series if any(one.values)),
        "operations",
        category="tool",
        adds_up=False,
        highlight=frozenset({tool}),
        note="FlopCounterMode adds nothing, but prints two FLOPs for each MAC.",
    )


def bars_by_layer(table: Table, tool: str) -> StackedBars:
    """Return what a tool adds to the MACs as bars, one for each layer where it adds something.

    >>> from cnnmem import summary
    >>> bars_by_layer(summary("resnet18"), "thop").total
    9960448
    """
    added = extras(table, TOOLS[tool].convention)
    shown = [i for i in range(len(table.rows)) if any(column[i] for column in added.values())]
    rows = [table.rows[i] for i in shown]
    return StackedBars(
        f"{table.network}: what {tool} adds to the MACs, layer by layer",
        tuple(row.name for row in rows),
        tuple(series_of(group, [column[i] for i in shown]) for group, column in added.items()),
        "operations",
        groups=groups_of(rows),
    )
