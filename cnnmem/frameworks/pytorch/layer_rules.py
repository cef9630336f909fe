"""The rules of functions that are a layer of `cnnmem.model.layers`.

A rule binds the arguments of a function, finds the layer that it is, and lets the layer's own
formulas say what comes out and what backward keeps. Rarer functions really run on meta tensors, and
are said to be their layer afterwards (`_ran`). What a function saves follows PyTorch's
`derivatives.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch._prims_common import suggest_memory_format

from cnnmem.errors import CnnmemError
from cnnmem.model import layers as L
from cnnmem.model.layers import Kept, Layer, Shape
from cnnmem.model.layers.joining import EdgePad, ZeroPad
from cnnmem.model.layers.learned import Conv, DepthwiseConv
from cnnmem.model.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from cnnmem.model.layers.resizing import ConvTranspose, ResizeTo, UpsampleBy

from .follow import Frame
from .kinds import function_name
from .trace import Node, Trace, Value

Answer = Callable[[Trace, Any, Any, Any], Any]
Names = tuple[tuple[str, Any], ...]  # of arguments, with their defaults


def bounds(args: Any, kwargs: Any) -> tuple[Any, ...]:
    """Return the two arguments after the first, however they are given."""
    return (*args[1:], *kwargs.values())[:2]


def _bind(names: Names, args: Sequence[Any], kwargs: dict[str, Any]) -> Sequence[Any]:
    """Return the arguments of a call in order, whether they were given by place or by name."""
    if len(args) == len(names):
        return args
    return [*args, *[kwargs.get(name, default) for name, default in names[len(args) :]]]


def _tuple(value: Any, dims: int) -> tuple[int, ...]:
    if type(value) is tuple and len(value) == dims:
        return value
    if isinstance(value, int):
        return (value,) * dims
    sides = tuple([int(n) for n in value])
    return sides * dims if len(sides) == 1 else sides


# -- answering with a layer -----------------------------------------------------------------------


@lru_cache(8192)
def _made(kind: Callable[..., Layer], *settings: Any) -> Layer:
    return kind(*settings)


@lru_cache(1024)
def _over(kind: type[Layer], axes: int, *settings: Any) -> Layer:
    return kind.over(axes)(*settings)


@lru_cache(8192)
def _worked_out(layer: Layer, *inputs: Shape) -> tuple[Shape, Kept, int]:
    """Return what a layer gives for one image: the output's shape, what is kept, the MACs."""
    output = layer.output_shape(*inputs)
    return output, layer.keeps(output, *inputs), layer.macs(output, *inputs)


def give(
    t: Trace,
    layer: Layer,
    tensors: Sequence[Tensor],
    weights: Sequence[Tensor | None],
    worked: tuple[Shape, Kept, int],
    times: int,
    result: Tensor,
) -> Tensor:
    """Return the result of a call that is a layer, and note what its backward keeps."""
    frame = t.current
    assert frame is not None
    macs = worked[2] * times
    frame.layer, frame.times = layer, times
    frame.macs += macs
    frame.depthwise |= isinstance(layer, DepthwiseConv)
    if torch.is_grad_enabled():
        _give_backward(t, frame, layer, tensors, weights, worked[1], times, macs, result)
    t.note_product(macs)  # after its inputs are saved: a checkpoint need not repeat it for those
    return result


def _give_backward(
    t: Trace,
    frame: Frame,
    layer: Layer,
    tensors: Sequence[Tensor],
    weights: Sequence[Tensor | None],
    kept: Kept,
    times: int,
    macs: int,
    result: Tensor,
) -> None:
    sources = [t.value(x) for x in tensors]
    reached = [v.grad for v in sources]
    learned = [w for w in weights if w is not None]
    if not any(reached) and not any(w.requires_grad for w in learned):
        return
    learns = bool(learned) and learned[0].requires_grad
    if macs:
        frame.backward_macs += macs * (reached[0] + learns)
    # a parameter is not a step of backward, a weight that was computed may be
    node = t.step([*sources, *[t.value(w) for w in learned if id(w) not in t.own]])
    t.learn(result, node)
    if kept is not L.NOTHING:
        _keep(t, layer, kept, times, node, sources, reached, learned[:1], result)


