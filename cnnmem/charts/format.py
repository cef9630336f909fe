"""Numbers as a chart prints them; the same input gives the same text everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

Real = int | Fraction | float
"""What a chart may hold: exact ints and Fractions, or floats."""

_PREFIXES = ("", " k", " M", " G", " T", " P", " E", " Z", " Y")
# What the Char production of XML 1.0 (section 2.2) leaves out.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _minus(text: str) -> str:
    """Use a true minus sign, which is as wide as a plus and easier to see than a hyphen."""
    return "−" + text[1:] if text[0] == "-" else text


def exact(value: Real) -> str:
    """The value itself, with thousands separators.

    >>> exact(138357544), exact(Fraction(5, 2)), exact(Fraction(-1, 3)), exact(0.1 + 0.2)
    ('138,357,544', '2.5', '−1/3', '0.3')

    A float is printed to twelve significant digits, so that it reads as it was meant.
    """
    if isinstance(value, int):
        return _minus(f"{value:,}")
    if isinstance(value, float):
        return _minus(f"{value:,.12g}")
    if value.denominator == 1:
        return _minus(f"{value.numerator:,}")
    if 10**9 % value.denominator == 0 and abs(value) < 10**6:  # at most 15 digits in all
        return _minus(f"{float(value):,.15g}")
    return _minus(f"{value.numerator:,}/{value.denominator:,}")


def exacts(values: Sequence[Real]) -> list[str]:
    """:func:`exact` of many values >= 0, fast enough for a chart of 700 bars."""
    if set(map(type, values)) == {int}:
        return [f"{value:,}" for value in values]
    return [exact(value) for value in values]


def rounded(value: float) -> str:
    """Four significant digits; from 1000 up, a whole number.

    >>> rounded(12.845056), rounded(8724152.0), rounded(0.0)
    ('12.85', '8,724,152', '0')
    """
    if not value:
        return "0"
    return _minus(f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}")


def share_text(part: Real, whole: Real) -> str:
    """The share of ``part`` in ``whole``, never rounded to all or to nothing.

    >>> share_text(102_764_544, 138_357_544), share_text(64, 138_357_544), share_text(0, 0)
    ('74.3 %', 'under 0.1 %', '0.0 %')
    """
    if not whole:
        return "0.0 %"
    share = float(100 * part / whole)
    if part and share < 0.05:
        return "under 0.1 %"
    if part != whole and share >= 99.95:
        return "over 99.9 %"
    return f"{share:.1f} %"


def si(value: float) -> str:
    """A tick label for a count, with an SI prefix.

    >>> si(0), si(2_500_000), si(10**18)
    ('0', '2.5 M', '1 E')
    """
    power, size = 0, abs(value)
    while size >= 1000 and power < len(_PREFIXES) - 1:
        size /= 1000
        power += 1
    return _minus(f"{value / 1000**power:g}{_PREFIXES[power]}")


def plain(value: float) -> str:
    """A tick label for a value whose unit has its own prefix, such as MB.

    >>> plain(0.5), plain(12000), plain(1e18)
    ('0.5', '12,000', '1e+18')
    """
    return _minus(f"{value:,.7g}")


def signed(text: str, value: Real) -> str:
    """``text``, the digits of ``value``, with its sign always written.

    >>> signed("12.85", 12.85), signed("−3", -3), signed("0", 0)
    ('+12.85', '−3', '±0')
    """
    return ("−" if value < 0 else "+" if value > 0 else "±") + text.removeprefix("−")


def equal_decimals(values: Iterable[float]) -> list[str]:
    """Values for one column: two decimals, or as many as the smallest value needs.

    >>> equal_decimals([553.4302, -0.005, 0])
    ['553.430', '−0.005', '0.000']
    """
    values, decimals = list(values), 2
    smallest = min((abs(value) for value in values if value), default=1.0)
    while decimals < 6 and smallest < 0.9 * 10.0**-decimals:
        decimals += 1
    return [_minus(f"{value:,.{decimals}f}") for value in values]


def clean(text: str) -> str:
    r"""``text`` with the characters that XML 1.0 forbids, such as NUL, replaced by U+FFFD.

    >>> clean("conv\x00")
    'conv�'
    """
    return _ILLEGAL.sub("\ufffd", text)


def flat(text: str) -> str:
    r"""``text`` on one line, cleaned.

    >>> flat("conv\n 1")
    'conv 1'
    """
    return clean(" ".join(text.split()))
