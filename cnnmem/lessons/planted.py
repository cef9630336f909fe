"""The counters with planted bugs, to run and audit like any other counter."""

from __future__ import annotations

from collections.abc import Callable

from cnnmem.errors import CnnmemError
from cnnmem.exercises.coding import Bug

from .registry import get


def planted(id: str, repaired: bool = False) -> Callable[..., int]:
    """Return the counter from a question about a bug, either with the bug or `repaired`.

    Raises `CnnmemError` if the question is not about a bug.

    >>> planted("08-c-in")(512, 1, 3, 1, 1), planted("08-c-in", repaired=True)(512, 1, 3, 1, 1)
    (17, 9215)
    """
    question = get(id)
    if not isinstance(question, Bug):
        raise CnnmemError(f"{id} is not about a bug; use 08-twice, 08-c-in or 08-relu")
    names: dict[str, Callable[..., int]] = {}
    source = question.fixed if repaired else question.starter
    exec(compile(source, f"<the counter of {id}>", "exec"), names)
    return names[question.name]
