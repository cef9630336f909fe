"""A chart in words: its alt text, its exact rows and its plain-text twin.

All of it is made from the data alone, so that equal data gives equal text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .format import Number, aligned, clean, exact, percent, rounded, signed

if TYPE_CHECKING:
    from .data import Chart, Marker, StackedBars, Timeline, Waterfall

Rows = tuple[tuple[str | Number, ...], ...]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR = 20  # characters of the longest bar of a text twin
_NAMED = 3  # columns that an alt text names


def bare(value: Number, chart: Chart) -> str:
    """``value`` in the chart's unit, which is left out."""
    if chart.scale == 1 and isinstance(value, int):
        return exact(value)
    return rounded(float(value) / float(chart.scale))


def amount(value: Number, chart: Chart) -> str:
    """``value`` with its unit: exact when ``scale`` is 1, else to four digits."""
    return f"{bare(value, chart)} {chart.unit}"


def exactly(value: Number, chart: Chart) -> str:
    """``value`` with its unit, and with the exact count behind a scaled one."""
    same = "" if chart.scale == 1 else f" = {exact(value)} {chart.base_unit}"
    return amount(value, chart) + same


def change(value: Number, chart: Waterfall) -> str:
    """A step with its sign and unit."""
    return signed(amount(value, chart), value)


def marker_text(marker: Marker, chart: StackedBars | Timeline) -> str:
    """What is written at a marker: its label, and the value where there is one."""
    return marker.label if marker.value is None else f"{marker.label} {bare(marker.value, chart)}"


def _sentence(chart: Chart, *parts: str) -> str:
    text = " ".join([f"{chart.title}.", *(part for part in parts if part), chart.note])
    return clean(" ".join(text.split()))


def _markers(chart: StackedBars | Timeline) -> str:
    notes = []
    for marker in chart.markers:
        where = [] if marker.category is None else [marker.category]
        where += [] if marker.value is None else [amount(marker.value, chart)]
        notes.append(f"{marker.label}: {', '.join(where)}.")
    return " ".join(notes)


def bars_alt(chart: StackedBars) -> str:
    """Which bars are highest, their share, the total, the parts and the markers."""
    count = f"{len(chart.categories)} {chart.category}{'s' * (len(chart.categories) != 1)}"
    kind = f"Stacked bars, {count}" + ", logarithmic axis" * chart.log
    if not chart.total:
        return _sentence(chart, f"{kind}: all values are zero.", _markers(chart))
    order = sorted(range(len(chart.totals)), key=chart.totals.__getitem__, reverse=True)
    top, *others = [i for i in order[:_NAMED] if chart.totals[i]]
    if not chart.adds_up:
        heights = [
            f"{chart.categories[i]} {amount(chart.totals[i], chart)}" for i in (top, *others)
        ]
        ruled = f"Marked across the bars: {chart.line.name}." if chart.line else ""
        return _sentence(chart, f"{kind}: highest {', '.join(heights)}.", ruled, _markers(chart))
    facts = [
        f"{chart.categories[top]} holds {percent(chart.totals[top], chart.total)} of "
        + amount(chart.total, chart)
    ]
    facts += [f"{chart.categories[i]} {percent(chart.totals[i], chart.total)}" for i in others]
    parts = [f"{s.name} {percent(sum(s.values), chart.total)}" for s in chart.series]
    told = f"By part: {', '.join(parts)}." if len(parts) > 1 else ""
    return _sentence(chart, f"{kind}: {', '.join(facts)}.", told, _markers(chart))


def timeline_alt(chart: Timeline) -> str:
    """When the peak is, how high, what it is made of, and the markers."""
    kind = f"Stacked areas over {len(chart.categories)} moment{'s' * (len(chart.totals) != 1)}"
    if chart.peak is None:
        return _sentence(chart, f"{kind}: all values are zero.", _markers(chart))
    top = chart.totals[chart.peak]
    fact = f"the peak is {amount(top, chart)} at {chart.categories[chart.peak]}"
    parts = [f"{s.name} {percent(s.values[chart.peak], top)}" for s in chart.series]
    made = f", made of {', '.join(parts)}" if len(parts) > 1 else ""
    return _sentence(chart, f"{kind}: {fact}{made}.", _markers(chart))


def waterfall_alt(chart: Waterfall) -> str:
    """Both ends and every step."""
    (start, first), (end, last) = chart.start, chart.end
    ends = f"from {start}, {amount(first, chart)}, to {end}, {amount(last, chart)}"
    steps = ", ".join(f"{label} {change(delta, chart)}" for label, delta in chart.steps)
    count = f"{len(chart.steps)} step{'s' * (len(chart.steps) != 1)}"
    return _sentence(chart, f"Waterfall {ends}, in {count}" + (f": {steps}." if steps else "."))


def stacked_rows(chart: StackedBars | Timeline) -> Rows:
    """Name, a value a series, total: exact, before ``scale``."""
    lines = (chart.line,) if chart.line else ()
    header = (chart.category, *(s.name for s in chart.series), "total", *(s.name for s in lines))
    columns = (
        chart.categories,
        *(s.values for s in chart.series),
        chart.totals,
        *(s.values for s in lines),
    )
    return (header, *zip(*columns, strict=True))


