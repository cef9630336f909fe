"""One layer: its output shape, its parameters, its MACs and what its backward keeps.

Shapes are of one image, without the batch: `(H, W, C)` for a feature map, `(C,)` for a vector.
Every formula is plain arithmetic, so that `explain` can run the same line on `formula.Named`
numbers and show it. Sources: the formulas of convolution arithmetic are those of Dumoulin and
Visin, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285), and of the
documentation of the frameworks; what backward keeps was read off PyTorch 2.13 on the CPU with
`torch.autograd.graph.saved_tensors_hooks` and is tested against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from .errors import ShapeError, look_up
from .formula import exact_div
from .windows import (
    Padding,
    Pair,
    Quad,
    Window,
    as_window,
    copied_for_padding,
    pad_sides,
    pair,
    positive,
    quad,
    shape_text,
    window_output,
)

Shape = tuple[int, ...]


class Kept(NamedTuple):
    """What a layer's backward keeps of one image, parameters left out.

    `inputs` and `output` name whole tensors, kept once however many layers ask for them.
    The rest belongs to the layer alone: `indices` are int64, `copies`, `masks` and `statistics`
    values of the network's dtype. `statistics` (the batch's mean and inverse deviation) are not per
    image.
    """

    inputs: bool = False
    output: bool = False
    copies: int = 0
    masks: int = 0
    indices: int = 0
    statistics: int = 0


NOTHING = Kept()
ITS_INPUT = Kept(inputs=True)
ITS_OUTPUT = Kept(output=True)


# How a constructor writes a field with one, two or four symbols, whichever way it was given.
NORMAL: dict[int, Callable[[str, object], Any]] = {1: positive, 2: pair, 4: quad}


@dataclass(frozen=True)
class Layer:
    """What every layer answers; the defaults are those of a layer that passes a shape through."""

    kind: ClassVar[str]
    arity: ClassVar[tuple[int, int | None]] = (1, 1)  # how many inputs: least, most
    symbols: ClassVar[dict[str, str | tuple[str, ...]]] = {}  # the textbook names of the fields
    view: ClassVar[bool] = False  # the output is the input's storage, unchanged
    in_place = False  # the output overwrites the input's storage; a field where there is a choice

    def __post_init__(self) -> None:
        """Write the fields that have symbols as ints, pairs and sides; raise for nonsense."""
        for field, symbol in self.symbols.items():
            normal = NORMAL[1 if isinstance(symbol, str) else len(symbol)]
            object.__setattr__(self, field, normal(field, getattr(self, field)))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the output; raise `ShapeError` where there can be none."""
        return inputs[0]

    def weights(self, *inputs: Shape) -> int:
        """Return the number of learned weights."""
        return 0

    def biases(self, *inputs: Shape) -> int:
        """Return the number of learned biases (BatchNorm: its shift)."""
        return 0

    def statistics(self, *inputs: Shape) -> int:
        """Return the number of running statistics, which are stored but not learned."""
        return 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        """Return the multiply-accumulates of one image: convolutions and matrix products alone."""
        return 0

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        """Return what backward keeps of one image in training."""
        return NOTHING


def _feature_map(shape: Shape, what: str) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ShapeError(
            f"{what} needs a feature map (H, W, C), not the vector {shape_text(shape)}; "
            "put it before the flattening"
        )
    return shape


