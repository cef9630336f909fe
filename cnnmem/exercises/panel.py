"""A question on the screen: statement, answer, check, hint, reveal, all reachable by keyboard.

Everything a learner can do can also be done from Python. A page without a kernel shows the question
and its options. Displaying a question never stores its solution in the notebook.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ipywidgets

from .entries import entry_of
from .feedback import Note, Verdict, code_block, to_html
from .question import Question
from .sitting import Sitting

DEFECT = "This is a defect of the kit, please report it: "
LOOK = "font-size:14px;line-height:1.45;max-width:48em"  # the widgets' own line height is too large
_COLOURS = {"right": "#00695c", "wrong": "#b00020"}
EARLIER = "Said of your earlier answer:"
RESTORE = "Restore my last answer"


def heading(question: Question) -> str:
    """Return the heading of a question: its title, its id and the lesson that it recalls."""
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


class Readable(ipywidgets.VBox):
    """A box that can also be read without a kernel."""

    def _texts(self) -> tuple[str, str]:
        """Return what is shown without a kernel, as text and as HTML."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"], data["text/html"] = self._texts()
        return bundle


class Panel(Readable):
    """An exercise. `answer`, `check`, `hint`, `reveal` do what its controls do.

    >>> from cnnmem.exercises.choice import Choice, Option
    >>> question = Choice(id="00-x", title="", statement="", hints=("", "", ""), why="It is.",
    ...     options=(Option("fc1"), Option("fc2", hint="Smaller than fc1.")))
    >>> panel = Panel(Sitting(question, keep=False))
    >>> panel.answer("fc2").check()
    Wrong. Smaller than fc1.
    >>> panel.state
    'wrong'
    """

    def __init__(self, sitting: Sitting) -> None:
        self.question = question = sitting.question
        self._sitting = sitting
        self._entry = entry_of(question)
        if sitting.entered is not None:
            self._entry.write(sitting.entered)
        self._entry.on_change(self._changed)
        self._entry.on_enter(lambda: self._guarded(self.check))
        self._status = ipywidgets.HTML(layout={"width": "100%"})
        self._buttons = {
            name: self._button(name, tip, action)
            for name, tip, action in (
                ("Check", "judge the answer", self.check),
                ("Hint", "a hint; there are three", self.hint),
                ("Reveal", "after an attempt, or when pressed twice", self.reveal),
                (RESTORE, "from an earlier session", self.restore),
            )
        }
        # only if an earlier session left an answer and this one has none
        if sitting.entered is not None or sitting.last_answer() is None:
            del self._buttons[RESTORE]
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
        self._show()

    def _button(self, name: str, tip: str, action: Callable[[], object]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=name, tooltip=tip, layout={"width": "auto"})
        button.on_click(lambda _: self._guarded(action))
        return button

    def _guarded(self, action: Callable[[], object]) -> None:
        """Run a button's action and show its error, which ipywidgets would swallow."""
        try:
            action()
        except Exception as error:
            self._show(DEFECT + repr(error))
            raise

    def _changed(self) -> None:
        self._sitting.entered = self._entry.read()
        self._show()

    def press(self, name: str) -> Panel:
        """Press the button with this label, as the learner would."""
        self._buttons[name].click()
        return self

    def answer(self, answer: Any = None, **cells: Any) -> Panel:
        """Enter an answer without checking it; cells of a row are given by name."""
        self._entry.write(cells if cells else answer)
        return self

    def check(self, *answer: Any) -> Verdict:
        """Judge the answer that was entered, or the one passed here.

        The verdict on a function passed here repeats the statement, as no panel is shown there.
        """
        function = answer and callable(answer[0])  # it stays in its own cell, not in the widget
        if answer and not function:
            self._entry.write(answer[0])
        verdict = self._sitting.check(answer[0] if answer else self._entry.read())
        self._sitting.judged = self._sitting.entered
        self._show()
        if function:
            return Checked(
                verdict.state,
                verdict.text,
                verdict.slip,
                question=self.question,
                closing=self._sitting.closing,
            )
        return verdict

    def hint(self) -> Note:
        """Give the next of three hints."""
        note = self._sitting.hint()
        self._show()
        return note

    def reveal(self) -> Note:
        """Show the solution after an attempt, or when asked twice."""
        note = self._sitting.reveal()
        self._show()
        return note

    def restore(self) -> Note:
        """Enter the last answer of an earlier session again."""
        last = self._sitting.last_answer()
        if last is None:
            note = Note("No answer of yours is kept for this question.")
        else:
            self._entry.write(last)
            note = Note("Your last answer stands here again; press Check.")
        self._sitting.feedback = note
        self._show()
        return note

    @property
    def state(self) -> str:
        """The state reached: "not attempted", "wrong" or "right"."""
        return self._sitting.state

    @property
    def feedback(self) -> str:
        """The latest feedback as text; "" at the start."""
        return "" if self._sitting.feedback is None else str(self._sitting.feedback)

    def _show(self, trouble: str = "") -> None:
        """Show the latest feedback; a verdict colours the bar until its answer is changed."""
        said, sitting = self._sitting.feedback, self._sitting
        text = trouble or self.feedback
        judged = isinstance(said, Verdict) and said.state != "not attempted" and not trouble
        earlier = judged and sitting.entered != sitting.judged
        colour = _COLOURS.get(said.state if isinstance(said, Verdict) and not earlier else "")
        look = f"border-left:4px solid {colour or '#757575'};padding-left:.7em"
        parts = (
            f"<p><em>{EARLIER}</em></p>" if earlier else "",
            to_html(text) if text else "",
            to_html(sitting.closing) if sitting.closing else "",
            f"<p>{html.escape(sitting.message)}</p>" if sitting.message else "",
        )
        # the live region exists from the start: screen readers announce changes inside it
        self._status.value = (
            f'<div role="status" data-state="{self.state}" style="{LOOK};{look if text else ""}">'
            f"{''.join(parts)}</div>"
        )

    def _texts(self) -> tuple[str, str]:
        return (
            plain_text(self.question),
            question_html(self.question) + "<p><em>Run the cell to answer.</em></p>",
        )

    def __repr__(self) -> str:
        return f"<question {self.question.id}: {self.state}>"


