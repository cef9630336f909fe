"""The layers of a table as stacked bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

from cnnmem.charts import Group, StackedBars
from cnnmem.charts.theme import FILLS
from cnnmem.count import conventions
from cnnmem.count.convention import QUANTITIES, Convention
from cnnmem.count.table import Table
from cnnmem.count.totals import contributions
from cnnmem.model.kinds import kind_title
from cnnmem.units import MEMORY

from .colours import series as series_of

OTHERS = "other kinds"
CROWDED = 40  # with more bars than this, blocks are named instead of layers


def bars_of(
    table: Table,
    convention: Convention | str = "tensors",
    *,
    log: bool = False,
    title: str = "",
    by_kind: bool = False,
) -> StackedBars:
    """Return a table's layers as bars, stacked from what the convention counts.

    The bars sum to the convention's total, except for rounding and 32-bit wraps (see the note).
    Rows that hold nothing of their own (views, in-place layers) get no bar unless they count. With
    `by_kind` a bar has the colour of its layer's kind instead.

    >>> from cnnmem import summary
    >>> bars_of(summary("vgg16"), "parameters").total
    138357544
    """
    convention = conventions.get(convention, table.dtype)
    stacks = _stacks(table, convention)
    shown = [
        i
        for i, row in enumerate(table.rows)
        if row.values or row.params or any(values[i] for values in stacks.values())
    ]
    rows = [table.rows[i] for i in shown]
    if by_kind:
        stacks = _by_kind(table, stacks)
    series = tuple(
        series_of(QUANTITIES.get(quantity, (quantity,))[0], [values[i] for i in shown])
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
    stacks = {count.quantity: [0] * len(table.rows) for count in convention.counts}
    for i, quantity, amount in contributions(table, convention):
        stacks[quantity][i] += int(amount * times)
    return stacks


def _by_kind(table: Table, stacks: dict[str, list[int]]) -> dict[str, list[int]]:
    """Return the stacks added up and parted by kind of layer, the smallest kinds together."""
    sums = [sum(each) for each in zip(*stacks.values(), strict=True)]
    whole: Counter[str] = Counter()
    for row, held in zip(table.rows, sums, strict=True):
        whole[kind_title(row.kind)] += held
    names = [name for name, held in whole.most_common() if held]
    named = names if len(names) <= len(FILLS) else names[: len(FILLS) - 1]
    found = {name: [0] * len(sums) for name in [*named, *([OTHERS] if named != names else [])]}
    for i, (row, held) in enumerate(zip(table.rows, sums, strict=True)):
        if held:
            name = kind_title(row.kind)
            found[name if name in named else OTHERS][i] = held
    return found


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
