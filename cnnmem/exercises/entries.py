"""The widgets for giving an answer: one class for each kind of answer."""

from __future__ import annotations

import asyncio
import html
import sys
from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets

from cnnmem.errors import CnnmemError

from .choice import Choice
from .coding import Bug, Write
from .number import Number
from .ordering import Order
from .question import Question
from .readable import LOOK
from .row import FillRow

WIDE = {"width": "auto", "max_width": "100%"}
LABEL = {"description_width": "9em"}
LAG = 0.2  # seconds to wait after Enter for the text that it ended
Action = Callable[[], object]


class Entry(Protocol):
    """Where an answer is given: the widget shown, and the answer in it."""

    shown: ipywidgets.Widget

    def read(self) -> Any:
        """Return the current answer."""
        ...

    def write(self, answer: Any) -> None:
        """Enter an answer, as the learner would; what does not fit is ignored."""
        ...

    def on_change(self, action: Action) -> None:
        """Call `action` whenever the answer changes."""
        ...

    def on_enter(self, action: Action) -> None:
        """Call `action` when the learner presses Enter, but not when the text loses focus."""
        ...


class NoLine:
    """An entry without a text field, where Enter does nothing."""

    def on_enter(self, action: Action) -> None:
        return None


class TextEntry:
    """A text field."""

    def __init__(self, label: str = "Your answer", placeholder: str = "") -> None:
        self.shown = ipywidgets.Text(
            description=label,
            placeholder=placeholder,
            continuous_update=False,  # the text arrives in one message, right after Enter
            style=LABEL,
            layout={"width": "28em", "max_width": "100%"},
            tooltip=label,
        )

    def read(self) -> Any:
        return self.shown.value

    def write(self, answer: Any) -> None:
        self.shown.value = "" if answer is None else str(answer)

    def on_change(self, action: Action) -> None:
        self.shown.observe(lambda change: action(), "value")

    def on_enter(self, action: Action) -> None:
        # the value cannot be observed instead: it also changes when the field loses focus
        def told(widget: ipywidgets.Text, content: dict[str, Any], buffers: object) -> None:
            if content.get("event") == "submit":
                _soon(action)

        self.shown.on_msg(told)


def _soon(action: Action) -> None:
    """Call `action` once the text has arrived: a browser sends Enter before what was typed."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        action()
    else:
        loop.call_later(LAG, action)


class ChoiceEntry(NoLine):
    """Radio buttons; none is selected at first."""

    def __init__(self, question: Choice) -> None:
        self.question = question
        self.shown = ipywidgets.RadioButtons(
            options=list(question.labels),
            value=None,
            layout=WIDE,
            description="Your answer",
            style=LABEL,
        )

    def read(self) -> Any:
        return self.shown.value

    def write(self, answer: Any) -> None:
        index = self.question.index(answer)
        self.shown.value = None if index is None else self.question.labels[index]

    def on_change(self, action: Action) -> None:
        self.shown.observe(lambda change: action(), "value")


class OrderEntry(NoLine):
    """A drop-down list for each place, the smallest first."""

    def __init__(self, question: Order) -> None:
        self.question = question
        options = [("choose", ""), *((label, label) for label in question.labels)]
        last = len(question.labels)
        ends = {1: " (smallest)", last: " (largest)"}
        self.places = [
            ipywidgets.Dropdown(
                options=options,
                value="",
                description=f"Place {i}{ends.get(i, '')}",
                style=LABEL,
                layout={"width": "98%", "max_width": "40em"},
            )
            for i in range(1, last + 1)
        ]
        self.shown = ipywidgets.VBox(self.places, layout={"width": "auto"})

    def read(self) -> Any:
        return [place.value for place in self.places if place.value]

    def write(self, answer: Any) -> None:
        items = self.question.places(answer)[: len(self.places)]
        for place in self.places:
            place.value = ""
        for place, item in zip(self.places, items, strict=False):
            place.value = "" if item is None else self.question.labels[item]

    def on_change(self, action: Action) -> None:
        for place in self.places:
            place.observe(lambda change: action(), "value")


class RowEntry:
    """A text field for each cell."""

    def __init__(self, question: FillRow) -> None:
        self.cells = {
            cell.name: TextEntry(
                cell.name, "height x width x channels" if isinstance(cell.value, tuple) else ""
            )
            for cell in question.cells
        }
        self.shown = ipywidgets.VBox([entry.shown for entry in self.cells.values()])

    def read(self) -> Any:
        return {name: entry.read() for name, entry in self.cells.items()}

    def write(self, answer: Any) -> None:
        if isinstance(answer, list | tuple):
            answer = dict(zip(self.cells, answer, strict=False))
        for name, entry in self.cells.items():
            entry.write(answer.get(name) if isinstance(answer, dict) else None)

    def on_change(self, action: Action) -> None:
        for entry in self.cells.values():
            entry.on_change(action)

    def on_enter(self, action: Action) -> None:
        for entry in self.cells.values():
            entry.on_enter(action)


class FunctionEntry(NoLine):
    """No input widget: the function is written in a notebook cell and found by its name."""

    def __init__(self, question: Write) -> None:
        self.name = question.name
        self.given: Any = None
        name = f"<code>{html.escape(question.name)}</code>"
        todo = f"Complete {name} in its cell and run it; then press Check, or run this cell again."
        if self.read() is None:
            todo = (
                f"Copy this into a cell, complete it and run it. Check looks for {name} in the "
                "notebook."
            )
        self.shown = ipywidgets.HTML(f'<p style="{LOOK}">{todo}</p>')

    def read(self) -> Any:
        notebook = sys.modules["__main__"]
        return self.given if self.given is not None else getattr(notebook, self.name, None)

    def write(self, answer: Any) -> None:
        self.given = answer

    def on_change(self, action: Action) -> None:
        return None


class LineEntry(NoLine):
    """A drop-down list of line numbers; a function passed from Python is kept beside it."""

    def __init__(self, question: Bug) -> None:
        self.question = question
        self.given: Any = None
        self.shown = ipywidgets.Dropdown(
            options=[("choose", ""), *((f"line {i}", f"line {i}") for i in self._numbers())],
            value="",
            description="The bug is in",
            style=LABEL,
            layout={"width": "20em"},
        )
        self.shown.observe(self._chosen, "value")

    def _numbers(self) -> range:
        return range(1, len(self.question.lines) + 1)

    def _chosen(self, change: dict[str, Any]) -> None:
        self.given = None

    def read(self) -> Any:
        return self.shown.value if self.given is None else self.given

    def write(self, answer: Any) -> None:
        line = next(
            (f"line {i}" for i in self._numbers() if answer in (i, str(i), f"line {i}")), ""
        )
        self.shown.value = line
        self.given = None if line or answer in (None, "") else answer

    def on_change(self, action: Action) -> None:
        self.shown.observe(lambda change: action(), "value")


def entry_of(question: Question) -> Entry:
    """Return empty widgets for a question's answer; raises `CnnmemError` for an unknown kind."""
    if isinstance(question, Choice):
        return ChoiceEntry(question)
    if isinstance(question, Order):
        return OrderEntry(question)
    if isinstance(question, FillRow):
        return RowEntry(question)
    if isinstance(question, Write):
        return FunctionEntry(question)
    if isinstance(question, Bug):
        return LineEntry(question)
    if isinstance(question, Number):
        return TextEntry(placeholder=f"for example {question.scale.example}")
    raise CnnmemError(f"there is no widget for a question of kind {question.kind!r}")
