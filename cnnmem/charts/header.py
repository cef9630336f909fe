"""The top of a drawing: its title, and the legend of its series."""

from __future__ import annotations

from collections.abc import Iterator

from .columns import Columns
from .fitting import fit, text_width
from .marks import Box, Mark, Path, Text
from .theme import TITLE

SIDE = 12.0  # margin on both sides of a drawing
_LINE = 20.0  # pixels from a line of the legend to the next
_COUNT, _AMOUNT = "888,888,888 (88.8 %)", "8,888 (88.8 %)"  # room kept for numbers


def title_marks(title: str, width: float, total: str = "") -> Iterator[Mark]:
    """Yield the title on the left and the total on the right."""
    total = fit(total, width * 0.55, bold=True)
    room = width - 2 * SIDE - text_width(total, bold=True) - 16
    short = fit(title, max(room, 40.0), TITLE, bold=True, head=1)
    yield Text(SIDE, 20.0, short, bold=True, size=TITLE)
    yield Text(width - SIDE, 20.0, total, "end", bold=True)


def header_marks(chart: Columns, width: float, above: list[str]) -> tuple[list[Mark], float]:
    """Title, legend and the lines ``above`` the plot, and the y below them."""
    out = list(title_marks(chart.title, width, chart.headline))
    names = [one.name for one in chart.series]
    room = width - 2 * SIDE
    kept = _COUNT if chart.scale == 1 else _AMOUNT
    x, top = SIDE, 50.0 if names or chart.line else 30.0
    for name, number, fill in zip(names, chart.legend, chart.fills, strict=True):
        taken = text_width(f" {number}")
        short = fit(name, max(room - 40 - taken, 40.0))
        # At least the usual room, so that entries do not move while a slider does.
        taken = 44 + text_width(short) + (max(taken, text_width(f" {kept}")) if number else 0)
        if x > SIDE and x + taken > SIDE + room:
            x, top = SIDE, top + _LINE
        out.append(Box(x, top - 17, 16, 13, fill))
        out.append(Text(x + 22, top - 6, short, after=number))
        x += taken
    if chart.line is not None:
        short = fit(chart.line.name, room - 40)
        if x > SIDE and x + 44 + text_width(short) > SIDE + room:
            x, top = SIDE, top + _LINE
        out.append(Path(f"M{x:.1f},{top - 10.5:.1f}h16", line=3, css="line"))
        out.append(Text(x + 22, top - 6, short))
    for text in above:
        top += _LINE
        out.append(Text(SIDE, top - 6, fit(text, room)))
    return out, top
