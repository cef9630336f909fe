"""What a total counts. A total without its convention is no number.

A convention is a linear form: for each kind of row, how often each quantity of the row counts.
Then come, always in this order, a factor, the bytes a value, and the unit it is printed in.

>>> from cnnmem import summary
>>> print(summary("vgg16").total("torchinfo-memory"))
108.45 MB, torchinfo-memory: twice the outputs of the layers that have parameters
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from cnnmem.errors import CnnmemError, look_up
from cnnmem.model.windows import is_int
from cnnmem.units import (
    FLOPS,
    MACS,
    MB,
    MEMORY,
    OPERATIONS,
    PARAMETERS,
    VALUES,
    MiB,
    Unit,
    bytes_per_value,
)

if TYPE_CHECKING:
    from .table import Row, Summary

CONVOLUTION = ("conv", "depthwise_conv", "separable_conv")
LEARNING = (*CONVOLUTION, "linear", "batch_norm")
TORCH_POOLING = ("max_pool", "avg_pool", "adaptive_avg_pool")

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
    "alive at the peak": ("tensors alive at the peak", lambda row, batch: 0),  # see `column`
}


# These are done, the others are stored: a total is of one or the other.
DONE = ("inputs", "outputs", "macs", "bias additions", "parameter uses")
OUTPUTS = ("values", "views", "overwrites")  # the output of a row, in whichever way it has one

Form = dict[str, int | Fraction]
Where = Literal["", "layers", "modules", "functions"]


@dataclass(frozen=True)
class Count:
    """A quantity that counts `times` for rows of certain kinds (no kinds: every kind).

    `where` is "layers" for all rows but the image, "modules" for tools that see only what is a
    module of its own in the framework's model, "functions" for the operations that are not.
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
    """Rounding before the sum ("row") or after it ("total") to significant digits."""

    digits: int
    of: Literal["row", "total"] = "row"

    def __post_init__(self) -> None:
        if not is_int(self.digits) or self.digits < 1:
            raise CnnmemError(f"digits is {self.digits!r}; it must be a whole number from 1 on")
        if self.of not in ("row", "total"):
            raise CnnmemError(f'of is {self.of!r}; give "row" or "total"')


