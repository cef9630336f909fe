"""Record a forward pass: under fake tensors, which hold nothing, or in a real run.

Three sources report what happens in a frame:

* hooks on the modules open and close the frames of modules, and tell which module calls a function;
* a `TorchFunctionMode` opens and closes the frames of functions as the model's author wrote them;
* a `TorchDispatchMode` sees every operation below autograd. It counts the multiply-accumulates and
  opens a frame for work outside any other frame.

What autograd keeps comes from its own saved-tensor hooks. Tensors are identified by their storage,
because autograd keeps whole storages. The recorder never keeps a tensor alive longer than the model
does: it holds weak references, or what is kept could not be told from what is merely recorded.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .calls import function_facts, inner_facts, is_torchs
from .follow import Follower, Frame, Output, Saved, tensors_in
from .kinds import function_kind, function_name
from .macs import INEXACT, is_depthwise, is_view, work

_DEVICE = torch.ops.prim.device.default


class Held:
    """A tensor, held for as long as a node of the graph keeps it for backward.

    It holds a detached tensor of the same storage. The output itself would hold its own node, which
    holds the output: a cycle that never frees the model (see the warning in the documentation of
    `torch.autograd.graph.saved_tensors_hooks`).
    """

    __slots__ = ("__weakref__", "stands_for", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        fake = isinstance(tensor, FakeTensor)
        self.stands_for = (tensor.fake_mode, tensor.fake_device) if fake else None
        # unseen by the recorder; below dispatch, a fake tensor is the meta tensor behind it
        with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
            self.tensor = tensor.detach()

    def again(self) -> Tensor:
        """Return the tensor as autograd handed it over."""
        if self.stands_for is None:
            return self.tensor
        mode, device = self.stands_for
        return FakeTensor(mode, self.tensor, device)


class Recorder(Follower):
    """Records the frames of one forward pass; `watch` is the context to run it in."""

    def __init__(
        self, model: nn.Module, stand_ins: dict[int, Tensor], leaves: tuple[type[nn.Module], ...]
    ) -> None:
        super().__init__(model, leaves)
        self.own = {id(stand_in) for stand_in in stand_ins.values()}
        self.entered: list[tuple[Tensor, int, int]] = []  # inputs of the frame: storage, version
        self.weak: dict[int, StorageWeakRef] = {}
        for tensor in stand_ins.values():
            self.maker[self.storage(tensor)] = None

    def storage(self, tensor: Tensor) -> int:
        """Return the identity of a tensor's storage, which no other storage will ever have."""
        storage = tensor.untyped_storage()
        key: int = storage._cdata
        if key not in self.weak:
            # a weak reference keeps the address from being reused without keeping the memory
            self.weak[key] = StorageWeakRef(storage)
        return key

    def add_inputs(self, tensors: Sequence[Tensor]) -> None:
        """Make a row of each tensor that the model is called with."""
        for tensor in tensors:
            frame = Frame(self.unique("input"), "input", False)
            self.close(frame, [], [tensor])

    def function_frame(
        self,
        function: Callable[..., Any],
        args: Any = (),
        kwargs: Any = None,
        caller: FrameType | None = None,
    ) -> Frame:
        """Return a new frame for a function; its name and kind are final when it closes."""
        parent = self.names[id(self.path[-1])] if self.path else ""
        name = function_name(function)
        bounds = (*args[1:], *(kwargs or {}).values())[:2]
        if name == "hardtanh" and bounds == (0.0, 6.0):
            name = "relu6"
        frame = Frame(f"{parent}.{name}" if parent else name, name, True)
        inside = self.path[-1] if self.path else None
        frame.facts = function_facts(function, args, kwargs or {}, caller, inside)
        return frame

    def start(self, frame: Frame, values: Any) -> None:
        tensors = tensors_in(values)
        for tensor in tensors:
            if id(tensor) in self.own:
                frame.parameters.append(id(tensor))
                continue
            frame.inputs.append(tuple(tensor.shape))
            if not tensor.is_contiguous():
                frame.facts.add("strided")
            source = getattr(tensor, "_cnnmem_frame", None)
            if source is not None:
                frame.sources.append(source)
        self.current = frame
        self.entered = [(t, self.storage(t), _version(t)) for t in tensors]

    def finish(self, result: Any, given: Any = ()) -> None:
        frame, entered = self.current, self.entered
        assert frame is not None
        self.current, self.entered = None, []
        outputs = tensors_in(result)
        changed = [entry for entry in entered if _version(entry[0]) > entry[2]]
        if not outputs:
            outputs = [tensor for tensor, _, _ in changed]
        if frame.functional:
            given = {id(tensor) for tensor, _, _ in entered}
            did_nothing = all(self.maker.get(key, frame) is None for _, key, _ in changed) and all(
                id(t) in given for t in outputs
            )
            a_layer = frame.kind in ("dropout", "flatten")  # in eval, or of a vector
            if did_nothing and not (a_layer or frame.macs or frame.saved):
                return
            frame.kind = function_kind(frame.kind, frame.inputs, [tuple(t.shape) for t in outputs])
        frame.name = self.unique(frame.name)
        self.close(frame, [storage for _, storage, _ in changed], outputs)

    def close(self, frame: Frame, changed: list[int], outputs: Sequence[Tensor]) -> None:
        """Write down what a frame gave."""
        if frame.depthwise and frame.kind == "conv":
            frame.kind = "depthwise_conv"
        for tensor in outputs:
            key = self.storage(tensor)
            new = key not in self.maker
            if new:
                self.maker[key] = frame
            how = "new" if new else "overwrite" if key in changed else "view"
            size = tensor.untyped_storage().nbytes()
            frame.outputs.append(Output(tuple(tensor.shape), tensor.numel(), size, key, how))
            frame.learns |= tensor.requires_grad
            if id(tensor) not in self.own:
                tensor._cnnmem_frame = frame
        self.frames.append(frame)

    def maker_of(self, tensor: Tensor) -> Frame | None:
        """Return the frame that gave a tensor last."""
        return getattr(tensor, "_cnnmem_frame", None)

    def pack(self, tensor: Tensor) -> Held:
        """Note that autograd keeps a tensor."""
        held = Held(tensor)
        frame = self.current or self.frames[-1]
        size = held.tensor.untyped_storage().nbytes()
        key, values = self.storage(held.tensor), held.tensor.numel()
        alive = weakref.ref(held)
        frame.saved.append(Saved(key, size, values, held.tensor.dtype, alive))
        frame.keeper = frame.keeper or alive
        return held

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Record what happens inside."""
        # autograd's graph holds its hooks in C++, where Python's garbage collector does not
        # look: a hook that held the recorder would never free the model and its weights
        this = weakref.proxy(self)
        with (
            self.watch_modules(),
            self.watch_checkpoints(),
            torch.autograd.graph.saved_tensors_hooks(lambda tensor: this.pack(tensor), Held.again),
            _Operations(self),
            _Functions(self),
        ):
            yield


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


class _Functions(TorchFunctionMode):
    """Opens a frame for each function called outside one."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        recorder = self.recorder
        if recorder.current or torch._C._are_functorch_transforms_active():
            # inside a transform of torch.func a tensor stands for many, and has no storage
            frame = recorder.current
            if frame and frame.module is not None and not is_torchs(frame.module):
                frame.facts |= inner_facts(func, sys._getframe(1))
            return func(*args, **kwargs)
        new = recorder.function_frame(func, args, kwargs, sys._getframe(1))
        recorder.start(new, (args, kwargs))
        try:
            result = func(*args, **kwargs)
        except BaseException:
            recorder.current = None
            raise
        recorder.finish(result)
        return result


