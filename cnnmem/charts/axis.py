"""Where values lie on an axis, and where the axis has labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

_TINY = 1e-290  # below this, the arithmetic of ticks would underflow


class Axis(NamedTuple):
    """An axis from ``low`` to ``high``; on a logarithmic one both are powers of ten.

    >>> Axis(0, 100, (0, 50, 100), False).at([0, 25, 100])
    [0.0, 0.25, 1.0]
    >>> Axis(1, 100, (1, 10, 100), True).at([0, 1, 10, 100])
    [0.0, 0.0, 0.5, 1.0]
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool

    def at(self, values: Iterable[float]) -> list[float]:
        """The place of each value: 0 at the low end, 1 at the high end.

        A logarithmic axis has no zero: values up to ``low`` stand at its low end.
        """
        if not self.log:
            low, width = self.low, self.high - self.low
            return [(value - low) / width for value in values]
        low = math.log10(self.low)
        decades = math.log10(self.high) - low
        log10, floor = math.log10, self.low
        return [(log10(value) - low) / decades if value > floor else 0.0 for value in values]

    def labels(self, style: Callable[[float], str]) -> list[tuple[float, str]]:
        """The place and text of each tick."""
        return list(zip(self.at(self.ticks), map(style, self.ticks), strict=True))


def linear(
    low: float, high: float, most: int = 6, whole: bool = False, origin: float = 0.0
) -> Axis:
    """Round ticks, at most ``most`` steps, that enclose ``low`` to ``high`` and the origin.

    With ``whole``, for counts, every tick is a whole number.

    >>> linear(0, 102.8).ticks
    (0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0)
    """
    low, high = min(low, origin), max(high, origin)
    if high - low < _TINY:
        high = 1.0
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    for nice in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0):
        step = max(nice * power, 1.0) if whole else nice * power
        # Slightly less, so that a rounding error in the division does not add an empty step.
        first, last = math.floor(low / step * (1 - 1e-9)), math.ceil(high / step * (1 - 1e-9))
        if last - first <= most:
            break
    return Axis(first * step, last * step, tuple(i * step for i in range(first, last + 1)), False)


def logarithmic(values: Iterable[float], most: int = 6) -> Axis:
    """Whole decades around the positive values; the smallest stands above the bottom.

    >>> logarithmic([0, 64, 102_760_448]).ticks
    (10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0, 10000000.0, 100000000.0, 1000000000.0)
    """
    positive = [value for value in values if value > _TINY] or [1.0]
    first = math.ceil(math.log10(min(positive))) - 1
    last = max(math.ceil(math.log10(max(positive))), first + 1)
    every = -(-(last - first) // (most + 2))
    ticks = tuple(10.0**power for power in range(last, first - 1, -every))
    return Axis(10.0**first, 10.0**last, ticks[::-1], True)
