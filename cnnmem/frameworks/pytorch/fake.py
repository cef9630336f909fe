"""Replace a model's tensors by stand-ins, and put the model back exactly as it was.

A stand-in is a fake tensor, which claims a device and a dtype but holds no data. In a real run, a
parameter stands for itself and a copy stands for each buffer, since the forward pass may change it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import is_
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.nn.parameter import is_lazy

from cnnmem.errors import CnnmemError, NetworkError

StandIns = dict[int, Tensor]  # by the id of the tensor that they stand for


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers of a module by name, each shared one once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def fakes_of(
    module: nn.Module, mode: FakeTensorMode, device: torch.device, dtype: torch.dtype
) -> StandIns:
    """Return a fake for each parameter and buffer; floating-point ones get `dtype`.

    Only the shapes of the real ones are read, so they may be on any device, including "meta".
    """
    for name, tensor in tensors_of(module).items():
        if is_lazy(tensor):
            raise _lazy(module, name)
    return {id(t): _fake(t, mode, device, dtype) for t in tensors_of(module).values()}


def _lazy(module: nn.Module, name: str) -> NetworkError:
    return NetworkError(
        f"parameter {name!r} of the {type(module).__name__} has no shape yet; "
        "call the model once with a real input, then count it"
    )


def _fake(tensor: Tensor, mode: FakeTensorMode, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Make a fake directly: converting hundreds through the mode takes as long as the model."""
    kind = dtype if tensor.dtype.is_floating_point else tensor.dtype
    shape = torch.empty_strided(tensor.shape, tensor.stride(), dtype=kind, device="meta")
    fake = FakeTensor(mode, shape, device)
    if isinstance(tensor, nn.Parameter):
        # isinstance(fake, nn.Parameter) then holds (`_ParameterMeta` in torch/nn/parameter.py)
        fake._is_param = True
    return fake.requires_grad_(tensor.requires_grad)


def own_of(module: nn.Module, device: torch.device | None, dtype: torch.dtype | None) -> StandIns:
    """Return the parameters themselves and copies of the buffers, for a real run.

    Raises `CnnmemError` for a parameter that is not on `device` or not of `dtype`, where given.
    """
    for name, p in module.named_parameters():
        if is_lazy(p):
            raise _lazy(module, name)
        if dtype is not None and p.dtype.is_floating_point and p.dtype != dtype:
            raise CnnmemError(
                f"parameter {name!r} is {p.dtype}, and execute=True runs it as it is; leave dtype "
                "out, or convert the module"
            )
        if device is not None and p.device != device:
            raise CnnmemError(
                f"parameter {name!r} is on {p.device}, and execute=True runs it there; "
                f"move the module to {device} or leave device out"
            )
    for name, buffer in module.named_buffers():
        if buffer.layout != torch.strided:
            raise CnnmemError(
                f"buffer {name!r} is sparse ({buffer.layout}), so what is kept of it in a real run "
                "cannot be told; leave execute out"
            )
    copies = {id(b): b.detach().clone() for b in module.buffers()}
    return {id(t): copies.get(id(t), t) for t in tensors_of(module).values()}


@contextmanager
def standing_in(module: nn.Module, stand_ins: StandIns) -> Iterator[None]:
    """Replace a module's tensors by stand-ins; afterwards all its parts are as before.

    What a forward pass sets on its modules is undone too: modes, attributes, items of a list.
    (`torch.func.functional_call` would leave a stand-in behind in a module that has two names.)
    """
    before = [(part, dict(part.__dict__), _containers(part)) for part in module.modules()]
    try:
        for _, _, containers in before:
            for container, content in containers:
                _fill(container, content, stand_ins)
        yield
    finally:
        for part, attributes, containers in before:
            part.__dict__.clear()
            part.__dict__.update(attributes)
            for container, content in containers:
                _fill(container, content, {})


@contextmanager
def as_it_was(parts: Sequence[nn.Module]) -> Iterator[None]:
    """Undo what happens inside to modules: modes, attributes, what lists and dicts hold."""
    before = []
    for part in parts:
        attributes = part.__dict__.copy()
        theirs = type(part).__module__.startswith("torch.nn.modules.")
        # torch's own modules change their buffers at most
        held = (attributes["_buffers"],) if theirs else attributes.values()
        filled = [(v, v.copy()) for v in held if type(v) in _FILLED and v]
        before.append((part.__dict__, attributes, filled, theirs))
    try:
        yield
    finally:
        for here, attributes, filled, theirs in before:
            if not _same(here, attributes):
                here.clear()
                here.update(attributes)
            for container, content in filled:
                if not _same(container, content):
                    _fill(container, content, {})
            if theirs:
                continue
            known = {id(container) for container, _ in filled}
            for value in attributes.values():
                if type(value) in _FILLED and value and id(value) not in known:
                    value.clear()  # it was empty


def _same(container: Any, content: Any) -> bool:
    """Return whether a list or dict holds the very objects that it held."""
    if len(container) != len(content):
        return False
    if isinstance(container, list):
        return all(map(is_, container, content))
    return container.keys() == content.keys() and all(
        map(is_, container.values(), content.values())
    )


def _containers(part: nn.Module) -> list[tuple[Any, Any]]:
    """Return a module's lists and dicts (its parameters are in one), each with a copy."""
    return [(value, value.copy()) for value in part.__dict__.values() if type(value) in _FILLED]


_FILLED = (list, dict, OrderedDict)  # nn.Module keeps its hooks in OrderedDicts


def _fill(container: Any, content: Any, stand_ins: StandIns) -> None:
    """Give a container its content back, with stand-ins for the tensors that have one."""
    if isinstance(container, list):
        container[:] = [stand_ins.get(id(value), value) for value in content]
    else:
        container.clear()
        container.update({key: stand_ins.get(id(v), v) for key, v in content.items()})
