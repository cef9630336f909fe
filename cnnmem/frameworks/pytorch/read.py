"""A `torch.nn.Module` becomes a network, and its table, without being run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from cnnmem.checks import is_int
from cnnmem.count import table as plain
from cnnmem.count.autograd import Mode
from cnnmem.count.table import Row, Table
from cnnmem.errors import ShapeError
from cnnmem.model.layers import Recorded, Shape
from cnnmem.model.network import Network, Node, takes
from cnnmem.model.windows import shape_text

from .follow import LEAVES
from .graph import shape_of_one
from .macs import Work
from .run import Run, follow
from .trace import Trace


def table_of(
    module: nn.Module,
    input_shape: Any,
    *,
    batch: int | None = None,
    dtype: str | torch.dtype | None = None,
    mode: Mode = "train",
    device: str | torch.device | None = None,
    execute: bool = False,
    leaves: tuple[type[nn.Module], ...] = LEAVES,
) -> Table:
    """Return the table of a torch module.

    `input_shape` is the shape of the whole input, (N, C, H, W), or a list of shapes if the module
    takes several inputs. Example inputs work too (tensors in a tuple, a list or a dict by
    argument, nested as the module takes them, with None, texts and numbers as they are): only their
    shapes and dtypes are read. Counts are for the whole batch N.

    A row is a call of a module without children, named as in `named_modules`, or of a function
    outside one, named after the module that calls it ("layer1.0.add"). A second call gets its own
    row ("relu:2") without parameters, which count once. Parameters that no call uses are in rows of
    kind "unused" at the end. A module of one of the classes `leaves` is one row although it has
    children.

    Parameters and floating-point inputs count as if they were of `dtype`, a name or a torch dtype
    (default: that of the module's first parameter), on `device` (default: the module's own, or
    "cpu"). `saved_bytes` is what autograd keeps, which depends on the device. It is None if an
    operation keeps a workspace whose size only a real run shows (recurrent layers). Operations
    whose work no formula covers are listed in `Table.uncounted`.

    `Table.how` tells how the module was followed: "traced", function by function; "recorded", under
    fake tensors, where functions do not show everything it does (an `autograd.Function`, scripted
    code, custom operators, autocast); or "executed". The figures do not depend on it. Of a module
    that `torch.compile` has wrapped the figures are those of eager execution.

    The module is left as it was: its parameters and their device, its mode, buffers, gradients and
    hooks. Hooks of the user's own are called, with tensors that hold nothing. With `execute` the
    module really runs, on random numbers (example inputs of integers are taken as they are), with
    its own device and dtype. This is for a forward that reads values of its tensors (`.item()`,
    `if x.sum() > 0`), and for what only a run shows.

    Raises `ShapeError` for an invalid shape, and `NetworkError`, naming the module, if its forward
    fails.

    >>> table = table_of(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (2, 3, 32, 32))
    >>> [(row.name, row.kind, row.output, row.saved) for row in table.rows[1:]]
    [('0', 'conv', (30, 30, 8), 24576), ('1', 'relu', (30, 30, 8), 57600)]
    """
    asked = dtype is not None
    dtype = str(dtype).removeprefix("torch.") if asked else own_dtype(module)
    run = Run(module, input_shape, batch, dtype, mode, device, execute, leaves, dtype_asked=asked)
    return _table(run)


def own_dtype(module: nn.Module) -> str:
    """Return the dtype of a module's first floating-point parameter, else "float32".

    >>> own_dtype(nn.Linear(2, 2).half())
    'float16'
    """
    for parameter in module.parameters():
        if parameter.dtype.is_floating_point:
            return str(parameter.dtype).removeprefix("torch.")
    return "float32"


def _table(run: Run) -> Table:
    name = run.module._get_name()
    original = getattr(run.module, "_orig_mod", None)
    if name == "OptimizedModule" and isinstance(original, nn.Module):
        # what `torch.compile` will fuse and keep is not known before it has compiled
        run, name = replace(run, module=original), f"{original._get_name()} (eager)"
    followed = follow(run)
    graph, follower = followed.graph, followed.follower
    image = graph.rows[0].output
    uncounted = tuple(f"{name} x {count}" for name, count in follower.uncounted.items())
    again = _Again(
        run,
        name,
        followed.shape,
        graph.rows,
        graph.nodes,
        tuple([names for names, _ in graph.used]),
        isinstance(follower, Trace) and not follower.asked_size and not uncounted,
        len(image) > 2 or id(graph.frames[0]) in graph.sequences,
    )
    return Table(
        network=name,
        image=image,
        batch=followed.batch,
        rows=graph.rows,
        dtype=run.dtype,
        mode=run.mode,
        graph=Network(name, graph.nodes, image, again),
        storage=graph.storage,
        says_saved=run.execute or not follower.inexact,
        uncounted=uncounted,
        how=followed.how,
    )


@dataclass(frozen=True)
class _Again:
    """Counts a module at another size."""

    run: Run
    name: str
    shape: tuple[int, ...]  # of the first input
    rows: tuple[Row, ...]
    nodes: tuple[Node, ...]
    used: tuple[list[str], ...]  # the names of each row's parameters
    one_way: bool  # it was traced, and did not ask how large its tensors are
    moved: bool  # the image's channels, which the module has first

    @cached_property
    def formulas(self) -> bool:
        """Whether the layers' formulas alone give the table, as they then do at any size."""
        image = self.rows[0].output
        if not self.one_way or any(isinstance(node.layer, Recorded) for node in self.nodes):
            return False
        if not takes(self.nodes, image):
            return False
        same = self._by_formulas(self.nodes, image, self.shape[0], self.run.dtype)
        return same.rows == self.rows

    def _by_formulas(self, nodes: tuple[Node, ...], image: Shape, batch: int, dtype: str) -> Table:
        network = Network(self.name, nodes, image)
        return plain.table_of(network, batch=batch, dtype=dtype, mode=self.run.mode)

    def __call__(
        self, image: Shape, batch: int, dtype: str | None, mode: Mode, frozen: frozenset[str]
    ) -> Table:
        run, dtype = self.run, dtype or self.run.dtype
        if mode == run.mode and image[-1] == self.rows[0].output[-1] and self.formulas:
            nodes = tuple([replace(node, frozen=node.name in frozen) for node in self.nodes])
            table = self._by_formulas(nodes, image, batch, dtype)
            # else it has other parameters, and the module will refuse this size
            if [_owned(row) for row in table.rows] == [_owned(row) for row in self.rows]:
                return replace(table, graph=Network(self.name, nodes, image, self), how="traced")
        used = zip(self.rows, self.used, strict=False)
        names = frozenset([name for row, own in used if row.name in frozen for name in own])
        sides = image[-1:] + image[:-1] if self.moved else image
        shape = _resized(run.input_shape, self.shape, image, (batch, *sides))
        return _table(
            replace(run, input_shape=shape, batch=None, dtype=dtype, mode=mode, frozen=names)
        )


