"""The explorer of one layer: a drawing of its window, and each of its numbers with a formula."""

from __future__ import annotations

import math
from collections.abc import Callable

from cnnmem.count.explain import formulas
from cnnmem.count.table import Row, table_of
from cnnmem.errors import CnnmemError
from cnnmem.model.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Layer,
    Linear,
    MaxPool2d,
    Operations,
    Shape,
)
from cnnmem.model.network import Network
from cnnmem.model.operations import one_value, operations
from cnnmem.model.windows import shape_text
from cnnmem.plots import LayerSketch
from cnnmem.units import memory

from .controls import Checkbox, Dropdown, Slider
from .explorer import Explorer, View

KINDS = ("convolution", "max pooling", "average pooling", "batch normalisation", "linear layer")
LARGEST = 4096  # pixels and channels; a larger layer would only make the drawing slow


def layer_of(
    kind: str,
    out: int,
    kernel: int,
    stride: int,
    padding: int,
    dilation: int,
    groups: int,
    bias: bool,
) -> Layer:
    """Return the layer for some settings; raises `ShapeError` for invalid ones.

    Settings that a kind does not use are ignored.

    >>> layer_of("max pooling", 8, 3, 2, 1, 1, 1, True).kernel
    (3, 3)
    """
    make: dict[str, Callable[[], Layer]] = {
        "convolution": lambda: Conv2d(out, kernel, stride, padding, dilation, groups, bias),
        "max pooling": lambda: MaxPool2d(kernel, stride, padding, dilation),
        "average pooling": lambda: AvgPool2d(kernel, stride, padding, dilation),
        "batch normalisation": BatchNorm,
        "linear layer": lambda: Linear(out, bias),
    }
    return make[kind]()


def one_layer(
    kind: str = "convolution",
    *,
    size: int = 7,
    channels: int = 3,
    out: int = 8,
    kernel: int = 3,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
) -> Explorer:
    """Return the explorer of one layer on one image.

    Controls: `kind` (one of `KINDS`), `size` of the map in pixels, `channels` in and `out` (of a
    convolution or a linear layer), `kernel`, `stride`, `padding`, `dilation`, `groups`, `at` and
    `filter` (which output value is looked at; both wrap around at the end), `bias`, `formulas`.

    >>> print(one_layer(stride=2, padding=1).readout.splitlines()[0])
    7 x 7 x 3 -> 4 x 4 x 8: 224 parameters (216 weights, 8 biases), 896 B; 128 output values, 512 B.
    """

    def view(
        kind: str,
        size: int,
        channels: int,
        out: int,
        kernel: int,
        stride: int,
        padding: int,
        dilation: int,
        groups: int,
        at: int,
        filter: int,
        bias: bool,
        formulas: bool,
    ) -> View:
        for name, number in (
            ("input size", size),
            ("input channels", channels),
            ("output channels", out),
        ):
            if number > LARGEST:
                raise CnnmemError(f"{name} is {number:,}; the drawing stops at {LARGEST:,}")
        layer = layer_of(kind, out, kernel, stride, padding, dilation, groups, bias)
        shape = (size, size, channels)
        table = table_of(Network.chain(kind, {kind: layer}, shape))
        sketch = LayerSketch(
            _title(kind, layer, table[kind].output), layer, shape, at - 1, filter - 1
        )
        shown = formula_table(layer, shape) if formulas else None
        return View((sketch,), readout(layer, table[kind]), shown, texts=3)

    return Explorer(
        "One layer",
        (
            Dropdown("kind", "layer", tuple((k, k) for k in KINDS), kind),
            Slider("size", "input size (px)", 1, 32, size),
            Slider("channels", "input channels", 1, 64, channels),
            Slider("out", "output channels", 1, 64, out, help="filters, or outputs"),
            Slider("kernel", "kernel", 1, 11, kernel),
            Slider("stride", "stride", 1, 6, stride, help="how far the window moves"),
            Slider("padding", "padding", 0, 5, padding, help="rows of zeros on each side"),
            Slider("dilation", "dilation", 1, 4, dilation, help="distance between the places read"),
            Slider("groups", "groups", 1, 64, groups, help="a filter sees only its group"),
            Slider("at", "output value", 1, 64, 1, help="which position of the window is shown"),
            Slider("filter", "output channel", 1, 64, 1, help="which output channel is shown"),
            Checkbox("bias", "bias", bias),
            Checkbox("formulas", "formulas", True),
        ),
        view,
        help="Move one slider at a time and say what will change before you look. Orange is what "
        "the window reads, and the one value that it produces; dots are the window's positions. "
        "Move 'output value' to push the window on. Impossible settings are explained in red.",
    )


def _title(kind: str, layer: Layer, output: Shape) -> str:
    if not hasattr(layer, "kernel"):
        return kind.capitalize()
    stride = f"stride {layer.stride[0]}"  # type: ignore[attr-defined]
    return f"{kind.capitalize()}: {shape_text(layer.kernel)} window, {stride}"


def readout(layer: Layer, row: Row) -> str:
    """Return the shape, parameters, bytes and operations of a layer in two lines."""
    (shape,) = row.inputs
    learned = "no parameters"
    if row.params:
        parts = [f"{row.weights:,} weights"] + [f"{row.biases:,} biases"] * bool(row.biases)
        if isinstance(layer, BatchNorm):
            parts = [f"{row.weights:,} scales", f"{row.biases:,} shifts"]
        learned = f"{row.params:,} parameters ({', '.join(parts)}), {memory(4 * row.params)}"
    if row.statistics:
        learned += f", and {row.statistics:,} running statistics"
    values = math.prod(row.output)
    first = (
        f"{shape_text(shape)} -> {shape_text(row.output)}: {learned}; "
        f"{values:,} output values, {memory(4 * values)}."
    )
    one, everything = one_value(layer, shape), operations(layer, shape)
    macs = f", that is {row.macs:,} MACs" if row.macs else ""
    return f"{first}\nOne output value: {_words(one)}. The layer: {_counts(everything)}{macs}."


def _named_counts(done: Operations) -> list[tuple[int, str]]:
    named = (
        (done.multiplications, "multiplication"),
        (done.additions, "addition"),
        (done.comparisons, "comparison"),
    )
    return [(count, word) for count, word in named if count]


def _words(done: Operations) -> str:
    """Return the operations in words.

    >>> _words(Operations(27, 26))
    '27 multiplications, 26 additions'
    """
    parts = [f"{count:,} {word}{'s' * (count > 1)}" for count, word in _named_counts(done)]
    return ", ".join(parts) or "no arithmetic"


def _counts(done: Operations) -> str:
    return " and ".join(f"{count:,}" for count, _ in _named_counts(done)) or "none"


def formula_table(
    layer: Layer, shape: Shape
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return header and rows: each number of a layer, its formula, the values in it, the result.

    >>> for row in formula_table(Linear(10), (20, ))[1][:2]:
    ...     print(*row, sep=" | ")
    weights | D_in · D_out | 20 · 10 | 200
    biases | D_out | 10 | 10
    """
    table = table_of(Network.chain("one", {"layer": layer}, shape))
    return ("number", "formula", "with the values", "result"), tuple(
        (f.what, f.symbols, f.numbers, f"{f.value:,}")
        for f in formulas(table, "layer", operations=True)
    )
