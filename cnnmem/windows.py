"""The arithmetic of a window that slides over a map: kernel, stride, padding, dilation.

A padding is kept as (top, bottom, left, right), or as the word "same", which depends on the map.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from .errors import ShapeError
from .formula import ceil_div

Pair = tuple[int, int]
Quad = tuple[int, int, int, int]
Padding = int | Pair | Quad | Literal["same", "valid"]


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as people write it.

    >>> shape_text((224, 224, 3)), shape_text((1000,))
    ('224 x 224 x 3', '1000')
    """
    return " x ".join(str(int(n)) for n in shape)


def is_int(value: object) -> bool:
    """Return whether a value is a whole number (True and False are not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def positive(name: str, value: object) -> int:
    """Return `value` if it is a whole number from 1 on; else raise."""
    if not is_int(value) or value < 1:  # type: ignore[operator]
        raise ShapeError(f"{name} is {value!r}; it must be a whole number from 1 on")
    return value  # type: ignore[return-value]


def pair(name: str, value: object) -> Pair:
    """Return a number or a pair as the pair (height, width).

    >>> pair("kernel", 3)
    (3, 3)
    """
    if is_int(value):
        return (positive(name, value), value)  # type: ignore[return-value]
    if isinstance(value, tuple | list) and len(value) == 2:
        return (positive(name, value[0]), positive(name, value[1]))
    raise ShapeError(f"{name} is {value!r}; give a whole number or a pair (height, width)")


def quad(padding: object) -> Quad | Literal["same"]:
    """Return a padding as (top, bottom, left, right); "same" stays a word.

    >>> quad(1), quad((1, 2)), quad("valid")
    ((1, 1, 1, 1), (1, 1, 2, 2), (0, 0, 0, 0))
    """
    if padding == "same":
        return "same"
    if padding == "valid":
        return (0, 0, 0, 0)
    sides = (padding,) * 4 if is_int(padding) else padding
    if isinstance(sides, tuple | list) and all(is_int(p) and p >= 0 for p in sides):
        if len(sides) == 2:
            return (sides[0], sides[0], sides[1], sides[1])
        if len(sides) == 4:
            return tuple(sides)  # type: ignore[return-value]
    raise ShapeError(
        f"padding is {padding!r}; give a whole number from 0 on, a pair (height, width), "
        '(top, bottom, left, right), "same" or "valid"'
    )


def pad_sides(padding: Any) -> Quad | None:
    """Return the four sides of a padding, or None for "same", which depends on the map."""
    return None if padding == "same" else padding


def same_sides(n: int, kernel: int, stride: int, dilation: int) -> Pair:
    """Return what "same" puts before and after an axis of length n: the odd one goes after.

    >>> same_sides(224, 3, 2, 1)
    (0, 1)
    """
    total = max((-(-n // stride) - 1) * stride + dilation * (kernel - 1) + 1 - n, 0)
    return total // 2, total - total // 2


def window_output(layer: Any, height: int, width: int) -> Pair:
    """Return (H_out, W_out) of a window layer.

    Without "same": ⌊(H + P_top + P_bottom − D · (K − 1) − 1) / S⌋ + 1; with `ceil_mode` the
    division rounds up, but a last window that would start in the padding is dropped (PyTorch).
    """
    if layer.padding == "same":
        s_h, s_w = layer.stride
        return ceil_div(height, s_h), ceil_div(width, s_w)
    top, bottom, left, right = layer.padding
    return (
        _axis(layer, 0, height, top, bottom, (height, width)),
        _axis(layer, 1, width, left, right, (height, width)),
    )


def _axis(layer: Any, axis: int, n: int, before: int, after: int, size: Pair) -> int:
    kernel, stride, dilation = layer.kernel[axis], layer.stride[axis], layer.dilation[axis]
    room = n + before + after - dilation * (kernel - 1) - 1
    if room < 0:
        k_h, k_w = layer.kernel
        spread = "" if layer.dilation == (1, 1) else f" with dilation {shape_text(layer.dilation)}"
        padding = (
            f"padding {layer.padding[0]}"
            if len(set(layer.padding)) == 1
            else (f"padding {layer.padding}")
        )
        raise ShapeError(
            f"kernel {shape_text((k_h, k_w))}{spread} does not fit a {shape_text(size)} map "
            f"with {padding}; use a smaller kernel, more padding or a larger input"
        )
    if getattr(layer, "ceil_mode", False):
        out = ceil_div(room, stride) + 1
        return out - 1 if (out - 1) * stride >= n + max(before, after) else out
    return room // stride + 1


def split_padding(layer: Any, height: int, width: int) -> tuple[Quad, Pair]:
    """Return (top, bottom, left, right) padded by a copy first, and (height, width) by the kernel.

    PyTorch's kernels pad alike on both sides, those of pools by half the kernel at most. What one
    side has more, and what is too much for a pool, is padded by a copy.
    """
    if layer.padding == "same":
        top, bottom = same_sides(height, layer.kernel[0], layer.stride[0], layer.dilation[0])
        left, right = same_sides(width, layer.kernel[1], layer.stride[1], layer.dilation[1])
    else:
        top, bottom, left, right = layer.padding
    by_kernel = [min(top, bottom), min(left, right)]
    if layer.kind.endswith("pool"):
        by_kernel = [p if 2 * p <= k else 0 for p, k in zip(by_kernel, layer.kernel, strict=True)]
    p_h, p_w = by_kernel
    return (top - p_h, bottom - p_h, left - p_w, right - p_w), (p_h, p_w)


def copied_for_padding(layer: Any, shape: tuple[int, ...]) -> int:
    """Return the values of the padded copy that a window layer needs, 0 where it needs none.

    The layer then keeps that copy instead of its input.
    """
    h, w, c = shape
    (top, bottom, left, right), _ = split_padding(layer, h, w)
    if not (top or bottom or left or right):
        return 0
    return math.prod((h + top + bottom, w + left + right, c))
