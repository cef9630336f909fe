"""What every layer answers: its output, its parameters, its arithmetic, what backward needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from cnnmem.checks import positive
from cnnmem.errors import CnnmemError, ShapeError
from cnnmem.model.formula import exact_div
from cnnmem.model.windows import (
    LENGTHS,
    SIDES,
    Window,
    copied_for_padding,
    per_axis,
    shape_text,
    sides,
)

Shape = tuple[int, ...]
Symbols = dict[str, str | tuple[str, ...]]


class Kept(NamedTuple):
    """What a layer's backward keeps of one image, parameters left out.

    `inputs` and `output` name whole tensors, kept once however many layers ask for them.
    The rest belongs to this layer only: `indices` are int64, `copies`, `masks` and `statistics`
    values of the network's dtype. `statistics` (the batch's mean and inverse deviation) do not grow
    with the batch, those of single images (`per_image`) do. `float32` are values of that dtype,
    whatever the network's is.
    """

    inputs: bool = False
    output: bool = False
    copies: int = 0
    masks: int = 0
    indices: int = 0
    statistics: int = 0
    per_image: int = 0
    float32: int = 0


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


# The textbook names of a window's fields: one per axis, or two for the sides of each.
WINDOW_SYMBOLS: Symbols = {
    "kernel": ("K",),
    "stride": ("S",),
    "padding": ("P", "P"),
    "dilation": ("D",),
}
_SUFFIXES = {1: ("",), 2: ("_h", "_w"), 3: ("_t", "_h", "_w")}
FROM_ZERO = ("output_padding",)  # one per axis that may be zero


def _spread(symbols: Symbols, axes: int) -> Symbols:
    """Return the symbols of a layer over so many axes.

    >>> _spread({"kernel": ("K",), "padding": ("P", "P"), "size": ("_out",), "groups": "G"}, 1)
    {'kernel': ('K',), 'padding': ('P_left', 'P_right'), 'size': ('L_out',), 'groups': 'G'}
    """
    spread: Symbols = {}
    for field, symbol in symbols.items():
        match symbol:
            case (str(letter), _):
                symbol = tuple([f"{letter}_{side}" for side in SIDES[axes]])
            case (str(ending),) if ending.startswith("_"):
                symbol = tuple([length + ending for length in LENGTHS[axes]])
            case (str(letter),):
                symbol = tuple([letter + suffix for suffix in _SUFFIXES[axes]])
        spread[field] = symbol
    return spread


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
    axes: ClassVar[int] = 0  # of the maps that a layer with a window works on
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
    # False for what keeps a workspace whose size only a run shows.
    tells_kept: ClassVar[bool] = True
    # PyTorch's pools refuse padding of more than half the kernel (ATen's `pool2d_shape_check`).
    pads_half_at_most: ClassVar[bool] = False

    def __init_subclass__(cls, axes: int = 0) -> None:
        """Make a layer over one, two or three axes of one that is written for any number."""
        super().__init_subclass__()
        if axes:
            cls.axes, cls.symbols = axes, _spread(cls.symbols, axes)

    @classmethod
    def over(cls, axes: int) -> Callable[..., Layer]:
        """Return the layer over so many axes of one that is written for any number."""
        return next(each for each in cls.__subclasses__() if each.axes == axes)

    def __post_init__(self) -> None:
        """Normalise the fields with symbols to ints, or tuples; raise for invalid values."""
        for field, symbol in self.symbols.items():
            value: Any = getattr(self, field)
            if isinstance(symbol, str):
                value = positive(field, value)
            elif len(symbol) > self.axes:
                value = sides(field, value, self.axes)
            else:
                value = per_axis(field, value, self.axes, 0 if field in FROM_ZERO else 1)
            object.__setattr__(self, field, value)

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


def feature_map(shape: Shape, what: str, axes: int) -> Shape:
    """Return the sizes of a map's axes, without its channels; raise for another shape."""
    if len(shape) != axes + 1:
        vector = len(shape) == 1
        raise ShapeError(
            f"{what} needs a feature map ({', '.join(LENGTHS[axes])}, C), "
            f"not {'the vector ' if vector else ''}{shape_text(shape)}; "
            + ("put it before the flattening" if vector else "take the layer for as many axes")
        )
    return shape[:-1]


def check_groups(groups: int, channels: int, what: str) -> None:
    """Raise if the groups of a convolution do not divide its channels, which `what` names."""
    if channels % groups:
        raise ShapeError(
            f"groups {groups} does not divide {what.format(channels)}; "
            "both channel counts must be multiples of groups"
        )


def share_of(channels: int, groups: int) -> int:
    """Return the input channels that one filter sees."""
    return channels if groups == 1 else exact_div(channels, groups)


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
