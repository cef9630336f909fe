"""Draw a chart with matplotlib, for print: the marks that :mod:`.svg` draws, at the same places.

No other module of this package imports matplotlib.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke

from .chart import Chart
from .format import clean, flat
from .marks import Box, Cluster, Colour, Dots, Frame, Hits, Line, Mark, Path, Text, arrow_head
from .theme import PRINT_INK, PRINT_PAPER, TEXT, Fill

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PIXELS = 100  # of a drawing per inch of a figure
_DPI = 300
_ALIGN = {"start": "left", "middle": "center", "end": "right"}
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "hatch.linewidth": 0.6,
    "lines.scale_dashes": False,
    "svg.hashsalt": "cnnmem",  # without a salt the ids in a file are random (matplotlib's rcParams)
    "svg.fonttype": "none",  # text stays text: it can be searched and edited
}


def plot(chart: Chart, ax: Axes | None = None) -> Axes:
    """Draw ``chart`` on ``ax``, or on a new pyplot figure, and return the axes.

    The axes count the pixels of the drawing from its top left corner. Their own ticks are hidden,
    as the drawing has ticks. Texts are sized for the current size of ``ax``.

    >>> from matplotlib.figure import Figure
    >>> from . import Series, StackedBars
    >>> tiny = StackedBars("Tiny", ("conv", "fc"), (Series("weights", (27, 81)),), "parameters")
    >>> plot(tiny, Figure().add_subplot()).texts[0].get_text()
    'Tiny'
    """
    frame = Frame()
    marks, height = chart.marks(frame)
    with mpl.rc_context(_STYLE):
        if ax is None:
            from matplotlib import pyplot

            figure = pyplot.figure(figsize=(frame.width / _PIXELS, height / _PIXELS))
            ax = figure.add_axes((0, 0, 1, 1))
        room = ax.get_window_extent()
        dots = min(room.width / frame.width, room.height / height)  # per pixel of the drawing
        canvas = _Canvas(ax, dots * 72 / ax.figure.dpi)
        ax.set(xlim=(0, frame.width), ylim=(height, 0), aspect="equal")
        ax.set_axis_off()
        for order, mark in enumerate(_single(marks)):
            _paint(mark, canvas, order)
    return ax


def save(chart: Chart, path: str | os.PathLike[str]) -> None:
    """Write ``chart`` to an ``.svg`` or ``.png`` file; equal charts give equal bytes.

    Raises ValueError for any other suffix.
    """
    suffix = os.fspath(path).rpartition(".")[2].lower()
    described = {"Title": clean(chart.title), "Description": clean(chart.alt)}
    # None leaves out the date and matplotlib's version, which would change the bytes.
    metadata: dict[str, dict[str, Any]] = {
        "svg": {**described, "Date": None, "Creator": None},
        "png": {**described, "Software": None},
    }
    if suffix not in metadata:
        raise ValueError(f"path: {os.fspath(path)!r} must end in .svg or .png")
    frame = Frame()
    size = (frame.width / _PIXELS, chart.marks(frame).height / _PIXELS)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, dpi=_DPI)
        plot(chart, figure.add_axes((0, 0, 1, 1)))
        figure.savefig(path, format=suffix, metadata=metadata[suffix])


class _Canvas(NamedTuple):
    """The axes to draw on, and the points that a pixel of the drawing takes there."""

    ax: Axes
    pixel: float


def _single(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Yield the marks, with clusters taken apart."""
    for mark in marks:
        if isinstance(mark, Cluster):
            yield from _single(mark.marks)
        else:
            yield mark


