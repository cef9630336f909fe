"""The printed charts show the same heights as the data, and repeat byte for byte."""

import dataclasses

import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch

from cnnmem.charts import Marker, Series, StackedBars, Timeline, Waterfall
from cnnmem.charts.mpl import plot, save

BARS = StackedBars(
    "Tiny", ("conv", "pool", "fc"),
    (Series("weights", (1_728_000, 0, 4_096_000)), Series("biases", (64_000, 0, 1_000_000))),
    "MB", 10**6, base_unit="bytes",
    markers=(Marker("your $x$ guess", value=10**6), Marker("you", category="fc")),
)  # fmt: skip
LINE = Timeline(
    "Step", ("f", "b"), (Series("p", (4, 4)), Series("g", (0, 5))), "MB",
    markers=(Marker("card", 10), Marker("big card", 1000)), note="A note.",
)  # fmt: skip
FALL = Waterfall("Why", ("a", 10), (("up", 5), ("down", -12)), ("b", 3), "MB")


def axes():
    return Figure().add_subplot()


def test_patch_heights_are_values_over_scale_stacked():
    patches = [p for p in plot(BARS, axes()).patches if isinstance(p, Rectangle)]
    assert [p.get_height() for p in patches] == pytest.approx(
        [1.728, 0, 4.096, 0.064, 0, 1.0], abs=1e-12
    )
    assert [p.get_y() for p in patches] == [0, 0, 0, 1.728, 0, 4.096]


def test_areas_of_a_timeline_are_stacked_steps():
    areas = [p.get_data() for p in plot(LINE, axes()).patches if isinstance(p, StepPatch)]
    assert [list(area.values) for area in areas] == [[4, 4], [4, 9]]
    assert [list(area.baseline) for area in areas] == [[0, 0], [4, 4]]


def test_waterfall_bars_span_from_level_to_level():
    bars = plot(FALL, axes()).patches
    spans = [(p.get_x(), p.get_x() + p.get_width()) for p in bars]
    assert spans == [(0, 10), (10, 15), (15, 3), (0, 3)]


def test_series_differ_by_hatch_and_colour():
    chart = StackedBars("T", ("a",), tuple(Series(str(i), (1,)) for i in range(7)), "MB")
    patches = plot(chart, axes()).patches
    assert len({p.get_hatch() for p in patches}) == 7
    assert len({p.get_facecolor() for p in patches}) == 7


def test_the_axis_is_named_and_a_log_axis_says_so():
    assert plot(BARS, axes()).get_ylabel() == "MB"
    log = plot(dataclasses.replace(BARS, log=True), axes())
    assert log.get_yscale() == "log"
    assert log.get_ylabel() == "MB, logarithmic"


@pytest.mark.parametrize("suffix", ["svg", "png"])
@pytest.mark.parametrize("chart", [BARS, LINE, FALL], ids=lambda chart: chart.title)
def test_two_runs_give_equal_bytes(chart, suffix, tmp_path):
    first, second = tmp_path / f"1.{suffix}", tmp_path / f"2.{suffix}"
    save(chart, first)
    save(dataclasses.replace(chart), second)
    assert first.read_bytes() == second.read_bytes()
    assert b"dc:date" not in first.read_bytes()
    if suffix == "svg":
        assert chart.alt in first.read_text(encoding="utf-8")


def test_another_suffix_is_refused(tmp_path):
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
