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
    total = sum(int(row[header.index("total")]) for row in rows)
    assert f"{total:,}" in re.search(r"!\[(.*?)\]\(vgg16-parameters", gallery()).group(1)  # type: ignore[union-attr]


def gallery() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")
