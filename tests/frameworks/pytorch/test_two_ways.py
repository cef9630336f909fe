"""A traced pass equals a recorded one, which equals an executed one.

`make test-models` compares many more models. `CNNMEM_SEED` repeats a draw of models that failed.
"""

import os
import random
import warnings

import known_models
import pytest
import torch
from odd_modules import ODD
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from torchvision_shim import models
from two_ways import differences, executed, freeze_half, two_ways

from cnnmem import summary
from cnnmem.errors import NetworkError
from cnnmem.frameworks.pytorch import saved_bytes

_FIXED = """
    torchvision/alexnet torchvision/vgg11_bn torchvision/resnet18 torchvision/resnext50_32x4d
    torchvision/densenet121 torchvision/googlenet torchvision/mobilenet_v2
    torchvision/mobilenet_v3_small torchvision/mnasnet0_5 torchvision/squeezenet1_1
    torchvision/shufflenet_v2_x0_5 torchvision/efficientnet_b0 torchvision/regnet_y_400mf
    torchvision/convnext_tiny torchvision/swin_t torchvision/swin_v2_t torchvision/vit_b_32
    segmentation/lraspp_mobilenet_v3_large segmentation/fcn_resnet50 video/r3d_18
"""
FIXED = _FIXED.split()
# the processes of pytest-xdist must draw the same models, and know the run's number all
SEED = (
    os.environ.get("CNNMEM_SEED")
    or os.environ.get("PYTEST_XDIST_TESTRUNUID")
    or str(random.randrange(10**6))
)
DRAWN = random.Random(SEED).sample(sorted({*known_models.NAMES} - {*FIXED}), 10)
OWN_SIZE = ("vit", "maxvit", "inception_v3", "mvit", "s3d")


def shape_of(model):
    """Return a small odd shape, or the model's own."""
    own = known_models.own_size(model)
    if model.split("/")[1].startswith(OWN_SIZE):
        return (3, 3, *own)
    return (3, 3, *[7 for _ in own[:-2]], 97, 65)


@pytest.mark.parametrize("model", [*FIXED, *DRAWN])
def test_a_traced_model_equals_a_recorded_one(model):
    module, shape = known_models.build(model), shape_of(model)
    freeze_half(module, f"{SEED} {model}")
    for mode in ("train", "eval"):
        ways = two_ways(module, shape, mode)
        assert ways.traced is not None, ways.why
        assert ways.differences == [], f"CNNMEM_SEED={SEED}"


class Chooses(nn.Module):
    def __init__(self):
        super().__init__()
        self.small, self.large = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.large(x) if x.shape[-1] > 10 else self.small(x)


@pytest.mark.parametrize("make", [Chooses, models.resnet18, models.densenet121])
def test_at_another_size_a_model_goes_the_way_that_it_then_takes(make):
    module = make()
    graph = summary(module, (2, 3, 9, 9) if make is Chooses else (2, 3, 64, 64)).graph
    other = (3, 3, 65, 97)
    again, traced = summary(graph, (65, 97, 3), batch=3), summary(module, other)
    assert again.rows == traced.rows
    assert again.graph.nodes == traced.graph.nodes


def test_a_module_on_the_meta_device_is_traced():
    with torch.device("meta"):
        module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.PReLU())
    ways = two_ways(module, (2, 3, 9, 7))
    assert ways.traced is not None, ways.why
    assert ways.differences == []
    assert summary(module, (2, 3, 9, 7)).how == "traced"


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_module_is_traced_recorded_and_executed_alike(name, mode):
    make, given = ODD[name]
    module = make()
    ways = two_ways(module, given, mode)
    assert ways.traced is not None, ways.why
    assert ways.differences == []
    judge = executed(module, given, mode)
    assert differences(ways.traced, judge) == []
    assert differences(ways.recorded, judge) == []


# -- what functions do not show -----------------------------------------------------------------


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x, x + 1)
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 2


@torch.library.custom_op("cnnmem_tests::tripled", mutates_args=())
def tripled(x: torch.Tensor) -> torch.Tensor:
    return x * 3


