"""A learner's progress, in a lesson and in the series."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ipywidgets

from cnnmem.tables import html_table

from . import store
from .panel import Readable
from .question import Lesson

HEADER = ("lesson", "right", "tried", "questions")


@dataclass(frozen=True)
class Tally:
    """How many questions of a lesson were answered right, and how many were tried."""

    lesson: Lesson
    right: int
    tried: int

    def __str__(self) -> str:
        return (
            f"lesson {self.lesson.number}, {self.lesson.title}: {self.right} of "
            f"{len(self.lesson.questions)} right, {self.tried} tried"
        )


def tally(lesson: Lesson, records: Mapping[str, store.Record]) -> Tally:
    """Count a lesson's right and tried questions; a prediction counts as tried.

    >>> from cnnmem.exercises.question import Question
    >>> a, b, c = (Question(id=f"00-{x}", title="", statement="", hints=("", "", ""), why="")
    ...     for x in "abc")
    >>> kept = {"00-a": store.Record("right", 1), "00-b": store.Record("predicted", 1)}
    >>> print(tally(Lesson("00", "Start here", (a, b, c)), kept))
    lesson 00, Start here: 1 of 3 right, 2 tried
    """
    states = [records[q.id].state for q in lesson.questions if q.id in records]
    tried = sum(state != "not attempted" for state in states)
    return Tally(lesson, states.count("right"), tried)


class Overview(Readable):
    """A table of the lessons; without a kernel a page only says how to get it."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        kept = store.load()
        self.tallies = tuple(tally(lesson, kept.records) for lesson in lessons)
        self.message = kept.message
        rows = [
            (f"{t.lesson.number} {t.lesson.title}", t.right, t.tried, len(t.lesson.questions))
            for t in self.tallies
        ]
        note = f'<p role="status">{html.escape(self.message)}</p>' if self.message else ""
        table = html_table(HEADER, rows, "Your progress", left=1)
        super().__init__([ipywidgets.HTML(table + note)])

    @property
    def text(self) -> str:
        """The table as lines of text."""
        return "\n".join([*map(str, self.tallies), *filter(None, (self.message,))])

    def _texts(self) -> tuple[str, str]:
        # progress differs from reader to reader and must not be stored in a notebook
        said = "Run the cell to see your progress."
        return said, f"<p><em>{said}</em></p>"

    def __repr__(self) -> str:
        return f"<progress of {len(self.tallies)} lessons>"
