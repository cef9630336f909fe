"""Checks of integer arguments, shared by all rooms."""

from __future__ import annotations

import operator
from typing import Any

from .errors import ShapeError


def as_int(value: Any, least: int = 1) -> int | None:
    """Return `value` as an int; None if it is not an integer or is below `least`.

    NumPy's integers are accepted but converted, because they overflow and Python's do not. True
    and False are not integers here.

    >>> as_int(3), as_int(0), as_int(3.0), as_int(True)
    (3, None, None, None)
    """
    if isinstance(value, bool):
        return None
    if not isinstance(value, int):
        try:
            value = operator.index(value)
        except TypeError:
            return None
    return value if value >= least else None


def is_int(value: object) -> bool:
    """Return whether `value` is a Python int (True and False are not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def positive(name: str, value: object) -> int:
    """Return `value` as an int; raise `ShapeError`, naming the argument, if it is not positive.

    >>> positive("batch", 8)
    8
    """
    number = as_int(value)
    if number is None:
        raise ShapeError(f"{name} is {value!r}; it must be a positive integer")
    return number
