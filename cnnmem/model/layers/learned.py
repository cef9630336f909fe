"""The layers with weights: convolutions, the linear layer, batch normalisation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from cnnmem.errors import ShapeError
from cnnmem.model.windows import Padding, Sizes, as_window, window_output

from .base import (
    ITS_INPUT,
    WINDOW_SYMBOLS,
    Kept,
    Layer,
    Operations,
    Shape,
    Symbols,
    check_groups,
    feature_map,
    keeps_padded,
    share_of,
)


@dataclass(frozen=True)
class _Convolution(Layer):
    """What convolutions share."""

    family: ClassVar[str] = "convolutions"
    autocast: ClassVar[bool] = True

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return keeps_padded(as_window(self), inputs[0])


@dataclass(frozen=True)
class Conv(_Convolution):
    """A convolution over any number of axes: `Conv1d`, `Conv2d` and `Conv3d` fix it."""

    out_channels: int
    kernel: int | Sizes
    stride: int | Sizes = 1
    padding: Padding = 0
    dilation: int | Sizes = 1
    groups: int = 1
    bias: bool = True

    kind: ClassVar[str] = "conv"
    title: ClassVar[str] = "convolutions"
    symbols: ClassVar[Symbols] = {"out_channels": "C_out", **WINDOW_SYMBOLS, "groups": "G"}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_groups(self.groups, self.out_channels, "out_channels {}")

    def output_shape(self, *inputs: Shape) -> Shape:
        sizes = feature_map(inputs[0], "a convolution", self.axes)
        check_groups(self.groups, inputs[0][-1], "the {} input channels")
        return (*window_output(as_window(self), sizes), self.out_channels)

    def weights(self, *inputs: Shape) -> int:
        share = share_of(inputs[0][-1], self.groups)
        return math.prod(as_window(self).kernel) * share * self.out_channels

    def biases(self, *inputs: Shape) -> int:
        return self.out_channels if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return self.weights(*inputs) * math.prod(output[:-1])

    def channels_read(self, channel: int, channels_in: int, channels_out: int) -> range:
        share = channels_in // self.groups
        first = channel // (channels_out // self.groups) * share
        return range(first, first + share)

    def arrays(self, *inputs: Shape) -> tuple[Shape, ...]:
        kernel = (*as_window(self).kernel, share_of(inputs[0][-1], self.groups), self.out_channels)
        return (kernel, *_bias(self.bias, self.out_channels))

    def one_value(self, *inputs: Shape) -> Operations:
        share = share_of(inputs[0][-1], self.groups)
        return _sum(math.prod(as_window(self).kernel) * share, self.bias)


class Conv1d(Conv, axes=1):
    """A convolution along one axis: the settings of `Conv2d` with one number, or (before, after).

    >>> Conv1d(64, 9, stride=2, padding=4).output_shape((16000, 1))
    (8000, 64)
    """


class Conv2d(Conv, axes=2):
    """A convolution with `out_channels` filters.

    `kernel`, `stride` and `dilation` are a number or a pair (height, width); `padding` is a number,
    a pair, (top, bottom, left, right), "same" or "valid". "same" gives H_out = ⌈H / stride⌉ and
    pads the odd pixel at the bottom and right, as Keras does.

    >>> conv = Conv2d(64, 3, padding=1)
    >>> conv.output_shape((224, 224, 3)), conv.weights((224, 224, 3)), conv.biases()
    ((224, 224, 64), 1728, 64)
    """


class Conv3d(Conv, axes=3):
    """A convolution of volumes or videos: settings are a number or (depth, height, width).

    >>> Conv3d(64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False).weights((16, 112, 112, 3))
    28224
    """


def _bias(there: bool, count: int) -> tuple[Shape, ...]:
    """Return the shapes of a layer's array of biases, if it has one."""
    return ((count,),) if there else ()


def _sum(products: int, bias: bool) -> Operations:
    """Return the arithmetic of a sum of products: one addition fewer, and one for a bias."""
    return Operations(products, products - 1 + (1 if bias else 0))


