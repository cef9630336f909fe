"""Integers of 32 bits, as old counters used them: past 2^31 − 1 they start again at −2^31.

All but the last function are exact arithmetic on Python integers. `old_keras_count` is the old code
itself, on NumPy integers that have the width of the platform's C long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

from .errors import CnnmemError

INT32_MAX = 2**31 - 1
TURN = 2**32  # what a 32-bit integer cannot tell from nothing

C_LONGS = {"int32": "Windows", "int64": "Linux and macOS"}  # of 64-bit Python


def wrap_int32(value: int | Fraction) -> int:
    """Return a whole number as a 32-bit integer would hold it.

    >>> wrap_int32(2**31 + 4096), wrap_int32(2_183_080_744)
    (-2147479552, -2111886552)
    """
    return (int(value) + 2**31) % TURN - 2**31


def turns(value: int) -> int:
    """Return how often a number has gone past the top: `value - turns * 2^32` is what is left.

    >>> turns(2**31 - 1), turns(2**31), turns(15_470_264_320)
    (0, 1, 4)
    """
    return (value - wrap_int32(value)) // TURN


def tipping_point(count: Callable[[int], int], least: int, most: int) -> int:
    """Return the first size from `least` to `most` whose count a 32-bit integer cannot hold.

    `count` must not fall as the size grows; the answer is found by bisection, exactly. Raises
    `CnnmemError` where the count fits at `most` still, or does not fit at `least` any more.

    >>> tipping_point(lambda side: side * side, 1, 100_000)
    46341
    """
    if count(least) > INT32_MAX:
        raise CnnmemError(
            f"{count(least):,} at {least} is past 2^31 - 1 already; begin with a smaller size"
        )
    if count(most) <= INT32_MAX:
        raise CnnmemError(f"{count(most):,} at {most} fits 32 bits; look among larger sizes")
    fits, tips = least, most
    while tips - fits > 1:
        middle = (fits + tips) // 2
        if count(middle) > INT32_MAX:
            tips = middle
        else:
            fits = middle
    return tips


class Run(NamedTuple):
    """Neighbouring sizes with one exact count, and what 32 bits make of it."""

    first: int
    last: int
    exact: int
    shown: int

    @property
    def hidden(self) -> bool:
        """Whether the number shown is wrong and has no minus sign that would say so."""
        return self.exact > INT32_MAX and self.shown >= 0


def runs(count: Callable[[int], int], first: int, last: int) -> tuple[Run, ...]:
    """Return the sizes from `first` to `last`, neighbours with one count taken together.

    >>> runs(lambda size: (size // 2) * 3_000_000_000, 1, 4)
    (Run(first=1, last=1, exact=0, shown=0),
     Run(first=2, last=3, exact=3000000000, shown=-1294967296),
     Run(first=4, last=4, exact=6000000000, shown=1705032704))
    """
    found: list[Run] = []
    for size in range(first, last + 1):
        exact = count(size)
        if found and found[-1].exact == exact:
            found[-1] = found[-1]._replace(last=size)
        else:
            found.append(Run(size, size, exact, wrap_int32(exact)))
    return tuple(found)


def old_keras_count(shapes: Iterable[tuple[int, ...]], c_long: str = "int32") -> int:
    """Return the parameters of arrays of these shapes, counted as Keras 2 counted: in NumPy.

    Each array's size is the product of its shape, the total is the sum of the sizes, and both are
    integers as wide as a C long: "int32" on Windows, "int64" elsewhere. NumPy says nothing when an
    array's product or sum wraps. Raises `CnnmemError` for another width.

    >>> fc1 = ((524288, 4096), (4096,))
    >>> old_keras_count(fc1), old_keras_count(fc1, c_long="int64")
    (-2147479552, 2147487744)
    """
    import numpy as np

    if c_long not in C_LONGS:
        raise CnnmemError(f"a C long is int32 or int64, not {c_long!r}")
    long = np.dtype(c_long).type
    sizes = [np.prod(np.array(shape, dtype=long), dtype=long) for shape in shapes]
    return int(np.sum(np.array(sizes, dtype=long), dtype=long))
