"""How a model calls a module or a function: the facts that tools count by (see `count.tools`)."""

from __future__ import annotations

import dis
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import modules as own
from .kinds import BY_FUNCTION, function_name

_OWN = "torch.nn.modules."
_NAMED = ("weight", "bias")
# Where functions have the arguments that matter: the scale of a normalisation, a bias.
_SCALE = {"batch_norm": 3, "instance_norm": 3, "layer_norm": 2, "group_norm": 2}
_BIAS = ("linear", *[f"conv{t}{n}d" for t in ("", "_transpose") for n in (1, 2, 3)])
_OPERATORS = ("add", "mul", "matmul")  # `x + y` and `x.add(y)` come under one name


def is_torchs(module: nn.Module) -> bool:
    """Return whether a module's class is one of torch's own, not made from one."""
    return type(module).__module__.startswith(_OWN)


def module_facts(module: nn.Module, shape: tuple[int, ...]) -> set[str]:
    """Return the facts of a module that is called with a tensor of this shape, (N, ...).

    >>> sorted(module_facts(nn.Upsample(scale_factor=2, mode="bilinear"), (1, 8, 4, 4)))
    ['Upsample', 'bilinear', 'class']
    """
    name = type(module).__name__
    facts = {"class", name} if is_torchs(module) else set()
    parameters = module._parameters
    others = {*parameters} - {*_NAMED} if not isinstance(module, nn.RNNBase) else set()
    checks = {
        "Conv": "Conv" in name,
        "children": bool(module._modules),
        "scale": parameters.get("weight") is not None,
        "bias": parameters.get("bias") is not None,
        "same": isinstance(getattr(module, "padding", None), str),
        "batch statistics": getattr(module, "track_running_stats", True) is False,
        "F": isinstance(module, own.GlobalMaxPool),
        "other parameters": bool(others),
        "odd parameters": any("weight" in key or "bias" in key for key in others),
    }
    facts |= {fact for fact, holds in checks.items() if holds}
    if isinstance(module, nn.Upsample):
        facts.add(module.mode)
    if isinstance(module, nn.Softmax) and module.dim is not None:
        axes = len(shape)
        channels = axes in (2, 4, 5) and module.dim % axes == 1  # of three axes it is not clear
        facts.add("over channels" if channels else "other axis")
    return facts


def own_parameters(module: nn.Module) -> int:
    """Return how many learned parameters a module's weight and bias have, its children not.

    A recurrent layer has more of them, with longer names.

    >>> own_parameters(nn.Linear(3, 2)), own_parameters(nn.RNN(3, 2))
    (8, 14)
    """
    given = module._parameters.items()
    recurrent = isinstance(module, nn.RNNBase)
    return sum(p.numel() for key, p in given if p is not None and (recurrent or key in _NAMED))


def inner_facts(func: Callable[..., Any], caller: FrameType | None) -> set[str]:
    """Return the facts of a function that a module of the model's own class calls inside.

    >>> sorted(inner_facts(F.relu, None))
    ['relu inside', 'relu inside by F']
    """
    kind = BY_FUNCTION.get(function_name(func), function_name(func))
    namespaces = _namespace(func, getattr(func, "__name__", ""), caller)
    return {f"{kind} inside", *[f"{kind} inside by {each}" for each in namespaces]}


def function_facts(
    func: Callable[..., Any],
    args: Any,
    kwargs: Any,
    caller: FrameType | None,
    inside: nn.Module | None,
) -> set[str]:
    """Return the facts of a function: where it comes from, and those of its arguments that matter.

    `caller` is the frame of Python that calls it, `inside` the module. What torch's own modules
    call is not what a model calls: they may hold a function that a tool has replaced meanwhile.

    >>> sorted(function_facts(F.interpolate, (), {"mode": "bilinear"}, None, None))
    ['F', 'bilinear']
    """
    name = getattr(func, "__name__", "")
    if inside is None or not is_torchs(inside) or isinstance(inside, nn.Sequential):
        facts = _namespace(func, name, caller)
    else:
        facts = {"inside"}

    def given(position: int, key: str) -> Any:
        return kwargs.get(key, args[position] if len(args) > position else None)

    if name == "interpolate":
        facts.add(given(3, "mode") or "nearest")
    if name in _SCALE and given(_SCALE[name], "weight") is not None:
        facts.add("scale")
    if name in ("batch_norm", "instance_norm"):
        computed = given(5, "training" if name == "batch_norm" else "use_input_stats")
        if computed or (computed is None and name == "instance_norm"):
            facts.add("batch statistics")
    if name in _BIAS:
        if given(2, "bias") is not None:
            facts.add("bias")
        if isinstance(given(4, "padding"), str):
            facts.add("same")
    return facts


def _namespace(func: Callable[..., Any], name: str, caller: FrameType | None) -> set[str]:
    # ReLU6 may be a hardtanh with bounds 0 and 6, and what works in place has a name of its own:
    # tools know functions by their names
    if name.startswith("hardtanh") or (name.endswith("_") and not name.endswith("__")):
        return set()
    if getattr(F, name, None) is func:
        return {"F"}
    if getattr(torch, name, None) is func:
        return {"torch"}
    if getattr(Tensor, name, None) is func:
        return {"operator"} if name in _OPERATORS and _is_operator(caller) else {"Tensor"}
    return {"operator"} if name.startswith("__") else set()


def _is_operator(caller: FrameType | None) -> bool:
    """Return whether the instruction that Python is at is an operator, not a call."""
    if caller is None or caller.f_lasti < 0:
        return False
    operation = dis.opname[caller.f_code.co_code[caller.f_lasti]]
    return operation.startswith(("BINARY", "INPLACE"))
