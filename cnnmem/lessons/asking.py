"""What the notebooks call: each looks a question up and hands it to the engine."""

from __future__ import annotations

from cnnmem.exercises import kernel, store
from cnnmem.exercises.overview import Overview
from cnnmem.exercises.panel import Panel
from cnnmem.exercises.prediction import Prediction

from .registry import get, lesson, series


def ask(id: str) -> Panel:
    """Return the exercise with this id, ready to be answered.

    Asked again in the same kernel, it takes up the last answer and its verdict. The hints go on
    too, so that `ask(id).hint()` and `ask(id).reveal()` can follow `ask(id).check(function)`. A new
    kernel shows the question untouched. Raises `UnknownNameError` for an unknown id.

    >>> ask("02-where")
    <question 02-where: not attempted>
    """
    question = get(id)
    return Panel(kernel.sitting(question, lesson(question.lesson)))


def predict(id: str) -> Prediction:
    """Return the question with this id as a prediction.

    Asked again in the same kernel, it takes up the guess. A new kernel does not know it.

    Raises `UnknownNameError` for an unknown id, `CnnmemError` for a question that is neither a
    number nor a choice.

    >>> predict("02-params")
    <prediction 02-params: none yet>
    """
    question = get(id)
    return Prediction(question, lesson(question.lesson), kept=kernel.guess(question))


def progress(number: str = "") -> Overview:
    """Return the progress of a lesson ("02") or, without an argument, of the series.

    Raises `UnknownNameError` for an unknown lesson.
    """
    return Overview((lesson(number),) if number else series())


def reset(number: str = "") -> str:
    """Forget the progress of a lesson ("02"), or of all lessons; return what was done.

    Questions asked from now on are untouched; widgets on the screen keep what they show.
    """
    kernel.forget(number)
    return store.reset(number)
