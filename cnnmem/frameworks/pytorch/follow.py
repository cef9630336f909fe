"""What following a forward pass writes down, whichever way the pass is followed.

A frame is one row in the making: a call of a module without children, or of a function outside
one. `Follower` knows the modules, opens and closes the frames and names them; `tracer` and
`recorder` say what happens inside.

Tensors are known by their storage, as autograd keeps storages: views share one key.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.utils.checkpoint
from torch import Tensor, nn

from cnnmem.model.layers import Layer

from .kinds import module_kind

LEAVES: tuple[type[nn.Module], ...] = (nn.MultiheadAttention,)


class Saved:
    """A storage that autograd keeps for as long as `keeper` lives; `values` are those it saved.

    `column` is the one of the row that it belongs to, where that is known.
    """

    __slots__ = ("bytes", "column", "dtype", "keeper", "key", "values")

    def __init__(
        self,
        key: int,
        size: int,
        values: int,
        dtype: torch.dtype,
        keeper: weakref.ref[Any],
        column: str = "",
    ) -> None:
        self.key, self.bytes, self.values, self.dtype = key, size, values, dtype
        self.keeper, self.column = keeper, column


class Output(NamedTuple):
    """A tensor that a frame gave: its shape, its values, its storage and how it came about."""

    shape: tuple[int, ...]
    values: int
    bytes: int
    key: int
    how: str  # "new", "view" or "overwrite"


class Frame:
    """A row in the making."""

    __slots__ = (
        *("backward_macs", "calls", "depthwise", "facts", "functional", "inputs", "keeper", "kind"),
        *("layer", "learns", "macs", "module", "name", "outputs", "parameters", "saved"),
        *("sources", "times"),
    )

    def __init__(
        self, name: str, kind: str, functional: bool, module: nn.Module | None = None
    ) -> None:
        self.name, self.kind, self.functional, self.module = name, kind, functional, module
        self.inputs: list[tuple[int, ...]] = []
        self.sources: list[Frame] = []
        self.outputs: list[Output] = []
        self.parameters: list[int] = []  # ids of parameters and buffers
        self.saved: list[Saved] = []
        self.macs = self.backward_macs = 0
        self.learns = self.depthwise = False
        self.keeper: weakref.ref[Any] | None = None  # lives as long as backward needs the frame
        # what the layers of plain networks say of it, where one layer does it all
        self.layer: Layer | None = None
        self.times = 1  # how many images the layer works on
        self.calls = 0  # functions that were called inside
        self.facts: set[str] = set()  # how it was called: see `calls`


class Follower:
    """Follows one forward pass. Subclasses know what a tensor's storage is."""

    def __init__(self, model: nn.Module, leaves: tuple[type[nn.Module], ...]) -> None:
        self.model, self.leaves = model, leaves
        self.parts: list[nn.Module] = []
        self.names: dict[int, str] = {}
        self.parent: dict[int, nn.Module] = {}
        self.shared: set[int] = set()  # ids of modules that more than one parent has
        # one name per parameter, even for a tied one, as `named_parameters` gives them
        self.parameters: dict[str, nn.Parameter] = {}
        self.parameter_names: dict[int, str] = {}
        self.buffers: dict[int, Tensor] = {}
        self.running: dict[int, int] = {}  # the values of running statistics
        self._name(model, "")
        self.frames: list[Frame] = []
        self.uncounted: Counter[str] = Counter()
        self.inexact = False  # whether an operation did not tell what it keeps
        self.path: list[nn.Module] = []
        self.current: Frame | None = None
        self.used: Counter[str] = Counter()
        self.checkpoints: list[Any] = []  # those at work, the outermost first
        # the first frame that gave a storage; None for parameters and buffers
        self.maker: dict[int, Frame | None] = {}

    def _name(self, part: nn.Module, name: str) -> None:
        """Name a module, what it owns and its children.

        The names are those of `named_modules` and `named_parameters`, which take ten times as long.
        """
        if id(part) in self.names:
            return
        self.names[id(part)] = name
        self.parts.append(part)
        for key, parameter in part._parameters.items():
            if parameter is not None and id(parameter) not in self.parameter_names:
                path = f"{name}.{key}" if name else key
                self.parameter_names[id(parameter)], self.parameters[path] = path, parameter
        for key, buffer in part._buffers.items():
            if buffer is not None:
                self.buffers[id(buffer)] = buffer
                if key in ("running_mean", "running_var"):
                    self.running[id(buffer)] = buffer.numel()
        for child, module in part._modules.items():
            if module is not None:
                if self.parent.setdefault(id(module), part) is not part:
                    self.shared.update([id(inner) for inner in module.modules()])
                self._name(module, f"{name}.{child}" if name else child)

    def start(self, frame: Frame, values: Any) -> None:
        """Open a frame that is called with these values; there is one at a time."""
        raise NotImplementedError

    def finish(self, result: Any, given: Any = ()) -> None:
        """Close the current frame with its result; `given` are a function's arguments."""
        raise NotImplementedError

    @contextmanager
    def watch_modules(self) -> Iterator[None]:
        """Open and close a frame around each call of a module that is one row.

        `nn.Module.__call__` stands in for itself meanwhile, as when torch.fx traces. Hooks of the
        model's own so run inside the frame, and no module has one more.
        """
        call = nn.Module.__dict__["__call__"]

        def watched(module: nn.Module, /, *args: Any, **kwargs: Any) -> Any:
            if id(module) not in self.names:
                return call(module, *args, **kwargs)
            self.path.append(module)
            frame = None
            if self.current is None and self.is_leaf(module):
                kind = module_kind(module)
                frame = Frame(self.names[id(module)] or kind, kind, False, module)
                self.start(frame, (args, kwargs) if kwargs else args)
            result = None  # stays so if the module raises: the model may catch it and go on
            try:
                result = call(module, *args, **kwargs)
            finally:
                if frame is not None and self.current is frame:
                    self.finish(result)
                self.path.pop()
            return result

        setattr(nn.Module, "__call__", watched)  # noqa: B010
        try:
            yield
        finally:
            setattr(nn.Module, "__call__", call)  # noqa: B010

    @contextmanager
    def watch_checkpoints(self) -> Iterator[None]:
        """Note which products backward repeats: `self.checkpoints` are those that are at work.

        Backward runs a checkpoint again, but no further than to the last tensor that it saves (its
        "early stop"). The hook of each nested one stands in for that of the others, so that an
        inner checkpoint runs once more for each one around it that saves something later.
        """
        this = weakref.proxy(self)  # autograd's graph holds its hooks where no collector looks
        own: Any = torch.utils.checkpoint._checkpoint_hook

        class Watched(own):
            pack_hook: Any

            def __init__(self, frame: Any) -> None:
                super().__init__(frame)
                pack = self.pack_hook

                def note(tensor: Tensor) -> Any:
                    self.save()
                    return pack(tensor)

                self.pack_hook = note
                self.early_stop = frame.early_stop
                self.saves = False
                self.products: list[tuple[Frame, int]] = []  # since something was saved

            def __enter__(self) -> None:
                this.checkpoints.append(self)
                super().__enter__()

            def __exit__(self, *error: object) -> None:
                super().__exit__(*error)
                this.checkpoints.pop()
                if self.saves and not self.early_stop:
                    self.save()
                self.products.clear()

            def save(self) -> None:
                """Note that something is saved, up to where backward runs again."""
                self.saves = True
                for frame, macs in self.products:
                    frame.backward_macs += macs
                self.products.clear()

        torch.utils.checkpoint._checkpoint_hook = Watched
        try:
            yield
        finally:
            torch.utils.checkpoint._checkpoint_hook = own

    def note_product(self, macs: int) -> None:
        """Note a product of the current frame that the checkpoints at work may run again."""
        if macs and self.current is not None:
            for checkpoint in self.checkpoints:
                checkpoint.products.append((self.current, macs))

    def unique(self, name: str) -> str:
        """Return a name that no other row has: the second "relu" is "relu:2"."""
        self.used[name] += 1
        return name if self.used[name] == 1 else f"{name}:{self.used[name]}"

    def is_leaf(self, module: nn.Module) -> bool:
        """Return whether a module is one row."""
        if isinstance(module, self.leaves):
            return True
        if module is self.model and not type(module).__module__.startswith("torch.nn.modules."):
            return False  # a hand-written forward is told by its functions
        return not module._modules


def tensors_in(values: Any) -> list[Tensor]:
    """Return the tensors in nested lists, tuples, dicts and dataclasses, in order."""
    if isinstance(values, Tensor):
        return [values]
    found: list[Tensor] = []
    _collect(values, found)
    return found


_PLAIN = {int, float, bool, str, type(None), torch.dtype, torch.device, slice, type(...)}


def _collect(values: Any, found: list[Tensor]) -> None:
    if isinstance(values, Tensor):
        found.append(values)
    elif isinstance(values, (list, tuple, set, frozenset)):
        for value in values:
            if type(value) not in _PLAIN:
                _collect(value, found)
    elif isinstance(values, dict):
        for value in values.values():
            if type(value) not in _PLAIN:
                _collect(value, found)
    elif dataclasses.is_dataclass(values) and not isinstance(values, type):
        for field in dataclasses.fields(values):
            _collect(getattr(values, field.name), found)
