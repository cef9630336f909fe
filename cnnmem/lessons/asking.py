"""What the notebooks call: each looks a question up and hands it to the engine."""

from __future__ import annotations

from typing import Any

from cnnmem.exercises import kernel, store
from cnnmem.exercises.overview import Head, Overview
from cnnmem.exercises.panel import Panel
from cnnmem.exercises.prediction import Prediction
from cnnmem.exercises.sitting import Sitting
from cnnmem.exercises.veil import Fold
from cnnmem.exercises.waiting import in_steps

from .registry import get, lesson, series

__all__ = ["ask", "fold", "head", "in_steps", "predict", "progress", "reset"]


def ask(id: str) -> Panel:
    """Return the exercise with this id, ready to be answered.

    Asked again in the same kernel, it takes up the last answer, its verdict and the hints. A new
    kernel shows the question untouched, with a mark if it was solved before. A function to write is
    looked up in the notebook by its name, and judged at once. `ask(id).then(parts)` hides what
    follows until the question was tried.

    Raises `UnknownNameError` for an unknown id.

    >>> ask("02-where")
    <question 02-where: not attempted>
    """
    return Panel(_memory(id))


def predict(id: str) -> Prediction:
    """Return the question with this id as a prediction.

    `predict(id).then(parts)` hides what follows until the reader has predicted. The guess is kept
    for the next day.

    Raises `UnknownNameError` for an unknown id, `CnnmemError` for a question that is neither a
    number nor a choice.

    >>> predict("02-where")
    <prediction 02-where: none yet>
    """
    return Prediction(_memory(id))


def _memory(id: str) -> kernel.Memory:
    question = get(id)
    return kernel.remember(Sitting(question, lesson(question.lesson)))


def fold(title: str, *parts: Any) -> Fold:
    """Return texts, tables and charts that open when the reader wants them.

    >>> fold("The same as text", "a  1").title
    'The same as text'
    """
    return Fold(title, *parts)


def head(number: str) -> Head:
    """Return the head of a lesson ("02"): how many questions are done, and "start again".

    Raises `UnknownNameError` for an unknown lesson.

    >>> head("02")
    <head of lesson 02>
    """
    return Head(lesson(number), lambda: reset(number))


def progress(number: str = "") -> Overview:
    """Return the progress of a lesson ("02") or, without an argument, of the series.

    Raises `UnknownNameError` for an unknown lesson.
    """
    return Overview((lesson(number),) if number else series())


def reset(number: str = "") -> str:
    """Forget the progress of a lesson ("02"), or of all lessons; return what was done.

    Questions on the page become untouched, and what follows predictions is hidden again.
    """
    said = store.reset(number)
    kernel.forget(number)
    return said
