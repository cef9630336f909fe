"""Which layers share a tensor, and which tensors backward keeps: the rules of autograd.

A layer that works in place overwrites its input's storage and a view shares it; any other layer
makes a new tensor. Backward keeps a storage once, however many layers ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cnnmem.errors import NetworkError
from cnnmem.model.layers import NOTHING, Kept, Shape
from cnnmem.model.network import Network, Node

Mode = Literal["train", "eval"]


@dataclass(frozen=True)
class Storage:
    """The memory behind a network's tensors. Position 0 is the image, node i is at i + 1.

    `owner` gives for each position the one that made its storage, `keeper` for each owner the first
    position that keeps its storage for backward, `kept` what each node's backward asks for,
    `requires_grad` whether a gradient reaches the position, `in_use` whether the network's output
    depends on it: autograd drops the graph of everything else after forward.
    """

    owner: tuple[int, ...]
    keeper: dict[int, int] = field(hash=False)
    kept: tuple[Kept, ...]
    requires_grad: tuple[bool, ...]
    in_use: tuple[bool, ...]
    # of a framework's model, which may have several outputs and tensors of several dtypes:
    sizes: tuple[int, ...] = ()  # the bytes of each position's output
    asked: tuple[tuple[int, ...], ...] = ()  # the owners that each position's backward keeps
    outputs: tuple[int, ...] = ()  # the positions of the outputs; none means the last


def trace_storage(network: Network, shapes: list[Shape], mode: Mode = "train") -> Storage:
    """Walk the network as autograd does; return which position owns and which keeps each tensor.

    `shapes` are those of `Network.trace_shapes`. Raises `NetworkError` where a layer overwrites a
    tensor that the backward of an earlier layer needs, as PyTorch's backward would.
    """
    owner, asks = _owners(network, shapes, mode)
    in_use = _in_use(network, owner)
    requires_grad, kept = [False], []
    keeper: dict[int, int] = {}
    learning: set[int] = set()  # storages that a gradient reaches so far
    nodes = zip(network.nodes, network.sources, asks, strict=True)
    for position, (node, sources, asked) in enumerate(nodes, 1):
        layer, made = node.layer, owner[position]
        # PyTorch notices only in backward, when a saved tensor's version counter has moved on
        # (`SavedVariable::unpack`). Layers come in order, so a keeper found so far is earlier.
        if layer.in_place and made in keeper:
            raise NetworkError(
                f"layer {node.name!r} works in place on a tensor that the backward of "
                f"{network.nodes[keeper[made] - 1].name!r} still needs; use in_place=False"
            )
        reached = [owner[i] in learning for i in sources]
        learns = True in reached or _learns(node, [shapes[i] for i in sources])
        requires_grad.append(learns)
        if learns:
            learning.add(made)
        if not (learns and in_use[position]) or (node.frozen and not layer.saves_together):
            # A frozen linear layer needs only its weights to pass a gradient on. A convolution
            # keeps its input too: one formula of derivatives.yaml gives all its gradients.
            asked = NOTHING
        kept.append(asked)
        if asked.inputs:
            for source in layer.needed_inputs(sources, reached):
                keeper.setdefault(owner[source], position)
        if asked.output:
            keeper.setdefault(made, position)
    outputs = _outputs(network) if network.outputs else ()
    return Storage(tuple(owner), keeper, tuple(kept), tuple(requires_grad), in_use, outputs=outputs)


def _outputs(network: Network) -> tuple[int, ...]:
    """Return the positions of a network's outputs."""
    last = len(network.nodes)
    further = [i for i, node in enumerate(network.nodes, 1) if node.name in network.outputs]
    return (*further, last) if last not in further else tuple(further)


def _owners(network: Network, shapes: list[Shape], mode: Mode) -> tuple[list[int], list[Kept]]:
    """Return which position made each storage, and what each node's backward asks for."""
    owner, asks = [0], []
    for position, (node, sources) in enumerate(zip(network.nodes, network.sources, strict=True), 1):
        layer = node.layer
        asked = layer.keeps(shapes[position], *[shapes[i] for i in sources])
        if mode == "eval":
            # no mask is drawn; backward uses the running statistics, which are buffers
            asked = asked._replace(masks=0, statistics=0)
        # dropout is a view until it draws a mask, which makes a new tensor
        shared = layer.in_place or (layer.view and not asked.masks)
        owner.append(owner[sources[0]] if shared else position)
        asks.append(asked)
    return owner, asks


def _in_use(network: Network, owner: list[int]) -> tuple[bool, ...]:
    """Return for each position whether an output of the network depends on its storage."""
    used = {owner[i] for i in _outputs(network)}
    in_use = [True] * len(owner)
    for position in range(len(owner) - 1, 0, -1):
        in_use[position] = owner[position] in used
        if in_use[position]:
            for source in network.sources[position - 1]:
                used.add(owner[source])
    return tuple(in_use)


def _learns(node: Node, inputs: list[Shape]) -> bool:
    return not node.frozen and node.layer.weights(*inputs) + node.layer.biases(*inputs) > 0
