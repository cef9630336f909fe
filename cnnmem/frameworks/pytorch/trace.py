"""What a trace knows: the tensors that hold nothing, the steps of backward, and what they keep.

A tensor of the trace is on the meta device and has a `Value`. A function that has no formula really
runs on such tensors, under autograd's own saved-tensor hooks. Parameters never leave the module:
their shapes are read, and where a function must run they have stand-ins.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from .follow import Follower, Frame, Output, Saved, tensors_in
from .kinds import function_kind
from .macs import INEXACT, is_depthwise, work
from .recorder import Held

META = torch.device("meta")
_DEVICE = torch.ops.prim.device.default


class Untraceable(BaseException):
    """The model does what functions do not show. Not an `Exception`: a model may catch those."""


class Node:
    """A step of backward: it lives as long as a tensor whose gradient passes through it.

    Autograd's own nodes are held in the same way, so what is alive after forward is what autograd
    still keeps.
    """

    __slots__ = ("__weakref__", "parents")

    def __init__(self, parents: Sequence[Node]) -> None:
        self.parents = parents


class Value:
    """What the trace knows of a tensor."""

    __slots__ = ("dtype", "frame", "grad", "key", "node", "numel", "plain", "shape", "stored")

    def __init__(
        self, key: int, shape: tuple[int, ...], dtype: torch.dtype, grad: bool, plain: bool
    ) -> None:
        self.key, self.shape, self.dtype, self.grad = key, shape, dtype, grad
        self.numel = prod(shape)
        self.plain = plain  # contiguous
        self.node: Node | None = None
        self.frame: Frame | None = None
        self.stored = False  # a parameter or a buffer, or a view of one


Rule = Callable[..., Any]


class Trace(Follower):
    """What a trace has written down so far, and how it goes on: a function runs, a step is kept."""

    def __init__(
        self,
        model: nn.Module,
        leaves: tuple[type[nn.Module], ...],
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        super().__init__(model, leaves)
        self.dtype, self.device = dtype, device
        self.keys = itertools.count()
        self.sizes: dict[int, int] = {}  # bytes of each storage
        self.changed: set[int] = set()  # keys that the current frame wrote over
        self.known: dict[int, Value] = {}  # parameters, buffers and constants by id
        self.constants: list[Tensor] = []  # held, so that no id is used again
        self.stand_ins: dict[int, Tensor] = {}
        self.originals: dict[int, Tensor] = {}  # by the id of the stand-in
        self.multiplied = 0  # the multiply-accumulates of the function that runs
        self.pending: list[tuple[Frame, Value]] = []  # what a checkpoint keeps: its inputs
        self.refused = ""  # why the trace has ended, for an error that went through C++ or a model
        self.asked_size = False  # the model may go another way at another size
        self.own = {*self.parameter_names, *self.buffers}  # ids

    @property
    def in_torchs_own(self) -> bool:
        """Whether a layer of torch.nn is at work, whose formula says what a size changes."""
        module = self.current and self.current.module
        return type(module).__module__.startswith("torch.nn.modules.")

    def know(self, tensor: Tensor) -> Value:
        """Return the value of a tensor that was there before the forward pass."""
        dtype = self.dtype if tensor.dtype.is_floating_point else tensor.dtype
        value = Value(
            next(self.keys),
            tuple(tensor.shape),
            dtype,
            tensor.requires_grad,
            tensor.is_contiguous(),
        )
        self.sizes[value.key] = value.numel * dtype.itemsize
        self.known[id(tensor)] = value
        if id(tensor) in self.own:
            value.stored = True
            self.maker[value.key] = None
        else:
            self.constants.append(tensor)
        return value

    def value(self, tensor: Tensor) -> Value:
        """Return what is known of a tensor."""
        value: Value | None = getattr(tensor, "_cnnmem", None)
        if value is not None:
            return value
        value = self.known.get(id(tensor))
        if value is not None:
            return value
        made_here = tensor.device.type == "meta" and id(tensor) not in self.own
        if made_here or type(tensor) not in (Tensor, nn.Parameter, nn.Buffer):
            self.refuse(f"a {type(tensor).__name__} that no function has made")
        return self.know(tensor)

    def is_own(self, tensor: Tensor) -> bool:
        """Return whether a tensor is a parameter or buffer, or a view of one."""
        if id(tensor) in self.own:
            return not (tensor.requires_grad and torch.is_grad_enabled()) or self.refuse(
                "a parameter that is written over"
            )
        own = self.value(tensor)
        if own.stored and own.grad and torch.is_grad_enabled():
            self.refuse("a parameter that is written over")
        return own.stored

    def meta(self, tensor: Tensor) -> Tensor:
        """Return a tensor to run a function on: itself, or the stand-in of a real one."""
        if hasattr(tensor, "_cnnmem"):
            return tensor
        value = self.value(tensor)
        if id(tensor) not in self.stand_ins:
            made = torch.empty_strided(
                value.shape, tensor.stride(), dtype=value.dtype, device=META
            ).requires_grad_(value.grad)
            made._cnnmem = value
            self.stand_ins[id(tensor)] = made
            self.originals[id(made)] = tensor
        return self.stand_ins[id(tensor)]

    def new(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return an empty contiguous tensor of a storage of its own."""
        tensor = torch.empty(shape, dtype=dtype, device=META)
        value = Value(next(self.keys), shape, dtype, False, True)
        self.sizes[value.key] = value.numel * dtype.itemsize
        tensor._cnnmem = value
        return tensor

    def adopt(self, tensor: Tensor, key: int | None) -> Value:
        """Give a tensor that a function has made on the meta device its value."""
        value = Value(
            next(self.keys) if key is None else key,
            tuple(tensor.shape),
            tensor.dtype,
            False,
            tensor.is_contiguous(),
        )
        if key is None:
            self.sizes[value.key] = tensor.untyped_storage().nbytes()
        tensor._cnnmem = value
        return value

    def add_inputs(self, tensors: Sequence[Tensor]) -> None:
        """Make a row of each tensor that the model is called with."""
        for tensor in tensors:
            self.adopt(tensor, None)
            frame = Frame(self.unique("input"), "input", False)
            self.close(frame, [tensor])

    def refuse(self, why: str) -> NoReturn:
        """End the trace."""
        self.refused = self.refused or why
        raise Untraceable(why)

    # -- frames ---------------------------------------------------------------------------------

    def start(self, frame: Frame, values: Any) -> None:
        own = self.own
        for tensor in tensors_in(values):
            if id(tensor) in own:
                frame.parameters.append(id(tensor))
                continue
            value = getattr(tensor, "_cnnmem", None) or self.value(tensor)
            frame.inputs.append(value.shape)
            if not value.plain:
                frame.facts.add("strided")
            if value.frame is not None:
                frame.sources.append(value.frame)
        self.current = frame
        if self.changed:
            self.changed = set()

    def finish(self, result: Any, given: Any = ()) -> None:
        frame = self.current
        assert frame is not None
        self.current = None
        outputs = tensors_in(result)
        if frame.functional:
            entered = {id(tensor): tensor for tensor in tensors_in(given)}
            if not outputs:
                outputs = [t for t in entered.values() if self.value(t).key in self.changed]
            nothing = not self.changed and all(id(t) in entered for t in outputs)
            a_layer = frame.kind in ("dropout", "flatten")  # in eval, or of a vector
            if nothing and not (a_layer and outputs) and not frame.macs and not frame.saved:
                return
            shapes = [self.value(t).shape for t in outputs]
            frame.kind = function_kind(frame.kind, frame.inputs, shapes)
        frame.name = self.unique(frame.name)
        self.close(frame, outputs)

    def close(self, frame: Frame, outputs: Sequence[Tensor]) -> None:
        """Write down what a frame gave."""
        if frame.depthwise and frame.kind == "conv":
            frame.kind = "depthwise_conv"
        maker = self.maker
        for tensor in outputs:
            value = getattr(tensor, "_cnnmem", None) or self.value(tensor)
            key = value.key
            if key in maker:
                how = "overwrite" if key in self.changed else "view"
            else:
                how, maker[key] = "new", frame
            frame.outputs.append(Output(value.shape, value.numel, self.sizes[key], key, how))
            frame.learns |= value.grad
            value.frame = frame
        self.frames.append(frame)

    def maker_of(self, tensor: Tensor) -> Frame | None:
        """Return the frame that gave a tensor last."""
        return self.value(tensor).frame

    # -- what happens inside ------------------------------------------------------------------

    def step(self, parents: Sequence[Value]) -> Node:
        """Return the step of backward of a function that read these values."""
        node = Node([value.node for value in parents if value.node is not None and value.grad])
        for frame, value in self.pending:
            size, alive = self.sizes[value.key], weakref.ref(node)
            frame.saved.append(Saved(value.key, size, value.numel, value.dtype, alive))
        self.pending = []
        if self.current is not None:
            self.current.keeper = weakref.ref(node)
        return node

    def save(self, node: Node, value: Value) -> None:
        """Note that a step of backward keeps a tensor's storage."""
        self.keep(node, value.key, self.sizes[value.key], value.numel, value.dtype)

    def keep_own(self, node: Node, values: int, dtype: torch.dtype, column: str) -> None:
        """Note that a step of backward keeps values that nobody else has."""
        self.keep(node, next(self.keys), values * dtype.itemsize, values, dtype, column)

    def keep(
        self,
        node: Node,
        key: int,
        size: int,
        values: int,
        dtype: torch.dtype,
        column: str = "",
    ) -> None:
        """Note that a step of backward keeps a storage."""
        if self.checkpoints:
            self.checkpoints[-1].save()
            return
        frame = self.current or self.frames[-1]
        frame.saved.append(Saved(key, size, values, dtype, weakref.ref(node), column))

    def learn(self, tensor: Tensor, node: Node) -> None:
        """Let a gradient reach a tensor through a step of backward."""
        value: Value = tensor._cnnmem
        value.node = node
        if not value.grad:
            value.grad = True
            tensor.requires_grad_(True)

    def run_views(self, func: Rule, args: Any, kwargs: Any) -> Any:
        """Really run a function that moves no value, or copies at most, and saves nothing."""
        args, kwargs = self.real_arguments(args, kwargs)
        grad = torch.is_grad_enabled()
        with torch.no_grad():
            result = func(*args, **kwargs)
        read = [self.value(t) for t in tensors_in((args, kwargs))]
        reached = [v for v in read if v.grad] if grad else []
        self.take_up(result, args, kwargs, reached)
        return _replace(result, self.originals)

    def take_up(self, result: Any, args: Any, kwargs: Any, reached: Sequence[Value]) -> Node | None:
        """Give the tensors of a result their values; return the step of backward, if there is."""
        storages: dict[int, Value] = {}
        for tensor in tensors_in((args, kwargs)):
            storages[tensor.untyped_storage()._cdata] = self.value(tensor)
        made = [tensor for tensor in tensors_in(result) if not hasattr(tensor, "_cnnmem")]
        # a function that gives back its argument is not a step of backward
        node = self.step(reached) if reached and made else None
        for tensor in made:
            cdata = tensor.untyped_storage()._cdata
            source = storages.get(cdata)
            value = self.adopt(tensor, None if source is None else source.key)
            if source is None:
                storages[cdata] = value
            else:
                value.stored = source.stored
            if node is not None and tensor.dtype.is_floating_point:
                self.learn(tensor, node)
        return node

    def real_arguments(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Return arguments that a function can run on: meta tensors, and their device."""
        return _swap(args, self), _swap(kwargs, self)

    def run(self, func: Rule, args: Any, kwargs: Any, in_place: bool = False) -> Any:
        """Really run a function on meta tensors, and see what autograd saves."""
        args, kwargs = self.real_arguments(args, kwargs)
        read = [self.value(t) for t in tensors_in((args, kwargs))]
        grad = torch.is_grad_enabled() and any(v.grad for v in read)
        target, written = None, None
        if in_place:
            target = args[0]
            if not isinstance(target, Tensor):
                self.refuse("a function in place whose first argument is not a tensor")
            written = self.value(target)
            if grad:
                # autograd refuses to write over a leaf, which all of these tensors are
                args = (target.clone(), *args[1:])
        self.multiplied = 0
        with _kept() as kept, _Operations(self):
            result = func(*args, **kwargs)
        packed = _alive(kept)
        if target is not None:
            assert written is not None
            storages = {args[0].untyped_storage()._cdata: written}
            self.changed.add(written.key)
            if result is args[0]:
                result = target
            elif any(True for _ in tensors_in(result)):
                self.refuse("a function in place that returns another tensor")
        else:
            storages = {}
        for tensor in tensors_in((args, kwargs)):
            if hasattr(tensor, "_cnnmem"):
                storages[tensor.untyped_storage()._cdata] = self.value(tensor)
        with torch.no_grad():
            fresh = [t for t in tensors_in(result) if not hasattr(t, "_cnnmem")]
            made = {id(t): t.detach() for t in fresh}
        result = _replace(result, made)
        node = self.take_up(result, args[1:] if in_place and grad else args, kwargs, [])
        learned = [made[id(t)] for t in fresh if t.requires_grad] if target is None else [target]
        if grad and learned:
            node = self.step([v for v in read if v.grad])
            for tensor in learned:
                self.learn(tensor, node)
                base = tensor._base
                if target is not None and base is not None and hasattr(base, "_cnnmem"):
                    self.learn(base, node)
            for tensor in tensors_in(result):
                storages[tensor.untyped_storage()._cdata] = self.value(tensor)
            self._keep_all(node, packed, storages)
        self.note_product(self.multiplied)
        return _replace(result, self.originals)

    def _keep_all(self, node: Node, packed: list[Tensor], storages: dict[int, Value]) -> None:
        """Note what autograd has saved: storages that are known, and others, each once."""
        own: set[int] = set()
        for tensor in packed:
            storage = tensor.untyped_storage()
            key = storage._cdata
            if key in storages:
                self.save(node, storages[key])
            elif key not in own:
                own.add(key)
                self.keep(node, next(self.keys), storage.nbytes(), tensor.numel(), tensor.dtype)

    def run_fake(self, func: Rule, args: Any, kwargs: Any) -> Any:
        """Run a function on fake tensors of the device, for one whose kernels differ by device.

        Its outputs are new tensors.
        """
        args, kwargs = self.real_arguments(args, kwargs)
        given = tensors_in((args, kwargs))
        values = [self.value(t) for t in given]
        grad = torch.is_grad_enabled() and any(v.grad for v in values)
        fake = FakeTensorMode(allow_non_fake_inputs=True)
        stand_ins: dict[int, Tensor] = {}
        for tensor in given:
            shape = torch.empty_strided(
                tensor.shape, tensor.stride(), dtype=tensor.dtype, device=META
            )
            stand_in = FakeTensor(fake, shape, self.device)
            stand_ins[id(tensor)] = stand_in.requires_grad_(tensor.requires_grad)
        by_storage = {
            stand_ins[id(t)].untyped_storage()._cdata: v for t, v in zip(given, values, strict=True)
        }
        self.multiplied = 0
        with _kept() as kept, fake, _Operations(self):
            result = func(*_replace(args, stand_ins), **_replace(kwargs, stand_ins))
        packed = _alive(kept)
        made: dict[int, Tensor] = {}
        for tensor in tensors_in(result):
            meta = torch.empty_strided(
                tensor.shape, tensor.stride(), dtype=tensor.dtype, device=META
            )
            by_storage[tensor.untyped_storage()._cdata] = self.adopt(meta, None)
            made[id(tensor)] = meta
        if grad:
            node = self.step([v for v in values if v.grad])
            self._keep_all(node, packed, by_storage)
            for tensor in tensors_in(result):
                if tensor.requires_grad:
                    self.learn(made[id(tensor)], node)
        self.note_product(self.multiplied)
        return _replace(result, made)


class _Operations(TorchDispatchMode):
    """Counts the work of the operations of a function that really runs."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self.trace = trace

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is _DEVICE and isinstance(args[0], FakeTensor):
            return args[0].fake_device
        result = func(*args, **kwargs)
        done = work(func, args, kwargs, result)
        trace = self.trace
        trace.inexact |= func.overloadpacket in INEXACT
        if done is None:
            trace.uncounted[str(func.overloadpacket)] += 1
        elif done.forward and trace.current:
            trace.current.macs += done.forward
            trace.current.depthwise |= is_depthwise(func, args)
            if torch.is_grad_enabled():
                trace.current.backward_macs += done.backward
            trace.multiplied += done.forward
        return result


@contextmanager
def _kept() -> Iterator[list[weakref.ref[Held]]]:
    """List what autograd saves inside."""
    kept: list[weakref.ref[Held]] = []

    def pack(tensor: Tensor) -> Held:
        held = Held(tensor)
        kept.append(weakref.ref(held))
        return held

    with torch.autograd.graph.saved_tensors_hooks(pack, Held.again):
        yield kept


def _alive(kept: list[weakref.ref[Held]]) -> list[Tensor]:
    """Return what autograd still keeps: the graph of steps that no result needs is gone."""
    return [held.tensor for held in [ref() for ref in kept] if held is not None]


def _swap(values: Any, trace: Trace) -> Any:
    if isinstance(values, Tensor):
        return trace.meta(values)
    if isinstance(values, dict):
        return {key: _swap(value, trace) for key, value in values.items()}
    if isinstance(values, list | tuple) and type(values) in (list, tuple):
        return type(values)(_swap(value, trace) for value in values)
    if isinstance(values, torch.device) and values == trace.device:
        return META
    return values


def _replace(values: Any, made: dict[int, Tensor]) -> Any:
    if isinstance(values, Tensor):
        return made.get(id(values), values)
    if isinstance(values, dict):
        return {key: _replace(value, made) for key, value in values.items()}
    if isinstance(values, tuple) and hasattr(values, "_fields"):
        return type(values)(*[_replace(value, made) for value in values])
    if type(values) in (list, tuple):
        return type(values)(_replace(value, made) for value in values)
    if isinstance(values, tuple):  # what torch returns as a named tuple of its own
        return type(values)([_replace(value, made) for value in values])
    return values
