"""Reject what cannot be drawn; messages name the argument, the value and the fix."""

from __future__ import annotations

import math
from fractions import Fraction

from cnnmem.errors import CnnmemError

LIMIT = 10**100  # far above any count; a float still holds it after any scale


def text(argument: str, value: object) -> None:
    """Raise CnnmemError unless ``value`` is a string."""
    if not isinstance(value, str):
        raise CnnmemError(f"{argument}: {value!r:.60} is a {type(value).__name__}; pass a string")


def number(argument: str, value: object) -> None:
    """Raise CnnmemError unless ``value`` is an int, a Fraction or a finite float.

    Bools and NumPy scalars are rejected: a bool is a slip, and NumPy's ints wrap silently.
    """
    if type(value) not in (int, Fraction, float):
        raise CnnmemError(
            f"{argument}: {value!r} is a {type(value).__name__}; pass an int, Fraction or float"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise CnnmemError(f"{argument}: {value!r} cannot be drawn; leave it out or pass 0")
    if isinstance(value, int | Fraction | float) and not -LIMIT < value < LIMIT:
        raise CnnmemError(f"{argument}: a number with over 100 digits; use a larger unit")


def tuple_of(argument: str, value: object, kind: type) -> None:
    """Raise CnnmemError unless ``value`` is a tuple that holds only ``kind``."""
    if type(value) is not tuple:
        raise CnnmemError(f"{argument}: {value!r:.60} is a {type(value).__name__}; pass a tuple")
    for item in value:
        if not isinstance(item, kind):
            name = kind.__name__
            raise CnnmemError(f"{argument}: {item!r:.60} is not a {name}; pass a tuple of {name}")


def units(unit: str, scale: object, base_unit: str) -> None:
    """Raise CnnmemError unless there is a unit, and a base unit if there is a scale."""
    text("unit", unit)
    if not unit:
        raise CnnmemError("unit: ''; a quantity needs one, such as 'parameters' or 'MB'")
    if type(scale) not in (int, Fraction):
        raise CnnmemError(f"scale: {scale!r} must be an int or Fraction, such as 10**6 for MB")
    if isinstance(scale, int | Fraction) and not Fraction(1, LIMIT) < scale < LIMIT:
        raise CnnmemError(f"scale: {scale!r} must be positive, such as 10**6 for MB")
    if scale != 1 and not base_unit:
        raise CnnmemError(f"base_unit: ''; with scale={scale} say what is counted, such as 'bytes'")
