"""What other people's counters say of a module, where they are installed.

None of them is needed: PyTorch's own counter is always there, the others come with the extra
`audit` (`pip install "cnnmem[audit]"`).
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

from cnnmem.errors import look_up


def _flop_counter(module: nn.Module, x: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        module(x)
    return int(counter.get_total_flops())


def _fvcore(module: nn.Module, x: torch.Tensor) -> int:
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(module, x)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(analysis.total())


def _ptflops(backend: str) -> Callable[[nn.Module, torch.Tensor], int]:
    def count(module: nn.Module, x: torch.Tensor) -> int:
        from ptflops import get_model_complexity_info

        macs, _ = get_model_complexity_info(
            module, tuple(x.shape[1:]), as_strings=False, print_per_layer_stat=False,
            backend=backend,
        )  # fmt: skip
        return int(macs)

    return count


def _thop(module: nn.Module, x: torch.Tensor) -> int:
    from thop import profile

    return int(profile(module, (x,), verbose=False)[0])


def _torchinfo(module: nn.Module, x: torch.Tensor) -> int:
    from torchinfo import summary

    return int(summary(module, input_data=x, verbose=0).total_mult_adds)


def _torchprofile(module: nn.Module, x: torch.Tensor) -> int:
    from torchprofile import profile_macs

    return int(profile_macs(module, x))


# name -> (the package that must be there, how it is asked); names as in `cnnmem.count.tools.TOOLS`
COUNTERS: dict[str, tuple[str, Callable[[nn.Module, torch.Tensor], int]]] = {
    "ptflops, aten": ("ptflops", _ptflops("aten")),
    "torchinfo": ("torchinfo", _torchinfo),
    "torchprofile": ("torchprofile", _torchprofile),
    "fvcore": ("fvcore", _fvcore),
    "thop": ("thop", _thop),
    "ptflops, pytorch": ("ptflops", _ptflops("pytorch")),
    "FlopCounterMode": ("torch", _flop_counter),
}


def count(name: str, make: Callable[[], nn.Module], image: tuple[int, int, int]) -> int:
    """Return what a counter says of a forward pass of one image, (C, H, W).

    `make` builds the module: some counters leave traces in it, so each gets its own. What they
    print is not shown. Raises `UnknownNameError` for another name, `ImportError` where the
    counter's package is not installed.

    >>> count("FlopCounterMode", lambda: nn.Conv2d(3, 8, 1), (3, 10, 10))
    4800
    """
    _, ask = look_up("counter", name, COUNTERS)
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
    """Return what each counter that is installed says, by name.

    >>> "FlopCounterMode" in counts(lambda: nn.Conv2d(3, 8, 1), (3, 10, 10))
    True
    """
    return {
        name: count(name, make, image)
        for name, (package, _) in COUNTERS.items()
        if find_spec(package) is not None
    }


def backward_flops(module: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Return what `FlopCounterMode` says of a backward pass alone, the image's gradient included.

    >>> backward_flops(nn.Conv2d(8, 8, 1, bias=False), (1, 8, 10, 10))
    25600
    """
    x = torch.rand(input_shape, requires_grad=True)
    output = module(x).sum()
    with FlopCounterMode(display=False) as counter:
        output.backward()
    return int(counter.get_total_flops())
