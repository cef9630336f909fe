"""What a convention is: a way to add up a table.

A convention is a linear form: for each kind of row, how often each quantity of the row counts.
Then come, always in this order, a factor, the bytes per value, and the unit it is printed in.
The named conventions are in `conventions` and `tools`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

from cnnmem.checks import is_int
from cnnmem.errors import CnnmemError, look_up
from cnnmem.model.kinds import check_kind
from cnnmem.model.network import INPUT, Call
from cnnmem.units import FLOPS, MACS, MEMORY, OPERATIONS, VALUES, Unit

from .calls import Caller
from .table import Row


def _bias_additions(row: Row, call: Call) -> int:
    # a layer that is called again has its parameters in the row of its first call
    repeated = "bias" in call.facts and not row.params
    return row.outputs if row.biases or repeated else 0


def _parameters(row: Row, call: Call) -> int:
    """Return the parameters that are called weight and bias."""
    if "parameters" not in call.facts:
        return 0
    return row.params if row.params and "other parameters" not in call.facts else call.params


def _calls(row: Row, call: Call, batch: int) -> int:
    """Return the length of the output's first axis: a batch may have been parted into windows."""
    return batch * (row.output[0] if "regrouped" in call.facts else 1)


def _macs_of_outputs(row: Row) -> int:
    """Return the MACs of a transposed convolution as if each output used all of a filter."""
    if row.kind != "conv_transpose" or not row.macs:
        return row.macs
    # as many values a channel as the output has, in place of as many as the input has
    return row.macs * (row.outputs // row.output[-1]) // (row.input_values // row.inputs[0][-1])


def _macs_without_groups(row: Row, call: Call) -> int:
    """Return the same, and the groups forgotten where the numbers of channels differ."""
    differ = row.inputs and row.inputs[0][-1] != row.output[-1]
    return _macs_of_outputs(row) * (call.groups if differ else 1)


def _adaptive_windows(row: Row) -> int:
    """Return the input values an output of an adaptive pool, as thop has them: as doubles."""
    if not row.inputs:
        return 0
    sides = zip(row.inputs[0][:-1], row.output[:-1], strict=False)
    window = math.prod(float(n) / float(to) for n, to in sides)
    return int((window + 1) * row.outputs) - row.outputs


# A quantity is a number that each row has; `batch` is the number of images.
QUANTITIES: dict[str, tuple[str, Callable[[Row, Call, int], int]]] = {
    "weights": ("weights", lambda row, call, batch: row.weights),
    "biases": ("biases", lambda row, call, batch: row.biases),
    "statistics": ("running statistics", lambda row, call, batch: row.statistics),
    "values": ("new tensors", lambda row, call, batch: row.values),
    "views": ("views", lambda row, call, batch: row.views),
    "overwrites": ("in-place outputs", lambda row, call, batch: row.overwrites),
    "inputs": ("an operation an input value", lambda row, call, batch: row.input_values),
    "adaptive windows": (
        "an operation an input value",
        lambda row, call, batch: _adaptive_windows(row),
    ),
    "outputs": ("an operation an output value", lambda row, call, batch: row.outputs),
    "macs": ("multiply-accumulates", lambda row, call, batch: row.macs),
    "macs of outputs": (
        "multiply-accumulates a position of the output",
        lambda row, call, batch: _macs_of_outputs(row),
    ),
    "macs without groups": (
        "multiply-accumulates a position of the output, groups ignored",
        lambda row, call, batch: _macs_without_groups(row, call),
    ),
    "bias additions": ("bias additions", lambda row, call, batch: _bias_additions(row, call)),
    "parameter uses": (
        "an operation a parameter",
        lambda row, call, batch: _parameters(row, call) * _calls(row, call, batch),
    ),
    "step parameters": (
        "an operation a parameter and step",
        lambda row, call, batch: _parameters(row, call) * row.output[0] * batch,
    ),
    "vectors": ("vectors", lambda row, call, batch: row.outputs // max(1, row.output[-1])),
    "kept tensors": ("tensors kept for backward", lambda row, call, batch: row.kept_values),
    "copies": ("copies kept for backward", lambda row, call, batch: row.copies),
    "masks": ("dropout masks", lambda row, call, batch: row.masks),
    "indices": ("pool indices (int64)", lambda row, call, batch: row.indices),
    "batch statistics": ("statistics of the batch", lambda row, call, batch: row.batch_statistics),
    "alive at the peak": (
        "tensors alive at the peak",
        lambda row, call, batch: 0,
    ),  # see `totals.column`
}


# These are operations, the others are stored values: a total counts one or the other.
DONE = (
    *("inputs", "outputs", "macs", "macs of outputs", "macs without groups", "bias additions"),
    *("parameter uses", "step parameters", "vectors", "adaptive windows"),
)
OUTPUTS = ("values", "views", "overwrites")  # a row has its output in one of these

Form = dict[str, int | Fraction]
Where = Literal["", "layers", "modules", "last calls", "classes", "functions"]
NO_CALLS = (INPUT, "unused")


def _matches(rule: Count | Outside, caller: Caller) -> bool:
    """Return whether a rule's `kinds`, `where` and `when` hold for a row."""
    where, when = rule.where, rule.when
    if rule.kinds and caller.kind not in rule.kinds:
        return False
    if when and (when.removeprefix("not ") in caller.facts) == when.startswith("not "):
        return False
    if not where:
        return True
    if where == "functions":
        return caller.functional
    if where == "layers":
        return caller.kind != INPUT
    if caller.kind in NO_CALLS or caller.functional or "children" in caller.facts:
        return False
    if where == "last calls":
        return "called again" not in caller.facts
    return where == "modules" or "class" in caller.facts


@dataclass(frozen=True)
class Count:
    """A quantity, counted `times` times for rows of certain kinds (no kinds: every kind).

    `where` is "layers" for all rows but the image, "modules" for the rows that are modules of the
    framework's model and have no children (some tools see no others), "last calls" for the last
    call of each of these, "classes" for those whose class is torch's own, and "functions" for the
    operations that are not modules. `when` names a fact of `cnnmem.model.network.Call` that must
    hold, or, after "not ", must not.
    """

    quantity: str
    kinds: tuple[str, ...] = ()
    times: int | Fraction = 1
    where: Where = ""
    when: str = ""

    def __post_init__(self) -> None:
        look_up("quantity", self.quantity, QUANTITIES)
        _check_kinds(self.kinds)
        if not (is_int(self.times) or isinstance(self.times, Fraction)):
            raise CnnmemError(f"times is {self.times!r}; give an int or a Fraction: both are exact")
        if self.where not in get_args(Where):
            raise CnnmemError(
                f'where is {self.where!r}; give "layers", "modules", "last calls", "classes", '
                '"functions" or nothing'
            )

    def applies(self, caller: Caller) -> bool:
        """Return whether rows that were called like this count."""
        return _matches(self, caller)


def _check_kinds(kinds: object) -> None:
    if isinstance(kinds, str):
        raise CnnmemError(f"kinds is {kinds!r}; give a tuple of kinds: ({kinds!r},)")
    if not isinstance(kinds, tuple):
        raise CnnmemError(f"kinds is {kinds!r}; give a tuple of kinds, () for every kind")
    for kind in kinds:
        check_kind(kind)


@dataclass(frozen=True)
class Outside:
    """Rows that a tool counts in a way that a table does not tell: those of certain kinds.

    No kinds: every kind but those in `other_than`. `where` and `when` are those of `Count`.
    """

    kinds: tuple[str, ...] = ()
    where: Where = ""
    when: str = ""
    other_than: frozenset[str] = frozenset()

    def applies(self, caller: Caller) -> bool:
        """Return whether rows that were called like this are outside."""
        if caller.kind in NO_CALLS or caller.kind in self.other_than:
            return False
        return _matches(self, caller)


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
    `bytes_per_value` is that of float32 and gives way to the dtype of a table. `outside` are the
    rows for which the total is not what the source prints.
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
    outside: tuple[Outside, ...] = ()

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

    def form(self, caller: Caller) -> Form:
        """Return how often each quantity counts for rows that were called like this."""
        form: Form = {}
        for count in self.counts:
            if count.applies(caller):
                form[count.quantity] = form.get(count.quantity, 0) + count.times
        return {quantity: times for quantity, times in form.items() if times}

    def leaves_out(self, caller: Caller) -> bool:
        """Return whether rows that were called like this are outside the convention."""
        return any(outside.applies(caller) for outside in self.outside)


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
    if not all(isinstance(each, Outside) for each in convention.outside):
        return f"has outside {convention.outside!r}; give a tuple of Outside"
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
