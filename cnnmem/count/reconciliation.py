"""The named steps between two totals or published numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, runtime_checkable

from cnnmem.errors import CnnmemError
from cnnmem.tables import aligned, html_table
from cnnmem.units import MEMORY, B, Unit

from .find import PrintedText, printed_text
from .steps import Step, steps_between
from .totals import Total, show, signed

UNEXPLAINED = "no convention gives the number"
EXACT_VALUE = "the exact value instead of the printed one"
UNNAMED = "no convention was named, and none was searched for"


@runtime_checkable
class Printed(Protocol):
    """A published number. A protocol, because `cnnmem.published.Published` imports this package."""

    @property
    def value(self) -> Fraction:
        """The number that was printed, in `unit`."""

    @property
    def unit(self) -> Unit:
        """The unit of `value`."""

    @property
    def measures(self) -> str:
        """What it counts: "memory" or "operations"."""

    @property
    def label(self) -> str:
        """What it is called in a table or chart."""

    @property
    def way(self) -> str:
        """How the total that explains it was printed, "" where that is not known."""

    def reproduced(self) -> Total | None:
        """Return the total that explains it, None if no convention does."""


@dataclass(frozen=True)
class Reconciliation:
    """Two totals and the steps from the first to the second, which sum to the difference."""

    start: Total | Printed
    end: Total | Printed
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        difference = self.end.value - self.start.value
        steps = sum((step.delta for step in self.steps), Fraction())
        if steps != difference:
            raise AssertionError(f"the steps sum to {steps}, not to the difference {difference}")

    @property
    def unexplained(self) -> Fraction:
        """What no step explains: 0 unless a published number has no convention."""
        return sum((s.delta for s in self.steps if s.stage == "unexplained"), Fraction())

    def __str__(self) -> str:
        rows = [(self.start.label, show(self.start.value))]
        rows += [(f"  {s.stage}: {s.name}", signed(s.delta)) for s in self.steps]
        rows.append((self.end.label, show(self.end.value)))
        first, *steps, last = aligned(rows)
        lines = [f"{first} {self.start.unit}", *steps, f"{last} {self.end.unit}"]
        return "\n".join([*lines, *self._missing()])

    def _missing(self) -> list[str]:
        """Say where a side is not what it looks like: a lower bound, or not its tool's number."""
        sides = [side for side in (self.start, self.end) if isinstance(side, Total)]
        return [
            *[
                f"{side.label} is a lower bound; not counted: {', '.join(side.table.uncounted)}"
                for side in sides
                if side.at_least
            ],
            *[f"{side.label}: {side.note}" for side in sides if side.outside],
        ]

    def sentence(self) -> str:
        """Return the difference in one sentence."""
        if not self.steps:
            return f"Both are {show(self.end.value)} {self.end.unit}."
        difference = signed(self.end.value - self.start.value)
        if self.start.unit != self.end.unit:
            difference += " in print"
        count = f"{len(self.steps)} step{'' if len(self.steps) == 1 else 's'}"
        missing = self.unexplained
        verdict = f"{signed(missing)} unexplained" if missing else "all explained"
        verdict += "; " + "; ".join(self._missing()) if self._missing() else ""
        return (
            f"From {show(self.start.value)} {self.start.unit} to {show(self.end.value)} "
            f"{self.end.unit}: {count}, {difference}, {verdict}."
        )

    def __repr__(self) -> str:
        return f"<Reconciliation: {self.sentence()}>"

    def _repr_html_(self) -> str:
        rows = [("", self.start.label, show(self.start.value), str(self.start.unit))]
        rows += [(s.stage, s.name, signed(s.delta), "") for s in self.steps]
        rows.append(("", self.end.label, show(self.end.value), str(self.end.unit)))
        rows += [("", note, "", "") for note in self._missing()]
        return html_table(("stage", "step", "value", "unit"), rows, "Reconciliation")


