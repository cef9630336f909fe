"""MobileNet's bargain: the explorers show what the tables and the rule give."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ipywidgets
import pytest

from cnnmem import published, summary
from cnnmem.model import zoo
from cnnmem.plots.bargain import MEASURES, by_block, rule
from cnnmem.units import memory
from cnnmem.widgets import bargain, blog_script
from cnnmem.widgets.bargain import SHOW

PAIRS, RATIO, SAVINGS = SHOW


def twins(**options: Any) -> tuple[Any, Any]:
    """MobileNetV1 and its twin, counted by the core."""
    tables = [summary(zoo.mobilenet_v1(separable=one, **options)) for one in (True, False)]
    return tables[0], tables[1]


def whole(table: Any, measure: str) -> int:
    """A measure according to the table's own totals."""
    totals: dict[str, int] = {
        "MACs": table.macs,
        "parameters": table.params,
        "feature maps": 4 * table.values,
        "kept for backward": table.saved_bytes,
    }
    return totals[measure]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_a_measure_sums_to_the_tables_own_total(measure: str, activation: str) -> None:
    for table in twins(activation=activation):
        assert sum(map(MEASURES[measure].of, table.rows)) == whole(table, measure)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("width", "size", "kernel"), [(100, 224, 3), (50, 160, 5), (25, 128, 1)])
def test_pairs_are_the_blocks_and_the_rest_is_the_same_in_both(
    measure: str, width: int, size: int, kernel: int
) -> None:
    explorer = bargain(measure, width=width, size=size, kernel=kernel)
    bars = {bar["name"]: bar for bar in explorer.bars}
    assert len(bars) == 26
    chosen, twin = twins(width=width / 100, resolution=size, kernel=kernel)
    ours = sum(bar["total"] for name, bar in bars.items() if name.endswith("separable"))
    full = sum(bar["total"] for name, bar in bars.items() if name.endswith("full"))
    assert whole(chosen, measure) - ours == whole(twin, measure) - full > 0
    assert bars["1 full"]["values"][:2] == (0, 0)
    assert bars["1 separable"]["values"][2] == 0
    assert min(bars["1 separable"]["values"][:2]) > 0


def test_a_block_is_split_into_depthwise_and_pointwise() -> None:
    chosen, twin = twins()
    seven = by_block(chosen, "MACs")["block7"]
    assert seven == {"depthwise": chosen["conv_dw_7"].macs, "pointwise": chosen["conv_pw_7"].macs}
    assert by_block(twin, "MACs")["block7"] == {"": twin["conv_7"].macs}
    kept = by_block(chosen, "kept for backward")["block7"]
    values, channels = 14 * 14 * 512, 512
    # Each half keeps the convolution's map, the normalised map, and two statistics per channel.
    assert kept == dict.fromkeys(("depthwise", "pointwise"), 2 * 4 * values + 8 * channels)


@pytest.mark.parametrize("kernel", [1, 3, 7])
@pytest.mark.parametrize("width", [10, 75, 100])
def test_the_ratio_of_macs_is_exactly_the_rule(kernel: int, width: int) -> None:
    chosen, twin = twins(kernel=kernel, width=width / 100)
    ours, full = by_block(chosen, "MACs"), by_block(twin, "MACs")
    for i, block in enumerate(full, 1):
        n = chosen[f"conv_pw_{i}"].output[-1]
        assert Fraction(sum(ours[block].values()), full[block][""]) == rule(n, kernel)
    explorer = bargain(show=RATIO, kernel=kernel, width=width)
    (chart,) = explorer.view.charts
    assert chart.line is not None
    for height, mark in zip(chart.totals, chart.line.values, strict=True):
        assert float(height) == pytest.approx(float(mark), abs=2e-4)
    assert [bar["total"] for bar in explorer.bars] == list(chart.totals)


def test_the_rule_does_not_hold_for_parameters_or_kept_memory() -> None:
    for measure, least in (("parameters", 0.0), ("kept for backward", 100.0)):
        (chart,) = bargain(measure, show=RATIO).view.charts
        assert chart.line is not None
        for height, mark in zip(chart.totals, chart.line.values, strict=True):
            assert height - mark > least


def test_savings_are_the_ratios_of_the_whole_networks() -> None:
    explorer = bargain(show=SAVINGS)
    chosen, twin = twins()
    for bar in explorer.bars:
        ratio = 100 * whole(chosen, bar["name"]) / whole(twin, bar["name"])
        assert float(bar["total"]) == pytest.approx(ratio, abs=3e-4)
    shown = {bar["name"]: round(float(bar["total"]), 1) for bar in explorer.bars}
    assert shown["MACs"] == 11.7
    assert shown["kept for backward"] == 160.7