@dataclass(frozen=True)
class DepthwiseConv(_Convolution):
    """A depthwise convolution over any number of axes; its subclasses fix it."""

    kernel: int | Sizes
    stride: int | Sizes = 1
    padding: Padding = 0
    dilation: int | Sizes = 1
    multiplier: int = 1
    bias: bool = True

    kind: ClassVar[str] = "depthwise_conv"
    title: ClassVar[str] = "depthwise convolutions"
    symbols: ClassVar[Symbols] = {**WINDOW_SYMBOLS, "multiplier": "M"}

    def output_shape(self, *inputs: Shape) -> Shape:
        sizes = feature_map(inputs[0], "a depthwise convolution", self.axes)
        return (*window_output(as_window(self), sizes), inputs[0][-1] * self.multiplier)

    def weights(self, *inputs: Shape) -> int:
        return math.prod(as_window(self).kernel) * inputs[0][-1] * self.multiplier

    def biases(self, *inputs: Shape) -> int:
        return inputs[0][-1] * self.multiplier if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return math.prod(as_window(self).kernel) * output[-1] * math.prod(output[:-1])

    def arrays(self, *inputs: Shape) -> tuple[Shape, ...]:
        channels = inputs[0][-1]
        kernel = (*as_window(self).kernel, channels, self.multiplier)
        return (kernel, *_bias(self.bias, channels * self.multiplier))

    def one_value(self, *inputs: Shape) -> Operations:
        return _sum(math.prod(as_window(self).kernel), self.bias)


class DepthwiseConv1d(DepthwiseConv, axes=1):
    """`DepthwiseConv2d` along one axis."""


class DepthwiseConv2d(DepthwiseConv, axes=2):
    """A convolution that gives each input channel `multiplier` filters of its own.

    It is `Conv2d` with groups = C_in and C_out = C_in · multiplier.

    >>> DepthwiseConv2d(3, padding=1, bias=False).weights((112, 112, 32))
    288
    """


class DepthwiseConv3d(DepthwiseConv, axes=3):
    """`DepthwiseConv2d` for volumes and videos."""


@dataclass(frozen=True)
class SeparableConv(DepthwiseConv):
    """A separable convolution over any number of axes; its subclasses fix it."""

    out_channels: int = 1

    kind: ClassVar[str] = "separable_conv"
    title: ClassVar[str] = "separable convolutions"
    symbols: ClassVar[Symbols] = {**DepthwiseConv.symbols, "out_channels": "C_out"}

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*super().output_shape(*inputs)[:-1], self.out_channels)

    def weights(self, *inputs: Shape) -> int:
        between = inputs[0][-1] * self.multiplier
        return super().weights(*inputs) + between * self.out_channels

    def biases(self, *inputs: Shape) -> int:
        return self.out_channels if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        between = inputs[0][-1] * self.multiplier
        each = math.prod(as_window(self).kernel) + output[-1]
        return each * between * math.prod(output[:-1])

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        kept = super().keeps(output, *inputs)
        between = math.prod(output[:-1]) * inputs[0][-1] * self.multiplier
        return kept._replace(copies=kept.copies + between)

    def arrays(self, *inputs: Shape) -> tuple[Shape, ...]:
        channels = inputs[0][-1]
        depthwise = (*as_window(self).kernel, channels, self.multiplier)
        pointwise = (*(1,) * self.axes, channels * self.multiplier, self.out_channels)
        return (depthwise, pointwise, *_bias(self.bias, self.out_channels))

    def one_value(self, *inputs: Shape) -> Operations:
        # all channels share the values between the two convolutions: no value has a cost of its own
        return Layer.one_value(self, *inputs)


class SeparableConv1d(SeparableConv, axes=1):
    """`SeparableConv2d` along one axis."""


class SeparableConv2d(SeparableConv, axes=2):
    """A depthwise convolution and a 1x1 convolution as one layer, as in Keras.

    Only the second has a bias. The map between the two is not an output, but backward keeps it.

    >>> SeparableConv2d(3, padding=1, out_channels=64).weights((112, 112, 32))
    2336
    """


