"""From one convention to another: a total that is changed step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cnnmem.model.kinds import kind_title
from cnnmem.units import MEMORY, B

from .convention import QUANTITIES, Convention, Form
from .rows import Contribution, Lines, by_kind, by_partner, lines_of, other_table, partners
from .totals import Total, add_up

WHAT_IS_ROUNDED = {"row": "each row", "total": "the sum"}
# Different ways to say which tensors count: a change between them is one step, not two.
WHICH_TENSORS = ("values", "views", "overwrites", "kept tensors", "alive at the peak")


@dataclass(frozen=True)
class Step:
    """One named step of a reconciliation; `delta` is in the total's unit at that step."""

    stage: str
    name: str
    delta: Fraction


class Walk:
    """A total on the way to another: each `step` changes it and yields by how much."""

    def __init__(self, lines: Lines, how: Convention) -> None:
        self.lines, self.how = lines, how
        self.amounts = {key: line.amount() for key, line in lines.items()}
        self.value = add_up(self.amounts.values(), how)

    def step(
        self, stage: str, name: str, lines: Mapping[int, Contribution | None], **how: Any
    ) -> Iterator[Step]:
        """Change lines (None drops one) or the arithmetic; yield a step if the value changes."""
        for key, line in lines.items():
            if line is None:
                del self.lines[key], self.amounts[key]
            else:
                self.lines[key], self.amounts[key] = line, line.amount()
        self.how = replace(self.how, **how)
        before, self.value = self.value, add_up(self.amounts.values(), self.how)
        if self.value != before:
            yield Step(stage, name, self.value - before)


def steps_between(start: Total, end: Total) -> Iterator[Step]:
    """Yield the steps from one total to another: rows, what is counted, factor, bytes, unit."""
    a, b = start.convention, end.convention
    quantities = tuple(dict.fromkeys(count.quantity for count in (*a.counts, *b.counts)))
    lines = lines_of(start.table, a, quantities)
    goal = lines_of(end.table, b, quantities)
    if start.table is end.table:
        walk = Walk(lines, a)
    else:
        found = partners(start.table, end.table)
        walk = Walk(by_partner(lines, found), a)
        for name, changed in other_table(walk.lines, start.table, end.table, found, a):
            yield from walk.step("rows", name, changed)
    yield from _rows(walk, goal, a, b)
    yield from _what_is_counted(walk, goal)
    yield from _arithmetic(walk, b)
    yield from walk.step("factor", f"x {b.factor} instead of x {a.factor}", {}, factor=b.factor)
    # values that get a width become bytes, so the unit becomes the byte
    unit = B if b.bytes_per_value != 1 and a.unit not in MEMORY else a.unit
    name = f"{b.bytes_per_value} instead of {a.bytes_per_value}"
    yield from walk.step("bytes per value", name, {}, bytes_per_value=b.bytes_per_value, unit=unit)
    yield from walk.step("unit", f"{b.unit} instead of {walk.how.unit}", {}, unit=b.unit)


def _rows(walk: Walk, goal: Lines, start: Convention, end: Convention) -> Iterator[Step]:
    """Take out the rows that the second convention does not count, put in those it adds."""
    for counts, word in ((False, "out"), (True, "in")):
        moved = {
            key: line
            for key, line in goal.items()
            if bool(line.form) is counts and bool(walk.lines[key].form) is not counts
        }
        tail = {key: line for key, line in moved.items() if line.ended != walk.lines[key].ended}
        name = f"rows after {(start if counts else end).until} {word}"
        yield from walk.step("rows", name, tail)
        for kind, lines in by_kind({key: moved[key] for key in moved if key not in tail}):
            yield from walk.step("rows", f"{kind_title(kind)} {word}", lines)


def _what_is_counted(walk: Walk, goal: Lines) -> Iterator[Step]:
    """Change the form of each kind: first which tensors count, then one quantity at a time."""
    groups = (
        WHICH_TENSORS,
        *[(quantity,) for quantity in QUANTITIES if quantity not in WHICH_TENSORS],
    )
    other = {key: line for key, line in goal.items() if line.form != walk.lines[key].form}
    for kind, lines in by_kind(other):
        for group in groups:
            changed: dict[int, Contribution] = {}
            before: Form = {}
            after: Form = {}
            for key, line in lines.items():
                now = walk.lines[key]
                old = {q: times for q, times in now.form.items() if q in group}
                new = {q: times for q, times in line.form.items() if q in group}
                if old != new:
                    rest = {q: times for q, times in now.form.items() if q not in group}
                    changed[key] = now._replace(form=rest | new)
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
