"""Questions for a number: units and prefixes are understood, known mistakes recognised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Integral, Real
from typing import Any, ClassVar

from cnnmem.reading import Reading, UnreadableError, last_place, readings_of
from cnnmem.units import GB, KB, MB, fixed, number

from .feedback import Slip, Verdict
from .quantity import Scale
from .question import Question

NO_ANSWER = Verdict("not attempted", "Give an answer first.")
ROUNDED = "Right to the digits you gave; can you give one more?"
EVERY_DIGIT = "Right to the digits you gave. Here every digit counts: give them all."
_ASKED = {"memory": "memory, in bytes of some prefix", "count": "a count", "ratio": "a ratio"}

LEARNED = {"weights", "parameters"}  # people use one word for the other
NOISE = Fraction(1, 10**9)  # relative error that floating-point arithmetic may add to an answer
NEAR = Fraction(1, 200)  # an answer this close to a factor of FACTORS is taken to be off by it
SAME = Fraction(1, 1000)  # an answer this close to a known wrong number is taken for it

ABOUT_TWICE = Fraction(199, 100)  # from here on "2 times", not "99 %"
MOST_SHOWN = 30  # letters of a worked-out answer that are shown
TWINS = {"KiB": KB, "MiB": MB, "GiB": GB}  # the decimal unit that people write for the binary one

# Factors between bytes, values and units, for answers in bytes.
FACTORS: tuple[tuple[Fraction, str], ...] = (
    (Fraction(4), "It is 4 times too high: check the bytes for each value."),
    (Fraction(1, 4), "It is a quarter of the right size: check the bytes for each value."),
    (Fraction(2**20, 10**6), "It is 4.9 % too high: that is the step between MB and MiB."),
    (Fraction(10**6, 2**20), "It is 4.6 % too low: that is the step between MiB and MB."),
    (Fraction(2**30, 10**9), "It is 7.4 % too high: that is the step between GB and GiB."),
    (Fraction(10**9, 2**30), "It is 6.9 % too low: that is the step between GiB and GB."),
)
# Factors between prefixes, for answers that have one.
PREFIXES: tuple[tuple[Fraction, str], ...] = (
    (Fraction(10**6), "It is a million times too high: check the prefix."),
    (Fraction(1, 10**6), "It is a million times too low: check the prefix."),
    (Fraction(1000), "It is a thousand times too high: check the prefix."),
    (Fraction(1, 1000), "It is a thousand times too low: check the prefix."),
)


@dataclass(frozen=True, kw_only=True)
class Number(Question):
    """A question whose answer is a number, judged by the digits that were given.

    An answer is right if it equals the solution rounded to the answer's last digit, and has enough
    digits: half a unit of the last digit must be at most `tolerance` times the solution. With a
    tolerance of 0 every digit counts. An answer with fewer digits is "right to the digits you
    gave"; one with a wrong last digit is wrong. For 25.69, "26" is right to its digits, "25.7" is
    right, and "25.6" is wrong.

    Two cases are judged by distance instead: an answer without a last digit ("1/3", 2^20) may be
    off by a tenth of `tolerance`; and any answer within `slack` is right, for questions whose
    statement gives rounded numbers to compute with, or whose hints lead to an estimate.

    `value` and the answers of `slips` are in base units (bytes, counts, plain ratios); `scale` is
    the unit that the statement asks for. A number without a unit is read in that unit or in base
    units. With `in_unit` the question is about the unit, so the same size in another unit does not
    count as right.

    >>> from .quantity import MB
    >>> q = Number(id="00-x", title="", statement="", hints=("", "", ""), why="", value=553430176,
    ...     scale=MB, slips=(Slip(name="MiB for MB", answer=Fraction(553430176 * 10**6, 2**20),
    ...     hint="In MiB."),))
    >>> q.judge("0.5534 GB").state, q.judge("527.8 MB").slip, q.judge("?").state
    ('right', 'MiB for MB', 'not attempted')
    >>> [q.judge(text).state for text in ("553 MB", "552 MB", "0.6 GB")]
    ['right', 'wrong', 'not attempted']
    """

    value: Fraction | int
    scale: Scale
    tolerance: Fraction = Fraction(1, 100)
    slack: Fraction = Fraction(0)
    in_unit: bool = False
    slips: tuple[Slip, ...] = ()

    kind: ClassVar[str] = "number"

    @property
    def solution(self) -> str:
        return self.scale.show(self.value)

    @property
    def known(self) -> tuple[Slip, ...]:
        return tuple(replace(slip, answer=self.scale.show(slip.answer)) for slip in self.slips)

    def judge(self, answer: Any) -> Verdict:
        if answer is None or (isinstance(answer, str) and not answer.strip()):
            return NO_ANSWER
        try:
            readings = self.readings(answer)
        except UnreadableError as error:
            return Verdict("not attempted", f"{error}.")
        # "602,112" is 602112 or 602.112: the solution itself comes before slips close to the other
        exact = [reading for reading in readings if reading.value == self.value]
        for judge, among in (
            (self._right, exact),
            (self._precise_slip, readings),
            (self._right, readings),
            (self._other_unit, readings),
            (self._rounded, readings),
            (self._slip, readings),
        ):
            for reading in among:
                verdict = judge(reading)
                if verdict is not None:
                    return self._understood(verdict, reading)
        reading = min(readings, key=self.remoteness)
        return self._understood(Verdict("wrong", self._distance(reading)), reading)

    def _understood(self, verdict: Verdict, reading: Reading) -> Verdict:
        """Begin a verdict on arithmetic with what it was taken for."""
        if not reading.worked_out:
            return verdict
        shown = self.scale.show(reading.value)
        if len(shown) > MOST_SHOWN:
            shown = f"a number of {len(str(int(reading.value)))} digits"
        return replace(verdict, text=f"You gave {shown}. {verdict.text}")

    def readings(self, answer: Any) -> list[Reading]:
        """Return the ways to read an answer as the quantity asked for; raises `UnreadableError`."""
        if isinstance(answer, Integral | Real) and not isinstance(answer, bool | Fraction):
            answer = int(answer) if isinstance(answer, Integral) else float(answer)  # NumPy's too
        if isinstance(answer, bool) or not isinstance(answer, str | int | float | Fraction):
            raise UnreadableError(f"Give a number, for example {self.scale.example}")
        if isinstance(answer, int | Fraction):
            exact = Fraction(answer)
            step = last_place(int(exact)) if exact.denominator == 1 else Fraction(0)
            found: tuple[Reading, ...] = (Reading(exact, "", step),)
        else:
            found = self._read(str(answer))
        fitting = []
        for reading in found:
            if not reading.measure:
                fitting.append(reading.times(self.scale.size, self.scale.measure))
                if self.scale.size != 1:
                    fitting.append(reading.times(Fraction(1), self.scale.measure))
            elif reading.measure == self.scale.measure and self._same_noun(reading):
                fitting.append(reading)
        if not fitting:
            raise UnreadableError(self._complaint(found[0]))
        return fitting

    def _read(self, text: str) -> tuple[Reading, ...]:
        try:
            return readings_of(text)
        except UnreadableError as error:
            raise UnreadableError(f"{error}; write one like {self.scale.example}") from None

    def _same_noun(self, reading: Reading) -> bool:
        asked = self.scale.noun
        return (
            not asked
            or not reading.noun
            or reading.noun == asked
            or {reading.noun, asked} <= LEARNED
        )

    def _complaint(self, reading: Reading) -> str:
        if {reading.noun, self.scale.noun} == {"MACs", "FLOPs"}:
            return (
                f"You give {reading.noun}, the question asks for {self.scale.noun} (one MAC is a "
                "multiplication and an addition, two FLOPs)"
            )
        if reading.noun:
            return (
                f"You count {reading.noun}, the question asks for {self.scale.noun or 'a number'}"
            )
        if self.scale.measure == "memory" and reading.measure == "count":
            return "A letter like M alone is not a unit of memory: write MB or MiB"
        return f"The question asks for {_ASKED[self.scale.measure]}, and that is {reading.measure}"

    def rounds(self, reading: Reading) -> bool:
        """Return whether a reading is the solution, rounded to the reading's digits."""
        return reading.value != 0 and _rounds(reading, self.value)

    def _near(self, reading: Reading) -> bool:
        """Return whether a reading is within the question's slack of the solution."""
        slack = max(self.slack, NOISE) if self.tolerance else self.slack
        return abs(reading.value - self.value) <= slack * abs(Fraction(self.value))

    def _precise_slip(self, reading: Reading) -> Verdict | None:
        """Recognise a known wrong number close to the solution, if enough digits are given."""
        if self.rounds(reading) or self._near(reading):
            return None
        known = [
            slip
            for slip in self.slips
            if _rounds(reading, slip.answer)
            and reading.step <= max(abs(slip.answer) / 10, abs(slip.answer - self.value))
        ]
        return self._nearest(reading, known)

    def _right(self, reading: Reading) -> Verdict | None:
        off = abs(reading.value - self.value)
        enough = self.tolerance * abs(Fraction(self.value))
        if reading.step:
            right = off == 0 or (self.rounds(reading) and reading.step / 2 <= enough)
        else:
            right = off <= enough / 10
        if not right and not self._near(reading):
            return None
        if self.in_unit and reading.unit != self.scale.size:
            return Verdict(
                "not attempted",
                f"The right size, but asked in {self.scale.name}: divide the bytes by "
                f"{int(self.scale.size):,}.",
            )
        return Verdict("right", f"{self.exact()}. {self.why}")

    def _other_unit(self, reading: Reading) -> Verdict | None:
        """Recognise the right number of KiB that is labelled KB."""
        name = self.scale.name
        decimal = TWINS.get(name)
        if decimal is None or reading.unit != decimal.size:
            return None
        if not _rounds(reading.times(self.scale.size / decimal.size, "memory"), self.value):
            return None
        return Verdict(
            "not attempted",
            f"{number(reading.value / decimal.size)} is the number of {name}; write {name}, since "
            f"{decimal.name.upper()} is ambiguous.",
        )

    def _rounded(self, reading: Reading) -> Verdict | None:
        """Ask for more digits, unless the answer is exactly a known wrong number."""
        if not self.rounds(reading):
            return None
        exact = self._nearest(reading, [s for s in self.slips if s.answer == reading.value])
        return exact or Verdict("not attempted", ROUNDED if self.tolerance else EVERY_DIGIT)

    def _slip(self, reading: Reading) -> Verdict | None:
        """Recognise a known wrong number that is nearly met, and closer than the solution."""
        near = SAME if self.tolerance else Fraction(0)
        off = abs(reading.value - self.value)
        known = [
            slip
            for slip in self.slips
            if abs(reading.value - slip.answer) <= min(near * abs(slip.answer), off)
        ]
        return self._nearest(reading, known)

    def _nearest(self, reading: Reading, known: list[Slip]) -> Verdict | None:
        if not known:
            return None
        slip = min(known, key=lambda slip: abs(reading.value - slip.answer))
        return Verdict("wrong", slip.hint, slip.name)

    def _distance(self, reading: Reading) -> str:
        value = Fraction(self.value)
        if reading.value * value <= 0:
            return "Look at the sign." if reading.value else "It is not zero."
        ratio = reading.value / value
        factors = FACTORS if self.scale.measure == "memory" else ()
        prefixes = PREFIXES if self.scale.size > 1 or reading.unit > 1 else ()
        for factor, text in (*factors, *prefixes):
            if abs(ratio / factor - 1) < NEAR:
                return text
        far = f"It is {apart(reading.value, value)}"
        if self.tolerance and abs(ratio - 1) < Fraction(1, 100):
            return f"{far}: the last digits differ. Was a number rounded on the way?"
        return f"{far}. A first step: {self.hints[0]}"

    def remoteness(self, reading: Reading) -> Fraction:
        """Return the factor by which a reading is off; readings of the wrong sign come last."""
        a, b = reading.value, Fraction(self.value)
        if a * b <= 0:
            return Fraction(10**100)
        return max(a / b, b / a)

    def exact(self) -> str:
        """Return the solution in its unit, and in base units where the unit rounds it."""
        shown = self.scale.show(self.value)
        if self.scale.size > 1:
            base = "bytes" if self.scale.measure == "memory" else ""
            shown += f" ({int(self.value):,} {base}".rstrip() + ")"
        return shown