@tripled.register_fake
def _(x):
    return torch.empty_like(x)


tripled.register_autograd(
    lambda ctx, grad: grad * 3,
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
)


def scripted():
    def gated(x):
        return torch.sigmoid(x) * x

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        gated = torch.jit.script(gated)

    def unchanged(x):
        # else TorchScript rewrites the function once it has seen it run
        with torch.jit.optimized_execution(False):
            return gated(x)

    return unchanged


class Around(nn.Module):
    """Two convolutions with something in between, and state that a forward changes."""

    def __init__(self, between):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3, bias=False), nn.Conv2d(4, 2, 1)
        self.norm = nn.BatchNorm2d(4)
        self.between = between
        self.calls = 0
        self.seen = []

    def forward(self, x):
        self.calls += 1
        x = self.norm(self.first(x))
        self.seen.append(x)
        return self.last(self.between(x))


def saved_on_cpu(x):
    with torch.autograd.graph.save_on_cpu():
        return x.sigmoid().tanh()


def own_hooks(x):
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 1, lambda t: t):
        return x.sigmoid().tanh()


def in_bfloat16(x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return F.conv2d(x, torch.ones(4, 4, 1, 1)).relu().float()


def gradient_penalty(x):
    (slope,) = torch.autograd.grad(x.square().sum(), x, create_graph=True)
    return x + slope


def reversed_gradient(x):
    return REVERSED(x)


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -grad


REVERSED = Reversed.apply  # held by the model, and keeps nothing


def written_out(x):
    y = x.detach()
    return torch.add(y, 1, out=torch.empty_like(y))


HIDDEN = {
    "an autograd.Function that keeps nothing": (reversed_gradient, "Reversed"),
    "a function that writes into out=": (written_out, "out="),
    "an autograd.Function": (Doubled.apply, "Doubled, an autograd.Function"),
    "a scripted function": (scripted(), "not a function"),
    "a custom operator": (tripled, "custom operator"),
    "save_on_cpu": (saved_on_cpu, "saved-tensor hooks"),
    "saved-tensor hooks": (own_hooks, "saved-tensor hooks"),
    "autocast": (in_bfloat16, "autocast"),
    "a reentrant checkpoint": (
        lambda x: checkpoint(torch.sigmoid, x, use_reentrant=True),
        "autograd.Function",
    ),
    "a gradient in forward": (gradient_penalty, "grad"),
    "a function of torch.func": (torch.func.vmap(torch.sigmoid), "torch.func"),
}


def state(module):
    """Return all that a forward pass could leave on a module or on torch."""
    parts = [
        {k: v.copy() if isinstance(v, dict | list) else v for k, v in part.__dict__.items()}
        for part in module.modules()
    ]
    hooks = torch.nn.modules.module
    kept = [len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks)]
    versions = [tensor._version for tensor in module.state_dict(keep_vars=True).values()]
    return parts, kept, versions, torch.autograd.Function.apply, torch.is_grad_enabled()


@pytest.mark.parametrize("what", HIDDEN)
def test_what_functions_do_not_show_is_recorded(what):
    between, why = HIDDEN[what]
    module = Around(between)
    before = state(module)
    for mode in ("train", "eval"):
        ways = two_ways(module, (2, 3, 9, 7), mode)
        assert ways.traced is None
        assert why in ways.why
        assert differences(ways.recorded, executed(module, (2, 3, 9, 7), mode)) == []
        table = summary(module, (2, 3, 9, 7), mode=mode)
        assert table.how == "recorded"
        assert table.saved_bytes == saved_bytes(Around(between), (2, 3, 9, 7), mode)
    assert state(module) == before


def test_a_forward_that_reads_values_is_refused_and_leaves_nothing_behind():
    module = Around(lambda x: x * 2 if x.sum() > 0 else x.sigmoid())
    before = state(module)
    with pytest.raises(NetworkError, match="execute=True"):
        summary(module, (2, 3, 9, 7))
    assert state(module) == before
    assert summary(module, (2, 3, 9, 7), execute=True).how == "executed"
    assert state(module) == before
