"""What the tracer answers when a model calls a function.

A function that is a layer has a rule in `layer_rules`. Others tell sizes, are views, look into
values, or have no rule of their own: those really run on meta tensors (`Trace.run`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._device import _device_constructors

from cnnmem.model.layers import Flatten

from .kinds import function_name
from .layer_rules import RULES, Answer, bounds
from .trace import Trace


@dataclass(frozen=True, slots=True)
class Rule:
    """How a function is answered; `asks` says that it gives no tensor and makes no row."""

    answer: Answer
    name: str
    asks: bool = False
    in_place: bool = False  # writes over its first argument

    def name_of(self, args: Any, kwargs: Any) -> str:
        """Return what the row is called."""
        if self.name == "hardtanh" and bounds(args, kwargs) == (0.0, 6.0):
            return "relu6"
        return self.name


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
    if name in RULES:
        return Rule(RULES[name], name, in_place=called.endswith("_"))
    if called == "unfold" and func is not torch.Tensor.unfold:
        return Rule(_run, name)
    if called in _VIEWS:
        return Rule(_view, name)
    if called.endswith("_") and not called.endswith("__"):
        return Rule(_run_in_place, name, in_place=True)
    return Rule(_run, name)


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


_FLATTEN = Flatten()
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
