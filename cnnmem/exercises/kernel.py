"""Answers and guesses that this kernel remembers, so that a cell can be run again.

A fresh kernel remembers nothing, so a notebook prints the same for everyone. `store` keeps what
outlives the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .question import Lesson, Question
from .sitting import Sitting


@dataclass
class Guess:
    """A committed guess, the explorers that show it, and the widget that reports on it."""

    text: str = ""
    explorers: list[Any] = field(default_factory=list)
    teller: Any = None


_SITTINGS: dict[str, Sitting] = {}
_GUESSES: dict[str, Guess] = {}


def sitting(question: Question, lesson: Lesson) -> Sitting:
    """Return the question's sitting in this kernel; the first call begins it."""
    if question.id not in _SITTINGS:
        _SITTINGS[question.id] = Sitting(question, lesson)
    return _SITTINGS[question.id]


def guess(question: Question) -> Guess:
    """Return the question's guess in this kernel; empty at first."""
    return _GUESSES.setdefault(question.id, Guess())


def forget(number: str = "") -> None:
    """Forget the answers and guesses of a lesson ("02"), or of all, as a new kernel would."""
    for remembered in (_SITTINGS, _GUESSES):
        for id in [id for id in remembered if not number or id.startswith(f"{number}-")]:
            del remembered[id]
