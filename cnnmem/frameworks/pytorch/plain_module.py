"""Build a real `torch.nn.Module` from a plain network, to check the counts against.

The module takes a batch of images (N, C, H, W), or (N, C) if the network's image is a vector. Every
node is a module under the node's name, so `named_modules` and `state_dict` read like the table; a
node marked `functional` is a function call instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from cnnmem.errors import NetworkError
from cnnmem.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    BatchNorm,
    Concatenate,
    Conv2d,
    ConvTranspose2d,
    DepthwiseConv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    MaxPool2d,
    Multiply,
    PixelShuffle,
    SeparableConv2d,
    Shape,
    StochasticDepth,
    Upsample,
    ZeroPad2d,
)
from cnnmem.model.network import Network
from cnnmem.model.windows import Quad, split_padding

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
}


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
        self.calls: list[nn.Module] = []  # a list hides them from nn.Module; `_register` shows some
        for node, sources in zip(network.nodes, network.sources, strict=True):
            module = _module(node.layer, *[shapes[i] for i in sources])
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


def _module(layer: Layer, *inputs: Shape) -> nn.Module:
    """Return the module of one layer for inputs of these shapes."""
    match layer:
        case SeparableConv2d() | DepthwiseConv2d() | Conv2d():
            return _conv(layer, inputs[0])
        case MaxPool2d() | AvgPool2d():
            return _pool(layer, inputs[0])
        case ConvTranspose2d():
            return _conv_transpose(layer, inputs[0])
        case Upsample():
            return nn.Upsample(scale_factor=layer.scale)
        case PixelShuffle():
            return nn.PixelShuffle(layer.factor)
        case GroupNorm():
            norm = nn.GroupNorm(layer.groups, inputs[0][-1])
            return _without(norm, layer.scale, layer.center)
        case LayerNorm():
            return _layer_norm(layer, inputs[0])
        case Linear(tokens=True) if len(inputs[0]) == 3:
            raise NetworkError(
                "a linear layer of tokens has no module for maps here, whose channels come first; "
                "use a 1x1 convolution, which is the same"
            )
        case Linear():
            make = modules.FlatLinear if len(inputs[0]) == 3 else nn.Linear
            return make(math.prod(inputs[0]), layer.out_features, layer.bias)
        case BatchNorm():
            make_norm = nn.BatchNorm2d if len(inputs[0]) == 3 else nn.BatchNorm1d
            return _without(make_norm(inputs[0][-1]), layer.scale, layer.center)
        case Activation(function="softmax"):
            return nn.Softmax(dim=1)
        case Activation(function="sigmoid" | "tanh"):
            return modules.Saturating(layer.function, layer.in_place)
        case Activation(in_place=True):
            return ACTIVATIONS[layer.function](inplace=True)
        case Activation():
            return ACTIVATIONS[layer.function]()
        case AdaptiveAvgPool2d():
            return nn.AdaptiveAvgPool2d(layer.size)
        case GlobalMaxPool2d():
            return modules.GlobalMaxPool2d(layer.keepdims)
        case GlobalAvgPool2d():
            return modules.GlobalAvgPool2d(layer.keepdims)
        case Flatten():
            return nn.Flatten()
        case StochasticDepth():
            return modules.StochasticDepth(layer.p)
        case Dropout():
            return nn.Dropout(layer.p, layer.in_place)
        case ZeroPad2d():
            return nn.ZeroPad2d(_for_pad(layer.padding))  # type: ignore[arg-type]
        case Add():
            return modules.Add(layer.in_place)
        case Multiply():
            return modules.Multiply()
        case Concatenate():
            return modules.Concatenate()
    raise NetworkError(
        f"PyTorch has no module here for a layer of kind {layer.kind!r} ({type(layer).__name__}); "
        "build it from the layers of cnnmem.layers"
    )


def _without(norm: nn.Module, scale: bool, center: bool) -> nn.Module:
    """Return a normalisation without the learned halves that the layer has not."""
    norm.register_parameter("weight", norm.weight if scale else None)
    norm.register_parameter("bias", norm.bias if center else None)
    return norm


def _layer_norm(layer: LayerNorm, shape: Shape) -> nn.Module:
    if layer.whole or len(shape) == 1:
        norm: nn.Module = nn.LayerNorm(shape if len(shape) == 1 else (shape[-1], *shape[:-1]))
    else:
        norm = modules.ChannelNorm(shape[-1])
    return _without(norm, layer.scale, layer.center)


def _conv_transpose(layer: Any, shape: Shape) -> nn.Module:
    top, bottom, left, right = layer.padding
    if (top, left) != (bottom, right):
        raise NetworkError(
            f"padding {layer.padding}: PyTorch pads a transposed convolution alike on both sides"
        )
    return nn.ConvTranspose2d(
        shape[-1],
        layer.out_channels,
        layer.kernel,
        layer.stride,
        (top, left),
        layer.output_padding,
        layer.groups,
        layer.bias,
        layer.dilation,
    )


def _for_pad(sides: Quad) -> Quad:
    """Return (top, bottom, left, right) in the order of `torch.nn.functional.pad`."""
    top, bottom, left, right = sides
    return left, right, top, bottom


def _split_padding(layer: Any, shape: Shape) -> tuple[Quad | None, tuple[int, int]]:
    """Return the padding to do before the layer, or None, and the layer's own (height, width)."""
    before, by_kernel = split_padding(layer, *shape[:2])
    return (_for_pad(before) if any(before) else None), by_kernel


def _conv(layer: Any, shape: Shape) -> nn.Module:
    before, padding = _split_padding(layer, shape)
    window = (layer.kernel, layer.stride, padding, layer.dilation)
    channels = shape[-1]
    if isinstance(layer, SeparableConv2d):
        between, out = channels * layer.multiplier, layer.out_channels
        return modules.SeparableConv2d(channels, between, out, window, layer.bias, before)
    if isinstance(layer, DepthwiseConv2d):
        out, groups = channels * layer.multiplier, channels
    else:
        out, groups = layer.out_channels, layer.groups
    if before is None:
        return nn.Conv2d(channels, out, *window, groups, layer.bias)
    return modules.PaddedConv2d(before, channels, out, *window, groups, layer.bias)


def _pool(layer: Any, shape: Shape) -> nn.Module:
    before, padding = _split_padding(layer, shape)
    ceil_mode = layer.ceil_mode and layer.padding != "same"  # "same" already fixes the size
    window = (layer.kernel, layer.stride, padding)
    if isinstance(layer, MaxPool2d):
        if before is None:
            return nn.MaxPool2d(*window, layer.dilation, False, ceil_mode)
        return modules.PaddedMaxPool2d(before, *window, layer.dilation, False, ceil_mode)
    if before is None:
        return nn.AvgPool2d(*window, ceil_mode)
    return modules.PaddedAvgPool2d(before, *window, ceil_mode)
