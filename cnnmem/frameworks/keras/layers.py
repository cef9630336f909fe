"""The kind and the MACs of each Keras layer and operation.

The MACs of a layer that is not listed here are unknown: its name goes to `Table.uncounted`.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from typing import Any

import keras
from keras import layers as L
from keras.src.applications.convnext import LayerScale, StochasticDepth
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

Sizes = tuple[int, ...]  # a full shape, batch first, axes in Keras' order
# (layer, input, output) -> MACs of the whole batch; None where a wrapped layer's are unknown
Macs = Callable[[Any, Sizes, Sizes], int | None]


def _window(layer: Any) -> int:
    return math.prod(int(k) for k in layer.kernel_size)


def _channels(layer: Any, x: Sizes) -> int:
    return x[1] if layer.data_format == "channels_first" else x[-1]


def _conv(layer: Any, x: Sizes, y: Sizes) -> int:
    return _window(layer) * (_channels(layer, x) // int(layer.groups)) * math.prod(y)


def _depthwise(layer: Any, x: Sizes, y: Sizes) -> int:
    return _window(layer) * math.prod(y)


def _separable(layer: Any, x: Sizes, y: Sizes) -> int:
    between = math.prod(y) // int(layer.filters) * _channels(layer, x) * int(layer.depth_multiplier)
    return (_window(layer) + int(layer.filters)) * between


def _transposed(layer: Any, x: Sizes, y: Sizes) -> int:
    return _window(layer) * math.prod(x) * int(layer.filters)


def _dense(layer: Any, x: Sizes, y: Sizes) -> int:
    return x[-1] * math.prod(y)


def _recurrent(gates: int) -> Macs:
    """Return the formula of a recurrent layer: each gate has two products at every step."""

    def macs(layer: Any, x: Sizes, y: Sizes) -> int:
        batch, steps, features = x
        return batch * steps * gates * int(layer.units) * (features + int(layer.units))

    return macs


def _attention(layer: Any, x: Sizes, y: Sizes) -> int:
    """Keys and values are as many as the queries, as in attention of a sequence to itself."""
    batch, length, channels = x
    width = int(layer.num_heads) * int(layer.key_dim)
    values = int(layer.num_heads) * int(layer.value_dim)
    projections = length * (channels * (2 * width + values) + values * y[-1])
    return batch * (projections + length * length * (width + values))


def _time_distributed(wrapper: Any, x: Sizes, y: Sizes) -> int | None:
    """The wrapped layer works on every step as on an image of its own."""
    return _of(wrapper.layer, (x[0] * x[1], *x[2:]), (x[0] * x[1], *y[2:]))


def _bidirectional(wrapper: Any, x: Sizes, y: Sizes) -> int | None:
    halves = [_of(layer, x, y) for layer in (wrapper.forward_layer, wrapper.backward_layer)]
    return None if None in halves else sum(half or 0 for half in halves)


def _of(layer: Any, x: Sizes, y: Sizes) -> int | None:
    macs = kind_and_macs(layer)[1]
    return None if macs is None else macs(layer, x, y)


def _none(layer: Any, x: Sizes, y: Sizes) -> int:
    return 0


def _with(kind: str, macs: Macs, *classes: type) -> dict[type, tuple[str, Macs]]:
    return dict.fromkeys(classes, (kind, macs))


# The kind "" means the class's own name in snake case.
LAYERS: dict[type, tuple[str, Macs]] = {
    **_with("conv", _conv, L.Conv1D, L.Conv2D, L.Conv3D),
    **_with("depthwise_conv", _depthwise, L.DepthwiseConv1D, L.DepthwiseConv2D),
    **_with("separable_conv", _separable, L.SeparableConv1D, L.SeparableConv2D),
    **_with("conv_transpose", _transposed, L.Conv1DTranspose, L.Conv2DTranspose, L.Conv3DTranspose),
    **_with("linear", _dense, L.Dense),
    **_with("lstm", _recurrent(4), L.LSTM),
    **_with("gru", _recurrent(3), L.GRU),
    **_with("rnn", _recurrent(1), L.SimpleRNN),
    **_with("attention", _attention, L.MultiHeadAttention),
    **_with("time_distributed", _time_distributed, L.TimeDistributed),
    **_with("bidirectional", _bidirectional, L.Bidirectional),
    **_with("batch_norm", _none, L.BatchNormalization),
    **_with("layer_norm", _none, L.LayerNormalization),
    **_with("group_norm", _none, L.GroupNormalization),
    **_with("max_pool", _none, L.MaxPooling1D, L.MaxPooling2D, L.MaxPooling3D),
    **_with("avg_pool", _none, L.AveragePooling1D, L.AveragePooling2D, L.AveragePooling3D),
    **_with(
        "global_avg_pool",
        _none,
        L.GlobalAveragePooling1D,
        L.GlobalAveragePooling2D,
        L.GlobalAveragePooling3D,
    ),
    **_with(
        "global_max_pool",
        _none,
        L.GlobalMaxPooling1D,
        L.GlobalMaxPooling2D,
        L.GlobalMaxPooling3D,
    ),
    **_with(
        "adaptive_avg_pool",
        _none,
        L.AdaptiveAveragePooling1D,
        L.AdaptiveAveragePooling2D,
        L.AdaptiveAveragePooling3D,
    ),
    **_with(
        "adaptive_max_pool",
        _none,
        L.AdaptiveMaxPooling1D,
        L.AdaptiveMaxPooling2D,
        L.AdaptiveMaxPooling3D,
    ),
    **_with("zero_pad", _none, L.ZeroPadding1D, L.ZeroPadding2D, L.ZeroPadding3D),
    **_with("crop", _none, L.Cropping1D, L.Cropping2D, L.Cropping3D),
    **_with("upsample", _none, L.UpSampling1D, L.UpSampling2D, L.UpSampling3D, L.Resizing),
    **_with("flatten", _none, L.Flatten, L.Reshape),
    **_with(
        "dropout", _none, L.Dropout, L.SpatialDropout1D, L.SpatialDropout2D, L.SpatialDropout3D
    ),
    **_with("identity", _none, L.Identity, L.ActivityRegularization),
    **_with("softmax", _none, L.Softmax),
    **_with("", _none, L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum),
    **_with("", _none, L.Concatenate, L.Permute, L.RepeatVector, L.Embedding, L.Masking),
    **_with("", _none, L.ReLU, L.LeakyReLU, L.PReLU, L.ELU, L.Activation),
    **_with("rms_norm", _none, L.RMSNormalization),
    **_with("", _none, L.UnitNormalization, L.Normalization),
    **_with("", _none, L.AlphaDropout, L.GaussianDropout, L.GaussianNoise),
    **_with("", _none, L.Rescaling, L.CenterCrop, L.RandomFlip, L.RandomCrop),
    # from keras.applications
    **_with("", _none, LayerScale, StochasticDepth, CustomScaleLayer),
}

# Kinds whose output is their input's memory. (Dropout passes its input through at inference, and
# counts that way in a plain network too.)
VIEWS = {
    "flatten",
    "dropout",
    "identity",
    "alpha_dropout",
    "gaussian_dropout",
    "gaussian_noise",
    "stochastic_depth",
}

# Keras' names for functions that have another kind in a plain network, or from PyTorch.
FUNCTIONS = {
    "rmsnorm": "rms_norm",
    "depth_to_space": "pixel_shuffle",
    "space_to_depth": "pixel_unshuffle",
    "pad": "zero_pad",
    "resize": "upsample",
    "get_item": "index",
    "true_divide": "divide",
    "absolute": "abs",
    "linear": "identity",
    "swish": "silu",
    "hard_sigmoid": "hardsigmoid",
    "hard_silu": "hardswish",
    "hard_swish": "hardswish",
    "hard_tanh": "hardtanh",
    "average_pool": "avg_pool",
    "adaptive_average_pool": "adaptive_avg_pool",
    "hard_shrink": "hardshrink",
    "soft_shrink": "softshrink",
    "tanh_shrink": "tanhshrink",
    "reshape": "flatten",
    "ravel": "flatten",
    "squeeze": "flatten",
    "expand_dims": "flatten",
}
ACTIVATION_NAMES = {name for name, _ in inspect.getmembers(keras.activations, callable)}

# Operations of keras.ops without a matrix product. Any other operation is `uncounted`.
_PLAIN = """
    Abs Absolute Add Amax Amin Average Cast Ceil Clip Concatenate Copy Divide DivideNoNan Exp
    ExpandDims Expm1 Flip Floor FloorDivide GetItem Log Log1p Max Maximum Mean Min Minimum Mod
    Moveaxis Multiply Negative OnesLike Pad Power Prod Ravel Reciprocal Repeat Reshape Roll Round
    Rsqrt SaturateCast Sign Sin Cos Slice Split Sqrt Square Squeeze Stack Std StopGradient Subtract
    Sum Swapaxes Tan Tile Transpose TrueDivide Unstack Var Where ZerosLike BroadcastTo Logsumexp
    Relu Relu6 Sigmoid Softplus Softsign Silu Squareplus LogSigmoid LeakyRelu HardSigmoid HardSilu
    Elu Selu Gelu Celu Glu HardTanh Tanh TanhShrink SoftShrink HardShrink Softmax LogSoftmax Erf
    MaxPool AveragePool AdaptiveMaxPool AdaptiveAveragePool Normalize Moments BatchNorm LayerNorm
    RMSNorm DepthToSpace SpaceToDepth Resize PadImages CropImages Greater GreaterEqual Less
    LessEqual Equal NotEqual LogicalAnd LogicalOr LogicalNot
