"""A chart as data: what is drawn, printed as text and read out, decided once.

:mod:`~cnnmem.charts.svg` draws these values live, :mod:`~cnnmem.charts.mpl` for print.
Values are kept exact (ints and Fractions); ``scale`` divides them only where they are drawn.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from . import _check, words
from ._shown import Shown
from .format import Number
from .heatmap import HeatMap

MOST_SERIES = 7  # as many colours, and patterns, as a reader can tell apart


@dataclass(frozen=True)
class Series:
    """One part of every bar: weights, say.

    >>> Series("biases", (64, 64)).name
    'biases'
    """

    name: str
    values: tuple[Number, ...]

    def __post_init__(self) -> None:
        _check.text("name", self.name)
        _check.tuple_of(f"values of {self.name!r}", self.values, object)
        if set(map(type, self.values)) == {int}:  # the usual case, at the speed of C
            values: tuple[Number, ...] = (min(self.values), max(self.values))
        else:
            values = self.values
        for value in values:
            _check.number(f"values of {self.name!r}", value)


@dataclass(frozen=True)
class Marker:
    """A prediction, or a line to compare with, that stays visible on the chart.

    =========================  =========================  ==============================
    given                      on StackedBars             on Timeline
    =========================  =========================  ==============================
    ``value``                  ▼ on the strip of totals   a horizontal line
    ``category``               a flag over that bar       a flag over that moment
    ``category`` and ``value`` a flag at that height      a flag at that height
    =========================  =========================  ==============================

    ``value`` counts what the series count, before ``scale``. It may be negative: a prediction
    is drawn at the edge, with an arrow, when it does not fit the axis.

    >>> Marker("your prediction", value=24_000_000)
    Marker(label='your prediction', value=24000000, category=None)
    """

    label: str
    value: Number | None = None
    category: str | None = None

    def __post_init__(self) -> None:
        if self.value is None and self.category is None:
            raise ValueError(f"marker {self.label!r}: give a value, a category or both")
        if self.value is not None:
            _check.number(f"value of marker {self.label!r}", self.value)


@dataclass(frozen=True)
class Group:
    """Neighbouring bars with a common name: ``start`` to ``stop``, which is not included.

    >>> Group("block 1", 0, 3)
    Group(label='block 1', start=0, stop=3)
    """

    label: str
    start: int
    stop: int


@dataclass(frozen=True)
class _Stacked(Shown):
    """What bars and timelines share: columns that are stacked from series."""

    title: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str
    scale: int | Fraction = 1
    _: KW_ONLY
    base_unit: str = ""
    markers: tuple[Marker, ...] = ()
    groups: tuple[Group, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        _check.text("title", self.title)
        _check.tuple_of("categories", self.categories, str)
        _check.tuple_of("series", self.series, Series)
        _check.tuple_of("markers", self.markers, Marker)
        _check.tuple_of("groups", self.groups, Group)
        _check.units(self.unit, self.scale, self.base_unit)
        self._check_series()
        known = set(self.categories)
        for marker in self.markers:
            if marker.category is not None and marker.category not in known:
                raise ValueError(f"marker {marker.label!r}: there is no {marker.category!r}")
        last = 0
        for group in self.groups:
            if not last <= group.start < group.stop <= len(self.categories):
                raise ValueError(
                    f"groups: {group} must lie in {last}..{len(self.categories)}, "
                    "hold a bar and follow the group before it"
                )
            last = group.stop

    def _check_series(self) -> None:
        if len(self.series) > MOST_SERIES:
            raise ValueError(
                f"series: {len(self.series)} cannot be told apart; merge down to {MOST_SERIES}"
            )
        for one in self.series:
            if len(one.values) != len(self.categories):
                raise ValueError(
                    f"series: {one.name!r} has {len(one.values)} values for "
                    f"{len(self.categories)} categories; give one each"
                )
            if one.values and min(one.values) < 0:
                raise ValueError(
                    f"series: {one.name!r} holds {min(one.values)}; a stack needs values >= 0, "
                    "differences go into a Waterfall"
                )

    @cached_property
    def totals(self) -> tuple[Number, ...]:
        """The height of every column, exact, before ``scale``."""
        if not self.series:
            return (0,) * len(self.categories)
        return tuple(map(sum, zip(*(one.values for one in self.series), strict=True)))

    @cached_property
    def peak(self) -> int | None:
        """The index of the first of the highest columns; None where all are zero."""
        top = max(self.totals, default=0)
        return self.totals.index(top) if top else None


@dataclass(frozen=True)
class StackedBars(_Stacked):
    """A bar per layer, stacked from series.

    ``unit`` is written on the axis; values are divided by ``scale`` there, and counted in
    ``base_unit`` before. ``highlight`` names categories; ``category`` says what a bar is.

    Without ``adds_up`` the bars are compared: they have no total and no shares. ``line`` holds a
    value a bar that is drawn as a mark across it, a rule to compare with. The axis goes up to
    ``reach`` at least, so that charts can share one.

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
    reach: Number = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.number("reach", self.reach)
        if self.line is not None and len(self.line.values) != len(self.categories):
            raise ValueError(
                f"line: {self.line.name!r} has {len(self.line.values)} values for "
                f"{len(self.categories)} categories; give one each"
            )
        highlight: object = self.highlight
        if not isinstance(highlight, frozenset) or not highlight <= set(self.categories):
            raise ValueError(
                f"highlight: {self.highlight!r} must be a frozenset of names out of categories"
            )

    @cached_property
    def total(self) -> Number:
        """All bars together, exact, before ``scale``."""
        return sum(self.totals)

    @cached_property
    def alt(self) -> str:
        """The chart in a sentence, for readers who do not see it."""
        return words.bars_alt(self)

    def rows(self) -> tuple[tuple[str | Number, ...], ...]:
        """Header and rows of exact values, before ``scale``."""
        return words.stacked_rows(self)

    def text(self, most: int | None = None) -> str:
        """The chart as a table with bars; of more than ``most`` bars only the highest."""
        return words.bars_text(self, most)


