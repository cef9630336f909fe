"""A full convolution beside its depthwise and pointwise halves: where 1/N + 1/K² comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from cnnmem.charts.chart import Chart, Rows
from cnnmem.charts.header import title_marks
from cnnmem.charts.marks import Box, Drawing, Frame, Mark, Text, grid
from cnnmem.charts.theme import FILLS, Fill
from cnnmem.units import percent

_TOP = 62.0
_WIDE = ((40.0, 400.0, 680.0), 74.0, 7.0)  # x of the filters, side of a kernel, a channel's step
_NARROW = ((30.0, 196.0, 356.0), 54.0, 5.0)
_STRIP = 26.0
_FULL, _DEPTH, _POINT = FILLS[2], FILLS[0], FILLS[1]  # as in the bars of the blocks


@dataclass(frozen=True)
class Factors(Chart):
    """The filters of a K x K convolution from `c_in` to `n` channels, whole and taken apart.

    The strips compare the products for one place of the map. They add up to 1/N + 1/K² of the full
    convolution (Howard et al., "MobileNets", 2017, section 3.1).

    >>> factors = Factors("Block 7", 3, 512, 512)
    >>> factors.full, factors.depthwise, factors.pointwise
    (2359296, 4608, 262144)
    >>> factors.ratio == 1 / Fraction(512) + 1 / Fraction(9)
    True
    """

    title: str
    kernel: int
    c_in: int
    n: int
    unit: str = "products"

    kind = "factors"

    @property
    def full(self) -> int:
        """Products of the full convolution for one place: K · K · C · N."""
        return self.kernel**2 * self.c_in * self.n

    @property
    def depthwise(self) -> int:
        """Products of the depthwise half: K · K · C."""
        return self.kernel**2 * self.c_in

    @property
    def pointwise(self) -> int:
        """Products of the pointwise half: C · N."""
        return self.c_in * self.n

    @property
    def ratio(self) -> Fraction:
        """What both halves cost, as a share of the full convolution."""
        return Fraction(self.depthwise + self.pointwise, self.full)

    @property
    def _lines(self) -> tuple[str, ...]:
        k, c, n = self.kernel, self.c_in, self.n
        return (
            f"full: {n} filters of {k} x {k} x {c}: {self.full:,} products a place",
            f"depthwise: {c} filters of {k} x {k} x 1: {self.depthwise:,}, "
            f"1/N = {percent(self.depthwise, self.full)}",
            f"pointwise: {n} filters of 1 x 1 x {c}: {self.pointwise:,}, "
            f"1/K² = {percent(self.pointwise, self.full)}",
        )

    @property
    def alt(self) -> str:
        """The picture in words."""
        both = percent(self.depthwise + self.pointwise, self.full)
        return self.sentence(*(f"{line}." for line in self._lines), f"Both halves: {both}.")

    def rows(self) -> Rows:
        """Header and rows: products for one place of the map."""
        return (
            ("convolution", "products"),
            ("full", self.full),
            ("depthwise", self.depthwise),
            ("pointwise", self.pointwise),
        )

    def text(self, most: int | None = None) -> str:
        """The picture as text."""
        return "\n".join([self.title, *self._lines])

    def marks(self, frame: Frame) -> Drawing:
        """The filters above, the strips of their products below."""
        k, c, n = self.kernel, self.c_in, self.n
        out = [*title_marks(self.title, frame.width)]
        at, face, step = _NARROW if frame.narrow else _WIDE
        floor = _TOP + (90 if frame.narrow else 130)
        heads = ("full: looks around and mixes", "depthwise: looks around", "pointwise: mixes")
        sizes = ((k, c, n), (k, 1, c), (1, c, n))
        for x, head, fill, (side, deep, count) in zip(
            at, heads, (_FULL, _DEPTH, _POINT), sizes, strict=True
        ):
            head = head.split(":")[0] if frame.narrow else head
            out.append(Text(x - 20, _TOP - 14, head, bold=True))
            out += self._filter(x, side, deep, fill, (face, step, floor))
            out.append(Text(x - 20, floor + 28, f"{count} x"))
            out.append(Text(x + 26, floor + 28, f"{side} x {side} x {deep}"))
        out.append(Text(at[1] - face * 0.9, floor - 46, "→", "middle", size=26))
        out.append(Text(at[2] - face * 0.9, floor - 46, "+", "middle", size=26))
        out += self._strips(frame, floor + (50 if frame.narrow else 60))
        return Drawing(out, round(frame.height))

    def _filter(
        self, x: float, side: int, deep: int, fill: Fill, place: tuple[float, float, float]
    ) -> Iterator[Mark]:
        """Yield a filter as a grid, with its channels behind it."""
        room, step, floor = place
        cell = room / max(self.kernel, 3)
        face, shown = cell * side, min(deep, 8)
        y = floor - face
        for depth in range(shown - 1, 0, -1):
            at = (x + step * depth, y - step * depth)
            yield Box(*at, face, face, fill.colour, 0.25, line=1, faint=0.5)
        yield Box(x, y, face, face, "paper")
        yield Box(x, y, face, face, fill.colour, 0.6, line=1.5)
        yield grid(x, y, cell, side, side)

    def _strips(self, frame: Frame, y: float) -> Iterator[Mark]:
        """Yield what each convolution multiplies at one place, as lengths."""
        left, room = 14.0, frame.width - 28.0
        yield Text(left, y - 8, "products for one place of the map", bold=True)
        yield Box(
            left, y, room, _STRIP, _FULL, name="full", values=(self.full,), tip=self._lines[0]
        )
        below, x = y + _STRIP + 6, left
        parts = (("depthwise", self.depthwise, _DEPTH), ("pointwise", self.pointwise, _POINT))
        for (name, count, fill), tip in zip(parts, self._lines[1:], strict=True):
            wide = room * count / self.full
            yield Box(x, below, wide, _STRIP, fill, name=name, values=(count,), tip=tip)
            x += wide
        both = percent(self.depthwise + self.pointwise, self.full)
        text = (
            f"1/N + 1/K² = 1/{self.n} + 1/{self.kernel**2} = "
            f"{percent(self.depthwise, self.full)} + {percent(self.pointwise, self.full)} = {both}"
        )
        inside = frame.narrow or x + 16 > left + room * 0.5
        yield Text(left, below + _STRIP + 20, text) if inside else Text(x + 12, below + 18, text)