def test_the_readout_has_the_papers_numbers_and_the_catch() -> None:
    first, second, third = bargain(show=SAVINGS).readout.splitlines()
    assert first.startswith("MobileNetV1, width x 1, resolution x 1: 568,740,352 MACs, 4,231,976")
    assert first.endswith("41.04 MB kept for backward")
    assert "4,867,293,184 MACs, 29,294,088 parameters" in second
    assert second.endswith("25.54 MB kept for backward")
    assert [table.saved_bytes for table in twins()] == [41_035_264, 25_541_376]
    assert third.startswith("MobileNet / twin: MACs 11.7 %, parameters 14.4 %")
    assert third.endswith("kept for backward 160.7 %")
    relu6 = bargain("kept for backward", relu6=True).readout
    assert f"{memory(twins(activation='relu6')[0].saved_bytes)} kept" in relu6
    assert "61.01 MB kept" in relu6


def test_the_catch_is_hidden_until_memory_is_looked_at() -> None:
    for measure in MEASURES:
        for show in SHOW:
            shown = "kept for backward" in bargain(measure, show=show).readout
            assert shown == (show == SAVINGS or measure in ("feature maps", "kept for backward"))


# Howard et al., tables 6 and 7: millions of mult-adds and of parameters
@pytest.mark.parametrize(
    ("width", "size", "macs", "parameters"),
    [
        (75, 224, 325, 2.6),
        (50, 224, 149, 1.3),
        (25, 224, 41, 0.5),
        (100, 192, 418, 4.2),
        (100, 160, 290, 4.2),
        (100, 128, 186, 4.2),
    ],
)
def test_the_multipliers_give_the_papers_tables(
    width: int, size: int, macs: int, parameters: float
) -> None:
    first = bargain(width=width, size=size).readout.splitlines()[0]
    counted = [int(n.replace(",", "")) for n in first.split(": ")[1].split(" ")[0:3:2]]
    assert counted[0] / 1e6 == pytest.approx(macs, abs=1.01)
    assert round(counted[1] / 1e6, 1) == parameters


def test_invalid_settings_are_explained_and_the_chart_stays() -> None:
    explorer = bargain()
    before = explorer.readout
    for setting in ({"kernel": 4}, {"kernel": 0}, {"width": 3}, {"width": -10}, {"size": 0}):
        (name,) = setting
        good = explorer.settings[name]
        explorer.set(**setting)
        assert explorer.message
        assert "defect" not in explorer.message
        assert explorer.readout == before
        explorer.set(**{name: good})
        assert explorer.message == ""
    assert "odd" in explorer.set(kernel=4).message


@pytest.mark.parametrize("make", [bargain, blog_script])
def test_every_setting_gives_a_chart_or_a_reason(make: Any) -> None:
    explorer = make()
    for name, bound in explorer._bound.items():
        before = explorer.settings[name]
        values: list[Any] = [1, 2, 11, 100, 1001]
        if isinstance(bound.source, ipywidgets.Dropdown):
            values = [value for _, value in bound.source.options]
        elif isinstance(bound.source, ipywidgets.Checkbox):
            values = [True, False]
        for value in values:
            explorer.set(**{name: value})
            assert explorer.message or explorer.bars
            assert "defect" not in explorer.message
        explorer.set(**{name: before})
        assert explorer.message == ""


def test_the_script_and_real_padding_at_160_pixels() -> None:
    explorer = blog_script(160)
    lines = explorer.readout.splitlines()
    assert "126,373,376 MACs, real padding 289,651,200" in lines[0]
    assert lines[1].endswith("6, 4, 2, 0, -2, -4, -3, -5.")
    assert lines[2].endswith("10, 10, 10, 10, 10, 10, 5, 5.")
    assert "1,045,417,824 MACs, real padding 2,482,790,400" in explorer.set(separable=False).readout


@pytest.mark.parametrize("size", [32, 160, 224, 320])
@pytest.mark.parametrize("separable", [True, False])
def test_bars_and_marks_sum_to_both_counts(size: int, separable: bool) -> None:
    explorer = blog_script(size, separable=separable)
    (chart,) = explorer.view.charts
    table = summary(zoo.mobilenet_v1(separable=separable), (size, size, 3))
    assert chart.total == table.total("convolution-macs").value
    assert chart.line is not None
    assert sum(chart.line.values) == published.script_macs(size, separable)[0]
    assert [bar["total"] for bar in explorer.bars] == [
        row.macs for row in table.rows if row.kind in ("conv", "depthwise_conv")
    ]


def test_negative_map_sides_make_the_script_count_more_for_a_smaller_image() -> None:
    small, large = (published.script_macs(size, True) for size in (32, 160))
    assert min(small[1]) < 0
    assert small[0] > large[0]
    layers = published.script_layers(32, True)
    assert sum(macs for _, _, macs in layers) == small[0]
    assert all(macs > 0 for _, side, macs in layers if side < 0)
