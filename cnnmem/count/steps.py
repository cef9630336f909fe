"""From one convention to another: a total that is changed step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from cnnmem.model.kinds import kind_title
from cnnmem.units import MEMORY, B

from .convention import QUANTITIES, Convention, Form
from .table import Row, Table
from .totals import Total, add_up, column

WHAT_IS_ROUNDED = {"row": "each row", "total": "the sum"}
# Different ways to say which tensors count: a change between them is one step, not two.
WHICH_TENSORS = ("values", "views", "overwrites", "kept tensors", "alive at the peak")


@dataclass(frozen=True)
class Step:
    """One named step of a reconciliation; `delta` is in the total's unit at that step."""

    stage: str
    name: str
    delta: Fraction


class Contribution(NamedTuple):
    """A row's contribution to a total: its quantities and how often each counts."""

    row: Row
    quantities: dict[str, int]
    form: Form
    ended: bool  # the convention stops before this row

    def amount(self) -> int | Fraction:
        """Return what the row adds, before rounding."""
        return sum(times * self.quantities[quantity] for quantity, times in self.form.items())


Lines = dict[str, Contribution]


def lines_of(table: Table, convention: Convention, quantities: tuple[str, ...]) -> Lines:
    """Return each row's contribution to a total, by row name."""
    columns = [column(table, quantity) for quantity in quantities]
    lines, ended = {}, False
    for row, *numbers in zip(table.rows, *columns, strict=True):
        form = {} if ended else convention.form(row.kind, row.functional)
        lines[row.name] = Contribution(
            row, dict(zip(quantities, numbers, strict=True)), form, ended
        )
        ended = ended or row.name == convention.until
    return lines


class Walk:
    """A total on the way to another: each `step` changes it and yields by how much."""

    def __init__(self, lines: Lines, how: Convention) -> None:
        self.lines, self.how = lines, how
        self.value = self._value()

    def _value(self) -> Fraction:
        return add_up([line.amount() for line in self.lines.values()], self.how)

    def step(
        self, stage: str, name: str, lines: dict[str, Contribution | None], **how: Any
    ) -> Iterator[Step]:
        """Change lines (None drops one) or the arithmetic; yield a step if the value changes."""
        for key, line in lines.items():
            if line is None:
                del self.lines[key]
            else:
                self.lines[key] = line
        self.how = replace(self.how, **how)
        before, self.value = self.value, self._value()
        if self.value != before:
            yield Step(stage, name, self.value - before)


def steps_between(start: Total, end: Total) -> Iterator[Step]:
    """Yield the steps from one total to another: rows, what is counted, factor, bytes, unit."""
    a, b = start.convention, end.convention
    quantities = tuple(dict.fromkeys(count.quantity for count in (*a.counts, *b.counts)))
    walk = Walk(lines_of(start.table, a, quantities), a)
    goal = lines_of(end.table, b, quantities)
    if start.table is not end.table:
        batches = start.table.batch, end.table.batch
        yield from _other_table(walk, lines_of(end.table, a, quantities), batches)
    yield from _rows(walk, goal, a, b)
    yield from _what_is_counted(walk, goal)
    yield from _arithmetic(walk, b)
    yield from walk.step("factor", f"x {b.factor} instead of x {a.factor}", {}, factor=b.factor)
    # values that get a width become bytes, so the unit becomes the byte
    unit = B if b.bytes_per_value != 1 and a.unit not in MEMORY else a.unit
    name = f"{b.bytes_per_value} instead of {a.bytes_per_value}"
    yield from walk.step("bytes per value", name, {}, bytes_per_value=b.bytes_per_value, unit=unit)
    yield from walk.step("unit", f"{b.unit} instead of {walk.how.unit}", {}, unit=b.unit)


def _by_kind(lines: list[Contribution]) -> Iterator[tuple[str, list[Contribution]]]:
    """Group lines by the kind of their rows, in the order in which the kinds first appear."""
    kinds: dict[str, list[Contribution]] = {}
    for line in lines:
        kinds.setdefault(line.row.kind, []).append(line)
    yield from kinds.items()


def _names(lines: list[Contribution]) -> str:
    """Name one or two rows; of more, give the number and the kind."""
    if len(lines) > 2:
        return f"{len(lines)} rows of {kind_title(lines[0].row.kind)}"
    return " and ".join(line.row.name for line in lines)


