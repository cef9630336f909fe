"""In every question the solution is right, and each known wrong answer gets its own hint."""

import pytest

from cnnmem.errors import UnknownNameError
from cnnmem.exercises.sitting import Sitting
from cnnmem.lessons import registry

LESSONS = list(registry.LESSONS)
QUESTIONS = registry.every()


def each(questions):
    return pytest.mark.parametrize("question", questions, ids=lambda q: q.id)


@each(QUESTIONS)
def test_the_solution_is_right(question):
    assert question.judge(question.solution).state == "right"


@each(QUESTIONS)
def test_the_untouched_answer_is_not_attempted(question):
    assert question.judge(question.blank).state == "not attempted"


@each(QUESTIONS)
def test_every_known_wrong_answer_gets_its_own_hint(question):
    assert len(question.known) >= 2
    for slip in question.known:
        verdict = question.judge(slip.answer)
        assert (verdict.state, verdict.slip, verdict.text) == ("wrong", slip.name, slip.hint)
    assert len({slip.hint for slip in question.known}) == len(question.known)
    assert len({slip.name for slip in question.known}) == len(question.known)


@each(QUESTIONS)
def test_hints_are_distinct_and_never_repeat_a_slip(question):
    assert len({*question.hints, *(slip.hint for slip in question.known)}) == 3 + len(
        question.known
    )
    assert all(question.hints)


def test_ids_are_unique():
    ids = [question.id for question in QUESTIONS]
    assert len(set(ids)) == len(ids)


def test_an_unknown_id_is_refused_with_the_known_ids():
    with pytest.raises(UnknownNameError, match="02-where"):
        registry.get("02-nothing")
    with pytest.raises(UnknownNameError, match="no lesson"):
        registry.get("99-nothing")


@pytest.mark.parametrize("number", LESSONS)
def test_a_student_can_answer_wrong_in_each_known_way_and_then_right(number):
    for question in registry.lesson(number).questions:
        sitting = Sitting(question, keeps=False)
        assert sitting.check(question.blank).state == sitting.state == "not attempted"
        for tries, slip in enumerate(question.known, 1):
            assert sitting.check(slip.answer).text == slip.hint
            assert (sitting.state, sitting.attempts) == ("wrong", tries)
        assert sitting.check(question.solution).text.endswith(question.why)
        assert sitting.state == "right"
