"""Columns of numbers as text, and bars made of characters."""

from __future__ import annotations

from collections.abc import Iterable

from .chart import Chart
from .format import Real, equal_decimals, exact

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LONGEST = 20  # characters of a bar


def with_bars(lines: Iterable[str], bars: Iterable[str]) -> list[str]:
    """Lines, each followed by its bar."""
    return [f"{line}  {bar}".rstrip() for line, bar in zip(lines, bars, strict=True)]


def text_bar(start: float, stop: float) -> str:
    """Blocks from ``start`` to ``stop``, shares of a whole bar; only the end is in eighths.

    >>> text_bar(0, 0.5), text_bar(0.1, 0.16)
    ('██████████', '  █▎')
    """
    indent = int(start * _LONGEST)
    eighths = max(round(stop * _LONGEST * 8) - indent * 8, int(stop > start))
    return " " * indent + "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def numbers(values: Iterable[Real], chart: Chart) -> list[str]:
    """Values for one column: unscaled ints exactly, others with equal decimals."""
    values = list(values)
    if chart.scale == 1 and all(isinstance(value, int) for value in values):
        return [exact(value) for value in values]
    return equal_decimals(float(value) / float(chart.scale) for value in values)
