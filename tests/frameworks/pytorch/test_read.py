"""What the adapter promises about any torch module, besides its numbers."""

import random
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from torchvision_shim import models

from cnnmem import summary
from cnnmem.errors import CnnmemError, NetworkError, ShapeError, UnknownNameError
from cnnmem.frameworks import pytorch
from cnnmem.frameworks.pytorch import build, saved_bytes
from cnnmem.model import zoo


def names(table):
    return [row.name for row in table.rows]


class LooksInside(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        x = self.conv(x)
        return x * 2 if x.sum() > -1e9 else x


class Everything(nn.Module):
    """Two inputs, nested outputs, a module used twice; tied, frozen, unused and bare parameters."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.again = self.first
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.first.weight
        self.frozen = nn.Linear(4, 4, bias=False).requires_grad_(False)
        self.unused = nn.BatchNorm1d(3)
        self.scale = nn.Parameter(torch.ones(4))
        self.constant = torch.ones(4)
        self.listed = [nn.Linear(4, 4)]
        self.norm = nn.BatchNorm1d(4)
        self.calls = 0
        self.seen = []

    def forward(self, x, y):
        self.calls += 1
        self.seen.append(x)
        x = self.norm(self.frozen(self.tied(self.again(self.first(x)))))
        z = F.dropout(x * self.scale, training=self.training) + self.constant
        z += y
        return {"z": [z.relu()], "y": (self.listed[0](y).sigmoid(), None)}


SHAPES = [(2, 4), (2, 4)]


def executed_bytes(module, shapes, mode="train"):
    """The oracle for modules with several inputs: a wrapper that splits them from one."""

    class Joined(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self, x):
            return self.module(*x.unbind(1))

    assert len(set(shapes)) == 1
    n, *rest = shapes[0]
    return saved_bytes(Joined(), (n, len(shapes), *rest), mode)


def test_a_reused_module_counts_its_parameters_once_and_its_work_twice():
    table = summary(Everything(), SHAPES)
    assert " ".join(names(table)) == (
        "input input:2 first first:2 tied frozen norm mul dropout add add:2 relu linear sigmoid "
        "unused"
    )
    assert [table[n].params for n in ("first", "first:2", "tied", "frozen")] == [20, 0, 4, 16]
    assert [table[n].macs for n in ("first", "first:2", "tied", "frozen")] == [32] * 4
    assert (table["mul"].weights, table["mul"].kind) == (4, "multiply")
    assert (table["add:2"].overwrites, table["add"].values) == (8, 8)
    assert table["unused"].kind == "unused"
    assert table.params == sum(p.numel() for p in Everything().parameters())
    assert table.statistics == 2 * 4 + 2 * 3


def test_several_inputs_keep_as_much_as_when_executed():
    table = summary(Everything(), SHAPES)
    assert table.saved_bytes == summary(Everything(), SHAPES, execute=True).saved_bytes
    # the oracle's two inputs are views of one storage, which counts once, as a whole
    assert table["input"].kept_values == table["input:2"].kept_values == 2 * 4
    assert executed_bytes(Everything(), SHAPES) == table.saved_bytes


@pytest.mark.parametrize("execute", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_the_module_is_left_unchanged(execute, fails):
    module = Everything().eval()
    module.norm.train()
    module.first.weight.grad = torch.ones(4, 4)
    module.first.register_forward_hook(lambda *_: None)
    before = {
        part: {k: v.copy() if isinstance(v, dict | list) else v for k, v in part.__dict__.items()}
        for part in module.modules()
    }
    versions = {k: (v.clone(), v._version) for k, v in module.state_dict(keep_vars=True).items()}
    states = torch.random.get_rng_state(), random.getstate()
    if fails:
        with pytest.raises(NetworkError, match=r"module 'first' \(Linear\) fails"):
            summary(module, [(2, 5), (2, 4)], execute=execute)
    else:
        summary(module, SHAPES, execute=execute)
    assert before == {part: part.__dict__ for part in module.modules()}
    assert module.first.weight is module.tied.weight
    for key, value in module.state_dict(keep_vars=True).items():
        assert torch.equal(value, versions[key][0])
        assert value._version == versions[key][1]
    assert torch.equal(module.first.weight.grad, torch.ones(4, 4))
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert random.getstate() == states[1]


def test_old_weight_norm_leaves_no_stand_in_behind():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        module = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))
    expected = module(torch.ones(1, 3, 8, 8))
    table = summary(module, (2, 3, 8, 8))
    assert type(module.weight) is torch.Tensor
    assert torch.equal(module(torch.ones(1, 3, 8, 8)), expected)
    assert table.saved_bytes == saved_bytes(module, (2, 3, 8, 8))


def test_counting_allocates_nothing():
    with torch.device("meta"):
        module = build(zoo.vgg16(), (1024, 1024, 3))
    table = summary(module, (1, 3, 1024, 1024))
    assert table.params == 2_183_080_744
    assert table.saved_bytes == summary(zoo.vgg16(), (1024, 1024, 3)).saved_bytes


def test_a_forward_that_reads_tensor_values_is_refused_by_name_and_runs_with_execute():
    module = nn.Sequential(LooksInside())
    with pytest.raises(NetworkError, match=r"module '0' \(LooksInside\) reads .*execute=True"):
        summary(module, (2, 3, 8, 8))
    table = summary(module, (2, 3, 8, 8), execute=True)
    assert names(table) == ["input", "0.conv", "0.sum", "0.gt", "0.mul"]
    assert table.saved_bytes == saved_bytes(module, (2, 3, 8, 8))


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "densenet121"])
def test_a_real_run_gives_the_same_rows(name):
    module = getattr(models, name)()
    shape = (2, 3, 64, 64)
    assert summary(module, shape, execute=True).rows == summary(module, shape).rows


def test_checkpointing_is_seen_and_keeps_less():
    module = models.densenet121(memory_efficient=True)
    shape = (2, 3, 64, 64)
    table = summary(module, shape)
    assert table.saved_bytes == saved_bytes(module, shape)
    assert table.saved_bytes < summary(models.densenet121(), shape).saved_bytes


def test_a_gradient_taken_in_forward_reads_what_was_kept():
    class Penalty(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()

        def forward(self, x):
            x = x.detach().requires_grad_()
            y = self.relu(self.conv(x))
            (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            return y.mean() + slope.pow(2).mean()

    module = Penalty()
    faked = summary(module, (2, 3, 8, 8))
    run = summary(module, (2, 3, 8, 8), execute=True)
    assert names(faked) == names(run)
    assert faked.saved_bytes == run.saved_bytes > 4 * 2 * (3 * 8 * 8 + 4 * 6 * 6)
    assert faked.uncounted == ("aten.convolution_backward x 1",)


def test_custom_functions_and_assignments_are_counted():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            y = Double.apply(self.conv(x))
            y[:, 0] = 0
            return y

    module = Module()
    table = summary(module, (2, 3, 8, 8))
    assert names(table) == ["input", "conv", "mul", "assign"]
    assert table["assign"].overwrites == table["conv"].values
    assert table.saved_bytes == saved_bytes(module, (2, 3, 8, 8)) > table["conv"].saved


def test_without_a_gradient_nothing_is_kept():
    module = models.resnet18().requires_grad_(False)
    assert summary(module, (2, 3, 64, 64)).saved_bytes == 0


def test_frozen_first_layers_keep_nothing():
    module = models.vgg16()
    module.features.requires_grad_(False)
    table = summary(module, (2, 3, 224, 224))
    assert table.saved_bytes == 397_312 == saved_bytes(module, (2, 3, 224, 224))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "densenet121"])
def test_half_precision_keeps_as_much_as_when_executed(name, dtype):
    module = getattr(models, name)()
    table = summary(module, (2, 3, 64, 64), dtype=dtype)
    converted = module.to(getattr(torch, dtype))
    assert table.saved_bytes == saved_bytes(converted, (2, 3, 64, 64))


def test_operations_without_a_formula_are_listed():
    table = summary(nn.Bilinear(4, 3, 2), [(5, 4), (5, 3)])
    assert table.uncounted == ("aten._trilinear x 1",)
    lstm = nn.LSTM(5, 7)
    table = summary(lstm, (2, 4, 5))
    # four gates, each a product with the input and one with the state, per step
    assert (table.macs, table.uncounted) == (2 * 4 * 4 * (5 + 7) * 7, ())
    assert table.params == sum(p.numel() for p in lstm.parameters())
    # its fake version does not know the size of the workspace that it keeps
    assert table.saved_bytes is None
    assert summary(lstm, (2, 4, 5), execute=True).saved_bytes == saved_bytes(lstm, (2, 4, 5))


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv1d(4, 6, 3, groups=2),
        nn.Conv3d(4, 6, 3, stride=2, groups=2),
        nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2),
        nn.Conv2d(4, 8, 3, groups=4),
        nn.MultiheadAttention(8, 2, batch_first=True),
    ],
)
def test_macs_are_half_of_torchs_flops(module):
    shape = (2, 4, *[7] * (int(type(module).__name__[-2]) if "Conv" in str(module) else 0))
    if isinstance(module, nn.MultiheadAttention):
        shape = [(2, 5, 8)] * 3
    inputs = [torch.rand(s) for s in (shape if isinstance(shape, list) else [shape])]
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        module.to("meta")(*[x.to("meta") for x in inputs])
    assert 2 * summary(module, shape).macs == counter.get_total_flops() > 0


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "densenet121"])
def test_backward_macs_are_half_of_torchs_flops_where_no_convolution_has_groups(name):
    module = getattr(models, name)()
    with FlopCounterMode(display=False) as counter:
        module(torch.rand(2, 3, 64, 64)).sum().backward()
    work = pytorch.work(module, (2, 3, 64, 64))
    assert 2 * (work.forward + work.backward) == counter.get_total_flops()


def test_torchs_own_counter_is_wrong_about_the_backward_of_grouped_convolutions():
    depthwise = nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False)
    x = torch.rand(1, 64, 56, 56)
    with FlopCounterMode(display=False) as counter:
        output = depthwise(x)
    assert counter.get_total_flops() == 2 * 9 * 64 * 56 * 56 == 3_612_672
    with FlopCounterMode(display=False) as counter:
        output.sum().backward()
    work = pytorch.work(depthwise, (1, 64, 56, 56))
    # the weights' gradient uses each input value as often as the forward pass does
    assert work.backward == work.forward
    assert counter.get_total_flops() == 64 * 2 * work.backward


def test_example_inputs_may_be_integers_or_named():
    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(10, 4)

        def forward(self, index, scale=None):
            x = self.table(index)
            return x if scale is None else x * scale

    index = torch.tensor([[1, 2], [3, 4]])
    assert summary(Module(), (index,)).saved_bytes == 4 * 8
    named = summary(Module(), {"scale": torch.rand(2, 2, 4), "index": index})
    assert named.saved_bytes == 4 * 8 + 2 * (2 * 2 * 4) * 4 - 2 * 2 * 4 * 4
    assert names(named) == ["input", "input:2", "table", "mul"]


def test_invalid_arguments_are_refused_by_name():
    conv = nn.Conv2d(3, 4, 3)
    with pytest.raises(ShapeError, match=r"input shape is \(2, 0, 8, 8\)"):
        summary(conv, (2, 0, 8, 8))
    with pytest.raises(ShapeError, match="batch is 3, but the input"):
        summary(conv, (2, 3, 8, 8), batch=3)
    with pytest.raises(CnnmemError, match="mode is 'test'"):
        summary(conv, (2, 3, 8, 8), mode="test")
    with pytest.raises(UnknownNameError, match="no dtype is called 'float31'"):
        summary(conv, (2, 3, 8, 8), dtype="float31")
    with pytest.raises(CnnmemError, match="dtype is 'int8'"):
        summary(conv, (2, 3, 8, 8), dtype="int8")
    with pytest.raises(NetworkError, match=r"Conv2d fails: .*check the shape"):
        summary(conv, (2, 5, 8, 8))
    with pytest.raises(NetworkError, match=r"'weight' of the LazyConv2d has no shape yet"):
        summary(nn.LazyConv2d(4, 3), (2, 3, 8, 8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        compiled = torch.jit.script(nn.Sequential(conv))
    with pytest.raises(NetworkError, match="TorchScript"):
        summary(compiled, (2, 3, 8, 8))
    with pytest.raises(CnnmemError, match=r"'weight' is torch.float32, .*leave dtype out"):
        summary(conv, (2, 3, 8, 8), dtype="bfloat16", execute=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_an_unavailable_device_is_refused_before_it_kills_the_process():
    with pytest.raises(CnnmemError, match="device is 'cuda', which this PyTorch cannot use here"):
        summary(nn.Conv2d(3, 4, 3), (2, 3, 8, 8), device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("name", ["vgg11", "resnet18", "mobilenet_v2", "densenet121"])
def test_on_cuda_the_fake_run_keeps_what_a_real_one_keeps(name):
    module = getattr(models, name)()
    read = summary(module, (2, 3, 64, 64), device="cuda")
    assert read.saved_bytes == saved_bytes(module.to("cuda"), (2, 3, 64, 64))
