"""The tools that count operations: how each counts, what it printed and how to run it.

A tool is one entry of `TOOLS`. Its convention joins those of `conventions`, its recorded count the
published numbers, and `cnnmem.frameworks.pytorch.counts` runs it if it is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnnmem.model.kinds import kinds_of
from cnnmem.units import FLOPS, MACS

from .convention import Convention, Count

CONVOLUTION = kinds_of("convolutions")
MODULE_POOLING = (
    "max_pool",
    "avg_pool",
    "adaptive_avg_pool",
)  # the pools that are modules in torch.nn
MULTIPLY_ACCUMULATES = (Count("macs"),)
BIASES = Count("bias additions", (*CONVOLUTION, "linear"))
GROUP = "MACs"


@dataclass(frozen=True)
class Tool:
    """A tool that counts operations.

    `resnet18` is what it printed for torchvision's ResNet-18, one image of 224 x 224, in evaluation
    mode. `ask` needs `package`; it returns the tool's count for a torch module and an input tensor
    (N, C, H, W).
    """

    name: str
    convention: Convention
    resnet18: int
    package: str
    ask: Callable[[Any, Any], int]


def _ptflops(backend: str) -> Callable[[Any, Any], int]:
    def ask(module: Any, x: Any) -> int:
        from ptflops import get_model_complexity_info

        macs, _ = get_model_complexity_info(
            module,
            tuple(x.shape[1:]),
            as_strings=False,
            print_per_layer_stat=False,
            backend=backend,
        )
        return int(macs)

    return ask


def _torchinfo(module: Any, x: Any) -> int:
    from torchinfo import summary

    return int(summary(module, input_data=x, verbose=0).total_mult_adds)


def _torchprofile(module: Any, x: Any) -> int:
    from torchprofile import profile_macs

    return int(profile_macs(module, x))


def _fvcore(module: Any, x: Any) -> int:
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(module, x)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(analysis.total())


def _thop(module: Any, x: Any) -> int:
    from thop import profile

    return int(profile(module, (x,), verbose=False)[0])


def _flop_counter(module: Any, x: Any) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(x)
    return int(counter.get_total_flops())


# The counts were verified against the tools with torch 2.13: `make test-audit`.
_ALL = (
    Tool(
        name="ptflops, aten",
        convention=Convention(
            name="ptflops-aten",
            title="MACs and biases",
            counts=(*MULTIPLY_ACCUMULATES, BIASES),
            unit=MACS,
            source="ptflops 0.7, backend aten",
            group=GROUP,
        ),
        resnet18=1_814_074_344,
        package="ptflops",
        ask=_ptflops("aten"),
    ),
    Tool(
        name="torchinfo",
        convention=Convention(
            name="torchinfo-macs",
            title="MACs, biases, and one operation per parameter of BatchNorm",
            counts=(*MULTIPLY_ACCUMULATES, BIASES, Count("parameter uses", ("batch_norm",))),
            unit=MACS,
            source='torchinfo 1.8, "Total mult-adds"',
            group=GROUP,
        ),
        resnet18=1_814_083_944,
        package="torchinfo",
        ask=_torchinfo,
    ),
    Tool(
        name="torchprofile",
        convention=Convention(
            name="torchprofile",
            title="MACs, BatchNorm once per value, average pooling once per output",
            counts=(
                *MULTIPLY_ACCUMULATES,
                Count(
                    "outputs",
                    ("batch_norm", "avg_pool", "adaptive_avg_pool", "global_avg_pool", "multiply"),
                ),
            ),
            unit=MACS,
            source="torchprofile 0.0.4 and 0.1.0",
            group=GROUP,
        ),
        resnet18=1_816_557_568,
        package="torchprofile",
        ask=_torchprofile,
    ),
    Tool(
        name="fvcore",
        convention=Convention(
            name="fvcore",
            title='MACs, BatchNorm twice, adaptive pooling once per input; printed as "flops"',
            counts=(
                *MULTIPLY_ACCUMULATES,
                Count("outputs", ("batch_norm",), 2),
                Count("inputs", ("adaptive_avg_pool",)),
            ),
            unit=MACS,
            source="fvcore 0.1.5, FlopCountAnalysis",
            group=GROUP,
        ),
        resnet18=1_819_065_856,
        package="fvcore",
        ask=_fvcore,
    ),
    Tool(
        name="thop",
        convention=Convention(
            name="thop",
            title="MACs, BatchNorm four times per value, average pooling",
            counts=(
                *MULTIPLY_ACCUMULATES,
                Count("outputs", ("batch_norm",), 4, "modules"),
                Count("inputs", ("adaptive_avg_pool",), 1, "modules"),
                Count("outputs", ("adaptive_avg_pool", "avg_pool"), 1, "modules"),
            ),
            unit=MACS,
            source="thop 0.1.1, profile",
            group=GROUP,
        ),
        resnet18=1_824_033_792,
        package="thop",
        ask=_thop,
    ),
    Tool(
        name="ptflops, pytorch",
        convention=Convention(
            name="ptflops-pytorch",
            title="MACs, biases, BatchNorm twice; ReLU and pooling modules twice",
            counts=(
                *MULTIPLY_ACCUMULATES,
                BIASES,
                Count("outputs", ("batch_norm",), 2),
                Count("outputs", ("relu",), 2, "modules"),
                Count("outputs", ("relu",), 1, "functions"),
                Count("outputs", ("relu6",), 1, "modules"),
                Count("outputs", ("gelu",), 2, "modules"),
                Count("outputs", ("gelu",), 1, "functions"),
                Count("outputs", ("silu", "softmax")),
                Count("inputs", MODULE_POOLING, 2, "modules"),
                Count("inputs", MODULE_POOLING, 1, "functions"),
                Count("inputs", ("global_max_pool",)),
            ),
            unit=MACS,
            source="ptflops 0.7, backend pytorch, one image whatever the batch",
            group=GROUP,
        ),
        resnet18=1_825_313_768,
        package="ptflops",
        ask=_ptflops("pytorch"),
    ),
    Tool(
        name="FlopCounterMode",
        convention=Convention(
            name="flops",
            title="FLOPs of convolutions and matrix products: 2 per multiply-accumulate",
            counts=MULTIPLY_ACCUMULATES,
            factor=2,
            unit=FLOPS,
            source="torch.utils.flop_counter.FlopCounterMode",
            group=GROUP,
        ),
        resnet18=3_628_146_688,
        package="torch",
        ask=_flop_counter,
    ),
)

TOOLS: dict[str, Tool] = {tool.name: tool for tool in _ALL}
"""By name. torchstat is left out: it counts a shared ReLU only once (see lesson 08)."""
