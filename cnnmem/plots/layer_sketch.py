"""One layer drawn: what it reads, where its window is, what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from cnnmem.charts.chart import Chart, Rows
from cnnmem.charts.header import title_marks
from cnnmem.charts.marks import Drawing, Frame
from cnnmem.model.windows import shape_text

from .layer_marks import linear_marks, map_marks
from .layer_view import LayerView
from .spans import Span, range_text


@dataclass(frozen=True)
class LayerSketch(LayerView, Chart):
    """A layer drawn at one place of its output and one channel (`LayerView`).

    >>> from cnnmem.model.layers import Conv2d
    >>> sketch = LayerSketch("Toy", Conv2d(8, 3, stride=2, padding=1), (5, 5, 3), at=4)
    >>> print(sketch.text())
    Toy
    · · · · · · ·
    · o o o o o ·
    · o # # # o ·      o o o
    · o # # # o ·  ->  o # o
    · o # # # o ·      o o o
    · o o o o o ·
    · · · · · · ·
    """

    kind = "layer"

    @cached_property
    def alt(self) -> str:
        """The sketch in words, for readers who cannot see it."""
        shapes = f"{shape_text(self.shape)} becomes {shape_text(self.output)}"
        if self.flat:
            return (
                f"{self.title}: {shapes}. Each of the {self.output[0]} outputs reads "
                f"all {math.prod(self.shape):,} inputs."
            )
        (rows, columns), (row, column) = self.spans, self.place
        down, across = rows.taps(row), columns.taps(column)
        parts = [f"{self.title}: {shapes}."]
        if rows.before or rows.after or columns.before or columns.after:
            parts.append(f"The map is padded to {rows.padded} x {columns.padded}.")
        parts.append(
            f"Output row {row}, column {column} reads {_places('row', down)} and "
            f"{_places('column', across)}, in {self.reads}."
        )
        if rows.unread or columns.unread:
            parts.append(f"No window reaches {_edge(rows.unread, columns.unread)}.")
        return " ".join(parts)

    def rows(self) -> Rows:
        """Header and rows: both axes of the window in numbers."""
        if self.flat:
            return (("", "values"), ("input", math.prod(self.shape)), ("output", self.output[0]))
        height, width = self.spans
        return (("axis", *Span._fields), ("height", *height), ("width", *width))

    def text(self, most: int | None = None) -> str:
        """The maps in characters: # read or computed, o other values, · padding, x never read."""
        if self.flat:
            return f"{self.title}\n{math.prod(self.shape)} values -> {self.output[0]} values"
        (rows, columns), (row, column) = self.spans, self.place
        down, across = set(rows.taps(row)), set(columns.taps(column))
        left = [
            " ".join(self._character(y, x, down, across) for x in range(columns.padded))
            for y in range(rows.padded)
        ]
        right = [
            " ".join("#" if (y, x) == (row, column) else "o" for x in range(columns.out))
            for y in range(rows.out)
        ]
        start, middle = (len(left) - len(right)) // 2, len(left) // 2
        lines = []
        for y, cells in enumerate(left):
            arrow = "  ->  " if y == middle else "      "
            out = right[y - start] if 0 <= y - start < len(right) else ""
            lines.append(f"{cells}{arrow}{out}".rstrip())
        return "\n".join([self.title, *lines])

    def _character(self, y: int, x: int, down: set[int], across: set[int]) -> str:
        rows, columns = self.spans
        if y in down and x in across:
            return "#"
        if y >= rows.padded - rows.unread or x >= columns.padded - columns.unread:
            return "x"
        inside = 0 <= y - rows.before < rows.size and 0 <= x - columns.before < columns.size
        return "o" if inside else "·"

    def marks(self, frame: Frame) -> Drawing:
        """Both maps with the window and its output value, and the channels on the right."""
        draw = linear_marks if self.flat else map_marks
        marks = [*title_marks(self.title, frame.width), *draw(self, frame)]
        return Drawing(marks, round(frame.height))


def _edge(rows: int, columns: int) -> str:
    """Return which rows and columns at the end are left over, in words."""
    parts = [
        f"{count} {word}{'s' * (count > 1)}"
        for count, word in ((rows, "row"), (columns, "column"))
        if count
    ]
    return f"the last {' and '.join(parts)}"


def _places(word: str, places: list[int]) -> str:
    return f"{word}{'s' * (len(places) > 1)} {range_text(places)}"
