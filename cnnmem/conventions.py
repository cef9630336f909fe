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
from typing import TYPE_CHECKING, Literal

from .errors import CnnmemError, UnknownNameError
from .units import (
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
POOLING = ("max_pool", "avg_pool", "adaptive_avg_pool", "global_avg_pool", "global_max_pool")

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


Form = dict[str, int | Fraction]


@dataclass(frozen=True)
class Count:
    """A quantity that counts `times` for rows of certain kinds (no kinds: every kind).

    `where` is "modules" for tools that see only what is a module of its own in the framework's
    model, "functions" for the operations that are not.
    """

    quantity: str
    kinds: tuple[str, ...] = ()
    times: int | Fraction = 1
    where: Literal["", "modules", "functions"] = ""

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise UnknownNameError(
                f"no quantity is called {self.quantity!r}; there are {', '.join(QUANTITIES)}"
            )

    def applies(self, kind: str, functional: bool) -> bool:
        """Return whether rows of this kind count."""
        return (not self.kinds or kind in self.kinds) and (
            not self.where or functional == (self.where == "functions")
        )


@dataclass(frozen=True)
class Rounding:
    """Rounding before the sum ("row") or after it ("total") to significant digits."""

    digits: int
    of: Literal["row", "total"] = "row"


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
        if self.bytes_per_value != 1 and self.unit not in MEMORY:
            raise CnnmemError(
                f"convention {self.name!r} gives a value {self.bytes_per_value} bytes but counts "
                f"in {self.unit}; give a unit of memory, or bytes_per_value=1"
            )

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
        "what PyTorch keeps for backward on the CPU, every storage once, parameters left out",
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
ALL_MODULES = tuple(Count(q, where="modules") for q in ("values", "views", "overwrites"))
NO_IMAGE = (*CONVOLUTION, *POOLING, "linear", "batch_norm", "relu", "relu6", "sigmoid", "tanh",
            "softmax", "hardtanh", "silu", "hardswish", "hardsigmoid", "gelu", "dropout", "zero_pad",
            "add", "multiply", "concatenate", "flatten")  # fmt: skip


def _modules(name: str, title: str, factor: int, source: str) -> Convention:
    counts = tuple(Count(q, NO_IMAGE, where="modules") for q in ("values", "views", "overwrites"))
    return Convention(name, title, counts, factor, 4, MiB, source=source)


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
    Convention("tensors-mib", "the same in MiB", (Count("values"),), 1, 4, MiB),
    Convention("values", "the same, values instead of bytes", (Count("values"),)),
    Convention("weights", "weights without biases", (Count("weights"),), unit=PARAMETERS,
               source="CS231n notes on convolutional networks, the column of weights"),
    Convention("parameters", "learned parameters: weights and biases", LEARNED, unit=PARAMETERS),
    Convention("parameters-mb", "learned parameters in float32", LEARNED, 1, 4, MB),
    Convention("parameters-mib", "learned parameters in float32", LEARNED, 1, 4, MiB),
    Convention("parameters-rounded-mb", "parameters rounded to 3 digits, then x 4 bytes", LEARNED, 1, 4,
               MB, Rounding(3, "total"), source="blogs that start from 138M"),
    Convention("parameters-rounded-mib", "parameters rounded to 3 digits, then x 4 bytes", LEARNED, 1,
               4, MiB, Rounding(3, "total"), source="blogs that start from 138M"),
    Convention("keras-parameters", "parameters with running statistics", STORED, unit=PARAMETERS,
               source="keras.Model.summary"),
    Convention("keras-parameters-mib", "parameters with running statistics in float32", STORED, 1, 4,
               MiB, source="keras.Model.summary"),
    Convention("keras-parameters-int32", "parameters with statistics, added up in 32-bit integers",
               STORED, unit=PARAMETERS, arithmetic="int32",
               source="Keras up to 2.2 with NumPy 1 on Windows"),
    Convention("keras-outputs", "the outputs of all Keras layers, the image and flatten among them",
               (Count("values"), Count("views")), 1, 4, MiB,
               source="scripts that walk keras.Model.layers"),
    Convention("keras-memory", "all parameters and the outputs of all Keras layers",
               (*STORED, Count("values"), Count("views")), 1, 4, MiB,
               source="scripts that walk keras.Model.layers"),
    Convention("cs231n", "the image, convolutions, pools and linear layers, each rounded to 2 digits",
               (Count("values"),), 1, 4, MB, Rounding(2),
               source="CS231n notes on convolutional networks, the column of memory"),
    Convention("cs231n-values", "the same, values instead of bytes", (Count("values"),),
               rounding=Rounding(2), source="CS231n notes on convolutional networks"),
    Convention("torchinfo-memory", "twice the outputs of the layers that have parameters",
               tuple(Count(q, LEARNING) for q in ("values", "views", "overwrites")), 2, 4, MB,
               source='torchinfo 1.8, "Forward/backward pass size"'),
    _modules("torchsummary", "twice the outputs of all modules", 2,
             'torchsummary 1.5, "Forward/backward pass size (MB)"'),
    _modules("torchstat", "the outputs of all modules", 1, 'torchstat 0.0.7, "Total memory"'),
    Convention("caffe", "all tops, in-place ones again, the image not",
               tuple(Count(q, NO_IMAGE) for q in ("values", "views", "overwrites")), 1, 4, MB,
               source='Caffe, "Memory required for data"'),
    Convention("caffe-to-relu7", "all tops up to the second linear layer's ReLU",
               tuple(Count(q, NO_IMAGE) for q in ("values", "views", "overwrites")), 1, 4, MB,
               until="relu2", source="BVLC/caffe issue 3042, the log ends there"),
    autograd(),
    Convention("inference-peak", "the tensors alive at once when nothing is kept for backward",
               (Count("alive at the peak"),), 1, 4, MB, source="cnnmem.training.inference"),
    Convention("macs", "multiply-accumulates of convolutions and matrix products", EXACT, unit=MACS,
               source="half of torch.utils.flop_counter.FlopCounterMode"),
    Convention("convolution-macs", "multiply-accumulates of convolutions alone",
               (Count("macs", CONVOLUTION),), unit=MACS, source="arXiv 1704.04861, table 4"),
    Convention("flops", "the same, a multiplication and an addition counted apart", EXACT, 2,
               unit=FLOPS, source="torch.utils.flop_counter.FlopCounterMode"),
    Convention("ptflops-aten", "MACs and the biases of linear layers",
               (*EXACT, Count("bias additions", ("linear",))), unit=MACS,
               source="ptflops 0.7, backend aten"),
    Convention("ptflops-pytorch", "MACs, biases, BatchNorm twice a value, ReLU and pooling modules twice",
               (*EXACT, Count("bias additions", (*CONVOLUTION, "linear")),
                Count("outputs", ("batch_norm",), 2), Count("outputs", ("relu",), 2, "modules"),
                Count("outputs", ("relu",), 1, "functions"), Count("outputs", ("relu6",)),
                Count("inputs", POOLING, 2, "modules"), Count("inputs", POOLING, 1, "functions")),
               unit=MACS, source="ptflops 0.7, backend pytorch"),
    Convention("torchinfo-macs", "MACs, and an operation a bias and a parameter of BatchNorm",
               (*EXACT, Count("bias additions", (*CONVOLUTION, "linear")),
                Count("parameter uses", ("batch_norm",))), unit=MACS,
               source='torchinfo 1.8, "Total mult-adds"'),
    Convention("torchprofile", "MACs, BatchNorm once a value, average pooling once an output",
               (*EXACT, Count("outputs", ("batch_norm", "avg_pool", "adaptive_avg_pool"))),
               unit=MACS, source="torchprofile 0.0.4"),
    Convention("fvcore", 'MACs, BatchNorm twice a value, adaptive pooling once an input; printed as "flops"',
               (*EXACT, Count("outputs", ("batch_norm",), 2), Count("inputs", ("adaptive_avg_pool",))),
               unit=MACS, source="fvcore 0.1.5, FlopCountAnalysis"),
    Convention("thop", "MACs, BatchNorm four times a value, adaptive pooling",
               (*EXACT, Count("outputs", ("batch_norm",), 4, "modules"),
                Count("inputs", ("adaptive_avg_pool",), 1, "modules"),
                Count("outputs", ("adaptive_avg_pool",), 1, "modules")),
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
    if convention not in BY_NAME:
        raise UnknownNameError(
            f"no convention is called {convention!r}; there are {', '.join(BY_NAME)}"
        )
    return BY_NAME[convention]
