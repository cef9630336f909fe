"""Integers of 32 bits, as old counters used them: past 2^31 − 1 they start again at −2^31."""

from __future__ import annotations

from fractions import Fraction

INT32_MAX = 2**31 - 1


def wrap_int32(value: int | Fraction) -> int:
    """Return a whole number as a 32-bit integer would hold it.

    >>> wrap_int32(2**31 + 4096), wrap_int32(2_183_080_744)
    (-2147479552, -2111886552)
    """
    return (int(value) + 2**31) % 2**32 - 2**31
