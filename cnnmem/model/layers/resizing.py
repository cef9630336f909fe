"""What makes maps larger: transposed convolutions, up-sampling, pixel shuffle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, cast

from cnnmem.errors import ShapeError
from cnnmem.model.formula import exact_div
from cnnmem.model.windows import Sizes, as_window, shape_text

from .base import (
    ITS_INPUT,
    NO_ARITHMETIC,
    WINDOW_SYMBOLS,
    Kept,
    Layer,
    Operations,
    Shape,
    Symbols,
    check_groups,
    feature_map,
    share_of,
)


@dataclass(frozen=True)
class ConvTranspose(Layer):
    """A transposed convolution over any number of axes; its subclasses fix it."""

    out_channels: int
    kernel: int | Sizes
    stride: int | Sizes = 1
    padding: int | Sizes = 0
    output_padding: int | Sizes = 0
    dilation: int | Sizes = 1
    groups: int = 1
    bias: bool = True

    kind: ClassVar[str] = "conv_transpose"
    title: ClassVar[str] = "transposed convolutions"
    family: ClassVar[str] = "convolutions"
    autocast: ClassVar[bool] = True
    symbols: ClassVar[Symbols] = {
        "out_channels": "C_out",
        **WINDOW_SYMBOLS,
        "output_padding": ("O",),
        "groups": "G",
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.padding == "same":  # type: ignore[comparison-overlap]
            raise ShapeError('a transposed convolution cannot pad "same"; give numbers')
        window, more = as_window(self), self._output_padding()
        for extra, stride, dilation in zip(more, window.stride, window.dilation, strict=True):
            if extra >= max(stride, dilation):
                raise ShapeError(
                    f"output_padding {more} must be smaller than the stride "
                    f"{self.stride} or the dilation {self.dilation}"
                )
        check_groups(self.groups, self.out_channels, "out_channels {}")

    def output_shape(self, *inputs: Shape) -> Shape:
        sizes = feature_map(inputs[0], "a transposed convolution", self.axes)
        check_groups(self.groups, inputs[0][-1], "the {} input channels")
        window = as_window(self)
        around = cast(Sizes, window.padding)
        made = [
            (n - 1) * s - before - after + d * (k - 1) + more + 1
            for n, s, before, after, d, k, more in zip(
                *(sizes, window.stride, around[::2], around[1::2]),
                *(window.dilation, window.kernel, self._output_padding()),
                strict=True,
            )
        ]
        if min(made) < 1:
            raise ShapeError(
                f"padding {self.padding} leaves nothing of a {shape_text(sizes)} map; use less"
            )
        return (*made, self.out_channels)

    def _output_padding(self) -> Sizes:
        return self.output_padding  # type: ignore[return-value]

    def weights(self, *inputs: Shape) -> int:
        share = share_of(inputs[0][-1], self.groups)
        return math.prod(as_window(self).kernel) * share * self.out_channels

    def biases(self, *inputs: Shape) -> int:
        return self.out_channels if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return self.weights(*inputs) * math.prod(inputs[0][:-1])

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return ITS_INPUT


class ConvTranspose1d(ConvTranspose, axes=1):
    """`ConvTranspose2d` along one axis."""


class ConvTranspose2d(ConvTranspose, axes=2):
    """A transposed convolution: each input value is spread over a window of the output.

    H_out = (H − 1) · S − P_top − P_bottom + D · (K − 1) + O + 1, as in PyTorch's `ConvTranspose2d`;
    `output_padding` is the O. Each weight is used once per *input* position.

    >>> up = ConvTranspose2d(64, 2, stride=2)
    >>> up.output_shape((56, 56, 128)), up.weights((56, 56, 128))
    ((112, 112, 64), 32768)
    >>> up.macs((112, 112, 64), (56, 56, 128)) == 56 * 56 * 32768
    True
    """


class ConvTranspose3d(ConvTranspose, axes=3):
    """`ConvTranspose2d` for volumes and videos."""


@dataclass(frozen=True)
class UpsampleBy(Layer):
    """Up-sampling by a factor over any number of axes; its subclasses fix it."""

    scale: int | Sizes

    kind: ClassVar[str] = "upsample"
    title: ClassVar[str] = "up-sampling"
    symbols: ClassVar[Symbols] = {"scale": ("F",)}

    def output_shape(self, *inputs: Shape) -> Shape:
        sizes = feature_map(inputs[0], "up-sampling", self.axes)
        factors: Sizes = self.scale  # type: ignore[assignment]
        return (*[n * f for n, f in zip(sizes, factors, strict=True)], inputs[0][-1])


class Upsample1d(UpsampleBy, axes=1):
    """`Upsample` along one axis."""


class Upsample(UpsampleBy, axes=2):
    """A map `scale` times as high and wide; how the new values are found does not matter here.

    >>> Upsample(2).output_shape((7, 7, 512))
    (14, 14, 512)
    """


class Upsample3d(UpsampleBy, axes=3):
    """`Upsample` for volumes and videos."""


@dataclass(frozen=True)
class ResizeTo(Layer):
    """A map brought to a size, over any number of axes; its subclasses fix it."""

    size: int | Sizes

    kind: ClassVar[str] = "upsample"
    title: ClassVar[str] = "up-sampling"
    symbols: ClassVar[Symbols] = {"size": ("_out",)}

    def output_shape(self, *inputs: Shape) -> Shape:
        feature_map(inputs[0], "resizing", self.axes)
        return (*self.size, inputs[0][-1])  # type: ignore[misc]


class Resize1d(ResizeTo, axes=1):
    """`Resize2d` along one axis."""


class Resize2d(ResizeTo, axes=2):
    """A map of the given height and width, larger or smaller, by interpolation.

    >>> Resize2d((97, 65)).output_shape((13, 9, 21))
    (97, 65, 21)
    """


class Resize3d(ResizeTo, axes=3):
    """`Resize2d` for volumes and videos."""


@dataclass(frozen=True)
class PixelShuffle(Layer):
    """Channels become pixels: (H, W, C) gives (H · r, W · r, C / r²), r being `factor`.

    >>> PixelShuffle(2).output_shape((7, 7, 512))
    (14, 14, 128)
    """

    factor: int

    kind: ClassVar[str] = "pixel_shuffle"
    symbols: ClassVar[Symbols] = {"factor": "r"}

    def output_shape(self, *inputs: Shape) -> Shape:
        h, w = feature_map(inputs[0], "pixel shuffle", 2)
        c = inputs[0][-1]
        if c % self.factor**2:
            raise ShapeError(
                f"{c} channels cannot become {self.factor} x {self.factor} pixels each; "
                f"give a multiple of {self.factor**2}"
            )
        return (h * self.factor, w * self.factor, exact_div(c, self.factor * self.factor))

    def one_value(self, *inputs: Shape) -> Operations:
        return NO_ARITHMETIC


@dataclass(frozen=True)
class PixelUnshuffle(Layer):
    """Pixels become channels: (H, W, C) gives (H / r, W / r, C · r²), r being `factor`.

    >>> PixelUnshuffle(2).output_shape((14, 14, 128))
    (7, 7, 512)
    """

    factor: int

    kind: ClassVar[str] = "pixel_unshuffle"
    symbols: ClassVar[Symbols] = {"factor": "r"}

    def output_shape(self, *inputs: Shape) -> Shape:
        h, w = feature_map(inputs[0], "pixel unshuffle", 2)
        r = self.factor
        if h % r or w % r:
            raise ShapeError(f"a {h} x {w} map has no blocks of {r} x {r}; give a multiple of {r}")
        return (exact_div(h, r), exact_div(w, r), inputs[0][-1] * r * r)

    def one_value(self, *inputs: Shape) -> Operations:
        return NO_ARITHMETIC
