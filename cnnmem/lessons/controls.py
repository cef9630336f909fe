"""The widgets in which an answer is given, one class a kind of answer."""

from __future__ import annotations

from typing import Any, Protocol

import ipywidgets

from .choice import Choice
from .question import Question

WIDE = {"width": "auto", "max_width": "100%"}
LABEL = {"description_width": "9em"}


class Entry(Protocol):
    """Where an answer is given: the widget that is shown, and the answer in it."""

    shown: ipywidgets.Widget

    def read(self) -> Any:
        """Return the answer as it stands."""
        ...

    def write(self, answer: Any) -> None:
        """Put an answer in, as the learner would; what does not fit is left out."""
        ...


class TextEntry:
    """A line of text."""

    def __init__(self, label: str = "Your answer", placeholder: str = "") -> None:
        self.shown = ipywidgets.Text(
            description=label,
            placeholder=placeholder,
            style=LABEL,
            layout={"width": "28em", "max_width": "100%"},
            tooltip=label,
        )

    def read(self) -> Any:
        return self.shown.value

    def write(self, answer: Any) -> None:
        self.shown.value = "" if answer is None else str(answer)


class ChoiceEntry:
    """Radio buttons, none of them chosen at first."""

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


def entry_of(question: Question) -> Entry:
    """Return the widgets for a question's answer, empty."""
    if isinstance(question, Choice):
        return ChoiceEntry(question)
    return TextEntry(placeholder="for example 553 MB, 138 million, 74 %")
