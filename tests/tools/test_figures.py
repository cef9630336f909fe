"""The stored figures are what the code draws now."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import figures

FOLDER = ROOT / "figures"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    figures.write(folder)
    return folder


def test_every_figure_is_stored_and_nothing_else(fresh: Path) -> None:
    assert {path.name for path in fresh.iterdir()} | {"screenshot.png"} == {
        path.name for path in FOLDER.iterdir()
    }


def test_drawings_data_captions_and_alt_texts_are_up_to_date(fresh: Path) -> None:
    stale = [
        path.name
        for path in fresh.iterdir()
        if path.suffix in (".svg", ".csv", ".md")
        and path.read_bytes() != (FOLDER / path.name).read_bytes()
    ]
    assert not stale, f"run `make figures`: {stale}"


@pytest.mark.parametrize("name", [figure.name for figure in figures.figures()])
def test_a_stored_picture_matches_the_one_drawn_now(fresh: Path, name: str) -> None:
    from matplotlib.testing.compare import compare_images

    copy = fresh / f"{name}-stored.png"
    copy.write_bytes((FOLDER / f"{name}.png").read_bytes())
    try:
        difference = compare_images(str(copy), str(fresh / f"{name}.png"), tol=5)
    finally:
        copy.unlink()
        (fresh / f"{name}-failed-diff.png").unlink(missing_ok=True)
    assert difference is None, f"run `make figures`: {difference}"


def test_a_changed_chart_is_noticed(tmp_path: Path) -> None:
    """The comparison of pictures itself must see that a bar has changed."""
    from matplotlib.testing.compare import compare_images

    from cnnmem import summary
    from cnnmem.charts import mpl
    from cnnmem.plots import bars_of

    for size in (224, 288):
        chart = bars_of(summary("vgg16", (size, size, 3)), "parameters", title="x")
        mpl.save(chart, tmp_path / f"{size}.png")
    assert compare_images(str(tmp_path / "224.png"), str(tmp_path / "288.png"), tol=5)


def test_the_data_of_a_figure_sums_to_its_alt_text() -> None:
    with (FOLDER / "vgg16-parameters.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[0] == "layer"
    total = sum(int(row[header.index("total (parameters)")]) for row in rows)
    assert f"{total:,}" in re.search(r"!\[(.*?)\]\(vgg16-parameters", gallery()).group(1)  # type: ignore[union-attr]


def gallery() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")


NETWORKS = ("VGG-16", "DenseNet-201", "MobileNet", "ResNet-18", "convolution")


@pytest.mark.parametrize("figure", figures.figures(), ids=lambda figure: figure.name)
def test_a_figure_can_stand_alone(figure: figures.Figure, fresh: Path) -> None:
    from PIL import Image

    title = figure.chart.title
    assert any(name in title for name in NETWORKS)
    assert re.search(r"\d", title), "the message has a number"
    drawing = (fresh / f"{figure.name}.svg").read_text(encoding="utf-8")
    texts = re.findall(r"<text[^>]*>([^<]*)", drawing)
    assert any(title in text.replace("&#x27;", "'") for text in texts), "no text is drawn as paths"
    assert not [text for text in texts if "…" in text]
    with Image.open(fresh / f"{figure.name}.png") as picture:
        assert picture.info["dpi"][0] == pytest.approx(300, abs=1)


@pytest.mark.parametrize("figure", figures.figures(), ids=lambda figure: figure.name)
def test_the_data_of_a_figure_is_in_the_unit_of_its_axis(
    figure: figures.Figure, fresh: Path
) -> None:
    with (fresh / f"{figure.name}.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    chart = figure.chart
    if unit := getattr(chart, "unit", ""):
        assert unit in ", ".join(header)
    (_, *exact) = chart.rows()
    scale = 1 if isinstance(chart, figures.Dial) else float(chart.scale)
    for row, true in zip(rows, exact, strict=True):
        for cell, value in zip(row[1:], true[1:], strict=True):
            if cell:
                assert float(cell) == pytest.approx(float(value) / scale)


def test_the_ends_of_a_waterfall_and_its_steps_can_be_told_apart() -> None:
    from cnnmem.charts.marks import Box, Cluster, Frame

    found = {figure.name: figure.chart for figure in figures.figures()}
    for name in ("densenet201-2018", "vgg16-60-to-73", "vgg16-60-to-93", "vgg16-60-to-219"):
        marks = found[name].marks(Frame()).marks
        (bars,) = [mark for mark in marks if isinstance(mark, Cluster)]
        boxes = [mark for mark in bars.marks if isinstance(mark, Box)]
        assert len({boxes[0].fill, boxes[-1].fill, boxes[1].fill}) == 3
        assert min(box.width for box in boxes) >= 3
