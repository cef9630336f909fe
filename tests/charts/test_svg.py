"""The drawn SVG shows the data, for every name and number."""

import base64
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnmem.charts import Group, Marker, Series, StackedBars, Timeline, Waterfall
from cnnmem.charts.fitting import fit, text_width
from cnnmem.charts.flags import Flag, place
from cnnmem.charts.format import clean
from cnnmem.charts.svg import bars, data_uri_img, draw, standalone
from cnnmem.charts.theme import FILLS
from cnnmem.errors import CnnmemError

NS = "{http://www.w3.org/2000/svg}"
NASTY = "<img src=x onerror=alert(1)> \"'&\t\n\x00\x1f\ud800\uffff"
BARS = StackedBars(
    "Tiny",
    ("conv", "pool", "fc"),
    (Series("weights", (1728, 0, 4096)), Series("biases", (64, 0, 1000))),
    "parameters",
)
FALL = Waterfall("Why", ("a", 10), (("up", 5), ("down", -12)), ("b", 3), "MB")
LINE = Timeline("Step", ("f", "loss", "b"), (Series("p", (4, 4, 4)), Series("g", (0, 2, 5))), "MB")


def segments(svg):
    """Return the bottom and top of each drawn bar, one list per series."""
    paths = ET.fromstring(svg).find(f".//{NS}g[@class='series']")
    shape = re.compile(r"M[\d.]+,([\d.]+)V([\d.]+)h")
    return [[(float(a), float(b)) for a, b in shape.findall(p.get("d"))] for p in paths]


def series_fills(svg):
    return [p.get("fill") for p in ET.fromstring(svg).find(f".//{NS}g[@class='series']")]


def test_bars_read_out_of_the_svg_are_the_data():
    assert bars(draw(BARS)) == [
        {"name": "conv", "values": (1728, 64), "total": 1792},
        {"name": "pool", "values": (0, 0), "total": 0},
        {"name": "fc", "values": (4096, 1000), "total": 5096},
    ]
    assert [bar["values"] for bar in bars(draw(FALL))] == [(10,), (5,), (-12,), (3,)]
    assert [bar["total"] for bar in bars(draw(FALL))] == [10, 15, 3, 3]
    assert [bar["total"] for bar in bars(draw(LINE))] == [4, 6, 9]


def test_segment_heights_are_proportional_to_values():
    values = (100, 35, 1), (50, 5, 80)
    svg = draw(StackedBars("T", tuple("abc"), tuple(Series(str(v), v) for v in values), "MB"))
    drawn = segments(svg)
    pixels = (drawn[0][0][0] - drawn[0][0][1]) / 100
    assert pixels > 1
    for one, heights in zip(values, drawn, strict=True):
        for value, (low, top) in zip(one, heights, strict=True):
            assert low - top == pytest.approx(value * pixels, abs=0.11)
    assert [low for low, _ in drawn[1]] == [top for _, top in drawn[0]], "parts are not stacked"


def test_a_logarithmic_axis_is_labelled_keeps_the_order_and_omits_zero():
    values = (0, 1, 10, 1000, 10**6)
    svg = draw(StackedBars("T", tuple("abcde"), (Series("w", values),), "parameters", log=True))
    tops = [top for _, top in segments(svg)[0]]
    assert len(tops) == 4
    assert tops == sorted(tops, reverse=True)
    decades = (tops[0] - tops[3]) / 6
    assert tops[1] - tops[2] == pytest.approx(2 * decades, abs=0.2)
    assert "parameters, logarithmic" in svg
    assert "logarithmic" not in draw(BARS)


def test_timeline_areas_follow_the_stacked_totals():
    area = ET.fromstring(draw(LINE)).find(f".//{NS}g[@class='series']")[1].get("d")
    numbers = [float(v) for v in re.findall(r"V([\d.]+)", area)]
    tops, base = numbers[:3], numbers[3:]
    per_mb = (tops[0] - tops[2]) / 5
    assert per_mb > 1
    assert tops[0] - tops[1] == pytest.approx(2 * per_mb, abs=0.11)
    assert base == [tops[0]] * 3, "gradients start on top of the parameters, which are constant"


def test_waterfall_bars_span_from_level_to_level():
    rects = [r for r in ET.fromstring(draw(FALL)).iter(f"{NS}rect") if r.get("class") == "bar"]
    spans = [(float(r.get("x")), float(r.get("x")) + float(r.get("width"))) for r in rects]
    zero, ten = spans[0]
    unit = (ten - zero) / 10
    wanted = [(0, 10), (10, 15), (3, 15), (0, 3)]
    for (left, right), (low, high) in zip(spans, wanted, strict=True):
        assert left == pytest.approx(zero + low * unit, abs=0.15)
        assert right == pytest.approx(zero + high * unit, abs=0.15)


