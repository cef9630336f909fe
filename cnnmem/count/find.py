"""Where a printed number comes from: every total that prints like it, and how much that proves.

A printed number has few digits, and many totals are tried: some will come close by chance. So each
answer says how many matches a number with random digits would have had. Coming close explains
nothing; a match that chance would hardly give is a good reason to look further.
"""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from cnnmem.checks import as_int
from cnnmem.errors import CnnmemError, ShapeError
from cnnmem.model import zoo
from cnnmem.model.layers import Shape
from cnnmem.reading import Reading, UnreadableError, readings_of
from cnnmem.tables import aligned, html_table
from cnnmem.units import (
    FLOPS,
    GB,
    KB,
    MACS,
    MB,
    MEMORY,
    OPERATIONS,
    PARAMETERS,
    VALUES,
    B,
    GiB,
    KiB,
    MiB,
    Unit,
)

from . import conventions
from .convention import Convention
from .summary import summary
from .table import Table
from .totals import Total, show, total

# Sizes of square images that papers and tools print numbers for.
SIZES = (96, 128, 160, 192, 224, 227, 240, 256, 288, 299, 320, 384, 448, 480, 512, 600, 1024)
SIZES_OF_WIDTHS = (96, 128, 160, 192, 224)
WIDTHS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4)  # of the papers of MobileNet
BINARY = {KB: KiB, MB: MiB, GB: GiB}  # what many texts call MB is MiB

# The rules of printing, the strictest first: name, what it says.
EXACT = "all digits"
ROUNDED = "rounded"
CUT = "digits cut"
OPEN = "rounded, zeros open"
RULES = {
    EXACT: "the number itself",
    ROUNDED: "rounded to the digits printed",
    CUT: "the digits after the last one left out",
    OPEN: "rounded, and the zeros at its end only fill places",
}
CHANCE = 0.1  # with fewer matches expected by chance, a match is hardly chance
NEAREST = 5
EQUALS = 2  # addresses of the same value that are printed
# What people mean before any other way of counting.
USUAL = (
    *("parameters", "parameters-mb", "parameters-mib", "keras-parameters", "tensors"),
    *("tensors-mib", "autograd", "macs", "flops"),
)


@dataclass(frozen=True)
class Match:
    """A total that prints like the text.

    `rule` says how (a key of `RULES`), `digits` how many significant digits agree, `unit` what the
    text's unit stands for; `same` are other totals of the same value.
    """

    label: str
    total: Total
    rule: str
    digits: int
    unit: Unit
    same: tuple[str, ...] = ()

    @property
    def value(self) -> Fraction:
        """The total in the unit that the text stands for."""
        return self.total.base / self.unit.size

    @property
    def address(self) -> str:
        """The network, its size and the convention: NETWORK@SIZE:CONVENTION."""
        return f"{self.label}:{self.total.convention.name}"

    def __str__(self) -> str:
        return f"{self.address} = {show(self.value)} {self.unit} ({self.rule})"


