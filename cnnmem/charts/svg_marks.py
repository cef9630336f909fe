"""Marks as SVG elements. Attributes at their default are left out, to keep drawings small."""

from __future__ import annotations

import html
from functools import lru_cache
from typing import NamedTuple

from .format import Real, clean, exacts
from .marks import Box, Cluster, Colour, Dots, Hits, Line, Mark, Path, Text, arrow_head
from .theme import PATTERNS, Fill


class Canvas(NamedTuple):
    """What marks need to know of their drawing: the prefix of its ids, the colour behind it."""

    prefix: str
    paper: str
    light: bool = False  # without columns to point at where they are too narrow for it


@lru_cache(maxsize=8192)
def escape(text: str) -> str:
    """``text`` as XML text or attribute; a parser restores it, except for forbidden characters.

    >>> escape('<b class="x">')
    '&lt;b class=&quot;x&quot;&gt;'
    """
    if text.isprintable():  # nearly always, and then there is nothing to clean
        return html.escape(text)
    # A parser turns a raw tab or line break in an attribute into a space (XML 1.0, section 3.3.3).
    return html.escape(clean(text)).translate({9: "&#9;", 10: "&#10;", 13: "&#13;"})


@lru_cache(maxsize=64)
def patterns(prefix: str, fills: tuple[Fill, ...]) -> str:
    """The definitions that the patterned fills refer to."""
    tiles = "".join(
        f'<pattern id="{prefix}-p{PATTERNS.index(fill)}" width="8" height="8" '
        f'patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="{fill.colour}"/>'
        f'<g stroke="{fill.ink}" fill="{fill.ink}" stroke-opacity=".7">{fill.lines}</g></pattern>'
        for fill in fills
        if fill.lines
    )
    return f"<defs>{tiles}</defs>" if tiles else ""


def paint(mark: Mark, canvas: Canvas) -> str:
    """Return a mark as SVG."""
    match mark:
        case Text():
            return _text(mark, canvas.paper)
        case Path():
            return _path(mark, canvas)
        case Box():
            return _box(mark, canvas)
        case Hits():
            return "" if canvas.light and len(mark.names) > TIPPED else _hits(mark)
        case Cluster():
            inside = "".join([paint(one, canvas) for one in mark.marks])
            return f'<g class="{mark.css}">{inside}</g>'
        case Line():
            return _line(mark, canvas)
        case Dots():
            # a segment of length 0 with round caps is a dot (SVG, stroke-linecap)
            path = "".join(f"M{x:.1f},{y:.1f}h0" for x, y in mark.points)
            return (
                f'<path d="{path}" stroke="{_colour(mark.colour, canvas)}" stroke-linecap="round" '
                f'stroke-width="{2 * mark.radius:.1f}"/>'
            )


def _number(value: float, places: int = 1) -> str:
    """Pixels to a tenth; an int stays short."""
    return str(value) if isinstance(value, int) else f"{value:.{places}f}"


def _share(value: float) -> str:
    return f"{value:g}".removeprefix("0")


def _colour(colour: Colour, canvas: Canvas) -> str:
    if isinstance(colour, Fill):
        lined = bool(colour.lines)
        return f"url(#{canvas.prefix}-p{PATTERNS.index(colour)})" if lined else colour.colour
    if colour == "paper":
        return canvas.paper
    return "none" if colour is None else "currentColor" if colour == "ink" else colour


def _tip(tag: str, tip: str) -> str:
    """The end of an element, with its tooltip if it has one."""
    return f"><title>{escape(tip)}</title></{tag}>" if tip else "/>"


# While a slider moves, most texts stay the same: names, ticks, the legend.
@lru_cache(maxsize=8192)
def _text(text: Text, paper: str) -> str:
    x, y = _number(text.x), _number(text.y)
    place = f'x="{x}" y="{y}"'
    if text.turn:
        place = f'transform="translate({x},{y}) rotate({text.turn})"'
    look = "" if text.anchor == "start" else f' text-anchor="{text.anchor}"'
    look += ' font-weight="600"' if text.bold else ""
    look += f' font-size="{text.size}"' if text.size else ""
    if text.halo:
        look += f' paint-order="stroke" stroke="{paper}" stroke-width="4" stroke-linejoin="round"'
    if text.ink:
        ink = "currentColor" if text.ink == "ink" else text.ink
        look += f' class="on-cell" fill="{ink}" pointer-events="none"'
    after = f'<tspan dx="6">{escape(text.after)}</tspan>' if text.after else ""
    return f"<text {place}{look}>{escape(text.text)}{after}</text>"


def _fill(fill: Colour, shade: float, canvas: Canvas) -> str:
    """The attributes of a fill; ink is the default, as it is that of the whole drawing."""
    paint = "" if fill == "ink" else f' fill="{_colour(fill, canvas)}"'
    return paint if shade == 1 else f'{paint} fill-opacity="{_share(shade)}"'


def _edge(mark: Box | Path, canvas: Canvas) -> str:
    if not mark.line:
        return ""
    look = f' stroke="{_colour(mark.edge, canvas)}"'
    look += "" if mark.line == 1 else f' stroke-width="{mark.line:g}"'
    look += "" if mark.faint == 1 else f' stroke-opacity="{_share(mark.faint)}"'
    return look + (f' stroke-dasharray="{mark.dashes}"' if mark.dashes else "")


