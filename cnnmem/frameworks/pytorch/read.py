"""Read a `torch.nn.Module` into the same table as a plain network, without running it.

The module's forward pass is traced with fake tensors, which act like tensors on a real device but
hold no data. A row is a call of a module without children, or of a function outside one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cnnmem.count.autograd import Mode
from cnnmem.count.table import Table
from cnnmem.units import bytes_per_value

from .macs import Work
from .rows import rows_of, shape_of_one
from .run import record

LEAVES: tuple[type[nn.Module], ...] = (nn.MultiheadAttention,)


def table_of(
    module: nn.Module,
    input_shape: Any,
    *,
    batch: int | None = None,
    dtype: str = "float32",
    mode: Mode = "train",
    device: str | torch.device | None = None,
    execute: bool = False,
    leaves: tuple[type[nn.Module], ...] = LEAVES,
) -> Table:
    """Return the table of a torch module.

    `input_shape` is the shape of the whole input, (N, C, H, W), or a list of shapes if the module
    takes several inputs. Example inputs work too (tensors in a tuple, a list or a dict by
    argument): only their shapes and dtypes are read. Counts are for the whole batch N.

    A row is a call of a module without children, named as in `named_modules`, or of a function
    outside one, named after the module that calls it ("layer1.0.add"). A second call gets its own
    row ("relu:2") without parameters, which count once. Parameters that no call uses are in rows of
    kind "unused" at the end. A module of one of the classes `leaves` is one row although it has
    children.

    Parameters and floating-point inputs count as if they were `dtype`, on `device` (default: the
    module's own, or "cpu"). `saved_bytes` is what autograd keeps, which depends on the device. It
    is None if an operation's fake version does not know how much it keeps (recurrent layers).
    Operations whose work no formula covers are listed in `Table.uncounted`.

    The module is left as it was: its parameters and their device, its mode, buffers, gradients and
    hooks. With `execute` it really runs, on random numbers, with its own device and dtype. This is
    for a forward that reads values of its tensors (`.item()`, `if x.sum() > 0`), and for what fake
    tensors do not know.

    Raises `ShapeError` for an invalid shape, and `NetworkError`, naming the module, if its forward
    fails.

    >>> table = table_of(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (2, 3, 32, 32))
    >>> [(row.name, row.kind, row.output, row.saved) for row in table.rows[1:]]
    [('0', 'conv', (30, 30, 8), 24576), ('1', 'relu', (30, 30, 8), 57600)]
    """
    run = record(module, input_shape, batch, dtype, mode, device, execute, leaves)
    recorder = run.recorder
    return Table(
        network=module._get_name(),
        image=shape_of_one(run.first, run.batch),
        batch=run.batch,
        rows=rows_of(recorder, run.stand_ins, bytes_per_value(dtype), run.batch),
        dtype=dtype,
        mode=mode,
        says_saved=execute or not recorder.inexact,
        uncounted=tuple(f"{name} x {count}" for name, count in recorder.uncounted.items()),
    )


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
    run = record(module, input_shape, None, "float32", mode, device, execute, LEAVES)
    frames = run.recorder.frames
    return Work(sum(f.macs for f in frames), sum(f.backward_macs for f in frames))
