"""Place the marks of a drawn layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cnnmem.charts.fitting import fit
from cnnmem.charts.marks import Box, Dots, Frame, Line, Mark, Text, grid, polygon
from cnnmem.charts.theme import FILLS
from cnnmem.model.layers import BatchNorm
from cnnmem.model.windows import shape_text

from .layer_view import LayerView
from .spans import Span, range_text

_SEEN, _HERE = FILLS[:2]  # the channels read; the window and its output value
_LEFT = 14.0  # pixels of margin
_TOP, _FOOT = 62.0, 30.0
_WIDEST_CELL, _GRID_CELL, _DOT_CELL = 34.0, 7.0, 4.0
_MOST_TAPS, _MOST_DOTS = 400, 1200
_SQUARE, _IN_ROW, _MOST_SQUARES = 17.0, 14, 42
_MOST_UNITS = 14  # values of a vector that are drawn one by one


class _Place(NamedTuple):
    """Pixels of a map, between the maps, and below them."""

    room: float
    gap: float
    foot: float

    @property
    def second(self) -> float:
        """Where the second map begins."""
        return _LEFT + self.room + self.gap

    @property
    def side(self) -> float:
        """Where the texts beside the maps begin."""
        return self.second + self.room + 26


_WIDE, _NARROW = _Place(300.0, 60.0, 52.0), _Place(200.0, 44.0, 92.0)


def map_marks(sketch: LayerView, frame: Frame) -> Iterator[Mark]:
    """Yield the marks of a layer that reads a map and writes one."""
    rows, columns = sketch.spans
    place = _NARROW if frame.narrow else _WIDE
    room = frame.height - _TOP - place.foot
    cell = min(place.room / columns.padded, room / rows.padded, _WIDEST_CELL)
    middle = _TOP + room / 2
    x = _LEFT + (place.room - cell * columns.padded) / 2
    y = middle - cell * rows.padded / 2
    out_x = place.second + (place.room - cell * columns.out) / 2
    out_y = middle - cell * rows.out / 2
    yield from _input(sketch, x, y, cell, _LEFT + place.room / 2)
    yield from _window(sketch, x, y, cell)
    yield from _output(sketch, out_x, out_y, cell, place.second + place.room / 2)
    yield from _rays(sketch, (x, y), (out_x, out_y), cell)
    if frame.narrow:
        here = f"reads {sketch.reads}; this value: channel {sketch.out_channel + 1}"
        lines = (*_captions(sketch), here, "; ".join(_weights(sketch)))
        yield from _lines(lines, frame.height)
        return
    for at, text in zip((_LEFT, place.second), _captions(sketch), strict=True):
        yield Text(at + place.room / 2, frame.height - _FOOT, text, "middle")
    yield from _channels(sketch, place.side)


def _lines(lines: Sequence[str], height: float) -> Iterator[Mark]:
    """Yield lines of text at the foot of a narrow drawing."""
    for i, text in enumerate(reversed(lines)):
        yield Text(_LEFT, height - 8 - 18 * i, fit(text, 450.0))


def _input(sketch: LayerView, x: float, y: float, cell: float, centre: float) -> Iterator[Mark]:
    """Yield the white map on its grey padding."""
    rows, columns = sketch.spans
    title = f"input {rows.size} x {columns.size}"
    if (rows.padded, columns.padded) != (rows.size, columns.size):
        title += f", padded to {rows.padded} x {columns.padded}"
        inner_x, inner_y = x + cell * columns.before, y + cell * rows.before
        wide, high = cell * columns.padded, cell * rows.padded
        below, right = inner_y + cell * rows.size, inner_x + cell * columns.size
        yield Box(x, y, wide, cell * rows.before, "ink", 0.16)
        yield Box(x, below, wide, cell * rows.after, "ink", 0.16)
        yield Box(x, inner_y, cell * columns.before, cell * rows.size, "ink", 0.16)
        yield Box(right, inner_y, cell * columns.after, cell * rows.size, "ink", 0.16)
        size = (rows.padded, columns.padded)
        yield Box(x, y, wide, high, line=1, dashes="4,3", name="padded", values=size)
    yield Text(centre, _TOP - 18, title, "middle", bold=True)
    if cell >= _GRID_CELL:
        yield grid(x, y, cell, rows.padded, columns.padded)
    yield from _unread(x, y, cell, rows, columns)
    x, y = x + cell * columns.before, y + cell * rows.before
    wide, high = cell * columns.size, cell * rows.size
    yield Box(x, y, wide, high, line=2, name="input", values=sketch.shape)


def _unread(x: float, y: float, cell: float, rows: Span, columns: Span) -> Iterator[Mark]:
    """Yield a dark edge over the places at the bottom and right that no window reaches."""
    right, bottom = x + columns.padded * cell, y + rows.padded * cell
    edge_x, edge_y = right - columns.unread * cell, bottom - rows.unread * cell
    if rows.unread or columns.unread:
        yield polygon(
            ((right, y), (right, bottom), (x, bottom), (x, edge_y), (edge_x, edge_y), (edge_x, y)),
            shade=0.5,
        )


def _window(sketch: LayerView, x: float, y: float, cell: float) -> Iterator[Mark]:
    """Yield what the window reads, its outline, and a dot for each position."""
    (rows, columns), (row, column) = sketch.spans, sketch.place
    down, across = rows.taps(row), columns.taps(column)
    left, top = x + across[0] * cell, y + down[0] * cell
    wide = max((across[-1] - across[0] + 1) * cell, 4.0)
    high = max((down[-1] - down[0] + 1) * cell, 4.0)
    if len(down) * len(across) <= _MOST_TAPS and cell >= _DOT_CELL:
        for i in down:
            for j in across:
                yield Box(x + j * cell, y + i * cell, cell, cell, _HERE, line=1)
    else:
        yield Box(left, top, wide, high, _HERE, line=1)
    reach = (down[0], down[-1], across[0], across[-1])
    tip = f"rows {range_text(down)}, columns {range_text(across)}, counted with the padding"
    yield Box(left, top, wide, high, line=3, name="window", values=reach, tip=tip)
    step = cell * min(rows.stride, columns.stride)
    if sketch.windowed and rows.out * columns.out <= _MOST_DOTS and step >= _DOT_CELL:
        centres = [
            [(span.taps(i)[0] + span.taps(i)[-1] + 1) / 2 * cell for i in range(span.out)]
            for span in (rows, columns)
        ]
        points = tuple((x + right, y + under) for under in centres[0] for right in centres[1])
        yield Dots(points, 2.5 if cell > 12 else 1.5)


def _output(sketch: LayerView, x: float, y: float, cell: float, centre: float) -> Iterator[Mark]:
    (rows, columns), (row, column) = sketch.spans, sketch.place
    yield Text(centre, _TOP - 18, f"output {rows.out} x {columns.out}", "middle", bold=True)
    if cell >= _GRID_CELL:
        yield grid(x, y, cell, rows.out, columns.out)
    yield Box(
        x, y, cell * columns.out, cell * rows.out, line=2, name="output", values=sketch.output
    )
    side = max(cell, 4.0)
    x, y, tip = x + column * cell, y + row * cell, f"row {row}, column {column}"
    yield Box(x, y, side, side, _HERE, line=2, name="value", values=sketch.place, tip=tip)


def _rays(
    sketch: LayerView, start: tuple[float, float], end: tuple[float, float], cell: float
) -> Iterator[Mark]:
    """Yield the lines from the window to the value it produces."""
    (rows, columns), (row, column) = sketch.spans, sketch.place
    down, right = rows.taps(row), (columns.taps(column)[-1] + 1) * cell
    side = max(cell, 4.0)
    for place, corner in ((down[0], 0.0), (down[-1] + 1, side)):
        yield Line(
            (
                (start[0] + right, start[1] + place * cell),
                (end[0] + column * cell, end[1] + row * cell + corner),
            ),
            1.2,
            0.6,
        )


def _captions(sketch: LayerView) -> tuple[str, str]:
    """Return the texts below the two maps."""
    (rows, columns), (row, column) = sketch.spans, sketch.place
    value = f"row {row}, column {column} of {rows.out} x {columns.out} positions"
    if not sketch.windowed:
        return "place by place: no neighbours are read", value
    window = f"window {rows.kernel} x {columns.kernel}"
    if max(rows.dilation, columns.dilation) > 1:
        reach = [span.dilation * (span.kernel - 1) + 1 for span in (rows, columns)]
        window += f", spread over {reach[0]} x {reach[1]}"
    if rows.unread or columns.unread:
        window += "; the shaded edge is never read"
    return window, value


def _channels(sketch: LayerView, x: float) -> Iterator[Mark]:
    """Yield one square per channel; those read and the output channel itself are filled."""
    channels, outputs = sketch.shape[-1], sketch.output[-1]
    here = range(sketch.out_channel, sketch.out_channel + 1)
    y = _TOP - 18
    for what, count, marked, fill, caption in (
        ("input", channels, sketch.seen, _SEEN, f"reads {sketch.reads}"),
        ("output", outputs, here, _HERE, f"this value: channel {sketch.out_channel + 1}"),
    ):
        yield Text(x, y, f"{count:,} {what} channel{'s' * (count > 1)}", bold=True)
        drawn, y = min(count, _MOST_SQUARES), y + 12
        for i in range(drawn):
            across, down = i % _IN_ROW * _SQUARE, i // _IN_ROW * _SQUARE
            yield Box(x + across, y + down, 13, 13, fill if i in marked else None, line=1)
        y += math.ceil(drawn / _IN_ROW) * _SQUARE
        if count > drawn:
            yield Text(x, y + 11, f"… and {count - drawn:,} more")
            y += 17
        yield Text(x, y + 13, caption)
        y += 44
    for text in _weights(sketch):
        yield Text(x, y, text, bold=text == _weights(sketch)[0])
        y += 19


def _weights(sketch: LayerView) -> tuple[str, str]:
    """Return what one output channel learns, in two lines."""
    if isinstance(sketch.layer, BatchNorm):
        return "a channel has 4 numbers", "scale, shift; mean, variance"
    if sketch.layer.family == "pooling":
        return "nothing is learned", "a pool has no weights"
    rows, columns = sketch.spans
    seen = len(sketch.seen)
    bias = " and a bias" if getattr(sketch.layer, "bias", False) else ""
    count = rows.kernel * columns.kernel * seen
    return f"one of {sketch.output[-1]:,} filters", (
        f"{rows.kernel} x {columns.kernel} x {seen} = {count:,} weights{bias}"
    )


def linear_marks(sketch: LayerView, frame: Frame) -> Iterator[Mark]:
    """Yield the marks of a linear layer: a line from each input to one output."""
    inputs, outputs = math.prod(sketch.shape), sketch.output[0]
    here = sketch.channel % outputs
    x_in, x_out = (100.0, 380.0) if frame.narrow else (164.0, 560.0)
    top, room = _TOP + 4, frame.height - _TOP - (70 if frame.narrow else 62)
    flat = f": {shape_text(sketch.shape)}, flattened" if len(sketch.shape) > 1 else ""
    yield Text(_LEFT, _TOP - 18, f"{inputs:,} inputs{flat}", bold=True)
    yield Text(x_out, _TOP - 18, f"{outputs:,} output{'s' * (outputs > 1)}", "middle", bold=True)
    indices = _drawn(inputs, 0), _drawn(outputs, here)
    places = [
        [(x, top + room * (i + 0.5) / len(shown)) for i in range(len(shown))]
        for x, shown in zip((x_in, x_out), indices, strict=True)
    ]
    goal = places[1][indices[1].index(here)]
    for point, index in zip(places[0], indices[0], strict=True):
        if index is not None:
            yield Line((point, goal), 1.5, 0.8, colour=_SEEN.colour)
    for points, shown, name, count in zip(
        places, indices, ("input", "output"), (inputs, outputs), strict=True
    ):
        left = points[0][0] - 13
        yield Box(left, top - 2, 26, room + 4, line=1, name=name, values=(count,))
        side = min(14.0, room / len(points) - 3)
        for (x, y), index in zip(points, shown, strict=True):
            if index is None:
                yield Text(x, y + 3, "…", "middle", bold=True)
            else:
                looked_at = name == "output" and index == here
                fill, shade = (_HERE, 1.0) if looked_at else ("ink", 0.1)
                yield Box(x - side / 2, y - side / 2, side, side, fill, shade, line=1)
    text = f"output {here + 1:,} reads all {inputs:,} inputs"
    bias = " and a bias" if getattr(sketch.layer, "bias", False) else ""
    one, held = f"one of {outputs:,} outputs", f"{inputs:,} weights{bias}"
    if frame.narrow:
        yield from _lines((text, f"{one}: {held}"), frame.height)
        return
    yield Text((x_in + x_out) / 2, frame.height - _FOOT, text, "middle")
    yield Text(_WIDE.side, _TOP - 18, one, bold=True)
    yield Text(_WIDE.side, _TOP + 4, held)


def _drawn(count: int, here: int) -> list[int | None]:
    """Return which values are drawn: the first, the last, the one looked at; None marks a gap."""
    if count <= _MOST_UNITS:
        return list(range(count))
    if here < _MOST_UNITS - 2 or here == count - 1:
        return [*range(_MOST_UNITS - 2), None, count - 1]
    if here == count - 2:
        return [*range(_MOST_UNITS - 3), None, here, count - 1]
    return [*range(_MOST_UNITS - 4), None, here, None, count - 1]
