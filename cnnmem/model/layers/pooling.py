"""Pooling: by a window, to a size, over the whole map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from cnnmem.errors import ShapeError
from cnnmem.model.windows import (
    Padding,
    Sizes,
    as_window,
    copied_for_padding,
    pad_sides,
    window_output,
)

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
class WindowPool(_Pool):
    """A pool by a window over any number of axes; its subclasses fix it."""

    kernel: int | Sizes
    stride: int | Sizes | None = None
    padding: Padding = 0
    dilation: int | Sizes = 1
    ceil_mode: bool = False

    symbols: ClassVar[Symbols] = WINDOW_SYMBOLS

    def __post_init__(self) -> None:
        if self.stride is None:
            object.__setattr__(self, "stride", self.kernel)
        super().__post_init__()
        around = pad_sides(self.padding, self.axes) or (0,) * (2 * self.axes)
        if any(2 * side > as_window(self).kernel[i // 2] for i, side in enumerate(around)):
            raise ShapeError(
                f"padding {self.padding} is more than half of the pool's kernel {self.kernel}; "
                f"a window would lie outside the map: pad with ZeroPad{self.axes}d"
            )

    def output_shape(self, *inputs: Shape) -> Shape:
        sizes = feature_map(inputs[0], "pooling", self.axes)
        return (*window_output(as_window(self), sizes), inputs[0][-1])

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return keeps_padded(as_window(self), inputs[0])


@dataclass(frozen=True)
class MaxPool(WindowPool):
    """Max pooling over any number of axes; its subclasses fix it."""

    kind: ClassVar[str] = "max_pool"
    title: ClassVar[str] = "max pooling"

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        copies = copied_for_padding(as_window(self), inputs[0])
        return Kept(inputs=not copies, copies=copies, indices=math.prod(output))

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(comparisons=math.prod(as_window(self).kernel) - 1)


class MaxPool1d(MaxPool, axes=1):
    """`MaxPool2d` along one axis."""


class MaxPool2d(MaxPool, axes=2):
    """Max pooling; the stride is the kernel unless given.

    Backward keeps the input and, per output value, the int64 index of the largest value.

    >>> MaxPool2d(3, 2, ceil_mode=True).output_shape((112, 112, 64))
    (56, 56, 64)
    """


class MaxPool3d(MaxPool, axes=3):
    """`MaxPool2d` for volumes and videos."""


@dataclass(frozen=True)
class AvgPool(WindowPool):
    """Average pooling over any number of axes; its subclasses fix it."""

    kind: ClassVar[str] = "avg_pool"
    title: ClassVar[str] = "average pooling"

    def __post_init__(self) -> None:
        super().__post_init__()
        if max(as_window(self).dilation) > 1:
            raise ShapeError(f"average pooling has no dilation ({self.dilation}); leave it out")

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(1, math.prod(as_window(self).kernel) - 1)


class AvgPool1d(AvgPool, axes=1):
    """`AvgPool2d` along one axis."""


class AvgPool2d(AvgPool, axes=2):
    """Average pooling; the stride is the kernel unless given.

    >>> AvgPool2d(2).output_shape((56, 56, 128))
    (28, 28, 128)
    """


class AvgPool3d(AvgPool, axes=3):
    """`AvgPool2d` for volumes and videos."""


@dataclass(frozen=True)
class AdaptiveAvgPool(_Pool):
    """Average pooling to a size, over any number of axes; its subclasses fix it."""

    size: int | Sizes

    kind: ClassVar[str] = "adaptive_avg_pool"
    title: ClassVar[str] = "adaptive pooling"
    symbols: ClassVar[Symbols] = {"size": ("_out",)}

    def output_shape(self, *inputs: Shape) -> Shape:
        feature_map(inputs[0], "adaptive pooling", self.axes)
        return (*self.size, inputs[0][-1])  # type: ignore[misc]

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return NOTHING if set(self.size) == {1} else ITS_INPUT  # type: ignore[arg-type]


class AdaptiveAvgPool1d(AdaptiveAvgPool, axes=1):
    """`AdaptiveAvgPool2d` along one axis."""


class AdaptiveAvgPool2d(AdaptiveAvgPool, axes=2):
    """Average pooling to a map of the given size, whatever the input's size.

    To 1x1, ATen's `adaptive_avg_pool2d` calls `mean`, whose backward keeps nothing.

    >>> AdaptiveAvgPool2d(7).output_shape((32, 32, 512))
    (7, 7, 512)
    """


class AdaptiveAvgPool3d(AdaptiveAvgPool, axes=3):
    """`AdaptiveAvgPool2d` for volumes and videos."""


@dataclass(frozen=True)
class AdaptiveMaxPool(AdaptiveAvgPool):
    """Max pooling to a size, over any number of axes; its subclasses fix it."""

    kind: ClassVar[str] = "adaptive_max_pool"
    title: ClassVar[str] = "adaptive max pooling"

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(inputs=True, indices=math.prod(output))


class AdaptiveMaxPool1d(AdaptiveMaxPool, axes=1):
    """`AdaptiveMaxPool2d` along one axis."""


class AdaptiveMaxPool2d(AdaptiveMaxPool, axes=2):
    """Max pooling to a map of the given size; backward keeps the input and an index per value.

    >>> AdaptiveMaxPool2d(7).keeps((7, 7, 512), (32, 32, 512)).indices
    25088
    """


class AdaptiveMaxPool3d(AdaptiveMaxPool, axes=3):
    """`AdaptiveMaxPool2d` for volumes and videos."""


@dataclass(frozen=True)
class GlobalAvgPool(_Pool):
    """The mean of each channel, over any number of axes; its subclasses fix it."""

    keepdims: bool = False

    kind: ClassVar[str] = "global_avg_pool"
    title: ClassVar[str] = "global pooling"

    def output_shape(self, *inputs: Shape) -> Shape:
        sizes = feature_map(inputs[0], "global pooling", self.axes)
        return (*(1 for _ in sizes if self.keepdims), inputs[0][-1])

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(1, math.prod(inputs[0][:-1]) - 1)


class GlobalAvgPool1d(GlobalAvgPool, axes=1):
    """`GlobalAvgPool2d` along one axis."""


class GlobalAvgPool2d(GlobalAvgPool, axes=2):
    """The mean of each channel: (H, W, C) becomes (C,), or (1, 1, C) with `keepdims`.

    >>> GlobalAvgPool2d().output_shape((7, 7, 1280))
    (1280,)
    """


class GlobalAvgPool3d(GlobalAvgPool, axes=3):
    """`GlobalAvgPool2d` for volumes and videos."""


@dataclass(frozen=True)
class GlobalMaxPool(GlobalAvgPool):
    """The largest value of each channel, over any number of axes; its subclasses fix it."""

    kind: ClassVar[str] = "global_max_pool"
    title: ClassVar[str] = ""

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(inputs=True, indices=inputs[0][-1])

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(comparisons=math.prod(inputs[0][:-1]) - 1)


class GlobalMaxPool1d(GlobalMaxPool, axes=1):
    """`GlobalMaxPool2d` along one axis."""


class GlobalMaxPool2d(GlobalMaxPool, axes=2):
    """The largest value of each channel; backward keeps the input and one int64 index for each."""


class GlobalMaxPool3d(GlobalMaxPool, axes=3):
    """`GlobalMaxPool2d` for volumes and videos."""
