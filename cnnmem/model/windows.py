"""The arithmetic of a window that slides over a map: kernel, stride, padding, dilation.

A map has one, two or three axes and its channels: (L, C), (H, W, C) or (T, H, W, C). Settings of a
window hold a number per axis, in that order. A padding holds two per axis, before and after, such
as (top, bottom, left, right), or is the word "same", which depends on the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from cnnmem.checks import as_int
from cnnmem.errors import ShapeError

from .formula import ceil_div

Sizes = tuple[int, ...]  # one per axis
Padding = int | Sizes | Literal["same", "valid"]

# The axes of a map by their number: what they are called, their lengths in formulas ("T" as in
# video: "D" is dilation), and the sides to pad.
AXES: dict[int, tuple[str, ...]] = {
    1: ("length",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}
LENGTHS: dict[int, tuple[str, ...]] = {1: ("L",), 2: ("H", "W"), 3: ("T", "H", "W")}
SIDES: dict[int, tuple[str, ...]] = {
    1: ("left", "right"),
    2: ("top", "bottom", "left", "right"),
    3: ("front", "back", "top", "bottom", "left", "right"),
}
_GROUPS = {1: "a tuple", 2: "a pair", 3: "a triple"}


class Window(Protocol):
    """A layer with a window, its sizes normalised by its constructor."""

    @property
    def pads_half_at_most(self) -> bool: ...
    @property
    def kernel(self) -> Sizes: ...
    @property
    def stride(self) -> Sizes: ...
    @property
    def padding(self) -> Sizes | Literal["same"]: ...
    @property
    def dilation(self) -> Sizes: ...


def as_window(layer: object) -> Window:
    """Return a window layer unchanged, but typed: its sizes are known to be tuples."""
    return layer  # type: ignore[return-value]


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as people write it.

    >>> shape_text((224, 224, 3)), shape_text((1000,))
    ('224 x 224 x 3', '1000')
    """
    return " x ".join(str(int(n)) for n in shape)


def per_axis(name: str, value: object, axes: int = 2, least: int = 1) -> Sizes:
    """Return a number, or one per axis, of at least `least` each, as one per axis.

    >>> per_axis("kernel", 3), per_axis("kernel", 3, axes=3)
    ((3, 3), (3, 3, 3))
    """
    if type(value) is int and value >= least:
        return (value,) * axes
    sizes = _integers(value, axes, least)
    if len(sizes) == axes:
        return sizes
    what = "a positive integer" if least else "an integer from 0"
    raise ShapeError(f"{name} is {value!r}; give {what} or {_group(axes)}")


def sides(name: str, value: object, axes: int = 2) -> Sizes | Literal["same"]:
    """Return a padding as two numbers per axis, before and after; "same" stays a word.

    >>> sides("padding", 1), sides("padding", (1, 2)), sides("padding", "valid", axes=1)
    ((1, 1, 1, 1), (1, 1, 2, 2), (0, 0))
    """
    if value == "same":
        return "same"
    if type(value) is int and value >= 0:
        return (value,) * (2 * axes)
    sizes = _integers(0 if value == "valid" else value, 2 * axes, 0)
    if len(sizes) == axes:
        return tuple([size for size in sizes for _ in range(2)])
    if len(sizes) == 2 * axes:
        return sizes
    groups = f"{_group(axes)}, " if axes > 1 else ""
    raise ShapeError(
        f"{name} is {value!r}; give a non-negative integer, {groups}"
        f'({", ".join(SIDES[axes])}), "same" or "valid"'
    )


def _group(axes: int) -> str:
    comma = "," if axes == 1 else ""
    return f"{_GROUPS[axes]} ({', '.join(AXES[axes])}{comma})"


def _integers(value: object, count: int, least: int) -> Sizes:
    """Return a number `count` times, or several, as ints; nothing if one is invalid."""
    given: Sequence[object] = value if isinstance(value, tuple | list) else (value,) * count
    found = tuple([n for n in [as_int(each, least) for each in given] if n is not None])
    return found if len(found) == len(given) else ()


