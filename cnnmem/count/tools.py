"""The tools that count operations: how each counts, what it printed and how to run it.

A tool is one entry of `TOOLS`. Its convention joins those of `conventions`, its recorded count the
published numbers, and `cnnmem.frameworks.pytorch.counts` runs it if it is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cnnmem.model.kinds import kinds_of
from cnnmem.units import FLOPS, MACS

from .convention import Convention, Count, Outside, Where

CONVOLUTION = kinds_of("convolutions")
TRANSPOSED = ("conv_transpose",)
FORWARD = tuple(kind for kind in CONVOLUTION if kind not in TRANSPOSED)
RECURRENT = ("lstm", "gru", "rnn", "lstmcell", "grucell", "rnncell")
AVG_POOLS = ("avg_pool", "adaptive_avg_pool")
MODULE_POOLS = ("max_pool", *AVG_POOLS, "adaptive_max_pool", "global_max_pool")  # of torch.nn
NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm")
PRODUCTS = ("matmul", "mm", "bmm")
VECTOR_PRODUCTS = ("mv", "dot", "vdot", "addmv")
AFFINE = ("batch_norm", "group_norm", "instance_norm")  # by an attribute of that name
PYTHONS = ("lp_pool", "local_response_norm")  # written in Python with functions that count
NORMALISED = ("batch_norm", "layer_norm", "instance_norm")  # for thop
HOOKED = (*("relu", "relu6", "prelu", "elu", "gelu", "silu", "softmax", "upsample"), *MODULE_POOLS)
# The modules that are one operation, or several that no tool counts otherwise.
PLAIN = frozenset(
    {
        *(*CONVOLUTION, "linear", *NORMS, *MODULE_POOLS, "global_avg_pool", "dropout", "upsample"),
        *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu"),
        *("mish", "sigmoid", "tanh", "hardswish", "hardsigmoid", "hardtanh", "log_sigmoid"),
        *("softplus", "softsign", "softshrink", "hardshrink", "tanhshrink", "threshold", "glu"),
        *("softmax", "log_softmax", "flatten", "unflatten", "identity", "sequential", "zero_pad"),
        *("circular_pad", "reflection_pad", "replication_pad", "pixel_shuffle", "pixel_unshuffle"),
        *("unfold", "channel_shuffle", "fractional_max_pool2d", "embedding", "rms_norm"),
        *("bilinear",),
        *("add", "multiply", "concatenate", "attention", "stochastic_depth", *RECURRENT[:3]),
    }
)
MULTIPLY_ACCUMULATES = (Count("macs"),)
BIASES = Count("bias additions", (*CONVOLUTION, "linear"))
GROUP = "MACs"

# The functions that a tool may count, and the kinds of modules that stand for one.
COUNTED = (
    *("conv", "conv_transpose", "linear", *NORMS, *AVG_POOLS, "mean", "leaky_relu", "multiply"),
    *("upsample", *PRODUCTS, "baddbmm", "addmm", "einsum", "attention", "lp_pool", "grid_sample"),
    *("local_response_norm", "multi_head_attention_forward", "lstm", "gru"),
)
SAME = {
    "conv": FORWARD,
    "mean": ("global_avg_pool",),
    "linear": ("linear", "attention"),
    "attention": ("attention",),
}

# Attention has kernels of its own, one of them for evaluation without gradients, and which one a
# tool sees depends on more than the model.
ATTENTION_MODULE = Outside(("attention",), when="not F")
ANY_ATTENTION = Outside(("attention",))
UNKNOWN_MODULE = Outside(where="classes", other_than=PLAIN)


def _inside(kinds: Iterable[str], by: tuple[str, ...] = ("",)) -> tuple[Outside, ...]:
    """Return that modules of a model's own classes are outside if they call these functions.

    But one of the same kind counts for it: a class of convolutions calls a convolution.
    """
    return tuple(
        Outside(
            where="modules",
            when=f"{kind} inside{each}",
            other_than=frozenset(() if each else SAME.get(kind, (kind,))),
        )
        for kind in kinds
        for each in by
    )


def _times(quantity: str, times: dict[str, int], kinds: tuple[str, ...], where: Where = "") -> Any:
    """Return a count for each fact of a call: {"bilinear": 4} counts those 4 times."""
    return [Count(quantity, kinds, number, where, when) for when, number in times.items()]


@dataclass(frozen=True)
class Tool:
    """A tool that counts operations.

    `resnet18` is what it printed for torchvision's ResNet-18, one image of 224 x 224, in evaluation
    mode. `ask` needs `package`; it returns the tool's count for a torch module and an input tensor
    (N, C, H, W). `stops` is the error of a tool that stops at modules it does not know.
    """

    name: str
    convention: Convention
    resnet18: int
    package: str
    ask: Callable[[Any, Any], int]
    stops: type[Exception] | None = None


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


def _torchstat(module: Any, x: Any) -> int:
    from torchstat.statistics import ModelStat

    # It replaces how modules of these classes are called, and leaves it so.
    classes = {type(part) for part in module.modules() if "__call__" not in vars(type(part))}
    try:
        nodes = ModelStat(module, tuple(x.shape[1:]))._analyze_model()
    finally:
        for each in classes:
            if "__call__" in vars(each):
                del each.__call__
    return sum(int(node.Flops) for node in nodes)


# The counts were verified against the tools with torch 2.13: `make test-audit`.
_ALL = (
    Tool(
        name="ptflops, aten",
        convention=Convention(
            name="ptflops-aten",
            title="MACs and biases",
            counts=(
                *MULTIPLY_ACCUMULATES,
                Count("macs", ("baddbmm", "addbmm", *VECTOR_PRODUCTS), -1),
                BIASES,
            ),
            outside=(
                ANY_ATTENTION,
                Outside(RECURRENT),
                Outside(("linear",), when="strided"),  # whether its bias is added apart
                *_inside(("conv", "conv_transpose", "linear", "addmm", "attention")),
            ),
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
            counts=(
                Count("macs", FORWARD, 1, "modules", "Conv"),
                Count("macs of outputs", TRANSPOSED, 1, "modules", "Conv"),
                Count("macs", ("linear",), 1, "modules", "0d"),
                Count("bias additions", CONVOLUTION, 1, "modules", "Conv"),
                Count("bias additions", ("linear",), 1, "modules", "0d"),
                # any other module: its parameters, once for each entry of the first axis
                Count("parameter uses", (), 1, "modules"),
                Count("parameter uses", (*CONVOLUTION, *RECURRENT), -1, "modules"),
                Count("parameter uses", ("linear",), -1, "modules", "0d"),
                Count("step parameters", RECURRENT[:3], 1, "modules"),
            ),
            outside=(
                Outside(("separable_conv", *RECURRENT[3:]), "modules"),
                Outside(CONVOLUTION, "modules", "not Conv"),
                Outside(where="modules", when="odd parameters"),
                Outside(where="modules", when="unbatched"),
            ),
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
                Count("macs"),
                Count("macs", TRANSPOSED, -1),
                Count("macs without groups", TRANSPOSED),
                Count("macs", CONVOLUTION, -1, when="same"),
                Count("macs", ("mm", *VECTOR_PRODUCTS, "gru", "rnn", "addbmm"), -1),
                Count("macs", ("addmv",)),
                Count("outputs", NORMS, when="scale"),
                Count("outputs", (*AVG_POOLS, "global_avg_pool", "mean", "leaky_relu", "multiply")),
                Count("outputs", ("upsample",), 4, when="bilinear 2d"),
            ),
            outside=(
                ATTENTION_MODULE,
                UNKNOWN_MODULE,
                *_inside(COUNTED),
                Outside(TRANSPOSED, when="recorded"),
                Outside((*PYTHONS, "einsum", "grid_sample", *RECURRENT[3:])),
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
                Count("macs"),
                Count("macs", CONVOLUTION, -1, when="same"),
                Count("macs", ("attention", "baddbmm", "addbmm", *VECTOR_PRODUCTS), -1),
                Count("macs", RECURRENT, -1),
                Count("outputs", ("batch_norm",)),
                Count("outputs", ("batch_norm",), 3, when="batch statistics"),
                Count("outputs", NORMS[1:], 4),
                Count("outputs", NORMS, when="scale"),
                Count("inputs", ("adaptive_avg_pool",), when="2d"),
                *_times("outputs", {"nearest 2d": 1, "bilinear 2d": 4}, ("upsample",)),
            ),
            outside=(
                ATTENTION_MODULE,
                UNKNOWN_MODULE,
                *_inside(COUNTED),
                Outside(("einsum", "grid_sample", "affine_grid", *RECURRENT[3:])),
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
                Count("macs", (*FORWARD, "linear"), 1, "classes"),
                Count("macs of outputs", TRANSPOSED, 1, "classes"),
                Count("outputs", NORMALISED, 2, "classes"),
                Count("outputs", NORMALISED, 2, "classes", "scale"),
                Count("adaptive windows", ("adaptive_avg_pool",), 1, "classes"),
                Count("outputs", (*AVG_POOLS, "prelu"), 1, "classes"),
                Count("outputs", ("softmax",), 3, "classes", "over channels"),
                Count("vectors", ("softmax",), -1, "classes", "over channels"),
                *_times(
                    "outputs",
                    {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259},
                    *(("upsample",), "classes"),
                ),
            ),
            outside=(
                Outside(RECURRENT, "classes"),
                Outside(("softmax",), "classes", "other axis"),
                Outside(where="modules", when="shared"),  # it is counted again for each parent
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
                Count("macs", (*CONVOLUTION, "linear"), 1, "classes"),
                Count("macs", PRODUCTS, 1, "functions", "torch"),
                Count("macs", PRODUCTS, 1, "functions", "Tensor"),
                Count("bias additions", (*CONVOLUTION, "linear"), 1, "classes"),
                Count("outputs", NORMS, 1, "classes"),
                Count("outputs", AFFINE, 1, "classes", "scale"),
                # torch's own modules call a function that is counted, too
                Count("outputs", ("relu", "prelu", "elu", "gelu"), 2, "classes"),
                Count("outputs", ("relu6", "leaky_relu", "silu", "softmax"), 1, "classes"),
                Count("outputs", ("relu", "prelu", "elu", "gelu"), 1, "functions", "F"),
                Count("outputs", ("relu6", "silu", "softmax"), 1, "functions", "F"),
                Count("inputs", MODULE_POOLS, 2, "classes"),
                Count("inputs", MODULE_POOLS, when="F"),
                Count("outputs", ("upsample",), 1, "classes"),
                Count("outputs", ("upsample",), 1, "classes", "Upsample"),
                Count("outputs", ("upsample",), 1, "functions", "F"),
                Count("outputs", ("add", "multiply"), 1, "functions", "torch"),
                Count("outputs", ("add", "multiply"), 1, "functions", "Tensor"),
            ),
            outside=(
                Outside(("attention",), when="class"),
                Outside(RECURRENT, "classes"),
                Outside((*PYTHONS, "addmm", "baddbmm")),
                Outside(("upsample",), when="recorded"),
                Outside(HOOKED, "functions", "inside"),
                *_inside(HOOKED, (" by F",)),
                *_inside(("add", "multiply", *PRODUCTS), (" by torch", " by Tensor")),
                Outside(where="modules", when="shared"),
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
            counts=(*MULTIPLY_ACCUMULATES, Count("macs", VECTOR_PRODUCTS, -1)),
            factor=2,
            outside=(ANY_ATTENTION, Outside(("lstm",))),
            unit=FLOPS,
            source="torch.utils.flop_counter.FlopCounterMode",
            group=GROUP,
        ),
        resnet18=3_628_146_688,
        package="torch",
        ask=_flop_counter,
    ),
    Tool(
        name="torchstat",
        convention=Convention(
            name="torchstat-flops",
            title="MACs and biases of 2-d convolutions, linear MACs; BatchNorm twice, activations "
            "and pools once per value; a module called again counts once",
            counts=(
                *_times("macs", {"2d": 1}, FORWARD, "last calls"),
                *_times("bias additions", {"2d": 1}, FORWARD, "last calls"),
                Count("macs", ("linear",), 1, "last calls"),
                Count("outputs", ("batch_norm",), 1, "last calls", "2d"),
                Count("outputs", ("batch_norm",), 1, "last calls", "scale 2d"),
                Count("inputs", ("max_pool", "avg_pool"), 1, "last calls", "2d"),
                Count("outputs", ("relu", "relu6", "prelu", "elu", "leaky_relu"), 1, "last calls"),
                Count("vectors", ("upsample",), 1, "last calls"),
            ),
            outside=(
                # it takes images, and stops at modules that are given something else
                *[Outside(where="modules", when=axes) for axes in ("1d", "3d")],
                Outside(("linear",), "modules", "2d"),
                Outside(("separable_conv",), "modules"),
            ),
            unit=MACS,
            source='torchstat 0.0.7, "Total Flops", one image whatever the batch',
            group=GROUP,
        ),
        resnet18=1_821_399_040,
        package="torchstat",
        ask=_torchstat,
        stops=AssertionError,
    ),
)

TOOLS: dict[str, Tool] = {tool.name: tool for tool in _ALL}
"""By name."""
