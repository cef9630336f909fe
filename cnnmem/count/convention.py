"""What a convention is: a way to add up a table.

A convention is a linear form: for each kind of row, how often each quantity of the row counts.
Then come, always in this order, a factor, the bytes per value, and the unit it is printed in.
The named conventions are in `conventions` and `tools`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from cnnmem.checks import is_int
from cnnmem.errors import CnnmemError, look_up
from cnnmem.model.kinds import check_kind
from cnnmem.units import FLOPS, MACS, MEMORY, OPERATIONS, VALUES, Unit

from .table import Row

# A quantity is a number that each row has; `batch` is the number of images.
QUANTITIES: dict[str, tuple[str, Callable[[Row, int], int]]] = {
    "weights": ("weights", lambda row, batch: row.weights),
    "biases": ("biases", lambda row, batch: row.biases),
    "statistics": ("running statistics", lambda row, batch: row.statistics),
    "values": ("new tensors", lambda row, batch: row.values),
    "views": ("views", lambda row, batch: row.views),
    "overwrites": ("in-place outputs", lambda row, batch: row.overwrites),
    "inputs": ("an operation an input value", lambda row, batch: row.input_values),
    "outputs": ("an operation an output value", lambda row, batch: row.outputs),
    "macs": ("multiply-accumulates", lambda row, batch: row.macs),
    "bias additions": ("bias additions", lambda row, batch: row.outputs if row.biases else 0),
    "parameter uses": ("an operation a parameter", lambda row, batch: row.params * batch),
    "kept tensors": ("tensors kept for backward", lambda row, batch: row.kept_values),
    "copies": ("copies kept for backward", lambda row, batch: row.copies),
    "masks": ("dropout masks", lambda row, batch: row.masks),
    "indices": ("pool indices (int64)", lambda row, batch: row.indices),
    "batch statistics": ("statistics of the batch", lambda row, batch: row.batch_statistics),
    "alive at the peak": ("tensors alive at the peak", lambda row, batch: 0),  # see `totals.column`
}


# These are operations, the others are stored values: a total counts one or the other.
DONE = ("inputs", "outputs", "macs", "bias additions", "parameter uses")
OUTPUTS = ("values", "views", "overwrites")  # a row has its output in one of these

Form = dict[str, int | Fraction]
Where = Literal["", "layers", "modules", "functions"]


@dataclass(frozen=True)
class Count:
    """A quantity, counted `times` times for rows of certain kinds (no kinds: every kind).

    `where` is "layers" for all rows but the image, "modules" for the rows that are modules of the
    framework's model (some tools see no others), "functions" for the operations that are not.
    """

    quantity: str
    kinds: tuple[str, ...] = ()
    times: int | Fraction = 1
    where: Where = ""

    def __post_init__(self) -> None:
        look_up("quantity", self.quantity, QUANTITIES)
        kinds: object = self.kinds
        if isinstance(kinds, str):
            raise CnnmemError(f"kinds is {kinds!r}; give a tuple of kinds: ({kinds!r},)")
        if not isinstance(kinds, tuple):
            raise CnnmemError(f"kinds is {kinds!r}; give a tuple of kinds, () for every kind")
        for kind in kinds:
            check_kind(kind)
        if not (is_int(self.times) or isinstance(self.times, Fraction)):
            raise CnnmemError(f"times is {self.times!r}; give an int or a Fraction: both are exact")
        if self.where not in ("", "layers", "modules", "functions"):
            raise CnnmemError(
                f'where is {self.where!r}; give "layers", "modules", "functions" or nothing'
            )

    def applies(self, kind: str, functional: bool) -> bool:
        """Return whether rows of this kind count."""
        if self.kinds and kind not in self.kinds:
            return False
        if self.where == "functions":
            return functional
        return not self.where or (kind != "input" and not (functional and self.where == "modules"))


@dataclass(frozen=True)
class Rounding:
    """Rounding to significant digits, before the sum ("row") or after it ("total")."""

    digits: int
    of: Literal["row", "total"] = "row"

    def __post_init__(self) -> None:
        if not is_int(self.digits) or self.digits < 1:
            raise CnnmemError(f"digits is {self.digits!r}; it must be a positive integer")
        if self.of not in ("row", "total"):
            raise CnnmemError(f'of is {self.of!r}; give "row" or "total"')


@dataclass(frozen=True)
class Convention:
    """A way to add up a table: what is counted, x factor, x bytes per value, in a unit.

    `group` says what the total measures, for lists of choices. `until` names the last row counted,
    where a tool's print-out stops early. `arithmetic` "int32" wraps each row and the sum as 32-bit
    integers do. `source` says whose convention it is. `follows_dtype` says that
    `bytes_per_value` is that of float32 and gives way to the dtype of a table.
    """

    name: str
    title: str
    counts: tuple[Count, ...]
    factor: int = 1
    bytes_per_value: int = 1
    unit: Unit = VALUES
    rounding: Rounding | None = None
    arithmetic: Literal["exact", "int32"] = "exact"
    until: str = ""
    source: str = ""
    group: str = ""
    follows_dtype: bool = False

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise CnnmemError(f"convention {self.name!r} {problem}")

    @property
    def named_apart(self) -> bool:
        """Whether the unit does not say the name already: "parameters" is both."""
        return self.name.casefold() != self.unit.name.casefold()

    @property
    def measures(self) -> str:
        """What the total counts: "operations" or "memory" (parameters and values are stored)."""
        return "operations" if self.unit in (MACS, FLOPS, OPERATIONS) else "memory"

    def form(self, kind: str, functional: bool = False) -> Form:
        """Return how often each quantity counts for rows of a kind."""
        form: Form = {}
        for count in self.counts:
            if count.applies(kind, functional):
                form[count.quantity] = form.get(count.quantity, 0) + count.times
        return {quantity: times for quantity, times in form.items() if times}


def _problem(convention: Any) -> str:
    """Return what is wrong with a convention and how to fix it; "" if it is valid."""
    counts, unit = convention.counts, convention.unit
    if not (isinstance(counts, tuple) and counts and all(isinstance(c, Count) for c in counts)):
        return f"counts {counts!r}; give a tuple of Count, at least one"
    if not isinstance(unit, Unit):
        return f"is in {unit!r}; give a unit of cnnmem.units, such as units.MB"
    for field in ("factor", "bytes_per_value"):
        value = getattr(convention, field)
        if not is_int(value) or value < 1:
            return f"has {field} {value!r}; it must be a positive Python int"
    if convention.bytes_per_value != 1 and unit not in MEMORY:
        return (
            f"has bytes_per_value {convention.bytes_per_value} but counts in {unit}; "
            "give a unit of memory, or bytes_per_value=1"
        )
    for count in counts:
        if (count.quantity in DONE) != (convention.measures == "operations"):
            units = "MACS or FLOPS" if count.quantity in DONE else "VALUES, PARAMETERS or MB"
            return f"counts {count.quantity} in {unit}; give a unit such as units.{units}"
    if convention.arithmetic not in ("exact", "int32"):
        return f'has arithmetic {convention.arithmetic!r}; give "exact" or "int32"'
    if convention.arithmetic == "int32" and not all(is_int(count.times) for count in counts):
        return 'wraps fractions as integers; give times as ints, or arithmetic="exact"'
    return ""
