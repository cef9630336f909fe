"""The parts of a chart of columns: series, markers, groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cnnmem.errors import CnnmemError

from . import _check
from .format import Real


@dataclass(frozen=True)
class Series:
    """One part of every column, such as the weights.

    ``fill`` is the place of its colour in :data:`.theme.FILLS`; None takes the first that no other
    series of the chart has.

    >>> Series("biases", (64, 64)).name
    'biases'
    """

    name: str
    values: tuple[Real, ...]
    fill: int | None = None

    def __post_init__(self) -> None:
        _check.text("name", self.name)
        _check.tuple_of(f"values of {self.name!r}", self.values, object)
        if set(map(type, self.values)) == {int}:  # the usual case, at the speed of C
            values: tuple[Real, ...] = (min(self.values), max(self.values))
        else:
            values = self.values
        for value in values:
            _check.number(f"values of {self.name!r}", value)


@dataclass(frozen=True)
class Marker:
    """A prediction, or a value to compare with, that stays visible on the chart.

    =========================  =========================  ==============================
    given                      on StackedBars             on Timeline
    =========================  =========================  ==============================
    ``value``                  ▼ on the strip of totals   a horizontal line
    ``category``               a flag over that bar       a flag over that moment
    ``category`` and ``value`` a flag at that height      a flag at that height
    =========================  =========================  ==============================

    ``value`` counts what the series count, before ``scale``. With a ``quantity`` the marker shows
    only on charts of that quantity. It may be negative: a prediction
    is drawn at the edge, with an arrow, when it does not fit the axis.

    >>> Marker("your prediction", value=24_000_000)
    Marker(label='your prediction', value=24000000, category=None, quantity='')
    """

    label: str
    value: Real | None = None
    category: str | None = None
    quantity: str = ""

    def __post_init__(self) -> None:
        if self.value is None and self.category is None:
            raise CnnmemError(f"marker {self.label!r}: give a value, a category or both")
        if self.value is not None:
            _check.number(f"value of marker {self.label!r}", self.value)


class Group(NamedTuple):
    """Neighbouring columns with a common name: ``start`` to ``stop``, which is not included.

    >>> Group("block 1", 0, 3)
    Group(label='block 1', start=0, stop=3)
    """

    label: str
    start: int
    stop: int
