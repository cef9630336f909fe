"""Bars that are only compared: no total, a mark across each bar, an axis that can be shared."""

import re
from fractions import Fraction

import pytest
from matplotlib.figure import Figure

from cnnmem.charts import Marker, Series, StackedBars, mpl, svg
from cnnmem.charts.column_marks import value_axis

RULE = (Fraction(1, 3), Fraction(1, 2), Fraction(9, 10))
GIVEN = {
    "title": "Shares",
    "categories": ("a", "b", "c"),
    "series": (Series("real", (Fraction(1, 4), Fraction(1, 2), Fraction(5, 8))),),
    "unit": "of the whole",
}
COMPARED = StackedBars(**GIVEN, adds_up=False, line=Series("rule", RULE))
SUMMED = StackedBars(**GIVEN)


def marks(drawing):
    """Return the places of the marks across the bars, as (x, y)."""
    path = re.findall(r'<path class="line" d="([^"]+)"', drawing)[-1]
    return [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+),([\d.]+)h", path)]


def test_compared_bars_have_no_total_and_no_shares():
    for text in (svg.draw(COMPARED), COMPARED.text(), COMPARED.alt):
        assert "total " not in text.replace('data-total="', "").replace("total  ", "")
        assert "%" not in text.replace('width="100%"', "")
    for text in (svg.draw(SUMMED), SUMMED.text(), SUMMED.alt):
        assert "%" in text.replace('width="100%"', "")
    assert 'class="share"' in svg.draw(SUMMED)
    assert 'class="share"' not in svg.draw(COMPARED)


def test_the_highest_compared_bar_is_labelled_with_its_height():
    assert COMPARED.alt == (
        "Shares. Stacked bars, 3 layers: highest c 0.625 of the whole, b 0.5 of the whole, "
        "a 0.25 of the whole. Marked across the bars: rule."
    )
    assert ">c 0.625 of the whole</text>" in svg.draw(COMPARED)


def test_a_mark_is_where_a_bar_of_that_height_would_end():
    found = [y for _, y in marks(svg.draw(COMPARED))]
    alike = StackedBars(
        **GIVEN | {"series": (Series("as high", RULE),)}, adds_up=False, line=Series("rule", RULE)
    )
    tops = re.findall(r"V([\d.]+)h[\d.]+V", svg.draw(alike))
    assert found == list(map(float, tops))
    assert found[0] > found[1] > found[2]


def test_marks_are_in_rows_text_and_tooltip():
    assert COMPARED.rows()[0] == ("layer", "real", "total", "rule")
    assert COMPARED.rows()[3] == ("c", Fraction(5, 8), Fraction(5, 8), Fraction(9, 10))
    assert "0.90" in COMPARED.text().splitlines()[-1]
    assert "rule 0.9 of the whole" in svg.draw(COMPARED)


def test_the_axis_includes_bars_marks_and_reach():
    assert value_axis(SUMMED).high < 0.9 <= value_axis(COMPARED).high < 1.2
    far = StackedBars(**GIVEN, reach=40)
    assert value_axis(far).high == value_axis(StackedBars(**GIVEN, reach=39)).high >= 40
    assert value_axis(StackedBars(**GIVEN, log=True, reach=5000)).high == 10_000


def test_a_predicted_value_is_a_line_across_compared_bars():
    marker = Marker("your prediction", value=Fraction(2, 5))
    drawing = svg.draw(StackedBars(**GIVEN, adds_up=False, markers=(marker,)))
    assert "your prediction 0.4 of the whole" in drawing
    assert 'stroke-dasharray="7,4"' in drawing
    assert 'stroke-dasharray="7,4"' not in svg.draw(StackedBars(**GIVEN, markers=(marker,)))


def test_matplotlib_draws_the_same_marks():
    axes = mpl.plot(COMPARED, Figure().add_subplot())
    starts = [p.get_path().vertices[::2].tolist() for p in axes.patches]
    assert [list(place) for place in marks(svg.draw(COMPARED))] in starts
    texts = [text.get_text() for text in axes.texts]
    assert "rule" in texts
    assert not [text for text in texts if "total" in text]


def test_marks_need_a_value_for_every_bar():
    with pytest.raises(ValueError, match="'rule' has 2 values for 3 categories"):
        StackedBars(**GIVEN, line=Series("rule", (1, 2)))
    with pytest.raises(ValueError, match="reach: True is a bool"):
        StackedBars(**GIVEN, reach=True)
