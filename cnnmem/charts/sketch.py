"""A drawing that is no chart of bars: made of a few kinds of marks, in SVG and matplotlib alike.

A sketch says in data what it shows, and `marks` where it is drawn, in pixels from the top left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

from ._shown import Shown
from .data import Chart, Marker
from .format import Number
from .header import draw_title
from .parts import Canvas, escape, fill_of
from .theme import FILLS

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


class Box(NamedTuple):
    """A rectangle. `fill` is an index into the fills, `shade` a share of the ink behind it.

    One with a `name` is read out as a bar is: its `values` and its tooltip `tip`.
    """

    x: float
    y: float
    width: float
    height: float
    fill: int | None = None
    shade: float = 0.0
    line: float = 1.0
    dashed: bool = False
    name: str = ""
    values: tuple[int, ...] = ()
    tip: str = ""


class Line(NamedTuple):
    """A line through points; `fill` colours it, `faint` is a share of its colour."""

    points: tuple[Point, ...]
    width: float = 1.5
    faint: float = 1.0
    dashed: bool = False
    arrow: bool = False
    fill: int | None = None


class Grid(NamedTuple):
    """The lines between the cells of a map."""

    x: float
    y: float
    cell: float
    rows: int
    columns: int


class Dots(NamedTuple):
    """Dots of one size."""

    points: tuple[Point, ...]
    radius: float = 2.5
    fill: int | None = None


class Area(NamedTuple):
    """A polygon."""

    points: tuple[Point, ...]
    fill: int | None = None
    shade: float = 0.1


class Words(NamedTuple):
    """A line of text that stands on (x, y)."""

    x: float
    y: float
    text: str
    anchor: Anchor = "start"
    bold: bool = False
    halo: bool = False


Mark = Box | Line | Grid | Dots | Area | Words


class Sketch(Shown):
    """What every sketch answers. One that can show predictions answers `marked` and `tells`."""

    title: str
    kind: ClassVar[str]

    def marked(self, markers: tuple[Marker, ...]) -> Sketch:
        """Return the sketch with predictions on it, as far as it can show them."""
        return self

    def tells(self, value: Number) -> bool:
        """Return whether the sketch shows that this is the value asked for."""
        return False

    @property
    def alt(self) -> str:
        """The sketch in words, for readers who do not see it."""
        raise NotImplementedError

    def rows(self) -> tuple[tuple[str | Number, ...], ...]:
        """Header and rows of exact values."""
        raise NotImplementedError

    def text(self) -> str:
        """The sketch as plain text."""
        raise NotImplementedError

    def marks(self, width: float, height: float) -> Iterator[Mark]:
        """Yield what is drawn below the title, back to front."""
        raise NotImplementedError


Picture = Chart | Sketch
"""Whatever an explorer can show."""


def draw_sketch(sketch: Sketch, canvas: Canvas) -> list[str]:
    """Return the elements of the drawing, back to front."""
    marks = sketch.marks(canvas.width, canvas.height)
    return [*draw_title(sketch.title, "", canvas), *[draw_mark(mark, canvas) for mark in marks]]


def draw_mark(mark: Mark, canvas: Canvas) -> str:
    """Return a mark as SVG."""
    match mark:
        case Box():
            return _box(mark, canvas)
        case Line():
            return _line(mark)
        case Grid():
            across = "".join(
                f"M{mark.x:.1f},{mark.y + i * mark.cell:.1f}h{mark.columns * mark.cell:.1f}"
                for i in range(mark.rows + 1)
            )
            down = "".join(
                f"M{mark.x + i * mark.cell:.1f},{mark.y:.1f}v{mark.rows * mark.cell:.1f}"
                for i in range(mark.columns + 1)
            )
            return f'<path d="{across}{down}" stroke="currentColor" stroke-opacity=".35"/>'
        case Dots():
            path = "".join(f"M{x:.1f},{y:.1f}h0" for x, y in mark.points)
            return (
                f'<path d="{path}" stroke="{_colour(mark.fill)}" stroke-linecap="round" '
                f'stroke-width="{2 * mark.radius:.1f}"/>'
            )
        case Area():
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in mark.points)
            return f'<polygon points="{points}" {_paint(mark.fill, mark.shade, canvas)}/>'
        case Words():
            weight = ' font-weight="600"' if mark.bold else ""
            return (
                f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" text-anchor="{mark.anchor}"{weight}'
                f"{canvas.halo if mark.halo else ''}>{escape(mark.text)}</text>"
            )


def _colour(fill: int | None) -> str:
    return "currentColor" if fill is None else FILLS[fill].colour


def _paint(fill: int | None, shade: float, canvas: Canvas) -> str:
    if fill is not None:
        return f'fill="{fill_of(canvas.prefix, FILLS[fill])}"'
    return f'fill-opacity="{shade:g}"' if shade else 'fill="none"'


def _box(box: Box, canvas: Canvas) -> str:
    stroke = f' stroke="currentColor" stroke-width="{box.line:g}"' if box.line else ""
    dashes = ' stroke-dasharray="4,3"' if box.dashed else ""
    data, tip = "", f"<title>{escape(box.tip)}</title>" if box.tip else ""
    if box.name:
        values = " ".join(map(str, box.values))
        total = box.values[0] if len(box.values) == 1 else 0
        data = (
            f' class="bar" data-name="{escape(box.name)}" data-values="{values}" '
            f'data-total="{total}"'
        )
    return (
        f'<rect{data} x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" {_paint(box.fill, box.shade, canvas)}{stroke}{dashes}>'
        f"{tip}</rect>"
    )


def _line(line: Line) -> str:
    path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
    dashes = ' stroke-dasharray="6,4"' if line.dashed else ""
    drawn = (
        f'<path d="{path}" fill="none" stroke="{_colour(line.fill)}" '
        f'stroke-width="{line.width:g}" stroke-opacity="{line.faint:g}" '
        f'stroke-linejoin="round"{dashes}/>'
    )
    if line.arrow:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in arrow_head(line))
        drawn += f'<polygon points="{points}" fill="{_colour(line.fill)}"/>'
    return drawn


def arrow_head(line: Line, size: float = 9.0) -> tuple[Point, Point, Point]:
    """Return the tip and the two corners of the arrow at the end of a line.

    >>> arrow_head(Line(((0.0, 0.0), (20.0, 0.0))), size=10.0)
    ((20.0, 0.0), (10.0, -4.0), (10.0, 4.0))
    """
    (x0, y0), (x1, y1) = line.points[-2:]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
    u, v = (x1 - x0) / length, (y1 - y0) / length
    back_x, back_y, side = x1 - size * u, y1 - size * v, 0.4 * size
    return (
        (x1, y1),
        (back_x + side * v, back_y - side * u),
        (back_x - side * v, back_y + side * u),
    )