def _owned(row: Row) -> tuple[int, int, int]:
    return row.weights, row.biases, row.statistics


def _resized(given: Any, first: tuple[int, ...], image: Shape, new: tuple[int, ...]) -> Any:
    """Return an input shape, or several, with `new` in place of the first input's.

    Inputs as large as the first one change with it; of the others, only the batch. Raises
    `ShapeError` for an image with another number of axes.
    """
    if len(new) != len(first):
        old = shape_of_one(first, first[0])
        raise ShapeError(
            f"the model takes an input of {shape_text(old)}, not {shape_text(image)}; "
            f"give {len(old)} numbers"
        )

    def resize(value: Any) -> Any:
        if isinstance(value, Tensor):
            shape = resize(tuple(value.shape))
            return value if shape == tuple(value.shape) else value.new_empty(shape)
        if isinstance(value, list | tuple) and value and all(is_int(n) for n in value):
            if tuple(value) == first:
                return new
            return (new[0], *value[1:]) if value[0] == first[0] else tuple(value)
        if isinstance(value, dict):
            return {key: resize(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            made = [resize(each) for each in value]
            return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
        return value

    return resize(given)


def work(
    module: nn.Module,
    input_shape: Any,
    *,
    mode: Mode = "train",
    device: str | torch.device | None = None,
    execute: bool = False,
) -> Work:
    """Return the multiply-accumulates of a module's forward pass and of its full backward pass.

    Arguments and errors are those of `table_of`. Backward adds one product of the same size for
    each operand that needs a gradient; the image and frozen parameters need none.

    >>> work(nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(8, 8, 1)), (1, 3, 4, 4))
    Work(forward=1120, backward=1376)
    >>> 27 * 8 * 4 + 8 * 8 * 4, 27 * 8 * 4 + 2 * 8 * 8 * 4
    (1120, 1376)
    """
    dtype = own_dtype(module)
    run = Run(module, input_shape, None, dtype, mode, device, execute, LEAVES, dtype_asked=False)
    graph = follow(run).graph
    backward = zip(graph.frames, graph.storage.in_use, strict=False)
    return Work(
        sum(frame.macs for frame in graph.frames),
        sum(frame.backward_macs for frame, used in backward if used),
    )
