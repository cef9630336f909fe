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

from cnnmem import folklore, reconcile, summary, training, zoo
from cnnmem.charts import Chart, mpl
from cnnmem.widgets import bars_of

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
        reconcile(folklore.get("cs231n-60"), folklore.get("torchsummary-vgg16")).waterfall(),
    )
    yield Figure(
        "vgg16-60-to-93",
        lesson,
        "What no convention gives stays unexplained.",
        reconcile(table.total("tensors"), folklore.get("cs231n-93")).waterfall(),
    )
    yield Figure(
        "vgg16-60-to-73",
        lesson,
        "From the sum over all layers to what training keeps.",
        reconcile(table.total("tensors"), table.total("autograd")).waterfall(),
    )
    yield Figure(
        "vgg16-inference",
        lesson,
        "Inference needs 25.7 MB of feature maps at once, not 60.",
        training.inference(table).chart(parameters=False),
    )
    step = training.training_step(summary(zoo.vgg16("torchvision"), batch=8))
    yield Figure(
        "vgg16-training-step",
        lesson,
        "In backward the feature maps do not double; the parameters' gradients arrive.",
        step.chart(),
    )


SOURCES: tuple[Callable[[], Iterator[Figure]], ...] = (vgg,)


def figures() -> tuple[Figure, ...]:
    """Return all figures in the order of the gallery."""
    return tuple(figure for source in SOURCES for figure in source())


def write(folder: Path) -> None:
    """Write every figure and the gallery; files of figures that are no more are removed."""
    folder.mkdir(exist_ok=True)
    drawn = figures()
    names = {f"{figure.name}.{end}" for figure in drawn for end in ("svg", "png", "csv")}
    for stale in folder.iterdir():
        if stale.suffix in (".svg", ".png", ".csv") and stale.name not in names | {
            "screenshot.png"
        }:
            stale.unlink()
    for figure in drawn:
        for end in ("svg", "png"):
            mpl.save(figure.chart, folder / f"{figure.name}.{end}")
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
