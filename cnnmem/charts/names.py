"""Names below the columns: level, slanted or thinned out, and groups in brackets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from .fitting import fit, fit_name, text_width
from .marks import Mark, Path, Text
from .series import Group

_SLANT = 0.7071  # names that do not fit side by side are turned by 45 degrees
_LONGEST = 132.0  # pixels of a slanted name
_APART = 20.0  # pixels between slanted names
_BRACKET = 24.0  # height of the line of groups


def _step(count: int, room: float) -> int:
    """Show every n-th name: 1, 2, 5, 10, 20, 50, ..."""
    needed, step = _APART * count / room, 1
    while step < needed:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _level(names: tuple[str, ...], slot: float) -> bool:
    return slot > 14 and all(text_width(name) + 8 <= slot for name in names)


def _shown(names: tuple[str, ...], groups: tuple[Group, ...], room: float) -> list[int]:
    """The columns whose names are shown; groups stand in for names that have no room."""
    count = len(names)
    step = 1 if not count or _level(names, room / count) else _step(count, room)
    return [] if step > 1 and groups else list(range(0, count, step))


# A slider moves the columns but not their names, so the layout of the names is cached.
@lru_cache(maxsize=64)
def names_height(names: tuple[str, ...], groups: tuple[Group, ...], room: float) -> float:
    """The height below the plot in pixels; it depends on the names, not on the values."""
    shown = _shown(names, groups, room)
    bracket = _BRACKET if groups else 0.0
    if not shown:
        return bracket + 4
    if _level(names, room / len(names)):
        return 22 + bracket
    longest = max(text_width(names[i]) for i in shown)
    return 18 + min(longest, _LONGEST) * _SLANT + bracket


@lru_cache(maxsize=64)
def name_marks(
    names: tuple[str, ...],
    groups: tuple[Group, ...],
    bold: frozenset[str],
    left: float,
    right: float,
    bottom: float,
) -> tuple[Mark, ...]:
    """The names that fit below a plot, and brackets below its groups."""
    slot = (right - left) / max(len(names), 1)
    level = _level(names, slot)
    out: list[Mark] = []
    for i in _shown(names, groups, right - left):
        name, x = names[i], left + slot * (i + 0.5)
        if level:
            out.append(Text(x, bottom + 17, name, "middle", name in bold))
        else:
            room = min(_LONGEST, (x - 4) / _SLANT)
            short = fit_name(name, room)
            out.append(Text(x + 5, bottom + 13, short, "end", name in bold, turn=-45))
    base = bottom + names_height(names, groups, right - left) - _BRACKET
    for group in groups:
        out += _bracket(group, left, slot, base)
    return tuple(out)


def _bracket(group: Group, left: float, slot: float, y: float) -> Iterator[Mark]:
    start, stop = left + slot * group.start + 1, left + slot * group.stop - 1
    line = f"M{start:.1f},{y:.1f}v5H{max(stop, start):.1f}v-5"
    yield Path(line, line=1, hollow=True, tip=group.label)
    short = fit(group.label, stop - start)
    if len(short) > 3 or short == group.label:
        yield Text((start + stop) / 2, y + 20, short, "middle")
