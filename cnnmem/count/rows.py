"""The rows behind a total, and how those of one table become those of another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from cnnmem.model.kinds import family_of, kind_title
from cnnmem.model.layers import Conv2d, DepthwiseConv2d, Layer
from cnnmem.model.network import INPUT, Call
from cnnmem.model.windows import as_window
from cnnmem.units import bytes_per_value

from .calls import Caller
from .changes import ORDER, Change, Side, changes, times
from .convention import DONE, QUANTITIES, Convention, Form
from .pairing import Pairing, layers_of, looks_of, pair, place
from .table import Row, Table
from .totals import column

# Of pairs of networks that have less in common, only the kinds of rows are compared.
ALIKE = Fraction(2, 5)
PEAK = "alive at the peak"
# What is said of rows that differ in many ways.
OTHERWISE = {"size": "other map sizes", "width": "other widths", "rest": "counted differently"}


class Contribution(NamedTuple):
    """A row's contribution to a total: its quantities and how often each counts."""

    row: Row
    quantities: dict[str, int]
    form: Form
    ended: bool  # the convention stops before this row
    call: Call

    def amount(self) -> int | Fraction:
        """Return what the row adds, before rounding."""
        return sum([times * self.quantities[quantity] for quantity, times in self.form.items()])


# The rows of a total by their positions in the table; on the way to another table, by those in that
# table, and the rows that it does not have by `_gone`.
Lines = dict[int, Contribution]
NamedLines = tuple[str, Mapping[int, Contribution | None]]


def _gone(position: int) -> int:
    return -1 - position


def lines_of(
    table: Table, convention: Convention, quantities: Sequence[str], until: str | None = None
) -> Lines:
    """Return each row's contribution to a total, which may end at another row (`until`)."""
    until = convention.until if until is None else until
    columns = [column(table, quantity) for quantity in quantities]
    lines: Lines = {}
    forms: dict[Caller, Form] = {}
    ended = False
    called = zip(table.callers, table.calls, strict=True)
    for position, (row, (caller, call), *numbers) in enumerate(
        zip(table.rows, called, *columns, strict=True)
    ):
        if caller not in forms:
            forms[caller] = convention.form(caller)
        form = {} if ended else forms[caller]
        lines[position] = Contribution(
            row, dict(zip(quantities, numbers, strict=True)), form, ended, call
        )
        ended = ended or row.name == until
    return lines


def by_kind(lines: Lines) -> Iterator[tuple[str, Lines]]:
    """Group lines by the kind of their rows, in the order in which the kinds first appear."""
    kinds: dict[str, Lines] = {}
    for key, line in lines.items():
        kinds.setdefault(line.row.kind, {})[key] = line
    yield from kinds.items()


def by_partner(lines: Lines, found: Pairing) -> Lines:
    """Return the lines of one table under the keys of the other."""
    return {j: lines[i] for i, j in found.pairs} | {_gone(i): lines[i] for i in found.first}


def other_table(
    lines: Lines, start: Table, end: Table, found: Pairing, convention: Convention
) -> Iterator[NamedLines]:
    """Turn the rows of one table into those of the other, under the first one's convention.

    `lines` are the rows on the way, by the keys of the second table. Yield the lines to change and
    what to call the change: first the rows that only one table has, then what differs between those
    that stand for each other. The caller changes `lines` before it asks for more.
    """
    quantities = tuple(next(iter(lines.values())).quantities)
    partner = {start.rows[i].name: end.rows[j].name for i, j in found.pairs}
    until = partner.get(convention.until, convention.until)
    goal = lines_of(end, convention, quantities, until)
    if found.pairs:
        yield from _without_partner(lines, goal, start, end, found)
        yield from _with_partner(lines, goal, start, end, found)
    else:
        yield from _kinds(lines, goal)


def partners(start: Table, end: Table) -> Pairing:
    """Return which rows are compared with which; no pairs if the tables have little in common.

    They have enough in common if most of the layers that learn have a partner that differs in two
    ways at most (kernel, groups, size, width).
    """
    found = pair(start, end)
    if _alike(start, end, found):
        return found
    return Pairing((), tuple(range(len(start.rows))), tuple(range(len(end.rows))))


def _alike(start: Table, end: Table, found: Pairing) -> bool:
    first, second = looks_of(start), looks_of(end)
    learning = [sum(look.stands_for == "learning" for look in looks) for looks in (first, second)]
    close = 0
    for i, j in found.pairs:
        a, b = first[i], second[j]
        widths = (a.channels, a.inputs), (b.channels, b.inputs)
        differing = (a.kernel != b.kernel) + (a.groups != b.groups) + (a.size != b.size)
        close += a.stands_for == "learning" and differing + (widths[0] != widths[1]) <= 2
    return close >= ALIKE * max(learning)


