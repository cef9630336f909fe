"""Printed charts match the drawn ones mark for mark, and repeat byte for byte."""

import dataclasses
import re
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

from cnnmem.charts import Dial, HeatMap, Marker, Series, StackedBars, Timeline, Waterfall
from cnnmem.charts.mpl import outline, plot, save
from cnnmem.charts.svg import standalone

NS = "{http://www.w3.org/2000/svg}"
BARS = StackedBars(
    "Tiny",
    ("conv", "pool", "fc"),
    (Series("weights", (1_728_000, 0, 4_096_000)), Series("biases", (64_000, 0, 1_000_000))),
    "MB",
    10**6,
    base_unit="bytes",
    markers=(Marker("your $x$ guess", value=10**6), Marker("you", category="fc")),
)
LINE = Timeline(
    "Step",
    ("f", "b"),
    (Series("p", (4, 4)), Series("g", (0, 5))),
    "MB",
    markers=(Marker("card", 10), Marker("big card", 1000)),
    note="A note.",
)
FALL = Waterfall("Why", ("a", 10), (("up", 5), ("down", -12)), ("b", 3), "MB")
MAP = HeatMap(
    "Need",
    ("64", "128"),
    ("1", "2"),
    ((1, 2), (None, 4)),
    "GB",
    across_name="size",
    down_name="batch",
    limit=3,
    chosen=(1, 0),
)
DIAL = Dial("Round", 2**31 + 5, "values", at=2, course=((1, 10), (2, 2**31 + 5), (3, 2**33)))
ALL = [BARS, LINE, FALL, MAP, DIAL, dataclasses.replace(BARS, log=True, title="Log")]


def axes():
    return Figure().add_subplot()


def shapes(ax, kind):
    return [patch for patch in ax.patches if type(patch) is kind]


def drawn(chart, tag):
    """Return the elements of the SVG that can be seen on paper."""
    root = ET.fromstring(standalone(chart))
    unseen = {
        id(element)
        for parent in root.iter()
        if parent.tag in (f"{NS}defs", f"{NS}pattern") or parent.get("fill") == "transparent"
        for element in parent.iter()
    }
    return [e for e in root.iter(f"{NS}{tag}") if id(e) not in unseen]


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.title)
def test_every_text_is_at_its_place_in_the_svg(chart):
    def place(text):
        turned = re.match(r"translate\(([\d.]+),([\d.]+)\)", text.get("transform", ""))
        return map(float, turned.groups() if turned else (text.get("x"), text.get("y")))

    wanted = [(" ".join(text.itertext()), *place(text)) for text in drawn(chart, "text")]
    found = [(text.get_text(), *text.get_position()) for text in plot(chart, axes()).texts]
    assert [text for text, *_ in found] == [text for text, *_ in wanted]
    for (_, *at), (_, *there) in zip(found, wanted, strict=True):
        assert at == pytest.approx(there, abs=0.051)


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.title)
def test_every_box_is_at_its_place_in_the_svg(chart):
    wanted = [
        [float(box.get(side)) for side in ("x", "y", "width", "height")]
        for box in drawn(chart, "rect")
        if box.get("x")  # the paper has none
    ]
    found = [patch.get_bbox().bounds for patch in shapes(plot(chart, axes()), Rectangle)]
    assert len(found) == len(wanted)
    for box, there in zip(found, wanted, strict=True):
        assert box == pytest.approx(there, abs=0.051)


@pytest.mark.parametrize("chart", [*ALL[:4], ALL[5]], ids=lambda chart: chart.title)
def test_every_path_is_the_one_in_the_svg(chart):
    wanted = [outline(path.get("d")).vertices.tolist() for path in drawn(chart, "path")]
    found = [patch.get_path().vertices.tolist() for patch in shapes(plot(chart, axes()), PathPatch)]
    assert found == wanted


def test_lines_dots_and_arrowheads_are_drawn():
    ax = plot(DIAL, axes())
    rim = ax.lines[0].get_xydata()
    assert rim[:, 0].max() - rim[:, 0].min() == pytest.approx(rim[:, 1].max() - rim[:, 1].min())
    lines = [path for path in drawn(DIAL, "path") if path.get("stroke-linejoin") == "round"]
    dots = [path for path in drawn(DIAL, "path") if path.get("stroke-linecap") == "round"]
    assert len(ax.lines) == len(lines) > 20
    assert len(ax.collections) == len(dots) == 3
    assert len(shapes(ax, PathPatch)) == 3  # the shaded half, and two heads


def test_bar_heights_are_stacked_values():
    names = ("a", "b")
    chart = StackedBars("T", names, (Series("w", (100, 35)), Series("b", (50, 5))), "MB")
    filled = [p for p in shapes(plot(chart, axes()), PathPatch) if len(p.get_path()) == 10]
    spans = [
        [(piece[:, 1].max(), piece[:, 1].min()) for piece in p.get_path().vertices.reshape(2, 5, 2)]
        for p in filled
    ]
    pixels = (spans[0][0][0] - spans[0][0][1]) / 100
    assert pixels > 1
    for heights, one in zip(spans, chart.series, strict=True):
        for (low, top), value in zip(heights, one.values, strict=True):
            assert low - top == pytest.approx(value * pixels, abs=0.11)
    assert [low for low, _ in spans[1]] == [top for _, top in spans[0]]


def test_series_differ_in_hatch_and_colour():
    chart = StackedBars("T", ("a",), tuple(Series(str(i), (1,)) for i in range(7)), "MB")
    patches = [p for p in shapes(plot(chart, axes()), PathPatch) if len(p.get_path()) == 5]
    assert len(patches) == 7
    assert len({p.get_hatch() for p in patches}) == 7
    assert len({p.get_facecolor() for p in patches}) == 7


def test_a_dollar_sign_does_not_start_a_formula():
    (text,) = [t for t in plot(BARS, axes()).texts if "guess" in t.get_text()]
    assert text.get_text() == "your $x$ guess 1"
    assert not text.get_parse_math()


def test_texts_scale_with_the_drawing():
    small, large = (
        plot(BARS, Figure((width, width * 0.375)).add_axes((0, 0, 1, 1))).texts[0].get_fontsize()
        for width in (4.8, 9.6)
    )
    assert large == pytest.approx(16 * 0.72)
    assert small == pytest.approx(large / 2)


@pytest.mark.parametrize("suffix", ["svg", "png"])
@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.title)
def test_two_runs_give_equal_bytes(chart, suffix, tmp_path):
    first, second = tmp_path / f"1.{suffix}", tmp_path / f"2.{suffix}"
    save(chart, first)
    save(dataclasses.replace(chart), second)
    assert first.read_bytes() == second.read_bytes()
    assert b"dc:date" not in first.read_bytes()
    if suffix == "svg":
        assert chart.alt in first.read_text(encoding="utf-8")


def test_other_suffixes_are_rejected(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.svg or \.png"):
        save(BARS, tmp_path / "chart.gif")


@pytest.mark.parametrize(
    "chart",
    [
        StackedBars("E", (), (), "MB"),
        StackedBars("Z", ("a",), (Series("w", (0,)),), "MB", log=True),
        StackedBars("H", ("a", "$b"), (Series("_w$", (10**18, 1)),), "MB", log=True),
        Timeline("E", (), (), "MB"),
        Waterfall("Z", ("a", 0), (), ("b", 0), "MB"),
    ],
)
def test_extreme_data_is_saved(chart, tmp_path):
    save(chart, tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").stat().st_size > 1000
