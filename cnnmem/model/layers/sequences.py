"""Layers of sequences (L, C): embedding, attention, recurrent layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cnnmem.errors import ShapeError
from cnnmem.model.formula import exact_div
from cnnmem.model.windows import shape_text

from .base import NOTHING, Kept, Layer, Shape, Symbols, feature_map


@dataclass(frozen=True)
class Embedding(Layer):
    """A learned vector for each of `entries` indices: (L,) becomes (L, features).

    Backward keeps the int64 indices.

    >>> Embedding(30_000, 256).output_shape((128,)), Embedding(30_000, 256).weights((128,))
    ((128, 256), 7680000)
    """

    entries: int
    features: int

    kind: ClassVar[str] = "embedding"
    symbols: ClassVar[Symbols] = {"entries": "V", "features": "C_out"}

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0], self.features)

    def weights(self, *inputs: Shape) -> int:
        return self.entries * self.features

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(indices=math.prod(inputs[0]))

    def arrays(self, *inputs: Shape) -> tuple[Shape, ...]:
        return ((self.entries, self.features),)


@dataclass(frozen=True)
class DotProductAttention(Layer):
    """Scaled dot-product attention of queries (L, D, heads), keys (S, D, heads) and values.

    The heads stand last, like channels: PyTorch has them as (N, heads, L, D). Each query is
    multiplied by each key, and each weight by a value: L · S · (D + D_v) products per head (Vaswani
    et al., "Attention Is All You Need", arXiv 1706.03762). Backward keeps the three inputs, the
    output and one sum per query and head, as PyTorch's flash kernel on the CPU does; a mask or
    dropout makes it keep more.

    >>> attention = DotProductAttention()
    >>> attention.macs((197, 64, 12), *[(197, 64, 12)] * 3) == 2 * 197 * 197 * 64 * 12
    True
    """

    kind: ClassVar[str] = "attention"
    arity: ClassVar[tuple[int, int | None]] = (3, 3)

    def output_shape(self, *inputs: Shape) -> Shape:
        queries, keys, values = inputs
        if not (
            len(queries) == len(keys) == len(values) == 3
            and queries[1:] == keys[1:]
            and keys[0] == values[0]
            and keys[2] == values[2]
        ):
            raise ShapeError(
                f"attention cannot join queries {shape_text(queries)}, keys {shape_text(keys)} and "
                f"values {shape_text(values)}; give (L, D, heads), (S, D, heads), (S, D_v, heads)"
            )
        return (queries[0], values[1], queries[2])

    def macs(self, output: Shape, *inputs: Shape) -> int:
        (length, depth, heads), keys, values = inputs
        return length * keys[0] * (depth + values[1]) * heads

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return Kept(inputs=True, output=True, float32=inputs[0][0] * inputs[0][2])


@dataclass(frozen=True)
class MultiheadAttention(Layer):
    """Multi-head attention of a sequence (L, C) to itself, or of queries to keys and values.

    Four matrices: three project queries, keys and values to all heads together (`depth` values per
    head, by default C / heads), one projects back. Backward keeps the inputs, the projections, one
    sum per query and head, and what the heads give. PyTorch's own module keeps more where it also
    returns the weights; a traced table says so.

    >>> attention = MultiheadAttention(12)
    >>> attention.weights((197, 768)), attention.biases((197, 768))
    (2359296, 3072)
    """

    heads: int
    depth: int | None = None
    bias: bool = True

    kind: ClassVar[str] = "attention"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    symbols: ClassVar[Symbols] = {"heads": "h"}
    axes: ClassVar[int] = 1

    def output_shape(self, *inputs: Shape) -> Shape:
        queries, keys, values = self._three(inputs)
        for shape in (queries, keys, values):
            feature_map(shape, "attention", 1)
        if keys[0] != values[0]:
            raise ShapeError(
                f"{keys[0]} keys cannot stand for {values[0]} values; give as many of both"
            )
        self._width(queries)
        return queries

    def weights(self, *inputs: Shape) -> int:
        queries, keys, values = self._three(inputs)
        return self._width(queries) * (2 * queries[-1] + keys[-1] + values[-1])

    def biases(self, *inputs: Shape) -> int:
        return 3 * self._width(inputs[0]) + inputs[0][-1] if self.bias else 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        queries, keys, values = self._three(inputs)
        length, steps = queries[0], keys[0]
        projections = 2 * length * queries[-1] + steps * (keys[-1] + values[-1])
        return self._width(queries) * (projections + 2 * length * steps)

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        queries, keys, _ = self._three(inputs)
        length, width = queries[0], self._width(queries)
        copies = 2 * length * width + 2 * keys[0] * width
        return Kept(inputs=True, copies=copies, float32=self.heads * length)

    def needed_inputs(self, inputs: Sequence[int], learning: Sequence[bool]) -> Sequence[int]:
        return tuple(dict.fromkeys(inputs))

    def _three(self, inputs: Sequence[Shape]) -> tuple[Shape, Shape, Shape]:
        """Return the shapes of queries, keys and values; one input is all three."""
        queries = inputs[0]
        keys = inputs[1] if len(inputs) > 1 else queries
        return queries, keys, inputs[2] if len(inputs) > 2 else keys

    def _width(self, queries: Shape) -> int:
        """Return the values of all heads together at one position."""
        if self.depth is not None:
            return self.heads * self.depth
        if queries[-1] % self.heads:
            raise ShapeError(
                f"heads {self.heads} does not divide the {queries[-1]} channels; give a divisor"
            )
        return self.heads * exact_div(queries[-1], self.heads)


@dataclass(frozen=True)
class Recurrent(Layer):
    """A recurrent layer; its subclasses fix how many gates it has.

    Each gate multiplies the input and the state by a matrix.

    `biases_each` is how many biases a gate has: two in PyTorch, one in Keras (but for its GRU).
    With `last` only the last step's output is given, else that of every step. What backward keeps
    depends on the kernel (oneDNN and cuDNN keep a workspace of their own), so no count is given.
    """

    hidden: int
    layers: int = 1
    bidirectional: bool = False
    biases_each: int = 2
    last: bool = False

    gates: ClassVar[int]
    family: ClassVar[str] = "recurrent layers"
    symbols: ClassVar[Symbols] = {"hidden": "D_h", "layers": "n"}
    axes: ClassVar[int] = 1
    tells_kept: ClassVar[bool] = False

    def output_shape(self, *inputs: Shape) -> Shape:
        steps = feature_map(inputs[0], "a recurrent layer", 1)
        return (*(() if self.last else steps), self._directions() * self.hidden)

    def weights(self, *inputs: Shape) -> int:
        d, h = self._directions(), self.hidden
        first = d * self.gates * h * (inputs[0][-1] + h)
        if self.layers == 1:
            return first
        # the next ones read the hidden states of all directions
        return first + (self.layers - 1) * (d * self.gates * h * (d * h + h))

    def biases(self, *inputs: Shape) -> int:
        return self._directions() * self.biases_each * self.gates * self.hidden * self.layers

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return inputs[0][0] * self.weights(*inputs)

    def keeps(self, output: Shape, *inputs: Shape) -> Kept:
        return NOTHING

    def _directions(self) -> int:
        return 2 if self.bidirectional else 1


class LSTM(Recurrent):
    """A long short-term memory: at each step 4 · (C_in + D_h) · D_h products per direction.

    >>> lstm = LSTM(128)
    >>> lstm.weights((50, 64)), lstm.biases((50, 64)), lstm.macs((50, 128), (50, 64))
    (98304, 1024, 4915200)
    """

    kind: ClassVar[str] = "lstm"
    gates: ClassVar[int] = 4


class GRU(Recurrent):
    """A gated recurrent unit: at each step 3 · (C_in + D_h) · D_h products per direction.

    >>> GRU(128, bidirectional=True).output_shape((50, 64))
    (50, 256)
    """

    kind: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3


class RNN(Recurrent):
    """A simple recurrent layer: at each step (C_in + D_h) · D_h products per direction.

    >>> RNN(128, layers=2).weights((50, 64))
    57344
    """

    kind: ClassVar[str] = "rnn"
    gates: ClassVar[int] = 1
