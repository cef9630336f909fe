"""Charts as data: what they accept, what they compute, what they say."""

from fractions import Fraction

import pytest

from cnnmem.charts import Group, Marker, Series, StackedBars, Timeline, Waterfall
from cnnmem.charts.axis import linear, logarithmic
from cnnmem.charts.format import equal_decimals, share_text

BARS = StackedBars(
    "VGG-16's classifier",
    ("fc1", "fc2", "pool"),
    (Series("weights", (102_760_448, 16_777_216, 0)), Series("biases", (4096, 4096, 0))),
    "parameters",
    markers=(Marker("your prediction", value=24_000_000), Marker("you", category="fc2")),
)


def bars(**changes):
    given = {"categories": ("a", "b"), "series": (Series("w", (1, 2)),), "unit": "MB"}
    return StackedBars("T", **(given | changes))


def test_totals_are_exact_ints_and_fractions():
    thirds = bars(series=(Series("w", (Fraction(1, 3), 10**18)), Series("b", (Fraction(1, 3), 1))))
    assert thirds.totals == (Fraction(2, 3), 10**18 + 1)
    assert thirds.total == Fraction(2, 3) + 10**18 + 1
    assert BARS.total == 119_545_856


def test_rows_are_a_header_and_exact_values():
    assert BARS.rows() == (
        ("layer", "weights", "biases", "total"),
        ("fc1", 102_760_448, 4096, 102_764_544),
        ("fc2", 16_777_216, 4096, 16_781_312),
        ("pool", 0, 0, 0),
    )


def test_alt_text_has_the_highest_bar_its_share_the_total_and_predictions():
    assert BARS.alt == (
        "VGG-16's classifier. Stacked bars, 3 layers: fc1 holds 86.0 % of 119,545,856 parameters, "
        "fc2 14.0 %. By part: weights over 99.9 %, biases under 0.1 %. "
        "your prediction: 24,000,000 parameters. you: fc2."
    )


def test_alt_text_of_an_empty_chart_says_so():
    assert "all values are zero" in bars(series=(Series("w", (0, 0)),)).alt
    assert "0 layers" in StackedBars("E", (), (), "MB").alt


def test_text_twin_of_bars_is_this_table():
    assert BARS.text().splitlines() == [
        "VGG-16's classifier (parameters)",
        "layer      weights  biases        total    share",
        "fc1    102,760,448   4,096  102,764,544   86.0 %  ████████████████████",
        "fc2     16,777,216   4,096   16,781,312   14.0 %  ███▎",
        "pool             0       0            0    0.0 %",
        "total  119,537,664   8,192  119,545,856  100.0 %",
        "your prediction: 24,000,000 parameters. you: fc2",
    ]


def test_text_twin_can_keep_the_highest_bars_and_sum_the_others():
    lines = BARS.text(most=1).splitlines()
    assert lines[2].startswith("fc1")
    assert lines[3].split()[:5] == ["2", "others", "16,777,216", "4,096", "16,781,312"]
    assert lines[4].split()[-3:] == ["119,545,856", "100.0", "%"]


def test_a_scaled_text_twin_keeps_the_exact_total():
    text = bars(series=(Series("w", (500, 1_000_000)),), scale=10**6, base_unit="bytes").text()
    assert "1.0005" in text
    assert text.endswith("total = 1,000,500 bytes")


def test_timeline_marks_the_first_of_the_highest_moments():
    line = Timeline("T", ("a", "b", "c"), (Series("w", (1, 5, 5)), Series("g", (0, 1, 1))), "MB")
    assert line.peak == 1
    assert "the peak is 6 MB at b, made of w 83.3 %, g 16.7 %" in line.alt
    assert line.text().endswith("peak: b, 6 MB")
    assert line.rows()[0] == ("moment", "w", "g", "total")


