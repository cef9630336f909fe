"""How far a learner has come, in a lesson and in the series."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import ipywidgets

from cnnmem.lessons.registry import LESSONS, lesson
from cnnmem.tables import html_table

from . import store
from .panel import Readable

HEADER = ("lesson", "right", "tried", "questions")


@dataclass(frozen=True)
class Tally:
    """A lesson's questions: how many were answered right, how many tried, how many there are."""

    lesson: str
    right: int
    tried: int
    questions: int

    def __str__(self) -> str:
        return (
            f"lesson {self.lesson}, {LESSONS[self.lesson]}: {self.right} of {self.questions} "
            f"right, {self.tried} tried"
        )


def tally(number: str, records: Mapping[str, store.Record]) -> Tally:
    """Count a lesson's questions by what is kept of them; a prediction counts as tried.

    >>> print(tally("02", {"02-where": store.Record("right", 1)}))
    lesson 02, VGG-16: 138 million: 1 of 8 right, 1 tried
    """
    states = [records[q.id].state for q in lesson(number) if q.id in records]
    tried = sum(state != "not attempted" for state in states)
    return Tally(number, states.count("right"), tried, len(lesson(number)))


class Overview(Readable):
    """A table of the lessons; a page without a kernel says only that there is one."""

    def __init__(self, numbers: tuple[str, ...]) -> None:
        kept = store.load()
        self.tallies = tuple(tally(number, kept.records) for number in numbers)
        self.message = kept.message
        rows = [
            (f"{t.lesson} {LESSONS[t.lesson]}", t.right, t.tried, t.questions) for t in self.tallies
        ]
        note = f'<p role="status">{html.escape(self.message)}</p>' if self.message else ""
        table = html_table(HEADER, rows, "Your progress", left=1)
        super().__init__([ipywidgets.HTML(table + note)])

    @property
    def text(self) -> str:
        """The table as lines of text."""
        return "\n".join([*map(str, self.tallies), *filter(None, (self.message,))])

    def _texts(self) -> tuple[str, str]:
        # what is kept differs from reader to reader, and must not be stored in a notebook
        said = "Run the cell to see your progress."
        return said, f"<p><em>{said}</em></p>"

    def __repr__(self) -> str:
        return f"<progress of {len(self.tallies)} lessons>"


def progress(number: str = "") -> Overview:
    """Return the progress of a lesson ("02") or, without argument, of the series.

    Raises `UnknownNameError` for a lesson that is not there.
    """
    return Overview((number,) if number else tuple(LESSONS))