@dataclass(frozen=True)
class Conv2d(Layer):
    """A convolution with `out_channels` filters.

    `kernel`, `stride` and `dilation` are a number or a pair (height, width); `padding` is a number,
    a pair, (top, bottom, left, right), "same" or "valid". "same" gives H_out = ⌈H / stride⌉ and
    pads the odd pixel at the bottom and right, as Keras does.

    >>> conv = Conv2d(64, 3, padding=1)
    >>> conv.output_shape((224, 224, 3)), conv.weights((224, 224, 3)), conv.biases()
    ((224, 224, 64), 1728, 64)
    """

    out_channels: int
    kernel: int | Pair
    stride: int | Pair = 1
    padding: Padding = 0
    dilation: int | Pair = 1
    groups: int = 1
    bias: bool = True

    kind: ClassVar[str] = "conv"
    symbols: ClassVar[dict[str, str | tuple[str, ...]]] = {
        "out_channels": "C_out",
        "kernel": ("K_h", "K_w"),
        "stride": ("S_h", "S_w"),
        "padding": ("P_top", "P_bottom", "P_left", "P_right"),
        "dilation": ("D_h", "D_w"),
        "groups": "G",
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.out_channels % self.groups:
            raise ShapeError(
                f"groups {self.groups} does not divide out_channels {self.out_channels}; "
                "both channel counts must be multiples of groups"
            )

    def output_shape(self, *inputs: Shape) -> Shape:
        h, w, c = _feature_map(inputs[0], "a convolution")
        if c % self.groups:
            raise ShapeError(
                f"groups {self.groups} does not divide the {c} input channels; "
                "both channel counts must be multiples of groups"
            )
        return (*window_output(as_window(self), h, w), self.out_channels)

    def weights(self, *inputs: Shape) -> int:
        k_h, k_w = as_window(self).kernel
        return k_h * k_w * _share(inputs[0][-1], self.groups) * self.out_channels

    def biases(self, *inputs: Shape) -> int:
        return self.out_channels if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        k_h, k_w = as_window(self).kernel
        h_out, w_out, c_out = output
        return k_h * k_w * _share(inputs[0][-1], self.groups) * c_out * h_out * w_out

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return _keeps_padded(as_window(self), inputs[0])


def _share(channels: int, groups: int) -> int:
    """Return the input channels that one filter sees."""
    return channels if groups == 1 else exact_div(channels, groups)


def _keeps_padded(layer: Window, shape: Shape) -> Kept:
    """The input is kept, or its padded copy where the padding is not the same on both sides."""
    copies = copied_for_padding(layer, shape)
    return Kept(copies=copies) if copies else ITS_INPUT


@dataclass(frozen=True)
class DepthwiseConv2d(Layer):
    """A convolution that gives each input channel `multiplier` filters of its own.

    It is `Conv2d` with groups = C_in and C_out = C_in · multiplier.

    >>> DepthwiseConv2d(3, padding=1, bias=False).weights((112, 112, 32))
    288
    """

    kernel: int | Pair
    stride: int | Pair = 1
    padding: Padding = 0
    dilation: int | Pair = 1
    multiplier: int = 1
    bias: bool = True

    kind: ClassVar[str] = "depthwise_conv"
    symbols: ClassVar[dict[str, str | tuple[str, ...]]] = {
        **{field: Conv2d.symbols[field] for field in ("kernel", "stride", "padding", "dilation")},
        "multiplier": "M",
    }

    def output_shape(self, *inputs: Shape) -> Shape:
        h, w, c = _feature_map(inputs[0], "a depthwise convolution")
        return (*window_output(as_window(self), h, w), c * self.multiplier)

    def weights(self, *inputs: Shape) -> int:
        k_h, k_w = as_window(self).kernel
        return k_h * k_w * inputs[0][-1] * self.multiplier

    def biases(self, *inputs: Shape) -> int:
        return inputs[0][-1] * self.multiplier if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        k_h, k_w = as_window(self).kernel
        h_out, w_out, c_out = output
        return k_h * k_w * c_out * h_out * w_out

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return _keeps_padded(as_window(self), inputs[0])


@dataclass(frozen=True)
class SeparableConv2d(DepthwiseConv2d):
    """A depthwise convolution and a 1x1 convolution as one layer, as in Keras.

    Only the second has a bias. The map between the two is no layer's output, but backward keeps it.

    >>> SeparableConv2d(3, padding=1, out_channels=64).weights((112, 112, 32))
    2336
    """

    out_channels: int = 1

    kind: ClassVar[str] = "separable_conv"
    symbols: ClassVar[dict[str, str | tuple[str, ...]]] = {
        **DepthwiseConv2d.symbols,
        "out_channels": "C_out",
    }

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*super().output_shape(*inputs)[:2], self.out_channels)

    def weights(self, *inputs: Shape) -> int:
        between = inputs[0][-1] * self.multiplier
        return super().weights(*inputs) + between * self.out_channels

    def biases(self, *inputs: Shape) -> int:
        return self.out_channels if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        h_out, w_out, c_out = output
        k_h, k_w = as_window(self).kernel
        between = inputs[0][-1] * self.multiplier
        return (k_h * k_w + c_out) * between * h_out * w_out

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        kept = super().keeps(output, *inputs)
        between = output[0] * output[1] * inputs[0][-1] * self.multiplier
        return kept._replace(copies=kept.copies + between)


