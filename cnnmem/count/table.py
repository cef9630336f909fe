"""The table of a network: one row per layer, from which everything else is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from cnnmem.checks import positive
from cnnmem.errors import CnnmemError, UnknownNameError, nearest
from cnnmem.model.layers import Shape
from cnnmem.model.network import INPUT, Call, Network, check_image
from cnnmem.units import bytes_per_value

from .autograd import Mode, Storage, trace_storage
from .calls import Caller, call_of


class Row(NamedTuple):
    """One layer. Counts are for the whole batch, shapes for one image: (H, W, C) or (C,).

    `trainable` are the parameters that are not frozen. `stored` is the bytes of parameters and
    running statistics, each in the dtype that it is stored in.

    `values`, `views` and `overwrites` count the output's values. Only one of the three is not zero:
    the output is a new tensor, a view of the input, or the input overwritten.

    What backward keeps is counted in two ways. `saved`, in bytes, is at the first row that asks for
    a tensor, as in autograd. `kept_values` is at the row that made it; with `copies`, `masks`,
    `indices` and `batch_statistics`, which no two rows share, it gives the same sum.
    """

    name: str
    kind: str
    inputs: tuple[Shape, ...] = ()
    output: Shape = (0,)
    weights: int = 0
    biases: int = 0
    statistics: int = 0
    trainable: int = 0
    stored: int = 0
    values: int = 0
    macs: int = 0
    saved: int = 0
    views: int = 0
    overwrites: int = 0
    input_values: int = 0
    kept_values: int = 0
    copies: int = 0
    masks: int = 0
    indices: int = 0
    batch_statistics: int = 0
    block: str = ""
    functional: bool = False

    @property
    def params(self) -> int:
        """Learned parameters."""
        return self.weights + self.biases

    @property
    def outputs(self) -> int:
        """Values of the output, new or not."""
        return self.values + self.views + self.overwrites


@dataclass(frozen=True)
class Table:
    """A network at one input size and batch: its rows and their sums."""

    network: str
    image: Shape
    batch: int
    rows: tuple[Row, ...]
    dtype: str = "float32"
    mode: Mode = "train"
    graph: Network | None = None
    storage: Storage | None = None
    says_saved: bool = True
    uncounted: tuple[str, ...] = ()
    how: str = "worked out"  # or "traced", "recorded", "executed", "read" from a framework's model

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """How each row was called, as far as tools that count operations tell."""
        nodes = self.graph.nodes if self.graph is not None else ()
        images = len(self.rows) - len(nodes)
        after = zip(nodes, self.rows[images:], strict=True)
        calls = [call_of(node, row.inputs, row.params, row.macs) for node, row in after]
        return (*[Call()] * images, *calls)

    @cached_property
    def callers(self) -> tuple[Caller, ...]:
        """What decides how a tool counts each row: its kind and how it was called."""
        rows = zip(self.rows, self.calls, strict=True)
        return tuple([Caller(row.kind, row.functional, call.facts) for row, call in rows])

    @property
    def params(self) -> int:
        """Learned parameters: weights and biases."""
        return sum(row.weights + row.biases for row in self.rows)

    @property
    def trainable(self) -> int:
        """Learned parameters that are not frozen."""
        return sum(row.trainable for row in self.rows)

    @property
    def stored_bytes(self) -> int:
        """Bytes of the parameters and running statistics, each in the dtype it is stored in."""
        return sum(row.stored for row in self.rows)

    @property
    def statistics(self) -> int:
        """Running statistics of the batch normalisations."""
        return sum(row.statistics for row in self.rows)

    @property
    def values(self) -> int:
        """Feature-map values of the whole batch: the image and every newly produced tensor."""
        return sum(row.values for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the whole batch, of convolutions and matrix products only."""
        return sum(row.macs for row in self.rows)

    @property
    def saved_bytes(self) -> int | None:
        """Bytes kept for backward, as PyTorch keeps them on the CPU, without the loss.

        None if the table comes from a framework that does not say, or of a recurrent layer, which
        keeps a workspace whose size only a run shows.
        """
        if not self.says_saved:
            return None
        return sum(row.saved for row in self.rows)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        names = [row.name for row in self.rows]
        near = nearest(name, names)
        hint = f"did you mean {near!r}? Its" if near else "its"
        raise UnknownNameError(
            f"{self.network} has no layer {name!r:.99}; {hint} layers are {_some(names)}"
        )

    def __contains__(self, name: object) -> bool:
        return any(row.name == name for row in self.rows)

    def __iter__(self) -> Iterator[str]:
        return iter([row.name for row in self.rows])

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self) -> list[str]:
        """Return the names of the rows, in their order."""
        return list(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.image))
        return (
            f"<{type(self).__name__} of {self.network} at {size}, batch {self.batch}: "
            f"{self.params:,} parameters>"
        )


