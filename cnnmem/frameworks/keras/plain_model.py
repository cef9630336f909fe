"""Build a Keras model from a plain network, so that each can be checked against the other.

>>> from cnnmem import summary, zoo
>>> from cnnmem.frameworks.keras import without_weights
>>> plain = zoo.mobilenet_v2()
>>> model = without_weights(build, plain)
>>> summary(model).macs == summary(plain).macs
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers as L

from cnnmem.errors import NetworkError
from cnnmem.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    BatchNorm,
    Concatenate,
    Conv2d,
    DepthwiseConv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    Layer,
    Linear,
    MaxPool2d,
    Multiply,
    SeparableConv2d,
    Shape,
    ZeroPad2d,
)
from cnnmem.model.network import INPUT, Network, Node


def build(network: Network, image: Shape | None = None) -> keras.Model:
    """Return a network as a functional Keras model for an image (H, W, C), channels last.

    Its layers carry the names of the nodes. Where Keras needs an extra layer, it comes before the
    node's own: "name_pad" for padding other than "same" (with zeros, as in keras.applications:
    before a max pool they can change the values of negative maps, but no count), and
    "name_flatten" before a linear layer that reads a feature map.

    In-place layers work out of place, since Keras has nothing else. `without_weights(build,
    network)` gives the model without memory for its weights.

    Raises `ShapeError` if the network does not work at this size, and `NetworkError` naming the
    layer that Keras does not support: `ceil_mode`, a dilated max pool, stride and dilation
    together, or a layer that the output does not depend on, which Keras would silently drop.
    """
    shapes = network.trace_shapes(image)
    inputs = keras.Input(shapes[0], name=INPUT)
    tensors = {INPUT: inputs}
    known = dict(zip([INPUT, *(node.name for node in network.nodes)], shapes, strict=True))
    for node in network.nodes:
        tensors[node.name] = _apply(
            node, [tensors[source] for source in node.inputs], [known[s] for s in node.inputs]
        )
    model = keras.Model(inputs, tensors[network.nodes[-1].name], name=network.name)
    there = {layer.name for layer in model.layers}
    for node in network.nodes:
        if node.name not in there:
            raise NetworkError(
                f"the output of {network.name} does not depend on layer {node.name!r}, and a Keras "
                "model cannot hold such a layer; remove it, or connect it to the output"
            )
    return model


def _apply(node: Node, tensors: list[Any], shapes: list[Shape]) -> Any:
    layer, x = node.layer, tensors[0]
    _refuse(node)
    sides = _pads_before(layer)
    if sides and any(sides):
        x = L.ZeroPadding2D((sides[:2], sides[2:]), name=f"{node.name}_pad")(x)
    if isinstance(layer, Linear) and len(shapes[0]) > 1:
        x = L.Flatten(name=f"{node.name}_flatten")(x)
    made = MAKERS[type(layer)](layer)(name=node.name, trainable=not node.frozen)
    return made(tensors if layer.arity != (1, 1) else x)


def _pads_before(layer: Layer) -> tuple[int, int, int, int] | None:
    """Return the padding that needs its own layer: Keras' windows only know "same" and none."""
    if isinstance(layer, Conv2d | DepthwiseConv2d | MaxPool2d | AvgPool2d):
        return None if layer.padding == "same" else layer.padding  # type: ignore[return-value]
    return None


def _refuse(node: Node) -> None:
    layer = node.layer
    if type(layer) not in MAKERS:
        raise NetworkError(f"layer {node.name!r} ({layer.kind}) has no counterpart in Keras")
    what = ""
    if isinstance(layer, MaxPool2d | AvgPool2d):
        if layer.ceil_mode:
            what = "ceil_mode; pad with ZeroPad2d instead"
        elif layer.dilation != (1, 1):
            what = f"dilation {layer.dilation} in a pool; leave it out"
    elif isinstance(layer, Conv2d | DepthwiseConv2d) and (
        max(layer.stride) > 1 and max(layer.dilation) > 1  # type: ignore[arg-type]
    ):
        what = f"stride {layer.stride} together with dilation {layer.dilation}; use one of them"
    if what:
        raise NetworkError(f"layer {node.name!r} ({layer.kind}): Keras has no {what}")


Maker = Callable[[Any], Callable[..., L.Layer]]


def _window(layer: Any) -> dict[str, Any]:
    return {
        "strides": layer.stride,
        "padding": "same" if layer.padding == "same" else "valid",
    }


def _conv(layer: Any) -> dict[str, Any]:
    return {
        "kernel_size": layer.kernel,
        "dilation_rate": layer.dilation,
        "use_bias": layer.bias,
        **_window(layer),
    }


def _with(keras_layer: Any, **options: Any) -> Callable[..., L.Layer]:
    return lambda **names: keras_layer(**options, **names)


def _activation(layer: Activation) -> Callable[..., L.Layer]:
    if layer.function == "softmax":
        return _with(L.Softmax)
    if layer.function in ("relu", "relu6"):
        return _with(L.ReLU, max_value=6 if layer.function == "relu6" else None)
    own_names = {"hardtanh": "hard_tanh", "hardsigmoid": "hard_sigmoid", "hardswish": "hard_swish"}
    return _with(L.Activation, activation=own_names.get(layer.function, layer.function))


MAKERS: dict[type, Maker] = {
    Conv2d: lambda x: _with(L.Conv2D, filters=x.out_channels, groups=x.groups, **_conv(x)),
    DepthwiseConv2d: lambda x: _with(L.DepthwiseConv2D, depth_multiplier=x.multiplier, **_conv(x)),
    SeparableConv2d: lambda x: _with(
        L.SeparableConv2D, filters=x.out_channels, depth_multiplier=x.multiplier, **_conv(x)
    ),
    Linear: lambda x: _with(L.Dense, units=x.out_features, use_bias=x.bias),
    BatchNorm: lambda x: _with(L.BatchNormalization, scale=x.scale, center=x.center),
    Activation: _activation,
    MaxPool2d: lambda x: _with(L.MaxPooling2D, pool_size=x.kernel, **_window(x)),
    AvgPool2d: lambda x: _with(L.AveragePooling2D, pool_size=x.kernel, **_window(x)),
    AdaptiveAvgPool2d: lambda x: _with(L.AdaptiveAveragePooling2D, output_size=x.size),
    GlobalAvgPool2d: lambda x: _with(L.GlobalAveragePooling2D, keepdims=x.keepdims),
    GlobalMaxPool2d: lambda x: _with(L.GlobalMaxPooling2D, keepdims=x.keepdims),
    Flatten: lambda x: _with(L.Flatten),
    Dropout: lambda x: _with(L.Dropout, rate=x.p),
    ZeroPad2d: lambda x: _with(L.ZeroPadding2D, padding=(x.padding[:2], x.padding[2:])),
    Add: lambda x: _with(L.Add),
    Multiply: lambda x: _with(L.Multiply),
    Concatenate: lambda x: _with(L.Concatenate),
}
