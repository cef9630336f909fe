"""A question on the screen: statement, answer, check, hint, reveal, all reached by keyboard.

Everything a learner does can be done from Python. A page without a kernel shows the question and
its options; a solution is never stored in a notebook by displaying a question.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import cache
from typing import Any

import ipywidgets

from .controls import entry_of
from .feedback import Note, Verdict, code_block, to_html
from .question import Question
from .registry import get
from .sitting import Sitting

DEFECT = "This is a defect of the kit, please report it: "
LOOK = "font-size:14px;line-height:1.45;max-width:48em"  # widgets would space the lines apart
_COLOURS = {"right": "#00695c", "wrong": "#b00020"}


def heading(question: Question) -> str:
    """Return the first line of a question: where it stands and what it is about."""
    recall = f", recalls lesson {question.recalls}" if question.recalls else ""
    return f"{question.title} ({question.id}{recall})"


def plain_text(question: Question) -> str:
    """Return a question as text, without its solution."""
    return "\n\n".join(filter(None, (heading(question), question.statement, question.body)))


def question_html(question: Question, body: bool = True) -> str:
    """Return a question as HTML, without its solution; the body is its options or code."""
    shown = code_block(question.body) if body and question.body else ""
    return (
        f'<div style="{LOOK}"><p><strong>{html.escape(heading(question))}</strong></p>'
        f"{to_html(question.statement)}{shown}</div>"
    )


class Readable(ipywidgets.VBox):  # type: ignore[misc]
    """A box that readers without a kernel can read too."""

    def _texts(self) -> tuple[str, str]:
        """Return what such a reader sees, as text and as HTML."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"], data["text/html"] = self._texts()
        return bundle


class Panel(Readable):
    """An exercise. `answer`, `check`, `hint`, `reveal` do what its controls do.

    >>> q = Panel(Sitting(get("02-where"), keep=False))
    >>> q.answer("fc3").check()
    Wrong. fc3 holds 3.0 %: ...
    >>> q.state
    'wrong'
    """

    def __init__(self, sitting: Sitting) -> None:
        self.question = question = sitting.question
        self._sitting = sitting
        self._entry = entry_of(question)
        self._status = ipywidgets.HTML(layout={"width": "100%"})
        self._buttons = {
            name: self._button(name, tip, action)
            for name, tip, action in (
                ("Check", "judge the answer", self.check),
                ("Hint", "a hint; there are three", self.hint),
                ("Reveal", "after an attempt, or when pressed twice", self.reveal),
                ("Restore my last answer", "from an earlier session", self.restore),
            )
        }
        super().__init__(
            [
                ipywidgets.HTML(
                    question_html(question, body=question.kind not in ("choice", "order", "row"))
                ),
                self._entry.shown,
                ipywidgets.HBox(list(self._buttons.values()), layout={"flex_flow": "row wrap"}),
                self._status,
            ],
            layout={"width": "100%"},
        )
        self.add_class("cnnmem-question")
        self._show("")

    def _button(self, name: str, tip: str, action: Callable[[], object]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=name, tooltip=tip, layout={"width": "auto"})
        button.on_click(lambda _: self._guarded(action))
        return button

    def _guarded(self, action: Callable[[], object]) -> None:
        """Run a button's action; ipywidgets would swallow its error, so the panel shows it."""
        try:
            action()
        except Exception as error:
            self._show(DEFECT + repr(error))
            raise

    def press(self, name: str) -> Panel:
        """Press a button by its label, as the learner would."""
        self._buttons[name].click()
        return self

    def answer(self, answer: Any = None, **cells: Any) -> Panel:
        """Give an answer without checking it; cells of a row are given by name."""
        self._entry.write(cells if cells else answer)
        return self

    def check(self, *answer: Any) -> Verdict:
        """Judge the answer that was given, or the one passed here."""
        if answer and not callable(answer[0]):  # a function stays in its cell, under its name
            self._entry.write(answer[0])
        verdict = self._sitting.check(answer[0] if answer else self._entry.read())
        self._show(str(verdict))
        return verdict

    def hint(self) -> Note:
        """Give the next of three hints."""
        note = self._sitting.hint()
        self._show(str(note))
        return note

    def reveal(self) -> Note:
        """Show the solution after an attempt, or when asked twice."""
        note = self._sitting.reveal()
        self._show(str(note))
        return note

    def restore(self) -> Note:
        """Put the last answer of an earlier session in again."""
        last = self._sitting.last_answer()
        if last is None:
            note = Note("No answer of yours is kept for this question.")
        else:
            self._entry.write(last)
            note = Note("Your last answer stands here again; press Check.")
        self._show(str(note))
        return note

    @property
    def state(self) -> str:
        """What was reached: "not attempted", "wrong" or "right"."""
        return self._sitting.state

    @property
    def feedback(self) -> str:
        """What was said last, as text; "" at the start."""
        return "" if self._sitting.feedback is None else str(self._sitting.feedback)

    def _show(self, text: str) -> None:
        state = self.state if text else "not attempted"  # a fresh panel is of a fresh question
        look = f"border-left:4px solid {_COLOURS.get(state, '#757575')};padding-left:.7em"
        note = f"<p>{html.escape(self._sitting.message)}</p>" if self._sitting.message else ""
        # the live region is there from the start: screen readers announce what changes inside it
        self._status.value = (
            f'<div role="status" data-state="{state}" style="{LOOK};{look if text else ""}">'
            f"{to_html(text) if text else ''}{note}</div>"
        )

    def _texts(self) -> tuple[str, str]:
        return (
            plain_text(self.question),
            question_html(self.question) + "<p><em>Run the cell to answer.</em></p>",
        )

    def __repr__(self) -> str:
        return f"<question {self.question.id}: {self.state}>"


@cache
def _sitting(id: str) -> Sitting:
    return Sitting(get(id))


def ask(id: str) -> Panel:
    """Return the exercise with this id, ready to be answered.

    Asked again it looks untouched, but the ladder of hints goes on and an attempt still counts, so
    that `ask(id).check(function)` can be followed by `ask(id).hint()` and `ask(id).reveal()`.
    Raises `UnknownNameError` for an id that no question has.

    >>> ask("02-where")
    <question 02-where: not attempted>
    """
    return Panel(_sitting(id))
