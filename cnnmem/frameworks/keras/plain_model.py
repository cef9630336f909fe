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
    GRU,
    LSTM,
    RNN,
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    Dropout,
    Embedding,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    MultiheadAttention,
    Multiply,
    PReLU,
    Resize2d,
    Shape,
)
from cnnmem.model.layers.joining import EdgePad, ZeroPad
from cnnmem.model.layers.learned import Conv, DepthwiseConv, SeparableConv
from cnnmem.model.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
    WindowPool,
)
from cnnmem.model.layers.resizing import ConvTranspose, UpsampleBy
from cnnmem.model.layers.sequences import Recurrent
from cnnmem.model.network import INPUT, Network, Node
from cnnmem.model.windows import Sizes


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
        x = _pad_layer(sides)(name=f"{node.name}_pad")(x)
    if isinstance(layer, Linear) and not layer.tokens and len(shapes[0]) > 1:
        x = L.Flatten(name=f"{node.name}_flatten")(x)
    made = _maker(layer)(layer, shapes[0])(name=node.name, trainable=not node.frozen)
    if isinstance(layer, MultiheadAttention):
        query, key, *value = (*tensors, tensors[0])[: max(len(tensors), 2)]
        return made(query, value[0], key=key) if value else made(query, key)
    return made(tensors if layer.arity[1] != 1 and not isinstance(layer, Recurrent) else x)


def _pads_before(layer: Layer) -> Sizes | None:
    """Return the padding that needs its own layer: Keras' windows only know "same" and none."""
    if isinstance(layer, Conv | DepthwiseConv | WindowPool):
        return None if layer.padding == "same" else layer.padding  # type: ignore[return-value]
    return None


def _pad_layer(sides: Sizes) -> Callable[..., L.Layer]:
    pairs = tuple([sides[i : i + 2] for i in range(0, len(sides), 2)])
    axes = len(pairs)
    return _with(_of(axes, "ZeroPadding"), padding=pairs if axes > 1 else pairs[0])


def _of(axes: int, name: str) -> Any:
    """Return Keras' class over so many axes: Conv1D, Conv2D or Conv3D."""
    return getattr(L, f"{name}{axes}D")


def _maker(layer: Layer) -> Maker:
    """Return how a layer is made, by its class or the one that leaves the axes open."""
    return next(MAKERS[kind] for kind in type(layer).__mro__ if kind in MAKERS)


def _refuse(node: Node) -> None:
    layer = node.layer
    if isinstance(layer, EdgePad) or not any(kind in MAKERS for kind in type(layer).__mro__):
        raise NetworkError(f"layer {node.name!r} ({layer.kind}) has no counterpart in Keras")
    what = ""
    if isinstance(layer, DepthwiseConv) and layer.axes == 3:
        what = "depthwise convolution of volumes; use Conv3d with groups"
    elif isinstance(layer, WindowPool):
        if layer.ceil_mode:
            what = f"ceil_mode; pad with ZeroPad{layer.axes}d instead"
        elif max(layer.dilation) > 1:  # type: ignore[arg-type]
            what = f"dilation {layer.dilation} in a pool; leave it out"
    elif isinstance(layer, Conv | DepthwiseConv | ConvTranspose) and (
        max(layer.stride) > 1 and max(layer.dilation) > 1  # type: ignore[arg-type]
    ):
        what = f"stride {layer.stride} together with dilation {layer.dilation}; use one of them"
    elif isinstance(layer, ConvTranspose):
        what = _misses(layer)
    elif isinstance(layer, Recurrent):
        own = 2 if isinstance(layer, GRU) else 1
        if layer.layers > 1 or layer.biases_each not in (0, own):
            what = (
                f"{layer.layers} layers with {layer.biases_each} biases per gate in one; "
                f"use one after the other, with biases_each={own}"
            )
    elif isinstance(layer, Activation) and layer.function == "threshold":
        what = "threshold without its number; use another activation"
    if what:
        raise NetworkError(f"layer {node.name!r} ({layer.kind}): Keras has no {what}")


def _misses(layer: ConvTranspose) -> str:
    """Return what Keras' transposed convolutions lack, and the way out."""
    if layer.groups > 1:
        return f"groups {layer.groups} in a transposed convolution; leave them out"
    if any(layer.padding):  # type: ignore[arg-type]
        return f"padding {layer.padding} in a transposed convolution; leave it out"
    return ""


# makes a layer for an input of this shape, given its name and whether it learns
Maker = Callable[[Any, Shape], Callable[..., L.Layer]]


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


def _conv_transpose(layer: Any, _: Shape) -> Callable[..., L.Layer]:
    return _with(
        getattr(L, f"Conv{layer.axes}DTranspose"),
        filters=layer.out_channels,
        output_padding=layer.output_padding,
        **{**_conv(layer), "padding": "valid"},
    )


