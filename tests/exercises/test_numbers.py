"""Numbers are read as people write them, and no input raises."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sample_questions import MAPS, PARAMS

from cnnmem.exercises import quantity
from cnnmem.exercises.coding import Coding
from cnnmem.exercises.feedback import Verdict
from cnnmem.exercises.number import EVERY_DIGIT, ROUNDED, Number
from cnnmem.lessons import registry
from cnnmem.reading import Calculation, UnreadableError, readings_of
from cnnmem.units import fixed

FILE = registry.get("02-file")  # 553,430,176 bytes, asked in MB
SAMPLES = {question.id: question for question in (PARAMS, MAPS)}
QUESTIONS = [q for q in registry.every() if not isinstance(q, Coding)]


def get(id):
    return SAMPLES.get(id) or registry.get(id)


@pytest.mark.parametrize(
    "text",
    [
        "553",
        "553.4",
        "553 MB",
        "553.43MB",
        "553,43 MB",
        "553.43 mb",
        "≈ 553 MB",
        "about 553 MB.",
        "~553 MB",
        "５５３ MB",
        "1106.86/2 MB",
        "553430 kB",
        "0.553 gigabytes",
        "540,459 KiB",
        "527.8 MiB",
        "527.8 Mi B",
        "527,79 mebibytes",
        "0.5154 GiB",
        "553430176",
        "553,430,176",
        "553.430.176",
        "553 430 176",
        "553_430_176",
        "553’430’176",
        "553'430'176 bytes",
        "553\u202f430\u202f176 B",
        "5.5343e8",
        "553.43*10**6",
        "553.43 x 10^6 bytes",
        "553,43 · 10⁶ B",
        553430176,
        553430176.0,
        Fraction(553430176),
    ],
)
def test_a_size_is_understood_in_many_forms(text):
    assert FILE.judge(text).state == "right"


@pytest.mark.parametrize(
    "text",
    [
        "138",
        "138M",
        "138M.",
        "138 million",
        "138.4 mio",
        "138 M params",
        "0.138B",
        "0.138 billion",
        "0,138 bn",
        "1.38e8",
        "138 000 000",
        "138,357,544",
        "13,83,57,544",
        "138357544 parameters",
    ],
)
def test_a_count_is_understood_in_many_forms(text):
    assert PARAMS.judge(text).state == "right"


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("02-file", "553 M", "M alone"),
        ("02-file", "553 Mbit", "8 bits"),
        ("02-file", "553 million parameters", "parameters"),
        ("02-file", "much", "as a number"),
        ("02-file", "1.2.3,4,5", "points and commas"),
        ("02-file", "5 parsecs", "parsecs"),
        ("02-file", "74 %", "memory"),
        ("02-params", "553 MB", "memory"),
        ("02-params", "15 GMACs", "MACs"),
        ("02-file", "9" * 200, "too long"),
        ("08-flops", "1.8 GMACs", "two FLOPs"),
        ("02-share", True, "Give a number"),
        ("02-share", [74], "Give a number"),
    ],
)
def test_an_unreadable_answer_is_explained_and_not_judged(question, text, said):
    verdict = get(question).judge(text)
    assert verdict.state == "not attempted"
    assert said in verdict.text


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("02-recall-conv", "(3*3*128+1)*256"),
        ("02-recall-conv", "3·3·128·256 + 256"),
        ("02-recall-conv", "3² × 128 × 256 + 2^8 parameters"),
        ("02-file", "138,357,544 * 4 / 10**6 MB"),
        ("02-file", "4 x 138357544"),
        ("02-share", "102,764,544 / 138,357,544"),
        ("04-tipping", "1024 x 1024"),
        ("04-tipping", "1024×1024 px"),
        ("06-ratio", "1 / (1/256 + 1/25)"),
        ("06-ratio", "×22.78"),
        ("06-ratio", "x 22.78"),
    ],
)
def test_arithmetic_is_worked_out(question, text):
    verdict = get(question).judge(text)
    assert verdict.state == "right", verdict


def test_a_verdict_on_arithmetic_says_what_was_understood():
    assert registry.get("02-recall-conv").judge("3*3*128*256").text.startswith("You gave 294,912")
    assert "a number of 61 digits" in registry.get("02-recall-conv").judge("2*10^60+1").text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2+3*4", 14),
        ("2*3+4", 10),
        ("10-4-3", 3),
        ("24/4/2", 3),
        ("2^3^2", 512),
        ("-(2+3)", -5),
        ("(1+2)(3)", None),
        ("2++", None),
        ("(2", None),
        ("1/0", None),
        ("9^999999", None),
        ("__import__", None),
        ("1,234+1", 1235),
        ("1.5*4", 6),
    ],
)
def test_a_calculation_is_exact_or_refused(text, value):
    assert Calculation(text).value() == value


def test_an_exact_answer_with_a_comma_is_right():
    question = registry.get("00-kib")
    assert question.judge("602,112").text == question.judge("602112").text


@pytest.mark.parametrize("kind", [np.int64, np.uint32, np.float64])
def test_numbers_of_numpy_are_numbers(kind):
    assert FILE.judge(kind(553430176)).state == "right"


@pytest.mark.parametrize(
    ("question", "answer"),
    [("04-plausible", 1536), ("06-pointwise", 99), ("00-slider", 16), ("04-tipping", 2048)],
)
def test_bytes_and_prefixes_are_named_only_where_the_answer_has_them(question, answer):
    verdict = get(question).judge(answer)
    for wrong in ("MiB", "bytes", "prefix", "counted"):
        assert wrong not in verdict.text.split("A first step")[0]


@pytest.mark.parametrize("minus", ["-", "−", "–", "﹣", "－"])
def test_every_minus_sign_is_understood(minus):
    assert registry.get("04-wrap").judge(f"{minus}2,147,479,552").state == "right"
    assert registry.get("04-wrap").judge(f"{minus} 2 147 479 552").state == "right"


def test_a_share_is_understood_as_percent_and_as_a_ratio():
    share = registry.get("02-share")
    for text in ("74.3 %", "74.3", "0.743", "74 percent", "74,3%"):
        assert share.judge(text).state == "right"
    assert share.judge("7.43 %").state == "wrong"


def test_a_single_comma_can_separate_thousands_or_decimals():
    assert [r.value for r in readings_of("25,088")] == [25088, Fraction(25088, 1000)]
    assert [r.value for r in readings_of("25.088")] == [Fraction(25088, 1000), 25088]
    assert [r.value for r in readings_of("25,08")] == [Fraction(2508, 100)]
    assert [r.value for r in readings_of("0,088")] == [Fraction(88, 1000)]
    assert [r.value for r in readings_of("1.234.567,89")] == [Fraction(123456789, 100)]
    assert [r.value for r in readings_of("1,234,567.89")] == [Fraction(123456789, 100)]


def test_the_last_digit_written_tells_close_numbers_apart():
    weights = "138,344,128"  # 0.01 % less than the parameters
    assert PARAMS.judge(weights).slip == "weights only"
    assert PARAMS.judge("138.34 M").slip == "weights only"
    assert PARAMS.judge("138.36 M").state == "right"
    assert PARAMS.judge("138.3 M").slip == "weights only"
    maps = MAPS
    assert maps.judge("60.35 MB").slip == "image left out"
    assert maps.judge("60 MB").slip == "the notes' 60"


# 25,690,112 bytes, 1,041,033,632 bytes, 553,430,176 bytes, 8.842, 4, 138,357,544
@pytest.mark.parametrize(
    ("id", "right", "coarse", "wrong"),
    [
        (
            "03-inference",
            ["25.7", "25.69", "25.690112", "25690112"],
            ["26", "0.03 GB", "3e7"],
            ["25", "25.6", "25.70", "25.8", "27"],
        ),
        (
            "03-recall-batch",
            ["1.04 GB", "1041", "1041.03"],
            ["1 GB", "1.0 GB"],
            ["1.1 GB", "1.05 GB", "1040", "1041.3"],
        ),
        (
            "02-file",
            ["553", "553.4", "0.553 GB", "528 MiB", "553000000"],
            ["0.55 GB", "0,6 GB"],
            ["552", "550", "554", "553.5", "553.0", "0.56 GB"],
        ),
        ("06-ratio", ["22.8", "22.78"], [], ["22", "22.9", "25", "22.7"]),
        ("00-slider", ["4", "4.0", "4x"], [], ["5", "3", "4.1"]),
        (
            "02-params",
            ["138", "138 000 000", "138.4", "138357544"],
            ["0.1 billion", "1e8"],
            ["139", "137", "138.3", "138.5", "140", "138 400 001"],
        ),
    ],
)
def test_a_number_is_judged_by_the_digits_that_were_given(id, right, coarse, wrong):
    question = get(id)
    for text in right:
        assert question.judge(text).state == "right", text
    for text in coarse:
        assert (question.judge(text).state, question.judge(text).text) == ("not attempted", ROUNDED)
    for text in wrong:
        assert question.judge(text).state == "wrong", text


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([q for q in QUESTIONS if isinstance(q, Number)]), st.integers(1, 8))
def test_the_rounded_solution_is_never_wrong_and_its_neighbours_never_right(question, digits):
    value = Fraction(question.value) / question.scale.size
    step = Fraction(10) ** (len(str(abs(int(value)))) - digits)
    if step > 1:
        return
    decimals = len(str(int(1 / step))) - 1
    nearest = round(value / step) * step
    verdict = question.judge(f"{fixed(nearest, decimals)} {question.scale.name}")
    assert verdict.state != "wrong" or nearest in [s.answer for s in question.slips]
    for beside in (nearest - step, nearest + step):
        if abs(beside - value) > question.slack * abs(value) + step / 2:
            text = f"{fixed(beside, decimals)} {question.scale.name}"
            assert question.judge(text).state != "right"


@pytest.mark.parametrize(
    "question", [q for q in QUESTIONS if isinstance(q, Number)], ids=lambda q: q.id
)
def test_a_known_wrong_number_is_not_right_if_its_rounding_differs(question):
    for slip in question.slips:
        for digits in range(3):
            scaled = Fraction(slip.answer) / question.scale.size
            if round(scaled, digits) != round(
                Fraction(question.value) / question.scale.size, digits
            ):
                text = f"{fixed(scaled, digits)} {question.scale.name}"
                assert question.judge(text).state != "right", (slip.name, text)


def test_rounding_in_the_statement_does_not_make_an_answer_wrong():
    assert registry.get("07-recall-kept").judge("1172.00").state == "right"  # 16 x 73.25
    assert registry.get("07-bfloat16").judge("42.745").state == "right"  # (73.25 + 12.24) / 2
    assert registry.get("03-recall-batch").judge("1041.03").state == "right"  # 553.43 + 8 x 60.95
    assert registry.get("07-adam").judge("2213.72 MB").state == "right"  # 4 x 553.43


def test_a_known_wrong_number_beside_the_solution_is_recognised():
    assert FILE.judge("552 MB").slip == FILE.judge("552").slip == "rounded first"
    assert FILE.judge("550").slip == ""
    recall = registry.get("02-recall-conv")
    assert "there are 256" in recall.judge("1,152").text
    assert "there are 256" in recall.judge("1,153").text
    assert "sees all 128" in recall.judge("2,304").text


def test_a_question_about_a_unit_does_not_accept_another_unit():
    kib = registry.get("00-kib")
    for text in ("588", "588 KiB", "588.0 KiB", "588 kibibytes"):
        assert kib.judge(text).state == "right"
    for text in ("602 kB", "602.112 KB", "602112", "602,112 bytes", 602112):
        verdict = kib.judge(text)
        assert verdict.state == "not attempted"
        assert verdict.text == "The right size, but asked in KiB: divide the bytes by 1,024."
    for text in ("588 KB", "588 kB"):
        verdict = kib.judge(text)
        assert verdict.state == "not attempted"
        assert verdict.text == "588 is the number of KiB; write KiB, since KB is ambiguous."
    assert kib.judge("602").slip == "kB for KiB"


def test_a_rounded_number_is_not_enough_if_every_digit_counts():
    verdict = registry.get("04-wrap").judge("-2.147 billion")
    assert (verdict.state, verdict.text) == ("not attempted", EVERY_DIGIT)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.id)
def test_a_verdict_states_its_result_once(question):
    for answer in (question.solution, *(slip.answer for slip in question.known), "17", "0", "1e30"):
        said = str(question.judge(answer))
        assert len(re.findall(r"\b(?:Wrong|Right|Not (?:yet|attempted))\b", said[:24])) <= 1
        assert " 0.0 %" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2213.7 MB", "4 times"),
        ("-553 MB", "sign"),
        ("0 MB", "not zero"),
        ("600 MB", "8 % too high"),
        ("300 MB", "46 % too low"),
        ("276.7 MB", "It is 2 times too low."),
        ("580.31 MB", "4.9 %"),
        ("9 GB", "16 times too high"),
        ("10 MB", "55 times too low"),
    ],
)
def test_feedback_on_an_unknown_wrong_number_says_how_far_off_it_is(text, said):
    verdict = FILE.judge(text)
    assert (verdict.state, verdict.slip) == ("wrong", "")
    assert said in verdict.text


def test_a_factor_is_named_only_if_the_answer_is_close_to_it():
    assert "FLOP" not in FILE.judge("1000 MB").text
    said = FILE.judge("1000 MB").text
    assert said.startswith("It is 81 % too high. A first step: ")


anything = st.one_of(
    st.text(),
    st.from_regex(r"[-+−~]?[0-9.,'_ ]{1,12}[eE^/x*]?[0-9]{0,5} ?[a-zA-Z%]{0,6}", fullmatch=True),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.fractions(),
    st.binary(),
    st.lists(st.text(max_size=3)),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3)),
)


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
def test_no_answer_raises(answer, question):
    verdict = question.judge(answer)
    assert isinstance(verdict, Verdict)
    assert verdict.state in ("not attempted", "wrong", "right")
    assert verdict.text
    assert isinstance(question.show(answer), str)


row = registry.get("01-row")


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([c.name for c in row.cells]), anything))
def test_no_cell_entry_raises(answer):
    assert row.judge(answer).state in ("not attempted", "wrong")


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**15), 10**15), st.sampled_from([",", " ", "'", "_", "\u202f", "’"]))
def test_an_integer_can_be_written_with_separators(value, mark):
    text = f"{value:,}".replace(",", mark)
    assert readings_of(text)[0].value == value


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_text_is_either_read_or_refused_with_a_message(text):
    try:
        readings = readings_of(text)
    except UnreadableError as error:
        readings = str(error)
    assert readings


@pytest.mark.parametrize("scale", [quantity.MB, quantity.GiB, quantity.MILLION, quantity.PERCENT])
def test_what_a_scale_shows_can_be_read(scale):
    value = 37 * scale.size
    assert value in [reading.value for reading in readings_of(scale.show(value))]