def _kinds(lines: Lines, goal: Lines) -> Iterator[NamedLines]:
    """Exchange all rows, kind by kind."""
    old, new = dict(by_kind(lines)), dict(by_kind(goal))
    for kind in dict.fromkeys([*old, *new]):
        before, after = old.get(kind, {}), new.get(kind, {})
        if not before or not after:
            name = f"{_names(before or after)} only in the {'first' if before else 'second'}"
        elif len(before) == len(after):
            name = f"{kind_title(kind)} of other shapes"
        else:
            name = f"{_count(len(after), kind)} instead of {len(before)}"
        yield name, dict.fromkeys(before) | dict(after)


def _without_partner(
    lines: Lines, goal: Lines, start: Table, end: Table, found: Pairing
) -> Iterator[NamedLines]:
    """Drop the rows that only the first table has, add those that only the second one has."""
    for table, alone, other in (
        (start, found.first, {j for _, j in found.pairs}),
        (end, found.second, {i for i, _ in found.pairs}),
    ):
        if not alone:
            continue
        first = table is start
        which = "first" if first else "second"
        heads = _heads(table, alone, end if first else start, other)
        rest = [i for i in alone if all(i not in head for _, head in heads)]
        groups = [(f"{name} only in the {which}", head) for name, head in heads]
        rows = {i: lines[_gone(i)] if first else goal[i] for i in alone}
        for _, of_kind in by_kind({i: rows[i] for i in rest}):
            groups.append((f"{_names(of_kind)} only in the {which}", list(of_kind)))
        for name, positions in groups:
            yield (
                name,
                {_gone(i): None for i in positions} if first else {i: rows[i] for i in positions},
            )


def _heads(
    table: Table, alone: Sequence[int], other: Table, paired: set[int]
) -> list[tuple[str, list[int]]]:
    """Return the classifiers among the rows that only one table has, each with its name."""
    heads: list[tuple[str, list[int]]] = []
    at, here = place(table), set(alone)
    auxiliary = [b for b in at.branches if here.issuperset(b) and _classifies(table, b)]
    if auxiliary:
        unused = len({table.rows[b[0]].name.split(".")[0] for b in auxiliary})
        count = "the auxiliary classifier" if unused == 1 else f"{unused} auxiliary classifiers"
        heads.append((count, [i for branch in auxiliary for i in branch]))
    tail: list[int] = []
    for i in reversed(at.main):
        if i not in here:
            break
        tail.insert(0, i)
    kept = any(other.rows[j].kind == "linear" for j in paired)
    families = {family_of(table.rows[i].kind) for i in tail}
    if not kept and (
        "linear layers" in families or families >= {"convolutions", "pooling"}  # as in SqueezeNet
    ):
        names = [table.rows[i].name for i in (tail[0], tail[-1])]
        of = names[0] if len(tail) == 1 else " to ".join(names)
        heads.append((f"the classifier ({of})", tail))
    return heads


def _classifies(table: Table, branch: Sequence[int]) -> bool:
    """Return whether a branch that ends early is an auxiliary classifier.

    One that is not used, as in evaluation, is known by its name only.
    """
    rows = [table.rows[i] for i in branch]
    unused = rows[0].kind == "unused" and rows[0].name.lower().startswith("aux")
    return unused or any(row.kind == "linear" for row in rows)


def _with_partner(
    lines: Lines, goal: Lines, start: Table, end: Table, found: Pairing
) -> Iterator[NamedLines]:
    """Change what differs between rows that stand for each other, kind by kind."""
    layers = layers_of(start), layers_of(end)
    strides = _other_strides(found, *layers)
    ways: dict[str, dict[str, list[tuple[int, Change]]]] = {}
    for i, j in found.pairs:
        a = Side(start.rows[i], layers[0][i], start.batch, bytes_per_value(start.dtype))
        b = Side(end.rows[j], layers[1][j], end.batch, bytes_per_value(end.dtype))
        # groups and widths, say, are steps of their own even where they cancel in a row
        shapes_differ = (a.row.inputs, a.row.output) != (b.row.inputs, b.row.output)
        way = ways.setdefault(b.row.kind, {})
        if shapes_differ or lines[j].amount() != goal[j].amount():
            for change in changes(a, b):
                way.setdefault(change.about, []).append((j, change))
    for kind, way in ways.items():
        for about in ORDER:
            moved = {}
            for j, change in way.get(about, []):
                line = _on_the_way(lines[j], goal[j], change)
                if line.amount() != lines[j].amount():
                    moved[j] = (change, line)
            yield from _said(about, kind, moved, lines, strides.get(kind, {}))
    # what adds nothing to this total may add to the next
    yield "", {j: goal[j] for _, j in found.pairs}


