"""A learner's progress, in a lesson and in the series."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ipywidgets

from cnnmem.tables import html_table

from . import kernel, store
from .question import Lesson
from .readable import LOOK, Readable

START = "Start again"
SURE = "Forget my answers: press once more"
ABOUT = "forget this lesson's answers and guesses, and hide what follows them"
HEADER = ("lesson", "right", "tried", "questions")


@dataclass(frozen=True)
class Tally:
    """How many questions of a lesson were answered right, and how many were tried."""

    lesson: Lesson
    right: int
    tried: int
    predicted: int = 0

    @property
    def done(self) -> int:
        """The questions that need nothing more: answered right, or predicted."""
        return self.right + self.predicted

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
    return Tally(lesson, states.count("right"), tried, states.count("predicted"))


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
        self.add_class("cnnmem-progress")

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


class Head(Readable):
    """The head of a lesson: "3 of 8 questions done", kept up to date, and a button to start again.

    `start_again` forgets the lesson's answers and returns what was done; it is called at the second
    press of the button.
    """

    def __init__(self, lesson: Lesson, start_again: Callable[[], str]) -> None:
        self.lesson, self._start_again = lesson, start_again
        self._sure = False
        self._line = ipywidgets.HTML()
        self._said = ipywidgets.HTML()
        self._button = ipywidgets.Button(description=START, tooltip=ABOUT, layout={"width": "auto"})
        self._button.on_click(lambda _: self._pressed())
        super().__init__(
            [
                ipywidgets.HBox([self._line, self._button], layout={"flex_flow": "row wrap"}),
                self._said,
            ]
        )
        self.add_class("cnnmem-head")
        kernel.watch(lesson.number, self._show)
        self._show()

    @property
    def text(self) -> str:
        """How many questions are done."""
        done = tally(self.lesson, store.load().records).done
        return f"{done} of {len(self.lesson.questions)} questions done"

    def press(self) -> Head:
        """Press the button, as the reader would; the second press starts again."""
        self._button.click()
        return self

    def _pressed(self) -> None:
        said = ""
        if self._sure:
            said = self._start_again()
        self._sure = not self._sure
        self._show(said)

    def _show(self, said: str = "") -> None:
        done = tally(self.lesson, store.load().records).done
        self._line.value = (
            f'<div role="status" style="{LOOK};margin-right:1em"><label>'
            f'<progress value="{done}" max="{len(self.lesson.questions)}"></progress> '
            f"{self.text}</label></div>"
        )
        self._button.description = SURE if self._sure else START
        self._said.value = f'<p style="{LOOK}">{html.escape(said)}</p>' if said else ""

    def _texts(self) -> tuple[str, str]:
        said = f"Lesson {self.lesson.number}: {len(self.lesson.questions)} questions."
        return said, f"<p><em>{said} Run the cell to see which are done.</em></p>"

    def __repr__(self) -> str:
        return f"<head of lesson {self.lesson.number}>"