def reconcile(start: Total | Printed | str, end: Total | Printed | str) -> Reconciliation:
    """Return the named steps from one total to another, in one fixed order.

    The order is: rows, what is counted in a row, factor, bytes per value, unit. It is fixed because
    the size of a step depends on the steps before it. Either side can be a published number, and
    one a text as it was printed, such as "25.6M", which is looked for among the totals of the other
    side's network: how it was printed is a step "print", and what remains of one that no convention
    gives is "unexplained". Arithmetic is exact.

    Raises `CnnmemError` if one side counts memory and the other operations, or if a text is not a
    number.

    >>> from cnnmem import summary
    >>> table = summary("vgg16")
    >>> print(reconcile(table.total("tensors-mib"), table.total("torchinfo-memory")))
    vgg16 at 224x224, tensors-mib        58.13 MiB
      rows: the image out                -0.57
      rows: max pooling out              -5.84
      factor: x 2 instead of x 1               +51.71
      unit: MB instead of MiB                   +5.02
    vgg16 at 224x224, torchinfo-memory  108.45 MB
    """
    start, end = _beside(start, end), _beside(end, start)
    if not isinstance(start, Total):
        steps = _from_published(start, end)
    elif isinstance(end, Total):
        steps = _between(start, end)
    else:
        steps = _to_published(start, end)
    return Reconciliation(start, end, tuple(steps))


def _beside(side: Total | Printed | str, other: Total | Printed | str) -> Total | Printed:
    """Return a side of a reconciliation; a text is read with the other side in view."""
    if isinstance(side, Total | Printed):
        return side
    if not isinstance(side, str):
        raise CnnmemError(
            f'cannot reconcile a {type(side).__name__}; give totals, as table.total("tensors"), '
            'published numbers, as published.get("cs231n-93"), or a text as printed, as "25.6M"'
        )
    known = other.reproduced() if isinstance(other, Printed) else other
    if not isinstance(known, Total):
        raise CnnmemError(
            f"{side!r} is a number without a network; give a total or a published number that a "
            "convention gives beside it, or look for it with find"
        )
    return printed_text(side, known)


def _to_published(start: Total, end: Printed) -> Iterator[Step]:
    reached = end.reproduced()
    if reached is not None:
        yield from _between(start, reached)
        yield from _to_unit(reached.value, reached.unit, end.unit)
        exact = reached.base / end.unit.size
        if end.value != exact:
            name = end.way or "the printed value instead of the exact one"
            yield Step("print", name, end.value - exact)
        return
    _same_measure(start.measures, end.measures)
    value = start.value
    for step in _to_unit(value, start.unit, end.unit):
        value += step.delta
        yield step
    if end.value != value:
        yield Step("unexplained", _missing(end), end.value - value)


def _from_published(start: Printed, end: Total | Printed) -> Iterator[Step]:
    reached = start.reproduced()
    if reached is not None:
        exact = reached.base / start.unit.size
        if exact != start.value:
            name = f"exact instead of {start.way}" if start.way else EXACT_VALUE
            yield Step("print", name, exact - start.value)
        yield from _to_unit(exact, start.unit, reached.unit)
        yield from reconcile(reached, end).steps
        return
    _same_measure(start.measures, end.measures)
    # the unit changes last: walk back from the end, to find what is missing in the start's unit
    back = [Step(s.stage, s.name, -s.delta) for s in _to_unit(end.value, end.unit, start.unit)]
    target = end.value - sum((step.delta for step in back), Fraction())
    if target != start.value:
        yield Step("unexplained", _missing(start), target - start.value)
    yield from _to_unit(target, start.unit, end.unit)


def _missing(printed: Printed) -> str:
    """Return why a number is unexplained: was a convention looked for?"""
    searched = isinstance(printed, PrintedText) or bool(getattr(printed, "note", ""))
    return UNEXPLAINED if searched else UNNAMED


def _to_unit(value: Fraction, start: Unit, end: Unit) -> Iterator[Step]:
    """Yield the steps from one unit to another; between values and bytes, a value is float32."""
    if not value:
        return  # 0 is the same in every unit
    if start not in MEMORY and end in MEMORY:
        yield Step("bytes per value", "4 instead of 1", value * 3)
        value, start = value * 4, B
    elif start in MEMORY and end not in MEMORY:
        yield Step("bytes per value", "1 instead of 4", -value * 3 / 4)
        value /= 4
    if start.size != end.size:
        yield Step("unit", f"{end} instead of {start}", value * start.size / end.size - value)


def _same_measure(a: str, b: str) -> None:
    if a != b:
        raise CnnmemError(
            f"a total of {a} and one of {b} cannot be reconciled; take two of the same measure"
        )


def _between(start: Total, end: Total) -> Iterator[Step]:
    _same_measure(start.measures, end.measures)
    return steps_between(start, end)