@dataclass(frozen=True, repr=False)
class Checked(Verdict):
    r"""A verdict on a function that is read without a panel: with the statement and next steps.

    >>> from cnnmem.exercises.coding import Write
    >>> question = Write(id="00-x", title="The next one", statement="Add 1.", hints=("", "", ""),
    ...     why="", name="f", starter="def f(n):\n    ...", fixed="def f(n):\n    return n + 1",
    ...     reference=lambda n: n + 1, inputs=((1,), (2,)))
    >>> Panel(Sitting(question, keep=False)).check(lambda n: n)
    The next one (00-x)
    <BLANKLINE>
    Add 1.
    <BLANKLINE>
    Wrong. `f(1)` gives 1; right is 2. It is right for 0 of 2 inputs.
    ...
    """

    question: Question = field(kw_only=True)
    closing: str = field(default="", kw_only=True)

    @property
    def next_steps(self) -> str:
        """What the learner can do next."""
        asked = f'ask("{self.question.id}")'
        if self.state == "right":
            return f"`{asked}.reveal()` shows a solution to compare yours with."
        return (
            "Change the function and run its cell and this one again. In a cell of their own, "
            f"`{asked}.hint()` gives a hint, there are three, and `{asked}.reveal()` the solution."
        )

    def __str__(self) -> str:
        verdict = super().__str__()
        parts = (heading(self.question), self.question.statement, verdict, self.next_steps)
        return "\n\n".join(filter(None, (*parts, self.closing)))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        look = f"{LOOK};border-left:4px solid {_COLOURS.get(self.state, '#757575')}"
        texts = (super().__str__(), self.next_steps, self.closing)
        return (
            f"{question_html(self.question, body=False)}"
            f'<div role="status" style="{look};padding-left:.7em">'
            f"{''.join(to_html(text) for text in texts if text)}</div>"
        )
