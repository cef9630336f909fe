"""Reading numbers as people write them: separators, prefixes, units, powers.

>>> [str(r.value) for r in readings_of("553.43 MB")]
['553430000']
>>> readings_of("527,8 MiB")[0].measure
'memory'
>>> readings_of("−2,147,479,552")[0].value
Fraction(-2147479552, 1)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from .errors import CnnmemError

Measure = Literal["memory", "count", "ratio"]

MOST_LETTERS = 100  # longer than any number that people write
MOST_POWER = 60  # 10^60 is beyond anything a network holds


class UnreadableError(CnnmemError):
    """The text is not a number, or not of the quantity asked for."""


_DECIMAL = {
    **dict.fromkeys(("k", "kilo", "thousand", "thousands"), 3),
    **dict.fromkeys(("m", "mio", "mln", "mn", "mega", "million", "millions"), 6),
    **dict.fromkeys(("g", "bn", "giga", "billion", "billions"), 9),
    **dict.fromkeys(("t", "tera", "trillion", "trillions"), 12),
}
_BINARY = {"ki": 10, "kibi": 10, "mi": 20, "mebi": 20, "gi": 30, "gibi": 30, "ti": 40, "tebi": 40}
PREFIXES: dict[str, int] = {
    "": 1,
    **{name: 10**power for name, power in _DECIMAL.items()},
    **{name: 2**power for name, power in _BINARY.items()},
}
_BYTES = ("b", "byte", "bytes")
_NOUNS: dict[str, str] = {
    "": "",
    **dict.fromkeys(("parameter", "parameters", "param", "params"), "parameters"),
    **dict.fromkeys(("weight", "weights"), "weights"),
    **dict.fromkeys(("value", "values", "number", "numbers", "activations"), "values"),
    **dict.fromkeys(("mac", "macs", "multadd", "multadds", "madd", "madds"), "MACs"),
    **dict.fromkeys(("multiadd", "multiadds", "multiplyadd", "multiplyadds"), "MACs"),
    **dict.fromkeys(("multiplyaccumulate", "multiplyaccumulates", "fma", "fmas"), "MACs"),
    **dict.fromkeys(("flop", "flops", "floatingpointoperations"), "FLOPs"),
    **dict.fromkeys(("op", "ops", "operation", "operations"), "operations"),
    **dict.fromkeys(("pixel", "pixels", "px"), "pixels"),
    **dict.fromkeys(("image", "images"), "images"),
    **dict.fromkeys(("channel", "channels", "layers", "filters"), "things"),
}
_RATIOS = {
    **dict.fromkeys(("%", "percent"), Fraction(1, 100)),
    **dict.fromkeys(("x", "times", "fold", "timesas"), Fraction(1)),
}


@dataclass(frozen=True)
class Reading:
    """One way to read a text: the value in base units, and what it measures ("" if unknown).

    `step` is the weight of the last digit written: 10,000 for "0.55 million"; 0 if there is no last
    digit, as in "1/3" and "2^20". `noun` is what was counted, if the text says so. `unit` is the
    factor that the unit stands for: 1,000 for "602 kB". `last` is the weight of the last digit as
    it stands there, 1 for "138,000,000", where `step` is a million; `whole` says that no decimals
    were written, so that zeros at the end may only fill places. `worked_out` says that the text was
    arithmetic.
    """

    value: Fraction
    measure: Measure | Literal[""]
    step: Fraction
    noun: str = ""
    unit: Fraction = Fraction(1)
    last: Fraction = Fraction(0)
    whole: bool = False
    worked_out: bool = False

    def times(self, size: Fraction, measure: Measure | Literal[""], noun: str = "") -> Reading:
        """Return the reading multiplied by its unit."""
        return replace(self.scaled(size), measure=measure, noun=noun, unit=self.unit * size)

    def scaled(self, size: Fraction | int) -> Reading:
        """Return the reading multiplied by a number."""
        value, step, last = self.value * size, self.step * size, self.last * size
        return replace(self, value=value, step=step, last=last)


def readings_of(text: str) -> tuple[Reading, ...]:
    """Return the ways to read a text as a number, the most likely first.

    "25,088" is read as 25088 before 25.088; "2 B" can be two bytes or two billion.

    Raises `UnreadableError`, saying what is missing.
    """
    text = _normal(text)
    if len(text) > MOST_LETTERS:
        raise UnreadableError(f"This is too long: write at most {MOST_LETTERS} characters")
    match = re.fullmatch(r"([+-]?)\s*([0-9.].*?)\s*([a-z%][a-z%\s-]*)?", text)
    plain: list[Reading] = []
    unit = ""
    if match is not None:
        sign, figure, unit = match[1], match[2], re.sub(r"[\s-]", "", match[3] or "")
        plain = [replace(r, value=-r.value) if sign == "-" else r for r in _figures(figure)]
    if not plain:
        figure, unit = _split_arithmetic(text)
        plain = list(_worked_out(figure))
        if not plain and match is None:
            raise UnreadableError("I can't read this as a number")
    if not plain:
        raise UnreadableError(f"I can't read {figure!r} as a number: check its points and commas")
    if not unit:
        return tuple(plain)
    sizes = list(_units(unit))
    if not sizes:
        bit = " (a byte is 8 bits: answer in bytes)" if "bit" in unit else ""
        raise UnreadableError(f"I don't know the unit {unit!r}{bit}")
    return tuple(r.times(size, measure, noun) for r in plain for size, measure, noun in sizes)


def _split_arithmetic(text: str) -> tuple[str, str]:
    """Return a calculation and the unit behind it; "" for a text that is not arithmetic.

    >>> _split_arithmetic("(3*3*128+1)*256 parameters"), _split_arithmetic("much")
    (('(3*3*128+1)*256', 'parameters'), ('much', ''))
    """
    match = re.fullmatch(r"([-+(\d][-+*/^x().,\s\d_']*[\d)])\s*([a-z%][a-z%\s-]*)?", text)
    return (match[1], re.sub(r"[\s-]", "", match[2] or "")) if match else (text, "")


def _worked_out(text: str) -> Iterator[Reading]:
    """Yield the result of a calculation; of "1024 x 1024" also the side, as sizes are written."""
    value = Calculation(text).value()
    if value is None:
        return
    yield Reading(value, "", Fraction(0), worked_out=True)
    sides = re.fullmatch(r"(\d+)\s*[*x]\s*(\d+)", text)
    if sides and sides[1] == sides[2]:
        yield replace(_whole(int(sides[1])), worked_out=True)


class Calculation:
    """Arithmetic with + - * / ^ and brackets, worked out exactly, without `eval`.

    >>> Calculation("(3*3*128 + 1) * 256").value(), Calculation("2^200").value()
    (Fraction(295168, 1), None)
    """

    def __init__(self, text: str) -> None:
        text = re.sub(r"(?<=\d)[,'_](?=\d{3}(?!\d))", "", text)
        self._tokens = re.findall(r"\d+(?:\.\d+)?|[-+*/^()]", text.replace("x", "*"))
        self._sound = "".join(self._tokens) == re.sub(r"\s", "", text.replace("x", "*"))

    def value(self) -> Fraction | None:
        """Return the value; None for what is not arithmetic, or divides by 0, or grows too far."""
        try:
            value = self._sum()
        except (ArithmeticError, ValueError, IndexError):
            return None
        return value if self._sound and not self._tokens else None

    def _next(self, among: str) -> str:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in among else ""

    def _sum(self) -> Fraction:
        value = self._product()
        while sign := self._next("+-"):
            term = self._product()
            value += term if sign == "+" else -term
        return value

    def _product(self) -> Fraction:
        value = self._power()
        while sign := self._next("*/"):
            factor = self._power()
            value = value * factor if sign == "*" else value / factor
        return value

    def _power(self) -> Fraction:
        if sign := self._next("+-"):
            return -self._power() if sign == "-" else self._power()
        if self._next("("):
            value = self._sum()
            if not self._next(")"):
                raise ValueError("a bracket is open")
        else:
            value = Fraction(self._tokens.pop(0))
        if self._next("^"):
            exponent = self._power()
            if exponent.denominator != 1 or abs(exponent) > MOST_POWER:
                raise ValueError("the exponent is too large")
            value **= int(exponent)
        return value


def _normal(text: str) -> str:
    """Return the text in plain lower case, with one kind of space, minus, apostrophe and times."""
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "^" + unicodedata.normalize("NFKC", m[0]), text)
    text = unicodedata.normalize("NFKC", text).lower()
    for many, one in (("−–—‐‑‒﹣", "-"), ("’‘ʼ′`´", "'"), ("×·∙⋅✕", "*"), ("⁄∕÷", "/")):
        text = re.sub(f"[{many}]", one, text)
    text = "".join(
        str(unicodedata.digit(c)) if c.isdigit() and unicodedata.digit(c, -1) >= 0 else c
        for c in text
    )
    text = " ".join(text.split()).replace("**", "^")
    text = re.sub(
        r"^(about|around|roughly|approximately|approx\.?|circa|ca\.?|[~≈=]|it is)\s*", "", text
    )
    text = re.sub(r"^[*x]\s*(?=[0-9.])", "", text)  # "×4"
    text = re.sub(r"\s*(/|\bper\b)\s*(image|img|sample|picture)$", "", text.rstrip(" .!?;"))
    return text.strip()


def _figures(text: str) -> Iterator[Reading]:
    """Yield the ways to read an unsigned figure without a unit."""
    text = text.strip()
    if "/" in text:
        a, _, b = text.partition("/")
        tops, bottoms = list(_decimals(a)), list(_decimals(b))
        if tops and bottoms and bottoms[0].value:
            yield Reading(tops[0].value / bottoms[0].value, "", Fraction(0))
        return
    power = re.fullmatch(r"(?:(.+?)\s*[*x]\s*)?([0-9]+)\s*\^\s*(-?[0-9]{1,4})", text)
    short = re.fullmatch(r"(.+?)e([+-]?[0-9]{1,4})", text)
    if power is not None and abs(int(power[3])) <= MOST_POWER:
        size = Fraction(int(power[2])) ** int(power[3]) if int(power[2]) else Fraction(0)
        if not power[1]:
            yield Reading(size, "", Fraction(0))
        else:
            yield from [reading.scaled(size) for reading in _decimals(power[1])]
    elif short is not None and abs(int(short[2])) <= MOST_POWER:
        size = Fraction(10) ** int(short[2])
        yield from [reading.scaled(size) for reading in _decimals(short[1])]
    else:
        yield from _decimals(text)


def _decimals(text: str) -> Iterator[Reading]:
    """Yield what the digits can mean: a comma or point may separate thousands or decimals."""
    text = re.sub(r"(?<=[0-9])[ '_](?=[0-9]{3}(?![0-9]))", "", text.strip())
    if not re.fullmatch(r"[0-9]*([.,][0-9]+)*[.,]?", text) or not re.search("[0-9]", text):
        return
    marks = re.findall(r"[.,]", text)
    last = text.rstrip(".,")
    if not marks or last.isdecimal():
        yield _whole(int(last))
        return
    whole, decimals = re.split(r"[.,](?=[0-9]*$)", last, maxsplit=1)
    if not _grouped(whole if len(set(marks)) == 2 else last) and len(marks) > 1:
        return
    place = Fraction(1, 10 ** len(decimals))
    value = int(re.sub("[.,]", "", whole) + decimals or "0") * place
    as_decimal = Reading(value, "", place, last=place)
    as_thousands = _whole(int(re.sub("[.,]", "", last)))
    if len(set(marks)) == 2:
        yield as_decimal
    elif len(marks) > 1:
        yield as_thousands
    elif len(decimals) != 3 or whole in ("", "0") or len(whole) > 3:
        yield as_decimal
    elif marks == [","]:
        yield from (as_thousands, as_decimal)
    else:
        yield from (as_decimal, as_thousands)


def _whole(value: int) -> Reading:
    return Reading(Fraction(value), "", last_place(value), last=Fraction(1), whole=True)


def last_place(whole: int) -> Fraction:
    """Return the weight of the last significant digit of an int.

    Groups of three zeros count as a prefix written out, as long as two digits remain:
    "138,000,000" is 138 million. "552" and "550" both have three digits.

    >>> [int(last_place(n)) for n in (138_000_000, 550, 25_088, 1000, 40_000)]
    [1000000, 1, 1, 1, 1000]
    """
    step = 1
    while whole and whole % (1000 * step) == 0 and abs(whole) >= 10_000 * step:
        step *= 1000
    return Fraction(step)


def _grouped(text: str) -> bool:
    """Return whether one kind of mark groups the digits by thousands (or lakhs: 13,83,57,544)."""
    first, *groups = re.split("[.,]", text)
    return (
        len(set(re.findall("[.,]", text))) == 1
        and 1 <= len(first) <= 3
        and len(groups[-1]) == 3
        and all(len(group) in (2, 3) for group in groups)
    )


def _units(unit: str) -> Iterator[tuple[Fraction, Measure, str]]:
    """Yield the meanings of a unit: its size, what it measures and the noun it counts."""
    if unit in _RATIOS:
        yield _RATIOS[unit], "ratio", ""
    for prefix, size in PREFIXES.items():
        if not unit.startswith(prefix):
            continue
        rest = unit[len(prefix) :]
        if rest in _BYTES:
            yield Fraction(size), "memory", ""
        if rest in _NOUNS and (prefix or rest):
            yield Fraction(size), "count", _NOUNS[rest]
    if unit.startswith("b") and unit[1:] in _NOUNS:
        yield Fraction(10**9), "count", _NOUNS[unit[1:]]
