"""Draw stacked bars and timelines: columns from left to right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from .axis import Axis, linear, logarithmic
from .data import StackedBars, Timeline
from .format import exacts, percent, plain, rounded, si
from .header import draw_header, draw_strip
from .names import draw_names, names_height
from .parts import END, LANE, MIDDLE, Canvas, Flag, draw_flags, escape, fill_of, fit, label, place
from .theme import FILLS, TEXT
from .words import amount, marker_text

LEFT, RIGHT = 78.0, 16.0  # margins of the plot; fixed, so that nothing moves with a slider
_FAR = 4  # a marker further out than this many times the data is drawn at the edge
_WIDEST = 140.0  # pixels of a bar
_PATTERNED = 5.0  # pixels of a column; in less a pattern is noise
_NAME = 0.3  # of the plot is the longest name on a flag
_HEAD, _TICK = 110.0, 20.0  # pixels that the header takes, about, and a tick needs
_LEAST = 60.0  # pixels of height of a plot; where the rest leaves less, the drawing grows


class Plot(NamedTuple):
    """The rectangle of the columns and the axis that goes up it."""

    left: float
    top: float
    right: float
    bottom: float
    axis: Axis
    scale: float

    def x(self, index: float, count: int) -> float:
        """The left edge of a column."""
        return self.left + (self.right - self.left) * index / max(count, 1)

    def y(self, value: float) -> float:
        """The height of a value before ``scale``, kept inside the plot."""
        (place_,) = self.axis.at([value / self.scale])
        return self.bottom - (self.bottom - self.top) * min(max(place_, 0.0), 1.0)


def draw_columns(chart: StackedBars | Timeline, canvas: Canvas) -> tuple[list[str], int]:
    """The elements of the drawing, back to front, and the height it needs."""
    right, foot = canvas.width - RIGHT, 20.0 if chart.note else 6.0
    foot += max(names_height(chart, right - LEFT), canvas.foot)
    axis = value_axis(chart, int((canvas.height - foot - _HEAD) / _TICK))
    out, top = draw_header(chart, canvas, beyond(chart, axis))
    if isinstance(chart, StackedBars) and chart.adds_up:
        strip, top = draw_strip(chart, canvas, top, LEFT, right)
        out += strip
    plot = Plot(LEFT, top, right, canvas.height - foot, axis, float(chart.scale))
    lanes = 1 + max((one.lane for one in place(_flags(chart, plot), LEFT, right)), default=0)
    top += 8 + LANE * lanes
    plot = plot._replace(top=top, bottom=max(plot.bottom, top + _LEAST))
    height = plot.bottom + foot
    out += _draw_axis(chart, plot)
    out += draw_names(chart, plot.left, plot.right, plot.top, plot.bottom)
    out += _draw_series(chart, canvas, plot)
    out += _draw_lines(chart, canvas, plot)
    out += draw_flags(place(_flags(chart, plot), LEFT, right), plot.top - 4, canvas.halo)
    out += _hover(chart, plot)
    if not chart.categories:
        middle = (plot.top + plot.bottom) / 2
        out.append(label((LEFT + right) / 2, middle, f"no {chart.category}s", MIDDLE))
    if chart.note:
        out.append(label(LEFT, height - 6, fit(chart.note, right - LEFT)))
    return out, math.ceil(height)


def names_room(charts: Sequence[StackedBars | Timeline], width: float) -> float:
    """The room below a plot that is enough for the names of all these charts.

    Drawn with it as ``foot``, charts that stand side by side end at one height.
    """
    return max(names_height(chart, width - RIGHT - LEFT) for chart in charts)


def value_axis(chart: StackedBars | Timeline, most: int = 6) -> Axis:
    """The axis of the columns, in units of ``scale``; markers far out do not stretch it."""
    most = min(max(most, 2), 6)
    scale = float(chart.scale)
    heights = [float(total) / scale for total in chart.totals]
    heights += [float(value) / scale for value in chart.line.values] if chart.line else []
    heights += [float(chart.reach) / scale] if chart.reach else []
    if chart.log:
        return logarithmic(heights, most)
    highest = max(heights, default=0.0)
    on_strip = chart.adds_up  # a value alone belongs to the strip of totals
    for marker in chart.markers:
        if marker.value is not None and not (on_strip and marker.category is None):
            value = float(marker.value) / scale
            highest = max(highest, value if value <= _FAR * highest else 0.0)
    counts = chart.scale == 1 and set(map(type, chart.totals)) == {int}
    return linear(0.0, highest, most, whole=counts)


def _flags(chart: StackedBars | Timeline, plot: Plot) -> list[Flag]:
    """The highest column names itself; so does every column with a marker."""
    count, room = len(chart.categories), (plot.right - plot.left) * _NAME
    flags = []
    alike = isinstance(chart, StackedBars) and not chart.adds_up and len({*chart.totals}) == 1
    if chart.peak is not None and not (alike and count > 1):
        height = chart.totals[chart.peak]
        what = fit(chart.categories[chart.peak], room)
        if isinstance(chart, StackedBars) and chart.adds_up:
            text = f"{what} {percent(height, chart.total)}"
        elif isinstance(chart, StackedBars):
            text = f"{what} {amount(height, chart)}"
        else:
            text = f"peak {amount(height, chart)}, {what}"
        flags.append(Flag(plot.x(chart.peak + 0.5, count), plot.y(float(height)), text, False))
    for marker in chart.markers:
        for index, name in enumerate(chart.categories):
            if name == marker.category:
                height = chart.totals[index] if marker.value is None else marker.value
                x, y = plot.x(index + 0.5, count), plot.y(float(height))
                flags.append(Flag(x, y, fit(marker_text(marker, chart), room), True))
    return flags


def _draw_axis(chart: StackedBars | Timeline, plot: Plot) -> list[str]:
    height, middle = plot.bottom - plot.top, (plot.top + plot.bottom) / 2
    unit = fit(chart.unit + (", logarithmic" if chart.log else ""), height + 60)
    out = [
        f'<text transform="translate(16,{middle:.1f}) rotate(-90)"{MIDDLE}>{escape(unit)}</text>'
    ]
    lines = []
    for place_, text in plot.axis.labels(si if chart.scale == 1 else plain):
        y = plot.bottom - place_ * height
        lines.append(f"M{plot.left:.1f},{y:.1f}H{plot.right:.1f}")
        out.append(label(plot.left - 8, y + 4.5, text, END))
    out.append(f'<path d="{"".join(lines)}" stroke="currentColor" stroke-opacity=".16"/>')
    return out


def _draw_series(chart: StackedBars | Timeline, canvas: Canvas, plot: Plot) -> list[str]:
    """One path a series, however many columns there are."""
    count, height, scale = len(chart.categories), plot.bottom - plot.top, float(chart.scale)
    slot = (plot.right - plot.left) / max(count, 1)
    gap = 0.0 if slot < 3 or isinstance(chart, Timeline) else max(0.1 * slot, (slot - _WIDEST) / 2)
    plain_ = isinstance(chart, StackedBars) and slot < _PATTERNED
    edges = _edges(plot.left + gap, slot, count + 1)
    floor = f"{plot.bottom:.1f}"
    width, base, level = f"{slot - 2 * gap:.2f}", [floor] * count, [0.0] * count
    out = ['<g class="series">']
    for one, fill in zip(chart.series, FILLS, strict=False):
        level = [old + float(new) / scale for old, new in zip(level, one.values, strict=True)]
        tops = [f"{plot.bottom - p * height:.1f}" for p in plot.axis.at(level)]
        if isinstance(chart, Timeline):
            path = _area(edges, tops, base)
        else:
            path = "".join(
                f"M{x},{low}V{top}h{width}V{low}z"
                for x, low, top in zip(edges, base, tops, strict=False)
                if low != top
            )
        paint = fill.colour if plain_ else fill_of(canvas.prefix, fill)
        out.append(f'<path fill="{paint}" d="{path}"/>')
        base = tops
    if chart.line is not None:
        places = plot.axis.at([float(value) / scale for value in chart.line.values])
        marks = "".join(
            f"M{x},{plot.bottom - p * height:.1f}h{width}"
            for x, p in zip(edges, places, strict=False)
        )
        halo = f'<path d="{marks}" stroke="{canvas.paper}" stroke-width="6" stroke-opacity=".8"/>'
        out.append(f'{halo}<path class="line" d="{marks}" stroke="currentColor" stroke-width="3"/>')
    return [*out, "</g>"]


@lru_cache(maxsize=32)
def _edges(left: float, slot: float, count: int) -> list[str]:
    """Where columns begin; a slider moves their tops alone."""
    return [f"{left + slot * index:.1f}" for index in range(count)]


def _area(edges: list[str], tops: list[str], base: list[str]) -> str:
    """Steps to the right along the tops and back along the bottoms."""
    if not tops:
        return ""
    there = "".join(f"V{top}H{x}" for top, x in zip(tops, edges[1:], strict=True))
    back = "".join(f"V{low}H{x}" for low, x in zip(base[::-1], edges[-2::-1], strict=True))
    return f"M{edges[0]},{base[0]}{there}{back}z"


def _draw_lines(chart: StackedBars | Timeline, canvas: Canvas, plot: Plot) -> list[str]:
    """The reference lines of what has no strip of totals."""
    out = []
    for value, text in _references(chart):
        if not 0 <= value / plot.scale <= plot.axis.high:
            continue
        y = plot.y(value)
        out.append(
            f'<path d="M{plot.left:.1f},{y:.1f}H{plot.right:.1f}" stroke="currentColor" '
            'stroke-width="1.5" stroke-dasharray="7,4"/>'
        )
        below = y - plot.top < TEXT
        short = fit(text, plot.right - plot.left - 12)
        out.append(label(plot.left + 6, y + (15 if below else -5), short, canvas.halo))
    return out


def _references(chart: StackedBars | Timeline) -> list[tuple[float, str]]:
    """Value and text of the lines across a timeline, or across bars that are compared."""
    return [
        (float(marker.value), f"{marker.label} {amount(marker.value, chart)}")
        for marker in chart.markers
        if not chart.adds_up and marker.value is not None and marker.category is None
    ]


def beyond(chart: StackedBars | Timeline, axis: Axis) -> list[str]:
    """What is said of lines that this axis does not hold."""
    scale = float(chart.scale)
    lines = _references(chart)
    above = [f"↑ {text}: above this axis" for value, text in lines if value / scale > axis.high]
    return above + [f"↓ {text}: below zero" for value, text in lines if value < 0]


def _hover(chart: StackedBars | Timeline, plot: Plot) -> list[str]:
    """A transparent column each, with its exact values as a tooltip and as data."""
    count = len(chart.categories)
    slot = (plot.right - plot.left) / max(count, 1)
    where = f'y="{plot.top:.1f}" width="{slot:.2f}" height="{plot.bottom - plot.top:.1f}"'
    values = [map(str, one.values) for one in chart.series]
    shown = (*chart.series, *([chart.line] if chart.line else []))
    shown = shown if len(shown) > 1 else ()  # of a single series the total says it all
    parts = [
        [f"{start}{value}{stop}" for value in exacts(one.values)]
        for one, start, stop in ((s, f"\n{escape(s.name)} ", _base(chart)) for s in shown)
    ]
    columns = zip(
        _edges(plot.left, slot, count),
        _escaped(chart.categories),
        map(" ".join, zip(*values, strict=True)) if values else [""] * count,
        map("".join, zip(*parts, strict=True)) if parts else [""] * count,
        _told(chart),
        strict=True,
    )
    out = ['<g class="bars" fill="transparent">']
    out += [
        f'<rect class="bar" x="{x}" {where} data-name="{name}" data-values="{data}">'
        f"<title>{name}: {told}{lines}</title></rect>"
        for x, name, data, lines, told in columns
    ]
    return [*out, "</g>"]


@lru_cache(maxsize=32)
def _escaped(names: tuple[str, ...]) -> list[str]:
    """The columns' names, which a slider does not move either."""
    return [escape(name) for name in names]


def _told(chart: StackedBars | Timeline) -> list[str]:
    """Every column's total in words; nothing but the units needs escaping."""
    unit, base, scale = escape(chart.unit), _base(chart), float(chart.scale)
    distinct = tuple(dict.fromkeys(chart.totals))  # deep networks repeat themselves
    told = [f"{text}{base}" for text in exacts(distinct)]
    if chart.scale != 1:
        short = [rounded(float(total) / scale) for total in distinct]
        told = [f"{text} {unit} = {same}" for text, same in zip(short, told, strict=True)]
    if isinstance(chart, StackedBars) and chart.adds_up and chart.total:
        shares = [percent(total, chart.total) for total in distinct]
        told = [f"{text}, {share} of the total" for text, share in zip(told, shares, strict=True)]
    words = dict(zip(distinct, told, strict=True))
    return [words[total] for total in chart.totals]


def _base(chart: StackedBars | Timeline) -> str:
    """What an exact value is followed by."""
    return f" {escape(chart.base_unit)}" if chart.scale != 1 else f" {escape(chart.unit)}"