def test_a_name_cannot_become_markup():
    chart = StackedBars(
        NASTY,
        (NASTY, "b"),
        (Series(NASTY, (1, 2)),),
        NASTY,
        10,
        base_unit=NASTY,
        note=NASTY,
        markers=(Marker(NASTY, value=1), Marker(NASTY, category=NASTY)),
        groups=(Group(NASTY, 0, 2),),
        highlight=frozenset({NASTY}),
        category=NASTY,
    )
    line = Timeline(NASTY, (NASTY,), (Series(NASTY, (1,)),), NASTY, markers=(Marker(NASTY, 9),))
    fall = Waterfall(NASTY, (NASTY, 1), ((NASTY, 1),), (NASTY, 2), NASTY, note=NASTY)
    for one in (chart, line, fall):
        for svg in (draw(one), standalone(one)):
            root = ET.fromstring(svg.encode())
            assert not [e for e in root.iter() if e.tag == f"{NS}img"]
            assert "<img" not in svg
        assert data_uri_img(one).count("<") == 1
    assert bars(draw(chart))[0]["name"] == clean(NASTY)


def test_alt_text_title_and_kind_are_on_the_root():
    for chart, kind in ((BARS, "bars"), (FALL, "waterfall"), (LINE, "timeline")):
        root = ET.fromstring(draw(chart))
        assert root.get("role") == "img"
        assert root.get("aria-label") == chart.alt == root.find(f"{NS}desc").text
        assert root.find(f"{NS}title").text == chart.title
        assert root.get("data-chart") == kind


def test_tooltips_have_exact_values_and_shares():
    chart = StackedBars(
        "T",
        ("a", "b"),
        (Series("w", (12_845_056, 0)), Series("b", (4, 0))),
        "MB",
        10**6,
        base_unit="bytes",
    )
    rects = [r for r in ET.fromstring(draw(chart)).iter(f"{NS}rect") if r.get("class") == "bar"]
    assert rects[0].find(f"{NS}title").text == (
        "a: 12.85 MB = 12,845,060 bytes, 100.0 % of the total\nw 12,845,056 bytes\nb 4 bytes"
    )


def test_seven_series_have_seven_defined_patterns():
    chart = StackedBars("T", ("a",), tuple(Series(str(i), (1,)) for i in range(7)), "MB")
    svg = draw(chart, id_prefix="mine")
    fills = series_fills(svg)
    assert len(set(fills)) == 7
    assert fills[0].startswith("#"), "the first is plain"
    tiles = {p.get("id"): ET.tostring(p[1]) for p in ET.fromstring(svg).iter(f"{NS}pattern")}
    used = [re.fullmatch(r"url\(#(mine-.*)\)", fill) for fill in fills[1:]]
    assert len({re.sub(rb"#\w+", b"", tiles[match[1]]) for match in used}) == 6, (
        "patterns differ in colour only"
    )


def test_the_strip_shows_the_shares_of_the_total():
    shares = [r for r in ET.fromstring(draw(BARS)).iter(f"{NS}rect") if r.get("class") == "share"]
    widths = [float(r.get("width")) for r in shares]
    parts = [float(total) / float(BARS.total) for total in BARS.totals]
    assert [width / sum(widths) for width in widths] == pytest.approx(parts, abs=1e-4)


def test_the_strip_is_split_by_block_where_there_are_blocks():
    blocks = (Group("block 1", 0, 2), Group("block 2", 2, 3))
    chart = StackedBars("T", ("a", "b", "c"), (Series("w", (10, 20, 70)),), "MB", groups=blocks)
    drawing = draw(chart)
    assert "block 2: 70.0 % of the total" in drawing
    assert ">block 2 70.0 %</text>" in drawing
    assert drawing.count('class="share"') == 2


def test_a_series_keeps_the_colour_of_its_quantity():
    alone = StackedBars("T", ("a",), (Series("g", (1,), 2),), "MB")
    mixed = StackedBars("T", ("a",), (Series("x", (1,)), Series("g", (1,), 2)), "MB")
    assert alone.fills[0] == mixed.fills[1] == FILLS[2]
    assert mixed.fills[0] == FILLS[0]
    with pytest.raises(CnnmemError, match="same fill"):
        StackedBars("T", ("a",), (Series("x", (1,), 2), Series("g", (1,), 2)), "MB")


