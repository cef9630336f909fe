"""Names below the columns: level, slanted or thinned out, and groups in brackets."""

from __future__ import annotations

from .data import Group, StackedBars, Timeline
from .parts import BOLD, END, MIDDLE, escape, fit, label, text_width

_SLANT = 0.7071  # names that do not fit side by side are turned by 45 degrees
_LONGEST = 132.0  # pixels of a slanted name
_APART = 20.0  # pixels between slanted names
_BRACKET = 24.0  # height of the line of groups


def _step(count: int, room: float) -> int:
    """Every how-manieth name is shown: 1, 2, 5, 10, 20, 50, ..."""
    needed, step = _APART * count / room, 1
    while step < needed:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _level(chart: StackedBars | Timeline, slot: float) -> bool:
    return all(text_width(name) + 8 <= slot for name in chart.categories) if slot > 14 else False


def _shown(chart: StackedBars | Timeline, room: float) -> list[int]:
    """The columns whose names are written; groups stand in for names that have no room."""
    count = len(chart.categories)
    step = 1 if not count or _level(chart, room / count) else _step(count, room)
    return [] if step > 1 and chart.groups else list(range(0, count, step))


def names_height(chart: StackedBars | Timeline, room: float) -> float:
    """Pixels below the plot; they depend on the names alone, not on the values."""
    shown = _shown(chart, room)
    groups = _BRACKET if chart.groups else 0.0
    if not shown:
        return groups + 4
    if _level(chart, room / len(chart.categories)):
        return 22 + groups
    longest = max(text_width(chart.categories[i]) for i in shown)
    return 18 + min(longest, _LONGEST) * _SLANT + groups


def draw_names(
    chart: StackedBars | Timeline, left: float, right: float, top: float, bottom: float
) -> list[str]:
    """The names that fit, bands behind what is highlighted, brackets below groups."""
    count = len(chart.categories)
    slot = (right - left) / max(count, 1)
    level = count > 0 and _level(chart, slot)
    out = [
        f'<rect class="highlight" x="{left + slot * i:.1f}" y="{top:.1f}" width="{slot:.1f}" '
        f'height="{bottom - top:.1f}" fill="currentColor" fill-opacity=".14"/>'
        for i, name in enumerate(chart.categories)
        if name in chart.highlight
    ]
    for i in _shown(chart, right - left):
        name, x = chart.categories[i], left + slot * (i + 0.5)
        bold = BOLD if name in chart.highlight else ""
        if level:
            out.append(label(x, bottom + 17, name, MIDDLE + bold))
        else:
            room = min(_LONGEST, (x - 4) / _SLANT)
            short = escape(fit(name, room, head=0 if "." in name else 0.5))
            out.append(
                f'<text transform="translate({x + 5:.1f},{bottom + 13:.1f}) rotate(-45)"'
                f"{END}{bold}>{short}</text>"
            )
    base = bottom + names_height(chart, right - left) - _BRACKET
    for group in chart.groups:
        out += _bracket(group, left, slot, base)
    return out


def _bracket(group: Group, left: float, slot: float, y: float) -> list[str]:
    start, stop = left + slot * group.start + 1, left + slot * group.stop - 1
    short = fit(group.label, stop - start)
    named = label((start + stop) / 2, y + 20, short, MIDDLE) if len(short) > 3 or (
        short == group.label) else ""  # fmt: skip
    line = f'<path d="M{start:.1f},{y}v5H{max(stop, start):.1f}v-5" stroke="currentColor" '
    return [f'{line}fill="none"><title>{escape(group.label)}</title></path>{named}']