def test_waterfall_has_every_level_and_step():
    fall = Waterfall("W", ("a", 10), (("up", 5), ("down", -12)), ("b", 3), "MB")
    assert fall.levels == ((0, 10), (10, 15), (15, 3), (0, 3))
    assert fall.alt == "W. Waterfall from a, 10 MB, to b, 3 MB, in 2 steps: up +5 MB, down −12 MB."
    assert fall.rows() == (
        ("step", "change", "total"),
        ("a", "", 10),
        ("up", 5, 15),
        ("down", -12, 3),
        ("b", "", 3),
    )
    assert fall.text().splitlines()[4] == "down     −12      3      ████████████████"


def test_waterfall_rejects_steps_that_do_not_sum_to_the_end():
    with pytest.raises(ValueError, match=r"end: 4 is not .* \('unexplained', 1\)"):
        Waterfall("W", ("a", 1), (("s", 2),), ("b", 4), "MB")
    with pytest.raises(ValueError, match="pass Fractions where floats round"):
        Waterfall("W", ("a", 0.1), (("s", 0.2),), ("b", 0.3), "MB")
    third = Fraction(1, 3)
    Waterfall("W", ("a", 0), (("s", third), ("s", third), ("s", third)), ("b", 1), "MB")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"series": (Series("w", (1,)),)}, "'w' has 1 values for 2 categories"),
        ({"series": (Series("w", (1, -2)),)}, "'w' holds -2"),
        ({"series": tuple(Series(str(i), (1, 2)) for i in range(8))}, "merge down to 7"),
        ({"series": [Series("w", (1, 2))]}, "series: .* pass a tuple"),
        ({"categories": ["a", "b"]}, "categories: .* pass a tuple"),
        ({"categories": ("a", 2)}, "categories: 2 is not a str"),
        ({"unit": ""}, "unit: ''"),
        ({"scale": 0, "base_unit": "bytes"}, "scale: 0 must be positive"),
        ({"scale": 1e6, "base_unit": "bytes"}, "scale: 1000000.0 must be an int"),
        ({"scale": 10**6}, "base_unit: ''; with scale=1000000"),
        ({"markers": (Marker("m", category="c"),)}, "marker 'm': there is no 'c'"),
        ({"highlight": frozenset({"c"})}, "highlight: .*'c'"),
        ({"highlight": {"a"}}, "highlight: .* frozenset"),
        ({"groups": (Group("g", 0, 3),)}, "groups: .*stop=3"),
        ({"groups": (Group("g", 0, 2), Group("h", 1, 2))}, "groups: .*'h'"),
    ],
)
def test_an_invalid_argument_is_named_with_its_value(changes, message):
    with pytest.raises(ValueError, match=message):
        bars(**changes)


@pytest.mark.parametrize("value", [True, "3", None, float("nan"), float("inf"), 10**100, 1j])
def test_a_value_that_cannot_be_drawn_is_rejected(value):
    with pytest.raises(ValueError, match="values of 'w'"):
        Series("w", (1, value))


def test_a_marker_needs_a_value_or_a_category():
    with pytest.raises(ValueError, match="give a value, a category or both"):
        Marker("m")


@pytest.mark.parametrize("high", [1e-9, 0.7, 1, 3, 102.8, 99_999, 138_357_544, 1e18, 1e100])
def test_a_linear_axis_encloses_its_data_with_a_few_even_ticks(high):
    axis = linear(0, high)
    assert axis.low == 0
    assert high <= axis.high * (1 + 1e-9) < 2.5 * high
    assert 3 <= len(axis.ticks) <= 7
    assert axis.at([0, high])[1] > 0.4


def test_a_logarithmic_axis_rises_and_puts_zero_at_the_bottom():
    values = [0, 1, 64, 1000, 1001, 10**9]
    places = logarithmic(values).at(values)
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    assert places[0] == 0
    assert places[-1] == 1


def test_a_share_is_never_rounded_to_all_or_nothing():
    assert share_text(1, 10**9) == "under 0.1 %"
    assert share_text(10**9 - 1, 10**9) == "over 99.9 %"
    assert share_text(10**9, 10**9) == "100.0 %"


def test_equal_decimals_keep_the_smallest_value():
    assert equal_decimals([93.2, -0.0004]) == ["93.2000", "−0.0004"]