def _layer_norm(layer: LayerNorm, shape: Shape) -> Callable[..., L.Layer]:
    axis = list(range(1, len(shape) + 1)) if layer.whole else -1
    return _with(L.LayerNormalization, axis=axis, scale=layer.scale, center=layer.center)


def _prelu(layer: PReLU, shape: Shape) -> Callable[..., L.Layer]:
    axes = len(shape)
    shared = {"layer": range(1, axes + 1), "channel": range(1, axes), "value": ()}[layer.each]
    return _with(L.PReLU, shared_axes=list(shared) or None)


def _attention(layer: MultiheadAttention, shape: Shape) -> Callable[..., L.Layer]:
    depth = layer.depth or shape[-1] // layer.heads
    return _with(L.MultiHeadAttention, num_heads=layer.heads, key_dim=depth, use_bias=layer.bias)


def _recurrent(layer: Recurrent, _: Shape) -> Callable[..., L.Layer]:
    kind: Any = {LSTM: L.LSTM, GRU: L.GRU, RNN: L.SimpleRNN}[type(layer)]
    options = {
        "units": layer.hidden,
        "use_bias": layer.biases_each > 0,
        "return_sequences": not layer.last,
    }
    if not layer.bidirectional:
        return _with(kind, **options)
    return lambda **names: L.Bidirectional(kind(**options), **names)


def _activation(layer: Activation, _: Shape) -> Callable[..., L.Layer]:
    if layer.function == "softmax":
        return _with(L.Softmax)
    if layer.function in ("relu", "relu6"):
        return _with(L.ReLU, max_value=6 if layer.function == "relu6" else None)
    own_names = {
        **{"hardtanh": "hard_tanh", "hardsigmoid": "hard_sigmoid", "hardswish": "hard_swish"},
        **{"hardshrink": "hard_shrink", "softshrink": "soft_shrink", "tanhshrink": "tanh_shrink"},
    }
    return _with(L.Activation, activation=own_names.get(layer.function, layer.function))


MAKERS: dict[type, Maker] = {
    Conv: lambda x, _: _with(
        _of(x.axes, "Conv"), filters=x.out_channels, groups=x.groups, **_conv(x)
    ),
    DepthwiseConv: lambda x, _: _with(
        _of(x.axes, "DepthwiseConv"), depth_multiplier=x.multiplier, **_conv(x)
    ),
    SeparableConv: lambda x, _: _with(
        _of(x.axes, "SeparableConv"),
        filters=x.out_channels,
        depth_multiplier=x.multiplier,
        **_conv(x),
    ),
    ConvTranspose: _conv_transpose,
    Linear: lambda x, _: _with(L.Dense, units=x.out_features, use_bias=x.bias),
    BatchNorm: lambda x, _: _with(L.BatchNormalization, scale=x.scale, center=x.center),
    LayerNorm: _layer_norm,
    GroupNorm: lambda x, _: _with(
        L.GroupNormalization, groups=x.groups, scale=x.scale, center=x.center
    ),
    Activation: _activation,
    MaxPool: lambda x, _: _with(_of(x.axes, "MaxPooling"), pool_size=x.kernel, **_window(x)),
    AvgPool: lambda x, _: _with(_of(x.axes, "AveragePooling"), pool_size=x.kernel, **_window(x)),
    AdaptiveAvgPool: lambda x, _: _with(_of(x.axes, "AdaptiveAveragePooling"), output_size=x.size),
    AdaptiveMaxPool: lambda x, _: _with(_of(x.axes, "AdaptiveMaxPooling"), output_size=x.size),
    GlobalAvgPool: lambda x, _: _with(_of(x.axes, "GlobalAveragePooling"), keepdims=x.keepdims),
    GlobalMaxPool: lambda x, _: _with(_of(x.axes, "GlobalMaxPooling"), keepdims=x.keepdims),
    UpsampleBy: lambda x, _: _with(
        _of(x.axes, "UpSampling"), size=x.scale if x.axes > 1 else x.scale[0]
    ),
    Resize2d: lambda x, _: _with(L.Resizing, height=x.size[0], width=x.size[1]),
    Flatten: lambda x, _: _with(L.Flatten),
    Dropout: lambda x, _: _with(L.Dropout, rate=x.p),
    ZeroPad: lambda x, _: _pad_layer(x.padding),
    Embedding: lambda x, _: _with(L.Embedding, input_dim=x.entries, output_dim=x.features),
    Recurrent: _recurrent,
    PReLU: _prelu,
    MultiheadAttention: _attention,
    Add: lambda x, _: _with(L.Add),
    Multiply: lambda x, _: _with(L.Multiply),
    Concatenate: lambda x, _: _with(L.Concatenate),
}
