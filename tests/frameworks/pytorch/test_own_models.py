"""Modules as readers bring them: each was once counted wrong, or refused."""

import random
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode
from torchvision_shim import models

from cnnmem import CnnmemError, NetworkError, ShapeError, reconcile, summary
from cnnmem.frameworks.pytorch import saved_bytes, work
from cnnmem.model.layers import Recorded


class Calls(nn.Module):
    """A module whose forward is a function of itself and its inputs."""

    def __init__(self, function, *modules):
        super().__init__()
        self.function, self.m = function, nn.ModuleList(modules)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def lin():
    return nn.Linear(8, 8)


class BNAct(nn.BatchNorm2d):
    def __init__(self, channels):
        super().__init__(channels)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(super().forward(x))


class KeepsAux(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = lin(), lin()

    def forward(self, x):
        self.aux = self.b(self.a(x)).tanh().pow(2).mean()
        return self.a(x)


@pytest.mark.parametrize("execute", [False, True])
def test_a_batch_norm_with_a_child_has_its_statistics_and_no_row_for_its_counter(execute):
    net = nn.Sequential(nn.Conv2d(3, 8, 3), BNAct(8))
    table = summary(net, (2, 3, 16, 16), execute=execute)
    assert list(table) == ["input", "0", "1.batch_norm", "1.act"]
    assert table.statistics == table["1.batch_norm"].statistics == 16


@pytest.mark.parametrize("execute", [False, True])
def test_what_forward_stores_on_the_module_stays_alive(execute):
    module = KeepsAux()
    assert summary(module, (2, 8), execute=execute).saved_bytes == 192
    assert not hasattr(module, "aux")


def norms():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.GroupNorm(2, 8),
        nn.Flatten(),
        nn.LayerNorm(8 * 36),
        nn.Linear(8 * 36, 4),
    )


@pytest.mark.parametrize("make", [norms, models.resnet18])
def test_under_autocast_statistics_stay_in_float32(make):
    with torch.autocast("cpu", torch.bfloat16):
        table = summary(make(), (2, 3, 8, 8) if make is norms else (2, 3, 64, 64))
        executed = summary(make(), (2, 3, 8, 8) if make is norms else (2, 3, 64, 64), execute=True)
    assert table.how == "recorded"
    assert table.saved_bytes == executed.saved_bytes


def test_embedding_bags_keep_more_indices_than_their_fakes_know():
    bag, indices = nn.EmbeddingBag(10, 4), torch.zeros(2, 3, dtype=torch.long)
    assert summary(bag, indices).saved_bytes == 152
    assert summary(bag, indices, execute=True).saved_bytes == 152


@pytest.mark.parametrize("execute", [False, True])
@pytest.mark.parametrize(
    ("module", "backward"),
    [
        (nn.Sequential(lin(), lin()), 3 * 128),
        (Calls(lambda self, x: self.m[1](torch.no_grad()(self.m[0])(x)), lin(), lin()), 128),
        (Calls(lambda self, x: self.m[1](self.m[0](x).detach()), lin(), lin()), 128),
        (Calls(lambda self, x: (self.m[0](x), self.m[1](x))[1], lin(), lin()), 128),
    ],
)
def test_backward_is_only_what_backward_does(module, backward, execute):
    assert work(module, (2, 8), execute=execute).backward == backward


@pytest.mark.parametrize("execute", [False, True])
def test_a_checkpoint_runs_forward_again_up_to_what_it_saves_last(execute):
    block = nn.Sequential(lin(), nn.ReLU(), lin())
    for last, again in ((nn.Identity(), 128), (nn.Tanh(), 256)):
        module = Calls(
            lambda self, x: checkpoint(self.m[0], x, use_reentrant=False),
            nn.Sequential(*block, last),
        )
        table = summary(module, (2, 8), execute=execute)
        assert table.saved_bytes == 64  # the block's input
        assert work(module, (2, 8), execute=execute).backward == 3 * 128 + again
    assert summary(module, (2, 8)).how == "traced"


def again(function, x, **options):
    return checkpoint(function, x, use_reentrant=False, **options)


def without_gradient(function, x):
    with torch.no_grad():
        return function(x)


CHECKPOINTED = {
    "nothing is saved after the product": lambda a, b, x: again(a, x),
    "two branches end it": lambda a, b, x: again(lambda x: a(x) + b(x), x),
    "both branches end in what is saved": lambda a, b, x: again(
        lambda x: torch.cat([a(x).relu(), b(x).tanh()]), x
    ),
    "an inner one comes last": lambda a, b, x: again(
        lambda x: again(lambda x: b(a(x).relu()).tanh(), x), x
    ),
    "an inner one comes first": lambda a, b, x: again(
        lambda x: b(again(lambda x: a(x).relu(), x)).relu(), x
    ),
    "three in one another": lambda a, b, x: again(
        lambda x: b(again(lambda x: again(lambda x: b(a(x)).relu(), x).tanh(), x).relu()), x
    ),
    "a product without a gradient inside": lambda a, b, x: again(
        lambda x: b(without_gradient(a, x) + x).relu(), x
    ),
    "no early stop": lambda a, b, x: again(lambda x: b(a(x)), x, early_stop=False),
}


