"""Build a real `torch.nn.Module` from a plain network, to check the counts against.

The module takes a batch of images (N, C, H, W), or (N, C) if the network's image is a vector. Maps
of one axis are (N, C, L); in a network with layers of sequences all tensors of two axes are
(N, L, C) instead, so that a network cannot have both. Every
node is a module under the node's name, so `named_modules` and `state_dict` read like the table; a
node marked `functional` is a function call instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from cnnmem.errors import NetworkError
from cnnmem.model.layers import (
    GLU,
    GRU,
    LSTM,
    RNN,
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    DotProductAttention,
    Dropout,
    Embedding,
    Flatten,
    GroupNorm,
    InstanceNorm,
    Layer,
    LayerNorm,
    Linear,
    MultiheadAttention,
    Multiply,
    PixelShuffle,
    PixelUnshuffle,
    PReLU,
    Shape,
    StochasticDepth,
)
from cnnmem.model.layers.joining import EdgePad, ZeroPad
from cnnmem.model.layers.learned import Conv, DepthwiseConv, SeparableConv
from cnnmem.model.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
    WindowPool,
)
from cnnmem.model.layers.resizing import ConvTranspose, ResizeTo, UpsampleBy
from cnnmem.model.layers.sequences import Recurrent
from cnnmem.model.network import Network
from cnnmem.model.windows import Sizes, as_window, split_padding

from . import modules

ACTIVATIONS: dict[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "hardtanh": nn.Hardtanh,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "gelu": nn.GELU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "leaky_relu": nn.LeakyReLU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "log_sigmoid": nn.LogSigmoid,
    "softsign": nn.Softsign,
    "tanhshrink": nn.Tanhshrink,
    "softshrink": nn.Softshrink,
    "hardshrink": nn.Hardshrink,
    "threshold": partial(nn.Threshold, 0.0, 0.0),
}
EDGES = {
    "reflection": "ReflectionPad",
    "replication": "ReplicationPad",
    "circular": "CircularPad",
}


# Layers that read (N, C, L).
_OF_MAPS = (
    *(Conv, DepthwiseConv, ConvTranspose, WindowPool, AdaptiveAvgPool, GlobalMaxPool, ZeroPad),
    *(UpsampleBy, ResizeTo, BatchNorm, GroupNorm, InstanceNorm),
)


def build(network: Network, image: Shape | None = None) -> PlainModule:
    """Return a plain network as a torch module, made for `image` (H, W, C) (default: its own).

    The parameters are freshly initialised by PyTorch on the default device: inside
    `with torch.device("meta")` nothing is allocated. Those of a frozen node need no gradient.

    Padding that differs between the two sides is done as PyTorch does it for `padding="same"`
    (aten/src/ATen/native/Convolution.cpp): the surplus of one side is padded first, in a copy of
    the map, and the layer pads the rest. Max pools pad with minus infinity; average pools count
    padding zeros as values. A layer that works in place on the image overwrites the tensor that the
    module is called with.

    Raises `ShapeError` if the network does not work at this size, and `NetworkError` if one node's
    name is a prefix of another's ("a" and "a.b"), which modules cannot have.

    >>> import torch
    >>> from cnnmem import zoo
    >>> module = build(zoo.lenet5())
    >>> module(torch.zeros(2, 1, 32, 32)).shape
    torch.Size([2, 10])
    >>> [name for name, _ in module.named_parameters()][:2]
    ['conv1.weight', 'conv1.bias']
    """
    return PlainModule(network, network.trace_shapes(image))


class PlainModule(nn.Module):
    """The torch module of a plain network; `build` makes it."""

    def __init__(self, network: Network, shapes: list[Shape]) -> None:
        super().__init__()
        self.network = network
        self.sequences = any(map(_of_sequences, [node.layer for node in network.nodes]))
        self.calls: list[nn.Module] = []  # a list hides them from nn.Module; `_register` shows some
        for node, sources in zip(network.nodes, network.sources, strict=True):
            inputs = [shapes[i] for i in sources]
            module = _module(node.layer, *inputs, last=self.sequences and len(inputs[0]) == 2)
            module.requires_grad_(not node.frozen)
            self.calls.append(module)
            if not node.functional or module.state_dict():
                _register(self, node.name, module)
        registered = {id(module) for module in self.modules()}
        self.functions = [id(module) not in registered for module in self.calls]
        self.last_use = _last_use(network)

    def _get_name(self) -> str:
        return self.network.name

    def forward(self, image: Tensor) -> Any:
        """Return the output of the last node, (N, C, H, W) or (N, C), or a tuple of all outputs."""
        results: dict[int, Tensor] = {0: image}
        del image
        for position, (module, sources) in enumerate(
            zip(self.calls, self.network.sources, strict=True), 1
        ):
            # calling `forward` directly runs the layer as a plain function, unseen by hooks
            function = self.functions[position - 1]
            call = module.train(self.training).forward if function else module
            inputs = [results[i] for i in sources]
            for i in {i for i in sources if self.last_use[i] == position}:
                del results[i]
            results[position] = call(*inputs)
            del inputs
        last = results[len(self.calls)]
        names = self.network.outputs
        more = [results[i] for i, n in enumerate(self.network.nodes, 1) if n.name in names]
        return (last, *more) if more else last


def _last_use(network: Network) -> dict[int, int]:
    """Return for each position the last node that reads it, after which its tensor is released."""
    last = dict.fromkeys(range(len(network.nodes) + 1), 0)
    for position, sources in enumerate(network.sources, 1):
        last.update(dict.fromkeys(sources, position))
    kept = [i for i, node in enumerate(network.nodes, 1) if node.name in network.outputs]
    return last | dict.fromkeys(kept, 0)


def _register(root: nn.Module, name: str, module: nn.Module) -> None:
    """Insert a module into the tree so that `named_modules` calls it by the node's name."""
    *path, last = name.split(".")
    parent = root
    for step in path:
        if step not in parent._modules:
            parent._modules[step] = Group()
        parent = parent._modules[step]
        if not isinstance(parent, Group):
            raise NetworkError(
                f"layer {name!r} cannot be a module inside another layer; "
                "rename it so that the part before a dot is not a layer's name"
            )
    if last in parent._modules:
        raise NetworkError(
            f"layer {name!r} cannot be a module: other layers' names start with it; rename it"
        )
    # not add_module: it rejects the names of nn.Module's own attributes ("type", "half")
    parent._modules[last] = module


