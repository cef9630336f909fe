"""Pieces of an SVG drawing: escaped text, its width, patterns, flags that do not collide."""

from __future__ import annotations

import html
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from .format import clean
from .theme import FILLS, TEXT, Fill

_WIDE, _NARROW = frozenset("mwMW@%—"), frozenset("iljtfrI.,:;|!'()[] ")


@lru_cache(maxsize=8192)
def escape(text: str) -> str:
    """``text`` as XML text or attribute; a parser gives it back, but for forbidden characters.

    >>> escape('<b class="x">')
    '&lt;b class=&quot;x&quot;&gt;'
    """
    return html.escape(clean(text)).translate({9: "&#9;", 10: "&#10;", 13: "&#13;"})


@lru_cache(maxsize=8192)
def text_width(text: str, size: float = TEXT, bold: bool = False) -> float:
    """The width of ``text`` in pixels, estimated on the safe side for common sans fonts."""
    ems = 0.0
    for char in text:
        if char in _NARROW:
            ems += 0.37
        elif char in _WIDE or ord(char) > 0x2FF:
            ems += 1.0
        else:
            ems += 0.7 if char.isupper() else 0.64
    return ems * size * (1.13 if bold else 1.0)


@lru_cache(maxsize=8192)
def fit(text: str, width: float, size: float = TEXT, bold: bool = False, head: float = 0.5) -> str:
    """``text``, cut to ``width`` pixels by an ellipsis after ``head`` of what is kept.

    >>> fit("features.denselayer32.conv2", 100), fit("features.denselayer32.conv2", 100, head=0)
    ('featur….conv2', '…yer32.conv2')
    """
    text = " ".join(clean(text).split())
    if text_width(text, size, bold) <= width:
        return text
    for kept in range(min(len(text) - 1, int(width)), 0, -1):
        first = round(kept * head)
        short = text[:first] + "…" + text[len(text) - kept + first :]
        if text_width(short, size, bold) <= width:
            return short
    return "…"


def label(x: float, y: float, text: str, more: str = "") -> str:
    """A text element; ``more`` holds further attributes."""
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(text)}</text>'


END, MIDDLE, BOLD = ' text-anchor="end"', ' text-anchor="middle"', ' font-weight="600"'


class Canvas(NamedTuple):
    """What a drawing is put on: its size, the prefix of its ids, the colour behind it.

    ``foot`` is the least room below a plot.
    """

    width: float
    height: float
    prefix: str
    paper: str
    foot: float = 0.0

    @property
    def halo(self) -> str:
        """Attributes that keep a text readable where it crosses a bar."""
        return (
            f' paint-order="stroke" stroke="{self.paper}" stroke-width="4" stroke-linejoin="round"'
        )


def fill_of(prefix: str, fill: Fill) -> str:
    """What a ``fill`` attribute says: a colour, or the reference to a pattern."""
    return f"url(#{prefix}-p{FILLS.index(fill)})" if fill.lines else fill.colour


@lru_cache(maxsize=64)
def patterns(prefix: str, fills: tuple[Fill, ...]) -> str:
    """The definitions that :func:`fill_of` refers to."""
    tiles = "".join(
        f'<pattern id="{prefix}-p{FILLS.index(fill)}" width="8" height="8" '
        f'patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="{fill.colour}"/>'
        f'<g stroke="{fill.ink}" fill="{fill.ink}" stroke-opacity=".7">{fill.lines}</g></pattern>'
        for fill in fills
        if fill.lines
    )
    return f"<defs>{tiles}</defs>" if tiles else ""


class Flag(NamedTuple):
    """A label in the lanes above a plot, with a stem down to ``y``."""

    x: float
    y: float
    text: str
    bold: bool


class Placed(NamedTuple):
    """A flag, where its label starts and stops, and its lane: 0 is the lowest."""

    flag: Flag
    start: float
    stop: float
    lane: int = 0

    @property
    def left(self) -> bool:
        """Whether the label hangs to the left of the stem."""
        return self.start < self.flag.x

    def meets(self, other: Placed) -> bool:
        """Whether the labels would lie on each other in one lane."""
        return self.start < other.stop and other.start < self.stop

    def covers(self, other: Placed) -> bool:
        """Whether the other's stem would run through this label from a higher lane."""
        return self.start < other.flag.x < self.stop


def _hang(flags: Iterable[Flag], left: float, right: float) -> list[Placed]:
    """Labels hang to the right, unless another is in the way or the drawing ends."""
    hung: list[Placed] = []
    for flag in sorted(flags, key=lambda flag: -flag.x):
        width = text_width(flag.text, bold=flag.bold) + 8
        to_right = Placed(flag, flag.x, flag.x + width)
        to_left = Placed(flag, flag.x - width, flag.x)
        blocked = any(to_right.meets(other) for other in hung)
        turn = to_right.stop > right or (blocked and to_left.start >= left)
        hung.append(to_left if turn else to_right)
    return hung


def place(flags: Iterable[Flag], left: float, right: float) -> list[Placed]:
    """Give every flag a lane so that no label lies on another, nor on a stem.

    A label goes above the lane of every stem that it covers, so those are placed first.
    """
    waiting, placed = _hang(flags, left, right), list[Placed]()
    while waiting:
        free = [one for one in waiting if not any(map(one.covers, waiting))]
        one = (free or waiting)[0]
        waiting.remove(one)
        lane = max((other.lane + 1 for other in placed if one.covers(other)), default=0)
        while any(one.meets(other) and other.lane == lane for other in placed):
            lane += 1
        placed.append(one._replace(lane=lane))
    return placed


LANE = 18.0


def draw_flags(placed: Iterable[Placed], bottom: float, halo: str) -> list[str]:
    """Stems, heads and labels; lane 0 stands on ``bottom``."""
    out = []
    for one in placed:
        flag, left = one.flag, one.left
        x, top = flag.x, bottom - LANE * (one.lane + 1) + 4
        out.append(
            f'<path d="M{x:.1f},{top:.1f}V{flag.y - 5:.1f}" stroke="currentColor" '
            f'stroke-dasharray="{"none" if flag.bold else "2,2"}"/>'
            f'<path d="M{x:.1f},{flag.y:.1f}l-4,-7h8z"/>'
        )
        more = (END if left else "") + (BOLD if flag.bold else "") + halo
        out.append(label(x - 5 if left else x + 5, top + 10, flag.text, more))
    return out
