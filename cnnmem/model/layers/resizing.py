"""What makes maps larger: transposed convolutions, up-sampling, pixel shuffle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from cnnmem.errors import ShapeError
from cnnmem.model.formula import exact_div
from cnnmem.model.windows import Pair, Quad, as_window, shape_text

from .base import (
    ITS_INPUT,
    NO_ARITHMETIC,
    WINDOW_SYMBOLS,
    Kept,
    Layer,
    Operations,
    Shape,
    Symbols,
    feature_map,
)


@dataclass(frozen=True)
class ConvTranspose2d(Layer):
    """A transposed convolution: each input value is spread over a window of the output.

    H_out = (H − 1) · S − P_top − P_bottom + D · (K − 1) + O + 1, as in PyTorch's `ConvTranspose2d`;
    `output_padding` is the O. Each weight is used once per *input* position.

    >>> up = ConvTranspose2d(64, 2, stride=2)
    >>> up.output_shape((56, 56, 128)), up.weights((56, 56, 128))
    ((112, 112, 64), 32768)
    >>> up.macs((112, 112, 64), (56, 56, 128)) == 56 * 56 * 32768
    True
    """

    out_channels: int
    kernel: int | Pair
    stride: int | Pair = 1
    padding: int | Pair = 0
    output_padding: int | Pair = 0
    dilation: int | Pair = 1
    groups: int = 1
    bias: bool = True

    kind: ClassVar[str] = "conv_transpose"
    title: ClassVar[str] = "transposed convolutions"
    family: ClassVar[str] = "convolutions"
    autocast: ClassVar[bool] = True
    symbols: ClassVar[Symbols] = {
        "out_channels": "C_out",
        **WINDOW_SYMBOLS,
        "output_padding": ("O_h", "O_w"),
        "groups": "G",
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.padding == "same":  # type: ignore[comparison-overlap]
            raise ShapeError('a transposed convolution cannot pad "same"; give numbers')
        for extra, stride, dilation in zip(
            self.output_padding,  # type: ignore[arg-type]
            *(as_window(self).stride, as_window(self).dilation),
            strict=True,
        ):
            if extra >= max(stride, dilation):
                raise ShapeError(
                    f"output_padding {self.output_padding} must be smaller than the stride "
                    f"{self.stride} or the dilation {self.dilation}"
                )
        if self.out_channels % self.groups:
            raise ShapeError(
                f"groups {self.groups} does not divide out_channels {self.out_channels}; "
                "both channel counts must be multiples of groups"
            )

    def output_shape(self, *inputs: Shape) -> Shape:
        h, w, c = feature_map(inputs[0], "a transposed convolution")
        if c % self.groups:
            raise ShapeError(
                f"groups {self.groups} does not divide the {c} input channels; "
                "both channel counts must be multiples of groups"
            )
        window = as_window(self)
        top, bottom, left, right = cast(Quad, window.padding)
        (k_h, k_w), (s_h, s_w), (d_h, d_w) = window.kernel, window.stride, window.dilation
        more_h, more_w = self.output_padding  # type: ignore[misc]
        height = (h - 1) * s_h - top - bottom + d_h * (k_h - 1) + more_h + 1
        width = (w - 1) * s_w - left - right + d_w * (k_w - 1) + more_w + 1
        if height < 1 or width < 1:
            raise ShapeError(
                f"padding {self.padding} leaves nothing of a {shape_text((h, w))} map; use less"
            )
        return (height, width, self.out_channels)

    def weights(self, *inputs: Shape) -> int:
        k_h, k_w = as_window(self).kernel
        c_in = inputs[0][-1]
        share = c_in if self.groups == 1 else exact_div(c_in, self.groups)
        return k_h * k_w * share * self.out_channels

    def biases(self, *inputs: Shape) -> int:
        return self.out_channels if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        h, w, _ = inputs[0]
        return self.weights(*inputs) * h * w

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return ITS_INPUT


@dataclass(frozen=True)
class Upsample(Layer):
    """A map `scale` times as high and wide; how the new values are found does not matter here.

    >>> Upsample(2).output_shape((7, 7, 512))
    (14, 14, 512)
    """

    scale: int | Pair

    kind: ClassVar[str] = "upsample"
    title: ClassVar[str] = "up-sampling"
    symbols: ClassVar[Symbols] = {"scale": ("F_h", "F_w")}

    def output_shape(self, *inputs: Shape) -> Shape:
        h, w, c = feature_map(inputs[0], "up-sampling")
        f_h, f_w = self.scale  # type: ignore[misc]
        return (h * f_h, w * f_w, c)


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
        h, w, c = feature_map(inputs[0], "pixel shuffle")
        if c % self.factor**2:
            raise ShapeError(
                f"{c} channels cannot become {self.factor} x {self.factor} pixels each; "
                f"give a multiple of {self.factor**2}"
            )
        return (h * self.factor, w * self.factor, exact_div(c, self.factor * self.factor))

    def one_value(self, *inputs: Shape) -> Operations:
        return NO_ARITHMETIC