@dataclass(frozen=True)
class Linear(Layer):
    """A linear layer; a feature map is flattened first, as the textbooks do silently.

    >>> Linear(4096).weights((7, 7, 512))
    102760448
    """

    out_features: int
    bias: bool = True

    kind: ClassVar[str] = "linear"
    symbols: ClassVar[dict[str, str | tuple[str, ...]]] = {"out_features": "D_out"}

    def output_shape(self, *inputs: Shape) -> Shape:
        return (self.out_features,)

    def weights(self, *inputs: Shape) -> int:
        return math.prod(inputs[0]) * self.out_features

    def biases(self, *inputs: Shape) -> int:
        return self.out_features if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return math.prod(inputs[0]) * self.out_features

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return ITS_INPUT


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalisation over the channels: a scale and a shift learned, two statistics stored.

    `scale=False` or `center=False` leave the learned half out, as Keras can.

    >>> norm = BatchNorm()
    >>> norm.weights((56, 56, 64)), norm.biases((56, 56, 64)), norm.statistics((56, 56, 64))
    (64, 64, 128)
    """

    scale: bool = True
    center: bool = True

    kind: ClassVar[str] = "batch_norm"

    def weights(self, *inputs: Shape) -> int:
        return inputs[0][-1] if self.scale else 0

    def biases(self, *inputs: Shape) -> int:
        return inputs[0][-1] if self.center else 0

    def statistics(self, *inputs: Shape) -> int:
        return 2 * inputs[0][-1]

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(inputs=True, statistics=2 * inputs[0][-1])


# What the backward of an activation reads, and whether PyTorch offers it in place.
ACTIVATIONS: dict[str, tuple[Kept, bool]] = {
    "relu": (ITS_OUTPUT, True),
    "sigmoid": (ITS_OUTPUT, True),
    "tanh": (ITS_OUTPUT, True),
    "softmax": (ITS_OUTPUT, False),
    "relu6": (ITS_INPUT, True),
    "hardtanh": (ITS_INPUT, True),
    "silu": (ITS_INPUT, True),
    "hardswish": (ITS_INPUT, True),
    "hardsigmoid": (ITS_INPUT, True),
    "gelu": (ITS_INPUT, False),
}


def has_in_place(function: str) -> bool:
    """Return whether PyTorch has an in-place form of an activation."""
    return look_up("activation", function, ACTIVATIONS)[1]


@dataclass(frozen=True)
class Activation(Layer):
    """A function of each value (softmax: of each vector of channels).

    In place, a function whose backward reads its output keeps no more than that output; one whose
    backward reads its input copies the input first.

    >>> Activation("relu").keeps((8,), (8,))
    Kept(inputs=False, output=True, copies=0, masks=0, indices=0, statistics=0)
    >>> Activation("relu6", in_place=True).keeps((8,), (8,)).copies
    8
    """

    function: str
    in_place: bool = False

    def __post_init__(self) -> None:
        if not has_in_place(self.function) and self.in_place:
            raise ShapeError(f"{self.function} has no in-place form; leave in_place out")

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.function

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        kept = ACTIVATIONS[self.function][0]
        if self.in_place and kept.inputs:
            return Kept(copies=math.prod(output))
        return kept


def ReLU(in_place: bool = False) -> Activation:
    """Return max(0, x) as a layer."""
    return Activation("relu", in_place)


def ReLU6(in_place: bool = False) -> Activation:
    """Return min(max(0, x), 6) as a layer."""
    return Activation("relu6", in_place)


def Softmax() -> Activation:
    """Return the softmax over the channels as a layer."""
    return Activation("softmax")


@dataclass(frozen=True)
class _Pool2d(Layer):
    kernel: int | Pair
    stride: int | Pair | None = None
    padding: Padding = 0
    dilation: int | Pair = 1
    ceil_mode: bool = False

    symbols: ClassVar[dict[str, str | tuple[str, ...]]] = {
        field: Conv2d.symbols[field] for field in ("kernel", "stride", "padding", "dilation")
    }

    def __post_init__(self) -> None:
        if self.stride is None:
            object.__setattr__(self, "stride", self.kernel)
        super().__post_init__()
        k_h, k_w = as_window(self).kernel
        top, bottom, left, right = pad_sides(self.padding) or (0, 0, 0, 0)
        if 2 * max(top, bottom) > k_h or 2 * max(left, right) > k_w:
            raise ShapeError(
                f"padding {self.padding} is more than half of the pool's kernel {self.kernel}; "
                "a window would lie outside the map: pad with ZeroPad2d"
            )

    def output_shape(self, *inputs: Shape) -> Shape:
        h, w, c = _feature_map(inputs[0], "pooling")
        return (*window_output(as_window(self), h, w), c)


@dataclass(frozen=True)
class MaxPool2d(_Pool2d):
    """Max pooling; the stride is the kernel unless given.

    Backward keeps the input and, per output value, the int64 index of the largest value.

    >>> MaxPool2d(3, 2, ceil_mode=True).output_shape((112, 112, 64))
    (56, 56, 64)
    """

    kind: ClassVar[str] = "max_pool"

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return _keeps_padded(as_window(self), inputs[0])._replace(indices=math.prod(output))


@dataclass(frozen=True)
class AvgPool2d(_Pool2d):
    """Average pooling; the stride is the kernel unless given.

    >>> AvgPool2d(2).output_shape((56, 56, 128))
    (28, 28, 128)
    """

    kind: ClassVar[str] = "avg_pool"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dilation != (1, 1):
            raise ShapeError(
                f"average pooling knows no dilation ({self.dilation}); leave dilation out"
            )

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return _keeps_padded(as_window(self), inputs[0])


@dataclass(frozen=True)
class AdaptiveAvgPool2d(Layer):
    """Average pooling to a map of the given size, whatever comes in.

    To 1x1 it is a mean, whose backward keeps nothing.

    >>> AdaptiveAvgPool2d(7).output_shape((32, 32, 512))
    (7, 7, 512)
    """

    size: int | Pair

    kind: ClassVar[str] = "adaptive_avg_pool"
    symbols: ClassVar[dict[str, str | tuple[str, ...]]] = {"size": ("H_out", "W_out")}

    def output_shape(self, *inputs: Shape) -> Shape:
        _, _, c = _feature_map(inputs[0], "adaptive pooling")
        return (*pair("size", self.size), c)

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return NOTHING if self.size == (1, 1) else ITS_INPUT


@dataclass(frozen=True)
class GlobalAvgPool2d(Layer):
    """The mean of each channel: (H, W, C) becomes (C,), or (1, 1, C) with `keepdims`.

    >>> GlobalAvgPool2d().output_shape((7, 7, 1280))
    (1280,)
    """

    keepdims: bool = False

    kind: ClassVar[str] = "global_avg_pool"

    def output_shape(self, *inputs: Shape) -> Shape:
        _, _, c = _feature_map(inputs[0], "global pooling")
        return (1, 1, c) if self.keepdims else (c,)


@dataclass(frozen=True)
class GlobalMaxPool2d(GlobalAvgPool2d):
    """The largest value of each channel; backward keeps the input and an int64 index a channel."""

    kind: ClassVar[str] = "global_max_pool"

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(inputs=True, indices=inputs[0][-1])


@dataclass(frozen=True)
class Flatten(Layer):
    """The same values as one vector: a view, no new memory.

    >>> Flatten().output_shape((7, 7, 512))
    (25088,)
    """

    kind: ClassVar[str] = "flatten"
    view: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return (math.prod(inputs[0]),)


@dataclass(frozen=True)
class Dropout(Layer):
    """Dropout with probability `p`.

    In use it passes its input through, so it counts as a view; in training it makes a new tensor
    and keeps a mask (of the network's dtype on the CPU).
    """

    p: float = 0.5

    kind: ClassVar[str] = "dropout"
    view: ClassVar[bool] = True

    def __post_init__(self) -> None:
        p: object = self.p
        if not (isinstance(p, int | float) and 0 <= p <= 1):
            raise ShapeError(f"dropout p {self.p!r} is no probability; give a number from 0 to 1")

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(masks=math.prod(output)) if self.p else NOTHING


@dataclass(frozen=True)
class ZeroPad2d(Layer):
    """Zeros around the map: a number, a pair (height, width) or (top, bottom, left, right).

    >>> ZeroPad2d((0, 1, 0, 1)).output_shape((224, 224, 3))
    (225, 225, 3)
    """

    padding: int | Pair | Quad

    kind: ClassVar[str] = "zero_pad"
    symbols: ClassVar[dict[str, str | tuple[str, ...]]] = {"padding": Conv2d.symbols["padding"]}

    def __post_init__(self) -> None:
        if isinstance(self.padding, str):
            raise ShapeError(f"zero padding needs numbers, not {self.padding!r}; give 1, say")
        super().__post_init__()

    def output_shape(self, *inputs: Shape) -> Shape:
        h, w, c = _feature_map(inputs[0], "zero padding")
        top, bottom, left, right = pad_sides(self.padding) or (0, 0, 0, 0)
        return (h + top + bottom, w + left + right, c)


@dataclass(frozen=True)
class Add(Layer):
    """The sum of its inputs, all of one shape; in place it overwrites the first."""

    in_place: bool = False

    kind: ClassVar[str] = "add"
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(set(inputs)) > 1:
            raise ShapeError(
                f"cannot add {' and '.join(map(shape_text, inputs))}; "
                "project the shortcut with a 1x1 convolution of the same stride"
            )
        return inputs[0]


@dataclass(frozen=True)
class Multiply(Layer):
    """The product of two inputs of one shape, or of a map and a (1, 1, C) gate."""

    kind: ClassVar[str] = "multiply"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    def output_shape(self, *inputs: Shape) -> Shape:
        a, b = inputs
        if a != b and not (len(a) == len(b) == 3 and (1, 1, a[-1]) in (a, b) and a[-1] == b[-1]):
            raise ShapeError(
                f"cannot multiply {shape_text(a)} by {shape_text(b)}; "
                "give both one shape, or one of them (1, 1, C)"
            )
        return max(a, b)

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return ITS_INPUT


@dataclass(frozen=True)
class Concatenate(Layer):
    """Its inputs side by side along the channels, copied into one new tensor.

    >>> Concatenate().output_shape((56, 56, 64), (56, 56, 32))
    (56, 56, 96)
    """

    kind: ClassVar[str] = "concatenate"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def output_shape(self, *inputs: Shape) -> Shape:
        if len({shape[:-1] for shape in inputs}) > 1:
            raise ShapeError(
                f"cannot concatenate {' and '.join(map(shape_text, inputs))}; "
                "heights and widths must agree: pool or pad one of them"
            )
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))