@dataclass(frozen=True)
class Convention:
    """A way to add up a table: what is counted, x factor, x bytes a value, in a unit.

    `until` names the last row counted, where a tool's print-out stops early. `arithmetic` "int32"
    wraps each row and the sum as 32-bit integers do. `source` says whose convention it is.
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

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise CnnmemError(f"convention {self.name!r} {problem}")

    @property
    def measures(self) -> str:
        """What the total is of: "operations" or "memory" (parameters and values are stored)."""
        return "operations" if self.unit in (MACS, FLOPS, OPERATIONS) else "memory"

    def form(self, kind: str, functional: bool = False) -> Form:
        """Return how often each quantity counts for rows of a kind."""
        form: Form = {}
        for count in self.counts:
            if count.applies(kind, functional):
                form[count.quantity] = form.get(count.quantity, 0) + count.times
        return form


def _problem(convention: Any) -> str:
    """Return what makes a convention impossible, and the way out; nothing where it is possible."""
    counts, unit = convention.counts, convention.unit
    if not (isinstance(counts, tuple) and counts and all(isinstance(c, Count) for c in counts)):
        return f"counts {counts!r}; give a tuple of Count, at least one"
    if not isinstance(unit, Unit):
        return f"is in {unit!r}; give a unit of cnnmem.units, as units.MB"
    for field in ("factor", "bytes_per_value"):
        value = getattr(convention, field)
        if not is_int(value) or value < 1:
            return f"has {field} {value!r}; it must be a Python int from 1 on"
    if convention.bytes_per_value != 1 and unit not in MEMORY:
        return (
            f"gives a value {convention.bytes_per_value} bytes but counts in {unit}; "
            "give a unit of memory, or bytes_per_value=1"
        )
    for count in counts:
        if (count.quantity in DONE) != (convention.measures == "operations"):
            units = "MACS or FLOPS" if count.quantity in DONE else "VALUES, PARAMETERS or MB"
            return f"counts {count.quantity} in {unit}; give a unit such as units.{units}"
    if convention.arithmetic not in ("exact", "int32"):
        return f'has arithmetic {convention.arithmetic!r}; give "exact" or "int32"'
    if convention.arithmetic == "int32" and not all(is_int(count.times) for count in counts):
        return "wraps fractions as integers; count whole times, or with exact arithmetic"
    return ""


def column(summary: Summary, quantity: str) -> list[int]:
    """Return a quantity for each row of a table."""
    if quantity == "alive at the peak":
        from .training import alive_at_inference_peak

        return alive_at_inference_peak(summary)
    read = QUANTITIES[quantity][1]
    return [read(row, summary.batch) for row in summary.rows]


def autograd(dtype: str = "float32") -> Convention:
    """Return the convention of what PyTorch keeps for backward on the CPU, values of `dtype`.

    Indices take 8 bytes, whatever the dtype.
    """
    width = bytes_per_value(dtype)
    return Convention(
        "autograd" if dtype == "float32" else f"autograd-{dtype}",
        "what PyTorch keeps for backward on the CPU, every storage once, parameters left out; "
        + dtype,
        (
            Count("kept tensors"),
            Count("copies"),
            Count("masks"),
            Count("indices", times=8 // width),
            Count("batch statistics"),
        ),
        bytes_per_value=width,
        unit=MB,
        source="torch.autograd.graph.saved_tensors_hooks, PyTorch 2.13",
    )


LEARNED = (Count("weights"), Count("biases"))
STORED = (*LEARNED, Count("statistics"))
EXACT = (Count("macs"),)


def _outputs(kinds: tuple[str, ...] = (), where: Where = "") -> tuple[Count, ...]:
    return tuple(Count(quantity, kinds, where=where) for quantity in OUTPUTS)


TENSORS = Convention(
    "tensors",
    "the image and every newly produced tensor; in-place and view layers nothing; float32",
    (Count("values"),),
    bytes_per_value=4,
    unit=MB,
    source="cnnmem's own default",
)

PRESETS = (
    TENSORS,
    Convention("tensors-mib", "the image and every new tensor; float32", (Count("values"),), 1, 4,
               MiB),
    Convention("values", "values of the image and every new tensor", (Count("values"),)),
    Convention("weights", "weights without biases", (Count("weights"),), unit=PARAMETERS,
               source="CS231n notes on convolutional networks, the column of weights"),
    Convention("parameters", "learned parameters: weights and biases", LEARNED, unit=PARAMETERS),
    Convention("parameters-mb", "learned parameters in float32", LEARNED, 1, 4, MB),
    Convention("parameters-mib", "learned parameters in float32", LEARNED, 1, 4, MiB),
    Convention("parameters-rounded-mb", "parameters rounded to 3 digits, then x 4 bytes", LEARNED,
               1, 4, MB, Rounding(3, "total"), source="blogs that start from 138M"),
    Convention("parameters-rounded-mib", "parameters rounded to 3 digits, then x 4 bytes", LEARNED,
               1, 4, MiB, Rounding(3, "total"), source="blogs that start from 138M"),
    Convention("keras-parameters", "parameters with running statistics", STORED, unit=PARAMETERS,
               source="keras.Model.summary"),
    Convention("keras-parameters-mib", "parameters with running statistics in float32", STORED, 1,
               4, MiB, source="keras.Model.summary"),
    Convention("keras-parameters-int32", "parameters with statistics, added up in 32-bit integers",
               STORED, unit=PARAMETERS, arithmetic="int32",
               source="Keras up to 2.2 with NumPy 1 on Windows"),
    Convention("keras-outputs", "the outputs of all Keras layers, the image and flatten among them",
               (Count("values"), Count("views")), 1, 4, MiB,
               source="scripts that walk keras.Model.layers"),
    Convention("keras-memory", "all parameters and the outputs of all Keras layers",
               (*STORED, Count("values"), Count("views")), 1, 4, MiB,
               source="scripts that walk keras.Model.layers"),
    Convention("cs231n", "the image and each layer, rounded to 2 digits before the sum; float32",
               (Count("values"),), 1, 4, MB, Rounding(2),
               source="CS231n notes on convolutional networks, the column of memory"),
    Convention("cs231n-values", "values of the image and of each layer, rounded to 2 digits",
               (Count("values"),), rounding=Rounding(2),
               source="CS231n notes on convolutional networks"),
    Convention("torchinfo-memory", "twice the outputs of the layers that have parameters",
               _outputs(LEARNING), 2, 4, MB, source='torchinfo 1.8, "Forward/backward pass size"'),
    Convention("torchsummary", "twice the outputs of all modules", _outputs(where="modules"), 2, 4,
               MiB, source='torchsummary 1.5, "Forward/backward pass size (MB)"'),
    Convention("torchstat", "the outputs of all modules", _outputs(where="modules"), 1, 4, MiB,
               source='torchstat 0.0.7, "Total memory"'),
    Convention("caffe", "all tops, in-place ones again, the image not",
               _outputs(where="layers"), 1, 4, MB,
               source='Caffe, "Memory required for data"'),
    Convention("caffe-to-relu7", "all tops up to the second linear layer's ReLU",
               _outputs(where="layers"), 1, 4, MB,
               until="relu2", source="BVLC/caffe issue 3042, the log ends there"),
    autograd(),
    Convention("inference-peak", "the tensors alive at once when nothing is kept for backward",
               (Count("alive at the peak"),), 1, 4, MB, source="cnnmem.training.inference"),
    Convention("macs", "multiply-accumulates of convolutions and matrix products", EXACT, unit=MACS,
               source="half of torch.utils.flop_counter.FlopCounterMode"),
    Convention("convolution-macs", "multiply-accumulates of convolutions alone",
               (Count("macs", CONVOLUTION),), unit=MACS, source="arXiv 1704.04861, table 4"),
    Convention("flops", "FLOPs of convolutions and matrix products: 2 a multiply-accumulate", EXACT,
               2, unit=FLOPS, source="torch.utils.flop_counter.FlopCounterMode"),
    Convention("ptflops-aten", "MACs and biases",
               (*EXACT, Count("bias additions", (*CONVOLUTION, "linear"))), unit=MACS,
               source="ptflops 0.7, backend aten"),
    Convention("ptflops-pytorch", "MACs, biases, BatchNorm twice; ReLU and pooling modules twice",
               (*EXACT, Count("bias additions", (*CONVOLUTION, "linear")),
                Count("outputs", ("batch_norm",), 2), Count("outputs", ("relu",), 2, "modules"),
                Count("outputs", ("relu",), 1, "functions"),
                Count("outputs", ("relu6",), 1, "modules"),
                Count("outputs", ("gelu",), 2, "modules"),
                Count("outputs", ("gelu",), 1, "functions"), Count("outputs", ("silu", "softmax")),
                Count("inputs", TORCH_POOLING, 2, "modules"),
                Count("inputs", TORCH_POOLING, 1, "functions"),
                Count("inputs", ("global_max_pool",))),
               unit=MACS, source="ptflops 0.7, backend pytorch, one image whatever the batch"),
    Convention("torchinfo-macs", "MACs, and an operation a bias and a parameter of BatchNorm",
               (*EXACT, Count("bias additions", (*CONVOLUTION, "linear")),
                Count("parameter uses", ("batch_norm",))), unit=MACS,
               source='torchinfo 1.8, "Total mult-adds"'),
    Convention("torchprofile", "MACs, BatchNorm once a value, average pooling once an output",
               (*EXACT, Count("outputs", ("batch_norm", "avg_pool", "adaptive_avg_pool",
                                          "global_avg_pool", "multiply"))),
               unit=MACS, source="torchprofile 0.0.4 and 0.1.0"),
    Convention("fvcore", 'MACs, BatchNorm twice, adaptive pooling an input; printed as "flops"',
               (*EXACT, Count("outputs", ("batch_norm",), 2),
                Count("inputs", ("adaptive_avg_pool",))),
               unit=MACS, source="fvcore 0.1.5, FlopCountAnalysis"),
    Convention("thop", "MACs, BatchNorm four times a value, average pooling",
               (*EXACT, Count("outputs", ("batch_norm",), 4, "modules"),
                Count("inputs", ("adaptive_avg_pool",), 1, "modules"),
                Count("outputs", ("adaptive_avg_pool", "avg_pool"), 1, "modules")),
               unit=MACS, source="thop 0.1.1, profile"),
)  # fmt: skip

BY_NAME = {convention.name: convention for convention in PRESETS}


def get(convention: Convention | str) -> Convention:
    """Return a preset by its name; a `Convention` comes back as it is.

    >>> get("parameters").unit.name
    'parameters'
    """
    if isinstance(convention, Convention):
        return convention
    return look_up("convention", convention, BY_NAME)
