"""Questions that ask the learner to fill in a row of the table, cell by cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

from cnnmem.model.windows import shape_text

from .feedback import Slip, Verdict
from .number import Number
from .quantity import COUNT
from .question import Question


@dataclass(frozen=True)
class Cell:
    """A cell of the row: a count, or a shape (H, W, C), with its known wrong entries."""

    name: str
    value: int | tuple[int, ...]
    slips: tuple[Slip, ...] = ()

    @property
    def text(self) -> str:
        """The right entry as text."""
        return self.show(self.value)

    def show(self, value: Any) -> str:
        """Return an entry as text."""
        return shape_text(value) if isinstance(value, tuple) else f"{value:,}"

    def judge(self, entry: Any) -> Verdict:
        """Return the verdict on a learner's entry."""
        if isinstance(self.value, tuple):
            return self._judge_shape(entry)
        return self._number.judge(entry)

    @cached_property
    def _number(self) -> Number:
        assert isinstance(self.value, int)
        return Number(
            id=self.name,
            title="",
            statement="",
            hints=("", "", ""),
            why="",
            value=self.value,
            scale=COUNT,
            tolerance=Fraction(0),
            slips=self.slips,
        )

    def _judge_shape(self, entry: Any) -> Verdict:
        shape = _shape(entry)
        if shape is None:
            return Verdict("not attempted", "Write a shape as 7 x 5 x 3: height, width, channels.")
        if shape == self.value:
            return Verdict("right", "")
        for slip in self.slips:
            if shape == slip.answer:
                return Verdict("wrong", slip.hint, slip.name)
        return Verdict("wrong", "Not this shape: height, width, channels, in this order.")


def _shape(entry: Any) -> tuple[int, ...] | None:
    if isinstance(entry, list | tuple):
        entry = " ".join(map(str, entry))
    if not isinstance(entry, str) or not re.fullmatch(r"[0-9\s,;x×X*()\[\]]{1,60}", entry):
        return None
    numbers = re.findall("[0-9]+", entry)
    return tuple(map(int, numbers)) if numbers else None


@dataclass(frozen=True, kw_only=True)
class FillRow(Question):
    """A row to fill in: `answer(weights="73,728", biases="128")`, or a list in cell order.

    >>> q = FillRow(id="00-x", title="", statement="", hints=("", "", ""), why="Yes.", cells=(
    ...     Cell("output", (14, 14, 8)),
    ...     Cell("biases", 8, slips=(Slip(name="C_in", answer=4, hint="One a filter."),))))
    >>> q.judge({"output": "14 x 14 x 8", "biases": "4"}).text
    'One a filter.'
    >>> q.judge(["14x14x8", 8]).state
    'right'
    """

    cells: tuple[Cell, ...]

    kind: ClassVar[str] = "row"
    blank: ClassVar[Any] = {}

    @property
    def solution(self) -> dict[str, str]:
        return {cell.name: cell.text for cell in self.cells}

    @property
    def known(self) -> tuple[Slip, ...]:
        return tuple(
            Slip(
                name=f"{cell.name}: {slip.name}",
                answer={**self.solution, cell.name: cell.show(slip.answer)},
                hint=slip.hint,
            )
            for cell in self.cells
            for slip in cell.slips
        )

    @property
    def body(self) -> str:
        return "\n".join(f"{cell.name}: ?" for cell in self.cells)

    def show(self, answer: Any) -> str:
        entries = self._entries(answer)
        return "; ".join(f"{name} {entry}" for name, entry in entries.items())

    def _entries(self, answer: Any) -> dict[str, Any]:
        """Return the entries by cell name, without the empty ones."""
        if isinstance(answer, list | tuple):
            answer = dict(zip([cell.name for cell in self.cells], answer, strict=False))
        if not isinstance(answer, dict):
            return {}
        return {
            cell.name: answer[cell.name]
            for cell in self.cells
            if cell.name in answer and answer[cell.name] not in (None, "")
        }

    def judge(self, answer: Any) -> Verdict:
        entries = self._entries(answer)
        if not entries:
            names = ", ".join(cell.name for cell in self.cells)
            return Verdict("not attempted", f"Fill the cells first: {names}.")
        verdicts = {c.name: c.judge(entries[c.name]) for c in self.cells if c.name in entries}
        unread = [name for name, v in verdicts.items() if v.state == "not attempted"]
        if unread:
            return Verdict("not attempted", f"{unread[0]}: {verdicts[unread[0]].text}")
        wrong = [name for name, verdict in verdicts.items() if verdict.state == "wrong"]
        right = [name for name in verdicts if name not in wrong]
        empty = [cell.name for cell in self.cells if cell.name not in entries]
        if not wrong and empty:
            return Verdict("not attempted", f"Right so far; still empty: {', '.join(empty)}.")
        if not wrong:
            return Verdict("right", self.why)
        first = verdicts[wrong[0]]
        name = f"{wrong[0]}: {first.slip}" if first.slip else ""
        if len(wrong) == 1 and name:
            return Verdict("wrong", first.text, name)
        so_far = f"Right: {', '.join(right)}. " if right else ""
        return Verdict(
            "wrong", f"{so_far}Look again at {', '.join(wrong)}. {wrong[0]}: {first.text}", name
        )
