"""Draw a waterfall: a line a step, its name at the left, its signed value at the right."""

from __future__ import annotations

from .axis import linear
from .data import Waterfall
from .format import plain, si
from .header import draw_title
from .parts import BOLD, END, MIDDLE, Canvas, escape, fill_of, fit, label, text_width
from .theme import GAIN, LEVEL, LOSS
from .words import change, exactly, waterfall_values

_LINE, _WIDEST_LINE = 20.0, 52.0  # height of a step
_THICKEST = 30.0
_SIDE = 12.0
_TOP, _FOOT = 34.0, 44.0


def draw_waterfall(chart: Waterfall, canvas: Canvas) -> tuple[list[str], int]:
    """The elements of the drawing, back to front, and the height it needs."""
    names = [chart.start[0], *(name for name, _ in chart.steps), chart.end[0]]
    foot = _FOOT + (18 if chart.note else 0)
    height = max(canvas.height, _TOP + foot + _LINE * len(names))
    line = min((height - _TOP - foot) / len(names), _WIDEST_LINE)
    values = waterfall_values(chart)
    left = _SIDE + min(max(text_width(name, bold=True) for name in names), canvas.width * 0.34) + 12
    right = canvas.width - _SIDE - max(text_width(value, bold=True) for value in values) - 14
    right = max(right, left + 80)
    bottom = _TOP + line * len(names) + 4

    scale = float(chart.scale)
    spans = [(float(start) / scale, float(stop) / scale) for start, stop in chart.levels]
    axis = linear(min(map(min, spans)), max(map(max, spans)), max(2, int((right - left) / 90)))

    def x(value: float) -> float:
        return left + (right - left) * axis.at([value])[0]

    out = draw_title(chart.title, "", canvas)
    grid = []
    for place, text in axis.labels(si if chart.scale == 1 else plain):
        at = left + (right - left) * place
        grid.append(f"M{at:.1f},{_TOP}V{bottom:.1f}")
        out.append(label(at, bottom + 16, text, MIDDLE))
    out.append(f'<path d="{"".join(grid)}" stroke="currentColor" stroke-opacity=".16"/>')
    out.append(
        f'<path d="M{x(0.0):.1f},{_TOP}V{bottom:.1f}" stroke="currentColor" stroke-opacity=".6"/>'
    )
    out.append(label((left + right) / 2, bottom + 33, chart.unit, MIDDLE))

    bars, thick = ['<g class="bars">'], min(line * 0.68, _THICKEST)
    for index, (name, told, (start, stop)) in enumerate(zip(names, values, spans, strict=True)):
        ends = index in (0, len(names) - 1)
        y = _TOP + line * index + (line - thick) / 2 + 2
        middle = y + thick / 2 + 4.5
        more = BOLD if ends else ""
        out.append(label(left - 12, middle, fit(name, left - _SIDE - 12, bold=ends), END + more))
        out.append(label(canvas.width - _SIDE, middle, told, END + more))
        fill = LEVEL if ends or start == stop else GAIN if stop > start else LOSS
        first, last = sorted((x(start), x(stop)))
        values_ = chart.levels[index][1] if ends else chart.steps[index - 1][1]
        bars.append(
            f'<rect class="bar" x="{first:.1f}" y="{y:.1f}" width="{max(last - first, 1.5):.1f}" '
            f'height="{thick:.1f}" fill="{fill_of(canvas.prefix, fill)}" '
            f'data-name="{escape(name)}" data-values="{values_}" '
            f'data-total="{chart.levels[index][1]}">'
            f"<title>{escape(f'{name}: {_exact(chart, index)}')}</title></rect>"
        )
        if index < len(names) - 1:
            bars.append(
                f'<path d="M{x(stop):.1f},{y + thick:.1f}v{line - thick:.1f}" '
                'stroke="currentColor" stroke-opacity=".6"/>'
            )
    if chart.note:
        out.append(label(_SIDE, height - 8, fit(chart.note, canvas.width - 2 * _SIDE)))
    return [*out, *bars, "</g>"], round(height)


def _exact(chart: Waterfall, index: int) -> str:
    if 0 < index <= len(chart.steps):
        reached = exactly(chart.levels[index][1], chart)
        return f"{change(chart.steps[index - 1][1], chart)}, to {reached}"
    return exactly(chart.levels[index][1], chart)