@pytest.mark.parametrize("name", CHECKPOINTED)
def test_checkpoints_repeat_the_products_that_torch_repeats(name):
    module = Calls(lambda self, x: CHECKPOINTED[name](*self.m, x), lin(), lin())
    output = module(torch.rand(2, 8)).sum()
    with FlopCounterMode(display=False) as counter:
        output.backward()
    for execute in (False, True):
        assert 2 * work(module, (2, 8), execute=execute).backward == counter.get_total_flops()


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(4, 5, batch_first=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        return self.rnn(packed)[1][0]


def test_integers_given_as_an_example_are_used_in_a_real_run():
    table = summary(Packed(), [(2, 3, 4), torch.tensor([3, 2])], execute=True)
    assert table.saved_bytes is not None


def test_a_module_of_two_dtypes_runs_as_it_is():
    module = Calls(lambda self, x: self.m[1](self.m[0](x).float()), lin().half(), lin())
    assert summary(module, (2, 8), execute=True).saved_bytes == 2 * 8 * 2 + 2 * 8 * 4


class Pair(NamedTuple):
    x: object
    y: object


def structured(self, a, b=None, c=None, nothing=None, text="x", number=2):
    assert nothing is None
    assert isinstance(text, str)
    return (self.m[0](a["x"]) + b[0] + c.y) * number


def test_inputs_may_be_nested_and_others_than_tensors():
    module = Calls(structured, lin())
    given = [{"x": (2, 8)}, [(2, 8)], Pair((2, 8), (2, 8)), None, "text", 3]
    table = summary(module, given)
    assert table.params == 72
    assert [name for name in table if name.startswith("input")] == [
        *("input", "input:2", "input:3", "input:4")
    ]


@pytest.mark.parametrize("given", [None, "x", [], (2, 4.5), (2, "8"), [(2, 8), object()], {}])
def test_what_is_no_shape_is_refused(given):
    with pytest.raises(ShapeError, match=r"input shape (is|holds)"):
        summary(lin(), given)


@pytest.mark.parametrize(
    ("module", "given", "way_out"),
    [
        (nn.Sequential(nn.Conv2d(3, 8, 8), nn.BatchNorm2d(8)), (1, 3, 8, 8), r"N = 2.*eval"),
        (nn.Sequential(nn.Conv2d(3, 8, 3)), (2, 4, 8, 8), "expected input.*3 channels"),
        (nn.Sequential(nn.Embedding(10, 4)), (2, 4), r"torch.zeros\(2, 3, dtype=torch.long\)"),
        (Calls(lambda self, x: torch.vmap(self.m[0])(x), lin()), (2, 8), "whole batch instead"),
        (Calls(lambda self, x: x.nope, lin()), (2, 8), "no attribute 'nope'"),
    ],
)
def test_a_failing_forward_says_a_way_out(module, given, way_out):
    with pytest.raises(NetworkError, match=way_out) as raised:
        summary(module, given)
    assert len(str(raised.value)) < 700


def test_an_error_does_not_print_whole_tensors():
    def forward(self, x):
        raise ValueError(str(list(range(5000))))

    with pytest.raises(NetworkError) as raised:
        summary(Calls(forward, lin()), (2, 8))
    assert len(str(raised.value)) < 500


def test_what_an_lstm_keeps_is_unknown_until_it_runs():
    table = summary(nn.LSTM(4, 4), (3, 2, 4))
    assert table.macs == 3 * 2 * 4 * (4 + 4) * 4
    assert table.saved_bytes is None
    with pytest.raises(CnnmemError, match="execute=True"):
        table.total("autograd")
    assert summary(nn.LSTM(4, 4), (3, 2, 4), execute=True).total("autograd").value > 0


def test_a_lazy_module_and_a_sparse_buffer_are_refused_in_a_real_run():
    with pytest.raises(NetworkError, match="no shape yet"):
        summary(nn.LazyLinear(4), (2, 4), execute=True)
    module = lin()
    module.register_buffer("mask", torch.eye(8).to_sparse())
    with pytest.raises(CnnmemError, match=r"'mask' is sparse.*leave execute out"):
        summary(module, (2, 8), execute=True)
    assert summary(module, (2, 8)).saved_bytes == 64


def test_an_exported_module_is_counted():
    exported = torch.export.export(lin(), (torch.zeros(2, 8),)).module()
    assert summary(exported, (2, 8)).params == 72


def test_missing_work_makes_a_total_a_lower_bound_and_nothing_else_does():
    table = summary(nn.Bilinear(4, 3, 2), [(5, 4), (5, 3)])
    total = table.total("macs")
    assert table.uncounted
    assert total.at_least
    assert "at least 0 MACs" in str(total)
    assert "at least 0 MACs" in str(table)
    assert "lower bound; not counted: aten._trilinear" in str(reconcile(total, total))
    assert not table.total("parameters").at_least
    quiet = nn.Sequential(nn.Softmax(-1), nn.Upsample(scale_factor=2, mode="nearest-exact"))
    assert summary(quiet, (2, 3, 8, 8)).uncounted == ()
    split = Calls(lambda self, x: torch.unsafe_split(self.m[0](x), 4, 1)[0], lin())
    assert summary(split, (2, 8)).uncounted == ()


def test_a_compiled_module_has_the_figures_of_eager_execution():
    module = nn.Sequential(lin())
    table = summary(torch.compile(module), (2, 8))
    assert table.network == "Sequential (eager)"
    assert table.rows[1:] == summary(module, (2, 8)).rows[1:]


def test_the_dtype_is_the_modules_own_and_may_be_one_of_torch():
    half = models.resnet18().half()
    assert summary(half, (1, 3, 64, 64)).dtype == "float16"
    assert summary(half, (1, 3, 64, 64)).stored_bytes == 2 * (11_689_512 + 9_600)
    given = summary(models.resnet18(), (1, 3, 64, 64), dtype=torch.float16)
    assert given.rows == summary(half, (1, 3, 64, 64)).rows


def test_random_states_are_untouched():
    def forward(self, x):
        np.random.rand()
        random.random()
        return self.m[0](x)

    before = np.random.get_state()[1].tolist(), np.random.get_state()[2], random.getstate()
    summary(Calls(forward, lin()), (2, 8))
    after = np.random.get_state()[1].tolist(), np.random.get_state()[2], random.getstate()
    assert before == after


def test_frozen_parameters_are_not_trainable():
    module = nn.Sequential(lin(), lin())
    module[0].requires_grad_(False)
    table = summary(module, (2, 8))
    assert (table.params, table.trainable) == (144, 72)
    assert [table[name].trainable for name in ("0", "1")] == [0, 72]
    assert [node.frozen for node in table.graph.nodes] == [True, False]


def test_rows_explain_the_numbers_they_have():
    table = summary(models.resnet18(), (2, 3, 64, 64))
    assert "K_h · K_w · C_in · C_out" in table.explain("layer1.0.conv1")
    assert table["layer1.0.conv1"].macs == 64 * 64 * 9 * 16 * 16 * 2
    assert f"= {table['layer1.0.conv1'].macs:,}" in table.explain("layer1.0.conv1")
    assert "its input, the output of maxpool" in table.explain("layer1.0.conv1")
    unfolded = summary(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Unfold(2)), (2, 3, 8, 8))
    assert "no formula" in unfolded.explain("1")
    assert f"{unfolded['1'].values:,}" in unfolded.explain("1")