def _paint(mark: Mark, canvas: _Canvas, order: int) -> None:
    ax, pixel = canvas
    match mark:
        case Text():
            _text(mark, canvas, order)
        case Path():
            shape = PathPatch(outline(mark.d), **_look(mark, pixel), zorder=order)
            shape.set_capstyle("projecting" if mark.square else "butt")
            ax.add_patch(shape)
        case Box():
            corner = (mark.x, mark.y)
            look = _look(mark, pixel)
            ax.add_patch(Rectangle(corner, mark.width, mark.height, **look, zorder=order))
        case Line():
            ax.plot(
                *zip(*mark.points, strict=True),
                color=_colour(mark.colour, mark.faint),
                linewidth=mark.width * pixel,
                linestyle=_dashes("6,4" if mark.dashed else "", pixel),
                zorder=order,
            )
            if mark.arrow:
                _paint(arrow_head(mark), canvas, order)
        case Dots():
            xs, ys = zip(*mark.points, strict=True)
            area = (2 * mark.radius * pixel) ** 2
            ax.scatter(xs, ys, area, [_colour(mark.colour)], linewidths=0, zorder=order)
        case Hits():
            pass  # nobody points at a column on paper


def _text(mark: Text, canvas: _Canvas, order: int) -> None:
    halo = withStroke(linewidth=4 * canvas.pixel, foreground=PRINT_PAPER)
    canvas.ax.text(
        mark.x,
        mark.y,
        flat(f"{mark.text} {mark.after}"),
        ha=_ALIGN[mark.anchor],
        va="baseline",
        rotation=-mark.turn,
        rotation_mode="anchor",
        fontsize=(mark.size or TEXT) * canvas.pixel,
        fontweight="bold" if mark.bold else "normal",
        color=_colour(mark.ink or "ink"),
        path_effects=[halo] if mark.halo else [],
        parse_math=False,  # a dollar does not begin a formula
        zorder=order,
    )


def _look(mark: Box | Path, pixel: float) -> dict[str, Any]:
    """The fill and edge of a shape. Matplotlib draws a hatch in the colour of the edge."""
    look: dict[str, Any] = {
        "facecolor": _colour(mark.fill, mark.shade),
        "edgecolor": _colour(mark.edge if mark.line else None, mark.faint),
        "linewidth": mark.line * pixel,
        "linestyle": _dashes(mark.dashes, pixel),
    }
    if isinstance(mark.fill, Fill) and mark.fill.hatch:
        look["hatch"] = mark.fill.hatch
        look["edgecolor"] = look["edgecolor"] if mark.line else mark.fill.ink
    return look


def _colour(colour: Colour, share: float = 1.0) -> tuple[float, float, float, float]:
    if isinstance(colour, Fill):
        colour = colour.colour
    named = {"ink": PRINT_INK, "paper": PRINT_PAPER, None: "none"}.get(colour, colour)
    return to_rgba(named, 0.0 if colour is None else share)


def _dashes(dashes: str, pixel: float) -> Any:
    if dashes in ("", "none"):
        return "-"
    return 0, [float(length) * pixel for length in dashes.split(",")]


def outline(d: str) -> Outline:
    """Return the outline that ``d`` of a :class:`~.marks.Path` describes.

    >>> outline("M1,2h3V0l-1,-1z").vertices.tolist()
    [[1.0, 2.0], [4.0, 2.0], [4.0, 0.0], [3.0, -1.0], [1.0, 2.0]]
    """
    x = y = 0.0
    start = (x, y)
    points, codes = list[tuple[float, float]](), list[Any]()
    for letter, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", d):
        numbers = [float(number) for number in text.split(",") if number]
        match letter, numbers:
            case (("M" | "L"), (x, y)):
                pass
            case "l", (right, down):
                x, y = x + right, y + down
            case "H", (x,):
                pass
            case "h", (right,):
                x += right
            case "V", (y,):
                pass
            case "v", (down,):
                y += down
            case "z", ():
                x, y = start
            case _:
                raise AssertionError(f"{letter}{text} is not a segment that a path can have")
        if letter == "M":
            start = x, y
        points.append((x, y))
        codes.append({"M": Outline.MOVETO, "z": Outline.CLOSEPOLY}.get(letter, Outline.LINETO))
    return Outline(points or [(0, 0)], codes or [Outline.MOVETO])
