"""Draw the charts of the lessons into figures/: SVG, PNG, the data as CSV, and a gallery.

A figure stands alone on somebody's slide. So its title says what it shows, with a number that is
computed here, and names the network.

    python tools/figures.py [FOLDER]

The same data gives the same bytes, so running it twice leaves the tree unchanged.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from cnnmem import published, reconcile, summary, widgets
from cnnmem.charts import Chart, mpl, svg
from cnnmem.charts.columns import Columns
from cnnmem.charts.dial import Dial
from cnnmem.charts.format import exact, share_text
from cnnmem.charts.heatmap import HeatMap
from cnnmem.count import training
from cnnmem.model import zoo
from cnnmem.plots import bars_of, timeline_of, waterfall_of
from cnnmem.widgets import Explorer

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Figure:
    """A chart with its file name and the lesson it belongs to."""

    name: str
    lesson: str
    chart: Chart


def titled(name: str, lesson: str, chart: Chart, title: str) -> Figure:
    """Return a figure whose title is the message."""
    drawn: Any = chart
    return Figure(name, lesson, replace(drawn, title=title))


def charts(explorer: Explorer) -> tuple[Any, ...]:
    """Return what an explorer shows."""
    assert explorer.view is not None
    assert not explorer.message, explorer.message
    return explorer.view.charts


def part(chart: Columns, *names: str) -> str:
    """Return the share of the total that layers, or parts of layers, hold together."""
    held = sum(total for n, total in zip(chart.categories, chart.totals, strict=True) if n in names)
    held += sum(sum(one.values) for one in chart.series if one.name in names)
    return share_text(held, sum(chart.totals))


def vgg() -> Iterator[Figure]:
    """The charts of lessons 02 and 03."""
    table = summary("vgg16")
    lesson = "02-vgg16-138-million"
    bars = bars_of(table, "parameters")
    title = f"One layer, fc1, holds {part(bars, 'fc1')} of VGG-16's parameters"
    yield titled("vgg16-parameters", lesson, bars, title)
    bars = bars_of(table, "macs")
    share = part(bars, *(row.name for row in table.rows if row.kind == "conv"))
    title = f"VGG-16's convolutions do {share} of its multiply-accumulates"
    yield titled("vgg16-macs", lesson, bars, title)

    lesson = "03-93-or-60-mb"
    bars = bars_of(table)
    share = part(bars, "conv1_1", "conv1_2")
    title = f"VGG-16's first two convolutions hold {share} of its feature maps"
    yield titled("vgg16-feature-maps", lesson, bars, title)
    notes, tool = published.get("cs231n-60"), published.get("torchsummary-vgg16")
    title = (
        f"VGG-16: from the notes' {notes.printed} to torchsummary's {tool.printed}, step by step"
    )
    yield titled("vgg16-60-to-219", lesson, waterfall_of(reconcile(notes, tool)), title)
    fall = waterfall_of(reconcile(table.total("tensors"), published.get("cs231n-93")))
    gap = fall.amount(sum(fall.steps[place][1] for place in fall.unexplained))
    yield titled("vgg16-60-to-93", lesson, fall, f"VGG-16: {gap} of the printed 93 are unexplained")
    kept = table.total("autograd")
    fall = waterfall_of(reconcile(table.total("tensors"), kept))
    title = f"VGG-16: training keeps more than its feature maps, {kept.amount}"
    yield titled("vgg16-60-to-73", lesson, fall, title)
    line = timeline_of(training.inference(table), parameters=False)
    title = f"VGG-16 in use needs {line.amount(max(line.totals))} of feature maps at once"
    yield titled("vgg16-inference", lesson, line, title)
    step = timeline_of(training.training_step(summary(zoo.vgg16("torchvision"), batch=8)))
    title = f"Training VGG-16 on 8 images peaks at {step.amount(max(step.totals))}, in backward"
    yield titled("vgg16-training-step", lesson, step, title)


def one_layer() -> Iterator[Figure]:
    """The charts of lesson 01."""
    (sketch,) = charts(widgets.one_layer().set(padding=1, stride=2))
    before, after = (" x ".join(map(str, shape[:2])) for shape in (sketch.shape, sketch.output))
    title = f"A convolution with stride 2 makes a map of {after} from one of {before}"
    yield titled("one-convolution", "01-one-layer-by-hand", sketch, title)


def minus_two_billion() -> Iterator[Figure]:
    """The charts of lesson 04."""
    for size in (1024, 1472):
        dial: Dial
        (dial,) = charts(widgets.overflow().set(size=size))
        title = (
            f"VGG-16 at {size} pixels: {exact(dial.exact)} parameters, shown as {exact(dial.shown)}"
        )
        yield titled(f"int32-{size}", "04-minus-two-billion", dial, title)


def opposite() -> Iterator[Figure]:
    """The charts of lesson 05."""
    lesson = "05-two-networks-opposite-memories"
    both = charts(widgets.opposite().set(size=1024))
    names = (("VGG-16", "parameters"), ("DenseNet-201", "feature maps"))
    for i, (chart, (network, what)) in enumerate(zip(both, names, strict=True), 1):
        title = f"{network} at 1024 pixels: {part(chart, what)} of the memory is {what}"
        yield titled(f"opposite-memories-{i}", lesson, chart, title)
    fall = waterfall_of(
        reconcile(
            *(
                summary(zoo.densenet201(variant), (1024, 1024, 3)).total("keras-outputs")
                for variant in ("keras2018", "keras")
            )
        )
    )
    more = fall.amount(fall.end[1] - fall.start[1])
    fall = replace(
        fall,
        start=("Keras of 2018", fall.start[1]),
        end=("Keras of today", fall.end[1]),
    )
    title = f"DenseNet-201 at 1024 pixels: one ReLU more, {more} more"
    yield titled("densenet201-2018", lesson, fall, title)


def bargain() -> Iterator[Figure]:
    """The charts of lesson 06."""
    lesson = "06-mobilenets-bargain"
    (bars,) = charts(widgets.bargain())
    full, separable = _both(bars)
    title = f"MobileNet's separable convolutions need {full / separable:.1f} times fewer MACs"
    yield titled("mobilenet-macs", lesson, bars, title)
    (bars,) = charts(widgets.bargain().set(measure="kept for backward"))
    full, separable = _both(bars)
    more = 100 * (separable / full - 1)
    title = f"MobileNet's separable convolutions keep {more:.0f} % more for backward"
    yield titled("mobilenet-kept", lesson, bars, title)


def _both(bars: Columns) -> tuple[float, float]:
    """Return the sums of the full and of the separable convolutions."""
    full = separable = 0.0
    for name, total in zip(bars.categories, bars.totals, strict=True):
        if name.endswith(" full"):
            full += float(total)
        else:
            separable += float(total)
    return full, separable


def training_memory() -> Iterator[Figure]:
    """The charts of lesson 07."""
    lesson = "07-what-training-adds"
    (bars,) = charts(widgets.budget())
    share = part(bars, "kept for backward")
    title = f"Training VGG-16 with Adam on 32 images: {share} is kept for backward"
    yield titled("training-budget", lesson, bars, title)
    heat: HeatMap
    (heat,) = charts(widgets.budget().set(show="batch against size"))
    column = heat.across.index("224")
    fitting = [
        name for name, row in zip(heat.down, heat.cells, strict=True) if heat.fits(row[column])
    ]
    title = f"VGG-16 at 224 pixels: a card of 8 GiB trains batches of {fitting[-1]}, by estimate"
    yield titled("training-batch-against-size", lesson, heat, title)


def audited() -> Iterator[Figure]:
    """The charts of lesson 08."""
    (bars,) = charts(widgets.audit())
    macs = summary("resnet18").macs
    title = f"ResNet-18 has {exact(macs)} MACs; tools add up to {exact(int(max(bars.totals)))} more"
    yield titled("resnet18-tools", "08-audit-a-counter", bars, title)


SOURCES: tuple[Callable[[], Iterator[Figure]], ...] = (
    one_layer,
    vgg,
    minus_two_billion,
    opposite,
    bargain,
    training_memory,
    audited,
)


def figures() -> tuple[Figure, ...]:
    """Return all figures in the order of the gallery."""
    return tuple(figure for source in SOURCES for figure in source())


def write(folder: Path) -> None:
    """Write every figure and the gallery; delete the files of figures that no longer exist."""
    folder.mkdir(exist_ok=True)
    drawn = figures()
    names = {f"{figure.name}.{end}" for figure in drawn for end in ("svg", "png", "csv")}
    for stale in folder.iterdir():
        if stale.suffix in (".svg", ".png", ".csv") and stale.name not in names | {
            "screenshot.png"
        }:
            stale.unlink()
    for figure in drawn:
        drawing = svg.standalone(figure.chart) + "\n"
        (folder / f"{figure.name}.svg").write_text(drawing, encoding="utf-8")
        mpl.save(figure.chart, folder / f"{figure.name}.png")
        with (folder / f"{figure.name}.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(data(figure.chart))
    (folder / "README.md").write_text(gallery(drawn), encoding="utf-8")


def data(chart: Chart) -> list[Sequence[object]]:
    """Return the chart's numbers in the unit that it shows, which the header names."""
    header, *rows = chart.rows()
    unit = getattr(chart, "unit", "")
    if isinstance(chart, HeatMap):
        named: list[object] = [
            f"{chart.down_name} (rows), {chart.across_name} (columns), {unit}",
            *header[1:],
        ]
    else:
        in_unit = [f"{name} ({unit})" if unit else name for name in header[1:]]
        named = [str(header[0]), *map(str, in_unit)]
    return [named, *([row[0], *(_decimal(cell, chart.scale) for cell in row[1:])] for row in rows)]


def _decimal(cell: object, scale: int | Fraction) -> object:
    if isinstance(cell, str) or (isinstance(cell, int) and scale == 1):
        return cell
    return float(cell / scale)  # type: ignore[operator]


def gallery(drawn: tuple[Figure, ...]) -> str:
    """Return the gallery: each figure with its title, alt text and data."""
    lines = [
        "# Figures",
        "",
        "The charts of the lessons, made by `make figures`. Do not edit; texts and pictures are CC "
        "BY 4.0.",
    ]
    lesson = ""
    for figure in drawn:
        if figure.lesson != lesson:
            lesson = figure.lesson
            lines += ["", f"## [{lesson}](../notebooks/{lesson}.ipynb)"]
        alt = figure.chart.alt.replace("[", "(").replace("]", ")")
        files = ", ".join(f"[{end.upper()}]({figure.name}.{end})" for end in ("svg", "png", "csv"))
        lines += ["", f"![{alt}]({figure.name}.svg)", "", f"{figure.chart.title}. {files}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "figures")
