"""What moves or joins values without learning: flatten, pad, add, multiply, concatenate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from cnnmem.errors import ShapeError, look_up
from cnnmem.model.windows import Sizes, shape_text

from .base import (
    ITS_INPUT,
    NO_ARITHMETIC,
    NOTHING,
    WINDOW_SYMBOLS,
    Kept,
    Layer,
    Operations,
    Shape,
    Symbols,
    feature_map,
)


@dataclass(frozen=True)
class Flatten(Layer):
    """The same values as one vector: a view, no new memory.

    >>> Flatten().output_shape((7, 7, 512))
    (25088,)
    """

    kind: ClassVar[str] = "flatten"
    view: ClassVar[bool] = True
    shares_gradient: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return (math.prod(inputs[0]),)

    def one_value(self, *inputs: Shape) -> Operations:
        return NO_ARITHMETIC


@dataclass(frozen=True)
class ZeroPad(Layer):
    """Zeros around a map of any number of axes; its subclasses fix it."""

    padding: int | Sizes

    kind: ClassVar[str] = "zero_pad"
    title: ClassVar[str] = "padding layers"
    symbols: ClassVar[Symbols] = {"padding": WINDOW_SYMBOLS["padding"]}

    def __post_init__(self) -> None:
        given: object = self.padding
        if isinstance(given, str):
            raise ShapeError(f"zero padding needs numbers, not {self.padding!r}; give 1, say")
        super().__post_init__()

    def output_shape(self, *inputs: Shape) -> Shape:
        sizes = feature_map(inputs[0], "zero padding", self.axes)
        around: Sizes = self.padding  # type: ignore[assignment]
        sides = zip(sizes, around[::2], around[1::2], strict=True)
        return (*[n + before + after for n, before, after in sides], inputs[0][-1])

    def one_value(self, *inputs: Shape) -> Operations:
        return NO_ARITHMETIC


# What the backward of each mode keeps.
EDGES = {"reflection": ITS_INPUT, "replication": ITS_INPUT, "circular": NOTHING}


@dataclass(frozen=True)
class EdgePad(ZeroPad):
    """Padding with the map's own values, over any number of axes; its subclasses fix it."""

    mode: Literal["reflection", "replication", "circular"] = "reflection"

    symbols: ClassVar[Symbols] = ZeroPad.symbols

    def __post_init__(self) -> None:
        look_up("padding mode", self.mode, EDGES)
        super().__post_init__()

    @property
    def kind(self) -> str:  # type: ignore[override]
        return f"{self.mode}_pad"

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return EDGES[self.mode]


class EdgePad1d(EdgePad, axes=1):
    """`EdgePad2d` along one axis."""


class EdgePad2d(EdgePad, axes=2):
    """Copies of the map's own values around it: mirrored, its edge, or its other side.

    The backward of mirrored and repeated values keeps the input, of which it reads only the size.

    >>> EdgePad2d(1, "replication").output_shape((224, 224, 3))
    (226, 226, 3)
    """


class EdgePad3d(EdgePad, axes=3):
    """`EdgePad2d` for volumes and videos."""


class ZeroPad1d(ZeroPad, axes=1):
    """`ZeroPad2d` along one axis."""


class ZeroPad2d(ZeroPad, axes=2):
    """Zeros around the map: a number, a pair (height, width) or (top, bottom, left, right).

    >>> ZeroPad2d((0, 1, 0, 1)).output_shape((224, 224, 3))
    (225, 225, 3)
    """


class ZeroPad3d(ZeroPad, axes=3):
    """`ZeroPad2d` for volumes and videos."""


@dataclass(frozen=True)
class Add(Layer):
    """The sum of its inputs, all of one shape; in place it overwrites the first."""

    in_place: bool = False

    kind: ClassVar[str] = "add"
    title: ClassVar[str] = "additions"
    arity: ClassVar[tuple[int, int | None]] = (2, None)
    shares_gradient: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(set(inputs)) > 1:
            raise ShapeError(
                f"cannot add {' and '.join(map(shape_text, inputs))}; "
                "project the shortcut with a 1x1 convolution of the same stride"
            )
        return inputs[0]

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(additions=len(inputs) - 1)


@dataclass(frozen=True)
class Multiply(Layer):
    """The product of two inputs of one shape, or of a map and a (1, 1, C) gate."""

    kind: ClassVar[str] = "multiply"
    family: ClassVar[str] = "products"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    def output_shape(self, *inputs: Shape) -> Shape:
        a, b = inputs
        gate = (*[1] * (len(a) - 1), a[-1])
        if a != b and not (len(a) == len(b) and gate in (a, b) and a[-1] == b[-1]):
            raise ShapeError(
                f"cannot multiply {shape_text(a)} by {shape_text(b)}; "
                "give both the same shape, or one of them (1, 1, C)"
            )
        return max(a, b)

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return ITS_INPUT

    def needed_inputs(self, inputs: Sequence[int], learning: Sequence[bool]) -> Sequence[int]:
        # a factor's gradient is the product's gradient times the other factor
        (first, second), (first_learns, second_learns) = inputs, learning
        return (first,) * second_learns + (second,) * first_learns

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(1)


@dataclass(frozen=True)
class Concatenate(Layer):
    """Its inputs side by side along the channels, copied into one new tensor.

    >>> Concatenate().output_shape((56, 56, 64), (56, 56, 32))
    (56, 56, 96)
    """

    kind: ClassVar[str] = "concatenate"
    title: ClassVar[str] = "concatenations"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    shares_gradient: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        if len({shape[:-1] for shape in inputs}) > 1:
            raise ShapeError(
                f"cannot concatenate {' and '.join(map(shape_text, inputs))}; "
                "heights and widths must agree: pool or pad one of them"
            )
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))

    def one_value(self, *inputs: Shape) -> Operations:
        return NO_ARITHMETIC