# Normalisations: their arguments begin with (input, weight), their results are (output, mean,
# inverse deviation).
NORMS = {
    torch.ops.aten.native_batch_norm,
    torch.ops.aten.native_layer_norm,
    torch.ops.aten.native_group_norm,
}


def _statistics_of_mixed(args: Any, result: Any) -> Any:
    """Return a normalisation's results as the CPU gives them at low precision.

    Under autocast the CPU keeps the mean and the deviation in the dtype of the weights
    (`is_mixed_type` in aten/src/ATen/native/cpu/mixed_data_type.h); their fakes do not.
    """
    output, mean, deviation, *rest = result
    weights = [a for a in args[1:] if isinstance(a, Tensor) and a.dtype == torch.float32]
    if not isinstance(output, FakeTensor) or output.fake_device.type != "cpu" or not weights:
        return result
    return (output, mean.to(torch.float32), deviation.to(torch.float32), *rest)


class _Operations(TorchDispatchMode):
    """Counts the work of each operation."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is _DEVICE and isinstance(args[0], FakeTensor):
            return args[0].fake_device  # queried several times per operation
        kwargs = kwargs or {}
        recorder = self.recorder
        uncovered = recorder.current is None and not is_view(func)
        if uncovered:
            recorder.start(recorder.function_frame(func.overloadpacket), (args, kwargs))
        result = func(*args, **kwargs)
        if func.overloadpacket in NORMS:
            result = _statistics_of_mixed(args, result)
        done = work(func, args, kwargs, result)
        recorder.inexact |= func.overloadpacket in INEXACT
        if done is None:
            recorder.uncounted[str(func.overloadpacket)] += 1
        elif done.forward and recorder.current:
            frame = recorder.current
            frame.macs += done.forward
            if torch.is_grad_enabled():
                frame.backward_macs += done.backward
            recorder.note_product(done.forward)
            frame.depthwise |= is_depthwise(func, args)
        if uncovered:
            recorder.finish(result)
        return result
