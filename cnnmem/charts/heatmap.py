"""A number for every pair of two settings, and a limit that some of them keep."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property

from . import _check
from ._shown import Shown
from .format import Number, clean, exact, rounded


@dataclass(frozen=True)
class HeatMap(Shown):
    """A table of numbers as colours: ``cells`` holds a row for each name ``down``.

    A cell is ``None`` where there is no number. Cells above ``limit`` are drawn in another colour,
    behind a heavy line. ``chosen`` is the (row, column) that is framed.

    >>> heat = HeatMap("Need", ("64 px", "128 px"), ("1", "2"), ((1, 3), (2, 6)), "GB",
    ...     across_name="size", down_name="batch", limit=3)
    >>> heat.alt
    'Need. Heat map of 2 x 2 cells, batch against size: from 1 to 6 GB; 3 of 4 are within 3 GB.'
    >>> print(heat.text())
    Need (GB)
    batch  64 px  128 px
    1          1       3
    2          2      6*
    * above 3 GB
    """

    title: str
    across: tuple[str, ...]
    down: tuple[str, ...]
    cells: tuple[tuple[Number | None, ...], ...]
    unit: str
    scale: int | Fraction = 1
    _: KW_ONLY
    across_name: str
    down_name: str
    base_unit: str = ""
    limit: Number | None = None
    limit_name: str = ""
    chosen: tuple[int, int] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        _check.text("title", self.title)
        _check.tuple_of("across", self.across, str)
        _check.tuple_of("down", self.down, str)
        _check.tuple_of("cells", self.cells, tuple)
        _check.units(self.unit, self.scale, self.base_unit)
        if len(self.cells) != len(self.down):
            raise ValueError(f"cells: {len(self.cells)} rows for {len(self.down)} names down")
        for name, row in zip(self.down, self.cells, strict=True):
            if len(row) != len(self.across):
                raise ValueError(
                    f"cells: row {name!r} has {len(row)} cells for {len(self.across)} names across"
                )
            for value in row:
                if value is not None:
                    _check.number(f"row {name!r} of cells", value)
        if self.limit is not None:
            _check.number("limit", self.limit)
        if self.chosen is not None:
            row_index, column = self.chosen
            if not (0 <= row_index < len(self.down) and 0 <= column < len(self.across)):
                raise ValueError(f"chosen: there is no cell {self.chosen!r}")

    def fits(self, value: Number | None) -> bool:
        """Return whether a cell is within the limit."""
        return value is not None and (self.limit is None or value <= self.limit)

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        """The cells that hold a number."""
        return tuple(value for row in self.cells for value in row if value is not None)

    def shown(self, value: Number | None) -> str:
        """Return what is written in a cell: a count, three digits of a quantity, or a dash."""
        if isinstance(value, int) and self.scale == 1:
            return exact(value)
        return "–" if value is None else short(float(value) / float(self.scale))

    @property
    def limit_text(self) -> str:
        """The limit with its unit and its name."""
        if self.limit is None:
            return ""
        text = f"{rounded(float(self.limit) / float(self.scale))} {self.unit}"
        return f"{text} ({self.limit_name})" if self.limit_name else text

    @cached_property
    def alt(self) -> str:
        """The chart in a sentence, for readers who do not see it."""
        text = (
            f"{self.title}. Heat map of {len(self.down)} x {len(self.across)} cells, "
            f"{self.down_name} against {self.across_name}"
        )
        if not self.numbers:
            return clean(f"{text}: no cell holds a number.")
        least, most = self.shown(min(self.numbers)), self.shown(max(self.numbers))
        text += f": from {least} to {most} {self.unit}"
        if self.limit is not None:
            within = sum(map(self.fits, self.numbers))
            text += f"; {within} of {len(self.numbers)} are within {self.limit_text}"
        text += "."
        if self.chosen is not None:
            row, column = self.chosen
            value = self.shown(self.cells[row][column])
            text += f" Framed: {self.down[row]}, {self.across[column]}: {value} {self.unit}."
        return clean(f"{text} {self.note}".strip())

    def rows(self) -> tuple[tuple[str | Number, ...], ...]:
        """Header and rows of exact values, before ``scale``; "" where there is no number."""
        header = (self.down_name, *self.across)
        body = [
            (name, *("" if value is None else value for value in row))
            for name, row in zip(self.down, self.cells, strict=True)
        ]
        return (header, *body)

    def text(self) -> str:
        """The chart as a table; what is above the limit has a star."""
        table = [(self.down_name, *self.across)]
        for name, row in zip(self.down, self.cells, strict=True):
            stars = ["" if value is None or self.fits(value) else "*" for value in row]
            table.append((name, *map(str.__add__, map(self.shown, row), stars)))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [f"{self.title} ({self.unit})"]
        for first, *others in table:
            cells = map(str.rjust, others, widths[1:])
            lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
        if self.limit is not None:
            lines.append(f"* above {self.limit_text}")
        return clean("\n".join([*lines, *([self.note] if self.note else [])]))


def short(value: float) -> str:
    """Three digits, all of them before the point for large values.

    >>> short(0.0512), short(3.14159), short(1234.5), short(6.0)
    ('0.0512', '3.14', '1,234', '6.00')
    """
    return f"{value:,.0f}" if abs(value) >= 99.95 or not value else f"{value:#.3g}"


def told(chart: HeatMap, row: int, column: int) -> str:
    """What a cell says when it is pointed at, exactly."""
    value = chart.cells[row][column]
    place = f"{chart.down_name} {chart.down[row]}, {chart.across_name} {chart.across[column]}"
    if value is None:
        return f"{place}: no number"
    text = f"{place}: {chart.shown(value)} {chart.unit}"
    if chart.scale != 1:
        text += f" = {exact(value)} {chart.base_unit}"
    if chart.limit is not None:
        text += ", within the limit" if chart.fits(value) else ", above the limit"
    return text
