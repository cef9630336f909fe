"""What every question has, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .feedback import Slip, Verdict


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question of a lesson: its statement, three hints, and why the solution is the solution.

    `id` is the lesson's number and a name ("02-params"). `recalls` names the lesson that a recall
    question comes back to. A kind says how it judges an answer, what answer is right and which
    wrong answers it knows.
    """

    id: str
    title: str
    statement: str
    hints: tuple[str, str, str]
    why: str
    recalls: str = ""

    kind: ClassVar[str]
    blank: ClassVar[Any] = ""  # the untouched answer

    @property
    def lesson(self) -> str:
        """The number of the lesson, two digits."""
        return self.id[:2]

    @property
    def solution(self) -> Any:
        """An answer that is right, as a learner would give it."""
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
        """Return the verdict on an answer of any type; never raises for what a learner can give."""
        raise NotImplementedError

    def show(self, answer: Any) -> str:
        """Return an answer as text."""
        return str(answer)
