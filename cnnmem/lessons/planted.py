"""The counters with planted bugs, to be run and audited like any other."""

from __future__ import annotations

from collections.abc import Callable

from cnnmem.errors import CnnmemError
from cnnmem.exercises.coding import Bug

from .registry import get


def planted(id: str, repaired: bool = False) -> Callable[..., int]:
    """Return the counter of a question about a bug, with its bug or `repaired`.

    Raises `CnnmemError` for a question about something else.

    >>> planted("08-c-in")(512, 1, 3, 1, 1), planted("08-c-in", repaired=True)(512, 1, 3, 1, 1)
    (17, 9215)
    """
    question = get(id)
    if not isinstance(question, Bug):
        raise CnnmemError(f"{id} asks about no bug; take 08-twice, 08-c-in or 08-relu")
    names: dict[str, Callable[..., int]] = {}
    source = question.fixed if repaired else question.starter
    exec(compile(source, f"<the counter of {id}>", "exec"), names)
    return names[question.name]
