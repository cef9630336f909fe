"""What autograd really keeps from an executed forward pass."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from cnnmem.checks import is_int
from cnnmem.errors import CnnmemError, ShapeError
from cnnmem.frameworks.pytorch.recorder import Held


def saved_bytes(
    module: nn.Module,
    input_shape: tuple[int, ...],
    mode: str = "train",
    *,
    dtype: torch.dtype | None = None,
) -> int:
    """Run a module forward once and return the bytes that autograd keeps for backward.

    `input_shape` is the shape of the whole batch, (N, C, H, W). The input is random, of `dtype`
    (default: that of the module's first parameter), on the module's device. `mode` is "train" or
    "eval". Each storage that a live node of the graph holds counts once, including the input's;
    parameters and buffers do not count. There is no loss. Afterwards the module's modes, its
    buffers and the random state are as before.

    Raises `CnnmemError` for an unknown mode and `ShapeError` for an invalid shape.

    >>> saved_bytes(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (2, 3, 32, 32))
    82176
    >>> 4 * 2 * (3 * 32 * 32 + 8 * 30 * 30)
    82176
    """
    if mode not in ("train", "eval"):
        raise CnnmemError(f'mode is {mode!r}; give "train" or "eval"')
    check_shape(input_shape)
    first = next(module.parameters(), torch.empty(0))
    own = {_identity(t) for t in (*module.parameters(), *module.buffers())}
    held: weakref.WeakSet[Held] = weakref.WeakSet()

    def pack(tensor: Tensor) -> Held:
        kept = Held(tensor)
        held.add(kept)
        return kept

    with as_before(module), torch.inference_mode(False), torch.enable_grad():
        module.train(mode == "train")
        x = torch.rand(input_shape, dtype=dtype or first.dtype, device=first.device)
        with torch.autograd.graph.saved_tensors_hooks(pack, Held.again):
            output = module(x)
            del x  # only the output holds the graph now, even if a layer overwrites the image
        storages = {_identity(kept.tensor): kept.tensor.untyped_storage() for kept in held}
        del output
    return sum(storage.nbytes() for key, storage in storages.items() if key not in own)


def check_shape(input_shape: tuple[int, ...]) -> None:
    """Raise `ShapeError` for an invalid input shape."""
    if not input_shape or not all(is_int(n) and n >= 1 for n in input_shape):
        raise ShapeError(f"input shape is {input_shape!r}; give positive integers (N, C, H, W)")


def _identity(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


@contextmanager
def as_before(module: nn.Module) -> Iterator[None]:
    """Restore a module's modes and buffers and the random state, whatever happens inside."""
    modes = [(part, part.training) for part in module.modules()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    devices = {t.device for t in (*module.parameters(), *module.buffers()) if t.is_cuda}
    with torch.random.fork_rng(devices=list(devices)):
        try:
            yield
        finally:
            for part, training in modes:
                part.training = training
            with torch.no_grad():
                for buffer, value in buffers:
                    buffer.copy_(value)
