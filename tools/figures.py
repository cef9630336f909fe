"""Draw the charts of the lessons into figures/: SVG, PNG, the data as CSV, and a gallery.

    python tools/figures.py [FOLDER]

The same data gives the same bytes, so running it twice leaves the tree unchanged.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnnmem import published, reconcile, summary, widgets
from cnnmem.charts import Chart, mpl, svg
from cnnmem.count import training
from cnnmem.model import zoo
from cnnmem.plots import bars_of, timeline_of, waterfall_of
from cnnmem.widgets import Explorer

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Figure:
    """A chart with its file name, the lesson it belongs to and a caption."""

    name: str
    lesson: str
    caption: str
    chart: Chart


def vgg() -> Iterator[Figure]:
    """The charts of lessons 02 and 03."""
    table = summary("vgg16")
    lesson = "02-vgg16-138-million"
    yield Figure(
        "vgg16-parameters",
        lesson,
        "One linear layer holds three quarters of all parameters.",
        bars_of(table, "parameters", title="VGG-16: parameters per layer"),
    )
    yield Figure(
        "vgg16-macs",
        lesson,
        "The early convolutions do the work and hold next to no parameters.",
        bars_of(table, "macs", title="VGG-16: multiply-accumulates per layer"),
    )
    lesson = "03-93-or-60-mb"
    yield Figure(
        "vgg16-feature-maps",
        lesson,
        "The feature maps live at the other end of the network.",
        bars_of(table, title="VGG-16: feature maps per layer, one image"),
    )
    yield Figure(
        "vgg16-60-to-219",
        lesson,
        "From the notes' 60 MB to torchsummary's 219, every step named.",
        waterfall_of(reconcile(published.get("cs231n-60"), published.get("torchsummary-vgg16"))),
    )
    yield Figure(
        "vgg16-60-to-93",
        lesson,
        "What no convention gives stays unexplained.",
        waterfall_of(reconcile(table.total("tensors"), published.get("cs231n-93"))),
    )
    yield Figure(
        "vgg16-60-to-73",
        lesson,
        "From the sum over all layers to what training keeps.",
        waterfall_of(reconcile(table.total("tensors"), table.total("autograd"))),
    )
    yield Figure(
        "vgg16-inference",
        lesson,
        "Inference needs 25.7 MB of feature maps at once, not 60.",
        timeline_of(training.inference(table), parameters=False),
    )
    step = training.training_step(summary(zoo.vgg16("torchvision"), batch=8))
    yield Figure(
        "vgg16-training-step",
        lesson,
        "In backward the feature maps do not double; the parameters' gradients arrive.",
        timeline_of(step),
    )


def shown(name: str, lesson: str, caption: str, explorer: Explorer) -> Iterator[Figure]:
    """Yield what an explorer shows: one figure for each of its charts."""
    assert explorer.view is not None
    assert not explorer.message, explorer.message
    charts = explorer.view.charts
    for i, chart in enumerate(charts, 1):
        yield Figure(name if len(charts) == 1 else f"{name}-{i}", lesson, caption, chart)


def one_layer() -> Iterator[Figure]:
    """The charts of lesson 01."""
    lesson = "01-one-layer-by-hand"
    yield from shown(
        "one-convolution",
        lesson,
        "A 3 x 3 window on a padded map, moving two places at a time.",
        widgets.one_layer().set(padding=1, stride=2),
    )


def minus_two_billion() -> Iterator[Figure]:
    """The charts of lesson 04."""
    lesson = "04-minus-two-billion"
    yield from shown(
        "int32-1024",
        lesson,
        "At 1024 pixels the count of parameters passes 2^31 and comes out negative.",
        widgets.overflow().set(size=1024),
    )
    yield from shown(
        "int32-1472",
        lesson,
        "At 1472 pixels it has gone around once: a number that looks right.",
        widgets.overflow().set(size=1472),
    )


def opposite() -> Iterator[Figure]:
    """The charts of lesson 05."""
    lesson = "05-two-networks-opposite-memories"
    yield from shown(
        "opposite-memories",
        lesson,
        "The same image of 1024 pixels: one network is parameters, the other feature maps.",
        widgets.opposite().set(size=1024),
    )
    yield Figure(
        "densenet201-2018",
        lesson,
        "7.5 MiB between Keras of 2018 and of today: one ReLU.",
        waterfall_of(
            reconcile(
                *(
                    summary(zoo.densenet201(variant), (1024, 1024, 3)).total("keras-outputs")
                    for variant in ("keras2018", "keras")
                )
            )
        ),
    )


def bargain() -> Iterator[Figure]:
    """The charts of lesson 06."""
    lesson = "06-mobilenets-bargain"
    yield from shown(
        "mobilenet-macs",
        lesson,
        "A depthwise and a pointwise convolution in place of a full one: a ninth of the work.",
        widgets.bargain(),
    )
    yield from shown(
        "mobilenet-kept",
        lesson,
        "MACs saved are not memory saved: training keeps more.",
        widgets.bargain().set(measure="kept for backward"),
    )


def training_memory() -> Iterator[Figure]:
    """The charts of lesson 07."""
    lesson = "07-what-training-adds"
    yield from shown(
        "training-budget",
        lesson,
        "What a training step of VGG-16 holds, layer by layer.",
        widgets.budget(),
    )
    yield from shown(
        "training-batch-against-size",
        lesson,
        "Which batch fits at which size, as an estimate.",
        widgets.budget().set(show="batch against size"),
    )


def audited() -> Iterator[Figure]:
    """The charts of lesson 08."""
    lesson = "08-audit-a-counter"
    yield from shown(
        "resnet18-tools",
        lesson,
        "Nine counts of one ResNet-18, and what each tool adds.",
        widgets.audit(),
    )


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
            csv.writer(file, lineterminator="\n").writerows(figure.chart.rows())
    (folder / "README.md").write_text(gallery(drawn), encoding="utf-8")


def gallery(drawn: tuple[Figure, ...]) -> str:
    """Return the gallery: each figure with its caption, alt text and data."""
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
        lines += ["", f"![{alt}]({figure.name}.svg)", "", f"{figure.caption} {files}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "figures")
