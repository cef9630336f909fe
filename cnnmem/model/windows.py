"""The arithmetic of a window that slides over a map: kernel, stride, padding, dilation.

A padding is kept as (top, bottom, left, right), or as the word "same", which depends on the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from cnnmem.checks import as_int
from cnnmem.errors import ShapeError

from .formula import ceil_div

Pair = tuple[int, int]
Quad = tuple[int, int, int, int]
Padding = int | Pair | Quad | Literal["same", "valid"]


class Window(Protocol):
    """A layer with a window, its sizes normalised by its constructor: pairs, sides or "same"."""

    @property
    def pads_half_at_most(self) -> bool: ...
    @property
    def kernel(self) -> Pair: ...
    @property
    def stride(self) -> Pair: ...
    @property
    def padding(self) -> Quad | Literal["same"]: ...
    @property
    def dilation(self) -> Pair: ...


def as_window(layer: object) -> Window:
    """Return a window layer unchanged, but typed: its sizes are known to be pairs."""
    return layer  # type: ignore[return-value]


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as people write it.

    >>> shape_text((224, 224, 3)), shape_text((1000,))
    ('224 x 224 x 3', '1000')
    """
    return " x ".join(str(int(n)) for n in shape)


def pair(name: str, value: object, least: int = 1) -> Pair:
    """Return a number or a pair, of at least `least` each, as the pair (height, width).

    >>> pair("kernel", 3)
    (3, 3)
    """
    if type(value) is int and value >= least:
        return value, value
    match [as_int(side, least) for side in _sides(value, 2)]:
        case [int(height), int(width)]:
            return height, width
    what = "a positive integer" if least else "an integer from 0"
    raise ShapeError(f"{name} is {value!r}; give {what} or a pair (height, width)")


def quad(name: str, value: object) -> Quad | Literal["same"]:
    """Return a padding as (top, bottom, left, right); "same" stays a word.

    >>> quad("padding", 1), quad("padding", (1, 2)), quad("padding", "valid")
    ((1, 1, 1, 1), (1, 1, 2, 2), (0, 0, 0, 0))
    """
    if value == "same":
        return "same"
    if type(value) is int and value >= 0:
        return value, value, value, value
    match [as_int(side, 0) for side in _sides(0 if value == "valid" else value, 4)]:
        case [int(height), int(width)]:
            return height, height, width, width
        case [int(top), int(bottom), int(left), int(right)]:
            return top, bottom, left, right
    raise ShapeError(
        f"{name} is {value!r}; give a non-negative integer, a pair (height, width), "
        '(top, bottom, left, right), "same" or "valid"'
    )


def _sides(value: object, count: int) -> Sequence[object]:
    return value if isinstance(value, tuple | list) else (value,) * count


def pad_sides(padding: Padding) -> Quad | None:
    """Return the four sides of a padding, or None for "same", which depends on the map."""
    sides = quad("padding", padding)
    return None if sides == "same" else sides


def same_sides(n: int, kernel: int, stride: int, dilation: int) -> Pair:
    """Return what "same" pads before and after an axis of length n.

    The odd one goes after, as in TensorFlow (documentation of `tf.nn`, SAME padding).

    >>> same_sides(224, 3, 2, 1)
    (0, 1)
    """
    total = max((-(-n // stride) - 1) * stride + dilation * (kernel - 1) + 1 - n, 0)
    return total // 2, total - total // 2


def window_output(layer: Window, height: int, width: int) -> Pair:
    """Return (H_out, W_out) of a window layer.

    Without "same": ⌊(H + P_top + P_bottom − D · (K − 1) − 1) / S⌋ + 1; with `ceil_mode` the
    division rounds up, but a last window that would start in the padding is dropped, as in PyTorch
    (documentation of `MaxPool2d`).
    """
    s_h, s_w = layer.stride
    if layer.padding == "same":
        return ceil_div(height, s_h), ceil_div(width, s_w)
    top, bottom, left, right = layer.padding
    k_h, k_w = layer.kernel
    d_h, d_w = layer.dilation
    room_h = height + top + bottom - d_h * (k_h - 1) - 1
    room_w = width + left + right - d_w * (k_w - 1) - 1
    if room_h < 0 or room_w < 0:
        raise ShapeError(_misfit(layer, (height, width)))
    if getattr(layer, "ceil_mode", False):
        return (
            _ceil_windows(room_h, s_h, height + max(top, bottom)),
            _ceil_windows(room_w, s_w, width + max(left, right)),
        )
    return room_h // s_h + 1, room_w // s_w + 1


def _ceil_windows(room: int, stride: int, end: int) -> int:
    """Return how many windows there are when the division rounds up and none starts past `end`."""
    count = ceil_div(room, stride) + 1
    return count - 1 if (count - 1) * stride >= end else count


def _misfit(layer: Window, size: Pair) -> str:
    sides, dilation = layer.padding, layer.dilation
    spread = "" if dilation == (1, 1) else f" with dilation {shape_text(dilation)}"
    padding = sides[0] if len(set(sides)) == 1 else sides
    return (
        f"kernel {shape_text(layer.kernel)}{spread} does not fit a {shape_text(size)} map "
        f"with padding {padding}; use a smaller kernel, more padding or a larger input"
    )


def split_padding(layer: Window, height: int, width: int) -> tuple[Quad, Pair]:
    """Return (top, bottom, left, right) padded by a copy first, and (height, width) by the kernel.

    PyTorch's kernels take one padding per axis, for both sides; those of pools at most half the
    kernel. What one side has more, or a pool does not take, needs a padded copy (for convolutions
    with "same", ATen's `convolution_same` makes it).
    """
    k_h, k_w = layer.kernel
    if layer.padding == "same":
        (s_h, s_w), (d_h, d_w) = layer.stride, layer.dilation
        sides = (*same_sides(height, k_h, s_h, d_h), *same_sides(width, k_w, s_w, d_w))
    else:
        sides = layer.padding
    top, bottom, left, right = sides
    p_h, p_w = min(top, bottom), min(left, right)
    if layer.pads_half_at_most:
        p_h, p_w = p_h if 2 * p_h <= k_h else 0, p_w if 2 * p_w <= k_w else 0
    return (top - p_h, bottom - p_h, left - p_w, right - p_w), (p_h, p_w)


def copied_for_padding(layer: Window, shape: tuple[int, ...]) -> int:
    """Return the values of the padded copy that a window layer needs, 0 where it needs none.

    The layer then keeps that copy instead of its input.
    """
    h, w, c = shape
    (top, bottom, left, right), _ = split_padding(layer, h, w)
    if not (top or bottom or left or right):
        return 0
    return (h + top + bottom) * (w + left + right) * c
