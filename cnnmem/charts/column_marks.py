"""Place the marks of columns: axis, series, reference lines, flags, values to point at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from .axis import Axis, linear, logarithmic
from .columns import Columns
from .fitting import fit, fit_name
from .flags import LANE, Flag, flag_marks, lanes, place
from .format import Real, exacts, plain, rounded, si
from .header import header_marks
from .marks import Box, Cluster, Colour, Drawing, Frame, Hits, Mark, Path, Text
from .names import name_marks, names_height
from .theme import TEXT

LEFT, RIGHT = 78.0, 16.0  # margins of the plot; fixed, so that nothing moves with a slider
FAR = 4  # a marker further out than this many times the data is drawn at the edge
_WIDEST = 140.0  # pixels of a bar
_PATTERNED = 5.0  # pixels of a column; on narrower ones a pattern is noise
_NAME = 0.3  # the longest name on a flag, as a share of the plot
_HEAD, _TICK = 110.0, 20.0  # pixels that the header takes (about) and a tick needs
_LEAST = 60.0  # pixels of height of a plot; the drawing grows rather than leave less


class Plot(NamedTuple):
    """The rectangle that holds the columns, their number, and the vertical axis."""

    left: float
    top: float
    right: float
    bottom: float
    columns: int
    axis: Axis
    scale: float

    @property
    def slot(self) -> float:
        """The width of a column with its gaps."""
        return (self.right - self.left) / max(self.columns, 1)

    @property
    def height(self) -> float:
        """The height of the plot."""
        return self.bottom - self.top

    def y(self, value: float) -> float:
        """The height of a value before ``scale``, kept inside the plot."""
        (place_,) = self.axis.at([value / self.scale])
        return self.bottom - self.height * min(max(place_, 0.0), 1.0)


def plot_width(width: float) -> float:
    """The width of the plot in a drawing of this width."""
    return width - RIGHT - LEFT


def column_marks(chart: Columns, frame: Frame) -> Drawing:
    """The whole drawing; it grows taller where header and names leave too little room."""
    right, foot = frame.width - RIGHT, 20.0 if chart.note else 6.0
    foot += max(names_height(chart.categories, chart.groups, right - LEFT), frame.foot)
    axis = value_axis(chart, int((frame.height - foot - _HEAD) / _TICK))
    out, top = header_marks(chart, frame.width, _beyond(chart, axis))
    strip, top = chart.strip(frame.width, top)
    out += strip
    count, scale = len(chart.categories), float(chart.scale)
    plot = Plot(LEFT, top, right, frame.height - foot, count, axis, scale)
    # Lanes depend only on x, so they can be counted before the plot's top is known.
    top += 8 + LANE * max(lanes(place(_flags(chart, plot), LEFT, right)), 1)
    plot = plot._replace(top=top, bottom=max(plot.bottom, top + _LEAST))
    height = plot.bottom + foot
    out += _axis(chart, plot)
    out += _bands(chart, plot)
    out += name_marks(
        chart.categories, chart.groups, chart.highlight, plot.left, plot.right, plot.bottom
    )
    out.append(Cluster("series", _series(chart, plot)))
    out += _lines(chart, plot)
    out += flag_marks(place(_flags(chart, plot), LEFT, right), plot.top - 4)
    out.append(_hits(chart, plot))
    if not count:
        middle = (plot.top + plot.bottom) / 2
        out.append(Text((LEFT + right) / 2, middle, f"no {chart.category}s", "middle"))
    if chart.note:
        out.append(Text(LEFT, height - 6, fit(chart.note, right - LEFT)))
    return Drawing(out, math.ceil(height))


def value_axis(chart: Columns, most: int = 6) -> Axis:
    """The axis of the columns, in units of ``scale``; markers far outside do not stretch it."""
    most = min(max(most, 2), 6)
    scale = float(chart.scale)
    heights = [float(total) / scale for total in chart.totals]
    heights += [float(value) / scale for value in chart.line.values] if chart.line else []
    heights += [float(chart.reach) / scale] if chart.reach else []
    if chart.log:
        return logarithmic(heights, most)
    highest = max(heights, default=0.0)
    for marker in chart.markers:
        # Where columns add up, a value without a column belongs to the strip of totals.
        if marker.value is not None and not (chart.adds_up and marker.category is None):
            value = float(marker.value) / scale
            highest = max(highest, value if value <= FAR * highest else 0.0)
    counts = chart.scale == 1 and set(map(type, chart.totals)) == {int}
    return linear(0.0, highest, most, whole=counts)


def _flags(chart: Columns, plot: Plot) -> list[Flag]:
    """Labels for the highest column and for each column with a marker."""
    room, flags = (plot.right - plot.left) * _NAME, list[Flag]()
    if chart.peak is not None:
        text = chart.peak_text(chart.peak, fit_name(chart.categories[chart.peak], room))
        x, y = plot.left + plot.slot * (chart.peak + 0.5), plot.y(float(chart.totals[chart.peak]))
        flags += [Flag(x, y, text, False)] if text else []
    for marker in chart.markers:
        if marker.category is None:
            continue
        text = fit(chart.marker_text(marker), room)
        for index, name in enumerate(chart.categories):
            if name == marker.category:
                value = chart.totals[index] if marker.value is None else marker.value
                x, y = plot.left + plot.slot * (index + 0.5), plot.y(float(value))
                flags.append(Flag(x, y, text, True))
    return flags


def _axis(chart: Columns, plot: Plot) -> Iterator[Mark]:
    unit = fit(chart.unit + (", logarithmic" if chart.log else ""), plot.height + 60)
    yield Text(16, (plot.top + plot.bottom) / 2, unit, "middle", turn=-90)
    lines = []
    for place_, text in plot.axis.labels(si if chart.scale == 1 else plain):
        y = plot.bottom - place_ * plot.height
        lines.append(f"M{plot.left:.1f},{y:.1f}H{plot.right:.1f}")
        yield Text(plot.left - 8, y + 4.5, text, "end")
    yield Path("".join(lines), line=1, faint=0.16)


def _bands(chart: Columns, plot: Plot) -> Iterator[Mark]:
    """Yield a band behind each highlighted column."""
    for i, name in enumerate(chart.categories if chart.highlight else ()):
        if name in chart.highlight:
            x = plot.left + plot.slot * i
            yield Box(x, plot.top, plot.slot, plot.height, "ink", 0.14, css="highlight")


def _series(chart: Columns, plot: Plot) -> list[Mark]:
    """One path for each series, however many columns there are."""
    slot = plot.slot
    gap = 0.0 if slot < 3 or chart.areas else max(0.1 * slot, (slot - _WIDEST) / 2)
    plain_ = not chart.areas and slot < _PATTERNED
    edges = _edges(plot.left + gap, slot, plot.columns + 1)
    width, level = f"{slot - 2 * gap:.2f}", [0.0] * plot.columns
    base = [f"{plot.bottom:.1f}"] * plot.columns
    out: list[Mark] = []
    for one, fill in zip(chart.series, chart.fills, strict=True):
        level = [old + float(new) / plot.scale for old, new in zip(level, one.values, strict=True)]
        tops = _heights(plot, level)
        if chart.areas:
            path = _area(edges, tops, base)
        else:
            path = "".join(
                f"M{x},{low}V{top}h{width}V{low}z"
                for x, low, top in zip(edges, base, tops, strict=False)
                if low != top
            )
        paint: Colour = fill.colour if plain_ else fill
        out.append(Path(path, paint))
        base = tops
    if chart.line is not None:
        places = _heights(plot, [float(value) / plot.scale for value in chart.line.values])
        marks = "".join(f"M{x},{y}h{width}" for x, y in zip(edges, places, strict=False))
        out.append(Path(marks, line=6, edge="paper", faint=0.8))
        out.append(Path(marks, line=3, css="line"))
    return out


def _heights(plot: Plot, values: list[float]) -> list[str]:
    bottom, height = plot.bottom, plot.height
    return [f"{bottom - place * height:.1f}" for place in plot.axis.at(values)]


@lru_cache(maxsize=32)
def _edges(left: float, slot: float, count: int) -> list[str]:
    """The left edges of the columns; cached, as a slider moves only their tops."""
    return [f"{left + slot * index:.1f}" for index in range(count)]


def _area(edges: list[str], tops: list[str], base: list[str]) -> str:
    """The outline of an area: right along the tops, back along the bottoms."""
    if not tops:
        return ""
    there = "".join(f"V{top}H{x}" for top, x in zip(tops, edges[1:], strict=True))
    back = "".join(f"V{low}H{x}" for low, x in zip(base[::-1], edges[-2::-1], strict=True))
    return f"M{edges[0]},{base[0]}{there}{back}z"


def _lines(chart: Columns, plot: Plot) -> Iterator[Mark]:
    """Yield the reference lines of a chart that has no strip of totals."""
    for value, text in _references(chart):
        if not 0 <= value / plot.scale <= plot.axis.high:
            continue
        y = plot.y(value)
        yield Path(f"M{plot.left:.1f},{y:.1f}H{plot.right:.1f}", line=1.5, dashes="7,4")
        below = y - plot.top < TEXT
        short = fit(text, plot.right - plot.left - 12)
        yield Text(plot.left + 6, y + (15 if below else -5), short, halo=True)


def _references(chart: Columns) -> list[tuple[float, str]]:
    """Value and text of the lines across a timeline, or across bars that are compared."""
    return [
        (float(marker.value), f"{marker.label} {chart.amount(marker.value)}")
        for marker in chart.markers
        if not chart.adds_up and marker.value is not None and marker.category is None
    ]


def _beyond(chart: Columns, axis: Axis) -> list[str]:
    """Texts for the reference lines that lie outside this axis."""
    scale = float(chart.scale)
    lines = _references(chart)
    above = [f"↑ {text}: above this axis" for value, text in lines if value / scale > axis.high]
    return above + [f"↓ {text}: below zero" for value, text in lines if value < 0]


def _hits(chart: Columns, plot: Plot) -> Hits:
    """The columns to point at, with their exact values."""
    base = chart.base_unit if chart.scale != 1 else chart.unit
    shown = (*chart.series, *([chart.line] if chart.line else []))
    return Hits(
        plot.left,
        plot.slot,
        plot.top,
        plot.height,
        chart.categories,
        [one.values for one in chart.series],
        chart.totals,
        _words(chart, base),
        # a single series is its total
        [(one.name, one.values, base) for one in shown] if len(shown) > 1 else (),
    )


def _words(chart: Columns, base: str) -> dict[Real, str]:
    """Each distinct total in words."""
    distinct = tuple(dict.fromkeys(chart.totals))
    texts = [f"{text} {base}" for text in exacts(distinct)]
    if chart.scale != 1:
        scale = float(chart.scale)
        short = [rounded(float(total) / scale) for total in distinct]
        texts = [f"{text} {chart.unit} = {same}" for text, same in zip(short, texts, strict=True)]
    shares = chart.shares(distinct)
    if shares:
        texts = [f"{text}, {share} of the total" for text, share in zip(texts, shares, strict=True)]
    return dict(zip(distinct, texts, strict=True))


class DrawnColumns(Columns):
    """Columns with their drawing."""

    def foot(self, width: float) -> float:
        """The height that the names below a plot need in a drawing of this width."""
        return names_height(self.categories, self.groups, plot_width(width))

    def marks(self, frame: Frame) -> Drawing:
        """The columns with their axis, names, legend and markers."""
        return column_marks(self, frame)
