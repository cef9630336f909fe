"""Stand in for a model's tensors, and put the model back exactly as it was.

A stand-in is a fake tensor, which claims a device and a dtype and holds nothing, or in a real run
the parameter itself and a copy of a buffer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.nn.parameter import is_lazy

from cnnmem.errors import CnnmemError, NetworkError

StandIns = dict[int, Tensor]  # by the id of the tensor that they stand for


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers of a module by name, a shared one once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def fakes_of(
    module: nn.Module, mode: FakeTensorMode, device: torch.device, dtype: torch.dtype
) -> StandIns:
    """Return a fake for each parameter and buffer; those of floating point get `dtype`.

    Nothing but shapes is read of the real ones, so they may be on any device, "meta" among them.
    """
    for name, tensor in tensors_of(module).items():
        if is_lazy(tensor):
            raise NetworkError(
                f"parameter {name!r} of the {type(module).__name__} has no shape yet; "
                "call the model once with a real input, then count it"
            )
    return {id(t): _fake(t, mode, device, dtype) for t in tensors_of(module).values()}


def _fake(tensor: Tensor, mode: FakeTensorMode, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Make a fake from its parts: through the mode, hundreds of them take as long as the model."""
    kind = dtype if tensor.dtype.is_floating_point else tensor.dtype
    shape = torch.empty_strided(tensor.shape, tensor.stride(), dtype=kind, device="meta")
    fake = FakeTensor(mode, shape, device)
    if isinstance(tensor, nn.Parameter):
        fake._is_param = True  # which makes a tensor of any class an nn.Parameter
    return fake.requires_grad_(tensor.requires_grad)


def own_of(module: nn.Module, device: torch.device | None, dtype: torch.dtype) -> StandIns:
    """Return the parameters themselves and copies of the buffers, for a real run."""
    for name, p in module.named_parameters():
        if p.dtype.is_floating_point and p.dtype != dtype:
            raise CnnmemError(
                f"parameter {name!r} is of {p.dtype} and is run as it is with execute=True; "
                f"give dtype={str(p.dtype).removeprefix('torch.')!r} or convert the module"
            )
        if device is not None and p.device != device:
            raise CnnmemError(
                f"parameter {name!r} is on {p.device} and is run there with execute=True; "
                f"move the module to {device} or leave device out"
            )
    copies = {id(b): b.detach().clone() for b in module.buffers()}
    return {id(t): copies.get(id(t), t) for t in tensors_of(module).values()}


@contextmanager
def standing_in(module: nn.Module, stand_ins: StandIns) -> Iterator[None]:
    """Put stand-ins in the place of a module's tensors; afterwards all its parts are as before.

    What a forward sets on its modules is undone too: modes, attributes, what it puts into a list.
    (`torch.func.functional_call` would leave a stand-in in a module that has two names.)
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


def _containers(part: nn.Module) -> list[tuple[Any, Any]]:
    """Return the lists and dicts on a module, among them those of its parameters, with copies."""
    return [(value, value.copy()) for value in part.__dict__.values() if type(value) in _FILLED]


_FILLED = (list, dict, type(nn.Module().__dict__["_forward_hooks"]))  # the last: an OrderedDict


def _fill(container: Any, content: Any, stand_ins: StandIns) -> None:
    """Give a container its content again, stand-ins in the place of what they stand for."""
    if isinstance(container, list):
        container[:] = [stand_ins.get(id(value), value) for value in content]
    else:
        container.clear()
        container.update({key: stand_ins.get(id(v), v) for key, v in content.items()})
