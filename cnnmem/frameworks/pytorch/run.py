"""Follow a module's forward pass: traced where that is possible, else recorded."""

from __future__ import annotations

import gc
import logging
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses import fake_tensor

from cnnmem.checks import is_int
from cnnmem.count.autograd import Mode
from cnnmem.errors import CnnmemError, NetworkError, ShapeError
from cnnmem.units import bytes_per_value

from .fake import as_it_was, fakes_of, own_of, standing_in
from .follow import Follower, Frame, tensors_in
from .graph import Graph
from .recorder import Recorder
from .trace import META, Untraceable
from .tracer import Tracer

NEEDS_VALUES = (
    fake_tensor.DataDependentOutputException,
    fake_tensor.DynamicOutputShapeException,
    fake_tensor.UnsupportedOperatorException,
    fake_tensor.UnsupportedFakeTensorException,
)


@dataclass(frozen=True)
class Run:
    """What a forward pass is followed with; the fields are the arguments of `read.table_of`."""

    module: nn.Module
    input_shape: Any
    batch: int | None
    dtype: str
    mode: Mode
    device: str | torch.device | None
    execute: bool
    leaves: tuple[type[nn.Module], ...]
    frozen: frozenset[str] = frozenset()  # names of parameters that do not learn
    dtype_asked: bool = True  # and not the module's own


@dataclass(frozen=True)
class Followed:
    """A forward pass that was followed."""

    graph: Graph
    follower: Follower
    shape: tuple[int, ...]  # of the first input
    batch: int
    how: str  # "traced", "recorded" or "executed"


def follow(run: Run) -> Followed:
    """Follow one forward pass of a module, and leave the module as it was."""
    if not run.execute:
        try:
            return trace(run)
        except Untraceable:
            pass
        except CnnmemError:
            raise
        except Exception:
            # the recorder meets the same error, and names the module that it came from
            pass
    return record(run)


def trace(run: Run) -> Followed:
    """Trace a forward pass; raises `Untraceable`, or whatever the module raises."""
    with _ready(run) as (dtype, where):
        return _trace(run, dtype, where)


def record(run: Run) -> Followed:
    """Record a forward pass, executed or not; raises `NetworkError` for one that fails."""
    with _ready(run) as (dtype, where):
        return _record(run, dtype, where)


@contextmanager
def _ready(run: Run) -> Iterator[tuple[torch.dtype, torch.device]]:
    """Check a run, and yield its dtype and device where autograd and the parameters are set."""
    module = run.module
    bytes_per_value(run.dtype)
    kind = getattr(torch, run.dtype)
    if not kind.is_floating_point:
        raise CnnmemError(
            f"dtype is {run.dtype!r}; a module trains in float32, bfloat16 or float16"
        )
    if run.mode not in ("train", "eval"):
        raise CnnmemError(f'mode is {run.mode!r}; give "train" or "eval"')
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise NetworkError(
            f"{type(module).__name__} is compiled by TorchScript, which cannot be traced; "
            "give the module that it was compiled from"
        )
    first = next(chain(module.parameters(), module.buffers()), torch.empty(0))
    where = _device(first.device if run.device is None else run.device)
    with torch.inference_mode(False), torch.enable_grad(), _frozen(module, run.frozen):
        yield kind, where


def _trace(run: Run, dtype: torch.dtype, where: torch.device) -> Followed:
    tracer = Tracer(run.module, run.leaves, dtype, where)
    args, kwargs = _inputs(run.input_shape, META, dtype)
    given = tensors_in((args, kwargs))
    shape, batch = _first(given, run.batch)
    with as_it_was(tracer.parts), _python_random_state(), _no_collection():
        _set_mode(tracer, run.mode)
        tracer.add_inputs(given)
        with tracer.watch():
            try:
                output = run.module(*args, **kwargs)
            except Exception as error:
                if tracer.refused:
                    raise Untraceable(tracer.refused) from error
                raise
        if tracer.refused:  # and the model went on
            raise Untraceable(tracer.refused)
        graph = Graph(tracer, _makers(tracer, output), bytes_per_value(run.dtype), batch)
    return Followed(graph, tracer, shape, batch, "traced")


def _record(run: Run, dtype: torch.dtype, where: torch.device) -> Followed:
    module = run.module
    fake = None if run.execute else fake_tensor.FakeTensorMode(allow_non_fake_inputs=True)
    if fake:
        stand_ins = fakes_of(module, fake, where, dtype)
    else:
        asked = dtype if run.dtype_asked else None
        stand_ins = own_of(module, None if run.device is None else where, asked)
    with ExitStack() as stack:
        for context in (
            _random_state(run.execute, where),
            _quiet(),
            standing_in(module, stand_ins),
            fake or nullcontext(),
        ):
            stack.enter_context(context)
        module.train(run.mode == "train")
        args, kwargs = _inputs(run.input_shape, where, dtype, run.execute)
        given = tensors_in((args, kwargs))
        shape, batch = _first(given, run.batch)
        recorder = Recorder(module, stand_ins, run.leaves)
        recorder.add_inputs(given)
        with recorder.watch():
            try:
                output = module(*args, **kwargs)
            except Exception as error:
                raise _failure(module, error, run.execute) from error
        graph = Graph(recorder, _makers(recorder, output), bytes_per_value(run.dtype), batch)
    return Followed(graph, recorder, shape, batch, "executed" if run.execute else "recorded")