def _other_strides(
    found: Pairing, first: Sequence[Layer | None], second: Sequence[Layer | None]
) -> dict[str, dict[str, bool]]:
    """Return the kernels whose stride differs, by kind, and whether it is larger in the second."""
    strides: dict[str, dict[str, bool]] = {}
    for i, j in found.pairs:
        a, b = first[i], second[j]
        if isinstance(b, Conv2d | DepthwiseConv2d) and type(a) is type(b) and a.stride != b.stride:
            larger = math.prod(as_window(b).stride) > math.prod(as_window(a).stride)
            strides.setdefault(b.kind, {})[times(as_window(b).kernel)] = larger
    return strides


def _on_the_way(now: Contribution, goal: Contribution, change: Change) -> Contribution:
    if change.about in ("kind", "rest"):
        return goal
    row, numbers = change.row, {}
    call = goal.call if change.about == "caller" else now.call
    for quantity, size in now.quantities.items():
        if quantity != PEAK:
            numbers[quantity] = QUANTITIES[quantity][1](row, call, change.batch)
        else:  # where the tensors are whole ones, they grow with the row
            ends = (size, goal.quantities[PEAK])
            whole = ends == (now.row.outputs, goal.row.outputs)
            numbers[quantity] = row.outputs if whole else size
    form = goal.form if change.about == "caller" else now.form
    return Contribution(row, numbers, form, now.ended, call)


def _said(
    about: str,
    kind: str,
    moved: Mapping[int, tuple[Change, Contribution]],
    lines: Lines,
    strides: Mapping[str, bool],
) -> Iterator[NamedLines]:
    """Yield the rows that change alike together; if they change in many ways, all at once."""
    words: dict[str, Lines] = {}
    for j, (change, line) in moved.items():
        said = _difference(lines[j], line) if about == "rest" else change.words
        words.setdefault(said, {})[j] = line
    if about == "stride" and len(strides) == 2 and len(set(strides.values())) == 2:
        less, more = sorted(strides, key=lambda kernel: strides[kernel])
        name = f"stride in the {more} instead of the {less}"
        words = {name: {j: line for j, (_, line) in moved.items()}}
    elif len(words) > 2:
        many = {change.many for change, _ in moved.values()}
        name = many.pop() if len(many) == 1 else OTHERWISE.get(about, f"other {about}s")
        words = {name: {j: line for j, (_, line) in moved.items()}}
    for said, each in words.items():
        if about == "kind":
            yield said, each
        else:
            names = _few(each) or kind_title(kind)
            yield f"{names}: {said}", each


def _difference(now: Contribution, goal: Contribution) -> str:
    """Say which quantity of a row differs where no setting does."""
    for quantity in {**now.form, **goal.form}:
        a, b = now.quantities[quantity], goal.quantities[quantity]
        if a != b:
            if quantity in DONE:
                return "other work"
            return f"{'more' if b > a else 'fewer'} {QUANTITIES[quantity][0]}"
    scales = "scale" in now.call.facts, "scale" in goal.call.facts
    if scales[0] != scales[1]:
        return "a scale" if scales[1] else "no scale"
    return "counted differently"


def _few(lines: Lines) -> str:
    """Name one or two rows; "" if there are more."""
    names = [
        kind_title(INPUT) if line.row.kind == INPUT else line.row.name for line in lines.values()
    ]
    return " and ".join(names) if len(names) <= 2 else ""


def _names(lines: Lines) -> str:
    """Name one or two rows; of more, give the number and the kind."""
    return _few(lines) or _count(len(lines), next(iter(lines.values())).row.kind)


def _count(count: int, kind: str) -> str:
    """Return a number of rows of a kind.

    >>> _count(3, "conv"), _count(3, "relu")
    ('3 convolutions', '3 rows of ReLU')
    """
    title = kind_title(kind)
    if count == 1:
        return f"1 {title.removesuffix('s')}"
    return f"{count} {title}" if title.endswith(("ions", "layers")) else f"{count} rows of {title}"