def _other_table(walk: Walk, goal: Lines, batches: tuple[int, int]) -> Iterator[Step]:
    """Turn the rows of one table into those of the other, under the first one's convention."""
    here = walk.lines
    for _, lines in _by_kind([line for name, line in here.items() if name not in goal]):
        name = f"{_names(lines)} only in the first"
        yield from walk.step("rows", name, dict.fromkeys([line.row.name for line in lines]))
    for _, lines in _by_kind([line for name, line in goal.items() if name not in here]):
        name = f"{_names(lines)} only in the second"
        yield from walk.step("rows", name, {line.row.name: line for line in lines})
    for kind, lines in _by_kind([line for name, line in goal.items() if line != here[name]]):
        pairs = [(line.row, here[line.row.name].row) for line in lines]
        if any((new.inputs, new.output) != (old.inputs, old.output) for new, old in pairs):
            why = " of other shapes"
        elif batches[0] != batches[1]:
            why = f": batch {batches[1]} instead of {batches[0]}"
        else:
            why = " counted differently"
        name = f"{kind_title(kind)}{why}"
        yield from walk.step("rows", name, {line.row.name: line for line in lines})


def _rows(walk: Walk, goal: Lines, start: Convention, end: Convention) -> Iterator[Step]:
    """Take out the rows that the second convention does not count, put in those it adds."""
    for counts, word in ((False, "out"), (True, "in")):
        moved = [
            line
            for name, line in goal.items()
            if bool(line.form) is counts and bool(walk.lines[name].form) is not counts
        ]
        tail = [line for line in moved if line.ended != walk.lines[line.row.name].ended]
        name = f"rows after {(start if counts else end).until} {word}"
        yield from walk.step("rows", name, {line.row.name: line for line in tail})
        for kind, lines in _by_kind([line for line in moved if line not in tail]):
            name = f"{kind_title(kind)} {word}"
            yield from walk.step("rows", name, {line.row.name: line for line in lines})


def _what_is_counted(walk: Walk, goal: Lines) -> Iterator[Step]:
    """Change the form of each kind: first which tensors count, then one quantity at a time."""
    groups = (
        WHICH_TENSORS,
        *[(quantity,) for quantity in QUANTITIES if quantity not in WHICH_TENSORS],
    )
    for kind, lines in _by_kind(list(goal.values())):
        for group in groups:
            changed: dict[str, Contribution | None] = {}
            before: Form = {}
            after: Form = {}
            for line in lines:
                now = walk.lines[line.row.name]
                old = {q: times for q, times in now.form.items() if q in group}
                new = {q: times for q, times in line.form.items() if q in group}
                if old != new:
                    rest = {q: times for q, times in now.form.items() if q not in group}
                    changed[line.row.name] = now._replace(form=rest | new)
                    # a step names only what its rows have: a ReLU has no view
                    before |= {q: times for q, times in old.items() if line.quantities[q]}
                    after |= {q: times for q, times in new.items() if line.quantities[q]}
            if changed:
                name = f"{kind_title(kind)}: {change_of(before, after)}"
                yield from walk.step("what is counted", name, changed)


def change_of(before: Form, after: Form) -> str:
    """Say in words how a form changes.

    >>> change_of({"values": 1}, {"values": 1, "overwrites": 1})
    'in-place outputs counted'
    """
    gone = " and ".join(QUANTITIES[q][0] for q in before if q not in after)
    new = " and ".join(QUANTITIES[q][0] for q in after if q not in before)
    said = [
        f"{QUANTITIES[q][0]} x {after[q]} for x {before[q]}"
        for q in after
        if q in before and after[q] != before[q]
    ]
    if gone and new:
        said.insert(0, f"{new} instead of {gone}")
    elif new:
        said.insert(0, f"{new} counted")
    elif gone:
        said.insert(0, f"{gone} not counted")
    return ", ".join(said)


def _arithmetic(walk: Walk, end: Convention) -> Iterator[Step]:
    stage, rounding = "what is counted", end.rounding
    if walk.how.rounding and rounding != walk.how.rounding:
        name = f"rounding of {WHAT_IS_ROUNDED[walk.how.rounding.of]} undone"
        yield from walk.step(stage, name, {}, rounding=None)
    if rounding:
        name = f"{WHAT_IS_ROUNDED[rounding.of]} rounded to {rounding.digits} digits"
        yield from walk.step(stage, name, {}, rounding=rounding)
    name = "wrapped as 32-bit integers" if end.arithmetic == "int32" else "32-bit wrap undone"
    yield from walk.step(stage, name, {}, arithmetic=end.arithmetic, counts=end.counts)