def _rounds(reading: Reading, value: Fraction | int) -> bool:
    return abs(reading.value - value) <= reading.step / 2


def apart(guess: Fraction, truth: Fraction) -> str:
    """Return in words how far a guess is from the truth; both have the same sign.

    >>> apart(Fraction(100), Fraction("138.4")), apart(Fraction(9), Fraction(2))
    ('28 % too low', '4.5 times too high')
    >>> apart(Fraction(10**30), Fraction(2)), apart(Fraction(-9), Fraction(-2))
    ('more than a million times too high', '4.5 times too far below zero')
    """
    ratio = abs(guess / truth)
    more, less = ("high", "low") if truth > 0 else ("far below zero", "close to zero")
    if ratio >= ABOUT_TWICE:
        return f"{_times(ratio)} times too {more}"
    if ratio <= 1 / ABOUT_TWICE:
        return f"{_times(1 / ratio)} times too {less}"
    off = (ratio - 1) * 100
    if not off:
        return "exactly right"
    share = fixed(abs(off), 0) if abs(off) >= 1 else "less than 1"
    return f"{share} % too {more if off > 0 else less}"


def _times(ratio: Fraction) -> str:
    if ratio > 10**6:
        return "more than a million"
    return (fixed(ratio, 1) if ratio < 10 else fixed(ratio, 0)).removesuffix(".0")
