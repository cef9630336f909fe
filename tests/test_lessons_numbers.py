"""Numbers are read as people write them, and nothing that is written raises."""

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnnmem.lessons import quantity, registry
from cnnmem.lessons.coding import Coding
from cnnmem.lessons.feedback import Verdict
from cnnmem.lessons.quantity import UnreadableError, read

FILE = registry.get("02-file")  # 553,430,176 bytes, asked in MB
PARAMS = registry.get("02-params")  # 138,357,544, asked in millions
QUESTIONS = [q for q in registry.every() if not isinstance(q, Coding)]


@pytest.mark.parametrize(
    "text",
    [
        "553 MB", "553.43MB", "553,43 MB", "553.43 mb", "≈ 553 MB", "about 553 MB.", "~553 MB",
        "527.8 MiB", "527.8 Mi B", "527,79 mebibytes", "0.55 GB", "0,55 GB", "0.553 gigabytes",
        "553430176", "553,430,176", "553 430 176", "553\u202f430\u202f176 B", "553'430'176 bytes",
        "553’430’176", "553_430_176", "553.430.176", "5.5343e8", "553.43 x 10^6 bytes",
        "553,43 · 10⁶ B", "553.43*10**6", "５５３ MB", "540,459 KiB", "553430 kB", 553430176,
        553430176.0, Fraction(553430176), "0.5154 GiB", "553", "553.4", "1106.86/2 MB",
    ],
)  # fmt: skip
def test_one_size_is_understood_in_many_writings(text):
    assert FILE.judge(text).state == "right"


@pytest.mark.parametrize(
    "text",
    ["138M", "138 million", "138.4 mio", "0.138 billion", "0.138B", "0,138 bn", "138,357,544",
     "138357544 parameters", "138 M params", "138", "1.38e8", "138 000 000", "138M.",
     "13,83,57,544"],
)  # fmt: skip
def test_one_count_is_understood_in_many_writings(text):
    assert PARAMS.judge(text).state == "right"


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("02-file", "553 M", "M alone"),
        ("02-file", "553 Mbit", "8 bits"),
        ("02-file", "553 million parameters", "parameters"),
        ("02-file", "much", "no number"),
        ("02-file", "1.2.3,4,5", "points and commas"),
        ("02-file", "5 parsecs", "parsecs"),
        ("02-file", "74 %", "memory"),
        ("02-params", "553 MB", "memory"),
        ("02-params", "15 GMACs", "MACs"),
        ("02-file", "9" * 200, "longer"),
        ("08-flops", "1.8 GMACs", "two FLOPs"),
        ("02-share", True, "give a number"),
        ("02-share", [74], "give a number"),
    ],
)
def test_what_cannot_be_read_is_said_and_not_judged(question, text, said):
    verdict = registry.get(question).judge(text)
    assert verdict.state == "not attempted"
    assert said in verdict.text


@pytest.mark.parametrize("minus", ["-", "−", "–", "﹣", "－"])
def test_every_minus_is_a_minus(minus):
    assert registry.get("04-wrap").judge(f"{minus}2,147,479,552").state == "right"
    assert registry.get("04-wrap").judge(f"{minus} 2 147 479 552").state == "right"


def test_a_share_is_understood_as_percent_and_as_a_ratio():
    share = registry.get("02-share")
    for text in ("74.3 %", "74.3", "0.743", "74 percent", "74,3%"):
        assert share.judge(text).state == "right"
    assert share.judge("7.43 %").state == "wrong"


def test_a_single_comma_can_part_thousands_or_decimals():
    assert [r.value for r in read("25,088")] == [25088, Fraction(25088, 1000)]
    assert [r.value for r in read("25.088")] == [Fraction(25088, 1000), 25088]
    assert [r.value for r in read("25,08")] == [Fraction(2508, 100)]
    assert [r.value for r in read("0,088")] == [Fraction(88, 1000)]
    assert [r.value for r in read("1.234.567,89")] == [Fraction(123456789, 100)]
    assert [r.value for r in read("1,234,567.89")] == [Fraction(123456789, 100)]


def test_the_last_digit_written_tells_close_numbers_apart():
    weights = "138,344,128"  # 0.01 % less than the parameters
    assert PARAMS.judge(weights).slip == "weights only"
    assert PARAMS.judge("138.34 M").slip == "weights only"
    assert PARAMS.judge("138.36 M").state == "right"
    assert PARAMS.judge("138.3 M").state == "right"
    maps = registry.get("03-maps")
    assert maps.judge("60.35 MB").slip == "image left out"
    assert maps.judge("60 MB").state == "right"


def test_where_every_digit_counts_a_rounded_number_is_asked_for_again():
    verdict = registry.get("04-wrap").judge("-2.147 billion")
    assert verdict.state == "not attempted"
    assert "every digit" in verdict.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2213.7 MB", "4 times"),
        ("-553 MB", "sign"),
        ("0 MB", "not zero"),
        ("600 MB", "8 % too high"),
        ("300 MB", "46 % too low"),
        ("276.7 MB", "half"),
        ("580.31 MB", "4.9 %"),
        ("9 GB", "16 times too high"),
        ("10 MB", "55 times too low"),
    ],
)
def test_an_unknown_wrong_number_hears_how_far_off_it_is(text, said):
    verdict = FILE.judge(text)
    assert (verdict.state, verdict.slip) == ("wrong", "")
    assert said in verdict.text


def test_factors_are_recognised_only_where_they_are_met():
    assert "FLOP" not in FILE.judge("1000 MB").text
    assert FILE.judge("1000 MB").text == "Not yet: 81 % too high."


anything = st.one_of(
    st.text(),
    st.from_regex(r"[-+−~]?[0-9.,'_ ]{1,12}[eE^/x*]?[0-9]{0,5} ?[a-zA-Z%]{0,6}", fullmatch=True),
    st.none(), st.booleans(), st.integers(), st.floats(), st.fractions(), st.binary(),
    st.lists(st.text(max_size=3)), st.dictionaries(st.text(max_size=3), st.text(max_size=3)),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(answer=anything, question=st.sampled_from(QUESTIONS))
@example(answer="1e9999", question=FILE)
@example(answer="9^9999 MB", question=FILE)
@example(answer="²", question=FILE)
@example(answer="½ GB", question=FILE)
@example(answer="1/0", question=FILE)
@example(answer="0^-5", question=FILE)
@example(answer="٣٤", question=FILE)
@example(answer="\ud800", question=FILE)
@example(answer="Ⅷ", question=registry.get("03-order"))
def test_no_answer_however_odd_raises(answer, question):
    verdict = question.judge(answer)
    assert isinstance(verdict, Verdict)
    assert verdict.state in ("not attempted", "wrong", "right")
    assert verdict.text
    assert isinstance(question.show(answer), str)


row = registry.get("01-row")


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([c.name for c in row.cells]), anything))
def test_no_cell_however_odd_raises(answer):
    assert row.judge(answer).state in ("not attempted", "wrong")


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**15), 10**15), st.sampled_from([",", " ", "'", "_", "\u202f", "’"]))
def test_a_whole_number_survives_being_written_with_separators(value, mark):
    text = f"{value:,}".replace(",", mark)
    assert read(text)[0].value == value


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_a_text_is_read_or_refused_in_words(text):
    try:
        readings = read(text)
    except UnreadableError as error:
        readings = str(error)
    assert readings


@pytest.mark.parametrize("scale", [quantity.MB, quantity.GiB, quantity.MILLION, quantity.PERCENT])
def test_a_scale_reads_what_it_shows(scale):
    value = 37 * scale.size
    assert value in [reading.value for reading in read(scale.show(value))]
