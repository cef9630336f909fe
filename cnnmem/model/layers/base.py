"""What every layer answers: its output, its parameters, its arithmetic, what backward needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

from cnnmem.checks import positive
from cnnmem.errors import CnnmemError, ShapeError
from cnnmem.model.windows import Window, copied_for_padding, pair, quad, shape_text

Shape = tuple[int, ...]
Symbols = dict[str, str | tuple[str, ...]]


class Kept(NamedTuple):
    """What a layer's backward keeps of one image, parameters left out.

    `inputs` and `output` name whole tensors, kept once however many layers ask for them.
    The rest belongs to this layer only: `indices` are int64, `copies`, `masks` and `statistics`
    values of the network's dtype. `statistics` (the batch's mean and inverse deviation) do not grow
    with the batch, those of single images (`per_image`) do.
    """

    inputs: bool = False
    output: bool = False
    copies: int = 0
    masks: int = 0
    indices: int = 0
    statistics: int = 0
    per_image: int = 0


NOTHING = Kept()
ITS_INPUT = Kept(inputs=True)
ITS_OUTPUT = Kept(output=True)


@dataclass(frozen=True)
class Operations:
    """How much arithmetic: subtractions count as additions, divisions as multiplications.

    >>> Operations(27, 27) * 9
    Operations(multiplications=243, additions=243, comparisons=0)
    """

    multiplications: int = 0
    additions: int = 0
    comparisons: int = 0

    def __mul__(self, times: int) -> Operations:
        return Operations(
            self.multiplications * times, self.additions * times, self.comparisons * times
        )

    @property
    def flops(self) -> int:
        """Multiplications and additions together; comparisons are neither."""
        return self.multiplications + self.additions


NO_ARITHMETIC = Operations()


# The textbook names of a window's fields.
WINDOW_SYMBOLS: Symbols = {
    "kernel": ("K_h", "K_w"),
    "stride": ("S_h", "S_w"),
    "padding": ("P_top", "P_bottom", "P_left", "P_right"),
    "dilation": ("D_h", "D_w"),
}
# How a constructor normalises a field with one, two or four symbols.
NORMAL: dict[int, Callable[[str, object], Any]] = {1: positive, 2: pair, 4: quad}
FROM_ZERO = ("output_padding",)  # pairs that may be zero


@dataclass(frozen=True)
class Layer:
    """What every layer answers; the defaults are those of a layer that passes a shape through.

    A new kind of layer is one class: no code outside compares kinds to find out what it does.
    """

    kind: ClassVar[str]
    title: ClassVar[str] = ""  # what people call its rows, where that is not its kind
    family: ClassVar[str] = ""  # kinds that conventions and charts group together
    arity: ClassVar[tuple[int, int | None]] = (1, 1)  # how many inputs: least, most
    symbols: ClassVar[Symbols] = {}  # the textbook names of the fields
    view: ClassVar[bool] = False  # the output is the input's storage, unchanged
    in_place = False  # the output overwrites the input's storage; a field where there is a choice

    # What follows was read off PyTorch 2.13 (tests/frameworks/pytorch).
    # Backward passes the output's gradient on as it is, or as a view, unless it drew a mask.
    shares_gradient: ClassVar[bool] = False
    # Backward is one function, which saves all it may need as soon as any gradient is required. A
    # linear layer is a matrix product, which saves an operand only for the other one's gradient
    # (`convolution_backward` and `addmm` in PyTorch's derivatives.yaml).
    saves_together: ClassVar[bool] = True
    # `torch.autocast` runs it in low precision and casts its weights (Autocast Op Reference).
    autocast: ClassVar[bool] = False
    # PyTorch's pools refuse padding of more than half the kernel (ATen's `pool2d_shape_check`).
    pads_half_at_most: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Normalise the fields with symbols to ints, pairs or sides; raise for invalid values."""
        for field, symbol in self.symbols.items():
            normal = NORMAL[1 if isinstance(symbol, str) else len(symbol)]
            if field in FROM_ZERO:
                normal = partial(pair, least=0)
            object.__setattr__(self, field, normal(field, getattr(self, field)))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the output; raise `ShapeError` if the inputs do not fit."""
        return inputs[0]

    def weights(self, *inputs: Shape) -> int:
        """Return the number of learned weights."""
        return 0

    def biases(self, *inputs: Shape) -> int:
        """Return the number of learned biases (BatchNorm: its shift)."""
        return 0

    def statistics(self, *inputs: Shape) -> int:
        """Return the number of running statistics, which are stored but not learned."""
        return 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        """Return the multiply-accumulates of one image, in convolutions and matrix products."""
        return 0

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        """Return what backward keeps of one image in training."""
        return NOTHING

    def needed_inputs(self, inputs: Sequence[int], learning: Sequence[bool]) -> Sequence[int]:
        """Return the inputs that backward reads; `learning` says which ones need a gradient."""
        return inputs

    def channels_read(self, channel: int, channels_in: int, channels_out: int) -> range:
        """Return the input channels that an output channel reads: here, one for itself."""
        first = channel * channels_in // channels_out
        return range(first, first + 1)

    def arrays(self, *inputs: Shape) -> tuple[Shape, ...]:
        """Return the shapes of the arrays of parameters, in the order and layout of Keras."""
        return ()

    def one_value(self, *inputs: Shape) -> Operations:
        """Return the arithmetic behind one output value.

        Raises `CnnmemError` for a layer whose values differ in cost, or need other operations.
        """
        raise CnnmemError(
            f"the operations behind one value of a layer of kind {self.kind!r} cannot be counted; "
            "write it with convolutions, linear layers, pools, BatchNorm and ReLU"
        )


def feature_map(shape: Shape, what: str) -> tuple[int, int, int]:
    """Return height, width and channels; raise for a vector."""
    if len(shape) != 3:
        raise ShapeError(
            f"{what} needs a feature map (H, W, C), not the vector {shape_text(shape)}; "
            "put it before the flattening"
        )
    return shape


def keeps_padded(layer: Window, shape: Shape) -> Kept:
    """Keep the input, or its padded copy if one is made (`split_padding`)."""
    copies = copied_for_padding(layer, shape)
    return Kept(copies=copies) if copies else ITS_INPUT


@dataclass(frozen=True)
class Recorded(Layer):
    """A layer known by its numbers at one size: a call of a framework's model without a formula.

    Its counts are in the rows of the table that the model became. As a layer it answers for its
    output's shape only.

    >>> Recorded("roll", (7, 7, 96)).output_shape((7, 7, 96))
    (7, 7, 96)
    """

    name: str
    output: Shape = (0,)
    is_view: bool = False

    arity: ClassVar[tuple[int, int | None]] = (0, None)

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.name

    @property
    def view(self) -> bool:  # type: ignore[override]
        return self.is_view

    @property
    def shares_gradient(self) -> bool:  # type: ignore[override]
        return self.is_view

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.output