@dataclass(frozen=True)
class Found:
    """What was found for a printed number.

    `matches` are the totals that print like it, the best first; `nearest` the next ones if there
    are none. `tried` is the number of different totals that were compared and are as usual as the
    best match, `expected` how many of them a number with as many random digits would have matched.
    """

    text: str
    matches: tuple[Match, ...]
    nearest: tuple[Match, ...]
    tried: int
    digits: int
    expected: float

    @property
    def verdict(self) -> str:
        """One of "found", "may be chance" and "unexplained"."""
        if not self.matches:
            return "unexplained"
        return "found" if self.expected < CHANCE else "may be chance"

    @property
    def chance(self) -> str:
        """How many matches chance would have given, in a sentence."""
        some = f"{self.expected:.1g}" if self.expected < 1 else f"{self.expected:.0f}"
        random = f"{self.digits} random digit{'s' * (self.digits != 1)}"
        usual = " as usual as this one" if self.matches else ""
        return (
            f"{self.tried:,} totals{usual} were tried; a number of {random} would have matched "
            f"{some} of them by chance."
        )

    def sentence(self) -> str:
        """Return the answer in a few sentences."""
        if not self.matches:
            near = f" The nearest is {self.nearest[0]}." if self.nearest else ""
            return f"{self.text}: unexplained. No total prints like that.{near} {self.chance}"
        best = self.matches[0]
        more = len(self.matches) - 1
        others = f", and {more} more" if more else ""
        head = f"{self.text}: {best}{others}."
        if self.verdict == "found":
            return f"{head} {self.chance}"
        return f"{head} {self.chance} So this may be chance: look for how the source counted."

    HEAD: ClassVar[tuple[str, ...]] = ("total", "value", "how it prints", "digits")

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The matches, or else the nearest totals, as the rows of a table."""
        return tuple(
            (
                _addresses(match),
                f"{show(match.value)} {match.unit}",
                RULES.get(match.rule, match.rule),
                str(match.digits),
            )
            for match in self.matches or self.nearest
        )

    def __str__(self) -> str:
        return "\n".join([self.sentence(), "", *aligned([self.HEAD, *self.rows], "<><>")])

    def __repr__(self) -> str:
        return f"<Found: {self.sentence()}>"

    def _repr_html_(self) -> str:
        caption = "Totals that print like it" if self.matches else "The nearest totals"
        return f"<p>{html.escape(self.sentence())}</p>" + html_table(self.HEAD, self.rows, caption)


def _addresses(match: Match) -> str:
    more = len(match.same) - EQUALS
    listed = ", ".join([match.address, *match.same[:EQUALS]])
    return f"{listed} and {more} more" if more > 0 else listed


def find(
    text: str,
    model: Any = None,
    input_shape: Any = None,
    *,
    size: int | None = None,
    most: int = 10,
) -> Found:
    """Return which totals print like a number that was read somewhere.

    `text` is the number as it was printed, with its unit: "25.6M", "93 MB", "4.1 GFLOPs",
    "138,357,544". `model` is the label of a network of the zoo, whose variants, widths and natural
    sizes are tried, a model of your own with its `input_shape`, or None for the whole zoo. With
    `size` (pixels) only that one is tried. At most `most` matches are returned.

    "MB" may stand for 10^6 or 2^20 bytes, "M" for parameters, values, multiply-accumulates or
    FLOPs, and "FLOPs" for multiply-accumulates, as many print them. A total matches if it is the
    number, or becomes it by one of the `RULES` of printing.

    Raises `UnreadableError` if the text is not a number, `CnnmemError` for a ratio, for "<" or ">",
    and what `summary` raises for the model.

    >>> find("25.6M", "resnet50").matches[0].address
    'resnet50@224:parameters'
    >>> find("93 MB", "vgg16", size=224).verdict
    'unexplained'
    """
    if not isinstance(text, str):
        raise CnnmemError(f'the number is {text!r}; give it as a text, as printed: "25.6M"')
    if as_int(most) is None or most < 1:
        raise CnnmemError(f"most is {most!r}; give a positive integer")
    if size is not None and (as_int(size) is None or size < 1):
        raise CnnmemError(f"size is {size!r}; give pixels, such as 224")
    wanted = _wanted(text)
    tried = _to_try(model, input_shape, size)
    found = [match for want in wanted for match in _matches(want, tried)]
    found.sort(key=lambda match: match.rank)
    nearest: list[Match] = []
    digits = wanted[0].digits
    if found:
        digits = found[0].digits
        tried = [each for each in tried if each.unusual <= found[0].tried.unusual]
    else:
        nearest = _joined(sorted(_nearest(wanted[0], tried), key=lambda match: match.rank))
    return Found(
        text.strip(),
        tuple(_joined(found)[:most]),
        tuple(nearest[:NEAREST]),
        len({(each.about, each.total.unit in MEMORY) for each in tried}),
        digits,
        _by_chance(wanted, tried, digits),
    )


@dataclass(frozen=True)
class PrintedText:
    """A number in words beside a total: the total it comes from, if one prints like that."""

    text: str
    value: Fraction
    unit: Unit
    match: Match | None

    @property
    def label(self) -> str:
        """What it is called in a table or chart."""
        return f"printed: {self.text}"

    @property
    def measures(self) -> str:
        """What it counts: "memory" or "operations"."""
        return "operations" if self.unit in (MACS, FLOPS, OPERATIONS) else "memory"

    @property
    def way(self) -> str:
        """How the total that explains it was printed."""
        if self.match is None or self.match.rule == EXACT:
            return ""
        return f"{self.match.rule}, {self.match.digits} digit{'s' * (self.match.digits != 1)}"

    def reproduced(self) -> Total | None:
        """Return the total that explains it, None if no total tried does."""
        return self.match.total if self.match else None


def printed_text(text: str, beside: Total) -> PrintedText:
    """Return a printed number as the other side of a reconciliation with a total.

    It is looked for under the total's own convention, then under the others of its table, then in
    the other variants and sizes of the network. Raises what `find` raises, and `CnnmemError` if the
    text cannot count what the total counts.

    >>> from cnnmem import summary
    >>> printed_text("25.6M", summary("resnet50").total("parameters")).way
    'rounded, 3 digits'
    """
    wanted = [w for w in _wanted(text) if w.fits(beside.unit, beside.convention.group)]
    if not wanted:
        raise CnnmemError(
            f"{text.strip()!r} does not count {beside.unit}, as {beside.label} does; give a number "
            "of the same kind"
        )
    table = beside.table
    own = f"{table.network}@{_at(table.image)}"
    rounds: list[Sequence[_Tried]] = [
        [_Tried(own, beside, 0, 0, float(beside.base))],
        list(_totals(own, table, 0, 0)),
    ]
    if table.network in zoo.NETWORKS:
        rounds.append(_of_network(table.network, None))
    for tried in rounds:
        alike = [each for each in tried if each.total.measures == beside.measures]
        found = [match for want in wanted for match in _matches(want, alike)]
        if found:
            best = min(found, key=lambda match: match.rank)
            return PrintedText(text.strip(), best.want.value, best.unit, _joined([best])[0])
    unit = wanted[0].unit if wanted[0].unit in MEMORY else beside.unit
    return PrintedText(text.strip(), wanted[0].value, unit, None)


# -- what the text may mean -----------------------------------------------------------------------


class _Want(NamedTuple):
    """One meaning of the text: the value and the weight of its last digit, in units."""

    value: Fraction
    last: Fraction  # of the digits as they stand
    open: Fraction  # of the last digit that is not a zero
    unit: Unit
    digits: int

    def fits(self, unit: Unit, kind: str) -> bool:
        """Return whether a total of this unit can be what the text counts."""
        if self.unit in MEMORY or unit in MEMORY:
            return self.unit in MEMORY and unit in MEMORY
        operations = (MACS, FLOPS, OPERATIONS)
        if self.unit == FLOPS:  # many texts call multiply-accumulates FLOPs
            return unit in operations
        if self.unit == MACS:
            return unit in (MACS, OPERATIONS)
        if self.unit == PARAMETERS:
            return kind == "parameters"
        return self.unit != VALUES or unit not in operations


_ANY = Unit("")  # the text does not say what it counts
_NOUNS = {
    "parameters": PARAMETERS,
    "weights": PARAMETERS,
    "values": VALUES,
    "MACs": MACS,
    "FLOPs": FLOPS,
    "operations": OPERATIONS,
    "": _ANY,
}


def _wanted(text: str) -> tuple[_Want, ...]:
    """Return what a text may mean, the most likely first."""
    if text.strip()[:1] in ("<", ">", "≤", "≥"):
        raise CnnmemError(
            f"{text.strip()!r} is a bound, which many totals keep to; give the number itself"
        )
    found: list[_Want] = []
    try:
        readings = readings_of(text)
    except UnreadableError as error:
        raise UnreadableError(f'{text!r}: {error}; write it as printed: "25.6M", "93 MB"') from None
    for reading in readings:
        if reading.measure == "ratio" or (reading.noun and reading.noun not in _NOUNS):
            raise CnnmemError(
                f"{text.strip()!r} does not measure a network; give parameters, values, bytes, "
                'MACs or FLOPs: "25.6M", "93 MB", "4.1 GFLOPs"'
            )
        if not reading.last:
            raise CnnmemError(f"{text.strip()!r} has no last digit; give the number as printed")
        found.extend(_meanings(reading))
    return tuple(found)


def _meanings(reading: Reading) -> Iterator[_Want]:
    if reading.measure == "memory":
        units = {unit.size: unit for unit in MEMORY}
        unit = units.get(int(reading.unit), B)
        yield _want(reading, unit, reading.unit)
        if unit in BINARY:
            yield _want(reading, BINARY[unit], reading.unit)
        return
    yield _want(reading, _NOUNS[reading.noun], Fraction(1))
    if not reading.measure:
        yield _want(reading, B, Fraction(1))


def _want(reading: Reading, unit: Unit, written_in: Fraction) -> _Want:
    value, last = abs(reading.value) / written_in, reading.last / written_in
    figures = int(value / last)
    zeros = 0
    while reading.whole and figures and figures % 10 ** (zeros + 1) == 0:
        zeros += 1
    sign = -1 if reading.value < 0 else 1
    return _Want(sign * value, last, last * 10**zeros, unit, len(str(figures)))


# -- what is tried --------------------------------------------------------------------------------


class _Tried(NamedTuple):
    """A total and where it is; `unusual` says how far from what people mean first."""

    label: str
    total: Total
    unusual: int
    order: int
    about: float  # the total in bytes, values or operations


def _to_try(model: Any, input_shape: Any, size: int | None) -> Sequence[_Tried]:
    """Return the totals to try."""
    if model is None:
        return _of_zoo(size)
    if isinstance(model, str) and input_shape is None:
        return _of_network(zoo.canonical(model), size)
    table = summary(model, input_shape)
    name = zoo.canonical(model) if isinstance(model, str) else table.network
    return list(_totals(f"{name}@{_at(table.image)}", table, 0, 0))


def _at(image: Shape) -> str:
    sides = image[:-1]
    return str(sides[0]) if len(set(sides)) == 1 else "x".join(map(str, sides))


@lru_cache(4)
def _of_zoo(size: int | None) -> tuple[_Tried, ...]:
    return tuple(each for name in zoo.names() for each in _of_network(name, size, alone=False))


@lru_cache(64)
def _of_network(label: str, size: int | None, alone: bool = True) -> tuple[_Tried, ...]:
    """Return the totals of a network: its variants, without and with all classifiers.

    One that is asked for by itself (`alone`) is tried at other widths and sizes too.
    """
    found: list[_Tried] = []
    for order, (name, options, of_width) in enumerate(_forms(label, alone)):
        network = zoo.get(name, **options)
        own = network.image[0]
        sizes = {own: None, **dict.fromkeys(SIZES_OF_WIDTHS if of_width else SIZES)}
        said = name + "".join(f" ({_SAID[option]})" for option in options)
        for side in (sizes if alone else (own,)) if size is None else (size,):
            try:
                table = summary(network, (side, side, network.image[-1]))
            except ShapeError:
                continue  # too small for this network
            unusual = bool(options) + of_width + (size is None and side != own)
            found.extend(_totals(f"{said}@{side}", table, unusual, order))
    return tuple(found)


_SAID = {"top": "no top", "auxiliary": "auxiliary classifiers"}


def _forms(label: str, widths: bool) -> Iterator[tuple[str, dict[str, bool], bool]]:
    """Yield the labels and options of a network's forms, and whether a width is among them."""
    name = label.split("/")[0]
    parameters = inspect.signature(zoo.NETWORKS[name]).parameters
    labels = [label]
    if label == name:
        labels = [name, *[f"{name}/{variant}" for variant in zoo.variants(name)[1:]]]
    for each in labels:
        yield each, {}, False
    for each in labels:
        if "auxiliary" in parameters:
            yield each, {"auxiliary": True}, False
        yield each, {"top": False}, False
    if label == name and widths and "width" in parameters:
        for width in WIDTHS:
            if width != 1:
                yield f"{name}/{width}", {}, True


