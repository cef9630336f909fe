"""The top of a drawing: title, total, legend, and the strip of shares with predictions."""

from __future__ import annotations

from .data import StackedBars, Timeline
from .format import Number, percent
from .parts import (
    BOLD,
    END,
    LANE,
    Canvas,
    Flag,
    draw_flags,
    escape,
    fill_of,
    fit,
    label,
    place,
    text_width,
)
from .theme import FILLS, TITLE
from .words import amount, bare, marker_text

_SIDE = 12.0
_LINE = 20.0  # pixels from a line of the legend to the next
_STRIP = 12.0  # height of the strip of totals
_COUNT, _AMOUNT = "888,888,888 (88.8 %)", "8,888 (88.8 %)"  # room kept for numbers
_FAR = 4


def draw_title(title: str, total: str, canvas: Canvas) -> list[str]:
    """The title at the left, what it comes to at the right."""
    total = fit(total, canvas.width * 0.55, bold=True)
    taken = text_width(total, bold=True)
    room = canvas.width - 2 * _SIDE - taken - 16
    short = fit(title, max(room, 40.0), TITLE, bold=True, head=1)
    return [
        label(_SIDE, 20, short, f'{BOLD} font-size="{TITLE}"'),
        label(canvas.width - _SIDE, 20, total, END + BOLD),
    ]


def _legend_entries(chart: StackedBars | Timeline) -> tuple[str, list[str]]:
    if isinstance(chart, StackedBars) and not chart.adds_up:
        return "", [""] * len(chart.series)
    if isinstance(chart, StackedBars):
        sums: list[Number] = [sum(one.values) for one in chart.series]
        whole, total = chart.total, f"total {amount(chart.total, chart)}"
    else:
        peak = chart.peak
        sums = [0 if peak is None else one.values[peak] for one in chart.series]
        whole = 0 if peak is None else chart.totals[peak]
        total = f"peak {amount(whole, chart)}"
    numbers = [f"{bare(part, chart)} ({percent(part, whole)})" for part in sums]
    return total, numbers


def draw_header(
    chart: StackedBars | Timeline, canvas: Canvas, above: list[str]
) -> tuple[list[str], float]:
    """Title, legend and the lines ``above`` the plot, and the y below them.

    A timeline's legend tells what the peak is made of.
    """
    total, numbers = _legend_entries(chart)
    out = draw_title(chart.title, total, canvas)
    names = [one.name for one in chart.series]
    room = canvas.width - 2 * _SIDE
    kept = _COUNT if chart.scale == 1 else _AMOUNT
    x, top = _SIDE, 50.0 if names or chart.line else 30.0
    for name, number, fill in zip(names, numbers, FILLS, strict=False):
        width = text_width(f" {number}")
        short = fit(name, max(room - 40 - width, 40.0))
        width = 44 + text_width(short) + (max(width, text_width(f" {kept}")) if number else 0)
        if x > _SIDE and x + width > _SIDE + room:
            x, top = _SIDE, top + _LINE
        out.append(
            f'<rect x="{x:.1f}" y="{top - 17:.1f}" width="16" height="13" '
            f'fill="{fill_of(canvas.prefix, fill)}"/>'
        )
        out.append(
            f'<text x="{x + 22:.1f}" y="{top - 6:.1f}">{escape(short)}'
            f'<tspan dx="6">{escape(number)}</tspan></text>'
        )
        x += width
    if chart.line is not None:
        short = fit(chart.line.name, room - 40)
        if x > _SIDE and x + 44 + text_width(short) > _SIDE + room:
            x, top = _SIDE, top + _LINE
        out.append(
            f'<path class="line" d="M{x:.1f},{top - 10.5:.1f}h16" stroke="currentColor" '
            'stroke-width="3"/>'
        )
        out.append(label(x + 22, top - 6, short))
    for text in above:
        top += _LINE
        out.append(label(_SIDE, top - 6, fit(text, room)))
    return out, top


def draw_strip(
    chart: StackedBars, canvas: Canvas, top: float, left: float, right: float
) -> tuple[list[str], float]:
    """The total as one thin bar, predictions of it above, and the y below them.

    The strip ends at the right margin, or a prediction does that lies above the total.
    """
    total, room = float(chart.total), right - left
    guesses = [m for m in chart.markers if m.value is not None and m.category is None]
    values = [float(m.value) for m in guesses if m.value is not None]
    span = max([total, *(v for v in values if v <= _FAR * total)]) or 1.0
    flags = []
    for marker, value in zip(guesses, values, strict=True):
        text = fit(marker_text(marker, chart), room / 2 - 40)
        text = f"{text} →" if value > span else f"← {text}" if value < 0 else text
        x = left + room * min(max(value / span, 0.0), 1.0)
        flags.append(Flag(x, 0.0, text, True))
    placed = place(flags, left, right)
    y = top + 6 + LANE * (1 + max((p.lane for p in placed), default=-1))
    out = [label(left - 8, y + 11, "total", END)]
    start = left
    for one, fill in zip(chart.series, FILLS, strict=False):
        part = sum(one.values)
        width = room * float(part) / span
        out.append(
            f'<rect class="share" x="{start:.2f}" y="{y:.1f}" width="{width:.2f}" '
            f'height="{_STRIP}" fill="{fill_of(canvas.prefix, fill)}" data-total="{part}">'
            f"<title>{escape(f'{one.name}: {percent(part, chart.total)} of the total')}</title>"
            "</rect>"
        )
        start += width
    out.append(
        f'<rect x="{left}" y="{y:.1f}" width="{room:.1f}" height="{_STRIP}" fill="none" '
        'stroke="currentColor" stroke-opacity=".3"/>'
    )
    placed = [p._replace(flag=p.flag._replace(y=y)) for p in placed]
    out += draw_flags(placed, y - 4, canvas.halo)
    return out, y + _STRIP
