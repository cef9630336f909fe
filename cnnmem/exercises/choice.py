"""Multiple-choice questions: one option is right, and each wrong one has its own hint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cnnmem.errors import CnnmemError

from .feedback import Slip, Verdict, letter
from .question import Question


@dataclass(frozen=True)
class Option:
    """An option; the right one has no hint. `category` is the name of its bar on a chart."""

    text: str
    hint: str = ""
    category: str = ""


@dataclass(frozen=True, kw_only=True)
class Choice(Question):
    """A multiple-choice question, answered by letter or by text.

    Raises `CnnmemError` unless exactly one option has no hint.

    >>> q = Choice(id="00-x", title="", statement="", hints=("", "", ""), why="Because.",
    ...     options=(Option("fc1"), Option("fc2", hint="Smaller than fc1.")))
    >>> q.judge("B").text, q.judge("fc1").state, q.judge("z").state
    ('Smaller than fc1.', 'right', 'not attempted')
    """

    options: tuple[Option, ...]

    kind: ClassVar[str] = "choice"
    blank: ClassVar[Any] = None

    def __post_init__(self) -> None:
        if [option.hint for option in self.options].count("") != 1:
            raise CnnmemError(f"{self.id}: exactly one option, the right one, must have no hint")

    @property
    def right(self) -> int:
        """The index of the right option."""
        return [option.hint for option in self.options].index("")

    @property
    def solution(self) -> str:
        return letter(self.right)

    @property
    def known(self) -> tuple[Slip, ...]:
        return tuple(
            Slip(name=option.text, answer=letter(i), hint=option.hint)
            for i, option in enumerate(self.options)
            if option.hint
        )

    @property
    def body(self) -> str:
        return "\n".join(self.labels)

    @property
    def labels(self) -> tuple[str, ...]:
        """The options with their letters."""
        return tuple(f"{letter(i)}) {option.text}" for i, option in enumerate(self.options))

    def index(self, answer: Any) -> int | None:
        """Return the index of the option that an answer names; None if it matches no option."""
        if not isinstance(answer, str):
            return None
        given = " ".join(answer.split()).casefold()
        for i, option in enumerate(self.options):
            text = option.text.casefold()
            if given in (letter(i), f"{letter(i)})", text, f"{letter(i)}) {text}"):
                return i
        return None

    def show(self, answer: Any) -> str:
        index = self.index(answer)
        return str(answer) if index is None else self.labels[index]

    def judge(self, answer: Any) -> Verdict:
        if answer is None or answer == "":
            return Verdict("not attempted", "Choose one of the options first.")
        index = self.index(answer)
        if index is None:
            last = letter(len(self.options) - 1)
            return Verdict("not attempted", f"Answer with a letter from a to {last}.")
        option = self.options[index]
        if index == self.right:
            return Verdict("right", self.why)
        return Verdict("wrong", option.hint, option.text)
