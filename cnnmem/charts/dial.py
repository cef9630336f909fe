"""A dial: a count in a 32-bit integer, how often it goes around, and where it lands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from cnnmem.errors import CnnmemError
from cnnmem.int32 import TURN, turns, wrap_int32
from cnnmem.tables import aligned

from .axis import linear
from .chart import Chart, Rows
from .fitting import text_width
from .format import exact
from .header import title_marks
from .marks import Anchor, Box, Dots, Drawing, Frame, Line, Mark, Point, Text, polygon
from .series import Marker
from .theme import FILLS

_Place = Callable[[float], float]
TOP = 2**31
_MOST_DRAWN = 4  # turns of the spiral
_HIGHEST = 3 * TOP  # of the graph; it does not show higher counts
_EXACT, _INT32 = FILLS[0], FILLS[1]
_SCALE: tuple[tuple[int, float, float, str, Anchor], ...] = (
    (0, 0, -7, "0", "middle"),
    (2**30, 8, 4, "2³⁰", "start"),
    (3 * 2**30, -8, 4, "−2³⁰", "end"),
    (TOP, 10, 18, "2³¹ − 1", "start"),
    (TOP, -10, 18, "−2³¹", "end"),
)
"""The texts around the dial: value, shift to the right and down, text, anchor."""

_LEVELS = {-TOP: "−2³¹", 0: "0", TOP: "2³¹", 2 * TOP: "2³²", 3 * TOP: "3 · 2³¹"}


@dataclass(frozen=True)
class Dial(Chart):
    """A count, exact and as a 32-bit integer shows it, beside its course over a size.

    `course` holds pairs (size, exact count) in the order of the sizes; `at` is the size shown.

    >>> dial = Dial("Toy", 2**31 + 5, "values", at=2, course=((1, 10), (2, 2**31 + 5)))
    >>> dial.shown, dial.turns
    (-2147483643, 1)
    >>> print(dial.text())
    Toy (values)
    exact               2,147,483,653
    passes the seam                 1
    as 32-bit integer  −2,147,483,643
    """

    title: str
    exact: int
    unit: str
    at: int = 0
    course: tuple[tuple[int, int], ...] = ()
    axis: str = "input size (px)"
    markers: tuple[Marker, ...] = ()

    kind = "dial"
    quantity = "input size"  # what its markers stand for

    def __post_init__(self) -> None:
        if type(self.exact) is not int or self.exact < 0:
            raise CnnmemError(f"exact: {self.exact!r}; a count is a whole number, 0 or more")
        sizes = [size for size, _ in self.course]
        if sorted(set(sizes)) != sizes:
            raise CnnmemError(f"course: the sizes {sizes!r:.60} must rise; sort them, drop repeats")

    @cached_property
    def shown(self) -> int:
        """What a 32-bit integer shows."""
        return wrap_int32(self.exact)

    @cached_property
    def turns(self) -> int:
        """How often the count has passed from 2^31 − 1 to −2^31."""
        return turns(self.exact)

    @property
    def times(self) -> str:
        """How often the count passes the seam between 2^31 − 1 and −2^31, in words."""
        words = {0: "never", 1: "once", 2: "twice"}
        return words.get(self.turns, f"{exact(self.turns)} times")

    @cached_property
    def alt(self) -> str:
        """The dial in a sentence, for readers who cannot see it."""
        count = f"{exact(self.exact)} {self.unit}"
        if self.turns:
            what = (
                f"{count} pass the seam after 2^31 - 1 {self.times}; shown is {exact(self.shown)}"
            )
        else:
            what = f"{count} fit: they end before the seam after 2^31 - 1"
        marked = [f"{m.label}: {exact(m.value)}." for m in self.markers if m.value is not None]
        return self.sentence(f"Dial of a 32-bit integer: {what}.", *marked)

    def marked(self, markers: tuple[Marker, ...]) -> Dial:
        """Return the dial with predictions of a size on its course."""
        sizes = tuple(m for m in self.meant(markers) if m.value is not None)
        return replace(self, markers=(*self.markers, *sizes)) if sizes else self

    def rows(self) -> Rows:
        """Header and rows: the size, the exact count and the one shown, along the course."""
        body = [(size, count, wrap_int32(count)) for size, count in self.course]
        return ((self.axis, "exact", "as 32-bit integer"), *body)

    def text(self, most: int | None = None) -> str:
        """The numbers of the dial."""
        lines = {
            "exact": self.exact,
            "passes the seam": self.turns,
            "as 32-bit integer": self.shown,
        }
        return self.twin(*aligned([(what, exact(value)) for what, value in lines.items()]))

    def marks(self, frame: Frame) -> Drawing:
        """The dial on the left and the course on the right."""
        out = list(title_marks(self.title, frame.width))
        middle = frame.height / 2 + 2
        x, left, most = (112.0, 256.0, 70.0) if frame.narrow else (190.0, 450.0, 112.0)
        out += self._dial(x, middle, min(middle - 58, most))
        if self.course:
            out += self._legend(14.0 if frame.narrow else left, 46.0 if frame.narrow else 60.0)
            out += self._course(left, 74.0, frame.width - 22, frame.height - 44)
        return Drawing(out, round(frame.height))

    def _dial(self, x: float, y: float, radius: float) -> Iterator[Mark]:
        def at(value: float, r: float) -> Point:
            angle = 2 * math.pi * value / TURN
            return x + r * math.sin(angle), y - r * math.cos(angle)

        rim = [at(TURN * i / 96, radius) for i in range(97)]
        yield polygon(rim[48:], shade=0.14)
        yield Line(tuple(rim), 2.0)
        yield Line((at(TOP, radius - 14), at(TOP, radius + 14)), 3.0)
        for value in range(0, TURN, TURN // 16):
            yield Line((at(value, radius - 5), at(value, radius)), 1.2)
        for value, dx, dy, text, anchor in _SCALE:
            px, py = at(value, radius)
            yield Text(px + dx, py + dy, text, anchor)
        yield Text(x + radius * 0.46, y - radius * 0.5 - 10, "plus", "middle", halo=True)
        yield Text(x - radius * 0.46, y - radius * 0.5 - 10, "minus", "middle", halo=True)
        yield from self._hand(at, radius)
        yield Text(
            x,
            y + radius + 42,
            f"passes the seam {self.times}" if self.turns else "never passes the seam",
            "middle",
            bold=True,
        )

    def _hand(self, at: Callable[[float, float], Point], radius: float) -> Iterator[Mark]:
        # The angle is the count modulo 2^32, which is all that a 32-bit integer keeps: the exact
        # count (spiral) and the wrapped one (hand) end in the same direction.
        whole = self.exact / TURN
        first = max(0.0, whole - _MOST_DRAWN)
        steps = max(2, math.ceil((whole - first) * 64) + 1)
        spiral = []
        for i in range(steps):
            turn = first + (whole - first) * i / (steps - 1)
            grown = 0.3 + 0.56 * (turn - first) / max(whole - first, 1.0)
            spiral.append(at(turn * TURN, radius * grown))
        yield Line(tuple(spiral), 2.5, colour=_EXACT.colour)
        yield Line((at(0, 0), at(self.exact, radius)), 3.5, arrow=True, colour=_INT32.colour)
        yield Dots((at(0, 0),), 5)

    def _course(self, left: float, top: float, right: float, bottom: float) -> Iterator[Mark]:
        sizes = [size for size, _ in self.course]
        guesses = [m for m in self.markers if m.value is not None]
        ticks = linear(sizes[0], sizes[-1], max(2, int((right - left) / 70)), whole=True)
        low, high = ticks.low, ticks.high

        def px(size: float) -> float:
            return left + (right - left) * (size - low) / (high - low)

        def py(count: float) -> float:
            share = (min(count, _HIGHEST) + 1.06 * TOP) / (_HIGHEST + 1.12 * TOP)
            return bottom - (bottom - top) * share

        yield Box(left, py(TOP), right - left, py(-TOP) - py(TOP), "ink", 0.07)
        for level, name in _LEVELS.items():
            yield Line(((left, py(level)), (right, py(level))), 1.0, 0.35, dashed=level != 0)
            yield Text(left - 8, py(level) + 4.5, name, "end")
        for tick in ticks.ticks:
            yield Text(px(tick), bottom + 16, f"{tick:,.0f}", "middle")
        yield Text((left + right) / 2, bottom + 34, self.axis, "middle")
        yield Text(left + 6, py(-TOP) - 6, "what 32 bits can hold", halo=True)
        yield from _steps(self.course, px, py)
        yield from self._here(px, py, high, (left, top, right, bottom))
        for guess in guesses:
            yield from _guess(guess, px, (low, high), (left, top, right, bottom))

    def _legend(self, x: float, y: float) -> Iterator[Mark]:
        for name, fill, value in (("exact", _EXACT, self.exact), ("int32", _INT32, self.shown)):
            tip = f"{name}: {exact(value)} {self.unit}"
            yield Box(x, y - 11, 16, 12, fill, name=name, values=(value,), tip=tip)
            text = f"{'as 32-bit integer' if name == 'int32' else name} {exact(value)}"
            yield Text(x + 22, y, text, bold=True)
            x += 22 + text_width(text, bold=True) + 18

    def _here(
        self, px: _Place, py: _Place, high: float, frame: tuple[float, float, float, float]
    ) -> Iterator[Mark]:
        _, top, right, bottom = frame
        if self.at > high:
            beyond = f"{exact(self.at)} lies further to the right →"
            yield Text(right, (top + bottom) / 2, beyond, "end", bold=True, halo=True)
            return
        x = px(self.at)
        yield Line(((x, top), (x, bottom)), 1.5, 0.7)
        inside = self.exact <= _HIGHEST
        if inside:
            yield Dots(((x, py(self.exact)),), 6, _EXACT.colour)
            if self.turns:
                yield Line(((x + 5, py(self.exact)), (x + 5, py(self.shown))), 1.5, 0.8, True, True)
        yield Dots(((x, py(self.shown)),), 5, _INT32.colour)


def _steps(course: tuple[tuple[int, int], ...], px: _Place, py: _Place) -> Iterator[Mark]:
    """Yield the exact count as stairs, and the 32-bit one as stairs that break at each wrap."""
    upper: list[Point] = []
    lower: list[list[Point]] = [[]]
    for (size, count), (after, then) in pairwise((*course, course[-1])):
        if count <= _HIGHEST:
            upper += [(px(size), py(count)), (px(after), py(count))]
        lower[-1] += [(px(size), py(wrap_int32(count))), (px(after), py(wrap_int32(count)))]
        if turns(then) != turns(count):
            lower.append([])
    yield Line(tuple(upper), 6.0, colour=_EXACT.colour)
    for part in lower:
        if part:
            yield Line(tuple(part), 2.5, colour=_INT32.colour)


def _guess(
    guess: Marker, px: _Place, span: tuple[float, float], frame: tuple[float, float, float, float]
) -> Iterator[Mark]:
    """Yield a prediction of a size as a line across the course."""
    left, top, right, bottom = frame
    size = float(guess.value or 0)
    x = min(max(px(size), left), right)
    arrow = " →" if size > span[1] else "← " if size < span[0] else ""
    text = f"{guess.label} {exact(guess.value or 0)}"
    yield Line(((x, top + 4), (x, bottom)), 2.0, dashed=True)
    fits = x - left > text_width(text, bold=True) + 12
    text = arrow + text if arrow.startswith("←") else text + arrow
    anchor: Anchor = "end" if fits else "start"
    yield Text(x - 6 if fits else x + 6, top + 14, text, anchor, bold=True, halo=True)
