"""What this kernel remembers of each question, so that cells can be run again and widgets agree.

A guess and an opened veil survive a restart: they are read from `store` the first time a question
is asked. Nothing of it is ever part of a notebook's stored text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from . import store
from .question import Question
from .sitting import Sitting

Watcher = Callable[[], None]


@dataclass
class Memory:
    """A question in this kernel: its sitting, its guess, and who wants to hear of changes.

    `opened` says that the reader has answered, predicted, or asked to see what follows.
    """

    question: Question
    sitting: Sitting
    guess: str = ""
    opened: bool = False
    on_open: list[Watcher] = field(default_factory=list)
    on_forget: list[Watcher] = field(default_factory=list)

    def open(self) -> None:
        """Let what follows the question be seen, and tell the widgets of the lesson."""
        self.opened = True
        for watcher in tuple(self.on_open):
            watcher()
        announce(self.question.lesson)

    def forget(self) -> None:
        """Begin again: no answer, no guess, and what follows is hidden."""
        self.sitting = Sitting(self.question, self.sitting.lesson, self.sitting.keeps)
        self.guess, self.opened = "", False
        for watcher in tuple(self.on_forget):
            watcher()


_MEMORIES: dict[str, Memory] = {}
_HEADS: dict[str, list[Watcher]] = {}


def remember(sitting: Sitting) -> Memory:
    """Return what this kernel knows of a question; the first call reads what was kept."""
    question = sitting.question
    if question.id not in _MEMORIES:
        kept = store.load().records.get(question.id, store.Record())
        guess = str(kept.answer) if kept.state == "predicted" else ""
        opened = kept.revealed or kept.state != "not attempted"
        _MEMORIES[question.id] = Memory(question, sitting, guess, opened)
    return _MEMORIES[question.id]


def watch(number: str, watcher: Watcher) -> None:
    """Call `watcher` whenever something was answered in a lesson ("02")."""
    _HEADS.setdefault(number, []).append(watcher)


def announce(number: str) -> None:
    """Tell the heads of a lesson that something was answered."""
    for watcher in tuple(_HEADS.get(number, ())):
        watcher()


def forget(number: str = "") -> None:
    """Forget the answers and guesses of a lesson ("02"), or of all; widgets on the page follow."""
    for memory in tuple(_MEMORIES.values()):
        if number in ("", memory.question.lesson):
            memory.forget()
    for each in tuple(_HEADS):
        if number in ("", each):
            announce(each)


def restart() -> None:
    """Forget as a restarted kernel does: what `store` keeps is read again."""
    _MEMORIES.clear()
    _HEADS.clear()
