"""The layers of a table as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

from cnnmem.charts import Group, Series, StackedBars
from cnnmem.count import conventions
from cnnmem.count.convention import QUANTITIES, Convention
from cnnmem.count.table import Table
from cnnmem.count.totals import column
from cnnmem.units import MEMORY

CROWDED = 40  # with more bars than this, blocks are named instead of layers


def bars_of(
    table: Table,
    convention: Convention | str = "tensors",
    *,
    log: bool = False,
    title: str = "",
) -> StackedBars:
    """Return a table's layers as bars, stacked from what the convention counts.

    The bars sum to the convention's total, except for rounding and 32-bit wraps (see the note).
    Rows that hold nothing of their own (views, in-place layers) get no bar unless they count.

    >>> from cnnmem import summary
    >>> bars_of(summary("vgg16"), "parameters").total
    138357544
    """
    convention = conventions.get(convention)
    stacks = _stacks(table, convention)
    shown = [
        i
        for i, row in enumerate(table.rows)
        if row.values or row.params or any(values[i] for values in stacks.values())
    ]
    rows = [table.rows[i] for i in shown]
    series = tuple(
        Series(QUANTITIES[quantity][0], tuple([values[i] for i in shown]))
        for quantity, values in stacks.items()
        if any(values)
    )
    unit = convention.unit
    memory = unit in MEMORY and unit.size > 1
    note = ""
    if convention.arithmetic == "int32":
        note = "Bars show exact counts; the total wraps at 2^31."
    elif convention.rounding:
        note = "Bars show exact counts; the total is of rounded ones."
    return StackedBars(
        title or f"{table.network}: {convention.title}",
        tuple(row.name for row in rows),
        series,
        unit.name,
        unit.size,
        base_unit="bytes" if memory else "",
        log=log,
        groups=groups_of(rows),
        note=note,
        quantity=convention.name,
    )


def _stacks(table: Table, convention: Convention) -> dict[str, list[int]]:
    """Return what each quantity of a convention adds at each row, in bytes or counts."""
    times = convention.factor * convention.bytes_per_value
    stacks: dict[str, list[int]] = {}
    for count in convention.counts:
        values = column(table, count.quantity)
        stack = stacks.setdefault(count.quantity, [0] * len(values))
        weight = count.times * times
        for i, row in enumerate(table.rows):
            if values[i] and count.applies(row.kind, row.functional):
                stack[i] += int(values[i] * weight)
            if row.name == convention.until:
                break
    return stacks


class InBlock(Protocol):
    """Anything that belongs to a block: a row of a table, a part of a budget."""

    @property
    def block(self) -> str:
        """The block's name."""


def groups_of(rows: Sequence[InBlock]) -> tuple[Group, ...]:
    """Return each run of rows of one block; empty where there is room for every name."""
    if len(rows) <= CROWDED:
        return ()
    groups, start = [], 0
    for name, run in groupby([row.block for row in rows]):
        stop = start + len(list(run))
        groups.append(Group(name, start, stop))
        start = stop
    return tuple(groups)
