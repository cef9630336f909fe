"""Counters under audit: what each tool adds to the multiply-accumulates of convolutions.

The counts of ResNet-18 are recorded as the tools printed them (`cnnmem.published`);
`cnnmem.frameworks.pytorch.counters` asks the tools that are installed.

>>> TOOLS["thop"].recorded.printed, TOOLS["thop"].recorded.verdict
('1,824,033,792', 'explained')
>>> from cnnmem import summary
>>> {group: sum(column) for group, column in extras(summary("resnet18"), "thop").items()}
{'batch normalisation': 9934848, 'pooling': 25600}
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cnnmem import published
from cnnmem.errors import look_up
from cnnmem.model.layers import ACTIVATIONS
from cnnmem.published.numbers import Published
from cnnmem.units import FLOPS

from . import conventions
from .conventions import Convention, column
from .table import Summary


@dataclass(frozen=True)
class Tool:
    """A counting tool: the convention it counts by, and the id of its recorded count."""

    name: str
    convention: str
    id: str

    @property
    def recorded(self) -> Published:
        """What it printed for torchvision's ResNet-18, one image of 224 x 224."""
        return published.get(self.id)


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("ptflops, aten", "ptflops-aten", "resnet18-ptflops-aten"),
        Tool("torchinfo", "torchinfo-macs", "resnet18-torchinfo"),
        Tool("torchprofile", "torchprofile", "resnet18-torchprofile"),
        Tool("fvcore", "fvcore", "resnet18-fvcore"),
        Tool("thop", "thop", "resnet18-thop"),
        Tool("ptflops, pytorch", "ptflops-pytorch", "resnet18-ptflops"),
        Tool("FlopCounterMode", "flops", "resnet18-flops"),
    )
}
"""By name; torchstat, which hooks a shared ReLU once, is told apart in lesson 08."""

GROUPS = ("biases", "batch normalisation", "activations", "pooling", "products")
_KINDS = {"batch_norm": "batch normalisation", "multiply": "products"}


def extras(table: Summary, convention: Convention | str) -> dict[str, list[int]]:
    """Return what a convention counts beside the MACs, row by row, by groups out of `GROUPS`.

    A group that adds nothing is left out. A factor (2 FLOPs a MAC) is none of the extras.

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
                group = "biases" if count.quantity == "bias additions" else _group(row.kind)
                found[group][i] += int(values[i] * Fraction(count.times))
    return {group: added for group, added in found.items() if any(added)}


def _group(kind: str) -> str:
    if kind in ACTIVATIONS:
        return "activations"
    return _KINDS.get(kind, "pooling")


def sentence(table: Summary, tool: str) -> str:
    """Return what a tool counts for a network, and of what the difference is made.

    >>> from cnnmem import summary
    >>> print(sentence(summary("resnet18"), "torchprofile"))
    torchprofile: 1,816,557,568 MACs = 1,814,073,344 + 2,483,712 batch normalisation + 512 pooling
    (+0.1369 %)
    """
    convention = look_up("tool", tool, TOOLS).convention
    total = table.total(convention)
    parts = {group: sum(added) for group, added in extras(table, convention).items()}
    terms = "".join(f" + {count:,} {group}" for group, count in parts.items())
    text = f"{tool}: {int(total.value):,} {total.unit} = {table.macs:,}{terms}"
    if total.unit == FLOPS:
        return f"{text} MACs, 2 FLOPs each"
    return f"{text} (+{100 * sum(parts.values()) / table.macs:.4f} %)"
