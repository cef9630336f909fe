"""Questions for a number: units and prefixes are understood, known wrong numbers recognised."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from ..units import fixed
from .feedback import Slip, Verdict
from .quantity import Reading, Scale, UnreadableError, read
from .question import Question

NO_ANSWER = Verdict("not attempted", "Give an answer first; a rough one is welcome.")
_ASKED = {"memory": "memory, in bytes of some prefix", "count": "a count", "ratio": "a ratio"}

LEARNED = {"weights", "parameters"}  # people say one for the other

# Factors that are mistakes of their own, wherever they turn up.
FACTORS: tuple[tuple[Fraction, str], ...] = (
    (Fraction(4), "It is 4 times too high: are these bytes, where values were asked?"),
    (Fraction(1, 4), "It is a quarter of it: a float32 value takes 4 bytes."),
    (Fraction(2), "It is twice the number: what did you count two times?"),
    (Fraction(1, 2), "It is half of the number: something is counted once that counts twice."),
    (Fraction(2**20, 10**6), "It is 4.9 % too high: that is the step between MB and MiB."),
    (Fraction(10**6, 2**20), "It is 4.6 % too low: that is the step between MiB and MB."),
    (Fraction(2**30, 10**9), "It is 7.4 % too high: that is the step between GB and GiB."),
    (Fraction(10**9, 2**30), "It is 6.9 % too low: that is the step between GiB and GB."),
    (Fraction(10**6), "It is a million times too high: check the prefix."),
    (Fraction(1, 10**6), "It is a million times too low: check the prefix."),
    (Fraction(1000), "It is a thousand times too high: check the prefix."),
    (Fraction(1, 1000), "It is a thousand times too low: check the prefix."),
)


@dataclass(frozen=True, kw_only=True)
class Number(Question):
    """A question whose answer is a number, right to within a relative tolerance.

    `value` and the answers of `slips` are in base units (bytes, counts, plain ratios); `scale` is
    the unit that the statement asks for. A number without unit is read in it, or in base units.

    >>> from .quantity import MB
    >>> q = Number(id="00-x", title="", statement="", hints=("", "", ""), why="", value=553430176,
    ...     scale=MB, slips=(Slip("MiB for MB", Fraction(553430176 * 10**6, 2**20), "In MiB."),))
    >>> q.judge("0.5534 GB").state, q.judge("527.8 MB").slip, q.judge("?").state
    ('right', 'MiB for MB', 'not attempted')
    """

    value: Fraction | int
    scale: Scale
    tolerance: Fraction = Fraction(1, 100)
    slips: tuple[Slip, ...] = ()

    kind: ClassVar[str] = "number"

    @property
    def solution(self) -> str:
        return self.scale.show(self.value)

    @property
    def known(self) -> tuple[Slip, ...]:
        return tuple(Slip(s.name, self.scale.show(s.answer), s.hint) for s in self.slips)

    def judge(self, answer: Any) -> Verdict:
        if answer is None or (isinstance(answer, str) and not answer.strip()):
            return NO_ANSWER
        try:
            readings = self.readings(answer)
        except UnreadableError as error:
            return Verdict("not attempted", f"I cannot read that: {error}.")
        for judge in (self._precise_slip, self._right, self._slip):
            for reading in readings:
                verdict = judge(reading)
                if verdict is not None:
                    return verdict
        return Verdict("wrong", self._distance(min(readings, key=self._remoteness)))

    def readings(self, answer: Any) -> list[Reading]:
        """Return the ways to read an answer as what is asked; raises `UnreadableError`."""
        if isinstance(answer, bool) or not isinstance(answer, str | int | float | Fraction):
            raise UnreadableError('give a number or a text such as "553 MB"')
        if isinstance(answer, int | Fraction):
            exact = Fraction(answer)
            step = Fraction(1 if exact.denominator == 1 else 0)
            found: tuple[Reading, ...] = (Reading(exact, "", step),)
        else:
            found = read(str(answer))
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
                f"you give {reading.noun}, the question asks for {self.scale.noun} (one MAC is a "
                "multiplication and an addition, two FLOPs)"
            )
        if reading.noun:
            return (
                f"you count {reading.noun}, the question asks for {self.scale.noun or 'a number'}"
            )
        if self.scale.measure == "memory" and reading.measure == "count":
            return "a letter like M alone is no unit of memory: say MB or MiB"
        return f"the question asks for {_ASKED[self.scale.measure]}, and that is {reading.measure}"

    def _off(self, reading: Reading, value: Fraction | int) -> bool:
        return abs(reading.value - value) > reading.step / 2

    def _precise_slip(self, reading: Reading) -> Verdict | None:
        """Recognise a wrong number that is close to the right one, if enough digits are given."""
        if not self._off(reading, self.value):
            return None
        for slip in self.slips:
            if not self._off(reading, slip.answer) and reading.step <= abs(
                slip.answer - self.value
            ):
                return Verdict("wrong", slip.hint, slip.name)
        return None

    def _right(self, reading: Reading) -> Verdict | None:
        off = abs(reading.value - self.value)
        if off <= self.tolerance * abs(Fraction(self.value)):
            return Verdict("right", f"{self.exact()}. {self.why}")
        if off <= reading.step / 2 and reading.step > 1 and not self.tolerance:
            return Verdict(
                "not attempted", "Rounded, that is it. Here every digit counts: give all."
            )
        return None

    def _slip(self, reading: Reading) -> Verdict | None:
        """Recognise the nearest known wrong number within the tolerance."""
        near = [
            (abs(reading.value - slip.answer), slip)
            for slip in self.slips
            if abs(reading.value - slip.answer) <= self.tolerance * abs(slip.answer)
        ]
        if not near:
            return None
        slip = min(near, key=lambda pair: pair[0])[1]
        return Verdict("wrong", slip.hint, slip.name)

    def _distance(self, reading: Reading) -> str:
        value = Fraction(self.value)
        if reading.value * value <= 0:
            return (
                "Not yet: look at the sign." if reading.value * value < 0 else "Not yet: not zero."
            )
        ratio = reading.value / value
        for factor, text in FACTORS:
            if abs(ratio / factor - 1) < Fraction(1, 200):
                return f"Not yet. {text}"
        return f"Not yet: {apart(reading.value, value)}."

    def _remoteness(self, reading: Reading) -> Fraction:
        """Return by which factor a reading is off; readings of the wrong sign come last."""
        a, b = reading.value, Fraction(self.value)
        if a * b <= 0:
            return Fraction(10**100)
        return max(a / b, b / a)

    def exact(self) -> str:
        """Return the solution in its unit and, where that rounds, in base units too."""
        shown = self.scale.show(self.value)
        if self.scale.size > 1:
            base = "bytes" if self.scale.measure == "memory" else ""
            shown += f" ({int(self.value):,} {base}".rstrip() + ")"
        return shown


def apart(guess: Fraction, truth: Fraction) -> str:
    """Return how far a guess is from the truth, both of one sign, in words.

    >>> apart(Fraction(100), Fraction("138.4")), apart(Fraction(9), Fraction(2))
    ('28 % too low', '4.5 times too high')
    """
    ratio = abs(guess / truth)
    if ratio >= 2:
        return f"{_times(ratio)} times too high" if truth > 0 else "too low, far below"
    if ratio <= Fraction(1, 2):
        return f"{_times(1 / ratio)} times too low"
    off = (guess - truth) / abs(truth) * 100
    if not off:
        return "exactly right"
    share = fixed(abs(off), 0) if abs(off) >= 1 else "less than 1"
    return f"{share} % too {'high' if off > 0 else 'low'}"


def _times(ratio: Fraction) -> str:
    return fixed(ratio, 1) if ratio < 10 else fixed(ratio, 0)
