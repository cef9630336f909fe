"""A waterfall: from one total to another, one line for each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property

from cnnmem.errors import CnnmemError
from cnnmem.tables import aligned

from . import _check
from .axis import Axis, linear
from .chart import Chart, Rows
from .fitting import fit, text_width
from .format import Real, flat, plain, si, signed
from .header import SIDE, title_marks
from .marks import Box, Cluster, Drawing, Frame, Mark, Path, Text
from .tables import numbers, text_bar, with_bars
from .theme import GAIN, LEVEL, LOSS, REACHED, UNKNOWN, Fill

_LINE, _WIDEST_LINE = 20.0, 52.0  # height of a step
_THICKEST = 30.0
_TOP, _FOOT = 56.0, 44.0
_NAMES = 0.5  # of the width, at most
_THINNEST = 3.0  # pixels of the smallest step
_CUT = 0.1  # where all levels lie within this share of the highest, the axis is cut


@dataclass(frozen=True)
class Waterfall(Chart):
    """From one total to another in named steps, which sum exactly to the difference.

    ``end_units`` are the units of start and end, if they differ from ``unit``. ``unexplained`` are
    the places of the steps, from 0, that only close a gap; they look different.

    >>> bridge = Waterfall("Why", ("notes", 93), (("biases", 2), ("ReLU", -35)), ("us", 60), "MB")
    >>> bridge.alt
    'Why. Waterfall from notes, 93 MB, to us, 60 MB, in 2 steps: biases +2 MB, ReLU −35 MB.'
    """

    title: str
    start: tuple[str, Real]
    steps: tuple[tuple[str, Real], ...]
    end: tuple[str, Real]
    unit: str
    scale: int | Fraction = 1
    _: KW_ONLY
    base_unit: str = ""
    note: str = ""
    end_units: tuple[str, str] | tuple[()] = ()
    unexplained: frozenset[int] = frozenset()

    kind = "waterfall"

    def __post_init__(self) -> None:
        _check.text("title", self.title)
        _check.tuple_of("steps", self.steps, tuple)
        _check.units(self.unit, self.scale, self.base_unit)
        steps = [("steps", step) for step in self.steps]
        pairs = [("start", self.start), *steps, ("end", self.end)]
        for argument, pair in pairs:
            if type(pair) is not tuple or len(pair) != 2:
                raise CnnmemError(f"{argument}: {pair!r:.60} is not a pair; pass (label, value)")
            _check.text(f"label in {argument}", pair[0])
            _check.number(f"{pair[0]!r} in {argument}", pair[1])
        if not self.unexplained <= set(range(len(self.steps))):
            raise CnnmemError(f"unexplained: {set(self.unexplained)} are not places of steps")
        reached = sum((Fraction(delta) for _, delta in self.steps), Fraction(self.start[1]))
        gap = Fraction(self.end[1]) - reached
        if gap:
            raise CnnmemError(
                f"end: {self.end[1]} is not start plus steps, {reached}; "
                f"add a step ('unexplained', {gap}), or pass Fractions where floats round"
            )

    @cached_property
    def levels(self) -> tuple[tuple[Real, Real], ...]:
        """Where each bar begins and ends: the start, each step, the end."""
        spans: list[tuple[Real, Real]] = [(0, self.start[1])]
        for _, delta in self.steps:
            spans.append((spans[-1][1], spans[-1][1] + delta))
        return (*spans, (0, self.end[1]))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The labels of all bars."""
        return (self.start[0], *(name for name, _ in self.steps), self.end[0])

    @cached_property
    def alt(self) -> str:
        """Both ends and every step."""
        (start, first), (end, last) = self.start, self.end
        ends = f"from {start}, {self.amount(first)}, to {end}, {self.amount(last)}"
        steps = ", ".join(f"{label} {self._change(delta)}" for label, delta in self.steps)
        count = f"{len(self.steps)} step{'s' * (len(self.steps) != 1)}"
        return self.sentence(f"Waterfall {ends}, in {count}" + (f": {steps}." if steps else "."))

    def rows(self) -> Rows:
        """Header and rows (step, change, running total) of exact values, before ``scale``."""
        changes = ("", *(delta for _, delta in self.steps), "")
        levels = (stop for _, stop in self.levels)
        return (("step", "change", "total"), *zip(self.names, changes, levels, strict=True))

    def text(self, most: int | None = None) -> str:
        """The chart as a table; the bar of a step spans its change."""
        levels = [(float(a), float(b)) for a, b in self.levels]
        low, high = min(map(min, levels)), max(map(max, levels))
        width = (high - low) or 1.0
        cells = zip(map(flat, self.names), *self._cells(), strict=True)
        bars = [text_bar(*sorted((edge - low) / width for edge in span)) for span in levels]
        lines = aligned([("step", "change", "total"), *cells])
        return self.twin(*with_bars(lines, ["", *bars]))

    def _change(self, value: Real) -> str:
        """A step with its sign and unit."""
        return signed(self.amount(value), value)

    def _cells(self) -> tuple[list[str], list[str]]:
        """The change of each line, with its sign, and the level it reaches, without units."""
        deltas = [delta for _, delta in self.steps]
        cells = numbers([*deltas, *(stop for _, stop in self.levels)], self)
        moved = [signed(cell, delta) for cell, delta in zip(cells, deltas, strict=False)]
        return ["", *moved, ""], cells[len(deltas) :]

    def _values(self) -> list[str]:
        """The text beside each bar: ends with their units, steps with their signs."""
        moved, reached = self._cells()
        first, last = self.end_units or (self.unit, self.unit)
        return [f"{reached[0]} {first}", *moved[1:-1], f"{reached[-1]} {last}"]

    def _tip(self, index: int) -> str:
        """The tooltip of a bar."""
        reached = self.exactly(self.levels[index][1])
        if 0 < index <= len(self.steps):
            reached = f"{self._change(self.steps[index - 1][1])}, to {reached}"
        return f"{self.names[index]}: {reached}"

    def marks(self, frame: Frame) -> Drawing:
        """One line for each step: its name on the left, its signed value on the right."""
        names, values = self.names, self._values()
        foot = _FOOT + (18 if self.note else 0)
        height = max(frame.height, _TOP + foot + _LINE * len(names))
        line = min((height - _TOP - foot) / len(names), _WIDEST_LINE)
        widest = max(text_width(name, bold=True) for name in names)
        left = SIDE + min(widest, frame.width * _NAMES) + 12
        right = frame.width - SIDE - max(text_width(value, bold=True) for value in values) - 14
        right = max(right, left + 80)
        bottom = _TOP + line * len(names) + 4

        scale = float(self.scale)
        spans = [(float(start) / scale, float(stop) / scale) for start, stop in self.levels]
        levels = [stop for _, stop in spans]
        base, most = _base(levels), max(2, int((right - left) / 90))
        axis = linear(min(levels), max(levels), most, origin=base)
        edge = axis.low if base else 0.0
        spans[0], spans[-1] = (edge, levels[0]), (edge, levels[-1])

        def x(value: float) -> float:
            return left + (right - left) * axis.at([value])[0]

        out = [*title_marks(self.title, frame.width), *self._legend()]
        out += self._axis(axis, left, right, bottom)
        bars: list[Mark] = []
        for index, (name, value) in enumerate(zip(names, values, strict=True)):
            ends = index in (0, len(names) - 1)
            y = _TOP + line * index + 2
            middle = y + line / 2 + 4.5
            short = fit(name, left - SIDE - 12, bold=ends, head=0.6)
            out.append(Text(left - 12, middle, short, "end", ends))
            out.append(Text(frame.width - SIDE, middle, value, "end", ends))
            bars += self._bar(index, spans[index], x, y, line)
        if base:
            for index in (0, len(names) - 1):
                bars += _torn(left + 14, _TOP + line * index + 2, line)
        if self.note:
            out.append(Text(SIDE, height - 8, fit(self.note, frame.width - 2 * SIDE)))
        return Drawing([*out, Cluster("bars", bars)], round(height))

    def _meaning(self, index: int) -> tuple[str, Fill]:
        """What a bar is, and how it is filled."""
        start, stop = self.levels[index]
        if index == 0:
            return "first total", LEVEL
        if index == len(self.names) - 1:
            return "second total", REACHED
        if index - 1 in self.unexplained:
            return "unexplained", UNKNOWN
        return ("a step up", GAIN) if stop > start else ("a step down", LOSS)

    def _legend(self) -> Iterator[Mark]:
        """Yield what the bars are, as far as they occur."""
        x = SIDE
        for name, fill in dict.fromkeys(map(self._meaning, range(len(self.names)))):
            unknown = fill == UNKNOWN
            line, dashes = (1.0, "3,2") if unknown else (0.0, "")
            yield Box(x, 33, 16, 13, fill, line=line, dashes=dashes)
            yield Text(x + 22, 44, name)
            x += 44 + text_width(name)

    def _axis(self, axis: Axis, left: float, right: float, bottom: float) -> Iterator[Mark]:
        lines = []
        for place, text in axis.labels(si if self.scale == 1 else plain):
            at = left + (right - left) * place
            lines.append(f"M{at:.1f},{_TOP}V{bottom:.1f}")
            yield Text(at, bottom + 16, text, "middle")
        yield Path("".join(lines), line=1, faint=0.16)
        zero = left + (right - left) * max(axis.at([0.0])[0], 0.0)  # at the edge if cut
        yield Path(f"M{zero:.1f},{_TOP}V{bottom:.1f}", line=1, faint=0.6)
        yield Text((left + right) / 2, bottom + 33, self.unit, "middle")

    def _bar(
        self,
        index: int,
        span: tuple[float, float],
        x: Callable[[float], float],
        top: float,
        line: float,
    ) -> Iterator[Mark]:
        """Yield a bar from level to level, and the line down to the next one."""
        start, stop = span
        last = index == len(self.names) - 1
        ends = last or index == 0
        _, fill = self._meaning(index)
        unknown = fill == UNKNOWN
        thick = min(line * 0.68, _THICKEST)
        y = top + (line - thick) / 2
        reached = self.levels[index][1]
        moved = reached if ends else self.steps[index - 1][1]
        near, far = sorted((x(start), x(stop)))
        yield Box(
            near,
            y,
            max(far - near, _THINNEST),
            thick,
            fill,
            line=1.5 if unknown else 0,
            dashes="4,3" if unknown else "",
            name=self.names[index],
            values=(moved,),
            total=reached,
            tip=self._tip(index),
        )
        if not last:
            yield Path(f"M{x(stop):.1f},{y + thick:.1f}v{line - thick:.1f}", line=1, faint=0.6)


def _base(levels: list[float]) -> float:
    """Where the axis begins: at 0, or below the lowest level if steps would not be seen."""
    low, high = min(levels), max(levels)
    if low <= 0 or high - low > _CUT * high or high == low:
        return 0.0
    return low - (high - low)


def _torn(x: float, top: float, line: float) -> Iterator[Mark]:
    """Yield the sign that a bar is not drawn from 0: two slanted lines through it."""
    for shift in (0.0, 6.0):
        d = f"M{x + shift - 4:.1f},{top + line - 2:.1f}L{x + shift + 4:.1f},{top + 2:.1f}"
        yield Path(d, line=5, edge="paper")
        yield Path(d, line=1.5)
