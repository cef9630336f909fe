"""What other people's counters report for a module, if they are installed.

None of them is required: PyTorch's own counter is always there, the others come with the extra
`audit` (CONTRIBUTING.md).
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnmem.count.tools import TOOLS
from cnnmem.errors import look_up


def count(name: str, make: Callable[[], nn.Module], image: tuple[int, ...]) -> int:
    """Return what a counter reports for a forward pass of one image, (C, H, W) as a rule.

    `make` builds the module: some counters leave traces in it, so each gets its own. Their printed
    output is hidden. Raises `UnknownNameError` for an unknown name, and `ImportError` if the
    counter's package is not installed.

    >>> count("FlopCounterMode", lambda: nn.Conv2d(3, 8, 1), (3, 10, 10))
    4800
    """
    ask = look_up("counter", name, TOOLS).ask
    quiet = io.StringIO()
    with (
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
        warnings.catch_warnings(),
        torch.no_grad(),
    ):
        warnings.simplefilter("ignore")
        return ask(make().eval(), torch.rand(1, *image))


def counts(make: Callable[[], nn.Module], image: tuple[int, int, int]) -> dict[str, int]:
    """Return what each installed counter reports, by name.

    One that stops at a module that it does not know is left out (`Tool.stops`).

    >>> "FlopCounterMode" in counts(lambda: nn.Conv2d(3, 8, 1), (3, 10, 10))
    True
    """
    found = {}
    for name, tool in TOOLS.items():
        if find_spec(tool.package) is not None:
            with contextlib.suppress(*filter(None, [tool.stops])):
                found[name] = count(name, make, image)
    return found


def backward_flops(module: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Return what `FlopCounterMode` reports for the backward pass only, with the image's gradient.

    >>> backward_flops(nn.Conv2d(8, 8, 1, bias=False), (1, 8, 10, 10))
    25600
    """
    x = torch.rand(input_shape, requires_grad=True)
    output = module(x).sum()
    with FlopCounterMode(display=False) as counter:
        output.backward()
    return int(counter.get_total_flops())