def test_a_column_has_a_tooltip_of_its_own_and_keeps_the_native_one():
    drawing = draw(BARS)
    assert drawing.count('class="cnnmem-tip"') == len(BARS.categories)
    assert drawing.count("<title>") > len(BARS.categories)
    many = StackedBars("T", tuple(map(str, range(200))), (Series("w", (1,) * 200),), "MB")
    assert 'cnnmem-tip"' not in draw(many)


def test_what_is_unexplained_looks_different_and_is_in_the_legend():
    chart = Waterfall("T", ("a", 10), (("b", 5), ("?", 3)), ("c", 18), "MB")
    assert "unexplained" not in draw(chart)
    open_ = replace(chart, unexplained=frozenset({1}))
    drawing = draw(open_)
    assert ">unexplained</text>" in drawing
    assert 'stroke-dasharray="4,3"' in drawing
    with pytest.raises(CnnmemError, match="unexplained"):
        replace(chart, unexplained=frozenset({2}))


def test_a_predicted_total_is_at_its_place_on_the_strip():
    def heads(value):
        chart = StackedBars(
            "T", ("a",), (Series("w", (100,)),), "MB", markers=(Marker("m", value),)
        )
        strip = ET.fromstring(draw(chart)).find(f".//{NS}rect[@class='share']")
        left, width = float(strip.get("x")), float(strip.get("width"))
        xs = re.findall(r'd="M([\d.]+),[\d.]+l-4,-7h8z"', draw(chart))
        return (float(xs[0]) - left) / width, draw(chart)

    assert heads(25)[0] == pytest.approx(0.25, abs=0.001)
    assert heads(200)[0] == pytest.approx(2, abs=0.001)
    assert "m 10,000 →" in heads(10_000)[1]
    assert "← m −5" in heads(-5)[1]


def test_a_line_beyond_the_axis_is_described_instead_of_drawn():
    def with_line(value):
        return draw(
            Timeline("T", ("a",), (Series("w", (9,)),), "MB", markers=(Marker("card", value),))
        )

    assert 'stroke-dasharray="7,4"' in with_line(10)
    assert "↑ card 1,000 MB: above this axis" in with_line(1000)
    assert 'stroke-dasharray="7,4"' not in with_line(1000)


def test_equal_data_gives_equal_drawings_and_other_data_does_not():
    again = StackedBars(BARS.title, BARS.categories, BARS.series, BARS.unit)
    assert draw(again) == draw(BARS)
    assert data_uri_img(again) == data_uri_img(BARS)
    other = StackedBars("Tiny", BARS.categories, BARS.series[:1], "parameters")
    assert draw(other) != draw(BARS)


def test_a_picture_needs_no_page():
    img = data_uri_img(BARS)
    assert f'alt="{BARS.alt}"' in img
    svg = base64.b64decode(re.search(r"base64,([^\"]+)", img)[1]).decode()
    assert svg == standalone(BARS)
    assert "var(" not in svg
    assert 'fill="#fff"' in svg
    assert ET.fromstring(svg).get("width") == "960"


@pytest.mark.parametrize("count", [22, 45, 200, 700])
def test_names_below_the_axis_do_not_overlap_or_leave_the_drawing(count):
    names = tuple(f"features.denseblock1.denselayer{i}.conv" for i in range(count))
    svg = draw(StackedBars("T", names, (Series("w", (1,) * count),), "MB"))
    found = re.findall(r'translate\(([\d.]+),[\d.]+\) rotate\(-45\)"[^>]*>([^<]+)<', svg)
    xs = [float(x) for x, _ in found]
    assert len(found) >= min(count, 18)
    assert min(b - a for a, b in pairwise(xs)) >= 19
    assert all(x - text_width(name) * 0.71 > -6 for (_, name), x in zip(found, xs, strict=True))
    assert len({name for _, name in found}) == len(found), "shortened names must differ"


def test_groups_replace_names_that_have_no_room():
    names = tuple(f"layer{i}" for i in range(200))
    groups = (Group("first half", 0, 100), Group("second half", 100, 200))
    svg = draw(StackedBars("T", names, (Series("w", (1,) * 200),), "MB", groups=groups))
    assert ">first half</text>" in svg
    assert "rotate(-45)" not in svg


@given(st.lists(st.tuples(st.floats(80, 940), st.integers(1, 30)), max_size=5))
def test_flags_in_one_lane_do_not_overlap(drawn):
    placed = place([Flag(x, 300.0, "x" * size, False) for x, size in drawn], 78.0, 944.0)
    assert len(placed) == len(drawn)
    for one in placed:
        for other in placed:
            assert one is other or one.lane != other.lane or not one.meets(other)


def test_a_long_name_keeps_both_ends():
    assert fit("features.denselayer32.conv2", 120).startswith("fea")
    assert fit("features.denselayer32.conv2", 120).endswith("conv2")
    assert text_width(fit("W" * 500, 120)) <= 120


