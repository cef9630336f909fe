"""What a 32-bit counter adds up: a network's parameters by input size, and its arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnmem.errors import CnnmemError
from cnnmem.model import zoo
from cnnmem.model.layers import Shape

from .table import Table, table_of


def parameters_by_size(network: str, **options: Any) -> Callable[[int], int]:
    """Return a function that counts all parameters of a zoo network at an input size in pixels.

    Moving statistics are included, as in Keras.

    >>> parameters_by_size("vgg16")(1023)
    2050960168
    """
    built = zoo.get(network, **options)

    def count(size: int) -> int:
        table = table_of(built, (size, size, built.image[2]))
        return table.params + table.statistics

    return count


def weight_shapes(table: Table) -> dict[str, tuple[Shape, ...]]:
    """Return the shapes of each layer's arrays of parameters, as Keras stores them.

    Layers without parameters are left out. Raises `CnnmemError` for a table without its layers.

    >>> from cnnmem import summary
    >>> weight_shapes(summary("vgg16", (1024, 1024, 3)))["fc1"]
    ((524288, 4096), (4096,))
    """
    if table.graph is None:
        raise CnnmemError(
            f"the table of {table.network} does not hold its layers; give that of a plain network"
        )
    layers = {node.name: node.layer for node in table.graph.nodes}
    shapes = {}
    for row in table.rows:
        if row.name in layers and (row.params or row.statistics):
            shapes[row.name] = layers[row.name].arrays(*row.inputs)
    return shapes
