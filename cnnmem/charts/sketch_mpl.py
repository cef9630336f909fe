"""Draw a sketch with matplotlib: the same marks at the same places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.patches import Polygon, Rectangle

from .format import clean
from .sketch import Area, Box, Dots, Grid, Line, Mark, Sketch, Words, arrow_head
from .theme import FILLS, PRINT_INK, PRINT_PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 960, 400
_TEXT = 9  # points


def plot_sketch(sketch: Sketch, ax: Axes) -> None:
    """Draw a sketch on axes of which nothing else is seen."""
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 28), aspect="equal")
    ax.axis("off")
    ax.set_title(_plain(sketch.title), loc="left", fontweight="bold")
    for order, mark in enumerate(sketch.marks(WIDTH, HEIGHT)):
        _draw(mark, ax, order + 1)


def _plain(text: str) -> str:
    return clean(text).replace("$", r"\$")


def _colour(fill: int | None) -> str:
    return PRINT_INK if fill is None else FILLS[fill].colour


def _face(fill: int | None, shade: float) -> dict[str, Any]:
    if fill is not None:
        return {"facecolor": FILLS[fill].colour, "hatch": FILLS[fill].hatch}
    return {"facecolor": (0, 0, 0, shade)}


def _draw(mark: Mark, ax: Axes, order: int) -> None:
    match mark:
        case Box():
            ax.add_patch(Rectangle(
                (mark.x, mark.y), mark.width, mark.height, zorder=order,
                linewidth=mark.line * 0.75, edgecolor=PRINT_INK,
                linestyle="--" if mark.dashed else "-", **_face(mark.fill, mark.shade),
            ))  # fmt: skip
        case Line():
            xs, ys = zip(*mark.points, strict=True)
            ax.plot(
                xs, ys, color=_colour(mark.fill), linewidth=mark.width * 0.75, alpha=mark.faint,
                linestyle="--" if mark.dashed else "-", zorder=order,
            )  # fmt: skip
            if mark.arrow:
                ax.add_patch(Polygon(arrow_head(mark), color=_colour(mark.fill), zorder=order))
        case Grid():
            right, bottom = mark.x + mark.columns * mark.cell, mark.y + mark.rows * mark.cell
            style: dict[str, Any] = {"color": "#aaa", "linewidth": 0.6, "zorder": order}
            ax.hlines(
                [mark.y + i * mark.cell for i in range(mark.rows + 1)], mark.x, right, **style
            )
            ax.vlines(
                [mark.x + i * mark.cell for i in range(mark.columns + 1)], mark.y, bottom, **style
            )
        case Dots():
            xs, ys = zip(*mark.points, strict=True)
            size = (1.5 * mark.radius) ** 2
            ax.scatter(xs, ys, s=size, color=_colour(mark.fill), zorder=order, linewidths=0)
        case Area():
            ax.add_patch(Polygon(mark.points, linewidth=0, zorder=order,
                                 **_face(mark.fill, mark.shade)))  # fmt: skip
        case Words():
            ha = {"start": "left", "middle": "center", "end": "right"}[mark.anchor]
            box: dict[str, Any] = (
                {"bbox": {"facecolor": PRINT_PAPER, "alpha": 0.7, "linewidth": 0, "pad": 1}}
                if mark.halo
                else {}
            )
            ax.text(
                mark.x, mark.y, _plain(mark.text), ha=ha, va="baseline", fontsize=_TEXT,
                fontweight="bold" if mark.bold else "normal", zorder=order, **box,
            )  # fmt: skip