def _some(names: Sequence[str], most: int = 12) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def table_of(
    network: Network,
    image: Shape | None = None,
    batch: int = 1,
    *,
    dtype: str | None = None,
    mode: Mode = "train",
) -> Table:
    """Return the table of a plain network; `cnnmem.summary` is the front door.

    `image` is (H, W, C), by default the one that the network was designed for. `dtype` defaults to
    that of the framework's model that the network was made from, else to "float32". Raises what
    `cnnmem.summary` raises.

    >>> from cnnmem.model import zoo
    >>> table_of(zoo.lenet5())["conv2"].weights
    2400
    """
    batch = positive("batch", batch)
    if mode not in ("train", "eval"):
        raise CnnmemError(f'mode is {mode!r}; give "train" or "eval"')
    if network.again is not None:
        frozen = frozenset([node.name for node in network.nodes if node.frozen])
        at = network.image if image is None else check_image(image, any_axes=True)
        table: Table = network.again(at, batch, dtype, mode, frozen)
        return table
    dtype = "float32" if dtype is None else dtype
    width = bytes_per_value(dtype)
    shapes = network.trace_shapes(image)
    storage = trace_storage(network, shapes, mode)
    rows = tuple(_rows(network, shapes, storage, batch, width))
    says = False not in [node.layer.tells_kept for node in network.nodes]
    return Table(network.name, shapes[0], batch, rows, dtype, mode, network, storage, says)


def _rows(
    network: Network, shapes: list[Shape], storage: Storage, batch: int, width: int
) -> Iterator[Row]:
    sizes = [math.prod(shape) * batch for shape in shapes]
    saved = [0] * len(shapes)
    kept_values = [0] * len(shapes)
    for owner, keeper in storage.keeper.items():
        kept_values[owner] = sizes[owner]
        saved[keeper] += sizes[owner] * width
    yield Row(
        name=INPUT,
        kind=INPUT,
        output=shapes[0],
        values=sizes[0],
        kept_values=kept_values[0],
        block=INPUT,
    )
    nodes = zip(network.nodes, network.sources, storage.kept, strict=True)
    for position, (node, sources, keeps) in enumerate(nodes, 1):
        layer, output, size = node.layer, shapes[position], sizes[position]
        inputs = tuple([shapes[i] for i in sources])
        _, _, copies, masks, indices, moments, per_image, float32 = keeps
        own_bytes = 0
        if copies or masks or indices or moments or per_image or float32:
            # a batch has one mean and one deviation per channel, however large it is
            masks, indices = masks * batch, indices * batch
            copies = (copies + float32 * 4 // width) * batch
            moments += per_image * batch
            own_bytes = (copies + masks + moments) * width + indices * 8
        view, in_place = layer.view, layer.in_place
        weights, biases = layer.weights(*inputs), layer.biases(*inputs)
        statistics = layer.statistics(*inputs)
        yield Row(
            name=node.name,
            kind=layer.kind,
            inputs=inputs,
            output=output,
            weights=weights,
            biases=biases,
            statistics=statistics,
            trainable=0 if node.frozen else weights + biases,
            stored=(weights + biases + statistics) * width,
            values=0 if view or in_place else size,
            macs=layer.macs(output, *inputs) * batch,
            saved=saved[position] + own_bytes,
            views=size if view else 0,
            overwrites=size if in_place else 0,
            input_values=sum([sizes[i] for i in sources]),
            kept_values=kept_values[position],
            copies=copies,
            masks=masks,
            indices=indices,
            batch_statistics=moments,
            block=node.block,
            functional=node.functional,
        )