def _totals(label: str, table: Table, unusual: int, order: int) -> Iterator[_Tried]:
    for place, convention in enumerate(conventions.PRESETS):
        if _counts(convention, table):
            found = total(table, convention)
            if found.outside:
                continue  # not what the tool printed
            rare = unusual + (convention.name not in USUAL)
            yield _Tried(label, found, rare, order * 100 + place, float(found.base))


def _counts(convention: Convention, table: Table) -> bool:
    """Return whether a convention can be added up for a table."""
    if convention.until and all(row.name != convention.until for row in table.rows):
        return False
    needs = {count.quantity for count in convention.counts}
    if "kept tensors" in needs and not table.says_saved:
        return False
    return "alive at the peak" not in needs or table.storage is not None


# -- what matches ---------------------------------------------------------------------------------


class _Match(NamedTuple):
    want: _Want
    tried: _Tried
    rule: str
    digits: int
    unit: Unit
    rank: tuple[Any, ...]


def _rules(want: _Want, value: Fraction) -> str:
    """Return the rule by which a total prints like the text; "" if there is none."""
    off = value - want.value
    if not off:
        return EXACT
    if abs(off) * 2 <= want.last:
        return ROUNDED
    if 0 < off * (1 if want.value >= 0 else -1) < want.last:
        return CUT
    return OPEN if want.open != want.last and abs(off) * 2 <= want.open else ""


