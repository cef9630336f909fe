"""The explorer of counters: what each tool adds to the same multiply-accumulates."""

from __future__ import annotations

from cnnmem.count.audit import extras, sentence
from cnnmem.count.table import Table, table_of
from cnnmem.count.tools import TOOLS
from cnnmem.count.totals import total
from cnnmem.errors import CnnmemError
from cnnmem.plots.audit import EXACT_MACS, bars_by_layer, bars_by_tool

from .choices import built, labels
from .controls import Checkbox, Dropdown, Slider
from .explorer import Explorer, View

SHOWN = ("all tools", "one tool, layer by layer")


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
        counted = table_of(chosen, (size, size, chosen.image[2]))
        draw = bars_by_tool if show == "all tools" else bars_by_layer
        text = f"{sentence(counted, tool)}\n{network} at {size}x{size}, one image, forward."
        return View((draw(counted, tool),), text, _table(counted) if table else None)

    if tool not in TOOLS:
        raise CnnmemError(f"tool is {tool!r}; it can be {', '.join(TOOLS)}")
    return Explorer(
        "Counters under audit",
        (
            Dropdown("network", "network", tuple((n, n) for n in labels()), network),
            Dropdown("tool", "tool", tuple((t, t) for t in TOOLS), tool),
            Dropdown("show", "show", tuple((s, s) for s in SHOWN), show),
            Slider("size", "input size (px)", 32, 512, size, 16),
            Checkbox("table", "table of all counts"),
        ),
        view,
        help="All tools agree on the multiply-accumulates of convolutions and linear layers. A bar "
        "shows what a tool counts besides; choose a tool to see in which layers.",
    )


def _table(table: Table) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return what all tools print, as a table."""
    rows = [(EXACT_MACS, f"{table.macs:,}", "MACs", "0")]
    for name, tool in TOOLS.items():
        printed = total(table, tool.convention)
        added = sum(map(sum, extras(table, tool.convention).values()))
        said = f"{int(printed.value):,}" if not printed.outside else printed.note
        rows.append((name, said, str(printed.unit), f"{added:,}"))
    return ("tool", "prints", "unit", "added to the MACs"), tuple(rows)
