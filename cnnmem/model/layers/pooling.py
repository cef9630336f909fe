"""Pooling: by a window, to a size, over the whole map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from cnnmem.errors import ShapeError
from cnnmem.model.windows import Padding, Pair, as_window, pad_sides, pair, window_output

from .base import (
    ITS_INPUT,
    NOTHING,
    WINDOW_SYMBOLS,
    Kept,
    Layer,
    Operations,
    Shape,
    Symbols,
    feature_map,
    keeps_padded,
)


@dataclass(frozen=True)
class _Pool(Layer):
    """What all pools share."""

    family: ClassVar[str] = "pooling"
    pads_half_at_most: ClassVar[bool] = True


@dataclass(frozen=True)
class _Pool2d(_Pool):
    kernel: int | Pair
    stride: int | Pair | None = None
    padding: Padding = 0
    dilation: int | Pair = 1
    ceil_mode: bool = False

    symbols: ClassVar[Symbols] = WINDOW_SYMBOLS

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
        h, w, c = feature_map(inputs[0], "pooling")
        return (*window_output(as_window(self), h, w), c)


@dataclass(frozen=True)
class MaxPool2d(_Pool2d):
    """Max pooling; the stride is the kernel unless given.

    Backward keeps the input and, per output value, the int64 index of the largest value.

    >>> MaxPool2d(3, 2, ceil_mode=True).output_shape((112, 112, 64))
    (56, 56, 64)
    """

    kind: ClassVar[str] = "max_pool"
    title: ClassVar[str] = "max pooling"

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return keeps_padded(as_window(self), inputs[0])._replace(indices=math.prod(output))

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(comparisons=math.prod(as_window(self).kernel) - 1)


@dataclass(frozen=True)
class AvgPool2d(_Pool2d):
    """Average pooling; the stride is the kernel unless given.

    >>> AvgPool2d(2).output_shape((56, 56, 128))
    (28, 28, 128)
    """

    kind: ClassVar[str] = "avg_pool"
    title: ClassVar[str] = "average pooling"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dilation != (1, 1):
            raise ShapeError(f"average pooling has no dilation ({self.dilation}); leave it out")

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return keeps_padded(as_window(self), inputs[0])

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(1, math.prod(as_window(self).kernel) - 1)


@dataclass(frozen=True)
class AdaptiveAvgPool2d(_Pool):
    """Average pooling to a map of the given size, whatever the input's size.

    To 1x1, ATen's `adaptive_avg_pool2d` calls `mean`, whose backward keeps nothing.

    >>> AdaptiveAvgPool2d(7).output_shape((32, 32, 512))
    (7, 7, 512)
    """

    size: int | Pair

    kind: ClassVar[str] = "adaptive_avg_pool"
    title: ClassVar[str] = "adaptive pooling"
    symbols: ClassVar[Symbols] = {"size": ("H_out", "W_out")}

    def output_shape(self, *inputs: Shape) -> Shape:
        _, _, c = feature_map(inputs[0], "adaptive pooling")
        return (*pair("size", self.size), c)

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return NOTHING if self.size == (1, 1) else ITS_INPUT


@dataclass(frozen=True)
class GlobalAvgPool2d(_Pool):
    """The mean of each channel: (H, W, C) becomes (C,), or (1, 1, C) with `keepdims`.

    >>> GlobalAvgPool2d().output_shape((7, 7, 1280))
    (1280,)
    """

    keepdims: bool = False

    kind: ClassVar[str] = "global_avg_pool"
    title: ClassVar[str] = "global pooling"

    def output_shape(self, *inputs: Shape) -> Shape:
        _, _, c = feature_map(inputs[0], "global pooling")
        return (1, 1, c) if self.keepdims else (c,)

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(1, math.prod(inputs[0][:2]) - 1)


@dataclass(frozen=True)
class GlobalMaxPool2d(GlobalAvgPool2d):
    """The largest value of each channel; backward keeps the input and one int64 index for each."""

    kind: ClassVar[str] = "global_max_pool"
    title: ClassVar[str] = ""

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(inputs=True, indices=inputs[0][-1])

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(comparisons=math.prod(inputs[0][:2]) - 1)
