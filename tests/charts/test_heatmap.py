"""A heat map shows its data: cells, limit, frame, text."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction

import pytest

from cnnmem.charts import HeatMap
from cnnmem.charts.heatmap import ABOVE
from cnnmem.charts.svg import bars, data_uri_img, draw, standalone

NS = "{http://www.w3.org/2000/svg}"
MAP = HeatMap(
    "Need",
    ("64", "128", "<b>"),
    ("1", "2"),
    ((10**9, 2 * 10**9, None), (2 * 10**9, 4 * 10**9, 8_000_000_001)),
    "GB",
    10**9,
    base_unit="bytes",
    across_name="size (px)",
    down_name="batch",
    limit=3 * 10**9,
    limit_name="a card",
    chosen=(1, 0),
    note="An estimate.",
)


def cells(svg, kind="bar"):
    return [r for r in ET.fromstring(svg).iter(f"{NS}rect") if r.get("class") == kind]


def test_cells_read_out_of_the_svg_are_the_data():
    assert [(bar["name"], bar["total"]) for bar in bars(draw(MAP))] == [
        ("1, 64", 10**9),
        ("1, 128", 2 * 10**9),
        ("2, 64", 2 * 10**9),
        ("2, 128", 4 * 10**9),
        ("2, <b>", 8_000_000_001),
    ]


def test_cells_above_the_limit_have_their_own_colour_and_the_exact_number():
    fills = [r.get("fill") for r in cells(draw(MAP))]
    assert [fill == ABOVE for fill in fills] == [False, False, False, True, True]
    assert fills[0] != fills[1] == fills[2]  # the nearer to the limit, the darker
    tips = [r.find(f"{NS}title").text for r in cells(draw(MAP))]
    assert tips[0] == "batch 1, size (px) 64: 1.00 GB = 1,000,000,000 bytes, within the limit"
    assert tips[4] == "batch 2, size (px) <b>: 8.00 GB = 8,000,000,001 bytes, above the limit"


def test_a_heavy_line_separates_what_fits_from_what_does_not():
    path = next(p for p in ET.fromstring(draw(MAP)).iter(f"{NS}path") if p.get("class") == "limit")
    assert path.get("d").count("v") == 1  # left of (2, 128)
    assert path.get("d").count("h") == 2  # above (2, 128) and (2, <b>)
    bare = draw(replace(MAP, limit=None))
    path = next(p for p in ET.fromstring(bare).iter(f"{NS}path") if p.get("class") == "limit")
    assert path.get("d") == ""


def test_cells_fill_the_plot_without_gaps_and_keep_their_order():
    rects = cells(draw(MAP)) + cells(draw(MAP), "blank")
    corners = {(float(r.get("x")), float(r.get("y"))) for r in rects}
    assert len(corners) == 6
    assert len({x for x, _ in corners}) == 3
    assert len({y for _, y in corners}) == 2


def test_the_frame_is_on_the_chosen_cell():
    frame = cells(draw(MAP), "chosen")[0]
    cell = cells(draw(MAP))[2]
    assert float(frame.get("x")) == pytest.approx(float(cell.get("x")) + 3, abs=0.11)
    assert float(frame.get("y")) == pytest.approx(float(cell.get("y")) + 3, abs=0.11)


def test_text_twin_and_alt_text():
    assert MAP.text().splitlines() == [
        "Need (GB)",
        "batch    64    128    <b>",
        "1      1.00   2.00      –",
        "2      2.00  4.00*  8.00*",
        "* above 3 GB (a card)",
        "An estimate.",
    ]
    assert MAP.alt == (
        "Need. Heat map of 2 x 3 cells, batch against size (px): from 1.00 to 8.00 GB; "
        "3 of 5 are within 3 GB (a card). Framed: 2, 64: 2.00 GB. An estimate."
    )
    assert "no cell holds a number" in replace(MAP, cells=((None,) * 3,) * 2).alt
    assert MAP.rows()[1] == ("1", 10**9, 2 * 10**9, "")


def test_numbers_in_the_cells_have_enough_contrast():
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        lin = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]

    for share in range(0, 201):
        fill, ink = MAP.ground(share * 3 * 10**7)
        ink = "#" + "".join(2 * c for c in ink[1:]) if len(ink) == 4 else ink
        dark, pale = sorted((light(fill), light(ink)))
        assert (pale + 0.05) / (dark + 0.05) >= 4.5, share


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cells": ((1, 2, 3),)}, "1 rows for 2 names down"),
        ({"cells": ((1, 2), (3, 4))}, "row '1' has 2 cells for 3 names"),
        ({"cells": ((1, 2, 3), (4, 5, "6"))}, "row '2' of cells"),
        ({"chosen": (2, 0)}, "there is no cell"),
        ({"unit": ""}, "unit"),
        ({"limit": True}, "limit"),
    ],
)
def test_an_invalid_argument_is_named(change, words):
    with pytest.raises(ValueError, match=words):
        replace(MAP, **change)


def test_a_standalone_picture_uses_no_variables_of_a_page():
    assert "var(" not in standalone(MAP)
    assert data_uri_img(MAP).startswith('<img alt="Need. Heat map')
    assert MAP._repr_mimebundle_()["text/plain"] == MAP.text()


def test_matplotlib_draws_the_same_cells():
    pytest.importorskip("matplotlib")
    from matplotlib.colors import to_rgba
    from matplotlib.figure import Figure

    from cnnmem.charts.mpl import plot

    ax = plot(MAP, Figure().add_subplot())
    numbers = ["1.00", "2.00", "–", "2.00", "4.00", "8.00"]
    assert [t.get_text() for t in ax.texts if t.get_text() in numbers] == numbers
    above = [p.get_bbox().bounds for p in ax.patches if p.get_facecolor() == to_rgba(ABOVE)]
    drawn = cells(draw(MAP))[3:]
    assert above[1:] == [  # the first is in the legend
        pytest.approx([float(r.get(side)) for side in ("x", "y", "width", "height")], abs=0.1)
        for r in drawn
    ]


def test_fractions_and_small_numbers_are_shown_with_three_digits():
    small = replace(MAP, cells=((Fraction(10**9, 3), 10**6, 0), (1, 10**12, 5)), chosen=None)
    assert [small.shown(v) for v in small.cells[0]] == ["0.333", "0.00100", "0"]
    assert small.shown(10**12) == "1,000"
