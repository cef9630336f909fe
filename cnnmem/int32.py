"""32-bit integers as old counters used them: past 2^31 − 1 they continue at −2^31.

The functions compute exactly, on Python integers. Only `old_keras_count` repeats the old code, on
NumPy integers as wide as the platform's C long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

from .errors import CnnmemError

INT32_MAX = 2**31 - 1
TURN = 2**32  # numbers that differ by a multiple of it have the same 32 bits

C_LONGS = {"int32": "Windows", "int64": "Linux and macOS"}  # which 64-bit Python has which


def wrap_int32(value: int | Fraction) -> int:
    """Return an integer as a 32-bit integer holds it: two's complement keeps the low 32 bits.

    >>> wrap_int32(2**31 + 4096), wrap_int32(2_183_080_744)
    (-2147479552, -2111886552)
    """
    return (int(value) + 2**31) % TURN - 2**31


def turns(value: int) -> int:
    """Return how often a number wraps around: 32 bits show `value - turns * 2^32`.

    >>> turns(2**31 - 1), turns(2**31), turns(15_470_264_320)
    (0, 1, 4)
    """
    return (value - wrap_int32(value)) // TURN


def tipping_point(count: Callable[[int], int], least: int, most: int) -> int:
    """Return the first size from `least` to `most` whose count a 32-bit integer cannot hold.

    `count` must not fall as the size grows: the size is found by bisection. Raises `CnnmemError` if
    the count still fits at `most`, or no longer fits at `least`.

    >>> tipping_point(lambda side: side * side, 1, 100_000)
    46341
    """
    if count(least) > INT32_MAX:
        raise CnnmemError(
            f"{count(least):,} at {least} is already past 2^31 - 1; start at a smaller size"
        )
    if count(most) <= INT32_MAX:
        raise CnnmemError(f"{count(most):,} at {most} fits in 32 bits; try larger sizes")
    fits, tips = least, most
    while tips - fits > 1:
        middle = (fits + tips) // 2
        if count(middle) > INT32_MAX:
            tips = middle
        else:
            fits = middle
    return tips


class Run(NamedTuple):
    """Neighbouring sizes that share one exact count, and what 32 bits show for it."""

    first: int
    last: int
    exact: int
    shown: int

    @property
    def hidden(self) -> bool:
        """Whether the number shown is wrong but has no minus sign to give it away."""
        return self.exact > INT32_MAX and self.shown >= 0


def runs(count: Callable[[int], int], first: int, last: int) -> tuple[Run, ...]:
    """Return the sizes from `first` to `last`, grouped into runs of equal count.

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
    """Count the parameters of arrays of these shapes as Keras 2 did: in NumPy.

    Each array's size is the product of its shape (`K.count_params`), the total is the sum of the
    sizes (`layer_utils.count_params`), and both are integers as wide as a C long: "int32" on
    Windows, "int64" elsewhere. NumPy does not warn when an array's product or sum wraps. Raises
    `CnnmemError` for any other width.

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
