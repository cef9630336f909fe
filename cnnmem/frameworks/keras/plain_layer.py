"""The plain layer that a Keras layer is, whose formulas explain its row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
from keras import layers as K

from cnnmem.count.table import Row
from cnnmem.errors import CnnmemError
from cnnmem.model import layers as L
from cnnmem.model.layers import Layer, Recorded
from cnnmem.model.layers.joining import ZeroPad
from cnnmem.model.layers.learned import Conv, DepthwiseConv, SeparableConv
from cnnmem.model.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from cnnmem.model.layers.resizing import ConvTranspose, UpsampleBy

Make = Callable[[Any, Row], Layer]


def _padding(layer: Any) -> Any:
    return layer.padding if layer.padding in ("same", "valid") else None


def _conv(layer: Any, row: Row) -> Layer:
    return Conv.over(len(layer.kernel_size))(
        layer.filters,
        layer.kernel_size,
        layer.strides,
        _padding(layer),
        layer.dilation_rate,
        layer.groups,
        layer.use_bias,
    )


def _depthwise(layer: Any, row: Row) -> Layer:
    return DepthwiseConv.over(len(layer.kernel_size))(*_depthwise_settings(layer))


def _separable(layer: Any, row: Row) -> Layer:
    settings = _depthwise_settings(layer)
    return SeparableConv.over(len(layer.kernel_size))(*settings, layer.filters)


def _depthwise_settings(layer: Any) -> tuple[Any, ...]:
    return (
        *(layer.kernel_size, layer.strides, _padding(layer), layer.dilation_rate),
        *(layer.depth_multiplier, layer.use_bias),
    )


def _conv_transpose(layer: Any, row: Row) -> Layer:
    """Return the layer whose padding gives Keras' sizes.

    Without `output_padding` they are n · S for "same" and, for "valid", at least that
    (`_get_output_shape_given_tf_padding` in keras/src/backend/common/backend_utils.py).
    """
    axes = len(layer.kernel_size)
    given = layer.output_padding
    more = [given] * axes if given is None or isinstance(given, int) else list(given)
    padding: list[int] = []
    for i, (k, s, d) in enumerate(
        zip(layer.kernel_size, layer.strides, layer.dilation_rate, strict=True)
    ):
        reach = d * (k - 1) + 1
        if more[i] is None:
            more[i] = max(s - reach, 0)
            total = max(reach - s, 0) if layer.padding == "same" else 0
            padding += (total // 2, total - total // 2)
        else:
            padding += [reach // 2 if layer.padding == "same" else 0] * 2
    return ConvTranspose.over(axes)(
        layer.filters,
        layer.kernel_size,
        layer.strides,
        tuple(padding),
        tuple(more),
        layer.dilation_rate,
        1,
        layer.use_bias,
    )


def _pool(kind: type[Layer]) -> Make:
    return lambda layer, row: kind.over(len(layer.pool_size))(
        layer.pool_size, layer.strides, _padding(layer)
    )


def _adaptive(kind: type[Layer]) -> Make:
    return lambda layer, row: kind.over(len(layer.output_size))(tuple(layer.output_size))


def _global(kind: type[Layer], axes: int) -> Make:
    return lambda layer, row: kind.over(axes)(layer.keepdims)


def _zero_pad(layer: Any, row: Row) -> Layer:
    sides = tuple(keras.tree.flatten(layer.padding))
    return ZeroPad.over(len(sides) // 2)(sides)


def _upsample(axes: int) -> Make:
    return lambda layer, row: UpsampleBy.over(axes)(layer.size)


def _layer_norm(layer: Any, row: Row) -> Layer:
    axis = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    return L.LayerNorm(len(axis) > 1, layer.scale, layer.center)


def _group_norm(layer: Any, row: Row) -> Layer:
    groups = row.output[-1] if layer.groups == -1 else layer.groups
    return L.GroupNorm(groups, layer.scale, layer.center)


def _prelu(layer: Any, row: Row) -> Layer:
    shared, rank = set(layer.shared_axes or ()), len(row.output)
    if not shared:
        return L.PReLU("value")
    return L.PReLU("layer" if shared == set(range(1, rank + 1)) else "channel")


def _recurrent(kind: Callable[..., Layer]) -> Make:
    def make(layer: Any, row: Row) -> Layer:
        each = (2 if getattr(layer, "reset_after", False) else 1) if layer.use_bias else 0
        return kind(layer.units, biases_each=each, last=not layer.return_sequences)

    return make


def _bidirectional(layer: Any, row: Row) -> Layer:
    inside: Any = MAKE[type(layer.forward_layer)](layer.forward_layer, row)
    return replace(inside, bidirectional=True)  # another way of merging gives another shape


def _attention(layer: Any, row: Row) -> Layer:
    return L.MultiheadAttention(layer.num_heads, layer.key_dim, layer._use_bias)


MAKE: dict[type, Make] = {
    **dict.fromkeys((K.Conv1D, K.Conv2D, K.Conv3D), _conv),
    **dict.fromkeys((K.DepthwiseConv1D, K.DepthwiseConv2D), _depthwise),
    **dict.fromkeys((K.SeparableConv1D, K.SeparableConv2D), _separable),
    **dict.fromkeys((K.Conv1DTranspose, K.Conv2DTranspose, K.Conv3DTranspose), _conv_transpose),
    K.Dense: lambda layer, row: L.Linear(
        layer.units, layer.use_bias, tokens=len(row.inputs[0]) > 1
    ),
    K.BatchNormalization: lambda layer, row: L.BatchNorm(layer.scale, layer.center),
    K.LayerNormalization: _layer_norm,
    K.GroupNormalization: _group_norm,
    K.PReLU: _prelu,
    **dict.fromkeys((K.MaxPooling1D, K.MaxPooling2D, K.MaxPooling3D), _pool(MaxPool)),
    **dict.fromkeys((K.AveragePooling1D, K.AveragePooling2D, K.AveragePooling3D), _pool(AvgPool)),
    **dict.fromkeys(
        (
            K.AdaptiveAveragePooling1D,
            K.AdaptiveAveragePooling2D,
            K.AdaptiveAveragePooling3D,
        ),
        _adaptive(AdaptiveAvgPool),
    ),
    **dict.fromkeys(
        (K.AdaptiveMaxPooling1D, K.AdaptiveMaxPooling2D, K.AdaptiveMaxPooling3D),
        _adaptive(AdaptiveMaxPool),
    ),
    K.GlobalAveragePooling1D: _global(GlobalAvgPool, 1),
    K.GlobalAveragePooling2D: _global(GlobalAvgPool, 2),
    K.GlobalAveragePooling3D: _global(GlobalAvgPool, 3),
    K.GlobalMaxPooling1D: _global(GlobalMaxPool, 1),
    K.GlobalMaxPooling2D: _global(GlobalMaxPool, 2),
    K.GlobalMaxPooling3D: _global(GlobalMaxPool, 3),
    **dict.fromkeys((K.ZeroPadding1D, K.ZeroPadding2D, K.ZeroPadding3D), _zero_pad),
    K.UpSampling1D: _upsample(1),
    K.UpSampling2D: _upsample(2),
    K.UpSampling3D: _upsample(3),
    K.Resizing: lambda layer, row: L.Resize2d((layer.height, layer.width)),
    K.Embedding: lambda layer, row: L.Embedding(layer.input_dim, layer.output_dim),
    K.LSTM: _recurrent(L.LSTM),
    K.GRU: _recurrent(L.GRU),
    K.SimpleRNN: _recurrent(L.RNN),
    K.Bidirectional: _bidirectional,
    K.MultiHeadAttention: _attention,
    K.Flatten: lambda layer, row: L.Flatten(),
    K.Dropout: lambda layer, row: L.Dropout(float(layer.rate)),
    K.Add: lambda layer, row: L.Add(),
    K.Multiply: lambda layer, row: L.Multiply(),
    K.Concatenate: lambda layer, row: L.Concatenate(),
}


def plain_layer(operation: Any, row: Row) -> Layer:
    """Return the plain layer that gives the very numbers of a row, else one without formulas."""
    view = not row.values and row.kind != "dropout"
    recorded = Recorded(row.kind, row.output, view)
    try:
        if row.kind in L.ACTIVATIONS:
            layer: Layer = L.Activation(row.kind)
        elif type(operation) in MAKE:
            layer = MAKE[type(operation)](operation, row)
        else:
            return recorded
        least, most = layer.arity
        if not least <= len(row.inputs) <= (most or len(row.inputs)):
            return recorded
        same = layer.output_shape(*row.inputs) == row.output
        params = layer.weights(*row.inputs) + layer.biases(*row.inputs)
    except CnnmemError:
        return recorded
    # a layer that is used again has no parameters of its own
    return layer if same and row.params in (params, 0) else recorded