def _keep(
    t: Trace,
    layer: Layer,
    kept: Kept,
    times: int,
    node: Node,
    sources: list[Value],
    reached: list[bool],
    weight: list[Tensor],  # one at most
    result: Tensor,
) -> None:
    """Note what the backward of a layer keeps."""
    if kept.inputs and (layer.saves_together or any(w.requires_grad for w in weight)):
        for i in layer.needed_inputs(range(len(sources)), reached):
            t.save(node, sources[i])
    if layer.saves_together or reached[0]:
        for computed in [t.value(w) for w in weight if id(w) not in t.own]:
            if not computed.stored:
                t.save(node, computed)
    if kept.output:
        t.save(node, t.value(result))
    if any(kept[2:]):
        dtype = t.value(result).dtype
        for count, column, kind in (
            (kept.copies * times, "copies", dtype),
            (kept.float32 * times, "copies", torch.float32),
            (kept.masks * times, "masks", dtype),
            (kept.indices * times, "indices", torch.int64),
            (kept.statistics + kept.per_image * times, "batch_statistics", dtype),
        ):
            if count:
                t.keep_own(node, count, kind, column)


def _like(t: Trace, x: Tensor) -> Tensor:
    """Return a new tensor as an element-wise function gives it for one input."""
    value = t.value(x)
    if value.plain:
        return t.new(value.shape, value.dtype)
    made = torch.empty_like(t.meta(x))
    t.adopt(made, None)
    return made


