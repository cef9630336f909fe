"""Totals: a table added up under a convention, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from cnnmem.errors import CnnmemError
from cnnmem.int32 import wrap_int32
from cnnmem.units import Unit, number, round_digits

from .calls import Caller
from .convention import DONE, QUANTITIES, Convention
from .conventions import get
from .table import Table
from .training import alive_at_inference_peak


@dataclass(frozen=True)
class Total:
    """A sum over a table with its convention. `value` is exact, in `convention.unit`."""

    value: Fraction
    convention: Convention
    table: Table

    @property
    def unit(self) -> Unit:
        """The unit of `value`."""
        return self.convention.unit

    @property
    def measures(self) -> str:
        """What the total counts: "memory" or "operations"."""
        return self.convention.measures

    @property
    def base(self) -> Fraction:
        """The value in bytes, or in single values or operations."""
        return self.value * self.unit.size

    @property
    def at_least(self) -> bool:
        """Whether work is missing: the table has operations whose work no formula covers."""
        return bool(self.table.uncounted) and any(
            c.quantity in DONE for c in self.convention.counts
        )

    @property
    def outside(self) -> tuple[str, ...]:
        """The names of the rows that the convention's source counts in a way no table tells."""
        if not self.convention.outside:
            return ()
        rows = zip(self.table.rows, self.table.callers, strict=True)
        return tuple([row.name for row, each in rows if self.convention.leaves_out(each)])

    @property
    def note(self) -> str:
        """Say which rows are outside: "outside this convention: 2 rows (a, b)"; "" if none is."""
        names = self.outside
        if not names:
            return ""
        rows = "1 row" if len(names) == 1 else f"{len(names)} rows"
        more = ", ..." if len(names) > 3 else ""
        return f"outside this convention: {rows} ({', '.join(names[:3])}{more})"

    @property
    def amount(self) -> str:
        """The value with its unit, or what is outside and the sum of the other rows."""
        value = f"{self.printed} {self.unit}"
        return f"{self.note}; the others add up to {value}" if self.outside else value

    @property
    def printed(self) -> str:
        """The value as text, "at least" in front where work is missing."""
        return ("at least " if self.at_least else "") + show(self.value)

    @property
    def label(self) -> str:
        """The network, its size and the convention in one line."""
        size = "x".join(map(str, self.table.image[:2]))
        return f"{self.table.network} at {size}, {self.convention.name}"

    def __repr__(self) -> str:
        return f"<Total of {self.label}: {self.amount}>"

    def __str__(self) -> str:
        convention = self.convention
        name = f", {convention.name}" if convention.named_apart else ""
        return f"{self.amount}{name}: {convention.title}"


def show(value: Fraction) -> str:
    """Return a value as totals print it: whole, or with two decimals (two digits if it is small).

    >>> show(Fraction(73254912, 10**6)), show(Fraction(-1, 250))
    ('73.25', '-0.0040')
    """
    digits = 2
    while value and abs(value) * 10**digits < 10 and digits < 9:
        digits += 1
    return number(value, digits)


def signed(value: Fraction) -> str:
    """Return a value as a step shows it, with its sign."""
    return ("+" if value > 0 else "") + show(value)


def column(table: Table, quantity: str) -> list[int]:
    """Return a quantity for each row of a table.

    >>> from cnnmem import summary
    >>> column(summary("lenet5"), "weights")[:4]
    [0, 150, 0, 0]
    """
    if quantity == "alive at the peak":
        return alive_at_inference_peak(table)
    read = QUANTITIES[quantity][1]
    rows = zip(table.rows, table.calls, strict=True)
    return [read(row, call, table.batch) for row, call in rows]


def total(table: Table, convention: Convention | str = "tensors") -> Total:
    """Return the total of a table under a convention.

    Raises `CnnmemError` where the table lacks what the convention counts.
    """
    convention = get(convention, table.dtype)
    if convention.until and all(row.name != convention.until for row in table.rows):
        raise CnnmemError(
            f"{convention.name!r} stops after the row {convention.until!r}, which "
            f"{table.network} does not have; use a convention that counts all rows"
        )
    needs = [count.quantity for count in convention.counts]
    if ("kept tensors" in needs and not table.says_saved) or (
        "alive at the peak" in needs and table.storage is None
    ):
        raise CnnmemError(
            f"the table of {table.network} does not say what is kept for backward, so "
            f"{convention.name!r} cannot be added up; "
            + (
                "count it with execute=True"
                if table.how in ("traced", "recorded")
                else "use a network of the zoo or the torch module"
            )
        )
    return Total(add_up(amounts(table, convention), convention), convention, table)


def contributions(
    table: Table, convention: Convention
) -> Iterator[tuple[int, str, int | Fraction]]:
    """Yield what each quantity adds at each row, by the row's position, if it is not 0.

    Before rounding, factor, bytes and unit.
    """
    columns = {count.quantity: column(table, count.quantity) for count in convention.counts}
    forms: dict[Caller, list[tuple[str, list[int], int | Fraction]]] = {}
    for i, (row, caller) in enumerate(zip(table.rows, table.callers, strict=True)):
        if caller not in forms:
            form = convention.form(caller)
            forms[caller] = [(each, columns[each], times) for each, times in form.items()]
        for quantity, values, times in forms[caller]:
            if values[i]:
                yield i, quantity, values[i] * times
        if row.name == convention.until:
            break


def amounts(table: Table, convention: Convention) -> list[int | Fraction]:
    """Return what each row of a table adds, before rounding, factor, bytes and unit."""
    sums: list[int | Fraction] = [0] * len(table.rows)
    for i, _, amount in contributions(table, convention):
        sums[i] += amount
    return sums


def add_up(counted: Iterable[int | Fraction], how: Convention) -> Fraction:
    """Return the sum of the rows' amounts, rounded or wrapped, in the convention's unit."""
    if how.rounding and how.rounding.of == "row":
        counted = [round_digits(amount, how.rounding.digits) for amount in counted]
    if how.arithmetic == "int32":  # old Keras: `np.prod` wraps in each layer, `np.sum` once more
        counted = [wrap_int32(amount) for amount in counted]
    result = sum(counted)
    if how.rounding and how.rounding.of == "total":
        result = round_digits(result, how.rounding.digits)
    if how.arithmetic == "int32":
        result = wrap_int32(result)
    return Fraction(result) * how.factor * how.bytes_per_value / how.unit.size