def _matches(want: _Want, tried: Iterable[_Tried]) -> Iterator[_Match]:
    size = want.unit.size
    low, high = float((want.value - want.open) * size), float((want.value + want.open) * size)
    for each in tried:
        if not low <= each.about <= high:
            continue
        if not want.fits(each.total.unit, each.total.convention.group):
            continue
        value = each.total.base / size
        rule = _rules(want, value)
        if rule:
            yield _found(want, each, rule, value)


def _found(want: _Want, each: _Tried, rule: str, value: Fraction) -> _Match:
    lost = 0
    while rule == OPEN and want.last * 10**lost < want.open:
        lost += 1
    unit = each.total.unit if want.unit == _ANY or want.unit not in MEMORY else want.unit
    other = want.unit in MEMORY and each.total.unit != want.unit
    loose = {OPEN: 2, CUT: 1, ROUNDED: 1}.get(rule, 0)
    rank = (loose, each.unusual, rule == CUT, other, each.order, abs(value - want.value))
    return _Match(want, each, rule, want.digits - lost, unit, rank)


def _nearest(want: _Want, tried: Iterable[_Tried]) -> Iterator[_Match]:
    close = [t for t in tried if want.fits(t.total.unit, t.total.convention.group)]
    size = want.unit.size
    close.sort(key=lambda t: abs(t.about - float(want.value * size)))
    for each in close[: 4 * NEAREST]:
        value = each.total.base / size
        off = value - want.value
        match = _found(want, each, "", value)
        share = float(abs(off) / abs(want.value)) if want.value else 1.0
        rule = f"{share:.1%} {'more' if off > 0 else 'less'}"
        yield match._replace(rule=rule, digits=0, rank=(abs(off), each.unusual, each.order))