@dataclass(frozen=True)
class Timeline(_Stacked):
    """Memory over time: ``categories`` are the moments, and their highest is marked.

    >>> line = Timeline("Step", ("forward", "backward"), (Series("kept", (4, 7)),), "bytes")
    >>> line.alt
    'Step. Stacked areas over 2 moments: the peak is 7 bytes at backward.'
    """

    log: ClassVar[bool] = False  # an area has no meaning on a logarithmic axis
    adds_up: ClassVar[bool] = False
    line: ClassVar[Series | None] = None
    reach: ClassVar[Number] = 0
    category: ClassVar[str] = "moment"
    highlight: ClassVar[frozenset[str]] = frozenset()

    @cached_property
    def alt(self) -> str:
        """The chart in a sentence, for readers who do not see it."""
        return words.timeline_alt(self)

    def rows(self) -> tuple[tuple[str | Number, ...], ...]:
        """Header and rows of exact values, before ``scale``."""
        return words.stacked_rows(self)

    def text(self, most: int | None = None) -> str:
        """The chart as a table with bars; of more than ``most`` moments only the highest."""
        return words.timeline_text(self, most)


@dataclass(frozen=True)
class Waterfall(Shown):
    """From one total to another in named steps, which sum to the difference exactly.

    >>> bridge = Waterfall("Why", ("notes", 93), (("biases", 2), ("ReLU", -35)), ("us", 60), "MB")
    >>> bridge.alt
    'Why. Waterfall from notes, 93 MB, to us, 60 MB, in 2 steps: biases +2 MB, ReLU −35 MB.'
    """

    title: str
    start: tuple[str, Number]
    steps: tuple[tuple[str, Number], ...]
    end: tuple[str, Number]
    unit: str
    scale: int | Fraction = 1
    _: KW_ONLY
    base_unit: str = ""
    note: str = ""
    end_units: tuple[str, str] | tuple[()] = ()  # of start and end, where they are not `unit`

    def __post_init__(self) -> None:
        _check.text("title", self.title)
        _check.tuple_of("steps", self.steps, tuple)
        _check.units(self.unit, self.scale, self.base_unit)
        for argument, pair in (("start", self.start), *(("steps", s) for s in self.steps),
                               ("end", self.end)):  # fmt: skip
            if type(pair) is not tuple or len(pair) != 2:
                raise ValueError(f"{argument}: {pair!r:.60} is no pair; pass (label, value)")
            _check.text(f"label in {argument}", pair[0])
            _check.number(f"{pair[0]!r} in {argument}", pair[1])
        reached = sum((Fraction(delta) for _, delta in self.steps), Fraction(self.start[1]))
        gap = Fraction(self.end[1]) - reached
        if gap:
            raise ValueError(
                f"end: {self.end[1]} is not start plus steps, {reached}; "
                f"add a step ('unexplained', {gap}), or pass Fractions where floats round"
            )

    @cached_property
    def levels(self) -> tuple[tuple[Number, Number], ...]:
        """Where every bar begins and ends: the start, each step, the end."""
        spans: list[tuple[Number, Number]] = [(0, self.start[1])]
        for _, delta in self.steps:
            spans.append((spans[-1][1], spans[-1][1] + delta))
        return (*spans, (0, self.end[1]))

    @cached_property
    def alt(self) -> str:
        """The chart in a sentence, for readers who do not see it."""
        return words.waterfall_alt(self)

    def rows(self) -> tuple[tuple[str | Number, ...], ...]:
        """Header and rows (step, change, running total) of exact values, before ``scale``."""
        return words.waterfall_rows(self)

    def text(self) -> str:
        """The chart as a table with bars."""
        return words.waterfall_text(self)


Chart = StackedBars | Waterfall | Timeline | HeatMap
