"""What a drawing is made of: marks, placed in pixels from the top left.

A chart returns marks, back to front; the painters (:mod:`.svg`, :mod:`.mpl`) draw them without
knowing any kind of chart. One mark may stand for hundreds of shapes, as :class:`Path` and
:class:`Hits` do: a chart of 700 bars has some 50 marks and is drawn in about a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from .format import Real
from .theme import Fill

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
Colour = Fill | str | None
"""A fill with its pattern, a plain "#rrggbb", "ink" or "paper" (whose colour the page decides),
or None for nothing."""


NARROW = 700.0  # a drawing less wide than this has its parts closer together


class Frame(NamedTuple):
    """The size of a drawing, and the least room below its plot."""

    width: float = 960
    height: float = 360
    foot: float = 0.0

    @property
    def narrow(self) -> bool:
        """Whether the drawing is for a small place, such as a page beside a list of files."""
        return self.width < NARROW


class Text(NamedTuple):
    """A line of text that stands on (x, y), turned clockwise by ``turn`` degrees.

    ``after`` follows at a small distance. A ``halo`` keeps it readable where it crosses a bar. A
    text with its own ``ink`` stands on a cell and lets the pointer through to it.
    """

    x: float
    y: float
    text: str
    anchor: Anchor = "start"
    bold: bool = False
    halo: bool = False
    size: int = 0  # 0 is the drawing's own
    turn: int = 0
    after: str = ""
    ink: str = ""


class Box(NamedTuple):
    """A rectangle, filled with a ``shade`` of its colour, its ``edge`` drawn ``line`` wide.

    A box with a ``name`` can be read out like a bar: its ``values`` and its tooltip ``tip``.
    Without a ``total``, a single value is the total; several values (a shape) have none.
    """

    x: float
    y: float
    width: float
    height: float
    fill: Colour = None
    shade: float = 1.0
    line: float = 0.0
    edge: Colour = "ink"
    faint: float = 1.0
    dashes: str = ""
    css: str = ""
    name: str | None = None
    values: tuple[Real, ...] = ()
    total: Real | None = None
    tip: str = ""
    places: int = 1  # decimals of x and width
    idle: bool = False  # the pointer goes through


class Path(NamedTuple):
    """Straight segments drawn together; ``d`` is an SVG path of M, L, H, V, h, v, l and z.

    A string, because the largest chart has thousands of segments and must follow a slider.
    A ``hollow`` path encloses an area that is not filled.
    """

    d: str
    fill: Colour = None
    shade: float = 1.0
    line: float = 0.0
    edge: Colour = "ink"
    faint: float = 1.0
    dashes: str = ""
    square: bool = False
    hollow: bool = False
    css: str = ""
    tip: str = ""


class Line(NamedTuple):
    """A line through points; ``faint`` is a share of its colour."""

    points: tuple[Point, ...]
    width: float = 1.5
    faint: float = 1.0
    dashed: bool = False
    arrow: bool = False
    colour: str = "ink"


class Dots(NamedTuple):
    """Dots of one size."""

    points: tuple[Point, ...]
    radius: float = 2.5
    colour: str = "ink"


class Hits(NamedTuple):
    """Invisible columns that can be pointed at and carry the exact values.

    ``values`` holds one sequence for each series. A column's tooltip is its name, the ``words``
    of its total (deep networks repeat totals, so each is put into words once), and a line for
    each part: its name, the column's value and the unit.
    """

    left: float
    pitch: float
    top: float
    height: float
    names: tuple[str, ...]
    values: Sequence[Sequence[Real]]
    totals: Sequence[Real]
    words: Mapping[Real, str]
    parts: Sequence[tuple[str, Sequence[Real], str]] = ()


class Cluster(NamedTuple):
    """Marks that belong together, and the name a page finds them by."""

    css: str
    marks: Sequence[Mark]


Mark = Text | Box | Path | Line | Dots | Hits | Cluster


class Drawing(NamedTuple):
    """Marks, back to front, and the height they need."""

    marks: Sequence[Mark]
    height: int


class Drawable(Protocol):
    """What a painter needs from a chart."""

    @property
    def kind(self) -> str:
        """What a page calls this kind of chart."""

    @property
    def title(self) -> str:
        """The title."""

    @property
    def alt(self) -> str:
        """The chart in a sentence."""

    def marks(self, frame: Frame) -> Drawing:
        """Return what is drawn in a frame."""


def polygon(points: Iterable[Point], fill: Colour = "ink", shade: float = 1.0) -> Path:
    """Return a filled polygon.

    >>> polygon([(0, 0), (9, 0), (9, 9)]).d
    'M0.0,0.0L9.0,0.0L9.0,9.0z'
    """
    return Path("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) + "z", fill, shade)


def grid(x: float, y: float, cell: float, rows: int, columns: int) -> Path:
    """Return the lines between the cells of a map.

    >>> grid(0, 0, 5, rows=1, columns=1).d
    'M0.0,0.0h5.0M0.0,5.0h5.0M0.0,0.0v5.0M5.0,0.0v5.0'
    """
    wide, high = columns * cell, rows * cell
    across = "".join(f"M{x:.1f},{y + i * cell:.1f}h{wide:.1f}" for i in range(rows + 1))
    down = "".join(f"M{x + i * cell:.1f},{y:.1f}v{high:.1f}" for i in range(columns + 1))
    return Path(across + down, line=1, faint=0.35)


def arrow_head(line: Line, size: float = 9.0) -> Path:
    """Return the head of the arrow at the end of a line.

    >>> arrow_head(Line(((0.0, 0.0), (20.0, 0.0))), size=10.0).d
    'M20.0,0.0L10.0,-4.0L10.0,4.0z'
    """
    (x0, y0), (x1, y1) = line.points[-2:]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
    u, v = (x1 - x0) / length, (y1 - y0) / length
    back_x, back_y, side = x1 - size * u, y1 - size * v, 0.4 * size
    left, right = (back_x + side * v, back_y - side * u), (back_x - side * v, back_y + side * u)
    return polygon(((x1, y1), left, right), line.colour)
