"""Questions that ask for an order, from the smallest item to the largest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from .feedback import Slip, Verdict, letter
from .question import Question


@dataclass(frozen=True)
class Item:
    """An item to order: its text, and the value that it is ordered by."""

    text: str
    value: Fraction | int


def ordered(values: Sequence[Fraction | int]) -> str:
    """Return the letters of the items, ordered by value, the smallest first.

    >>> ordered([30, 10, 20])
    'b c a'
    """
    places = sorted(range(len(values)), key=lambda i: values[i])
    return " ".join(letter(i) for i in places)


@dataclass(frozen=True, kw_only=True)
class Order(Question):
    """Items to order, the smallest first; answered by letters or texts.

    >>> q = Order(id="00-x", title="", statement="", hints=("", "", ""), why="So it is.",
    ...     items=(Item("MiB", 2**20), Item("kB", 1000), Item("MB", 10**6)))
    >>> q.judge("b, c, a").state, q.judge(["MB", "kB", "MiB"]).text
    ('right', '1 of 3 stand in their place; the first wrong one is in place 1.')
    """

    items: tuple[Item, ...]
    slips: tuple[Slip, ...] = ()

    kind: ClassVar[str] = "order"
    blank: ClassVar[Any] = ()

    @property
    def solution(self) -> str:
        return ordered([item.value for item in self.items])

    @property
    def known(self) -> tuple[Slip, ...]:
        return self.slips

    @property
    def labels(self) -> tuple[str, ...]:
        """The items with their letters."""
        return tuple(f"{letter(i)}) {item.text}" for i, item in enumerate(self.items))

    @property
    def body(self) -> str:
        return "\n".join(self.labels)

    def show(self, answer: Any) -> str:
        places = self.places(answer)
        if not places or None in places:
            return str(answer)
        return " < ".join(self.items[i].text for i in places if i is not None)

    def places(self, answer: Any) -> list[int | None]:
        """Return the items that an answer names, in its order; None for an unknown name."""
        if isinstance(answer, str):
            words = re.findall(r"[^\W_]+", answer.casefold())
            # "bdac" stands for four letters
            if len(words) == 1 and len(words[0]) == len(self.items):
                words = list(words[0])
            return [self._item(word) for word in words]
        if isinstance(answer, list | tuple):
            return [self._item(word) for word in answer if word is not None]
        return []

    def _item(self, word: object) -> int | None:
        for i, item in enumerate(self.items):
            names = (letter(i), item.text.casefold(), f"{letter(i)}) {item.text}".casefold())
            if isinstance(word, str) and word.strip().casefold() in names:
                return i
        return None

    def judge(self, answer: Any) -> Verdict:
        places = self.places(answer)
        if not places:
            return Verdict("not attempted", f"Put all {len(self.items)} items in order first.")
        if None in places:
            last = letter(len(self.items) - 1)
            return Verdict("not attempted", f"Name the items by their letters, a to {last}.")
        if sorted(i for i in places if i is not None) != list(range(len(self.items))):
            return Verdict("not attempted", "Put every item in one place, and none in two.")
        right = self.places(self.solution)
        if places == right:
            return Verdict("right", self.why)
        for slip in self.slips:
            if places == self.places(slip.answer):
                return Verdict("wrong", slip.hint, slip.name)
        good = [a == b for a, b in zip(places, right, strict=True)]
        return Verdict(
            "wrong",
            f"{sum(good)} of {len(good)} stand in their place; the first wrong one is in "
            f"place {good.index(False) + 1}.",
        )
