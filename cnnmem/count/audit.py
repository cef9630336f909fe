"""Counters under audit: what each tool counts besides the multiply-accumulates.

>>> from cnnmem import summary
>>> {group: sum(column) for group, column in extras(summary("resnet18"), "thop").items()}
{'batch normalisation': 9934848, 'pooling': 25600}
"""

from __future__ import annotations

from cnnmem.errors import look_up
from cnnmem.model.kinds import family_of
from cnnmem.units import FLOPS

from . import conventions
from .convention import Convention
from .table import Table
from .tools import TOOLS
from .totals import contributions, total

OF_MACS = ("macs", "macs of outputs", "macs without groups")
GROUPS = ("biases", "batch normalisation", "activations", "pooling", "products", "others")


def extras(table: Table, convention: Convention | str) -> dict[str, list[int]]:
    """Return what a convention counts besides the MACs: for each of `GROUPS`, a number per row.

    A group that adds nothing is left out. A factor (2 FLOPs per MAC) is not an extra.

    >>> from cnnmem import summary
    >>> list(extras(summary("resnet18"), "ptflops-pytorch"))
    ['biases', 'batch normalisation', 'activations', 'pooling']
    """
    convention = conventions.get(convention)
    found: dict[str, list[int]] = {group: [0] * len(table.rows) for group in GROUPS}
    counted = [-row.macs for row in table.rows]  # so that what is left is what is not them
    for i, quantity, amount in contributions(table, convention):
        if quantity in OF_MACS:
            counted[i] += int(amount)
        else:
            family = family_of(table.rows[i].kind)
            group = "biases" if quantity == "bias additions" else family
            found[group if group in found else "others"][i] += int(amount)
    # a tool that counts products in a way of its own, or not at all
    found["others"] = [a + b for a, b in zip(found["others"], counted, strict=True)]
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
    note = f"; {counted.note}" if counted.outside else ""
    if counted.unit == FLOPS:
        return f"{text} MACs, 2 FLOPs each{note}"
    return f"{text} ({100 * sum(parts.values()) / table.macs:+.4f} %){note}"
