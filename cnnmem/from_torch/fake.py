"""Stand in for a model's tensors: fake ones that claim a device and a dtype, and hold nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.parameter import is_lazy

from ..errors import NetworkError


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Return all parameters and buffers by all their names; a shared one stands there twice."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def fakes_of(
    module: nn.Module, mode: FakeTensorMode, device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Return a fake for each parameter and buffer of a module, shared where they are.

    Floating-point tensors get `dtype`; nothing is read of the real ones but shapes.
    """
    fakes: dict[int, Tensor] = {}
    by_name: dict[str, Tensor] = {}
    for name, tensor in tensors_of(module).items():
        if is_lazy(tensor):
            raise NetworkError(
                f"parameter {name!r} of the {type(module).__name__} has no shape yet; "
                "call the model once with a real input, then count it"
            )
        if id(tensor) not in fakes:
            fakes[id(tensor)] = _fake(tensor, mode, device, dtype)
        by_name[name] = fakes[id(tensor)]
    return by_name


def _fake(tensor: Tensor, mode: FakeTensorMode, device: torch.device, dtype: torch.dtype) -> Tensor:
    kind = dtype if tensor.dtype.is_floating_point else tensor.dtype
    with mode:
        fake = torch.empty_strided(tensor.shape, tensor.stride(), dtype=kind, device=device)
        if isinstance(tensor, nn.Parameter):
            return nn.Parameter(fake, tensor.requires_grad)
        return fake.requires_grad_(tensor.requires_grad)


@contextmanager
def modes_as_before(module: nn.Module) -> Iterator[None]:
    """Put back which parts of a module train, whatever happens inside."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def call(module: nn.Module, tensors: dict[str, Tensor], args: Any, kwargs: Any) -> Any:
    """Call a module with other tensors in the place of its own, which it has again afterwards."""
    return torch.func.functional_call(module, tensors, args, kwargs, strict=True)