@pytest.mark.parametrize(
    "chart",
    [
        StackedBars("E", (), (), "MB"),
        StackedBars("E", (), (Series("w", ()),), "MB", log=True),
        StackedBars("E", ("a",), (), "MB"),
        StackedBars("Z", ("a", "b"), (Series("w", (0, 0)),), "MB", markers=(Marker("m", 3, "a"),)),
        StackedBars("Z", ("a", "b"), (Series("w", (0, 0)),), "MB", log=True),
        StackedBars("H", ("a", "b"), (Series("w", (10**18, 1)),), "MB", log=True),
        StackedBars("S", ("a",), (Series("w", (5e-324,)),), "MB"),
        Timeline("E", (), (), "MB"),
        Timeline("Z", ("a",), (Series("w", (0,)),), "MB", markers=(Marker("m", -3),)),
        Waterfall("Z", ("a", 0), (), ("b", 0), "MB"),
        Waterfall("N", ("a", 2**31), (("wraps", -(2**32)),), ("b", -(2**31)), "parameters"),
    ],
)
def test_extreme_data_draws(chart):
    svg = draw(chart)
    ET.fromstring(svg)
    assert "nan" not in svg.replace("E. ", "")
    assert len(bars(svg)) == len(chart.rows()) - 1
    assert chart.text().splitlines()[0].startswith(chart.title)


def test_a_waterfall_of_many_steps_grows_taller():
    steps = tuple((f"step {i}", 1) for i in range(40))
    root = ET.fromstring(draw(Waterfall("W", ("a", 0), steps, ("b", 40), "MB")))
    assert float(root.get("viewBox").split()[3]) >= 42 * 20
    assert ET.fromstring(draw(FALL)).get("viewBox") == "0 0 960 360"


NUMBERS = st.integers(0, 10**18) | st.fractions(0, 10**6) | st.floats(0, 1e18) | st.just(0)
NAMES = st.text(st.characters(), max_size=40)


@st.composite
def stacked(draw_):
    categories = tuple(draw_(st.lists(NAMES, max_size=30)))
    count = len(categories)
    values = st.lists(NUMBERS, min_size=count, max_size=count).map(tuple)
    series = tuple(draw_(st.lists(st.builds(Series, NAMES, values), max_size=7)))
    places = st.sampled_from(categories) if categories else st.nothing()
    markers = st.builds(Marker, NAMES, NUMBERS) | st.builds(Marker, NAMES, st.none(), places)
    scale = draw_(st.sampled_from([1, 10**6, 2**20, Fraction(1, 8)]))
    more = {"markers": tuple(draw_(st.lists(markers, max_size=3))), "base_unit": "bytes"}
    unit = draw_(st.text(st.characters(), min_size=1, max_size=10))
    if draw_(st.booleans()):
        return Timeline(draw_(NAMES), categories, series, unit, scale, **more)
    return StackedBars(
        draw_(NAMES), categories, series, unit, scale, log=draw_(st.booleans()), **more
    )


@given(stacked())
@settings(max_examples=150, deadline=None)
def test_any_names_and_values_give_well_formed_and_exact_drawings(chart):
    read = bars(draw(chart).encode("utf-8").decode())
    assert [bar["name"] for bar in read] == [clean(name) for name in chart.categories]
    columns = [tuple(values) for values in zip(*(s.values for s in chart.series), strict=True)]
    assert [bar["values"] for bar in read] == (columns or [()] * len(chart.categories))
    assert [bar["total"] for bar in read] == list(chart.totals)
    assert ET.fromstring(standalone(chart).encode()).get("aria-label") == chart.alt
    assert chart.text() == chart.text()


@pytest.mark.parametrize("prefix", ["", "1a", 'a"b', "a b", "ä"])
def test_an_id_prefix_that_would_break_references_is_rejected(prefix):
    with pytest.raises(ValueError, match="id_prefix"):
        draw(BARS, id_prefix=prefix)


def test_a_drawing_too_small_to_read_is_rejected():
    with pytest.raises(ValueError, match="480 x 220"):
        draw(BARS, width=200)


def test_text_is_large_enough_for_a_projector():
    for chart in (BARS, FALL, LINE):
        sizes = [int(size) for size in re.findall(r'font-size="(\d+)"', draw(chart))]
        assert sizes
        assert min(sizes) >= 12


def test_drawing_imports_no_framework():
    code = (
        "import sys, cnnmem.charts, cnnmem.charts.svg;"
        "print(sorted({'matplotlib', 'numpy', 'ipywidgets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
