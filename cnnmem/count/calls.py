"""How the rows of a table were called: what a tool's rules ask beside the kind of a row."""

from __future__ import annotations

from typing import NamedTuple

from cnnmem.model.kinds import family_of
from cnnmem.model.layers import MultiheadAttention, Recorded, Shape
from cnnmem.model.network import Call, Node

# What torch has no module for, so that `cnnmem.pytorch.build` brings one of its own.
OWN_MODULES = {
    *("global_avg_pool", "global_max_pool", "separable_conv", "attention", "stochastic_depth"),
    *("add", "multiply", "concatenate"),
}


class Caller(NamedTuple):
    """What decides how a tool counts a row: its kind and how it was called."""

    kind: str
    functional: bool = False
    facts: frozenset[str] = frozenset()


def call_of(node: Node, inputs: tuple[Shape, ...], params: int, macs: int) -> Call:
    """Return how a node was called; `inputs`, `params` and `macs` are those of its row.

    >>> from cnnmem.model.layers import Conv2d
    >>> call = call_of(Node("conv", Conv2d(8, 3, groups=2)), ((9, 9, 4),), 152, 7056)
    >>> sorted(call.facts), call.groups
    (['2d', 'Conv', 'bias', 'class', 'macs', 'parameters'], 2)
    """
    layer, call = node.layer, node.call
    facts = set(_facts_of_plain(node) if call is None else call.facts)
    if isinstance(layer, Recorded):
        facts.add("recorded")
    elif call is None:
        params = layer.weights(*inputs) + layer.biases(*inputs)
        facts |= {"bias"} if layer.biases(*inputs) else set()
        facts |= {"scale"} if getattr(layer, "scale", False) is True else set()
    if call is not None:
        params = call.params
    if inputs:
        axes = f"{len(inputs[0]) - 1}d"
        both = {"nearest", "bilinear", "scale"} & facts
        facts |= {axes, *[f"{fact} {axes}" for fact in both]}
    facts |= {fact for fact, count in (("macs", macs), ("parameters", params)) if count}
    return Call(frozenset(facts), params, getattr(layer, "groups", 1))


def _facts_of_plain(node: Node) -> set[str]:
    """Return the facts of a plain network's layer, as the framework's own model would have them."""
    kind = node.layer.kind
    if isinstance(node.layer, MultiheadAttention):
        return set()
    if node.functional or kind in OWN_MODULES:
        return {"operator"} if kind in ("add", "multiply") else {"F"}
    facts = {"class"}
    if family_of(kind) == "convolutions":
        facts.add("Conv")
    if kind == "upsample":
        facts |= {"Upsample", "nearest"}
    if kind == "softmax":
        facts |= {"Softmax", "over channels"}
    return facts
