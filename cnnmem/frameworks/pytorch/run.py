"""Run a module's forward pass under the recorder, with fake or real tensors."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses import fake_tensor

from cnnmem.checks import is_int
from cnnmem.errors import CnnmemError, NetworkError, ShapeError
from cnnmem.units import bytes_per_value

from .fake import StandIns, fakes_of, own_of, standing_in, tensors_of
from .recorder import Recorder, tensors_in

NEEDS_VALUES = (
    fake_tensor.DataDependentOutputException,
    fake_tensor.DynamicOutputShapeException,
    fake_tensor.UnsupportedOperatorException,
    fake_tensor.UnsupportedFakeTensorException,
)


@dataclass(frozen=True)
class Recorded:
    """A finished recording; its output keeps autograd's graph alive."""

    recorder: Recorder
    stand_ins: StandIns
    first: tuple[int, ...]  # the shape of the first input
    batch: int
    output: Any


def record(
    module: nn.Module,
    input_shape: Any,
    batch: int | None,
    dtype: str,
    mode: str,
    device: str | torch.device | None,
    execute: bool,
    leaves: tuple[type[nn.Module], ...],
) -> Recorded:
    """Record one forward pass; the arguments are those of `read.table_of`."""
    bytes_per_value(dtype)
    kind = getattr(torch, dtype)
    if not kind.is_floating_point:
        raise CnnmemError(f"dtype is {dtype!r}; a module trains in float32, bfloat16 or float16")
    if mode not in ("train", "eval"):
        raise CnnmemError(f'mode is {mode!r}; give "train" or "eval"')
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise NetworkError(
            f"{type(module).__name__} is compiled by TorchScript, which cannot be traced; "
            "give the module that it was compiled from"
        )
    first = next(iter(tensors_of(module).values()), torch.empty(0))
    where = _device(first.device if device is None else device)
    fake = None if execute else fake_tensor.FakeTensorMode(allow_non_fake_inputs=True)
    if fake:
        stand_ins = fakes_of(module, fake, where, kind)
    else:
        stand_ins = own_of(module, None if device is None else where, kind)
    with ExitStack() as stack:
        for context in (
            _random_state(execute, where),
            _quiet(),
            torch.inference_mode(False),
            torch.enable_grad(),
            standing_in(module, stand_ins),
            fake or nullcontext(),
        ):
            stack.enter_context(context)
        module.train(mode == "train")
        args, kwargs = _inputs(input_shape, where, kind)
        given = list(tensors_in((args, kwargs)))
        shape = tuple(given[0].shape)
        size = _batch(shape, batch)
        recorder = Recorder(module, list(stand_ins.values()), leaves)
        recorder.add_inputs(given)
        with recorder.watch():
            try:
                output = module(*args, **kwargs)
            except Exception as error:
                raise _failure(module, error, execute) from error
    return Recorded(recorder, stand_ins, shape, size, output)


def _device(given: str | torch.device) -> torch.device:
    """Return the device that the stand-ins claim."""
    device = torch.device(given)
    if device.type == "meta":
        return torch.device("cpu")  # not on a real device yet: counts as if on the CPU
    if device.type != "cpu" and not torch.get_device_module(device.type).is_available():
        # autograd calls the device's driver even for fake tensors; without one the process dies
        raise CnnmemError(
            f"device is {str(given)!r}, which this PyTorch cannot use here; count for 'cpu' "
            "(on CUDA a dropout mask takes 1 byte per value instead of the dtype's size)"
        )
    return device


@contextmanager
def _random_state(execute: bool, device: torch.device) -> Iterator[None]:
    """Restore Python's random state afterwards, and torch's too."""
    state = random.getstate()
    devices = [device] if execute and device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(state)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what fake tensors log on a failure: the raised error already says it."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = disabled


def _inputs(given: Any, device: torch.device, dtype: torch.dtype) -> tuple[Any, dict[str, Any]]:
    """Return positional and keyword arguments made from shapes or example inputs."""

    def make(value: Any) -> Any:
        if isinstance(value, Tensor):
            if not value.dtype.is_floating_point:
                return torch.zeros(value.shape, dtype=value.dtype, device=device)
            return torch.rand(value.shape, dtype=dtype, device=device)
        if (
            isinstance(value, list | tuple)
            and len(value) > 0
            and all(is_int(n) and n >= 1 for n in value)
        ):
            return torch.rand(tuple(value), dtype=dtype, device=device)
        raise ShapeError(
            f"input shape is {value!r}; give positive integers (N, C, H, W), a list of such "
            "shapes, or example inputs"
        )

    if isinstance(given, dict) and given:
        return (), {name: make(value) for name, value in given.items()}
    several = isinstance(given, list | tuple) and given and not any(is_int(x) for x in given)
    return tuple(make(value) for value in (given if several else (given,))), {}


def _batch(shape: tuple[int, ...], batch: int | None) -> int:
    if not shape:
        raise ShapeError(
            "the first input has no axes; its first axis must be the batch: (N, C, H, W)"
        )
    if batch not in (None, 1, shape[0]):
        raise ShapeError(
            f"batch is {batch!r}, but the input of shape {shape} has {shape[0]} images; "
            "leave batch out, the shape already has it"
        )
    return shape[0]


def _failure(module: nn.Module, error: Exception, execute: bool) -> NetworkError:
    """Return an error that names the innermost module whose forward failed."""
    names = {id(part): name for name, part in module.named_modules()}
    name, failed, trace = "", module, error.__traceback__
    while trace is not None:
        part = trace.tb_frame.f_locals.get("self")
        if isinstance(part, nn.Module) and id(part) in names:
            name, failed = names[id(part)], part
        trace = trace.tb_next
    who = f"module {name!r} ({type(failed).__name__})" if name else f"{type(failed).__name__}"
    if isinstance(error, NEEDS_VALUES):
        return NetworkError(
            f"{who} reads values of its tensors ({error}), but fake tensors have none; "
            "give execute=True to really run it"
        )
    way = "check the shape and the dtype of the input"
    if not execute:
        way += "; a forward that needs values of its tensors works with execute=True"
    return NetworkError(f"{who} fails: {error}; {way}")
