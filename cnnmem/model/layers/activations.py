"""Activations and dropout."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from cnnmem.errors import ShapeError, look_up
from cnnmem.model.formula import exact_div

from .base import (
    ITS_INPUT,
    ITS_OUTPUT,
    NO_ARITHMETIC,
    NOTHING,
    Kept,
    Layer,
    Operations,
    Shape,
)

# What an activation's backward reads (`result` or `self` in PyTorch's derivatives.yaml; a copy is
# one per value), and whether PyTorch has it in place.
ACTIVATIONS: dict[str, tuple[Kept, bool]] = {
    "relu": (ITS_OUTPUT, True),
    "sigmoid": (ITS_OUTPUT, True),
    "tanh": (ITS_OUTPUT, True),
    "softmax": (ITS_OUTPUT, False),
    "relu6": (ITS_INPUT, True),
    "hardtanh": (ITS_INPUT, True),
    "silu": (ITS_INPUT, True),
    "hardswish": (ITS_INPUT, True),
    "hardsigmoid": (ITS_INPUT, True),
    "gelu": (ITS_INPUT, False),
    "elu": (ITS_INPUT, True),
    "selu": (ITS_INPUT, True),
    "celu": (ITS_INPUT, True),
    "leaky_relu": (ITS_INPUT, True),
    "mish": (ITS_INPUT, True),
    "softplus": (ITS_INPUT, False),
    "log_softmax": (ITS_OUTPUT, False),
    "log_sigmoid": (Kept(inputs=True, copies=1), False),
    "softsign": (Kept(inputs=True, copies=1), False),
    "tanhshrink": (Kept(copies=1), False),
    "softshrink": (ITS_INPUT, False),
    "hardshrink": (ITS_INPUT, False),
    "threshold": (ITS_INPUT, True),
}
# In place these read their output instead, which PyTorch can invert (`derivatives.yaml`).
INVERTIBLE = ("elu", "selu", "celu", "leaky_relu")


def has_in_place(function: str) -> bool:
    """Return whether PyTorch has an in-place form of an activation."""
    return look_up("activation", function, ACTIVATIONS)[1]


@dataclass(frozen=True)
class Activation(Layer):
    """A function of each value (softmax: of each vector of channels).

    In place, a function whose backward reads its output keeps only that output; one whose backward
    reads its input has to copy the input first.

    >>> Activation("relu").keeps((8,), (8,)) == Kept(output=True)
    True
    >>> Activation("relu6", in_place=True).keeps((8,), (8,)).copies
    8
    """

    function: str
    in_place: bool = False

    family: ClassVar[str] = "activations"

    def __post_init__(self) -> None:
        if not has_in_place(self.function) and self.in_place:
            raise ShapeError(f"{self.function} has no in-place form; leave in_place out")

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.function

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        kept = ACTIVATIONS[self.function][0]
        if self.in_place and self.function in INVERTIBLE:
            return ITS_OUTPUT
        if self.in_place and kept.inputs:
            return Kept(copies=math.prod(output))
        return kept._replace(copies=math.prod(output)) if kept.copies else kept

    def one_value(self, *inputs: Shape) -> Operations:
        return Operations(comparisons=1) if self.function == "relu" else super().one_value(*inputs)


def ReLU(in_place: bool = False) -> Activation:
    """Return max(0, x) as a layer."""
    return Activation("relu", in_place)


def ReLU6(in_place: bool = False) -> Activation:
    """Return min(max(0, x), 6) as a layer."""
    return Activation("relu6", in_place)


def Softmax() -> Activation:
    """Return the softmax over the channels as a layer."""
    return Activation("softmax")


SLOPES: dict[str, Callable[[Shape], Shape]] = {
    "layer": lambda shape: (1,),
    "channel": lambda shape: shape[-1:],
    "value": lambda shape: shape,
}


@dataclass(frozen=True)
class PReLU(Layer):
    """A leaky ReLU whose slope is learned: one for the `layer`, each `channel` or each `value`.

    >>> [PReLU(each).weights((7, 7, 64)) for each in ("layer", "channel", "value")]
    [1, 64, 3136]
    """

    each: Literal["layer", "channel", "value"] = "layer"

    kind: ClassVar[str] = "prelu"
    title: ClassVar[str] = "PReLU"
    family: ClassVar[str] = "activations"

    def __post_init__(self) -> None:
        look_up("kind of PReLU", self.each, SLOPES)

    def weights(self, *inputs: Shape) -> int:
        return math.prod(SLOPES[self.each](inputs[0]))

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return ITS_INPUT

    def arrays(self, *inputs: Shape) -> tuple[Shape, ...]:
        return (SLOPES[self.each](inputs[0]),)


@dataclass(frozen=True)
class GLU(Layer):
    """A gated linear unit: one half of the channels times the sigmoid of the other half.

    >>> GLU().output_shape((50, 128))
    (50, 64)
    """

    kind: ClassVar[str] = "glu"
    title: ClassVar[str] = "GLU"
    family: ClassVar[str] = "activations"

    def output_shape(self, *inputs: Shape) -> Shape:
        *sizes, channels = inputs[0]
        if channels % 2:
            raise ShapeError(f"{channels} channels have no two halves; give an even number")
        return (*sizes, exact_div(channels, 2))

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return ITS_INPUT


@dataclass(frozen=True)
class Dropout(Layer):
    """Dropout with probability `p`.

    In use it passes its input through, so it counts as a view; in training it makes a new tensor,
    or writes over its input, and keeps a mask. On the CPU the mask has the network's dtype: it is a
    factor of the input (ATen's Dropout.cpp).
    """

    p: float = 0.5
    in_place: bool = False

    kind: ClassVar[str] = "dropout"
    shares_gradient: ClassVar[bool] = True

    def __post_init__(self) -> None:
        p: object = self.p
        if not (isinstance(p, int | float) and 0 <= p < 1):
            raise ShapeError(
                f"{self.kind} p is {self.p!r}; give the share to drop, at least 0 and less than 1 "
                "(1 would leave nothing)"
            )

    @property
    def view(self) -> bool:  # type: ignore[override]
        return not self.in_place

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(masks=math.prod(output)) if self.p else NOTHING

    def one_value(self, *inputs: Shape) -> Operations:
        return NO_ARITHMETIC


@dataclass(frozen=True)
class StochasticDepth(Dropout):
    """Dropout of whole images in a residual branch: the mask has one value per image.

    Source: Huang et al., "Deep networks with stochastic depth" (arXiv 1603.09382), as in
    `torchvision.ops.StochasticDepth` with the mode "row".

    >>> StochasticDepth(0.2).keeps((7, 7, 320), (7, 7, 320)).masks
    1
    """

    kind: ClassVar[str] = "stochastic_depth"

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(masks=1) if self.p else NOTHING
