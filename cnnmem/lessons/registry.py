"""All questions by id. A lesson's module is imported when it is first needed."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from cnnmem.errors import UnknownNameError, look_up
from cnnmem.exercises.question import Lesson, Question

LESSONS: dict[str, str] = {
    "00": "Start here",
    "01": "One layer by hand",
    "02": "VGG-16: 138 million",
    "03": "93 MB or 60 MB?",
    "04": "The model with minus two billion",
    "05": "Two networks, opposite memories",
    "06": "MobileNet's bargain",
    "07": "What training adds",
    "08": "Audit a counter",
}


@cache
def lesson(number: str) -> Lesson:
    """Return a lesson by its number; raises `UnknownNameError`.

    >>> lesson("02").questions[0].id
    '02-where'
    """
    title = look_up("lesson", number, LESSONS)
    return Lesson(number, title, import_module(f".lesson{number}", __package__).questions())


def series() -> tuple[Lesson, ...]:
    """Return all lessons in order."""
    return tuple(map(lesson, LESSONS))


def every() -> tuple[Question, ...]:
    """Return all questions, lesson by lesson."""
    return tuple(question for each in series() for question in each.questions)


def get(id: str) -> Question:
    """Return a question by its id; raises `UnknownNameError`, which lists the lesson's ids.

    >>> get("02-where").kind
    'choice'
    """
    questions = lesson(id[:2]).questions
    for question in questions:
        if question.id == id:
            return question
    known = ", ".join(question.id for question in questions)
    raise UnknownNameError(
        f"no question is called {id!r}; there are {known or 'ids like 02-where'}"
    )
