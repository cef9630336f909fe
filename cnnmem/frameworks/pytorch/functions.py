"""What the tracer answers when a model calls a function.

A rule binds the arguments of a function, finds the plain layer that it is, and lets the layer's
own formulas say what comes out and what backward keeps. What has no rule of its own really runs on
meta tensors (`Trace.run`). What a function saves follows PyTorch's `derivatives.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format
from torch.utils._device import _device_constructors

from cnnmem.errors import CnnmemError
from cnnmem.model import layers as L
from cnnmem.model.layers import Kept, Layer, Shape

from .kinds import function_name
from .trace import Node, Trace, Value

Answer = Callable[[Trace, Any, Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a function is answered; `asks` says that it gives no tensor and makes no row."""

    answer: Answer
    name: str
    asks: bool = False
    in_place: bool = False  # writes over its first argument

    def name_of(self, args: Any, kwargs: Any) -> str:
        """Return what the row is called."""
        if self.name == "hardtanh" and _bounds(args, kwargs) == (0.0, 6.0):
            return "relu6"
        return self.name


def _bounds(args: Any, kwargs: Any) -> tuple[Any, ...]:
    return (*args[1:], *kwargs.values())[:2]


_RULES: dict[Any, Rule | None] = {}


def rule_of(func: Any) -> Rule | None:
    """Return the rule for a function; None for one that tells sizes and the like."""
    try:
        return _RULES[func]
    except KeyError:
        rule = _RULES[func] = _rule_of(func)
        return rule


def _rule_of(func: Any) -> Rule | None:
    called = getattr(func, "__name__", type(func).__name__)
    owner = getattr(getattr(func, "__self__", None), "__name__", "")
    if called == "__get__":
        if owner in _GETTERS:
            return Rule(_GETTERS[owner], owner, asks=True)
        if owner == "data":
            return Rule(_detach, owner)
        return Rule(_view, owner) if owner in _VIEW_GETTERS else None
    if called == "__set__":
        return Rule(_set, owner, asks=True)
    if called in _SIZES or (called == "__get__" and owner == "shape"):
        return Rule(_size, owner, asks=True)
    if called in _PLAIN:
        return None
    name = function_name(func)
    if called in _VALUES:
        return Rule(_needs_values, name)
    if func in _device_constructors():
        return Rule(_construct, name)
    if type(func).__name__ in ("OpOverload", "OpOverloadPacket"):
        if str(func).startswith("profiler"):
            return None
        if "aten" not in str(func):
            return Rule(_custom, name)
    if called in _SPECIAL:
        return Rule(_SPECIAL[called], name)
    if name in _BY_NAME:
        return Rule(_BY_NAME[name], name, in_place=called.endswith("_"))
    if name in _UNARY:
        return Rule(_unary, name, in_place=called.endswith("_"))
    if called == "unfold" and func is not torch.Tensor.unfold:
        return Rule(_run, name)
    if called in _VIEWS:
        return Rule(_view, name)
    if called.endswith("_") and not called.endswith("__"):
        return Rule(_run_in_place, name, in_place=True)
    return Rule(_run, name)


# -- arguments ------------------------------------------------------------------------------------


