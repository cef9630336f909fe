"""What bars and timelines share: columns, from left to right, stacked from series."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, Self, cast

from cnnmem.errors import CnnmemError
from cnnmem.tables import aligned

from . import _check
from .chart import Chart, Rows
from .format import Real, clean, flat, share_text
from .marks import Mark
from .series import Group, Marker, Series
from .tables import numbers, text_bar, with_bars
from .theme import FILLS, Fill


@dataclass(frozen=True)
class Columns(Chart):
    """Columns that are stacked from series, with markers on them and groups below."""

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
    quantity: str = ""

    areas: ClassVar[bool] = False
    """Whether the columns of a series are drawn as one area, without gaps."""

    # Options that only bars offer. Without an annotation these are class attributes, not dataclass
    # fields: the code that draws a timeline can read them, but its constructor does not take them.
    log = adds_up = False
    category = "column"
    highlight = cast(frozenset[str], frozenset())
    line = cast(Series | None, None)
    reach = cast(Real, 0)

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
                raise CnnmemError(
                    f"marker {marker.label!r}: there is no {marker.category!r}; "
                    "pass one of the categories"
                )
        last = 0
        for group in self.groups:
            if not last <= group.start < group.stop <= len(self.categories):
                raise CnnmemError(
                    f"groups: {group} must lie in {last}..{len(self.categories)}, "
                    "hold a column and follow the group before it"
                )
            last = group.stop

    def _check_series(self) -> None:
        if len(self.series) > len(FILLS):
            raise CnnmemError(
                f"series: {len(self.series)} are too many to tell apart; merge down to {len(FILLS)}"
            )
        own = [one.fill for one in self.series if one.fill is not None]
        if len(set(own)) < len(own):
            raise CnnmemError(f"series: two of them have the same fill; {own} must differ")
        for one in self.series:
            self._check_length("series", one)
            if one.values and min(one.values) < 0:
                raise CnnmemError(
                    f"series: {one.name!r} holds {min(one.values)}; a stack needs values >= 0, "
                    "use a Waterfall for differences"
                )

    def _check_length(self, argument: str, one: Series) -> None:
        if len(one.values) != len(self.categories):
            raise CnnmemError(
                f"{argument}: {one.name!r} has {len(one.values)} values for "
                f"{len(self.categories)} categories; give one each"
            )

    @cached_property
    def fills(self) -> tuple[Fill, ...]:
        """The fill of every series: its own, or the first that is free."""
        taken = {one.fill for one in self.series}
        free = iter([i for i in range(len(FILLS)) if i not in taken])
        return tuple(FILLS[next(free) if s.fill is None else s.fill] for s in self.series)

    @cached_property
    def totals(self) -> tuple[Real, ...]:
        """The height of every column, exact, before ``scale``."""
        if not self.series:
            return (0,) * len(self.categories)
        return tuple(map(sum, zip(*(one.values for one in self.series), strict=True)))

    @cached_property
    def peak(self) -> int | None:
        """The index of the highest column, the first of several; None if all are zero."""
        top = max(self.totals, default=0)
        return self.totals.index(top) if top else None

    def marked(self, markers: tuple[Marker, ...]) -> Self:
        """Return the chart with markers added, except those for columns it does not have."""
        known = {None, *self.categories}
        fitting = tuple(m for m in self.meant(markers) if m.category in known)
        return replace(self, markers=(*self.markers, *fitting)) if fitting else self

    def marker_text(self, marker: Marker) -> str:
        """The text at a marker: its label, and its value if it has one."""
        if marker.value is None:
            return marker.label
        return f"{marker.label} {self.bare(marker.value)}"

    @property
    def markers_text(self) -> str:
        """The markers in words."""
        texts = []
        for marker in self.markers:
            where = [] if marker.category is None else [marker.category]
            where += [] if marker.value is None else [self.amount(marker.value)]
            texts.append(f"{marker.label}: {', '.join(where)}.")
        return " ".join(texts)

    def rows(self) -> Rows:
        """Name, a value for each series, total, line: exact, before ``scale``."""
        lines = (self.line,) if self.line else ()
        header = (self.category, *(s.name for s in self.series), "total", *(s.name for s in lines))
        parts = (one.values for one in self.series)
        columns = (self.categories, *parts, self.totals, *(s.values for s in lines))
        return (header, *zip(*columns, strict=True))

    def table(self, most: int | None, *facts: str) -> str:
        """The text twin: the highest ``most`` columns in their order, sums, facts and markers."""
        order = sorted(range(len(self.totals)), key=self.totals.__getitem__, reverse=True)
        kept, dropped = sorted(order[:most]), sorted(order[len(order[:most]) :])
        parts = [*(one.values for one in self.series), self.totals]
        rows = [(self.categories[i], [values[i] for values in parts]) for i in kept]
        if self.adds_up:
            sums = [(f"{len(dropped)} others", dropped)] if dropped else []
            for name, some in (*sums, ("total", order)):
                rows.append((name, [sum(values[i] for i in some) for values in parts]))
        whole, highest = sum(self.totals), float(max(self.totals, default=0)) or 1.0
        cells = iter(numbers((number for _, row in rows for number in row), self))
        ruled = iter(numbers((self.line.values[i] for i in kept), self) if self.line else ())
        table = [(*map(str, self.rows()[0]), *(["share"] if self.adds_up else []))]
        for name, row in rows:
            rule = [next(ruled, "")] if self.line else []
            share = [share_text(row[-1], whole)] if self.adds_up else []
            table.append((name, *(next(cells) for _ in row), *rule, *share))
        bars = ["", *(text_bar(0, float(row[-1]) / highest) for _, row in rows[: len(kept)])]
        bars += [""] * (len(table) - len(bars))
        lines = aligned([[flat(cell) for cell in row] for row in table])
        ending = [*facts, *([clean(self.markers_text.rstrip("."))] if self.markers else [])]
        return "\n".join([self.twin(*with_bars(lines, bars)), *ending])

    # The texts in the drawing that differ from kind to kind.

    @property
    def headline(self) -> str:
        """The text beside the title, such as the total."""
        return ""

    @property
    def legend(self) -> list[str]:
        """The text beside each name in the legend."""
        return [""] * len(self.series)

    def peak_text(self, peak: int, name: str) -> str:
        """The label of the highest column, with as much of its name as fits; "" for no label."""
        return ""

    def shares(self, values: tuple[Real, ...]) -> list[str]:
        """Each value's share of the total; empty where columns do not add up."""
        return []

    def strip(self, width: float, top: float) -> tuple[list[Mark], float]:
        """The marks between the header and the plot, and the y below them."""
        return [], top
