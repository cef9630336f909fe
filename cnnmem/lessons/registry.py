"""All questions by id. A lesson's module is read when one of its questions is first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from cnnmem.errors import CnnmemError, UnknownNameError
from cnnmem.exercises.question import Question

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
def lesson(number: str) -> tuple[Question, ...]:
    """Return the questions of a lesson in their order; raises `UnknownNameError`.

    >>> lesson("02")[0].id
    '02-params'
    """
    if number not in LESSONS:
        raise UnknownNameError(f"no lesson is called {number!r}; there are {', '.join(LESSONS)}")
    questions: tuple[Question, ...] = import_module(f".lesson{number}", __package__).questions()
    ids = [question.id for question in questions]
    for id in ids:
        if ids.count(id) > 1 or not id.startswith(f"{number}-"):
            raise CnnmemError(f"{id!r} cannot be a question of lesson {number}: rename it")
    return questions


def every() -> tuple[Question, ...]:
    """Return all questions, lesson by lesson."""
    return tuple(question for number in LESSONS for question in lesson(number))


def get(id: str) -> Question:
    """Return a question by its id; raises `UnknownNameError`, naming those of the lesson.

    >>> get("02-where").kind
    'choice'
    """
    questions = lesson(id[:2])
    for question in questions:
        if question.id == id:
            return question
    known = ", ".join(question.id for question in questions)
    raise UnknownNameError(
        f"no question is called {id!r}; there are {known or 'ids like 02-where'}"
    )