def _makers(follower: Tracer | Recorder, output: Any) -> Sequence[Frame]:
    """Return the frames that gave a model's output."""
    makers = [follower.maker_of(tensor) for tensor in tensors_in(output)]
    return [frame for frame in makers if frame is not None]


def _set_mode(tracer: Tracer, mode: str) -> None:
    """Set the mode as `module.train` does, which takes as long as a tenth of the trace."""
    if any(type(part).train is not nn.Module.train for part in tracer.parts):
        tracer.model.train(mode == "train")
    else:
        for part in tracer.parts:
            part.__dict__["training"] = mode == "train"


@contextmanager
def _frozen(module: nn.Module, names: frozenset[str]) -> Iterator[None]:
    """Let the parameters of these names learn nothing for a while."""
    learned = [module.get_parameter(n) for n in names if module.get_parameter(n).requires_grad]
    for parameter in learned:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learned:
            parameter.requires_grad_(True)


def _first(given: Sequence[Tensor], batch: int | None) -> tuple[tuple[int, ...], int]:
    """Return the shape of the first input, and its batch."""
    if not given:
        raise ShapeError("input shape holds no tensor; give the shape of the input, (N, C, H, W)")
    shape = tuple(given[0].shape)
    return shape, _batch(shape, batch)


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
def _no_collection() -> Iterator[None]:
    """Let the garbage collector rest: a trace makes thousands of objects, and keeps them all."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def _python_random_state() -> Iterator[None]:
    """Restore the random state of Python, and of NumPy where it is in use."""
    state, numpy = random.getstate(), sys.modules.get("numpy")
    legacy = numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(legacy)


@contextmanager
def _random_state(execute: bool, device: torch.device) -> Iterator[None]:
    """Restore the random state of Python and torch afterwards."""
    devices = [device] if execute and device.type == "cuda" else []
    with _python_random_state(), torch.random.fork_rng(devices=devices):
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what fake tensors log on a failure: the raised error already says it."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = disabled


def _inputs(
    given: Any, device: torch.device, dtype: torch.dtype, execute: bool = False
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return positional and keyword arguments made from shapes or example inputs."""

    def make(value: Any) -> Any:
        if isinstance(value, Tensor):
            if value.dtype.is_floating_point:
                return _random(tuple(value.shape), dtype, device)
            if execute:
                return value.detach().clone()  # lengths and indices, which must be what they are
            return torch.zeros(value.shape, dtype=value.dtype, device=device)
        if isinstance(value, dict):
            return {key: make(each) for key, each in value.items()}
        if isinstance(value, list | tuple) and len(value) > 0:
            if all(is_int(n) and n >= 1 for n in value):
                return _random(tuple(value), dtype, device)
            if any(is_int(n) for n in value):
                raise _no_shape(value)
            made = [make(each) for each in value]
            return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
        if value is None or isinstance(value, str | bool | int | float):
            return value
        raise _no_shape(value)

    if isinstance(given, dict) and given:
        return (), {name: make(value) for name, value in given.items()}
    if isinstance(given, Tensor) or _is_shape(given):
        return (make(given),), {}
    if isinstance(given, list | tuple) and given and not all(isinstance(x, int) for x in given):
        return tuple(make(value) for value in given), {}
    raise _no_shape(given)


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(is_int(n) for n in value)


def _no_shape(value: Any) -> ShapeError:
    return ShapeError(
        f"input shape is {value!r}; give positive integers (N, C, H, W), a list of such "
        "shapes, or example inputs"
    )


def _random(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    if device.type == "meta":
        return torch.empty(shape, dtype=dtype, device=device)
    return torch.rand(shape, dtype=dtype, device=device)


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
            f"{who} reads values of its tensors ({_short(str(error))}), but fake tensors have "
            "none; give execute=True to really run it"
        )
    return NetworkError(f"{who} fails: {_short(str(error))}; {_way_out(failed, error, execute)}")


def _way_out(failed: nn.Module, error: Exception, execute: bool) -> str:
    """Return what can be done about a forward that fails."""
    if "more than 1 value per channel" in str(error):
        return 'give two images or more (N = 2), or mode="eval"'
    if isinstance(failed, nn.Embedding | nn.EmbeddingBag):
        return "it takes indices: give an example, such as torch.zeros(2, 3, dtype=torch.long)"
    if "BatchedTensorImpl" in str(error):
        return "torch.vmap hides its tensors: call the module on the whole batch instead"
    way = "check the shape and the dtype of the input"
    return way if execute else f"{way}; if it needs values of its tensors, give execute=True"


def _short(text: str, most: int = 300) -> str:
    """Return a message of a framework, which may print whole tensors, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}..."
