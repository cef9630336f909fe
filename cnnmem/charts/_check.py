"""Refuse what cannot be drawn, naming the argument, the value and the way out."""

from __future__ import annotations

import math
from fractions import Fraction

LIMIT = 10**100  # far above any count; a float still holds it after any scale


def text(argument: str, value: object) -> None:
    """``value`` is a string."""
    if not isinstance(value, str):
        raise ValueError(f"{argument}: {value!r:.60} is a {type(value).__name__}; pass a string")


def number(argument: str, value: object) -> None:
    """``value`` is an int, a Fraction or a finite float: no bool, no NumPy scalar."""
    if type(value) not in (int, Fraction, float):
        raise ValueError(
            f"{argument}: {value!r} is a {type(value).__name__}; pass an int, Fraction or float"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{argument}: {value!r} cannot be drawn; leave it out or pass 0")
    if isinstance(value, int | Fraction | float) and not -LIMIT < value < LIMIT:
        raise ValueError(f"{argument}: a number of over 100 digits; count in a larger unit")


def tuple_of(argument: str, value: object, kind: type) -> None:
    """``value`` is a tuple that holds ``kind`` alone."""
    if type(value) is not tuple:
        raise ValueError(f"{argument}: {value!r:.60} is a {type(value).__name__}; pass a tuple")
    for item in value:
        if not isinstance(item, kind):
            raise ValueError(f"{argument}: {item!r:.60} is not a {kind.__name__}; pass only those")


def units(unit: str, scale: object, base_unit: str) -> None:
    """A unit is there, and before a scale another."""
    text("unit", unit)
    if not unit:
        raise ValueError("unit: ''; a quantity needs one, as 'parameters' or 'MB'")
    if type(scale) not in (int, Fraction):
        raise ValueError(f"scale: {scale!r} must be an int or Fraction, as 10**6 for MB")
    if isinstance(scale, int | Fraction) and not Fraction(1, LIMIT) < scale < LIMIT:
        raise ValueError(f"scale: {scale!r} must be positive, as 10**6 for MB")
    if scale != 1 and not base_unit:
        raise ValueError(f"base_unit: ''; with scale={scale} say what the values count, as 'bytes'")