def _joined(found: Sequence[_Match]) -> list[Match]:
    """Return the matches; equal totals are one, under the address that comes first."""
    groups: dict[tuple[Any, ...], list[_Match]] = {}
    for match in found:
        groups.setdefault((match.tried.total.base, match.unit.size, match.rule), []).append(match)
    return [
        Match(
            first.tried.label,
            first.tried.total,
            first.rule,
            first.digits,
            first.unit,
            _others(first, rest),
        )
        for first, *rest in groups.values()
    ]


def _others(first: _Match, rest: Sequence[_Match]) -> tuple[str, ...]:
    """Return the addresses of equal totals, each network and convention at one size."""
    found: dict[tuple[str, str], str] = {}
    for match in (first, *rest):
        label, name = match.tried.label, match.tried.total.convention.name
        found.setdefault((label.split("@")[0], name), f"{label}:{name}")
    return tuple(found.values())[1:]


def _by_chance(wanted: Sequence[_Want], tried: Iterable[_Tried], digits: int) -> float:
    """Return how many totals a number of that size with random digits would have matched.

    Of the 9 · 10^(d-1) numbers of d digits, a total within the same power of ten prints as one,
    rounded, or as two, if cutting gives another. Equal totals count once.
    """
    expected = 0.0
    for want in wanted:
        power = len(str(int(abs(want.value)))) - 1 if abs(want.value) >= 1 else -1
        while power < 0 and abs(want.value) * 10**-power < 1 and power > -30:
            power -= 1
        low, size = 10.0**power, want.unit.size
        within = {
            abs(each.about) / size
            for each in tried
            if low <= abs(each.about) / size < 10 * low
            and want.fits(each.total.unit, each.total.convention.group)
        }
        step = low / 10 ** (digits - 1)
        for value in within:
            expected += (1 if value % step * 2 < step else 2) / (9 * 10 ** (digits - 1))
    return expected
