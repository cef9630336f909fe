"""A heat map: a number for every pair of two settings, and which are within a limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from cnnmem.errors import CnnmemError
from cnnmem.tables import aligned

from . import _check
from .chart import Chart, Rows
from .fitting import fit, text_width
from .format import Real, exact, flat, rounded
from .header import SIDE, title_marks
from .marks import Box, Cluster, Colour, Drawing, Frame, Mark, Path, Text
from .theme import FILLS, TEXT

ABOVE = FILLS[1].colour
_LOW, _HIGH = (0xE6, 0xF0, 0xF7), (0x00, 0x5A, 0x8E)  # within the limit: from pale to dark blue
_DARK, _PALE = "#000", "#fff"
_TURN = 0.77  # above this share of the limit the cell is dark and its number pale
_FOOT = 42.0
_ROW = 18.0  # the least height of a row


@dataclass(frozen=True)
class HeatMap(Chart):
    """A table of numbers as colours: ``cells`` holds one row for each name in ``down``.

    A cell without a number is ``None``. Cells above ``limit`` have another colour and are parted
    from the rest by a heavy line. ``chosen`` is the (row, column) of the cell with a frame.

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
    cells: tuple[tuple[Real | None, ...], ...]
    unit: str
    scale: int | Fraction = 1
    _: KW_ONLY
    across_name: str
    down_name: str
    base_unit: str = ""
    limit: Real | None = None
    limit_name: str = ""
    chosen: tuple[int, int] | None = None
    note: str = ""

    kind = "heat map"

    def __post_init__(self) -> None:
        _check.text("title", self.title)
        _check.tuple_of("across", self.across, str)
        _check.tuple_of("down", self.down, str)
        _check.tuple_of("cells", self.cells, tuple)
        _check.units(self.unit, self.scale, self.base_unit)
        if len(self.cells) != len(self.down):
            raise CnnmemError(
                f"cells: {len(self.cells)} rows for {len(self.down)} names down; give one each"
            )
        for name, row in zip(self.down, self.cells, strict=True):
            if len(row) != len(self.across):
                raise CnnmemError(
                    f"cells: row {name!r} has {len(row)} cells for {len(self.across)} names "
                    "across; give one each, None where there is no number"
                )
            for value in row:
                if value is not None:
                    _check.number(f"row {name!r} of cells", value)
        if self.limit is not None:
            _check.number("limit", self.limit)
        if self.chosen is not None:
            row_index, column = self.chosen
            if not (0 <= row_index < len(self.down) and 0 <= column < len(self.across)):
                raise CnnmemError(
                    f"chosen: there is no cell {self.chosen!r}; pass (row, column), counting from 0"
                )

    def fits(self, value: Real | None) -> bool:
        """Return whether a cell is within the limit."""
        return value is not None and (self.limit is None or value <= self.limit)

    @cached_property
    def numbers(self) -> tuple[Real, ...]:
        """The cells that hold a number."""
        return tuple(value for row in self.cells for value in row if value is not None)

    def shown(self, value: Real | None) -> str:
        """Return the text of a cell: an exact count, a quantity to three digits, or a dash."""
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
        """The chart in a sentence, for readers who cannot see it."""
        text = (
            f"Heat map of {len(self.down)} x {len(self.across)} cells, "
            f"{self.down_name} against {self.across_name}"
        )
        if not self.numbers:
            return self.sentence(f"{text}: no cell holds a number.")
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
        return self.sentence(text)

    def rows(self) -> Rows:
        """Header and rows of exact values, before ``scale``; "" where there is no number."""
        header = (self.down_name, *self.across)
        body = [
            (name, *("" if value is None else value for value in row))
            for name, row in zip(self.down, self.cells, strict=True)
        ]
        return (header, *body)

    def text(self, most: int | None = None) -> str:
        """The chart as a table; values above the limit have a star."""
        table = [(self.down_name, *self.across)]
        for name, row in zip(self.down, self.cells, strict=True):
            stars = ["" if value is None or self.fits(value) else "*" for value in row]
            table.append((name, *map(str.__add__, map(self.shown, row), stars)))
        lines = aligned([[flat(cell) for cell in row] for row in table])
        if self.limit is not None:
            lines.append(f"* above {self.limit_text}")
        return self.twin(*lines)

    def tip(self, row: int, column: int) -> str:
        """The tooltip of a cell, with its exact value."""
        value = self.cells[row][column]
        place = f"{self.down_name} {self.down[row]}, {self.across_name} {self.across[column]}"
        if value is None:
            return f"{place}: no number"
        text = f"{place}: {self.shown(value)} {self.unit}"
        if self.scale != 1:
            text += f" = {exact(value)} {self.base_unit}"
        if self.limit is not None:
            text += ", within the limit" if self.fits(value) else ", above the limit"
        return text

    def ground(self, value: Real | None) -> tuple[Colour, str]:
        """Return the colours of a cell and of its number.

        >>> tiny = HeatMap("T", ("a", "b"), ("x",), ((0, 4),), "GB", across_name="n",
        ...     down_name="m", limit=2)
        >>> tiny.ground(0), tiny.ground(4)
        (('#e6f0f7', '#000'), ('#E69F00', '#000'))
        """
        if value is None:
            return None, "ink"
        if not self.fits(value):
            return ABOVE, _DARK
        most = self.limit if self.limit is not None else max(self.numbers)
        share = min(max(float(value) / float(most), 0.0), 1.0) if most else 0.0
        mixed = [round(low + (high - low) * share) for low, high in zip(_LOW, _HIGH, strict=True)]
        return _hex(mixed), _PALE if share > _TURN else _DARK

    def marks(self, frame: Frame) -> Drawing:
        """A cell for each pair, with its number in it."""
        out = list(title_marks(self.title, frame.width))
        top = 34.0
        if self.limit is not None:
            out += self._legend(top)
            top += 24
        names = max([text_width(name) for name in self.down], default=0)
        left = SIDE + 18 + min(names, frame.width * 0.3) + 10
        right = frame.width - SIDE
        foot = _FOOT + (18 if self.note else 0)
        tall = max((frame.height - foot - top) / max(len(self.down), 1), _ROW)
        cells = Cells(left, top, (right - left) / max(len(self.across), 1), tall)
        bottom = top + tall * len(self.down)
        out += self._names(cells, right, bottom)
        pairs = [(i, j) for i in range(len(self.down)) for j in range(len(self.across))]
        out.append(Cluster("bars", [mark for i, j in pairs for mark in self._cell(cells, i, j)]))
        border = self._border(cells)
        out.append(Path(border, line=3, square=True, hollow=True, css="limit"))
        if self.chosen is not None:
            x, y = cells.corner(*self.chosen)
            wide, high = cells.wide - 6, cells.tall - 6
            edge = FILLS[5].colour
            out.append(Box(x + 3, y + 3, wide, high, line=2.5, edge=edge, css="chosen", idle=True))
        if self.note:
            out.append(Text(SIDE, bottom + foot - 8, fit(self.note, right - SIDE)))
        return Drawing(out, round(bottom + foot))

    def _legend(self, top: float) -> Iterator[Mark]:
        x = SIDE
        for fill, text in ((_hex(_HIGH), f"within {self.limit_text}"), (ABOVE, "above it")):
            yield Box(x, top - 1, 16, 13, fill)
            yield Text(x + 22, top + 10, text)
            x += 44 + text_width(text)

    def _names(self, cells: Cells, right: float, bottom: float) -> Iterator[Mark]:
        left = cells.left
        row, column = self.chosen if self.chosen else (None, None)
        yield Text(SIDE + 8, (cells.top + bottom) / 2, self.down_name, "middle", turn=-90)
        for i, name in enumerate(self.down):
            y = cells.top + cells.tall * (i + 0.5) + 4.5
            yield Text(left - 8, y, fit(name, left - SIDE - 26), "end", i == row)
        for j, name in enumerate(self.across):
            x = left + cells.wide * (j + 0.5)
            yield Text(x, bottom + 17, fit(name, cells.wide - 4), "middle", j == column)
        yield Text((left + right) / 2, bottom + 35, self.across_name, "middle")

    def _cell(self, cells: Cells, i: int, j: int) -> Iterator[Mark]:
        (x, y), (wide, tall), value = cells.corner(i, j), cells[2:], self.cells[i][j]
        fill, ink = self.ground(value)
        css, values = ("blank", ()) if value is None else ("bar", (value,))
        yield Box(
            x,
            y,
            wide,
            tall,
            fill,
            line=1,
            edge="paper",
            css=css,
            name=f"{self.down[i]}, {self.across[j]}",
            values=values,
            tip=self.tip(i, j),
        )
        text = self.shown(value)
        if text_width(text) >= wide - 4 and text.startswith("0."):
            text = text[1:]  # in a narrow cell ".399"
        size = TEXT if text_width(text) < wide - 4 else TEXT - 1
        yield Text(x + wide / 2, y + tall / 2 + 4.5, text, "middle", size=size, ink=ink)

    def _border(self, cells: Cells) -> str:
        """The line between the cells within the limit and those above it."""
        path = []
        above = [[v is not None and not self.fits(v) for v in row] for row in self.cells]
        for i, row in enumerate(above):
            for j, here in enumerate(row):
                x, y = cells.corner(i, j)
                if j and here != row[j - 1]:
                    path.append(f"M{x:.1f},{y:.1f}v{cells.tall:.1f}")
                if i and here != above[i - 1][j]:
                    path.append(f"M{x:.1f},{y:.1f}h{cells.wide:.1f}")
        return "".join(path)


class Cells(NamedTuple):
    """Where the cells are: the corner of the first, and the size of each."""

    left: float
    top: float
    wide: float
    tall: float

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """The upper left corner of a cell."""
        return self.left + self.wide * column, self.top + self.tall * row


def _hex(colour: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def short(value: float) -> str:
    """Three significant digits; from 100 up, a whole number.

    >>> short(0.0512), short(3.14159), short(1234.5), short(6.0)
    ('0.0512', '3.14', '1,234', '6.00')
    """
    return f"{value:,.0f}" if abs(value) >= 99.95 or not value else f"{value:#.3g}"
