"""The plain layer that a Keras layer is, whose formulas explain its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers as K

from cnnmem.count.table import Row
from cnnmem.errors import CnnmemError
from cnnmem.model import layers as L
from cnnmem.model.layers import Layer, Recorded


def _padding(layer: Any) -> Any:
    return layer.padding if layer.padding in ("same", "valid") else None


def _conv(layer: Any) -> Layer:
    return L.Conv2d(
        layer.filters,
        layer.kernel_size,
        layer.strides,
        _padding(layer),
        layer.dilation_rate,
        layer.groups,
        layer.use_bias,
    )


def _depthwise(layer: Any) -> Layer:
    return L.DepthwiseConv2d(
        layer.kernel_size,
        layer.strides,
        _padding(layer),
        layer.dilation_rate,
        layer.depth_multiplier,
        layer.use_bias,
    )


def _separable(layer: Any) -> Layer:
    return L.SeparableConv2d(
        layer.kernel_size,
        layer.strides,
        _padding(layer),
        layer.dilation_rate,
        layer.depth_multiplier,
        layer.use_bias,
        layer.filters,
    )


def _pool(kind: type[L.MaxPool2d] | type[L.AvgPool2d]) -> Callable[[Any], Layer]:
    return lambda layer: kind(layer.pool_size, layer.strides, _padding(layer))


def _zero_pad(layer: Any) -> Layer:
    (top, bottom), (left, right) = layer.padding
    return L.ZeroPad2d((top, bottom, left, right))


MAKE: dict[type, Callable[[Any], Layer]] = {
    K.Conv2D: _conv,
    K.DepthwiseConv2D: _depthwise,
    K.SeparableConv2D: _separable,
    K.Dense: lambda layer: L.Linear(layer.units, layer.use_bias),
    K.BatchNormalization: lambda layer: L.BatchNorm(layer.scale, layer.center),
    K.MaxPooling2D: _pool(L.MaxPool2d),
    K.AveragePooling2D: _pool(L.AvgPool2d),
    K.GlobalAveragePooling2D: lambda layer: L.GlobalAvgPool2d(layer.keepdims),
    K.GlobalMaxPooling2D: lambda layer: L.GlobalMaxPool2d(layer.keepdims),
    K.ZeroPadding2D: _zero_pad,
    K.Flatten: lambda layer: L.Flatten(),
    K.Dropout: lambda layer: L.Dropout(float(layer.rate)),
    K.Add: lambda layer: L.Add(),
    K.Multiply: lambda layer: L.Multiply(),
    K.Concatenate: lambda layer: L.Concatenate(),
}


def plain_layer(operation: Any, row: Row) -> Layer:
    """Return the plain layer that gives the very numbers of a row, else one without formulas."""
    view = not row.values and row.kind != "dropout"
    recorded = Recorded(row.kind, row.output, view)
    try:
        if row.kind in L.ACTIVATIONS:
            layer: Layer = L.Activation(row.kind)
        elif type(operation) in MAKE:
            layer = MAKE[type(operation)](operation)
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
