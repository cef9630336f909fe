"""What all questions have in common, and the lesson that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cnnmem.errors import CnnmemError

from .feedback import Slip, Verdict


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question of a lesson: its statement, three hints, and why the solution is right.

    `id` is the lesson's number and a name ("02-params"). `recalls` is the number of the lesson that
    a recall question returns to. `charted` names the quantity of the charts on which a prediction
    is marked ("parameters"). `reveals` are the phrases that would give the answer away: a test
    keeps them, and the digits of a number, off the page before the question. Each kind of question
    is a subclass, which judges answers and knows the right one and some wrong ones.
    """

    id: str
    title: str
    statement: str
    hints: tuple[str, str, str]
    why: str
    recalls: str = ""
    charted: str = ""
    reveals: tuple[str, ...] = ()

    kind: ClassVar[str]
    blank: ClassVar[Any] = ""  # the untouched answer

    @property
    def lesson(self) -> str:
        """The number of the lesson, two digits."""
        return self.id[:2]

    @property
    def solution(self) -> Any:
        """A right answer, as a learner would give it."""
        raise NotImplementedError

    @property
    def known(self) -> tuple[Slip, ...]:
        """The known wrong answers, each as a learner would give it."""
        raise NotImplementedError

    @property
    def body(self) -> str:
        """What is shown under the statement: options, items, code. Never the solution."""
        return ""

    def judge(self, answer: Any) -> Verdict:
        """Return the verdict on an answer of any type; never raises, whatever a learner enters."""
        raise NotImplementedError

    def show(self, answer: Any) -> str:
        """Return an answer as text."""
        return str(answer)


@dataclass(frozen=True)
class Lesson:
    """A lesson: its number (two digits), its title, and its questions in order.

    Raises `CnnmemError` if two questions share an id, or an id does not begin with the number.
    """

    number: str
    title: str
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        ids = [question.id for question in self.questions]
        for id in ids:
            if ids.count(id) > 1:
                raise CnnmemError(f"two questions of lesson {self.number} are called {id!r}")
            if not id.startswith(f"{self.number}-"):
                raise CnnmemError(
                    f"{id!r} cannot be a question of lesson {self.number}: "
                    f"its id must begin with {self.number}-"
                )