"""
PLAIN_OPERATIONS = frozenset(_PLAIN.split())


def kind_and_macs(operation: Any) -> tuple[str, Macs | None]:
    """Return the kind of a Keras layer or operation, and the formula for its MACs.

    The formula is None if unknown: for layers and operations that are not listed here, for
    subclasses with their own `call`, and for quantised or LoRA layers.

    >>> kind_and_macs(keras.layers.ReLU(6.0))[0]
    'relu6'
    """
    if not isinstance(operation, L.Layer):
        name = type(operation).__name__
        return _called(name), _none if name in PLAIN_OPERATIONS else None
    base = next((each for each in type(operation).__mro__ if each in LAYERS), None)
    if base is None or type(operation).call is not base.call:  # type: ignore[attr-defined]
        return snake(type(operation).__name__), None
    kind, macs = LAYERS[base]
    return kind or _own_kind(operation, base), macs if _as_listed(operation) else None


def _own_kind(layer: Any, base: type) -> str:
    if base is L.Activation:
        name = _function_name(layer.activation)
        return _called(name) if name in ACTIVATION_NAMES else "activation"
    if base is L.ReLU and not (layer.negative_slope or layer.threshold):
        return {None: "relu", 6: "relu6"}.get(layer.max_value, "clipped_relu")
    return {L.ReLU: "leaky_relu", L.LeakyReLU: "leaky_relu", L.PReLU: "prelu", L.ELU: "elu"}.get(
        base, snake(base.__name__)
    )


def _as_listed(layer: Any) -> bool:
    """Return whether the layer does only its class's work: no custom activation, no LoRA.

    A quantised layer multiplies the same matrices, of smaller numbers.
    """
    activation = getattr(layer, "activation", None)
    known_activation = (
        activation is None
        or _function_name(activation) in ACTIVATION_NAMES
        or type(activation) in LAYERS
    )
    return known_activation and not getattr(layer, "lora_enabled", False)


def _function_name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _called(name: str) -> str:
    kind = snake(name)
    return FUNCTIONS.get(kind, kind)


def snake(name: str) -> str:
    """Return a class's name in snake case, as in Keras' automatic names.

    >>> snake("SeparableConv2D"), snake("EinsumDense")
    ('separable_conv2d', 'einsum_dense')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
