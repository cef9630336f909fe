"""A `torch.nn.Module` becomes the same table as a plain network, without being run.

The module's forward is followed with fake tensors, which stand for tensors of a real device and
hold nothing. A row is a call of a module without children, or of a function outside one.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from ..errors import CnnmemError, NetworkError, ShapeError
from ..storage import Mode
from ..table import Summary
from ..units import bytes_per_value
from ..windows import is_int
from .fake import call, fakes_of, modes_as_before, tensors_of
from .recorder import Recorder, tensors_in
from .rows import rows_of, shape_of_one

LEAVES = (nn.MultiheadAttention,)


def summary(
    module: nn.Module,
    input_shape: Any,
    *,
    batch: int | None = None,
    dtype: str = "float32",
    mode: Mode = "train",
    device: str | torch.device | None = None,
    execute: bool = False,
    leaves: tuple[type[nn.Module], ...] = LEAVES,
) -> Summary:
    """Return the table of a torch module.

    `input_shape` is that of the whole input, (N, C, H, W), or a list of shapes where the module
    takes several; example inputs (tensors in a tuple, a list or a dict by argument) do as well, of
    which only shapes and dtypes are read. Counts are of the whole batch N.

    A row is a call of a module without children, named as in `named_modules`, or of a function
    outside one, named after the module that calls it ("layer1.0.add"). What is called again gets
    another row ("relu:2"), without parameters, which count once. Parameters that no call uses
    stand in rows of kind "unused" at the end. Modules of the classes `leaves` are one row although
    they have children.

    Parameters and floating-point inputs count as if they were of `dtype`, on `device` (default: the
    module's own, "cpu" where it has none). `saved_bytes` is what autograd keeps; the device decides
    about it. The module stays as it is: where its parameters are, its mode, its buffers, its
    gradients, its hooks. Operations with work that no formula covers are listed in
    `Summary.uncounted`.

    With `execute` the module really runs, on random numbers, where it is and in the dtype that it
    has. This is for a forward that looks into its tensors (`.item()`, `if x.sum() > 0`).

    Raises `ShapeError` for a shape that is none, and `NetworkError`, naming the module, where its
    forward fails.

    >>> table = summary(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (2, 3, 32, 32))
    >>> [(row.name, row.kind, row.output, row.saved) for row in table.rows[1:]]
    [('0', 'conv', (30, 30, 8), 24576), ('1', 'relu', (30, 30, 8), 57600)]
    """
    width = bytes_per_value(dtype)
    if mode not in ("train", "eval"):
        raise CnnmemError(f'mode is {mode!r}; give "train" or "eval"')
    first = next(tensors_in(list(tensors_of(module).values())), None)
    where = torch.device(device or (first.device if first is not None else "cpu"))
    if where.type == "meta":
        where = torch.device("cpu")  # what is on no device yet is counted as if on the CPU
    kind = getattr(torch, dtype)
    fake = None if execute else FakeTensorMode(allow_non_fake_inputs=True)
    tensors = fakes_of(module, fake, where, kind) if fake else _own(module, first, device, dtype)
    with contextlib.ExitStack() as stack:
        stack.enter_context(modes_as_before(module))
        stack.enter_context(_random_state(execute, where))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(fake or contextlib.nullcontext())
        module.train(mode == "train")
        args, kwargs = _inputs(input_shape, where, kind)
        given = list(tensors_in((args, kwargs)))
        size = _batch(given, batch)
        image = shape_of_one(tuple(given[0].shape), size)
        recorder = Recorder(module, tensors, leaves)
        recorder.add_inputs(given)
        with recorder.watch():
            try:
                output = call(module, tensors, args, kwargs)
            except Exception as error:
                raise _failure(module, error, execute) from error
        rows = rows_of(recorder, tensors, width, size)
        del output
    uncounted = tuple(f"{name} x {count}" for name, count in recorder.uncounted.items())
    name = getattr(module, "name", None) or type(module).__name__
    return Summary(name, image, size, rows, dtype, mode, uncounted=uncounted)


def _own(module: nn.Module, first: Tensor | None, device: Any, dtype: str) -> dict[str, Tensor]:
    """Return the module's own parameters and copies of its buffers, for a real run."""
    if first is not None and first.dtype != getattr(torch, dtype):
        raise CnnmemError(
            f"the {type(module).__name__} is of {first.dtype} and runs as it is with execute=True; "
            f"give dtype={str(first.dtype).removeprefix('torch.')!r} or convert it"
        )
    if first is not None and device is not None and first.device != torch.device(device):
        raise CnnmemError(
            f"the {type(module).__name__} is on {first.device} and runs there with execute=True; "
            f"move it to {device} or leave device out"
        )
    buffers = {id(b): b.detach().clone() for b in module.buffers()}
    return {name: buffers.get(id(t), t) for name, t in tensors_of(module).items()}


@contextlib.contextmanager
def _random_state(execute: bool, device: torch.device) -> Any:
    """Keep the random state of Python, and in a real run of torch."""
    state = random.getstate()
    devices = [device] if execute and device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(state)


def _inputs(given: Any, device: torch.device, dtype: torch.dtype) -> tuple[Any, dict[str, Any]]:
    """Return positional and keyword arguments for shapes or example inputs."""

    def make(value: Any) -> Any:
        if isinstance(value, Tensor):
            if not value.dtype.is_floating_point:
                return torch.zeros(value.shape, dtype=value.dtype, device=device)
            return torch.rand(value.shape, dtype=dtype, device=device)
        if _is_shape(value):
            return torch.rand(tuple(value), dtype=dtype, device=device)
        raise ShapeError(
            f"input shape is {value!r}; give whole numbers from 1 on, (N, C, H, W), a list of "
            "such shapes or example inputs"
        )

    if isinstance(given, dict):
        return (), {name: make(value) for name, value in given.items()}
    several = isinstance(given, list | tuple) and given and not any(is_int(x) for x in given)
    return tuple(make(value) for value in (given if several else (given,))), {}


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, Sequence) and len(value) > 0 and all(is_int(n) and n >= 1 for n in value)
    )


def _batch(given: list[Tensor], batch: int | None) -> int:
    size = given[0].shape[0]
    if batch not in (None, 1, size):
        raise ShapeError(
            f"batch is {batch!r}, but the input is {tuple(given[0].shape)}, {size} images; "
            "leave batch out, the shape says it"
        )
    return size


def _failure(module: nn.Module, error: Exception, execute: bool) -> NetworkError:
    """Return the error that names the innermost module in which a forward failed."""
    names = {id(part): name for name, part in module.named_modules()}
    name, failed, trace = "", module, error.__traceback__
    while trace is not None:
        part = trace.tb_frame.f_locals.get("self")
        if isinstance(part, nn.Module) and id(part) in names:
            name, failed = names[id(part)], part
        trace = trace.tb_next
    what = f"module {name!r} ({type(failed).__name__})" if name else f"the {type(failed).__name__}"
    way = (
        "check the input shape, its dtype and the mode"
        if execute
        else "if it needs the values of its tensors, which fake ones do not have, "
        "give execute=True: a real run"
    )
    return NetworkError(f"{what} fails: {error}; {way}")
