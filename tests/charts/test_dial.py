"""The dial of a 32-bit integer points at the value shown, and stays inside its frame."""

import math

import pytest
from drawn_frames import check_frame, check_texts
from hypothesis import given
from hypothesis import strategies as st

from cnnmem.charts import Dial, Marker, svg
from cnnmem.charts.marks import Frame, Line, Text

DIALS = [
    Dial("none", 5, "values"),
    Dial("once", 2**31, "values", 3, ((1, 7), (2, 2**31 - 1), (3, 2**31), (9, 2**34))),
    Dial("far", 2**36 + 9, "MACs", 99, ((1, 7), (9, 2**34)), markers=(Marker("you", value=-3),)),
    Dial("zero", 0, "values", 2, ((1, 0), (2, 0)), markers=(Marker("you", value=10**6),)),
]


def texts(dial: Dial) -> list[str]:
    return [mark.text for mark in dial.marks(Frame(960, 340)).marks if isinstance(mark, Text)]


@pytest.mark.parametrize("dial", DIALS, ids=lambda dial: dial.title)
def test_a_dial_is_xml_with_alt_text_and_stays_inside_its_frame(dial: Dial) -> None:
    for height in (340, 400):
        check_frame(dial, 960, height)


@pytest.mark.parametrize("dial", DIALS, ids=lambda dial: dial.title)
def test_no_text_is_clipped(dial: Dial) -> None:
    check_texts(dial)


def test_the_dial_shows_the_exact_and_the_wrapped_count() -> None:
    dial = Dial("VGG-16", 2_183_080_744, "parameters", 1024, ((32, 5), (1024, 2_183_080_744)))
    drawn = {bar["name"]: bar["total"] for bar in svg.bars(svg.draw(dial))}
    assert drawn == {"exact": 2_183_080_744, "int32": -2_111_886_552}
    assert dial.rows()[1:] == ((32, 5, 5), (1024, 2_183_080_744, -2_111_886_552))
    assert "pass the seam after 2^31 - 1 once" in dial.alt
    assert "−2,111,886,552" in dial.alt


@given(st.integers(0, 2**40))
def test_the_hand_points_at_the_wrapped_count(count: int) -> None:
    marks = Dial("d", count, "values").marks(Frame(960, 340)).marks
    hand = next(m for m in marks if isinstance(m, Line) and m.arrow)
    (x0, y0), (x1, y1) = hand.points
    angle = math.atan2(x1 - x0, y0 - y1) / (2 * math.pi) * 2**32  # clockwise from 0 at the top
    shown = Dial("d", count, "values").shown
    assert min(abs(angle - shown), 2**32 - abs(angle - shown)) < 2**20


def test_predictions_are_drawn_on_the_course() -> None:
    guess = Marker("your prediction", value=700)
    dial = Dial("d", 9, "values", 3, ((0, 1), (1000, 9)))
    assert "your prediction 700" in texts(dial.marked((guess,)))
    assert "your prediction 700" not in texts(dial)


def test_a_dial_rejects_invalid_counts_and_sizes() -> None:
    with pytest.raises(ValueError, match="a whole number, 0 or more"):
        Dial("d", -1, "values")
    with pytest.raises(ValueError, match="must rise"):
        Dial("d", 1, "values", course=((2, 1), (1, 1)))
