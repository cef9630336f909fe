"""The named conventions. A total means nothing without its convention.

A new convention is one entry of `PRESETS`; the explorers, the command line and lesson 08 offer it
under its `group`.

>>> from cnnmem import summary
>>> print(summary("vgg16").total("torchinfo-memory"))
108.45 MB, torchinfo-memory: twice the outputs of the layers that have parameters
"""

from __future__ import annotations

from dataclasses import replace

from cnnmem.errors import look_up
from cnnmem.units import MACS, MB, PARAMETERS, MiB, bytes_per_value

from .convention import OUTPUTS, QUANTITIES, Convention, Count, Rounding, Where
from .tools import CONVOLUTION, MULTIPLY_ACCUMULATES, TOOLS

__all__ = [
    "BY_NAME",
    "CONVOLUTION",
    "PRESETS",
    "QUANTITIES",
    "TENSORS",
    "Convention",
    "Count",
    "Rounding",
    "autograd",
    "get",
    "groups",
]

LEARNING = (*CONVOLUTION, "linear", "batch_norm")
NORMALISATIONS = ("batch_norm", "layer_norm", "group_norm", "instance_norm")
VALUES = (Count("values"),)
LEARNED = (Count("weights"), Count("biases"))
STORED = (*LEARNED, Count("statistics"))


def _outputs(kinds: tuple[str, ...] = (), where: Where = "") -> tuple[Count, ...]:
    return tuple(Count(quantity, kinds, where=where) for quantity in OUTPUTS)


