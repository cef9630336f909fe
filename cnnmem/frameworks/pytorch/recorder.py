"""Watch a forward pass: which module or function did what to which tensors.

A frame becomes one row: it is a call of a module without children, or of a function outside one.
Three mechanisms feed it:

* hooks on the modules open and close the frames of modules, and show where a function is called;
* a `TorchFunctionMode` opens and closes the frames of functions as the model's author wrote them;
* a `TorchDispatchMode` sees every operation below autograd: it counts multiply-accumulates, and
  opens a frame for work that no frame covers.

Autograd's saved-tensor hooks report what it keeps. Tensors are identified by their storage, because
a kept view keeps its whole storage alive. The recorder holds no tensor longer than the model does.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .kinds import function_kind, function_name, module_kind
from .macs import INEXACT, is_view, work

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


@dataclasses.dataclass
class Output:
    """A tensor that a frame returned: its shape, its values, its storage and how it came about."""

    shape: tuple[int, ...]
    values: int
    storage: int
    how: str  # "new", "view" or "overwrite"


@dataclasses.dataclass
class Frame:
    """A call that becomes a row."""

    name: str
    kind: str
    functional: bool
    module: nn.Module | None = None
    inputs: list[tuple[int, ...]] = dataclasses.field(default_factory=list)
    outputs: list[Output] = dataclasses.field(default_factory=list)
    parameters: list[Tensor] = dataclasses.field(default_factory=list)
    macs: int = 0
    backward_macs: int = 0
    depthwise: bool = False
    saved: list[weakref.ref[Held]] = dataclasses.field(default_factory=list)


class Recorder:
    """Records the frames of one forward pass; `watch` is the context to run it in."""

    def __init__(
        self, model: nn.Module, tensors: list[Tensor], leaves: tuple[type[nn.Module], ...]
    ) -> None:
        self.model, self.leaves = model, leaves
        self.names = {id(part): name for name, part in model.named_modules()}
        self.frames: list[Frame] = []
        self.uncounted: Counter[str] = Counter()
        self.inexact = False  # whether a fake operation hid what it keeps
        self.path: list[nn.Module] = []
        self.current: Frame | None = None
        self.depth = 0  # length of the path when the current frame was opened
        self.entered: list[tuple[Tensor, int, int]] = []  # its inputs: tensor, storage, version
        self.used: Counter[str] = Counter()
        # the frame that first returned a storage; None for parameters and buffers
        self.maker: dict[int, Frame | None] = {}
        self.weak: dict[int, StorageWeakRef] = {}
        self.stored = {id(tensor) for tensor in tensors}
        self.parameters = {id(t) for t in tensors if isinstance(t, nn.Parameter)}
        for tensor in tensors:
            self.maker[self.storage(tensor)] = None

    def storage(self, tensor: Tensor) -> int:
        """Return an id of a tensor's storage, which no later storage gets."""
        storage = tensor.untyped_storage()
        key: int = storage._cdata
        if key not in self.weak:
            # a weak reference reserves the address, so it is not reused, but frees the memory
            self.weak[key] = StorageWeakRef(storage)
        return key

    def add_inputs(self, tensors: list[Tensor]) -> None:
        """Make a row for each tensor that the model is called with."""
        for tensor in tensors:
            frame = Frame(self.unique("input"), "input", False)
            self.close(frame, [], [tensor])

    def unique(self, name: str) -> str:
        """Return a unique name for a row: the second "relu" is "relu:2"."""
        self.used[name] += 1
        return name if self.used[name] == 1 else f"{name}:{self.used[name]}"

    def is_leaf(self, module: nn.Module) -> bool:
        """Return whether a module is one row."""
        if isinstance(module, self.leaves):
            return True
        if module is self.model and not type(module).__module__.startswith("torch.nn.modules."):
            return False  # the functions of a hand-written forward are the rows
        return not module._modules

    def function_frame(
        self, function: Callable[..., Any], args: Any = (), kwargs: Any = None
    ) -> Frame:
        """Return a new frame for a function; its name and kind are final when it closes."""
        parent = self.names[id(self.path[-1])] if self.path else ""
        name = function_name(function)
        bounds = (*args[1:], *(kwargs or {}).values())[:2]
        if name == "hardtanh" and bounds == (0.0, 6.0):
            name = "relu6"
        return Frame(f"{parent}.{name}" if parent else name, name, True)

    def start(self, frame: Frame, values: Any) -> None:
        """Open a frame for a call with these values; only one is open at a time."""
        tensors = list(tensors_in(values))
        frame.parameters += [t for t in tensors if id(t) in self.parameters]
        frame.inputs = [tuple(t.shape) for t in tensors if id(t) not in self.stored]
        self.current, self.depth = frame, len(self.path)
        self.entered = [(t, self.storage(t), t._version) for t in tensors]

    def finish(self, result: Any) -> None:
        """Close the current frame with its result."""
        frame, entered = self.current, self.entered
        assert frame is not None
        self.current, self.entered = None, []
        outputs = list(tensors_in(result))
        changed = [entry for entry in entered if entry[0]._version > entry[2]]
        if not outputs:
            outputs = [tensor for tensor, _, _ in changed]
        if frame.functional:
            given = {id(tensor) for tensor, _, _ in entered}
            did_nothing = not changed and all(id(t) in given for t in outputs)
            a_layer = frame.kind in ("dropout", "flatten")  # no-ops in eval mode and on a vector
            if did_nothing and not (a_layer or frame.macs or frame.saved):
                return
            frame.kind = function_kind(frame.kind, frame.inputs, [tuple(t.shape) for t in outputs])
        frame.name = self.unique(frame.name)
        self.close(frame, [storage for _, storage, _ in changed], outputs)

    def close(self, frame: Frame, changed: list[int], outputs: list[Tensor]) -> None:
        """Record what a frame returned."""
        if frame.depthwise and frame.kind == "conv":
            frame.kind = "depthwise_conv"
        for tensor in outputs:
            key = self.storage(tensor)
            new = key not in self.maker
            if new:
                self.maker[key] = frame
            how = "new" if new else "overwrite" if key in changed else "view"
            frame.outputs.append(Output(tuple(tensor.shape), tensor.numel(), key, how))
        self.frames.append(frame)

    def pack(self, tensor: Tensor) -> Held:
        """Note that autograd keeps a tensor."""
        held = Held(tensor)
        frame = self.current or self.frames[-1]
        frame.saved.append(weakref.ref(held))
        return held

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Record what happens inside; afterwards no module keeps a hook."""
        with ExitStack() as stack:
            for module in self.model.modules():
                for hook in (
                    module.register_forward_pre_hook(self._enter, prepend=True, with_kwargs=True),
                    module.register_forward_hook(self._leave, with_kwargs=True, always_call=True),
                ):
                    stack.callback(hook.remove)
            # autograd's graph holds its hooks in C++, where Python's garbage collector does not
            # look: a hook that held the recorder would never free the model and its weights
            this = weakref.proxy(self)
            stack.enter_context(
                torch.autograd.graph.saved_tensors_hooks(
                    lambda tensor: this.pack(tensor), Held.again
                )
            )
            stack.enter_context(_Operations(self))
            stack.enter_context(_Functions(self))
            yield

    def _enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self.path.append(module)
        if self.current is None and self.is_leaf(module):
            kind = module_kind(module)
            self.start(Frame(self.names[id(module)] or kind, kind, False, module), (args, kwargs))

    def _leave(self, module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        # `result` is None if the module raised and the model caught it
        if self.current and self.current.module is module and self.depth == len(self.path):
            self.finish(result)
        self.path.pop()


class _Functions(TorchFunctionMode):
    """Opens a frame for each function called outside one."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        recorder = self.recorder
        if recorder.current:
            return func(*args, **kwargs)
        recorder.start(recorder.function_frame(func, args, kwargs), (args, kwargs))
        try:
            result = func(*args, **kwargs)
        except BaseException:
            recorder.current = None
            raise
        recorder.finish(result)
        return result


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
        done = work(func, args, kwargs, result)
        if done is None:
            recorder.uncounted[str(func.overloadpacket)] += 1
            recorder.inexact |= func.overloadpacket in INEXACT
        elif done.forward and recorder.current:
            frame = recorder.current
            frame.macs += done.forward
            frame.backward_macs += done.backward
            if func.overloadpacket.__name__ == "convolution":
                frame.depthwise |= args[8] > 1 and args[8] == args[0].shape[1]
        if uncovered:
            recorder.finish(result)
        return result


def tensors_in(values: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested lists, tuples, dicts and dataclasses, in order."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        for value in values.values():
            yield from tensors_in(value)
    elif isinstance(values, list | tuple | set | frozenset):
        for value in values:
            yield from tensors_in(value)
    elif dataclasses.is_dataclass(values) and not isinstance(values, type):
        for field in dataclasses.fields(values):
            yield from tensors_in(getattr(values, field.name))