@dataclass(frozen=True)
class Linear(Layer):
    """A linear layer; a feature map is flattened first, as the textbooks do silently.

    With `tokens` it works on the last axis instead, at each position alike.

    >>> Linear(4096).weights((7, 7, 512))
    102760448
    >>> Linear(384, tokens=True).output_shape((197, 192))
    (197, 384)
    """

    out_features: int
    bias: bool = True
    tokens: bool = False

    kind: ClassVar[str] = "linear"
    title: ClassVar[str] = "linear layers"
    family: ClassVar[str] = "linear layers"
    saves_together: ClassVar[bool] = False
    autocast: ClassVar[bool] = True
    symbols: ClassVar[Symbols] = {"out_features": "D_out"}

    @property
    def axes(self) -> int:  # type: ignore[override]
        return 1 if self.tokens else 0

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0][:-1], self.out_features) if self.tokens else (self.out_features,)

    def weights(self, *inputs: Shape) -> int:
        return self._read(inputs[0]) * self.out_features

    def biases(self, *inputs: Shape) -> int:
        return self.out_features if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return math.prod(inputs[0]) * self.out_features

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return ITS_INPUT

    def arrays(self, *inputs: Shape) -> tuple[Shape, ...]:
        matrix = (self._read(inputs[0]), self.out_features)
        return (matrix, *_bias(self.bias, self.out_features))

    def one_value(self, *inputs: Shape) -> Operations:
        return _sum(self._read(inputs[0]), self.bias)

    def _read(self, shape: Shape) -> int:
        """Return how many values an output value reads."""
        return shape[-1] if self.tokens else math.prod(shape)


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
    title: ClassVar[str] = "batch normalisation"
    family: ClassVar[str] = "batch normalisation"

    def weights(self, *inputs: Shape) -> int:
        return inputs[0][-1] if self.scale else 0

    def biases(self, *inputs: Shape) -> int:
        return inputs[0][-1] if self.center else 0

    def statistics(self, *inputs: Shape) -> int:
        return 2 * inputs[0][-1]

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        # the batch's mean and inverse deviation (`save_mean`, `save_invstd` of `native_batch_norm`)
        return Kept(inputs=True, statistics=2 * inputs[0][-1])

    def arrays(self, *inputs: Shape) -> tuple[Shape, ...]:
        vector: Shape = (inputs[0][-1],)
        return (vector,) * (self.scale + self.center + 2)

    def one_value(self, *inputs: Shape) -> Operations:
        # minus the mean, divided by the deviation, times the scale, plus the shift
        return Operations(1 + self.scale, 1 + self.center)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Layer normalisation: over the channels of each position, or over the whole tensor.

    Backward keeps the mean and the inverse deviation of every group that it normalises.

    >>> LayerNorm().weights((56, 56, 96)), LayerNorm(whole=True).weights((7, 7, 8))
    (96, 392)
    """

    whole: bool = False
    scale: bool = True
    center: bool = True

    kind: ClassVar[str] = "layer_norm"
    title: ClassVar[str] = "layer normalisation"

    def weights(self, *inputs: Shape) -> int:
        return self._normalised(inputs[0]) if self.scale else 0

    def biases(self, *inputs: Shape) -> int:
        return self._normalised(inputs[0]) if self.center else 0

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        groups = 1 if self.whole else math.prod(inputs[0][:-1])
        return Kept(inputs=True, per_image=2 * groups)

    def _normalised(self, shape: Shape) -> int:
        return math.prod(shape) if self.whole else shape[-1]


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Group normalisation: over `groups` groups of channels of each image.

    >>> GroupNorm(32).keeps((56, 56, 64), (56, 56, 64)).per_image
    64
    """

    groups: int
    scale: bool = True
    center: bool = True

    kind: ClassVar[str] = "group_norm"
    title: ClassVar[str] = "group normalisation"
    symbols: ClassVar[Symbols] = {"groups": "G"}

    def output_shape(self, *inputs: Shape) -> Shape:
        if inputs[0][-1] % self.groups:
            raise ShapeError(
                f"groups {self.groups} does not divide the {inputs[0][-1]} input channels; "
                "give a divisor of them"
            )
        return inputs[0]

    def weights(self, *inputs: Shape) -> int:
        return inputs[0][-1] if self.scale else 0

    def biases(self, *inputs: Shape) -> int:
        return inputs[0][-1] if self.center else 0

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(inputs=True, per_image=2 * self.groups)


@dataclass(frozen=True)
class InstanceNorm(Layer):
    """Instance normalisation: over each channel of each image, without running statistics.

    Backward keeps a mean and an inverse deviation per channel, and PyTorch a copy of the scale for
    each image (`instance_norm` in ATen is a batch normalisation of N · C channels).

    >>> InstanceNorm(scale=False, center=False).keeps((56, 56, 64), (56, 56, 64)).per_image
    128
    """

    scale: bool = True
    center: bool = True

    kind: ClassVar[str] = "instance_norm"
    title: ClassVar[str] = "instance normalisation"

    def weights(self, *inputs: Shape) -> int:
        return inputs[0][-1] if self.scale else 0

    def biases(self, *inputs: Shape) -> int:
        return inputs[0][-1] if self.center else 0

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(inputs=True, per_image=(2 + self.scale) * inputs[0][-1])