def waterfall_rows(chart: Waterfall) -> Rows:
    """Step, change, running total: exact, before ``scale``."""
    labels = (chart.start, *chart.steps, chart.end)
    changes = ("", *(delta for _, delta in chart.steps), "")
    levels = (stop for _, stop in chart.levels)
    body = zip((label for label, _ in labels), changes, levels, strict=True)
    return (("step", "change", "total"), *body)


def _bar(start: float, stop: float) -> str:
    """Blocks from ``start`` to ``stop``, as parts of a whole bar; eighths only at the end."""
    indent = int(start * _BAR)
    eighths = max(round(stop * _BAR * 8) - indent * 8, int(stop > start))
    return " " * indent + "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _table(title: str, rows: Iterable[tuple[str, ...]], note: str) -> str:
    """Columns aligned: the first to the left, a bar last, numbers to the right."""
    body = [tuple(clean(" ".join(cell.split())) for cell in row[:-1]) + row[-1:] for row in rows]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:-1], widths[1:-1]), row[-1]])
        for row in body
    ]
    note = clean(" ".join(note.split()))
    return "\n".join(line.rstrip() for line in (clean(title), *lines, *([note] if note else [])))


def column(values: Iterable[Number], chart: Chart) -> list[str]:
    """Values to be read below each other: unscaled ints exactly, others with equal decimals."""
    values = list(values)
    if chart.scale == 1 and all(isinstance(value, int) for value in values):
        return [exact(value) for value in values]
    return aligned(float(value) / float(chart.scale) for value in values)


def _stacked_text(chart: StackedBars | Timeline, most: int | None, foot: bool) -> str:
    order = sorted(range(len(chart.totals)), key=chart.totals.__getitem__, reverse=True)
    kept, dropped = sorted(order[:most]), sorted(order[len(order[:most]) :])
    parts = [one.values for one in chart.series]
    rows = [(chart.categories[i], [*(v[i] for v in parts), chart.totals[i]]) for i in kept]
    if foot:
        for name, some in ((f"{len(dropped)} others", dropped), ("total", order)):
            if name == "total" or some:
                numbers = [sum(values[i] for i in some) for values in (*parts, chart.totals)]
                rows.append((name, numbers))
    whole, highest = sum(chart.totals), float(max(chart.totals, default=0)) or 1.0
    cells = iter(column((number for _, numbers in rows for number in numbers), chart))
    ruled = column((chart.line.values[i] for i in kept), chart) if chart.line else []
    table = [(*map(str, stacked_rows(chart)[0]), *(["share"] if foot else []), "")]
    for index, (name, numbers) in enumerate(rows):
        bar = _bar(0, float(numbers[-1]) / highest) if index < len(kept) else ""
        rule = [ruled[index] if index < len(kept) else ""] if chart.line else []
        share = [percent(numbers[-1], whole)] if foot else []
        table.append((name, *(next(cells) for _ in numbers), *rule, *share, bar))
    return _table(f"{chart.title} ({chart.unit})", table, chart.note)


def bars_text(chart: StackedBars, most: int | None) -> str:
    """The table, its shares and sums, a line a marker."""
    notes = [_stacked_text(chart, most, foot=chart.adds_up)]
    if chart.scale != 1 and chart.adds_up:
        notes.append(f"total = {exact(chart.total)} {chart.base_unit}")
    return "\n".join([*notes, *_marker_lines(chart)])


def timeline_text(chart: Timeline, most: int | None) -> str:
    """The table, the peak, a line a marker."""
    notes = [_stacked_text(chart, most, foot=False)]
    if chart.peak is not None:
        peak = exactly(chart.totals[chart.peak], chart)
        notes.append(f"peak: {chart.categories[chart.peak]}, {peak}")
    return "\n".join([*notes, *_marker_lines(chart)])


def _marker_lines(chart: StackedBars | Timeline) -> list[str]:
    return [clean(_markers(chart).rstrip("."))] if chart.markers else []


def waterfall_text(chart: Waterfall) -> str:
    """The table; a step's bar spans what it changes."""
    levels = [(float(a), float(b)) for a, b in chart.levels]
    low, high = min(map(min, levels)), max(map(max, levels))
    width = (high - low) or 1.0
    names = [chart.start[0], *(name for name, _ in chart.steps), chart.end[0]]
    moved, reached = waterfall_cells(chart)
    lines = [("step", "change", "total", "")]
    for name, change_, total, span in zip(names, moved, reached, levels, strict=True):
        left, right = sorted((edge - low) / width for edge in span)
        lines.append((name, change_, total, _bar(left, right)))
    return _table(f"{chart.title} ({chart.unit})", lines, chart.note)


def waterfall_cells(chart: Waterfall) -> tuple[list[str], list[str]]:
    """What every line changes, with its sign, and what it reaches; units left out."""
    deltas = [delta for _, delta in chart.steps]
    cells = column([*deltas, *(stop for _, stop in chart.levels)], chart)
    moved = [signed(cell, delta) for cell, delta in zip(cells, deltas, strict=False)]
    return ["", *moved, ""], cells[len(deltas) :]


def waterfall_values(chart: Waterfall) -> list[str]:
    """What stands beside every bar: the ends with their units, the steps with their signs."""
    moved, reached = waterfall_cells(chart)
    first, last = chart.end_units or (chart.unit, chart.unit)
    return [f"{reached[0]} {first}", *moved[1:-1], f"{reached[-1]} {last}"]
