"""Run a real training step, and measure what it allocates and when."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile, record_function

from cnnmem.errors import CnnmemError, look_up
from cnnmem.frameworks.pytorch.follow import tensors_in

from .saved import check_shape

Optimizer = Literal["sgd", "momentum", "adam"]
PHASES = ("forward", "backward", "optimizer")

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1e-6),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=1e-6, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=1e-6),
}


@dataclass(frozen=True)
class TrainingStep:
    """The bytes of one training step, as requested from its device's allocator.

    `parameters`, `buffers`, `state` (the optimizer's) and `image` exist before the step. The others
    are new bytes on top of these: what is alive after forward, including the loss; the peak during
    each phase; and what is left after the step (the gradients, and in a first step the optimizer's
    state).
    """

    device: str
    optimizer: str
    parameters: int
    buffers: int
    state: int
    image: int
    after_forward: int
    peak_forward: int
    peak_backward: int
    peak_optimizer: int
    after_step: int

    @property
    def peak(self) -> int:
        """The most new bytes alive at once."""
        return max(self.peak_forward, self.peak_backward, self.peak_optimizer)

    @property
    def total(self) -> int:
        """All bytes at the peak, including those from before the step."""
        return self.parameters + self.buffers + self.state + self.image + self.peak


def training_step(
    module: nn.Module,
    input_shape: tuple[int, ...],
    *,
    optimizer: Optimizer = "sgd",
    first: bool = False,
    device: str | torch.device = "cpu",
    loss: Callable[[Any], Tensor] | None = None,
) -> TrainingStep:
    """Train a copy of a module on random numbers and return what a step allocates.

    `input_shape` is the shape of the whole batch, (N, C, H, W). The measured step is the second
    one, when the optimizer's state exists, or with `first` the first one. Gradients are dropped
    before forward, as `zero_grad` does. `loss` turns the module's output into one number (default:
    the sum of its values, which keeps nothing).

    On the CPU, bytes come from the profiler's memory events; on CUDA, from the allocator's
    requested bytes. What libraries allocate without PyTorch's allocator is not seen.

    Raises `UnknownNameError` for an unknown optimizer, `ShapeError` for an invalid shape and
    `CnnmemError` if no parameter is trainable.

    >>> step = training_step(nn.Sequential(nn.Linear(100, 50), nn.ReLU()), (8, 100))
    >>> step.parameters, step.image, step.after_step - step.parameters
    (20200, 3200, 0)
    """
    make = look_up("optimizer", optimizer, OPTIMIZERS)
    check_shape(input_shape)
    module = copy.deepcopy(module).to(device).train()
    if not any(p.requires_grad for p in module.parameters()):
        raise CnnmemError(
            f"no parameter of the {type(module).__name__} needs a gradient, so there is nothing to "
            "train; set requires_grad on some of them"
        )
    where = torch.device(device)
    state = 0
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        image = torch.rand(input_shape, device=where)
        trainer = make([p for p in module.parameters() if p.requires_grad])
        if not first:
            for _ in _phases(module, image, trainer, loss or _sum):
                pass
            state = _bytes(list(trainer.state.values()))
        trainer.zero_grad()
        follow = _on_cpu if where.type == "cpu" else _on_cuda
        after, peaks = follow(_phases(module, image, trainer, loss or _sum))
    return TrainingStep(
        str(where),
        optimizer,
        _bytes(list(module.parameters())),
        _bytes(list(module.buffers())),
        state,
        _bytes(image),
        after["forward"],
        peaks["forward"],
        peaks["backward"],
        peaks["optimizer"],
        after["optimizer"],
    )


def _sum(output: Any) -> Tensor:
    total: Tensor = torch.stack([t.sum() for t in tensors_in(output)]).sum()
    return total


def _bytes(values: Any) -> int:
    """Return the bytes of the tensors in nested containers, each storage once."""
    storages = [tensor.untyped_storage() for tensor in tensors_in(values)]
    return sum({storage._cdata: storage.nbytes() for storage in storages}.values())


def _phases(
    module: nn.Module,
    image: Tensor,
    trainer: torch.optim.Optimizer,
    loss: Callable[[Any], Tensor],
) -> Iterator[str]:
    """Run a step; yield before its first phase and after each one."""
    yield "start"
    value = loss(module(image))
    yield "forward"
    value.backward()
    del value
    yield "backward"
    trainer.step()
    yield "optimizer"


Followed = tuple[dict[str, int], dict[str, int]]


def _on_cpu(phases: Iterator[str]) -> Followed:
    """Return the new bytes after each phase and their peaks, from the profiler's memory events."""
    next(phases)
    # Kineto reads this on first use, and would otherwise print a banner to stderr
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        for phase in PHASES:
            with record_function(f"cnnmem {phase}"):
                next(phases)
    events = profiler.profiler.kineto_results.events()
    ends = {e.name(): e.end_ns() for e in events if e.name().startswith("cnnmem ")}
    # an event is one allocation (nbytes > 0) or one release (nbytes < 0); `i` keeps the order of
    # events with the same time
    changes = sorted((e.start_ns(), i, e.nbytes()) for i, e in _memory_events(events))
    after, peaks, alive, done = {}, {}, 0, 0
    for phase in PHASES:
        peak = alive
        while done < len(changes) and changes[done][0] <= ends[f"cnnmem {phase}"]:
            alive += changes[done][2]
            peak = max(peak, alive)
            done += 1
        after[phase], peaks[phase] = alive, peak
    return after, peaks


def _memory_events(events: Any) -> Iterator[tuple[int, Any]]:
    for i, event in enumerate(events):
        if event.name() == "[memory]" and event.device_type() == torch.profiler.DeviceType.CPU:
            yield i, event


def _on_cuda(phases: Iterator[str]) -> Followed:
    """Return the same from the requested bytes of CUDA's caching allocator.

    Allocated bytes would include the allocator's rounding (`torch.cuda.memory_stats`).
    """

    def now(which: str) -> int:
        torch.cuda.synchronize()
        return int(torch.cuda.memory_stats()[f"requested_bytes.all.{which}"])

    next(phases)
    before = now("current")
    after, peaks = {}, {}
    for phase in PHASES:
        torch.cuda.reset_peak_memory_stats()
        next(phases)
        peaks[phase] = now("peak") - before
        after[phase] = now("current") - before
    return after, peaks
