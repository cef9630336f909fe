"""What every kind of chart offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any, ClassVar, Self

from .format import Real, exact, flat, rounded
from .marks import Drawing, Frame
from .series import Marker
from .svg import data_uri_img

Rows = tuple[tuple[str | Real, ...], ...]


class Chart(ABC):
    """One chart: data that can be read out, printed, and drawn by any painter of marks.

    A kind of chart is a frozen dataclass in a file of its own. Values are kept exact (ints and
    Fractions); ``scale`` divides them only where they are shown.
    """

    kind: ClassVar[str]
    """What a page calls this kind of chart."""

    title: str
    unit: str
    scale: int | Fraction = 1
    base_unit: str = ""
    note: str = ""
    quantity: str = ""
    """What the chart shows; a marker of another quantity is left out."""

    @property
    @abstractmethod
    def alt(self) -> str:
        """The chart in a sentence, for readers who cannot see it."""

    @abstractmethod
    def rows(self) -> Rows:
        """Header and rows of exact values, before ``scale``."""

    @abstractmethod
    def text(self, most: int | None = None) -> str:
        """The chart as plain text; of its columns, at most the highest ``most``."""

    @abstractmethod
    def marks(self, frame: Frame) -> Drawing:
        """The drawing in a frame; it grows taller where the marks do not fit."""

    def marked(self, markers: tuple[Marker, ...]) -> Self:
        """Return the chart with predictions on it, as far as it can show them."""
        return self

    def meant(self, markers: tuple[Marker, ...]) -> tuple[Marker, ...]:
        """Return the markers that are of no quantity, or of this chart's."""
        return tuple(m for m in markers if m.quantity in ("", self.quantity))

    def foot(self, width: float) -> float:
        """The height that the names below the plot need; charts side by side share the largest."""
        return 0.0

    def bare(self, value: Real) -> str:
        """``value`` in the chart's unit, without the unit's name."""
        if self.scale == 1 and isinstance(value, int):
            return exact(value)
        return rounded(float(value) / float(self.scale))

    def amount(self, value: Real) -> str:
        """``value`` with its unit: exact when ``scale`` is 1, else to four digits."""
        return f"{self.bare(value)} {self.unit}"

    def exactly(self, value: Real) -> str:
        """``value`` with its unit and, if it is scaled, the exact count."""
        same = "" if self.scale == 1 else f" = {exact(value)} {self.base_unit}"
        return self.amount(value) + same

    def sentence(self, *parts: str) -> str:
        """The alt text: title, parts and note on one line."""
        return flat(" ".join([f"{self.title}.", *parts, self.note]))

    def twin(self, *lines: str) -> str:
        """The text twin: title and unit, lines, note."""
        note = flat(self.note)
        return "\n".join([flat(f"{self.title} ({self.unit})"), *lines, *([note] if note else [])])

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        """A picture with alt text, or the text twin where a notebook cannot show it."""
        return {"text/plain": self.text(), "text/html": data_uri_img(self)}
