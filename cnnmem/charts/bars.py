"""Stacked bars: how much each layer holds, and of what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from cnnmem.errors import CnnmemError

from . import _check
from .column_marks import FAR, LEFT, DrawnColumns, plot_width
from .fitting import fit, text_width
from .flags import LANE, Flag, flag_marks, lanes, place
from .format import Real, exact, share_text
from .marks import Box, Mark, Text
from .series import Series
from .theme import LEVEL

_NAMED = 3  # bars that the alt text names
_STRIP = 18.0  # height of the strip of totals


@dataclass(frozen=True)
class StackedBars(DrawnColumns):
    """A bar per layer, stacked from series.

    The axis shows values divided by ``scale``, in ``unit``; undivided they are in ``base_unit``.
    ``highlight`` names categories to mark; ``category`` says what a bar stands for.

    Without ``adds_up`` the bars are only compared: they have no total and no shares. ``line``
    holds a value for each bar to compare it with, drawn as a mark across the bar. The axis goes
    up to at least ``reach``, so that charts can share one.

    >>> bars = StackedBars("Tiny", ("conv", "fc"), (Series("weights", (27, 81)),), "parameters")
    >>> bars.total
    108
    >>> bars.alt
    'Tiny. Stacked bars, 2 layers: fc holds 75.0 % of 108 parameters, conv 25.0 %.'
    >>> print(bars.text())
    Tiny (parameters)
    layer  weights  total    share
    conv        27     27   25.0 %  ██████▋
    fc          81     81   75.0 %  ████████████████████
    total      108    108  100.0 %
    """

    _: KW_ONLY
    log: bool = False
    highlight: frozenset[str] = frozenset()
    category: str = "layer"
    adds_up: bool = True
    line: Series | None = None
    reach: Real = 0

    kind = "bars"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.number("reach", self.reach)
        if self.line is not None:
            self._check_length("line", self.line)
        highlight: object = self.highlight
        if not isinstance(highlight, frozenset) or not highlight <= set(self.categories):
            raise CnnmemError(
                f"highlight: {self.highlight!r} must be a frozenset of names from categories"
            )

    @cached_property
    def total(self) -> Real:
        """All bars together, exact, before ``scale``."""
        return sum(self.totals)

    @cached_property
    def alt(self) -> str:
        """Which bars are highest, their share, the total, the parts and the markers."""
        count = f"{len(self.categories)} {self.category}{'s' * (len(self.categories) != 1)}"
        kind = f"Stacked bars, {count}" + ", logarithmic axis" * self.log
        if not self.total:
            return self.sentence(f"{kind}: all values are zero.", self.markers_text)
        order = sorted(range(len(self.totals)), key=self.totals.__getitem__, reverse=True)
        highest = [(self.categories[i], self.totals[i]) for i in order[:_NAMED] if self.totals[i]]
        if not self.adds_up:
            heights = ", ".join(f"{name} {self.amount(value)}" for name, value in highest)
            detail = f"Marked across the bars: {self.line.name}." if self.line else ""
            return self.sentence(f"{kind}: highest {heights}.", detail, self.markers_text)
        shares = [f"{name} {share_text(value, self.total)}" for name, value in highest[1:]]
        name, value = highest[0]
        first = f"{name} holds {share_text(value, self.total)} of {self.amount(self.total)}"
        parts = [f"{s.name} {share_text(sum(s.values), self.total)}" for s in self.series]
        detail = f"By part: {', '.join(parts)}." if len(parts) > 1 else ""
        return self.sentence(f"{kind}: {', '.join([first, *shares])}.", detail, self.markers_text)

    def text(self, most: int | None = None) -> str:
        """The chart as a table with bars; with ``most``, only the highest bars."""
        if self.scale == 1 or not self.adds_up:
            return self.table(most)
        return self.table(most, f"total = {exact(self.total)} {self.base_unit}")

    @property
    def headline(self) -> str:
        """The total."""
        return f"total {self.amount(self.total)}" if self.adds_up else ""

    @property
    def legend(self) -> list[str]:
        """What each series adds to the total."""
        if not self.adds_up:
            return super().legend
        parts = [sum(one.values) for one in self.series]
        return [f"{self.bare(part)} ({share_text(part, self.total)})" for part in parts]

    def peak_text(self, peak: int, name: str) -> str:
        """The highest bar's share, or its height where bars are compared and differ."""
        height = self.totals[peak]
        if self.adds_up:
            return f"{name} {share_text(height, self.total)}"
        alike = len(self.totals) > 1 and len({*self.totals}) == 1
        return "" if alike else f"{name} {self.amount(height)}"

    def shares(self, values: tuple[Real, ...]) -> list[str]:
        """Each value's share of the total; empty where bars are compared."""
        if not (self.adds_up and self.total):
            return []
        return [share_text(value, self.total) for value in values]

    def strip(self, width: float, top: float) -> tuple[list[Mark], float]:
        """The total as one thin bar, predictions of it above, and the y below them.

        The strip ends at the right margin, unless a prediction above the total ends there.
        """
        if not self.adds_up:
            return [], top
        total, room = float(self.total), plot_width(width)
        guesses = [
            (marker, float(marker.value))
            for marker in self.markers
            if marker.value is not None and marker.category is None
        ]
        span = max([total, *(value for _, value in guesses if value <= FAR * total)]) or 1.0
        flags = []
        for marker, value in guesses:
            text = fit(self.marker_text(marker), room / 2 - 40)
            text = f"{text} →" if value > span else f"← {text}" if value < 0 else text
            flags.append(Flag(LEFT + room * min(max(value / span, 0.0), 1.0), 0.0, text, True))
        placed = place(flags, LEFT, LEFT + room)
        y = top + 6 + LANE * lanes(placed)
        out: list[Mark] = [
            Text(LEFT - 8, y + _STRIP - 5, "total", "end"),
            *self._parts(y, room, span),
        ]
        out.append(Box(LEFT, y, room, _STRIP, line=1, faint=0.3))
        out += flag_marks([p._replace(flag=p.flag._replace(y=y)) for p in placed], y - 4)
        return out, y + _STRIP

    def _parts(self, y: float, room: float, span: float) -> Iterator[Mark]:
        """Yield what each block, or each bar, adds to the strip; the widest parts have names."""
        columns = [(name, i, i + 1) for i, name in enumerate(self.categories)]
        start = LEFT
        for i, (name, first, stop) in enumerate(self.groups or columns):
            part = sum(self.totals[first:stop])
            width = room * float(part) / span
            share = share_text(part, self.total)
            tip = f"{name}: {share} of the total"
            fill, shade = LEVEL.colour, (0.45, 0.25)[i % 2]
            yield Box(
                start, y, width, _STRIP, fill, shade, css="share", total=part, tip=tip, places=2
            )
            text = f"{name} {share}"
            if text_width(text) + 12 <= width:
                yield Text(start + width / 2, y + _STRIP - 4, text, "middle")
            start += width
