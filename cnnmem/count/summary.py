"""`cnnmem.summary(network, (H, W, C))`: the front door of the kit.

A `Summary` is a table with everything that can be read off it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cnnmem.errors import CnnmemError
from cnnmem.model import zoo
from cnnmem.model.network import Network

from . import explain, export, totals
from .autograd import Mode
from .convention import Convention
from .table import Table, table_of
from .totals import Total

if TYPE_CHECKING:
    import pandas


class Summary(Table):
    """A network at one input size and batch as a table.

    `params`, `statistics`, `values`, `macs` and `saved_bytes` are the sums of the rows;
    `total(convention)` adds up under any named convention.
    """

    def total(self, convention: Convention | str = "tensors") -> Total:
        """Return the total under a convention (default: `conventions.TENSORS`)."""
        return totals.total(self, convention)

    def explain(self, name: str) -> str:
        """Return the formulas of a layer, in symbols and with its values filled in."""
        return explain.explain(self, name)

    def text(self, *names: str, nested: bool = False, depth: int | None = None) -> str:
        """Return the rows of the named layers (without names: the whole table) as text.

        With `nested` the table is the tree of modules, each with the sums of what is in it; `depth`
        limits it to so many levels.

        >>> print(summary("lenet5").text("conv2"))
        name   kind  output        weights  biases  statistics  values     macs  saved
        ------------------------------------------------------------------------------
        conv2  conv  10 x 10 x 16    2,400      16           0   1,600  240,000  4,704
        """
        if nested or depth is not None:
            return export.to_tree(self, depth)
        return export.rows_as_text(self, names) if names else export.to_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain lists and ints, as `--json` prints it."""
        return export.to_dict(self)

    def to_csv(self) -> str:
        """Return the table as CSV text, a header line first."""
        return export.to_csv(self)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return export.to_markdown(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the table as a `pandas.DataFrame`; raises `ImportError` without pandas."""
        return export.to_pandas(self)

    def __str__(self) -> str:
        return export.to_text(self)

    def _repr_html_(self) -> str:
        return export.to_html(self)


def summary(
    network: Any,
    input_shape: Any = None,
    batch: int = 1,
    *,
    dtype: Any = None,
    mode: Mode = "train",
    **options: Any,
) -> Summary:
    """Return the table of a network.

    `network` is a `Network` or the name of one in the zoo, `input_shape` its image (H, W, C)
    (default: the one it was designed for), `batch` the number of images. `dtype` defaults to a
    torch module's own, else to "float32". `mode` "eval" gives what backward keeps in evaluation
    mode. Nothing is executed or allocated.

    A `torch.nn.Module` takes the shape of its whole input, (N, C, H, W), and a `keras.Model` that
    of one image, or none: see `table_of` of `cnnmem.frameworks.pytorch` and `.keras`, which
    get all arguments and `options`.

    Raises `ShapeError`, naming the layer, where the network does not work at this size, and
    `NetworkError` where an in-place layer overwrites what backward needs.

    >>> table = summary("vgg16")
    >>> table.params, table.values, table.macs, table.saved_bytes
    (138357544, 15237608, 15470264320, 73254912)
    """
    if isinstance(network, str):
        network = network_of(network)
    read = table_of if isinstance(network, Network) else _reader(network)
    if read is table_of and options:
        raise CnnmemError(
            f"a plain network has no option {next(iter(options))!r}; it has dtype and mode"
        )
    if dtype is not None:
        options["dtype"] = dtype
    table = read(network, input_shape, batch=batch, mode=mode, **options)
    return Summary(*[getattr(table, field.name) for field in fields(table)])


def network_of(model: Any, input_shape: Any = None) -> Network:
    """Return a model as a network: one of the zoo by its name, or a framework's model as its graph.

    `input_shape` is needed where `summary` needs it. A network made from a framework's model knows
    how it is read again at another size.

    >>> network_of("lenet5").nodes[0].name
    'conv1'
    """
    if isinstance(model, str):
        model = zoo.get(model)
    if isinstance(model, Network):
        return model
    graph = summary(model, input_shape).graph
    assert graph is not None
    return graph


def _reader(model: object) -> Callable[..., Table]:
    """Return the reader of a framework's model.

    Only here does the core look at the frameworks, and it imports none: there are no models of a
    framework that has not been imported.
    """
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
