"""`summary(network, (H, W, C))`: the table, a row a layer, from which everything else is read."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnmem.errors import CnnmemError, UnknownNameError
from cnnmem.model.layers import Shape
from cnnmem.model.network import INPUT, Network
from cnnmem.model.windows import positive
from cnnmem.units import bytes_per_value

from .autograd import Mode, Storage, trace_storage

if TYPE_CHECKING:
    import pandas

    from .conventions import Convention
    from .totals import Total


class Row(NamedTuple):
    """One layer. Counts are of the whole batch, parameters of the layer.

    Shapes are of one image, (H, W, C) or (C,). `values`, `views` and `overwrites` are the output's
    values: a row has them in just one of the three, as its output is a new tensor, a view of its
    input, or its input overwritten. `saved` is in bytes; `saved_bytes = None` in a table means
    that its framework does not say.

    What backward keeps is told twice. `saved` stands at the row that asked first, as autograd does.
    `kept_values` stands at the row that made the tensor; with `copies`, `masks`, `indices` and
    `batch_statistics`, which each row has for itself, it gives the same sum.
    """

    name: str
    kind: str
    inputs: tuple[Shape, ...]
    output: Shape
    weights: int
    biases: int
    statistics: int
    values: int
    macs: int
    saved: int
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
class Summary:
    """A network at one input size and batch as a table.

    `params`, `statistics`, `values`, `macs` and `saved_bytes` are the sums of the rows;
    `total(convention)` gives any published way to add up.
    """

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

    @property
    def params(self) -> int:
        """Learned parameters: weights and biases."""
        return sum(row.weights + row.biases for row in self.rows)

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
        """Multiply-accumulates of the whole batch: convolutions and matrix products alone."""
        return sum(row.macs for row in self.rows)

    @property
    def saved_bytes(self) -> int | None:
        """Bytes kept for backward, as PyTorch keeps them on the CPU, the loss left out.

        None where the table comes from a framework that does not say.
        """
        if not self.says_saved:
            return None
        return sum(row.saved for row in self.rows)

    def total(self, convention: Convention | str = "tensors") -> Total:
        """Return the total under a convention (default: `conventions.TENSORS`)."""
        from .totals import total

        return total(self, convention)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise UnknownNameError(
            f"{self.network} has no layer {name!r}; its layers are "
            + _some([row.name for row in self.rows])
        )

    def explain(self, name: str) -> str:
        """Return the formulas of a layer, in symbols and with its values put in."""
        from .explain import explain

        return explain(self, name)

    def text(self, *names: str) -> str:
        """Return the rows of the layers named (none: the whole table) as text.

        >>> print(summary("lenet5").text("conv2"))
        name   kind  output        weights  biases  statistics  values     macs  saved
        ------------------------------------------------------------------------------
        conv2  conv  10 x 10 x 16    2,400      16           0   1,600  240,000  4,704
        """
        from .export import rows_as_text, to_text

        return rows_as_text(self, names) if names else to_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain lists and ints, as `--json` prints it."""
        from .export import to_dict

        return to_dict(self)

    def to_csv(self) -> str:
        """Return the table as CSV text, a header line first."""
        from .export import to_csv

        return to_csv(self)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        from .export import to_markdown

        return to_markdown(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the table as a `pandas.DataFrame`; raises `ImportError` without pandas."""
        from .export import to_pandas

        return to_pandas(self)

    def __str__(self) -> str:
        from .export import to_text

        return to_text(self)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.image))
        return (
            f"<Summary of {self.network} at {size}, batch {self.batch}: {self.params:,} parameters>"
        )

    def _repr_html_(self) -> str:
        from .export import to_html

        return to_html(self)


def _some(names: Sequence[str], most: int = 12) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def summary(
    network: Any,
    input_shape: Any = None,
    batch: int = 1,
    *,
    dtype: str = "float32",
    mode: Mode = "train",
    **options: Any,
) -> Summary:
    """Return the table of a network.

    `network` is a `Network` or the name of one in the zoo, `input_shape` its image (H, W, C)
    (default: the one it is made for), `batch` the number of images. `mode` "eval" gives what
    backward keeps of a network in evaluation mode. Nothing is executed or allocated.

    A `torch.nn.Module` takes the shape of its whole input, (N, C, H, W), and a `keras.Model` none,
    or that of one image: see `table_of` in `cnnmem.frameworks.pytorch` and
    in `cnnmem.frameworks.keras`, which get all arguments.

    Raises `ShapeError`, naming the layer, where the network does not work at this size, and
    `NetworkError` where an in-place layer overwrites what backward needs.

    >>> table = summary("vgg16")
    >>> table.params, table.values, table.macs, table.saved_bytes
    (138357544, 15237608, 15470264320, 73254912)
    """
    if isinstance(network, str):
        from cnnmem.model import zoo

        network = zoo.get(network)
    if not isinstance(network, Network):
        return _adapter(network)(
            network, input_shape, batch=batch, dtype=dtype, mode=mode, **options
        )
    if options:
        raise CnnmemError(
            f"a plain network has no option {next(iter(options))!r}; it has dtype and mode"
        )
    batch = positive("batch", batch)
    if mode not in ("train", "eval"):
        raise CnnmemError(f'mode is {mode!r}; give "train" or "eval"')
    width = bytes_per_value(dtype)
    shapes = network.trace_shapes(input_shape)
    storage = trace_storage(network, shapes, mode)
    rows = _rows(network, shapes, storage, batch, width)
    return Summary(network.name, shapes[0], batch, rows, dtype, mode, network, storage)


def _adapter(model: object) -> Callable[..., Summary]:
    """Return the reader of a framework's model; a framework that is not imported has no models."""
    torch, keras = sys.modules.get("torch"), sys.modules.get("keras")
    # Keras first: on its PyTorch backend a keras.Model is a torch.nn.Module too.
    if keras is not None and isinstance(model, keras.Model):
        from cnnmem.frameworks import keras as reader

        return reader.table_of
    if torch is not None and isinstance(model, torch.nn.Module):
        from cnnmem.frameworks import pytorch

        return pytorch.table_of
    raise CnnmemError(
        f"cannot summarise a {type(model).__name__}; give a cnnmem Network, the name of one in the "
        "zoo, a torch.nn.Module or a keras.Model"
    )


def _rows(
    network: Network,
    shapes: list[Shape],
    storage: Storage,
    batch: int,
    width: int,
) -> tuple[Row, ...]:
    sizes = [math.prod(shape) * batch for shape in shapes]
    saved = [0] * len(shapes)
    kept_values = [0] * len(shapes)
    for owner, keeper in storage.keeper.items():
        kept_values[owner] = sizes[owner]
        saved[keeper] += sizes[owner] * width
    rows = [
        Row(
            INPUT, INPUT, (), shapes[0], 0, 0, 0, sizes[0], 0, 0,
            kept_values=kept_values[0], block=INPUT,
        )
    ]  # fmt: skip
    for position, (node, sources, keeps) in enumerate(
        zip(network.nodes, network.sources, storage.kept, strict=True), 1
    ):
        layer, output, size = node.layer, shapes[position], sizes[position]
        inputs = tuple([shapes[i] for i in sources])
        _, _, copies, masks, indices, statistics = keeps
        alone = 0
        if copies or masks or indices or statistics:
            copies, masks, indices = copies * batch, masks * batch, indices * batch
            alone = (copies + masks + statistics) * width + indices * 8
        view, in_place = layer.view, layer.in_place
        rows.append(
            Row(
                node.name,
                layer.kind,
                inputs,
                output,
                layer.weights(*inputs),
                layer.biases(*inputs),
                layer.statistics(*inputs),
                0 if view or in_place else size,
                layer.macs(output, *inputs) * batch,
                saved[position] + alone,
                size if view else 0,
                size if in_place else 0,
                sum([sizes[i] for i in sources]),
                kept_values[position],
                copies,
                masks,
                indices,
                statistics,
                node.block,
                node.functional,
            )
        )
    return tuple(rows)
