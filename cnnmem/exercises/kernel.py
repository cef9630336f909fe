"""What this kernel remembers of answers and guesses, so that a cell can be run again.

A fresh kernel remembers nothing: the notebooks print the same in everybody's hands. What outlives
the kernel is in `store`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cnnmem.lessons.registry import get

from . import store
from .sitting import Sitting


@dataclass
class Guess:
    """A guess that was committed, the explorers it is on, and the widget that tells of it."""

    text: str = ""
    explorers: list[Any] = field(default_factory=list)
    teller: Any = None


_SITTINGS: dict[str, Sitting] = {}
_GUESSES: dict[str, Guess] = {}


def sitting(id: str) -> Sitting:
    """Return what has happened at a question in this kernel; raises `UnknownNameError`."""
    if id not in _SITTINGS:
        _SITTINGS[id] = Sitting(get(id))
    return _SITTINGS[id]


def guess(id: str) -> Guess:
    """Return what was guessed at a question in this kernel."""
    return _GUESSES.setdefault(id, Guess())


def forget(lesson: str = "") -> None:
    """Forget the answers and guesses of a lesson, or of all, as a new kernel would."""
    for remembered in (_SITTINGS, _GUESSES):
        for id in [id for id in remembered if not lesson or id.startswith(f"{lesson}-")]:
            del remembered[id]


def reset(lesson: str = "") -> str:
    """Forget the progress of a lesson ("02"), or of all of them; return what was done.

    Questions asked from now on are untouched; widgets that are on the screen keep what they show.
    """
    forget(lesson)
    return store.reset(lesson)
