"""Memory over time: areas over the moments of a step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from .column_marks import DrawnColumns
from .format import Real, share_text


@dataclass(frozen=True)
class Timeline(DrawnColumns):
    """Memory over time: ``categories`` are the moments; the highest is marked.

    >>> from cnnmem.charts import Series
    >>> line = Timeline("Step", ("forward", "backward"), (Series("kept", (4, 7)),), "bytes")
    >>> line.alt
    'Step. Stacked areas over 2 moments: the peak is 7 bytes at backward.'
    """

    kind = "timeline"
    areas: ClassVar[bool] = True
    category = "moment"

    @property
    def highest(self) -> Real:
        """The height of the peak."""
        return 0 if self.peak is None else self.totals[self.peak]

    @cached_property
    def alt(self) -> str:
        """When the peak is, how high it is, what it is made of, and the markers."""
        kind = f"Stacked areas over {len(self.categories)} moment{'s' * (len(self.totals) != 1)}"
        if self.peak is None:
            return self.sentence(f"{kind}: all values are zero.", self.markers_text)
        fact = f"the peak is {self.amount(self.highest)} at {self.categories[self.peak]}"
        parts = [f"{s.name} {share_text(s.values[self.peak], self.highest)}" for s in self.series]
        made = f", made of {', '.join(parts)}" if len(parts) > 1 else ""
        return self.sentence(f"{kind}: {fact}{made}.", self.markers_text)

    def text(self, most: int | None = None) -> str:
        """The chart as a table with bars; with ``most``, only the highest moments."""
        if self.peak is None:
            return self.table(most)
        return self.table(most, f"peak: {self.categories[self.peak]}, {self.exactly(self.highest)}")

    @property
    def headline(self) -> str:
        """The height of the peak."""
        return f"peak {self.amount(self.highest)}"

    @property
    def legend(self) -> list[str]:
        """What the peak is made of."""
        parts = [0 if self.peak is None else one.values[self.peak] for one in self.series]
        return [f"{self.bare(part)} ({share_text(part, self.highest)})" for part in parts]

    def peak_text(self, peak: int, name: str) -> str:
        """When the peak is, and how high it is."""
        return f"peak {self.amount(self.highest)}, {name}"
