"""The units that questions ask for, and how a number is shown in one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cnnmem import units
from cnnmem.reading import Measure
from cnnmem.units import fixed, number


@dataclass(frozen=True)
class Scale:
    """The unit a number is asked in: its name, what it measures, its size in base units.

    `digits` is the number of decimals shown. `noun` is what is counted, so that MACs are not taken
    for parameters.

    >>> MB.show(553430176), PERCENT.show(Fraction(3, 4)), MILLION.show(138357544)
    ('553.43 MB', '75.0 %', '138.36 million')
    """

    name: str
    measure: Measure
    size: Fraction = Fraction(1)
    digits: int = 2
    noun: str = ""

    @property
    def example(self) -> str:
        """An example of the format: the right kind of quantity, but never a likely answer.

        >>> MB.example, MILLION.example, PERCENT.example, PIXELS.example
        ('12 MB', '3.5 million', '40 %', '3')
        """
        if self.measure == "memory":
            return "12 bytes" if self.size == 1 else f"12 {self.name}"
        if self.measure == "ratio":
            return "40 %" if self.size != 1 else "3"
        return "3.5 million" if self.size != 1 else "3"

    def show(self, value: Fraction | int) -> str:
        """Return a value in base units as text in this unit."""
        scaled = Fraction(value) / self.size
        text = (
            fixed(scaled, self.digits) if self.measure == "ratio" else number(scaled, self.digits)
        )
        if self.measure == "ratio" and scaled == int(scaled) and self.size == 1:
            text = number(scaled)
        return f"{text} {self.name}".rstrip()


def _memory(unit: units.Unit) -> Scale:
    return Scale(unit.name, "memory", Fraction(unit.size))


MB, GB, MiB, GiB, KiB = map(_memory, (units.MB, units.GB, units.MiB, units.GiB, units.KiB))
B = _memory(units.B)
COUNT = Scale("", "count")
PARAMETERS, VALUES, MACS, FLOPS, PIXELS, WEIGHTS, OPERATIONS = (
    Scale(noun, "count", noun=noun)
    for noun in ("parameters", "values", "MACs", "FLOPs", "pixels", "weights", "operations")
)
MILLION = Scale("million", "count", Fraction(10**6), noun="parameters")
PERCENT = Scale("%", "ratio", Fraction(1, 100), 1)
TIMES = Scale("times", "ratio", Fraction(1), 2)
