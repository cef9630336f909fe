"""Labels above a plot that point down at a column, in lanes so that they do not overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .fitting import text_width
from .marks import Mark, Path, Text

LANE = 18.0  # pixels of height


class Flag(NamedTuple):
    """A label in the lanes above a plot, with a stem down to ``y``."""

    x: float
    y: float
    text: str
    bold: bool


class Placed(NamedTuple):
    """A flag, where its label starts and stops, and its lane; 0 is the lowest."""

    flag: Flag
    start: float
    stop: float
    lane: int = 0

    @property
    def left(self) -> bool:
        """Whether the label hangs to the left of the stem."""
        return self.start < self.flag.x

    def meets(self, other: Placed) -> bool:
        """Whether the labels would overlap in one lane."""
        return self.start < other.stop and other.start < self.stop

    def covers(self, other: Placed) -> bool:
        """Whether the other's stem would run through this label from a higher lane."""
        return self.start < other.flag.x < self.stop


def _hang(flags: Iterable[Flag], left: float, right: float) -> list[Placed]:
    """Hang labels to the right, unless another is in the way or the drawing ends."""
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
    """Give every flag a lane so that no label lies on another label or on a stem.

    A label must be higher than each flag whose stem it would cover, so those come first.
    """
    waiting, placed = _hang(flags, left, right), list[Placed]()
    while waiting:
        free = [one for one in waiting if not any(map(one.covers, waiting))]
        one = (free or waiting)[0]  # two may cover each other's stems: one stem is then crossed
        waiting.remove(one)
        lane = max((other.lane + 1 for other in placed if one.covers(other)), default=0)
        while any(one.meets(other) and other.lane == lane for other in placed):
            lane += 1
        placed.append(one._replace(lane=lane))
    return placed


def lanes(placed: Iterable[Placed]) -> int:
    """The number of lanes in use."""
    return 1 + max((one.lane for one in placed), default=-1)


def flag_marks(placed: Iterable[Placed], bottom: float) -> Iterator[Mark]:
    """Yield stems, heads and labels; lane 0 stands on ``bottom``."""
    for one in placed:
        flag, left = one.flag, one.left
        x, top = flag.x, bottom - LANE * (one.lane + 1) + 4
        dashes = "none" if flag.bold else "2,2"
        yield Path(f"M{x:.1f},{top:.1f}V{flag.y - 5:.1f}", line=1, dashes=dashes)
        yield Path(f"M{x:.1f},{flag.y:.1f}l-4,-7h8z", "ink")
        at = x - 5 if left else x + 5
        yield Text(at, top + 10, flag.text, "end" if left else "start", flag.bold, halo=True)
