"""The kind of a torch module's or function's row, named as in plain networks where one fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from torch import nn

from . import modules as own

MODULES: dict[type[nn.Module], str] = {
    nn.Conv1d: "conv",
    nn.Conv2d: "conv",
    nn.Conv3d: "conv",
    nn.ConvTranspose1d: "conv_transpose",
    nn.ConvTranspose2d: "conv_transpose",
    nn.ConvTranspose3d: "conv_transpose",
    own.SeparableConv: "separable_conv",
    nn.Linear: "linear",
    nn.modules.batchnorm._BatchNorm: "batch_norm",
    nn.modules.pooling._MaxPoolNd: "max_pool",
    nn.modules.pooling._AvgPoolNd: "avg_pool",
    nn.modules.pooling._AdaptiveAvgPoolNd: "adaptive_avg_pool",
    nn.modules.pooling._AdaptiveMaxPoolNd: "adaptive_max_pool",
    nn.modules.dropout._DropoutNd: "dropout",
    nn.modules.padding._ConstantPadNd: "zero_pad",
    nn.modules.padding._ReflectionPadNd: "reflection_pad",
    nn.modules.padding._ReplicationPadNd: "replication_pad",
    nn.modules.padding._CircularPadNd: "circular_pad",
    nn.modules.instancenorm._InstanceNorm: "instance_norm",
    nn.PReLU: "prelu",
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.SiLU: "silu",
    nn.GELU: "gelu",
    nn.Softmax2d: "softmax",
    nn.Upsample: "upsample",
    nn.modules.pooling._LPPoolNd: "lp_pool",
    nn.RMSNorm: "rms_norm",
    nn.MultiheadAttention: "attention",
    own.GlobalAvgPool: "global_avg_pool",
    own.GlobalMaxPool: "global_max_pool",
    own.Add: "add",
    own.Multiply: "multiply",
    own.Concatenate: "concatenate",
    own.DotProductAttention: "attention",
    own.MultiheadAttention: "attention",
    nn.LSTM: "lstm",
    nn.GRU: "gru",
    nn.RNN: "rnn",
}

FUNCTIONS = {
    "add": ("__add__", "__radd__", "__iadd__"),
    "multiply": ("mul", "__mul__", "__rmul__", "__imul__"),
    "concatenate": ("cat", "concat", "concatenate"),
    "conv": ("conv1d", "conv2d", "conv3d"),
    "conv_transpose": ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    "max_pool": ("max_pool1d", "max_pool2d", "max_pool3d"),
    "avg_pool": ("avg_pool1d", "avg_pool2d", "avg_pool3d"),
    "adaptive_avg_pool": ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"),
    "lp_pool": ("lp_pool1d", "lp_pool2d", "lp_pool3d"),
    "adaptive_max_pool": ("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"),
    "dropout": ("dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"),
    "zero_pad": ("pad", "constant_pad_nd"),
    "upsample": ("interpolate",),
    "attention": ("scaled_dot_product_attention", "multi_head_attention_forward"),
    "subtract": ("sub", "__sub__", "__rsub__", "__isub__"),
    "divide": ("div", "__truediv__", "__rtruediv__", "__itruediv__", "true_divide"),
    "matmul": ("__matmul__", "__rmatmul__"),
    "power": ("pow", "__pow__", "__rpow__"),
    "negative": ("neg", "__neg__"),
    "index": ("__getitem__",),
    "assign": ("__setitem__",),
}
BY_FUNCTION = {name: kind for kind, names in FUNCTIONS.items() for name in names}


def snake(name: str) -> str:
    """Return a class's name in the spelling of kinds.

    >>> snake("LayerNorm"), snake("LeakyReLU"), snake("GroupNorm")
    ('layer_norm', 'leaky_relu', 'group_norm')
    """
    name = name.replace("ReLU", "Relu").replace("SiLU", "Silu")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def module_kind(module: nn.Module) -> str:
    """Return the kind of a module's row.

    >>> module_kind(nn.BatchNorm1d(4)), module_kind(nn.LayerNorm(4)), module_kind(nn.Hardswish())
    ('batch_norm', 'layer_norm', 'hardswish')
    """
    if isinstance(module, own.Saturating):
        return str(module.function.__name__).rstrip("_")
    if isinstance(module, nn.modules.pooling._AdaptiveMaxPoolNd) and _is_one(module.output_size):
        return "global_max_pool"
    kind: Any = type(module)
    return _class_kind(kind)


@lru_cache(1024)
def _class_kind(kind: Any) -> str:
    bases = kind.__mro__
    known = [MODULES[base] for base in bases if base in MODULES]
    torchs = [base for base in bases if base.__module__.startswith("torch.nn.modules.")]
    return known[0] if known else snake((torchs[0] if len(torchs) > 1 else bases[0]).__name__)


def function_name(function: Callable[..., Any]) -> str:
    """Return a function's name as it appears in the names of rows.

    >>> import torch
    >>> function_name(torch.Tensor.__iadd__), function_name(torch.relu_), function_name(torch.cat)
    ('add', 'relu', 'cat')
    """
    name: str = getattr(function, "__name__", type(function).__name__)
    if name == "__get__":  # of a property, such as Tensor.T
        return str(getattr(getattr(function, "__self__", None), "__name__", "get"))
    if name.startswith("__") and name.endswith("__"):
        short = BY_FUNCTION.get(name, name.strip("_"))
        return {"multiply": "mul", "subtract": "sub", "divide": "div"}.get(short, short)
    return name.strip("_")


def function_kind(name: str, shapes: list[tuple[int, ...]], outputs: list[tuple[int, ...]]) -> str:
    """Return the kind of a function's row, given its name and its input and output shapes.

    >>> function_kind("mean", [(2, 8, 7, 7)], [(2, 8)]), function_kind("mul", [(2, 8)], [(2, 8)])
    ('global_avg_pool', 'multiply')
    """
    if len(shapes) >= 1 and len(outputs) == 1 and len(shapes[0]) >= 3:
        (n, c, *sizes), to = shapes[0], outputs[0]
        ones = (1,) * len(sizes)
        if name == "mean" and len(sizes) == 1 and to in ((n, *sizes), (n, 1, *sizes)):
            return "global_avg_pool"  # of a sequence (N, L, C)
        if name in ("mean", "amax") and to in ((n, c), (n, c, *ones)):
            return "global_avg_pool" if name == "mean" else "global_max_pool"
        if name in ("view", "reshape") and len(to) == 2 and to[0] == n and len(sizes) > 1:
            return "flatten"
        if name.startswith("adaptive_max_pool") and to[2:] == ones:
            return "global_max_pool"
    return BY_FUNCTION.get(name, name)


def _is_one(size: Any) -> bool:
    return size == 1 or (isinstance(size, tuple) and set(size) == {1})
