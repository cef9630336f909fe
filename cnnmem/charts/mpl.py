"""Draw a chart with matplotlib, for print: the same data, colours and patterns.

No other module of the charts imports matplotlib, but its helper `sketch_mpl`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from .columns import beyond, value_axis
from .data import Chart, StackedBars, Timeline, Waterfall
from .format import clean, percent, plain, si
from .heatmap import HeatMap
from .heatmap_svg import ground
from .parts import fit
from .sketch import Picture, Sketch
from .sketch_mpl import plot_sketch
from .theme import FILLS, GAIN, LEVEL, LOSS, Fill
from .words import amount, bare, marker_text, waterfall_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (9.6, 4.2)  # inches
_MOST_NAMES = 40  # names below an axis
_MOST_HATCHED = 150  # bars wide enough for a pattern
_IN_LINE = 3  # entries of a legend side by side
_STYLE: dict[Any, Any] = {
    "hatch.linewidth": 0.6,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "svg.hashsalt": "cnnmem",
    "svg.fonttype": "path",
}


def plot(chart: Picture, ax: Axes | None = None) -> Axes:
    """Draw ``chart`` on ``ax``, or on a new pyplot figure, and return the axes.

    Heights are values divided by ``scale``.

    >>> from matplotlib.figure import Figure
    >>> from . import Series, StackedBars
    >>> tiny = StackedBars("Tiny", ("conv", "fc"), (Series("weights", (27, 81)),), "parameters")
    >>> [float(bar.get_height()) for bar in plot(tiny, Figure().add_subplot()).patches]
    [27.0, 81.0]
    """
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=SIZE, layout="constrained")
    with mpl.rc_context(_STYLE):
        if isinstance(chart, Sketch):
            plot_sketch(chart, ax)
            return ax
        if isinstance(chart, Waterfall):
            _waterfall(chart, ax)
        elif isinstance(chart, HeatMap):
            _heatmap(chart, ax)
        else:
            _columns(chart, ax)
            _markers(chart, ax)
        ax.set_title(_plain(chart.title), loc="left", fontweight="bold", pad=_pad(chart))
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_axisbelow(True)
        if chart.note:
            ax.annotate(
                _plain(chart.note), (0, 0), (2, 2), xycoords="figure fraction",
                textcoords="offset points", fontsize="small",
            )  # fmt: skip
    return ax


def save(chart: Picture, path: str | os.PathLike[str]) -> None:
    """Write ``chart`` to an ``.svg`` or ``.png`` file; equal charts give equal bytes.

    ValueError for another suffix.
    """
    suffix = os.fspath(path).rpartition(".")[2].lower()
    said = {"Title": clean(chart.title), "Description": clean(chart.alt)}
    metadata: dict[str, dict[str, Any]] = {
        "svg": {**said, "Date": None, "Creator": None},
        "png": {**said, "Software": None},
    }
    if suffix not in metadata:
        raise ValueError(f"path: {os.fspath(path)!r} must end in .svg or .png")
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=SIZE, layout="constrained", dpi=150)
        plot(chart, figure.add_subplot())
        figure.savefig(path, format=suffix, metadata=metadata[suffix])


def _plain(text: str) -> str:
    """Text as it is: no line breaks, and a dollar does not begin a formula."""
    return " ".join(clean(text).split()).replace("$", r"\$")


def _look(fill: Fill) -> dict[str, Any]:
    return {"facecolor": fill.colour, "hatch": fill.hatch, "edgecolor": fill.ink, "linewidth": 0}


def _columns(chart: StackedBars | Timeline, ax: Axes) -> None:
    scale, count = float(chart.scale), len(chart.categories)
    base, handles, labels = [0.0] * count, list[Any](), list[str]()
    whole = chart.total if isinstance(chart, StackedBars) else 0
    for one, fill in zip(chart.series, FILLS, strict=False):
        heights = [float(value) / scale for value in one.values]
        tops = [low + height for low, height in zip(base, heights, strict=True)]
        name = _plain(one.name)
        if isinstance(chart, StackedBars) and chart.adds_up:
            name += f" {bare(sum(one.values), chart)} ({percent(sum(one.values), whole)})"
        if isinstance(chart, StackedBars):
            look = _look(fill if count <= _MOST_HATCHED else fill._replace(hatch=""))
            shown: Any = ax.bar(range(count), heights, 0.8, base, **look)
        elif count:
            edges = [index - 0.5 for index in range(count + 1)]
            shown = ax.stairs(tops, edges, baseline=base, fill=True, **_look(fill))
        handles.append(shown)
        labels.append(name)
        base = tops
    if chart.line is not None and count:
        places, ends = [float(value) / scale for value in chart.line.values], range(count)
        left, right = [index - 0.4 for index in ends], [index + 0.4 for index in ends]
        handles.append(ax.hlines(places, left, right, color="#222", linewidth=2.5, zorder=3))
        labels.append(_plain(chart.line.name))
    axis = value_axis(chart)
    ax.set_ylim(axis.low, axis.high * (3 if chart.log else 1.14))  # room for a flag
    if chart.log:
        ax.set_yscale("log", nonpositive="clip")
    ax.set_yticks(axis.ticks, map(si if chart.scale == 1 else plain, axis.ticks))
    ax.minorticks_off()
    ax.set_ylabel(_plain(chart.unit) + (", logarithmic" if chart.log else ""))
    ax.grid(axis="y", alpha=0.3)
    step = 1 + max(count - 1, 0) // _MOST_NAMES
    names = [_plain(fit(name, 132, head=0 if "." in name else 0.5)) for name in chart.categories]
    slant = 45 if count > 6 else 0
    ax.set_xticks(
        range(0, count, step), names[::step], rotation=slant,
        ha="right" if slant else "center", rotation_mode="anchor" if slant else None,
    )  # fmt: skip
    ax.set_xlim(-0.6, max(count, 1) - 0.4)
    if handles and count:
        ax.legend(
            handles,
            labels,
            frameon=False, fontsize="small", ncols=_IN_LINE, loc="lower left",
            bbox_to_anchor=(0, 0.98), borderaxespad=0,
        )  # fmt: skip


def _markers(chart: StackedBars | Timeline, ax: Axes) -> None:
    """The highest column, the total, and what the chart marks."""
    scale, axis = float(chart.scale), value_axis(chart)
    said = []
    if isinstance(chart, StackedBars) and chart.adds_up:
        said.append(f"total {amount(chart.total, chart)}")
    elif isinstance(chart, Timeline) and chart.peak is not None:
        top = chart.totals[chart.peak]
        said.append(f"peak {amount(top, chart)}")
        _flag(ax, chart.peak, float(top) / scale, f"peak, {chart.categories[chart.peak]}")
    for marker in chart.markers:
        text = marker_text(marker, chart)
        if marker.category is not None:
            index = chart.categories.index(marker.category)
            height = chart.totals[index] if marker.value is None else marker.value
            _flag(ax, index, float(height) / scale, text)
        elif chart.adds_up:
            said.append(text)
        elif marker.value is not None and 0 <= marker.value <= axis.high * scale:
            ax.axhline(float(marker.value) / scale, color="#222", linestyle="--", linewidth=1)
            ax.annotate(
                _plain(text), (0, float(marker.value) / scale), (4, 3),
                xycoords=("axes fraction", "data"), textcoords="offset points", fontsize="small",
            )  # fmt: skip
    said += beyond(chart, axis)
    ax.set_title(_plain(" · ".join(said)), loc="right", fontsize="medium", pad=_pad(chart))


def _pad(chart: Chart) -> float:
    """Points between plot and title: a line of the legend takes fourteen."""
    lines = 0 if isinstance(chart, Waterfall | HeatMap) else -(-len(chart.series) // _IN_LINE)
    return 6.0 + 14 * lines


def _flag(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(
        _plain(text), (x, y), (0, 20), textcoords="offset points", ha="center", fontsize="small",
        arrowprops={"arrowstyle": "-|>", "color": "#222"},
    )  # fmt: skip


def _waterfall(chart: Waterfall, ax: Axes) -> None:
    scale = float(chart.scale)
    spans = [(float(start) / scale, float(stop) / scale) for start, stop in chart.levels]
    names = [chart.start[0], *(name for name, _ in chart.steps), chart.end[0]]
    values = waterfall_values(chart)
    for row, (start, stop) in enumerate(spans):
        ends = row in (0, len(spans) - 1)
        fill = LEVEL if ends or start == stop else GAIN if stop > start else LOSS
        ax.barh(row, stop - start, 0.68, start, **_look(fill))
        ax.annotate(
            _plain(values[row]), (1, row), (6, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", annotation_clip=False,
        )  # fmt: skip
        if row:
            ax.plot([start if not ends else stop] * 2, [row - 1, row], color="#222", linewidth=0.6)
    ax.margins(x=0.05)
    ax.axvline(0, color="#222", linewidth=0.8)
    ax.set_yticks(range(len(names)), [_plain(fit(name, 300)) for name in names])
    ax.invert_yaxis()
    style = si if chart.scale == 1 else plain
    ax.xaxis.set_major_formatter(lambda value, _: style(float(value)))
    ax.set_xlabel(_plain(chart.unit))
    ax.grid(axis="x", alpha=0.3)


def _heatmap(chart: HeatMap, ax: Axes) -> None:
    for i, row in enumerate(chart.cells):
        for j, value in enumerate(row):
            fill, ink = ground(chart, value)
            above = value is not None and not chart.fits(value)
            ax.bar(j, 1, 1, i - 0.5, facecolor=fill, edgecolor="#fff", hatch="/" if above else "")
            frame = {"facecolor": fill, "edgecolor": "none", "pad": 1} if above else None
            colour = "#222" if value is None else ink
            ax.text(
                j, i, chart.shown(value), color=colour, ha="center", va="center", fontsize="small",
                bbox=frame,
            )  # fmt: skip
    if chart.chosen is not None:
        down, across = chart.chosen
        ax.bar(across, 0.9, 0.94, down - 0.45, facecolor="none", edgecolor="#D55E00", linewidth=2)
    ax.set_xlim(-0.5, max(len(chart.across), 1) - 0.5)
    ax.set_ylim(max(len(chart.down), 1) - 0.5, -0.5)
    ax.set_xticks(range(len(chart.across)), map(_plain, chart.across))
    ax.set_yticks(range(len(chart.down)), map(_plain, chart.down))
    ax.tick_params(length=0)
    ax.set_xlabel(_plain(chart.across_name))
    ax.set_ylabel(_plain(chart.down_name))
    limit = f"{chart.unit}; hatched: above {chart.limit_text}" if chart.limit_text else chart.unit
    ax.set_title(_plain(limit), loc="right", fontsize="medium", pad=_pad(chart))
