"""Counters under audit: what each tool counts besides the multiply-accumulates.

>>> from cnnmem import summary
>>> {group: sum(column) for group, column in extras(summary("resnet18"), "thop").items()}
{'batch normalisation': 9934848, 'pooling': 25600}
"""

from __future__ import annotations

from fractions import Fraction

from cnnmem.errors import look_up
from cnnmem.model.kinds import family_of
from cnnmem.units import FLOPS

from . import conventions
from .convention import Convention
from .table import Table
from .tools import TOOLS
from .totals import column, total

GROUPS = ("biases", "batch normalisation", "activations", "pooling", "products")


def extras(table: Table, convention: Convention | str) -> dict[str, list[int]]:
    """Return what a convention counts besides the MACs: for each of `GROUPS`, a number per row.

    A group that adds nothing is left out. A factor (2 FLOPs per MAC) is not an extra.

    >>> from cnnmem import summary
    >>> list(extras(summary("resnet18"), "ptflops-pytorch"))
    ['biases', 'batch normalisation', 'activations', 'pooling']
    """
    convention = conventions.get(convention)
    found: dict[str, list[int]] = {group: [0] * len(table.rows) for group in GROUPS}
    for count in convention.counts:
        if count.quantity == "macs":
            continue
        values = column(table, count.quantity)
        for i, row in enumerate(table.rows):
            if values[i] and count.applies(row.kind, row.functional):
                group = "biases" if count.quantity == "bias additions" else family_of(row.kind)
                found[group][i] += int(values[i] * Fraction(count.times))
    return {group: added for group, added in found.items() if any(added)}


def sentence(table: Table, tool: str) -> str:
    """Return a sentence: what a tool counts for a network, and what it adds to the MACs.

    >>> from cnnmem import summary
    >>> print(sentence(summary("resnet18"), "torchprofile"))
    torchprofile: 1,816,557,568 MACs = 1,814,073,344 + 2,483,712 batch normalisation + 512 pooling
    (+0.1369 %)
    """
    convention = look_up("tool", tool, TOOLS).convention
    counted = total(table, convention)
    parts = {group: sum(added) for group, added in extras(table, convention).items()}
    terms = "".join(f" + {count:,} {group}" for group, count in parts.items())
    text = f"{tool}: {int(counted.value):,} {counted.unit} = {table.macs:,}{terms}"
    if counted.unit == FLOPS:
        return f"{text} MACs, 2 FLOPs each"
    return f"{text} (+{100 * sum(parts.values()) / table.macs:.4f} %)"