def pad_sides(padding: Padding, axes: int = 2) -> Sizes | None:
    """Return the sides of a padding, or None for "same", which depends on the map."""
    found = sides("padding", padding, axes)
    return None if found == "same" else found


def same_sides(n: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return what "same" pads before and after an axis of length n.

    The odd one goes after, as in TensorFlow (documentation of `tf.nn`, SAME padding).

    >>> same_sides(224, 3, 2, 1)
    (0, 1)
    """
    total = (-(-n // stride) - 1) * stride + dilation * (kernel - 1) + 1 - n
    return (total // 2, total - total // 2) if total > 0 else (0, 0)


def window_output(layer: Window, sizes: Sizes) -> Sizes:
    """Return the size of a window layer's output, of each axis.

    Without "same": ⌊(H + P_top + P_bottom − D · (K − 1) − 1) / S⌋ + 1; with `ceil_mode` the
    division rounds up, but a last window that would start in the padding is dropped, as in PyTorch
    (documentation of `MaxPool2d`).
    """
    around, strides = layer.padding, layer.stride
    if around == "same":
        return tuple(map(ceil_div, sizes, strides))
    kernel, dilation, ceil_mode = layer.kernel, layer.dilation, getattr(layer, "ceil_mode", False)
    counts = []
    for i, n in enumerate(sizes):  # zip takes twice as long
        before, after, stride = around[2 * i], around[2 * i + 1], strides[i]
        room = n + before + after - dilation[i] * (kernel[i] - 1) - 1
        if room < 0:
            raise ShapeError(_misfit(layer, sizes))
        if ceil_mode:
            counts.append(_ceil_windows(room, stride, n + max(before, after)))
        else:
            counts.append(room // stride + 1)
    return tuple(counts)


def _ceil_windows(room: int, stride: int, end: int) -> int:
    """Return how many windows there are when the division rounds up and none starts past `end`."""
    count = ceil_div(room, stride) + 1
    return count - 1 if (count - 1) * stride >= end else count


def _misfit(layer: Window, sizes: Sizes) -> str:
    around, dilation = layer.padding, layer.dilation
    spread = "" if max(dilation) == 1 else f" with dilation {shape_text(dilation)}"
    padding = around[0] if len(set(around)) == 1 else around
    return (
        f"kernel {shape_text(layer.kernel)}{spread} does not fit a {shape_text(sizes)} map "
        f"with padding {padding}; use a smaller kernel, more padding or a larger input"
    )


def split_padding(layer: Window, sizes: Sizes) -> tuple[Sizes, Sizes]:
    """Return the sides padded by a copy first, and what the kernel pads of each axis.

    PyTorch's kernels take one padding per axis, for both sides; those of pools at most half the
    kernel. What one side has more, or a pool does not take, needs a padded copy (for convolutions
    with "same", ATen's `convolution_same` makes it).

    >>> from cnnmem.model.layers import Conv2d
    >>> split_padding(as_window(Conv2d(8, 3, 2, "same")), (224, 224))
    ((0, 1, 0, 1), (0, 0))
    """
    around, kernel = layer.padding, layer.kernel
    before: list[int] = []
    by_kernel: list[int] = []
    for i, n in enumerate(sizes):
        if around == "same":
            first, last = same_sides(n, kernel[i], layer.stride[i], layer.dilation[i])
        else:
            first, last = around[2 * i], around[2 * i + 1]
        both = first if first < last else last
        if layer.pads_half_at_most and 2 * both > kernel[i]:
            both = 0
        before += (first - both, last - both)
        by_kernel.append(both)
    return tuple(before), tuple(by_kernel)


def copied_for_padding(layer: Window, shape: tuple[int, ...]) -> int:
    """Return the values of the padded copy that a window layer needs, 0 where it needs none.

    The layer then keeps that copy instead of its input.
    """
    around = layer.padding
    if around != "same" and around[::2] == around[1::2]:
        return 0  # the layer's constructor has checked that its kernel takes as much
    before, _ = split_padding(layer, shape[:-1])
    if not any(before):
        return 0
    copied = shape[-1]
    for i, n in enumerate(shape[:-1]):
        copied *= n + before[2 * i] + before[2 * i + 1]
    return copied
