"""Units of memory and of counts, and the way numbers are printed.

>>> MiB.name, MiB.size, number(138357544)
('MiB', 1048576, '138,357,544')
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cnnmem.errors import look_up


@dataclass(frozen=True)
class Unit:
    """A unit: its name and its size in the base unit (byte, value, MAC, ...)."""

    name: str
    size: int = 1

    def __str__(self) -> str:
        return self.name


B = Unit("B")
KB, MB, GB = Unit("kB", 10**3), Unit("MB", 10**6), Unit("GB", 10**9)
KiB, MiB, GiB = Unit("KiB", 2**10), Unit("MiB", 2**20), Unit("GiB", 2**30)
VALUES = Unit("values")
PARAMETERS = Unit("parameters")
MACS = Unit("MACs")
FLOPS = Unit("FLOPs")
OPERATIONS = Unit("operations")

MEMORY = (B, KB, MB, GB, KiB, MiB, GiB)
BYTES_PER_VALUE = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}


def bytes_per_value(dtype: str) -> int:
    """Return how many bytes one value of a dtype takes.

    >>> bytes_per_value("bfloat16")
    2
    """
    return look_up("dtype", dtype, BYTES_PER_VALUE)


def number(value: int | float | Fraction, digits: int = 2) -> str:
    """Return a number with thousands separators, and `digits` decimals unless it is an integer.

    >>> number(Fraction(73254912, 10**6)), number(-2147479552)
    ('73.25', '-2,147,479,552')
    """
    if value == int(value):
        return f"{int(value):,}"
    return fixed(value, digits)


def fixed(value: int | float | Fraction, digits: int = 2) -> str:
    """Return a number with exactly `digits` decimals, rounded half to even.

    It is rounded as a fraction, so a sum of exact steps prints exactly what it adds up to.

    >>> fixed(Fraction(1, 3), 4)
    '0.3333'
    """
    scaled = round(Fraction(value) * 10**digits)
    whole, rest = divmod(abs(scaled), 10**digits)
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole:,}" + (f".{rest:0{digits}d}" if digits else "")


def memory(count: int | Fraction) -> str:
    """Return a number of bytes in the largest decimal unit that fits.

    >>> memory(553430176), memory(602112), memory(12)
    ('553.43 MB', '602.11 kB', '12 B')
    """
    exact = Fraction(count)
    for unit in (GB, MB, KB):
        if abs(exact) >= unit.size:
            return f"{fixed(exact / unit.size)} {unit}"
    return f"{number(exact)} B"


def percent(part: int | Fraction, whole: int | Fraction) -> str:
    """Return a percentage with one decimal, never rounded to all or to nothing.

    >>> percent(102764544, 138357544), percent(36928, 138357544), percent(0, 5)
    ('74.3 %', 'under 0.1 %', '0.0 %')
    >>> percent(9999, 10000)
    'over 99.9 %'
    """
    if not whole:
        return "0.0 %"
    share = Fraction(100 * part) / whole
    if part and share < Fraction(1, 20):
        return "under 0.1 %"
    if share >= Fraction(1999, 20) and part < whole:
        return "over 99.9 %"
    return f"{fixed(share, 1)} %"


def round_digits(value: int | Fraction, digits: int) -> int | Fraction:
    """Return a number rounded to `digits` significant digits.

    >>> round_digits(802816, 2), round_digits(25088, 2), round_digits(7, 2)
    (800000, 25000, 7)
    """
    power = len(str(abs(int(value)))) - digits
    scale = Fraction(10**power) if power > 0 else Fraction(1, 10**-power)
    rounded = round(value / scale) * scale
    return int(rounded) if rounded.denominator == 1 else rounded