class Group(nn.Module):
    """One part of a dotted name: it holds modules and is never called."""


def _of_sequences(layer: Layer) -> bool:
    """Return whether a layer of torch's reads (N, L, C)."""
    kinds = (Embedding, MultiheadAttention, Recurrent)
    return isinstance(layer, kinds) or (isinstance(layer, Linear) and layer.tokens)


def _module(layer: Layer, *inputs: Shape, last: bool) -> nn.Module:
    """Return the module of one layer for inputs of these shapes.

    `last` says that they are sequences (N, L, C), whose channels are last.
    """
    dim = -1 if last else 1
    channels = inputs[0][-1]
    if last and (isinstance(layer, _OF_MAPS) or layer == PReLU("channel")):
        raise NetworkError(
            f"a layer of kind {layer.kind!r} reads a map (N, C, L) in PyTorch, but this network "
            "has layers of sequences (N, L, C) too; build two networks"
        )
    match layer:
        case Conv() | DepthwiseConv():
            return _conv(layer, inputs[0])
        case WindowPool():
            return _pool(layer, inputs[0])
        case ConvTranspose():
            return _conv_transpose(layer, inputs[0])
        case UpsampleBy():
            return nn.Upsample(scale_factor=layer.scale)
        case ResizeTo():
            return nn.Upsample(layer.size)
        case PixelShuffle():
            return nn.PixelShuffle(layer.factor)
        case GroupNorm():
            norm = nn.GroupNorm(layer.groups, channels)
            return _without(norm, layer.scale, layer.center)
        case InstanceNorm():
            norm = _of(len(inputs[0]) - 1, "InstanceNorm")(channels, affine=True)
            return _without(norm, layer.scale, layer.center)
        case LayerNorm():
            return _layer_norm(layer, inputs[0], last)
        case Linear(tokens=True) if last or len(inputs[0]) == 1:
            return nn.Linear(channels, layer.out_features, layer.bias)
        case Linear(tokens=True):
            raise NetworkError(
                "a linear layer of tokens has no module for maps here, whose channels come first; "
                "use a 1x1 convolution, which is the same"
            )
        case Linear():
            make = modules.FlatLinear if len(inputs[0]) > 1 else nn.Linear
            return make(math.prod(inputs[0]), layer.out_features, layer.bias)
        case BatchNorm():
            norm = _of(len(inputs[0]) - 1 or 1, "BatchNorm")(channels)
            return _without(norm, layer.scale, layer.center)
        case Activation(function="softmax"):
            return nn.Softmax(dim)
        case Activation(function="log_softmax"):
            return nn.LogSoftmax(dim)
        case Activation(function="sigmoid" | "tanh"):
            return modules.Saturating(layer.function, layer.in_place)
        case Activation(in_place=True):
            return ACTIVATIONS[layer.function](inplace=True)
        case Activation():
            return ACTIVATIONS[layer.function]()
        case AdaptiveMaxPool():
            return _of(layer.axes, "AdaptiveMaxPool")(layer.size)
        case AdaptiveAvgPool():
            return _of(layer.axes, "AdaptiveAvgPool")(layer.size)
        case GlobalMaxPool():
            return modules.GlobalMaxPool(layer.keepdims, last)
        case GlobalAvgPool():
            return modules.GlobalAvgPool(layer.keepdims, last)
        case Flatten():
            return nn.Flatten()
        case StochasticDepth():
            return modules.StochasticDepth(layer.p)
        case Dropout():
            return nn.Dropout(layer.p, layer.in_place)
        case EdgePad():
            return _of(layer.axes, EDGES[layer.mode])(_for_pad(layer.padding))  # type: ignore[arg-type]
        case ZeroPad():
            return _of(layer.axes, "ZeroPad")(_for_pad(layer.padding))  # type: ignore[arg-type]
        case Add():
            return modules.Add(layer.in_place)
        case Multiply():
            return modules.Multiply()
        case Concatenate():
            return modules.Concatenate(dim)
        case GLU():
            return nn.GLU(dim)
        case PReLU(each="layer" | "channel"):
            return nn.PReLU(channels if layer.each == "channel" else 1)
        case PixelUnshuffle():
            return nn.PixelUnshuffle(layer.factor)
        case Embedding():
            return nn.Embedding(layer.entries, layer.features)
        case DotProductAttention():
            return modules.DotProductAttention()
        case MultiheadAttention():
            three = (*inputs, *[inputs[-1]] * (3 - len(inputs)))
            width = layer.heads * (layer.depth or channels // layer.heads)
            q, k, v = [shape[-1] for shape in three]
            return modules.MultiheadAttention((q, k, v), width, layer.heads, layer.bias)
        case Recurrent(biases_each=0 | 2):
            return _recurrent(layer, channels)
    raise NetworkError(
        f"PyTorch has no module here for a layer of kind {layer.kind!r} ({type(layer).__name__}); "
        "build it from the layers of cnnmem.layers"
    )


def _without(norm: nn.Module, scale: bool, center: bool) -> nn.Module:
    """Return a normalisation without the learned halves that the layer has not."""
    norm.register_parameter("weight", norm.weight if scale else None)
    norm.register_parameter("bias", norm.bias if center else None)
    return norm


def _recurrent(layer: Recurrent, channels: int) -> nn.Module:
    kind = {LSTM: nn.LSTM, GRU: nn.GRU, RNN: nn.RNN}[type(layer)]
    module: nn.Module = modules.recurrent(kind, layer.last)(
        channels,
        layer.hidden,
        layer.layers,
        bool(layer.biases_each),
        batch_first=True,
        bidirectional=layer.bidirectional,
    )
    return module


def _layer_norm(layer: LayerNorm, shape: Shape, last: bool) -> nn.Module:
    if last or len(shape) == 1:
        norm: nn.Module = nn.LayerNorm(shape if layer.whole else shape[-1])
    elif layer.whole:
        norm = nn.LayerNorm((shape[-1], *shape[:-1]))
    else:
        norm = modules.ChannelNorm(shape[-1])
    return _without(norm, layer.scale, layer.center)


def _of(axes: int, name: str) -> Any:
    """Return torch's class over so many axes: Conv1d, Conv2d or Conv3d."""
    return getattr(nn, f"{name}{axes}d")


def _conv_transpose(layer: ConvTranspose, shape: Shape) -> nn.Module:
    before, padding = split_padding(as_window(layer), shape[:-1])
    if any(before):
        raise NetworkError(
            f"padding {layer.padding}: PyTorch pads a transposed convolution alike on both sides"
        )
    module: nn.Module = _of(layer.axes, "ConvTranspose")(
        shape[-1],
        layer.out_channels,
        layer.kernel,
        layer.stride,
        padding,
        layer.output_padding,
        layer.groups,
        layer.bias,
        layer.dilation,
    )
    return module


def _for_pad(sides: Sizes) -> Sizes:
    """Return sides in the order of `torch.nn.functional.pad`: the last axis comes first."""
    pairs = [sides[i : i + 2] for i in range(0, len(sides), 2)]
    return tuple([side for pair in reversed(pairs) for side in pair])


def _split_padding(layer: Layer, shape: Shape) -> tuple[Sizes | None, Sizes]:
    """Return the padding to do before the layer, or None, and the layer's own of each axis."""
    before, by_kernel = split_padding(as_window(layer), shape[:-1])
    return (_for_pad(before) if any(before) else None), by_kernel


def _conv(layer: Conv | DepthwiseConv, shape: Shape) -> nn.Module:
    before, padding = _split_padding(layer, shape)
    window = (layer.kernel, layer.stride, padding, layer.dilation)
    channels = shape[-1]
    if isinstance(layer, SeparableConv):
        between, out = channels * layer.multiplier, layer.out_channels
        return modules.SeparableConv(channels, between, out, window, layer.bias, before)
    if isinstance(layer, DepthwiseConv):
        out, groups = channels * layer.multiplier, channels
    else:
        out, groups = layer.out_channels, layer.groups
    make = modules.padded(_of(layer.axes, "Conv"), before)
    return make(channels, out, *window, groups, layer.bias)


def _pool(layer: WindowPool, shape: Shape) -> nn.Module:
    before, padding = _split_padding(layer, shape)
    ceil_mode = layer.ceil_mode and layer.padding != "same"  # "same" already fixes the size
    window = (layer.kernel, layer.stride, padding)
    if isinstance(layer, MaxPool):
        make = modules.padded(_of(layer.axes, "MaxPool"), before)
        return make(*window, layer.dilation, False, ceil_mode)
    return modules.padded(_of(layer.axes, "AvgPool"), before)(*window, ceil_mode)
