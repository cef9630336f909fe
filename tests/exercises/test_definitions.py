"""A wrong definition of a question is refused with a message that says what to change."""

import pytest

from cnnmem.errors import CnnmemError
from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.entries import entry_of
from cnnmem.exercises.question import Lesson, Question

TEXTS = {"title": "", "statement": "", "hints": ("", "", ""), "why": ""}
RIGHT = Option("fc1")
WRONG = Option("fc2", hint="Smaller than fc1.")


@pytest.mark.parametrize("options", [(RIGHT, RIGHT), (WRONG, WRONG), ()])
def test_a_choice_has_exactly_one_right_option(options):
    with pytest.raises(CnnmemError, match="00-x: exactly one option"):
        Choice(id="00-x", options=options, **TEXTS)


def test_ids_in_a_lesson_are_unique():
    question = Question(id="00-x", **TEXTS)
    with pytest.raises(CnnmemError, match="two questions of lesson 00 are called '00-x'"):
        Lesson("00", "Start here", (question, question))


def test_ids_in_a_lesson_begin_with_its_number():
    with pytest.raises(CnnmemError, match="its id must begin with 00-"):
        Lesson("00", "Start here", (Question(id="01-x", **TEXTS),))


def test_a_kind_of_question_without_a_widget_is_refused():
    class Riddle(Question):
        kind = "riddle"

    with pytest.raises(CnnmemError, match="no widget for a question of kind 'riddle'"):
        entry_of(Riddle(id="00-x", **TEXTS))
