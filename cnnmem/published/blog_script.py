"""A blog's script that counts the MACs of MobileNet without its padding, replayed."""

from __future__ import annotations

from cnnmem.checks import positive
from cnnmem.count.conventions import CONVOLUTION
from cnnmem.count.table import table_of
from cnnmem.model import zoo


def script_layers(size: int, separable: bool) -> tuple[tuple[str, int, int], ...]:
    """Replay the script of a blog on MobileNet: each convolution's name, map side and MACs.

    It takes a convolution's output to be round((n - 2) / stride) wide: no padding. On a small image
    the sides become 0 and then negative, and their squares are counted all the same.

    >>> script_layers(32, separable=False)[-2:]
    (('conv_12', -7, 231211008), ('conv_13', -9, 764411904))
    """
    table = table_of(zoo.mobilenet_v1(separable=separable))
    layers, n = [], positive("size", size)
    for row in table.rows:
        if row.kind in CONVOLUTION:
            if not row.name.startswith("conv_pw"):  # a pointwise one keeps the side
                n = round((n - 2) / (row.inputs[0][0] // row.output[0]))
            layers.append((row.name, n, row.weights * n * n))
    return tuple(layers)


def script_macs(size: int, separable: bool) -> tuple[int, tuple[int, ...]]:
    """Return the MACs of the blog's script and the map sides it computes, the image's first.

    >>> script_macs(160, separable=True)[0], script_macs(160, separable=False)[0]
    (126373376, 1045417824)
    """
    layers = script_layers(size, separable)
    sides = [n for name, n, _ in layers if not name.startswith("conv_pw")]
    return sum(macs for *_, macs in layers), (size, *sides)
