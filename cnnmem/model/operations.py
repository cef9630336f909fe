"""Multiplications and additions counted apart, and a convolution worked out to check the counts.

A MAC is one multiplication and one addition as a pair. This module takes the pair apart: for one
output value, for a whole layer, and, in `convolve`, by doing the sum and counting along.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any, cast

from cnnmem.errors import ShapeError

from .layers import Conv2d, DepthwiseConv2d, Layer, Operations, Shape
from .windows import split_padding

Nested = list[Any]  # lists of lists of numbers: [row][column][channel]


def one_value(layer: Layer, *inputs: Shape) -> Operations:
    """Return the arithmetic behind one output value of a layer.

    A sum of n products takes n multiplications and n - 1 additions; a bias takes one more addition.
    A value in the padding counts like any other. BatchNorm is written out: subtract the mean,
    divide by the deviation, times the scale, plus the shift. Layers that only move values need
    none. Raises `CnnmemError` for a layer whose values differ in cost, or need other operations.

    >>> one_value(Conv2d(8, 3), (5, 5, 3))
    Operations(multiplications=27, additions=27, comparisons=0)
    >>> one_value(Conv2d(8, 3, bias=False), (5, 5, 3)).additions
    26
    """
    return layer.one_value(*inputs)


def operations(layer: Layer, *inputs: Shape) -> Operations:
    """Return the arithmetic of a whole layer for one image.

    >>> operations(Conv2d(8, 3), (5, 5, 3))
    Operations(multiplications=1944, additions=1944, comparisons=0)
    """
    return one_value(layer, *inputs) * math.prod(layer.output_shape(*inputs))


@dataclass(frozen=True)
class Tally:
    """A result and the operations that were done to get it."""

    output: Nested
    done: Operations


def whole_numbers(shape: Shape, seed: int = 0) -> Nested:
    """Return small random integers of a shape as nested lists; a seed always gives the same ones.

    >>> whole_numbers((2, 3))
    [[2, 2, -4], [0, 4, 3]]
    """
    draw = Random(seed)

    def fill(sizes: Shape) -> Any:
        return [fill(sizes[1:]) for _ in range(sizes[0])] if sizes else draw.randint(-4, 4)

    return fill(tuple(shape))  # type: ignore[no-any-return]


def convolve(layer: Conv2d, image: Nested, weights: Nested, biases: list[int]) -> Tally:
    """Work out a convolution in plain Python, and count each multiplication and addition.

    `image` is [row][column][channel], `weights` [row][column][input channel of the group][filter],
    as Keras stores them; `biases` may be empty. Raises `ShapeError` if they do not fit together.

    >>> one = convolve(Conv2d(1, 2, bias=False), [[[1], [2]], [[3], [4]]],
    ...                [[[[1]], [[10]]], [[[100]], [[1000]]]], [])
    >>> one.output, one.done.multiplications, one.done.additions
    ([[[4321]]], 4, 3)
    """
    shape = (len(image), len(image[0]), len(image[0][0]))
    _check(layer, shape, weights, biases)
    height, width, filters = layer.output_shape(shape)
    multiplications = additions = 0
    output: Nested = [[[0] * filters for _ in range(width)] for _ in range(height)]
    for row, column, out in product(range(height), range(width), range(filters)):
        products = []
        for value, weight in _pairs(layer, image, shape, weights, row, column, out):
            products.append(value * weight)
            multiplications += 1
        total = products[0]
        for term in [*products[1:], *biases[out : out + 1]]:
            total += term
            additions += 1
        output[row][column][out] = total
    return Tally(output, Operations(multiplications, additions))


def _check(layer: Conv2d, shape: Shape, weights: Nested, biases: list[int]) -> None:
    k_h, k_w = layer.kernel  # type: ignore[misc]
    wanted = (k_h, k_w, shape[-1] // layer.groups, layer.out_channels)
    given = (len(weights), len(weights[0]), len(weights[0][0]), len(weights[0][0][0]))
    if isinstance(layer, DepthwiseConv2d) or given != wanted:
        raise ShapeError(f"weights have the shape {given}; the layer needs {wanted}")
    if len(biases) != layer.biases(shape):
        raise ShapeError(f"{len(biases)} biases given; the layer has {layer.biases(shape)}")


def _pairs(
    layer: Conv2d, image: Nested, shape: Shape, weights: Nested, row: int, column: int, out: int
) -> Iterator[tuple[int, int]]:
    """Yield each value under the window (0 in the padding) with its weight."""
    height, width, channels = shape
    (more_top, _, more_left, _), (p_h, p_w) = split_padding(cast(Any, layer), (height, width))
    (k_h, k_w), (s_h, s_w), (d_h, d_w) = layer.kernel, layer.stride, layer.dilation  # type: ignore[misc]
    share = channels // layer.groups
    first = out // (layer.out_channels // layer.groups) * share
    for i, j, c in product(range(k_h), range(k_w), range(share)):
        y, x = row * s_h + i * d_h - p_h - more_top, column * s_w + j * d_w - p_w - more_left
        inside = 0 <= y < height and 0 <= x < width
        yield (image[y][x][first + c] if inside else 0), weights[i][j][c][out]
