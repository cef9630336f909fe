"""A question on the screen: statement, answer, check, hint, reveal, all reachable by keyboard.

Everything a learner can do can also be done from Python. A page without a kernel shows the question
and its options. Displaying a question never stores its solution in the notebook.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import ipywidgets

from . import kernel, sandbox
from .cell import broken_cell
from .coding import Bug, Coding, Write
from .entries import entry_of
from .feedback import Note, Verdict, to_html
from .readable import (
    COLOURS,
    DEFECT,
    LOOK,
    OTHER,
    Readable,
    plain_text,
    question_html,
    status,
)
from .sitting import Sitting
from .veil import Veil

EARLIER = "Said of your earlier answer:"
RESTORE = "Restore my last answer"
IN_PLACE = (
    "Your function runs inside this page. Where a check has not ended after ten seconds, only a "
    "new start of the kernel ends it (menu <em>Kernel</em>, <em>Restart Kernel</em>); your other "
    "answers are kept."
)
SOLVED = '<span style="color:#00695c;font-weight:600">&#10003; solved</span>'
IN_CONTROLS = ("choice", "order", "row")  # the body of these is what their controls show


class Panel(Readable):
    """An exercise. `answer`, `check`, `hint`, `reveal` do what its controls do.

    A function to write is looked up in the notebook by its name, and checked at once.

    >>> from cnnmem.exercises.choice import Choice, Option
    >>> question = Choice(id="00-x", title="", statement="", hints=("", "", ""), why="It is.",
    ...     options=(Option("fc1"), Option("fc2", hint="Smaller than fc1.")))
    >>> panel = Panel(kernel.Memory(question, Sitting(question, keeps=False)))
    >>> panel.answer("fc2").check()
    Wrong. Smaller than fc1.
    >>> panel.state
    'wrong'
    """

    def __init__(self, memory: kernel.Memory) -> None:
        self.question = question = memory.question
        self._memory = memory
        self._entry = entry_of(question)
        sitting = self._sitting
        if sitting.entered is not None:
            self._entry.write(sitting.entered)
        self._entry.on_change(self._changed)
        self._entry.on_enter(lambda: self._guarded(self.check))
        self._status = ipywidgets.HTML(layout={"width": "auto"})
        self._mark = ipywidgets.HTML()
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
        self._written = isinstance(question, Write) and self._entry.read() is not None
        body = question.kind not in IN_CONTROLS and not self._written
        super().__init__(
            [
                ipywidgets.HTML(question_html(question, body=body)),
                *self._warning(),
                self._entry.shown,
                ipywidgets.HBox(
                    [*self._buttons.values(), self._mark], layout={"flex_flow": "row wrap"}
                ),
                self._status,
            ],
            layout={"width": "100%"},
        )
        self.add_class("cnnmem-question")
        memory.on_forget.append(self._start_over)
        self._show()
        if self._written:
            self.check()

    @property
    def _sitting(self) -> Sitting:
        return self._memory.sitting

    def _warning(self) -> list[ipywidgets.HTML]:
        """Return what must be said before a function runs where nothing can end it."""
        if sandbox.PROCESSES or not isinstance(self.question, Coding):
            return []
        return [ipywidgets.HTML(f'<p style="{LOOK}">{IN_PLACE}</p>')]

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

    def _start_over(self) -> None:
        self._entry.write(None)
        self._sitting.entered = None
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
        """Judge the answer that was entered, or the one passed here."""
        sitting = self._sitting
        if answer and not callable(answer[0]):  # a function stays in its own cell
            self._entry.write(answer[0])
        given = answer[0] if answer else self._entry.read()
        question, broken = self.question, ""
        if isinstance(question, Write) or (isinstance(question, Bug) and callable(given)):
            broken = broken_cell(question.name)
        verdict = sitting.refuse(broken) if broken else sitting.check(given)
        sitting.judged = sitting.entered
        self._told(verdict.state != "not attempted")
        return verdict

    def hint(self) -> Note:
        """Give the next of three hints; the verdict stays."""
        note = self._sitting.hint()
        self._told(False)
        return note

    def reveal(self) -> Note:
        """Show the solution after an attempt, or when asked twice."""
        note = self._sitting.reveal()
        self._told(self._sitting.revealed)
        return note

    def restore(self) -> Note:
        """Enter the last answer of an earlier session again."""
        last = self._sitting.last_answer()
        if last is None:
            note = Note("No answer of yours is kept for this question.")
        else:
            self._entry.write(last)
            note = Note("Your last answer stands here again; press Check.")
        self._sitting.note = note
        self._show()
        return note

    def then(self, *parts: Any) -> Veil:
        """Return what follows this question: hidden until it was tried, revealed, or asked for."""
        return Veil(self._memory, parts)

    @property
    def state(self) -> str:
        """The state reached in this kernel: "not attempted", "wrong" or "right"."""
        return self._sitting.state

    @property
    def solved(self) -> bool:
        """Whether the question was answered right, now or in an earlier session."""
        return self.state == "right" or self._sitting.kept_state() == "right"

    @property
    def feedback(self) -> str:
        """All that is said: the verdict, the hints given, the solution; "" at the start."""
        return "\n\n".join(map(str, self._sitting.said))

    def _told(self, opens: bool) -> None:
        self._show()
        if opens:
            self._memory.open()

    def _show(self, trouble: str = "") -> None:
        """Show what was said; a verdict colours the bar until its answer is changed."""
        sitting = self._sitting
        verdict = "not attempted" if sitting.verdict is None else sitting.verdict.state
        earlier = verdict != "not attempted" and sitting.entered != sitting.judged
        colour = OTHER if earlier else COLOURS.get(verdict, OTHER)
        parts = [
            f"<p><em>{EARLIER}</em></p>" if earlier else "",
            *(to_html(str(said)) for said in ([trouble] if trouble else sitting.said)),
            to_html(sitting.closing) if sitting.closing else "",
            f"<p>{html.escape(sitting.message)}</p>" if sitting.message else "",
        ]
        look = f"border-left:4px solid {colour};padding-left:.7em" if any(parts) else ""
        self._status.value = status(parts, look, self.state)
        self._mark.value = SOLVED if self.solved else ""

    def _texts(self) -> tuple[str, str]:
        question = self.question
        if not self._written:
            return (
                plain_text(question),
                question_html(question) + "<p><em>Run the cell to answer.</em></p>",
            )
        verdict = str(self._sitting.verdict)  # of the function in the cell above
        return (
            plain_text(question, body=False) + f"\n\n{verdict}",
            question_html(question, body=False) + to_html(verdict),
        )

    def __repr__(self) -> str:
        return f"<question {self.question.id}: {self.state}>"