Names = tuple[tuple[str, Any], ...]  # of arguments, with their defaults


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
    _, kept, macs = worked
    frame = t.current
    assert frame is not None
    frame.layer, frame.times = layer, times
    frame.macs += macs * times
    frame.depthwise |= isinstance(layer, L.DepthwiseConv2d)
    if not torch.is_grad_enabled():
        return result
    sources = [t.value(x) for x in tensors]
    reached = [v.grad for v in sources]
    learned = [w for w in weights if w is not None]
    if not any(reached) and not any(w.requires_grad for w in learned):
        return result
    learns = bool(learned) and learned[0].requires_grad
    if macs:
        frame.backward_macs += macs * times * (reached[0] + learns)
    # a parameter is no step of backward, a weight that was computed may be
    node = t.step([*sources, *[t.value(w) for w in learned if id(w) not in t.own]])
    t.learn(result, node)
    if kept is not L.NOTHING:
        _keep(t, layer, kept, times, node, sources, reached, learned[:1], result)
    t.note_product(macs * times)
    return result


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
    if kept.copies or kept.masks or kept.indices or kept.statistics or kept.per_image:
        dtype = t.value(result).dtype
        for count, column, kind in (
            (kept.copies * times, "copies", dtype),
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


# -- rules ----------------------------------------------------------------------------------------


def _run(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.run(func, args, kwargs, kwargs.get("inplace") is True)


def write_out(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    """Answer a call with `out=`: a statistic of the module may be written over."""
    out = kwargs["out"]
    if not (isinstance(out, Tensor) and t.is_own(out)):
        t.refuse("a function that writes into out=")
    t.run(func, args, {key: value for key, value in kwargs.items() if key != "out"})
    return out


def _run_in_place(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.run(func, args, kwargs, True)


def _run_fake(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.run_fake(func, args, kwargs)


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


def _view(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    result = t.run_views(func, args, kwargs)
    if isinstance(result, Tensor) and args and t.current is not None:
        before, after = t.value(args[0]), t.value(result)
        flat = len(after.shape) == 2 < len(before.shape) and before.shape[0] == after.shape[0]
        if flat and before.key == after.key:  # a map that is not contiguous is copied
            t.current.layer, t.current.times = _FLATTEN, before.shape[0]
    return result


def _needs_values(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.refuse(f"{function_name(func)} looks into a tensor")


def _custom(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.refuse(f"the custom operator {func}")


def _construct(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    if any(isinstance(x, Tensor) for x in args):
        return t.run(func, args, kwargs)
    made = func(*args, **{**kwargs, "device": "meta"})
    t.adopt(made, None)
    return made


def _size(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    t.asked_size |= not t.in_torchs_own
    return func(*args, **kwargs)


def _device(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.device


def _dtype(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.value(args[0]).dtype


def _is_cuda(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.device.type == "cuda"


def _is_cpu(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.device.type == "cpu"


def _false(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return False


def _grad_fn(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    if hasattr(args[0], "_cnnmem"):
        return t.refuse("grad_fn of a tensor")
    return args[0].grad_fn


def _set(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.refuse("an attribute of a tensor that is set")


def _detach(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    with torch.no_grad():
        return t.run_views(func, args, kwargs)


def _get_item(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    if all(isinstance(i, int | slice | type(None) | type(...)) for i in index):
        return t.run_views(func, args, kwargs)
    if any(isinstance(i, Tensor) and t.value(i).dtype == torch.bool for i in index):
        return t.refuse("an index of a mask")
    return t.run(func, args, kwargs)


def _set_item(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    return t.run(func, args, kwargs, True)


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
    if groups > 1 and groups == channels:
        return L.DepthwiseConv2d(kernel, stride, padding, dilation, out // channels, bias)
    return L.Conv2d(out, kernel, stride, padding, dilation, groups, bias)


def _conv(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, weight, bias, stride, padding, dilation, groups = _bind(_CONV, args, kwargs)
    value, shape = t.value(x), tuple(weight.shape)
    dims = len(shape) - 2
    if len(value.shape) != dims + 2 or dims != 2 or value.shape[1] != shape[1] * groups:
        return t.run(func, args, kwargs)
    try:
        layer = _conv_layer(
            shape[0],
            shape[2:],
            _tuple(stride, dims),
            padding if isinstance(padding, str) else _tuple(padding, dims),
            _tuple(dilation, dims),
            groups,
            value.shape[1],
            bias is not None,
        )
        worked = _worked_out(layer, _one(value.shape))
    except CnnmemError:
        return t.run(func, args, kwargs)  # which says what does not fit
    *sizes, channels = worked[0]
    out = (value.shape[0], channels, *sizes)
    if value.plain and weight.is_contiguous():
        result = t.new(out, value.dtype)
    else:
        result = _map_like(t, weight if value.plain else x, out)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


_CONV: Names = (
    ("input", None),
    ("weight", None),
    ("bias", None),
    ("stride", 1),
    ("padding", 0),
    ("dilation", 1),
    ("groups", 1),
)


def _linear(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, weight, bias = _bind(_LINEAR, args, kwargs)
    value, shape = t.value(x), tuple(weight.shape)
    dims = len(value.shape)
    if dims not in (2, 3) or len(shape) != 2 or value.shape[-1] != shape[1] or not value.plain:
        return t.run(func, args, kwargs)
    layer = _linear_layer(shape[0], bias is not None, dims == 3)
    worked = _worked_out(layer, value.shape[1:])
    result = t.new((*value.shape[:-1], shape[0]), value.dtype)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


@lru_cache(1024)
def _linear_layer(out: int, bias: bool, tokens: bool) -> Layer:
    return L.Linear(out, bias, tokens)


_LINEAR: Names = (("input", None), ("weight", None), ("bias", None))
_BATCH_NORM: Names = (
    *(("input", None), ("running_mean", None), ("running_var", None), ("weight", None)),
    *(("bias", None), ("training", False), ("momentum", 0.1), ("eps", 1e-5)),
)


@lru_cache(16)
def _batch_norm_layer(scale: bool, center: bool) -> Layer:
    return L.BatchNorm(scale, center)


def _batch_norm(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, _, _, weight, bias, training, *_ = _bind(_BATCH_NORM, args, kwargs)
    value = t.value(x)
    if len(value.shape) < 2 or (training and value.numel == value.shape[1]):
        return t.run(func, args, kwargs)
    layer = _batch_norm_layer(weight is not None, bias is not None)
    output, kept, macs = _worked_out(layer, _one(value.shape))
    if not training:
        kept = L.ITS_INPUT
    params = (weight, bias)
    return give(t, layer, (x,), params, (output, kept, macs), value.shape[0], _like(t, x))


# What backward reads: "i" the input, "o" the output, "" nothing; and in place.
_UNARY: dict[str, tuple[str, str]] = {
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


@lru_cache(256)
def _activation(name: str, in_place: bool) -> Layer | None:
    return L.Activation(name, in_place) if name in L.ACTIVATIONS else None


def _unary(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    name = function_name(func)
    if name == "hardtanh" and _bounds(args, kwargs) == (0.0, 6.0):
        name = "relu6"
    called = func.__name__
    in_place = (
        called.endswith("_")
        or kwargs.get("inplace") is True
        or (name != "gelu" and any(a is True for a in args[1:]))
    )
    x = args[0] if args else kwargs["input"]
    value = t.value(x)
    if not value.dtype.is_floating_point:
        return t.run(func, args, kwargs, in_place)
    saves = _UNARY[name][in_place]
    if in_place:
        if value.stored:
            return t.run(func, args, kwargs, True)
        result = x
        t.changed.add(value.key)
    else:
        result = _like(t, x)
    frame = t.current
    assert frame is not None
    layer = _activation(name, in_place)
    if layer is not None:
        frame.layer, frame.times = layer, value.shape[0] if value.shape else 1
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
    frame = t.current
    assert frame is not None
    if name == "mul":
        layer: Layer = _MULTIPLY
    else:
        layer = _ADD_IN_PLACE if in_place else _ADD
    if not in_place or name == "add":
        frame.layer, frame.times = layer, (first.shape or (1,))[0]
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
    frame = t.current
    assert frame is not None
    if dim == 1:
        frame.layer, frame.times = _CAT, first[0]
    if torch.is_grad_enabled() and any(v.grad for v in values):
        t.learn(result, t.step([v for v in values if v.grad]))
    return result


_AVG_POOL: Names = (
    *(("input", None), ("kernel_size", None), ("stride", None), ("padding", 0)),
    *(("ceil_mode", False), ("count_include_pad", True), ("divisor_override", None)),
)
_MAX_POOL: Names = (
    *(("input", None), ("kernel_size", None), ("stride", None), ("padding", 0)),
    *(("dilation", 1), ("ceil_mode", False), ("return_indices", False)),
)


@lru_cache(1024)
def _pool_layer(
    kind: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Layer:
    return kind(kernel, stride, padding, dilation, ceil_mode)


def _pool(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    name = function_name(func)
    if name.startswith("max"):
        kind: Any = L.MaxPool2d
        x, kernel, stride, padding, dilation, ceil, indices = _bind(_MAX_POOL, args, kwargs)
    else:
        kind, dilation, indices = L.AvgPool2d, 1, False
        x, kernel, stride, padding, ceil, *_ = _bind(_AVG_POOL, args, kwargs)
    value = t.value(x)
    if len(value.shape) != 4 or not name.endswith("2d") or indices:
        return t.run(func, args, kwargs)
    kernel = _tuple(kernel, 2)
    try:
        layer = _pool_layer(
            kind,
            kernel,
            _tuple(stride, 2) if stride else kernel,
            _tuple(padding, 2),
            _tuple(dilation, 2),
            ceil,
        )
        worked = _worked_out(layer, _one(value.shape))
    except CnnmemError:
        return t.run(func, args, kwargs)
    h, w, c = worked[0]
    result = _map_like(t, x, (value.shape[0], c, h, w))
    return give(t, layer, (x,), (), worked, value.shape[0], result)


@lru_cache(256)
def _adaptive_layer(size: Any) -> Layer:
    return L.AdaptiveAvgPool2d(size)


def _adaptive_avg(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, size = _bind((("input", None), ("output_size", None)), args, kwargs)
    value = t.value(x)
    if len(value.shape) != 4:
        return t.run(func, args, kwargs)
    sides = (size, size) if isinstance(size, int) else tuple(size)
    sides = tuple(n if s is None else s for s, n in zip(sides, value.shape[2:], strict=True))
    layer = _adaptive_layer(sides)
    worked = _worked_out(layer, _one(value.shape))
    result = _map_like(t, x, (*value.shape[:2], *sides))
    return give(t, layer, (x,), (), worked, value.shape[0], result)


_GLOBAL = {keep: L.GlobalAvgPool2d(keep) for keep in (False, True)}


def _mean(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, dim, keep = _bind((("input", None), ("dim", None), ("keepdim", False)), args, kwargs)
    value = t.value(x)
    if len(value.shape) != 4 or dim is None or isinstance(dim, int) or "dtype" in kwargs:
        return t.run(func, args, kwargs)
    if {d % 4 for d in dim} != {2, 3}:
        return t.run(func, args, kwargs)
    layer = _GLOBAL[keep]
    worked = _worked_out(layer, _one(value.shape))
    n, c = value.shape[:2]
    result = t.new((n, c, 1, 1) if keep else (n, c), value.dtype)
    return give(t, layer, (x,), (), worked, n, result)


_DROPOUT_ARGUMENTS: Names = (("input", None), ("p", 0.5), ("training", True), ("inplace", False))


def _dropout(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, p, training, in_place = _bind(_DROPOUT_ARGUMENTS, args, kwargs)
    value = t.value(x)
    frame = t.current
    assert frame is not None
    if not training or p == 0:
        frame.layer, frame.times = _DROPOUT if p else _NO_DROPOUT, (value.shape or (1,))[0]
        return x
    if p == 1 or not value.plain or value.stored:
        return t.run(func, args, kwargs, in_place)
    frame.layer, frame.times = _DROPOUT_IN_PLACE if in_place else _DROPOUT, value.shape[0]
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


_FLATTEN = L.Flatten()
_DROPOUT, _DROPOUT_IN_PLACE, _NO_DROPOUT = L.Dropout(), L.Dropout(0.5, True), L.Dropout(0.0)


@lru_cache(1024)
def _conv_transpose_layer(*settings: Any) -> Layer:
    return L.ConvTranspose2d(*settings)


_CONV_TRANSPOSE: Names = (
    *(("input", None), ("weight", None), ("bias", None), ("stride", 1), ("padding", 0)),
    *(("output_padding", 0), ("groups", 1), ("dilation", 1)),
)


def _conv_transpose(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    bound = _bind(_CONV_TRANSPOSE, args, kwargs)
    x, weight, bias, stride, padding, more, groups, dilation = bound
    value, shape = t.value(x), tuple(weight.shape)
    plain = value.plain and weight.is_contiguous()
    if len(value.shape) != 4 or len(shape) != 4 or value.shape[1] != shape[0] or not plain:
        return t.run(func, args, kwargs)
    try:
        layer = _conv_transpose_layer(
            shape[1] * groups,
            shape[2:],
            _tuple(stride, 2),
            _tuple(padding, 2),
            _tuple(more, 2),
            _tuple(dilation, 2),
            groups,
            bias is not None,
        )
        worked = _worked_out(layer, _one(value.shape))
    except CnnmemError:
        return t.run(func, args, kwargs)
    h, w, c = worked[0]
    result = t.new((value.shape[0], c, h, w), value.dtype)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


_LAYER_NORM: Names = (
    *(("input", None), ("normalized_shape", None), ("weight", None), ("bias", None)),
    ("eps", 1e-5),
)


@lru_cache(64)
def _layer_norm_layer(whole: bool, scale: bool, center: bool) -> Layer:
    return L.LayerNorm(whole, scale, center)


def _layer_norm(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, normalized, weight, bias, _ = _bind(_LAYER_NORM, args, kwargs)
    value = t.value(x)
    dims, over = len(value.shape), len(tuple(normalized))
    whole = over == dims - 1
    if not value.plain or not (whole or (dims == 3 and over == 1)):
        return t.run(func, args, kwargs)
    layer = _layer_norm_layer(whole, weight is not None, bias is not None)
    one = _one(value.shape) if dims >= 4 else value.shape[1:]
    worked = _worked_out(layer, one)
    result = t.new(value.shape, value.dtype)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


_GROUP_NORM: Names = (
    *(("input", None), ("num_groups", None), ("weight", None), ("bias", None), ("eps", 1e-5)),
)


@lru_cache(64)
def _group_norm_layer(groups: int, scale: bool, center: bool) -> Layer:
    return L.GroupNorm(groups, scale, center)


def _group_norm(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, groups, weight, bias, _ = _bind(_GROUP_NORM, args, kwargs)
    value = t.value(x)
    if not value.plain:
        # only the CPU keeps a map channels last, meta tensors do not
        return t.run_fake(func, args, kwargs)
    if len(value.shape) != 4 or value.shape[1] % groups:
        return t.run(func, args, kwargs)
    layer = _group_norm_layer(groups, weight is not None, bias is not None)
    worked = _worked_out(layer, _one(value.shape))
    result = t.new(value.shape, value.dtype)
    return give(t, layer, (x,), (weight, bias), worked, value.shape[0], result)


@lru_cache(64)
def _upsample_layer(scale: tuple[int, int]) -> Layer:
    return L.Upsample(scale)


def _interpolate(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    result = t.run(func, args, kwargs)
    frame, read = t.current, t.value(args[0] if args else kwargs["input"]).shape
    made = t.value(result).shape
    assert frame is not None
    # a layer where height and width grow by whole factors
    if len(read) == 4 and not any(new % old for new, old in zip(made, read, strict=True)):
        factors = (made[2] // read[2], made[3] // read[3])
        frame.layer, frame.times = _upsample_layer(factors), read[0]
    return result


@lru_cache(64)
def _pixel_shuffle_layer(factor: int) -> Layer:
    return L.PixelShuffle(factor)


def _pixel_shuffle(t: Trace, func: Any, args: Any, kwargs: Any) -> Any:
    x, factor = _bind((("input", None), ("upscale_factor", None)), args, kwargs)
    result = t.run(func, args, kwargs)
    frame = t.current
    assert frame is not None
    if len(t.value(x).shape) == 4:
        frame.layer, frame.times = _pixel_shuffle_layer(factor), t.value(x).shape[0]
    return result


_GETTERS: dict[str, Answer] = {
    "device": _device,
    "dtype": _dtype,
    "is_cuda": _is_cuda,
    "is_cpu": _is_cpu,
    "is_meta": _false,
    "grad_fn": _grad_fn,
}
_VIEW_GETTERS = {"T", "mT", "H", "mH", "real", "imag"}
_SIZES = {"size", "numel", "nelement", "stride", "storage_offset", "__len__", "is_same_size"}
_PLAIN = {
    *("dim", "ndimension", "is_contiguous", "is_floating_point", "is_complex", "element_size"),
    *("get_device", "_set_grad_enabled", "_is_view", "is_nonzero_", "type_", "__hash__"),
    *("requires_grad_x", "_parse_to", "is_inference", "has_names", "is_signed", "__repr__"),
    *("result_type", "promote_types", "can_cast", "is_tensor"),
}
_VALUES = {
    *("item", "tolist", "numpy", "__bool__", "__int__", "__float__", "__index__", "__array__"),
    *("nonzero", "unique", "unique_consecutive", "masked_select", "equal", "allclose", "argwhere"),
    *("is_nonzero", "__contains__", "__complex__", "backward", "register_hook", "retain_grad"),
    "grad",  # torch.autograd.grad
    *("__iter__x", "storage", "untyped_storage", "data_ptr", "__reduce_ex__", "requires_grad_"),
}
_VIEWS = {
    *("view", "reshape", "flatten", "permute", "transpose", "t", "squeeze", "unsqueeze", "expand"),
    *("expand_as", "view_as", "narrow", "select", "chunk", "split", "split_with_sizes", "unbind"),
    *("tensor_split", "movedim", "moveaxis", "swapaxes", "swapdims", "contiguous", "unflatten"),
    *("diagonal", "unfold", "reshape_as", "hsplit", "vsplit", "dsplit", "adjoint", "ravel"),
    *("__iter__", "clone", "broadcast_to"),
}
_SPECIAL: dict[str, Answer] = {
    "__getitem__": _get_item,
    "__setitem__": _set_item,
    "detach": _detach,
}
_BY_NAME: dict[str, Answer] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _conv),
    # the device decides which kernel does it
    **dict.fromkeys(
        (
            *("scaled_dot_product_attention", "multi_head_attention_forward"),
            *("lstm", "gru", "rnn_tanh", "rnn_relu"),
        ),
        _run_fake,
    ),
    "linear": _linear,
    "embedding_bag": _embedding_bag,
    "batch_norm": _batch_norm,
    **dict.fromkeys(("add", "mul"), _binary),
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), _pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), _pool),
    "adaptive_avg_pool2d": _adaptive_avg,
    "mean": _mean,
    "conv_transpose2d": _conv_transpose,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "interpolate": _interpolate,
    "pixel_shuffle": _pixel_shuffle,
    "dropout": _dropout,
}