def test_saved_bytes_of_these_modules_are_those_of_a_run():
    for module in (nn.Sequential(nn.Conv2d(3, 8, 3), BNAct(8)), norms()):
        shape = (2, 3, 8, 8)
        assert summary(module, shape).saved_bytes == saved_bytes(module, shape)


FORMULAS = ["alexnet", "vgg11_bn", "googlenet", "mobilenet_v3_small", "densenet121", "vit_b_32"]


@pytest.mark.parametrize("name", FORMULAS)
def test_the_formulas_of_a_traced_layer_give_its_row(name):
    options = {"init_weights": False} if name == "googlenet" else {}
    table = summary(models.get_model(name, **options), (2, 3, 224, 224))
    known = 0
    for node, row in zip(table.graph.nodes, table.rows[1:], strict=True):
        if isinstance(node.layer, Recorded):
            continue
        known += 1
        assert node.layer.output_shape(*row.inputs) == row.output, row.name
        assert node.layer.macs(row.output, *row.inputs) * 2 == row.macs, row.name
        counts = node.layer.weights(*row.inputs), node.layer.biases(*row.inputs)
        assert counts in ((row.weights, row.biases), (0, 0)) or not row.params, row.name
    assert known > 0.25 * len(table.rows)


UP = nn.Sequential(
    nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1, groups=2),
    nn.GroupNorm(2, 4),
    nn.LeakyReLU(0.2),
    nn.Upsample(scale_factor=2, mode="bilinear"),
    nn.PixelShuffle(2),
    nn.LayerNorm([1, 64, 64]),
)


def test_layers_of_up_sampling_networks_have_formulas():
    table = summary(UP, (2, 6, 8, 8))
    kinds = [
        "conv_transpose",
        "group_norm",
        "leaky_relu",
        "upsample",
        "pixel_shuffle",
        "layer_norm",
    ]
    assert [row.kind for row in table.rows[1:]] == kinds
    assert not any(isinstance(node.layer, Recorded) for node in table.graph.nodes)
    assert table["0"].macs == 2 * 8 * 8 * 3 * 3 * 3 * 4
    assert "(H − 1) · S_h" in table.explain("0")
    assert table.saved_bytes == saved_bytes(UP, (2, 6, 8, 8))
