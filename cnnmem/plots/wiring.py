"""A flattened map and the linear layer behind it: every value is wired to every unit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cnnmem.charts.chart import Chart, Rows
from cnnmem.charts.header import title_marks
from cnnmem.charts.marks import Box, Dots, Drawing, Frame, Line, Mark, Text, grid
from cnnmem.charts.theme import FILLS
from cnnmem.units import percent

from .colours import BLUE, ORANGE

_TOP = 64.0
_VALUES, _UNITS = 12, 9  # dots that stand for all values and all units
_MOST_CELLS = 32


class _Place(NamedTuple):
    """x of the map, the vector, the units and the squares; the largest map and square."""

    map: float
    vector: float
    units: float
    squares: float
    side: float
    square: float
    depth: float


_WIDE = _Place(40.0, 300.0, 470.0, 610.0, 118.0, 150.0, 7.0)
_NARROW = _Place(14.0, 190.0, 290.0, 342.0, 70.0, 66.0, 4.0)


@dataclass(frozen=True)
class Wiring(Chart):
    """A map of `shape` (H, W, C), flattened and wired to `units`, beside all `others` parameters.

    `name` is the layer's, `biases` the number that it has, `others` are the parameters of all other
    layers of the network.

    >>> wiring = Wiring("VGG-16", "fc1", (7, 7, 512), 4096, 4096, 35_593_000)
    >>> f"{wiring.weights:,}"
    '102,760,448'
    >>> print(wiring.text())
    VGG-16
    7 x 7 x 512 = 25,088 values, each wired to 4,096 units: 102,760,448 weights
    fc1 holds 74.3 % of the parameters
    """

    title: str
    name: str
    shape: tuple[int, int, int]
    units: int
    biases: int
    others: int
    unit: str = "parameters"

    kind = "wiring"

    @property
    def values(self) -> int:
        """The values of the flattened map."""
        return math.prod(self.shape)

    @property
    def weights(self) -> int:
        """A weight for every pair of a value and a unit."""
        return self.values * self.units

    @property
    def _lines(self) -> tuple[str, str]:
        height, width, channels = self.shape
        held = self.weights + self.biases
        return (
            f"{height} x {width} x {channels} = {self.values:,} values, each wired to "
            f"{self.units:,} units: {self.weights:,} weights",
            f"{self.name} holds {percent(held, held + self.others)} of the parameters",
        )

    @property
    def alt(self) -> str:
        """The picture in words."""
        return self.sentence(*(f"{line}." for line in self._lines))

    def rows(self) -> Rows:
        """Header and rows: the layer's parameters and those of all others."""
        held = self.weights + self.biases
        return (("layer", "parameters"), (self.name, held), ("all others", self.others))

    def text(self, most: int | None = None) -> str:
        """The picture as text."""
        return "\n".join([self.title, *self._lines])

    def marks(self, frame: Frame) -> Drawing:
        """Map, vector, units and wires from left to right; at the right areas show parameters."""
        place = _NARROW if frame.narrow else _WIDE
        bottom = frame.height - (64 if frame.narrow else 40)
        out = [
            *title_marks(self.title, frame.width),
            *self._map(place, (_TOP + bottom) / 2),
            *self._wires(place, bottom),
            *self._squares(place, bottom),
        ]
        if frame.narrow:
            first, second = self._lines[0].split(", ", 1)[0], self._lines[0].split("values, ", 1)[1]
            out.append(Text(14, frame.height - 30, f"{first}, {second}".split(": ")[0]))
            out.append(Text(14, frame.height - 12, f"{self.weights:,} weights; {self._lines[1]}"))
        else:
            out.append(Text(place.map, frame.height - 12, self._lines[0]))
        return Drawing(out, round(frame.height))

    def _map(self, place: _Place, middle: float) -> Iterator[Mark]:
        """Yield the map as a grid of places, with channels behind it."""
        height, width, channels = self.shape
        cell = place.side / max(height, width, 7)
        wide, high = cell * width, cell * height
        x, y = place.map, middle - high / 2
        for depth in range(min(channels, 6) - 1, 0, -1):
            at = (x + place.depth * depth, y - place.depth * depth)
            yield Box(*at, wide, high, "paper", line=1, faint=0.5)
        yield Box(x, y, wide, high, "paper")
        yield Box(x, y, wide, high, FILLS[ORANGE].colour, 0.35, line=1.5)
        if max(height, width) <= _MOST_CELLS:
            yield grid(x, y, cell, height, width)
        yield Text(x, y + high + 20, f"{height} x {width} x {channels}")
        start, stop = x + wide + 6 * place.depth + 8, place.vector - 20
        yield Line(((start, middle), (stop, middle)), arrow=True)
        yield Text((start + stop) / 2, middle - 10, "flatten", "middle")

    def _wires(self, place: _Place, bottom: float) -> Iterator[Mark]:
        """Yield a few of the values, a few of the units, and every wire between them."""
        left, right = place.vector, place.units
        values = _column(left, _VALUES, bottom)
        units = _column(right, _UNITS, bottom)
        chosen = units[_UNITS // 2]
        for start in values:
            for stop in units:
                if stop != chosen:
                    yield Line((start, stop), width=0.7, faint=0.28)
        for start in values:
            yield Line((start, chosen), width=1.6, colour=FILLS[BLUE].colour)
        yield Dots(tuple(values), 4.0, FILLS[ORANGE].colour)
        yield Dots(tuple(units), 4.0)
        yield Dots((chosen,), 6.0, FILLS[BLUE].colour)
        yield Text(left + 14, _TOP - 16, f"{self.values:,} values", "end", bold=True)
        yield Text(right - 14, _TOP - 16, f"{self.units:,} units", bold=True)

    def _squares(self, place: _Place, bottom: float) -> Iterator[Mark]:
        """Yield two squares whose areas are the parameters of the layer and of all others."""
        held = self.weights + self.biases
        largest = max(held, self.others, 1)
        x, floor = place.squares, bottom - 16
        parts = ((self.name, held, FILLS[BLUE]), ("all others", self.others, "#808080"))
        for name, count, fill in parts:
            side = place.square * math.sqrt(count / largest)
            yield Box(
                x,
                floor - side,
                side,
                side,
                fill,
                name=name,
                values=(count,),
                tip=f"{name}: {count:,} parameters",
            )
            if place is _WIDE:
                share = percent(count, held + self.others)
                yield Text(x, floor + 18, f"{name} {share}")
                x += max(side, 84.0) + 30
            else:
                yield Text(x, floor + 18, "others" if count is self.others else name)
                x += max(side, 46.0) + 10
        if place is _WIDE:
            yield Text(place.squares, _TOP - 16, "areas: parameters", bold=True)


def _column(x: float, count: int, bottom: float) -> list[tuple[float, float]]:
    step = (bottom - _TOP - 10) / (count - 1)
    return [(x, _TOP + 2 + step * i) for i in range(count)]
