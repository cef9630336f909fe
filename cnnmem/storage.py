"""Which layers share a tensor, and which tensors backward keeps: the rules of autograd.

A layer that works in place overwrites its input's storage, a view reads it; any other makes a
tensor of its own. Backward keeps a storage once, however many layers ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .errors import NetworkError
from .layers import NOTHING, Kept, Shape
from .network import Network, Node

Mode = Literal["train", "eval"]

MULTIPLYING = {"conv", "depthwise_conv", "separable_conv", "linear"}


@dataclass(frozen=True)
class Storage:
    """The memory behind a network's tensors. Position 0 is the image, node i stands at i + 1.

    `owner` gives for each position the one that made its storage, `keeper` for each owner the
    position that keeps its storage for backward first, `kept` what each node keeps besides whole
    tensors, `requires_grad` whether a gradient reaches the position.
    """

    owner: tuple[int, ...]
    keeper: dict[int, int]
    kept: tuple[Kept, ...]
    requires_grad: tuple[bool, ...]


def trace_storage(network: Network, shapes: list[Shape], mode: Mode = "train") -> Storage:
    """Walk the network as autograd does and return who owns and who keeps which tensor.

    `shapes` are those of `Network.trace_shapes`. Raises `NetworkError` where a layer overwrites
    in place what the backward of an earlier one needs, as PyTorch's backward would.
    """
    owner, requires_grad, kept = [0], [False], []
    keeper: dict[int, int] = {}
    learning: set[int] = set()  # storages that a gradient reaches by now
    for position, (node, sources) in enumerate(zip(network.nodes, network.sources, strict=True), 1):
        layer = node.layer
        asked = layer.keeps(shapes[position], *[shapes[i] for i in sources])
        drops = mode == "train" and asked.masks > 0
        shared = layer.in_place or (layer.view and not drops)
        owner.append(owner[sources[0]] if shared else position)
        if layer.in_place and owner[position] in keeper:
            raise NetworkError(
                f"layer {node.name!r} works in place on a tensor that the backward of "
                f"{network.nodes[keeper[owner[position]] - 1].name!r} still needs; "
                "use in_place=False"
            )
        learns = _learns(node)
        requires_grad.append(learns or any([owner[i] in learning for i in sources]))
        if requires_grad[position]:
            learning.add(owner[position])
        else:
            asked = NOTHING
        if mode == "eval":
            # no mask is drawn, and the running statistics, which are buffers, serve backward
            asked = asked._replace(masks=0, statistics=0)
        if layer.kind == "linear" and not learns:
            # the gradient of its input needs the weights alone; a convolution keeps its input anyway
            asked = NOTHING
        kept.append(asked)
        if asked.inputs:
            for source in _needed(node, sources, [owner[i] in learning for i in sources]):
                keeper.setdefault(owner[source], position)
        if asked.output:
            keeper.setdefault(owner[position], position)
    return Storage(tuple(owner), keeper, tuple(kept), tuple(requires_grad))


def _learns(node: Node) -> bool:
    if node.frozen:
        return False
    if node.layer.kind == "batch_norm":
        return node.layer.scale or node.layer.center  # type: ignore[attr-defined, no-any-return]
    return node.layer.kind in MULTIPLYING


def _needed(node: Node, sources: tuple[int, ...], learning: list[bool]) -> tuple[int, ...]:
    """Return the inputs that backward reads: of a product, those whose partner needs a gradient."""
    if node.layer.kind != "multiply":
        return sources
    (a, b), (a_learns, b_learns) = sources, learning
    return (a,) * b_learns + (b,) * a_learns