def autograd(dtype: str = "float32") -> Convention:
    """Return the convention for what PyTorch keeps for backward on the CPU, in `dtype`.

    Pool indices are int64 and take 8 bytes, whatever the dtype.
    """
    width = bytes_per_value(dtype)
    return Convention(
        name="autograd" if dtype == "float32" else f"autograd-{dtype}",
        title="what PyTorch keeps for backward on the CPU, every storage once, "
        f"parameters left out; {dtype}",
        counts=(
            Count("kept tensors"),
            Count("copies"),
            Count("masks"),
            Count("indices", times=8 // width),
            Count("batch statistics"),
        ),
        bytes_per_value=width,
        unit=MB,
        source="torch.autograd.graph.saved_tensors_hooks, PyTorch 2.13",
        group="kept for backward",
    )


TENSORS = Convention(
    name="tensors",
    title="the image and every newly produced tensor; in-place and view layers nothing; float32",
    counts=VALUES,
    bytes_per_value=4,
    follows_dtype=True,
    unit=MB,
    source="cnnmem's own default",
    group="feature maps",
)

# An explorer starts with the first of its group.
PRESETS = (
    Convention(
        name="parameters",
        title="learned weights and biases",
        counts=LEARNED,
        unit=PARAMETERS,
        group="parameters",
    ),
    Convention(
        name="weights",
        title="weights without biases",
        counts=(Count("weights"),),
        unit=PARAMETERS,
        source="CS231n notes on convolutional networks, the column of weights",
        group="parameters",
    ),
    Convention(
        name="parameters-without-norm",
        title="learned parameters, without the scale and shift of normalisations",
        counts=(*LEARNED, *(Count(of, NORMALISATIONS, times=-1) for of in ("weights", "biases"))),
        unit=PARAMETERS,
        source="tables of MobileNetV2's authors (tensorflow/models, research/slim)",
        group="parameters",
    ),
    Convention(
        name="keras-parameters",
        title="parameters with running statistics",
        counts=STORED,
        unit=PARAMETERS,
        source="keras.Model.summary",
        group="parameters",
    ),
    Convention(
        name="keras-parameters-int32",
        title="parameters with statistics, added up in 32-bit integers",
        counts=STORED,
        unit=PARAMETERS,
        arithmetic="int32",
        source="Keras up to 2.2 with NumPy 1 on Windows",
        group="parameters",
    ),
    Convention(
        name="parameters-mb",
        title="learned parameters in float32",
        counts=LEARNED,
        bytes_per_value=4,
        follows_dtype=True,
        unit=MB,
        group="parameters",
    ),
    Convention(
        name="parameters-mib",
        title="learned parameters in float32",
        counts=LEARNED,
        bytes_per_value=4,
        follows_dtype=True,
        unit=MiB,
        group="parameters",
    ),
    Convention(
        name="parameters-rounded-mb",
        title="parameters rounded to 3 digits, then x 4 bytes",
        counts=LEARNED,
        bytes_per_value=4,
        unit=MB,
        rounding=Rounding(3, "total"),
        source="blogs that start from 138M",
        group="parameters",
    ),
    Convention(
        name="parameters-rounded-mib",
        title="parameters rounded to 3 digits, then x 4 bytes",
        counts=LEARNED,
        bytes_per_value=4,
        unit=MiB,
        rounding=Rounding(3, "total"),
        source="blogs that start from 138M",
        group="parameters",
    ),
    Convention(
        name="keras-parameters-mib",
        title="parameters with running statistics in float32",
        counts=STORED,
        bytes_per_value=4,
        follows_dtype=True,
        unit=MiB,
        source="keras.Model.summary",
        group="parameters",
    ),
    TENSORS,
    Convention(
        name="tensors-mib",
        title="the image and every new tensor; float32",
        counts=VALUES,
        bytes_per_value=4,
        follows_dtype=True,
        unit=MiB,
        group="feature maps",
    ),
    Convention(
        name="values",
        title="values of the image and every new tensor",
        counts=VALUES,
        group="feature maps",
    ),
    Convention(
        name="cs231n",
        title="the image and each layer, rounded to 2 digits before the sum; float32",
        counts=VALUES,
        bytes_per_value=4,
        unit=MB,
        rounding=Rounding(2),
        source="CS231n notes on convolutional networks, the column of memory",
        group="feature maps",
    ),
    Convention(
        name="cs231n-values",
        title="values of the image and of each layer, rounded to 2 digits",
        counts=VALUES,
        rounding=Rounding(2),
        source="CS231n notes on convolutional networks",
        group="feature maps",
    ),
    Convention(
        name="keras-outputs",
        title="the outputs of all Keras layers, the image and flatten among them",
        counts=(*VALUES, Count("views")),
        bytes_per_value=4,
        follows_dtype=True,
        unit=MiB,
        source="scripts that walk keras.Model.layers",
        group="feature maps",
    ),
    Convention(
        name="torchinfo-memory",
        title="twice the outputs of the layers that have parameters",
        counts=_outputs(LEARNING),
        factor=2,
        bytes_per_value=4,
        unit=MB,
        source='torchinfo 1.8, "Forward/backward pass size"',
        group="feature maps",
    ),
    Convention(
        name="torchsummary",
        title="twice the outputs of all modules",
        counts=_outputs(where="modules"),
        factor=2,
        bytes_per_value=4,
        unit=MiB,
        source='torchsummary 1.5, "Forward/backward pass size (MB)"',
        group="feature maps",
    ),
    Convention(
        name="torchstat",
        title="the outputs of all modules",
        counts=_outputs(where="modules"),
        bytes_per_value=4,
        unit=MiB,
        source='torchstat 0.0.7, "Total memory"',
        group="feature maps",
    ),
    Convention(
        name="caffe",
        title="all tops, in-place ones again, the image not",
        counts=_outputs(where="layers"),
        bytes_per_value=4,
        unit=MB,
        source='Caffe, "Memory required for data"',
        group="feature maps",
    ),
    Convention(
        name="caffe-to-relu7",
        title="all tops up to the second linear layer's ReLU",
        counts=_outputs(where="layers"),
        bytes_per_value=4,
        unit=MB,
        until="relu2",
        source="BVLC/caffe issue 3042, whose log ends there",
    ),
    Convention(
        name="inference-peak",
        title="the tensors alive at once when nothing is kept for backward",
        counts=(Count("alive at the peak"),),
        bytes_per_value=4,
        follows_dtype=True,
        unit=MB,
        source="cnnmem.training.inference",
        group="feature maps",
    ),
    autograd(),
    Convention(
        name="keras-memory",
        title="all parameters and the outputs of all Keras layers",
        counts=(*STORED, *VALUES, Count("views")),
        bytes_per_value=4,
        follows_dtype=True,
        unit=MiB,
        source="scripts that walk keras.Model.layers",
        group="parameters and feature maps",
    ),
    Convention(
        name="macs",
        title="multiply-accumulates of convolutions and matrix products",
        counts=MULTIPLY_ACCUMULATES,
        unit=MACS,
        source="half of torch.utils.flop_counter.FlopCounterMode",
        group="MACs",
    ),
    Convention(
        name="convolution-macs",
        title="multiply-accumulates of convolutions only",
        counts=(Count("macs", CONVOLUTION),),
        unit=MACS,
        source="arXiv 1704.04861, table 4",
        group="MACs",
    ),
    *(tool.convention for tool in TOOLS.values()),
)

BY_NAME = {convention.name: convention for convention in PRESETS}


def get(convention: Convention | str, dtype: str = "float32") -> Convention:
    """Return a preset by its name, or the `Convention` given; for a table of this `dtype`.

    >>> get("parameters").unit.name
    'parameters'
    >>> get("parameters-mb", "float16").title
    'learned parameters in float16'
    """
    found = convention
    if not isinstance(found, Convention):
        found = look_up("convention", found, BY_NAME)
    if dtype == "float32":
        return found
    if found == BY_NAME["autograd"]:
        return autograd(dtype)
    if not found.follows_dtype:
        return found
    title = found.title.replace("float32", dtype)
    title += f"; {dtype}" * (title == found.title)
    return replace(found, title=title, bytes_per_value=bytes_per_value(dtype), follows_dtype=False)


def groups() -> dict[str, tuple[str, ...]]:
    """Return the names of the conventions by group, in the order in which they are listed.

    >>> list(groups())
    ['parameters', 'feature maps', 'kept for backward', 'parameters and feature maps', 'MACs']
    >>> groups()["MACs"][:2]
    ('macs', 'convolution-macs')
    """
    found: dict[str, tuple[str, ...]] = {}
    for convention in PRESETS:
        if convention.group:  # one that stops at a row of one network has no group
            found[convention.group] = (*found.get(convention.group, ()), convention.name)
    return found