def _path(path: Path, canvas: Canvas) -> str:
    css = f' class="{path.css}"' if path.css else ""
    fill = "" if path.fill is None else _fill(path.fill, path.shade, canvas)
    square = ' stroke-linecap="square"' if path.square else ""
    hollow = ' fill="none"' if path.hollow else ""
    look = f"{_edge(path, canvas)}{square}{hollow}"
    return f'<path{css}{fill} d="{path.d}"{look}{_tip("path", path.tip)}'


def _box(box: Box, canvas: Canvas) -> str:
    css = box.css or ("bar" if box.name is not None else "")
    css = f' class="{css}"' if css else ""
    x, width = _number(box.x, box.places), _number(box.width, box.places)
    idle = ' pointer-events="none"' if box.idle else ""
    return (
        f'<rect{css} x="{x}" y="{_number(box.y)}" width="{width}" height="{_number(box.height)}"'
        f"{_fill(box.fill, box.shade, canvas)}{_edge(box, canvas)}{idle}{_data(box)}"
        f"{_tip('rect', box.tip)}"
    )


def _data(box: Box) -> str:
    """The attributes that tests and pages read from a box."""
    total: Real | None = box.total
    if total is None and box.values:
        total = box.values[0] if len(box.values) == 1 else 0
    data = "" if box.name is None else f' data-name="{escape(box.name)}"'
    data += f' data-values="{" ".join(map(str, box.values))}"' if box.values else ""
    return data + ("" if total is None else f' data-total="{total}"')


def _hits(hits: Hits) -> str:
    count = len(hits.names)
    where = f'y="{hits.top:.1f}" width="{hits.pitch:.2f}" height="{hits.height:.1f}"'
    values = [map(str, one) for one in hits.values]
    words = hits.words
    joined = "".join(words.values())  # checked all at once, as it is nearly always plain
    if not joined.isprintable() or html.escape(joined) != joined:
        words = {total: escape(text) for total, text in words.items()}
    parts = []
    for name, numbers, unit in hits.parts:
        start, stop = f"\n{escape(name)} ", f" {escape(unit)}"
        parts.append([f"{start}{number}{stop}" for number in exacts(numbers)])
    columns = zip(
        _places(hits.left, hits.pitch, count),
        _escaped(hits.names),
        map(" ".join, zip(*values, strict=True)) if values else [""] * count,
        [words[total] for total in hits.totals],
        map("".join, zip(*parts, strict=True)) if parts else [""] * count,
        strict=True,
    )
    tipped = count <= TIPPED
    bars = [
        f'<rect class="bar" x="{x}" {where} data-name="{name}" data-values="{data}">'
        f"<title>{name}: {text}{lines}</title></rect>"
        + (_tooltip(hits, i, f"{name}: {text}{lines}") if tipped else "")
        for i, (x, name, data, text, lines) in enumerate(columns)
    ]
    return "".join(['<g class="bars" fill="transparent">', *bars, "</g>"])


TIPPED = 120  # with more columns than this, only the browser's own tooltip: drawing must be fast
TOOLTIPS = (
    "<style>.cnnmem-tip{display:none;pointer-events:none;fill:currentColor;font-weight:600;"
    "paint-order:stroke;stroke:PAPER;stroke-width:7px;stroke-linejoin:round}"
    ".bars .bar:hover{fill:currentColor;fill-opacity:.12}"
    ".bars .bar:hover+.cnnmem-tip{display:block}</style>"
)


def _tooltip(hits: Hits, index: int, text: str) -> str:
    """Lines of text beside a column, shown by CSS while the pointer is on it."""
    x = hits.left + hits.pitch * (index + 0.5)
    left = index < len(hits.names) / 2
    anchor, x = ("start", x + 10) if left else ("end", x - 10)
    first, *rest = text.split("\n")
    lines = "".join(f'<tspan x="{x:.0f}" dy="17">{line}</tspan>' for line in rest)
    return (
        f'<text class="cnnmem-tip" x="{x:.0f}" y="{hits.top + 16:.0f}" '
        f'text-anchor="{anchor}">{first}{lines}</text>'
    )


# A slider changes neither the columns' places nor their names.
@lru_cache(maxsize=32)
def _places(left: float, pitch: float, count: int) -> list[str]:
    return [f"{left + pitch * index:.1f}" for index in range(count)]


@lru_cache(maxsize=32)
def _escaped(names: tuple[str, ...]) -> list[str]:
    return [escape(name) for name in names]


def _line(line: Line, canvas: Canvas) -> str:
    path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
    dashes = ' stroke-dasharray="6,4"' if line.dashed else ""
    faint = "" if line.faint == 1 else f' stroke-opacity="{_share(line.faint)}"'
    drawn = (
        f'<path d="{path}" fill="none" stroke="{_colour(line.colour, canvas)}" '
        f'stroke-width="{line.width:g}"{faint} stroke-linejoin="round"{dashes}/>'
    )
    return drawn + (_path(arrow_head(line), canvas) if line.arrow else "")
