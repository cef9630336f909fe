"""Follow a forward pass at the level of functions, on tensors that hold nothing.

A `TorchFunctionMode` sees every function that a model calls. One that `functions` has a rule for
is answered with an empty tensor of the right shape on the meta device, and nothing runs. Any
other function really runs on such tensors (`Trace.run`).

What the level of functions cannot see ends the trace with `Untraceable`: the recorder takes over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from . import functions
from .calls import function_facts, inner_facts, is_torchs
from .follow import Frame
from .trace import Trace


class Tracer(Trace):
    """Traces the frames of one forward pass; `watch` is the context to run it in."""

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Trace what happens inside; nothing is left on any module, whatever happens."""
        saved = torch.autograd.graph.saved_tensors_hooks(self._save_outside, lambda tensor: tensor)
        with (
            self.watch_modules(),
            self.watch_checkpoints(),
            _applied(self),
            saved,
            _Functions(self),
        ):
            yield

    def _save_outside(self, tensor: Tensor) -> Tensor:
        """Note what is saved although no function of the trace runs: a checkpoint's inputs."""
        self.pending.append((self.frames[-1], self.value(tensor)))
        return tensor

    def look_around(self) -> None:
        """Refuse what changes the meaning of functions, and see whether a checkpoint is at work.

        A checkpoint saves nothing: backward runs its functions again.
        """
        if torch.is_autocast_enabled("cpu"):
            self.refuse("autocast")
        if torch._C._are_functorch_transforms_active():
            self.refuse("a transform of torch.func")
        pack = torch._C._autograd._top_saved_tensors_default_hooks(True)[0]
        own = self.checkpoints[-1].pack_hook if self.checkpoints else self._save_outside
        if pack != own:
            self.refuse("saved-tensor hooks of the model's own")
        if self.pending and not self.checkpoints:
            self.refuse("an operation that is not a function")


class _Functions(TorchFunctionMode):
    """Answers the functions that a model calls, and opens a frame for each outside a module's."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tracer = self.tracer
        rule = functions.rule_of(func)
        if rule is None:
            return func(*args, **kwargs)
        if rule.asks:
            return rule.answer(tracer, func, args, kwargs)
        if rule.in_place and tracer.is_own(args[0]):
            return args[0]  # a counter or a statistic of the module
        tracer.look_around()
        answer = rule.answer if kwargs.get("out") is None else functions.write_out
        if tracer.current is not None:
            tracer.current.calls += 1
            module = tracer.current.module
            if module is not None and not is_torchs(module):
                tracer.current.facts |= inner_facts(func, sys._getframe(1))
            return answer(tracer, func, args, kwargs)
        parent = tracer.names[id(tracer.path[-1])] if tracer.path else ""
        name = rule.name_of(args, kwargs)
        frame = Frame(f"{parent}.{name}" if parent else name, name, True)
        inside = tracer.path[-1] if tracer.path else None
        frame.facts = function_facts(func, args, kwargs, sys._getframe(1), inside)
        tracer.start(frame, (args, kwargs) if kwargs else args)
        frame.calls = 1
        try:
            result = answer(tracer, func, args, kwargs)
        except BaseException:
            tracer.current = None
            raise
        tracer.finish(result, (args, kwargs))
        return result


@contextmanager
def _applied(tracer: Tracer) -> Iterator[None]:
    """Notice an `autograd.Function`, whose backward does not show.

    A model may hold on to the `apply` of its function, which ends in that of the base class.
    """
    base = torch.autograd.Function.__base__

    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        tracer.refuse(f"{cls.__name__}, an autograd.Function")

    base.apply = classmethod(apply)
    try:
        yield
    finally:
        del base.apply  # and C's is there again