def _map_like(t: Trace, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a new map in the memory format of the map `x`."""
    value = t.value(x)
    if value.plain or len(shape) != 4:
        return t.new(shape, value.dtype)
    # the order of the strides decides, also for a part of a tensor, with gaps
    if suggest_memory_format(t.meta(x)) != torch.channels_last:
        return t.new(shape, value.dtype)
    made = torch.empty(shape, dtype=value.dtype, device="meta", memory_format=torch.channels_last)
    t.adopt(made, None)
    return made


def _one(shape: tuple[int, ...]) -> Shape:
    """Return the shape of one map, channels last."""
    return (*shape[2:], shape[1])


def _batched(times: int, one: Shape) -> tuple[int, ...]:
    """Return the shape of a batch of maps, channels second."""
    return (times, one[-1], *one[:-1])


def _is(t: Trace, layer: Layer, shape: tuple[int, ...]) -> None:
    """Note which layer the current frame is."""
    assert t.current is not None
    t.current.layer, t.current.times = layer, shape[0] if shape else 1


# -- learned layers -------------------------------------------------------------------------------

_CONV: Names = (
    *(("input", None), ("weight", None), ("bias", None), ("stride", 1), ("padding", 0)),
    *(("dilation", 1), ("groups", 1)),
)
_CONV_TRANSPOSE: Names = (
    *(("input", None), ("weight", None), ("bias", None), ("stride", 1), ("padding", 0)),
    *(("output_padding", 0), ("groups", 1), ("dilation", 1)),
)
_LINEAR: Names = (("input", None), ("weight", None), ("bias", None))


@lru_cache(4096)
def _conv_layer(
    out: int,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    channels: int,
    bias: bool,
) -> Layer:
    axes = len(kernel)
    if groups > 1 and groups == channels:
        depthwise = DepthwiseConv.over(axes)
        return depthwise(kernel, stride, padding, dilation, out // channels, bias)
    return Conv.over(axes)(out, kernel, stride, padding, dilation, groups, bias)


def _conv(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, weight, bias, stride, padding, dilation, groups = _bind(_CONV, args, kwargs)
    value, shape = t.value(x), tuple(weight.shape)
    axes = len(shape) - 2
    plain = value.plain and weight.is_contiguous()
    if len(value.shape) != axes + 2 or value.shape[1] != shape[1] * groups:
        return t.run(func, args, kwargs)
    if axes != 2 and not plain:
        return t.run(func, args, kwargs)
    try:
        layer = _conv_layer(
            shape[0],
            shape[2:],
            _tuple(stride, axes),
            padding if isinstance(padding, str) else _tuple(padding, axes),
            _tuple(dilation, axes),
            groups,
            value.shape[1],
            bias is not None,
        )
        worked = _worked_out(layer, _one(value.shape))
    except CnnmemError:
        return t.run(func, args, kwargs)  # which says what does not fit
    out = _batched(value.shape[0], worked[0])
    result = t.new(out, value.dtype) if plain else _map_like(t, weight if value.plain else x, out)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


def _conv_transpose(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    bound = _bind(_CONV_TRANSPOSE, args, kwargs)
    x, weight, bias, stride, padding, more, groups, dilation = bound
    value, shape = t.value(x), tuple(weight.shape)
    axes = len(shape) - 2
    plain = value.plain and weight.is_contiguous()
    if len(value.shape) != axes + 2 or value.shape[1] != shape[0] or not plain:
        return t.run(func, args, kwargs)
    try:
        sizes = [_tuple(each, axes) for each in (stride, padding, more, dilation)]
        settings = (shape[1] * groups, shape[2:], *sizes, groups, bias is not None)
        layer = _over(ConvTranspose, axes, *settings)
        worked = _worked_out(layer, _one(value.shape))
    except CnnmemError:
        return t.run(func, args, kwargs)
    result = t.new(_batched(value.shape[0], worked[0]), value.dtype)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


def _linear(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, weight, bias = _bind(_LINEAR, args, kwargs)
    value, shape = t.value(x), tuple(weight.shape)
    dims = len(value.shape)
    if dims not in (2, 3) or len(shape) != 2 or value.shape[-1] != shape[1] or not value.plain:
        return t.run(func, args, kwargs)
    layer = _made(L.Linear, shape[0], bias is not None, dims == 3)
    worked = _worked_out(layer, value.shape[1:])
    result = t.new((*value.shape[:-1], shape[0]), value.dtype)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


# -- normalisation --------------------------------------------------------------------------------

_BATCH_NORM: Names = (
    *(("input", None), ("running_mean", None), ("running_var", None), ("weight", None)),
    *(("bias", None), ("training", False), ("momentum", 0.1), ("eps", 1e-5)),
)
_INSTANCE_NORM: Names = (
    *(("input", None), ("running_mean", None), ("running_var", None), ("weight", None)),
    *(("bias", None), ("use_input_stats", True), ("momentum", 0.1), ("eps", 1e-5)),
)
_LAYER_NORM: Names = (
    *(("input", None), ("normalized_shape", None), ("weight", None), ("bias", None)),
    ("eps", 1e-5),
)
_GROUP_NORM: Names = (
    *(("input", None), ("num_groups", None), ("weight", None), ("bias", None), ("eps", 1e-5)),
)


def _batch_norm(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, _, _, weight, bias, training, *_ = _bind(_BATCH_NORM, args, kwargs)
    value = t.value(x)
    if len(value.shape) < 2 or (training and value.numel == value.shape[1]):
        return t.run(func, args, kwargs)
    layer = _made(L.BatchNorm, weight is not None, bias is not None)
    output, kept, macs = _worked_out(layer, _one(value.shape))
    if not training:
        kept = L.ITS_INPUT
    params = (weight, bias)
    return give(t, layer, (x,), params, (output, kept, macs), value.shape[0], _like(t, x))


def _instance_norm(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, mean, _, weight, bias, own, *_ = _bind(_INSTANCE_NORM, args, kwargs)
    value = t.value(x)
    one_value = value.numel == value.shape[0] * value.shape[1]
    if mean is not None or not own or one_value or not value.plain:
        return t.run(func, args, kwargs)
    layer = _made(L.InstanceNorm, weight is not None, bias is not None)
    worked = _worked_out(layer, _one(value.shape))
    result = t.new(value.shape, value.dtype)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


def _layer_norm(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, normalized, weight, bias, _ = _bind(_LAYER_NORM, args, kwargs)
    value = t.value(x)
    dims, over = len(value.shape), len(tuple(normalized))
    whole = over == dims - 1
    if not (whole or over == 1):
        return t.run(func, args, kwargs)
    layer = _made(L.LayerNorm, whole, weight is not None, bias is not None)
    worked = _worked_out(layer, _one(value.shape) if whole and dims >= 4 else value.shape[1:])
    result = t.new(value.shape, value.dtype)
    give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)
    if dims >= 4 and not whole and t.current is not None:
        t.current.layer = None  # its channels are last already, where the table puts another axis
    return result


def _group_norm(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, groups, weight, bias, _ = _bind(_GROUP_NORM, args, kwargs)
    value = t.value(x)
    if not value.plain:
        # only the CPU keeps a map channels last, meta tensors do not
        return t.run_fake(func, args, kwargs)
    if len(value.shape) < 2 or value.shape[1] % groups:
        return t.run(func, args, kwargs)
    layer = _made(L.GroupNorm, groups, weight is not None, bias is not None)
    worked = _worked_out(layer, _one(value.shape))
    result = t.new(value.shape, value.dtype)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


# -- functions of each value ----------------------------------------------------------------------

# What backward reads: "i" the input, "o" the output, "" nothing; and in place.
UNARY: dict[str, tuple[str, str]] = {
    "relu": ("o", "o"),
    "sigmoid": ("o", "o"),
    "tanh": ("o", "o"),
    "relu6": ("i", "i"),
    "hardtanh": ("i", "i"),
    "silu": ("i", "i"),
    "hardswish": ("i", "i"),
    "hardsigmoid": ("i", "i"),
    "gelu": ("i", "i"),
    "mish": ("i", "i"),
    "elu": ("i", "o"),
    "selu": ("i", "o"),
    "celu": ("i", "o"),
    "leaky_relu": ("i", "o"),
    "softplus": ("i", "i"),
    "softmax": ("o", "o"),
    "log_softmax": ("o", "o"),
    "exp": ("o", "o"),
    "sqrt": ("o", "o"),
    "rsqrt": ("o", "o"),
    "reciprocal": ("o", "o"),
    "neg": ("", ""),
    "abs": ("i", "i"),
    "log": ("i", "i"),
    "sin": ("i", "i"),
    "cos": ("i", "i"),
    "square": ("i", "i"),
    "erf": ("i", "i"),
}


def unary(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    """Answer a function of each value; a softmax is one of each vector."""
    name = function_name(func)
    if name == "hardtanh" and bounds(args, kwargs) == (0.0, 6.0):
        name = "relu6"
    called = func.__name__
    in_place = (
        called.endswith("_")
        or kwargs.get("inplace") is True
        or (name != "gelu" and any(a is True for a in args[1:]))
    )
    x = args[0] if args else kwargs["input"]
    value = t.value(x)
    simple = name not in _SOFTMAX or (value.plain and not _has_dtype(args, kwargs))
    if not (value.dtype.is_floating_point and simple):
        return t.run(func, args, kwargs, in_place)
    saves = UNARY[name][in_place]
    if in_place:
        if value.stored:
            return t.run(func, args, kwargs, True)
        result = x
        t.changed.add(value.key)
    else:
        result = _like(t, x)
    if name in L.ACTIVATIONS:
        _is(t, _made(L.Activation, name, in_place), value.shape)
    if torch.is_grad_enabled() and value.grad:
        node = t.step([value])
        t.learn(result, node)
        if saves == "i" and in_place:
            t.keep_own(node, value.numel, value.dtype, "copies")
        elif saves == "i":
            t.save(node, value)
        elif saves == "o":
            t.save(node, t.value(result))
        if in_place and x._base is not None and hasattr(x._base, "_cnnmem"):
            t.learn(x._base, node)
    return result


_SOFTMAX = ("softmax", "log_softmax")


def _has_dtype(args: Any, kwargs: Any) -> bool:
    return any(isinstance(value, torch.dtype) for value in (*args, *kwargs.values()))


def _broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(torch.broadcast_shapes(*shapes))


def _binary(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    """Add, subtract and multiply tensors of one shape and dtype."""
    name, called = function_name(func), func.__name__
    in_place = called.endswith("_")
    if len(args) != 2 or kwargs:
        return t.run(func, args, kwargs, in_place)
    a, b = args
    if not (isinstance(a, Tensor) and isinstance(b, Tensor)):
        return t.run(func, args, kwargs, in_place)
    first, second = t.value(a), t.value(b)
    if (
        first.dtype != second.dtype
        or not first.dtype.is_floating_point
        or not (first.plain and second.plain)
        or (in_place and (first.stored or first.shape != _broadcast([first.shape, second.shape])))
    ):
        return t.run(func, args, kwargs, in_place)
    if in_place:
        result = a
        t.changed.add(first.key)
    elif first.shape == second.shape:
        result = t.new(first.shape, first.dtype)
    else:
        result = t.new(_broadcast([first.shape, second.shape]), first.dtype)
    if first.shape == second.shape or (name == "mul" and _is_gate(first.shape, second.shape)):
        if name == "add":
            _is(t, _ADD_IN_PLACE if in_place else _ADD, first.shape)
        elif not in_place:
            _is(t, _MULTIPLY, first.shape)
    if torch.is_grad_enabled() and (first.grad or second.grad):
        reached = (first.grad, second.grad)
        node = t.step([first, second])
        saves = []
        if name == "mul":
            saves = [second] * reached[0] + [first] * reached[1]  # in autograd's order
        for value in saves:
            if in_place and value is first:
                t.keep_own(node, value.numel, value.dtype, "copies")
            else:
                t.save(node, value)
        t.learn(result, node)
        if in_place and a._base is not None and hasattr(a._base, "_cnnmem"):
            t.learn(a._base, node)
    return result


def _is_gate(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Return whether one of two shapes is that of a gate: one value per channel."""
    if len(a) != len(b) or len(a) < 3:
        return False
    if len(a) == 3 and (a[0], a[2]) == (b[0], b[2]):
        return 1 in (a[1], b[1])  # of a sequence (N, L, C)
    ones = (1,) * (len(a) - 2)
    return a[:2] == b[:2] and ones in (a[2:], b[2:])


_ADD, _ADD_IN_PLACE, _MULTIPLY, _CAT = L.Add(), L.Add(True), L.Multiply(), L.Concatenate()


_CAT_ARGUMENTS: Names = (("tensors", None), ("dim", 0))


def _cat(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    tensors, dim = _bind(_CAT_ARGUMENTS, args, kwargs)
    values = [t.value(x) for x in tensors]
    shapes = [v.shape for v in values]
    dims = len(shapes[0])
    dim = dim + dims if dim < 0 else dim
    rest = {(s[:dim], s[dim + 1 :]) for s in shapes}
    if (
        len(rest) > 1
        or len({v.dtype for v in values}) > 1
        or not all(v.plain for v in values)
        or not isinstance(dim, int)
    ):
        return t.run(func, args, kwargs)
    first = shapes[0]
    result = t.new(
        (*first[:dim], sum([s[dim] for s in shapes]), *first[dim + 1 :]), values[0].dtype
    )
    if dim == 1 or (dim == 2 and dims == 3):
        _is(t, _CAT, first)
    if torch.is_grad_enabled() and any(v.grad for v in values):
        t.learn(result, t.step([v for v in values if v.grad]))
    return result


_DROPOUT_ARGUMENTS: Names = (("input", None), ("p", 0.5), ("training", True), ("inplace", False))


def _dropout(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, p, training, in_place = _bind(_DROPOUT_ARGUMENTS, args, kwargs)
    value = t.value(x)
    if not training or p == 0:
        _is(t, _DROPOUT if p else _NO_DROPOUT, value.shape)
        return x
    if p == 1 or not value.plain or value.stored:
        return t.run(func, args, kwargs, in_place)
    _is(t, _DROPOUT_IN_PLACE if in_place else _DROPOUT, value.shape)
    if in_place:
        result = x
        t.changed.add(value.key)
    else:
        result = t.new(value.shape, value.dtype)
    if torch.is_grad_enabled() and value.grad:
        node = t.step([value])
        t.keep_own(node, value.numel, value.dtype, "masks")
        t.learn(result, node)
    return result


_DROPOUT, _DROPOUT_IN_PLACE, _NO_DROPOUT = L.Dropout(), L.Dropout(0.5, True), L.Dropout(0.0)


# -- pooling --------------------------------------------------------------------------------------

_AVG_POOL: Names = (
    *(("input", None), ("kernel_size", None), ("stride", None), ("padding", 0)),
    *(("ceil_mode", False), ("count_include_pad", True), ("divisor_override", None)),
)
_MAX_POOL: Names = (
    *(("input", None), ("kernel_size", None), ("stride", None), ("padding", 0)),
    *(("dilation", 1), ("ceil_mode", False), ("return_indices", False)),
)
_ADAPTIVE: Names = (("input", None), ("output_size", None), ("return_indices", False))


def _pool(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    name = function_name(func)
    if name.startswith("max"):
        kind: Any = MaxPool
        x, kernel, stride, padding, dilation, ceil, indices = _bind(_MAX_POOL, args, kwargs)
    else:
        kind, dilation, indices = AvgPool, 1, False
        x, kernel, stride, padding, ceil, *_ = _bind(_AVG_POOL, args, kwargs)
    value, axes = t.value(x), int(name[-2])
    if len(value.shape) != axes + 2 or indices or not (value.plain or axes == 2):
        return t.run(func, args, kwargs)
    kernel = _tuple(kernel, axes)
    try:
        stride = _tuple(stride, axes) if stride else kernel
        settings = (kernel, stride, _tuple(padding, axes), _tuple(dilation, axes), ceil)
        layer = _over(kind, axes, *settings)
        worked = _worked_out(layer, _one(value.shape))
    except CnnmemError:
        return t.run(func, args, kwargs)
    result = _map_like(t, x, _batched(value.shape[0], worked[0]))
    return give(t, layer, (x,), (), worked, value.shape[0], result)


def _adaptive_pool(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    name = function_name(func)
    x, size, indices = _bind(_ADAPTIVE, args, kwargs)
    value, axes = t.value(x), int(name[-2])
    if len(value.shape) != axes + 2 or indices or not (value.plain or axes == 2):
        return t.run(func, args, kwargs)
    kind = AdaptiveAvgPool if "avg" in name else AdaptiveMaxPool
    given = (size,) * axes if isinstance(size, int) else tuple(size)
    pairs = zip(given, value.shape[2:], strict=True)
    sides = tuple([n if side is None else side for side, n in pairs])
    if kind is AdaptiveMaxPool and max(sides) == 1:
        layer = _over(GlobalMaxPool, axes, True)
    else:
        layer = _over(kind, axes, sides)
    worked = _worked_out(layer, _one(value.shape))
    result = _map_like(t, x, _batched(value.shape[0], worked[0]))
    return give(t, layer, (x,), (), worked, value.shape[0], result)


def _mean(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, dim, keep = _bind((("input", None), ("dim", None), ("keepdim", False)), args, kwargs)
    value = t.value(x)
    dims = len(value.shape)
    if dim is None or "dtype" in kwargs or dims not in (3, 4, 5):
        return t.run(func, args, kwargs)
    over = {d % dims for d in ((dim,) if isinstance(dim, int) else dim)}
    of_sequence = dims == 3 and over == {1}
    if over != set(range(2, dims)) and not of_sequence:
        return t.run(func, args, kwargs)
    layer = _over(GlobalAvgPool, dims - 2, keep)
    worked = _worked_out(layer, value.shape[1:] if of_sequence else _one(value.shape))
    kept = [(1 if i in over else n) for i, n in enumerate(value.shape) if keep or i not in over]
    return give(t, layer, (x,), (), worked, value.shape[0], t.new(tuple(kept), value.dtype))


# -- functions that really run, and are said to be a layer afterwards ------------------------------

# What layer it is, for the shape of the first argument and the other arguments.
Which = Callable[..., Layer | None]


def _ran(which: Which, *names: str, fake: bool = False, **defaults: Any) -> Answer:
    """Return the rule of a function whose arguments after the first have these names.

    `fake` is for functions whose kernels differ by device.
    """
    bound: Names = (("input", None), *[(n, None) for n in names], *defaults.items())

    def answer(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
        x, *others = _bind(bound, args, kwargs)
        shape = t.value(x).shape
        if fake:
            result = t.run_fake(func, args, kwargs)
        else:
            asked = dict(zip(defaults, others[len(names) :], strict=False)).get("inplace")
            result = t.run(func, args, kwargs, asked is True or func.__name__.endswith("_"))
        try:
            layer = which(shape, *others[: len(bound) - 1])
        except CnnmemError:  # the core has no such layer
            layer = None
        if layer is not None:
            _is(t, layer, shape)
        return result

    return answer


def _activation(name: str) -> Answer:
    return _ran(lambda shape: L.Activation(name))


def _threshold(shape: Shape, threshold: Any, value: Any, in_place: bool) -> Layer:
    return L.Activation("threshold", in_place)


def _prelu(shape: Shape, slopes: Tensor) -> Layer:
    return L.PReLU("layer" if slopes.numel() == 1 else "channel")


def _glu(shape: Shape, dim: int) -> Layer | None:
    dims = len(shape)
    return L.GLU() if dim % dims == 1 or (dims == 3 and dim % dims == 2) else None


def _pad(shape: Shape, pad: Any, mode: str, value: Any) -> Layer | None:
    axes = min(len(shape) - 2, 3)
    pairs = [tuple(pad[i : i + 2]) for i in range(0, len(pad), 2)]
    if not axes or len(pairs) > axes:
        return None
    pairs += [(0, 0)] * (axes - len(pairs))
    sides = tuple([side for pair in reversed(pairs) for side in pair])
    if mode == "constant":
        return _over(ZeroPad, axes, sides)
    return _over(EdgePad, axes, sides, _EDGES[mode])


_EDGES = {"reflect": "reflection", "replicate": "replication", "circular": "circular"}


def _interpolate(shape: Shape, size: Any, scale: Any) -> Layer | None:
    axes = len(shape) - 2
    if size is not None:
        return _over(ResizeTo, axes, _tuple(size, axes))
    factors = tuple(scale) if isinstance(scale, list | tuple) else (scale,) * axes
    whole = all(factor == int(factor) for factor in factors)
    return _over(UpsampleBy, axes, tuple(map(int, factors))) if whole else None


def _embedding(shape: Shape, weight: Tensor, padding: Any, most: Any) -> Layer | None:
    return L.Embedding(*weight.shape) if most is None else None


def _dot_product(shape: Shape, *others: Any) -> Layer | None:
    return L.DotProductAttention() if len(shape) == 4 else None


def _multi_head(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    result = t.run_fake(func, args, kwargs)
    module = t.current and t.current.module
    if isinstance(module, nn.MultiheadAttention) and module.batch_first and module.bias_k is None:
        layer = L.MultiheadAttention(module.num_heads, bias=module.in_proj_bias is not None)
        _is(t, layer, t.value(args[0]).shape[1:])  # the module has put the batch second
    return result


def _recurrent(kind: Callable[..., Layer], gates: int) -> Answer:
    def which(shape: Shape, states: Any, weights: Any, bias: Any, layers: Any, *more: Any) -> Any:
        if len(shape) != 3 or not isinstance(weights, list):
            return None  # a packed sequence
        hidden, (_, _, both, _) = weights[0].shape[0] // gates, more
        projected = weights[1].shape[1] != hidden
        return None if projected else kind(hidden, layers, both, 2 if bias else 0)

    names = ("states", "weights", "bias", "layers", "dropout", "train", "both", "batch_first")
    return _ran(which, *names, fake=True)


def _embedding_bag(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    """Look up bags of one column for real: fakes do not know how large the kept indices are."""
    names = ("input", "weight", "offsets", "max_norm", "norm_type", "scale_grad_by_freq", "mode")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    weight = t.value(given["weight"])
    if len(args) > len(names) or given.get("per_sample_weights") is not None:
        return t.run(func, args, kwargs)
    small = {
        key: torch.zeros(t.value(x).shape, dtype=t.value(x).dtype) if isinstance(x, Tensor) else x
        for key, x in given.items()
    }
    small["weight"] = torch.zeros(weight.shape[0], 1, requires_grad=True)
    kept: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        bags = func(**small)
    result = t.new((*bags.shape[:-1], weight.shape[1]), weight.dtype)
    if torch.is_grad_enabled() and weight.grad:
        node = t.step([weight])
        t.learn(result, node)
        storages = {x.untyped_storage()._cdata: x for x in kept if x.dtype == torch.int64}
        index = small["input"].untyped_storage()._cdata
        for cdata, x in storages.items():
            if cdata == index:
                t.save(node, t.value(given["input"]))
            else:
                t.keep(node, next(t.keys), x.untyped_storage().nbytes(), x.numel(), x.dtype)
    return result


RULES: dict[str, Answer] = {
    **dict.fromkeys(UNARY, unary),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _conv_transpose),
    "linear": _linear,
    "batch_norm": _batch_norm,
    "instance_norm": _instance_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    **dict.fromkeys(("add", "mul"), _binary),
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    "dropout": _dropout,
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), _pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), _pool),
    **dict.fromkeys(
        (
            *("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"),
            *("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"),
        ),
        _adaptive_pool,
    ),
    "mean": _mean,
    "logsigmoid": _activation("log_sigmoid"),
    **{
        name: _activation(name)
        for name in ("log_sigmoid", "softsign", "tanhshrink", "softshrink", "hardshrink")
    },
    "threshold": _ran(_threshold, "threshold", "value", inplace=False),
    "prelu": _ran(_prelu, "weight"),
    "glu": _ran(_glu, dim=-1),
    "pad": _ran(_pad, "pad", mode="constant", value=None),
    "interpolate": _ran(_interpolate, "size", "scale_factor"),
    "pixel_shuffle": _ran(lambda shape, factor: L.PixelShuffle(factor), "upscale_factor"),
    "pixel_unshuffle": _ran(lambda shape, factor: L.PixelUnshuffle(factor), "downscale_factor"),
    "embedding": _ran(_embedding, "weight", "padding_idx", "max_norm"),
    "embedding_bag": _embedding_bag,
    "scaled_dot_product_attention": _ran(_dot_product, "key", "value", fake=True),
    "multi_head_attention_forward": _multi_head,
    "lstm": _recurrent(L.LSTM, 4),
    "gru": _recurrent(L.GRU, 3),
    **dict.fromkeys(("rnn_tanh", "rnn_relu"), _recurrent(L.RNN, 1)),
}
