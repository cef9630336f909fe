"""Rows of torch modules are layers with formulas, whatever the number of axes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from two_ways import differences, executed, two_ways

from cnnmem import Network, NetworkError, summary
from cnnmem.count.explain import explain, formulas
from cnnmem.frameworks.pytorch import build
from cnnmem.model.layers import (
    GRU,
    LSTM,
    BatchNorm,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    Embedding,
    Linear,
    MultiheadAttention,
    PReLU,
    Recorded,
    ReLU,
    Resize2d,
    Upsample,
)
from cnnmem.model.network import Node


class Fn(nn.Module):
    """A forward given as a function of the input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class SelfAttention(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.heads = nn.MultiheadAttention(8, 2, **options)

    def forward(self, x):
        return self.heads(x, x, x)[0]


WORDS = torch.zeros(2, 7, dtype=torch.long)
MODULES = {
    "one axis": (
        nn.Sequential(
            *(nn.Conv1d(4, 8, 3, 2, padding=1), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2)),
            *(nn.Conv1d(8, 8, 3, padding="same", groups=8), nn.InstanceNorm1d(8, affine=True)),
            *(nn.ConvTranspose1d(8, 6, 4, 2), nn.GroupNorm(2, 6), nn.AvgPool1d(2), nn.GLU(1)),
            *(nn.ZeroPad1d(2), nn.ReflectionPad1d(1), nn.Upsample(scale_factor=2)),
            *(nn.Dropout(), nn.AdaptiveMaxPool1d(5), nn.AdaptiveAvgPool1d(2), nn.Flatten()),
        ),
        (2, 4, 40),
    ),
    "three axes": (
        nn.Sequential(
            *(nn.Conv3d(3, 4, 3, dilation=(1, 1, 2)), nn.BatchNorm3d(4), nn.PReLU(4)),
            *(nn.MaxPool3d(2), nn.ConvTranspose3d(4, 4, 2, 2, groups=2), nn.InstanceNorm3d(4)),
            *(nn.ReplicationPad3d(1), nn.AvgPool3d(2), nn.Upsample((3, 4, 5)), nn.Mish()),
            *(nn.AdaptiveMaxPool3d((1, 2, 2)), nn.AdaptiveAvgPool3d(1), nn.Flatten()),
        ),
        (2, 3, 9, 9, 11),
    ),
    "two axes": (
        nn.Sequential(
            *(nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8), nn.CircularPad2d(1), nn.PixelUnshuffle(3)),
            *(nn.PixelShuffle(3), nn.AdaptiveMaxPool2d(5), nn.LogSoftmax(1)),
            *(nn.AdaptiveAvgPool2d(2), nn.Upsample((7, 5), mode="bilinear")),
            *(nn.ReplicationPad2d(1), nn.ConstantPad2d(1, 3.0)),
        ),
        (2, 3, 12, 12),
    ),
    "activations": (
        nn.Sequential(
            *(nn.Conv2d(3, 8, 3), nn.LogSigmoid(), nn.Softsign(), nn.Tanhshrink(), nn.Hardshrink()),
            *(nn.Softshrink(), nn.Threshold(0.1, 0), nn.Softplus(), nn.CELU(), nn.PReLU(8)),
            *(nn.Softmax(1), nn.GLU(1), nn.Hardswish(), nn.Hardsigmoid(), nn.GELU(), nn.SiLU()),
        ),
        (2, 3, 5, 5),
    ),
    "words": (nn.Sequential(nn.Embedding(50, 8), nn.LayerNorm(8), nn.Linear(8, 3)), WORDS),
    "attention": (SelfAttention(batch_first=True), (2, 7, 8)),
    "attention without biases": (SelfAttention(batch_first=True, bias=False), (2, 7, 8)),
    "an LSTM": (nn.LSTM(8, 5, 2, batch_first=True, bidirectional=True), (2, 7, 8)),
    "an LSTM with time first": (nn.LSTM(8, 5), (7, 2, 8)),
    "a GRU": (nn.GRU(8, 5, bias=False, batch_first=True), (2, 7, 8)),
    "a simple recurrent layer": (nn.RNN(8, 5, 3, batch_first=True), (2, 7, 8)),
}
SAID = {
    "weights": lambda row: row.weights,
    "biases": lambda row: row.biases,
    "running statistics": lambda row: row.statistics,
    "values": lambda row: row.values,
    "MACs": lambda row: row.macs,
    "length of the output": lambda row: row.output[0],
    "depth of the output": lambda row: row.output[0],
    "height of the output": lambda row: row.output[-3],
    "width of the output": lambda row: row.output[-2],
    "channels of the output": lambda row: row.output[-1],
}


@pytest.mark.filterwarnings("ignore:RNN module weights", "ignore:Using padding='same'")
@pytest.mark.parametrize("name", MODULES)
def test_every_row_has_a_formula_that_gives_its_numbers(name):
    module, given = MODULES[name]
    table = summary(module, given)
    assert table.how == "traced"
    for row, node in zip(table.rows[1:], table.graph.nodes, strict=True):
        assert not isinstance(node.layer, Recorded), row
        found = {each.what: each for each in formulas(table, row.name)}
        assert {what: each.value for what, each in found.items()} == {
            what: SAID[what](row) for what in found
        }
        for what in ("weights", "biases", "MACs"):
            assert not SAID[what](row) or found[what].symbols
        assert "no formula" not in explain(table, row.name)


@pytest.mark.parametrize("name", MODULES)
def test_layers_with_formulas_are_traced_recorded_and_executed_alike(name):
    module, given = MODULES[name]
    for mode in ("train", "eval"):
        ways = two_ways(module, given, mode)
        assert ways.traced is not None, ways.why
        assert ways.differences == []
        assert differences(ways.traced, executed(module, given, mode)) == []


def test_maps_of_one_axis_are_shown_channels_last_and_sequences_as_they_are():
    pool = summary(nn.Sequential(nn.ReLU(), nn.Conv1d(4, 8, 3), nn.Sigmoid()), (2, 4, 9))
    assert [row.output for row in pool.rows] == [(9, 4), (9, 4), (7, 8), (7, 8)]
    assert pool.image == (9, 4)
    words = summary(nn.Sequential(nn.ReLU(), nn.Linear(9, 8)), (2, 4, 9))
    assert [row.output for row in words.rows] == [(4, 9), (4, 9), (4, 8)]
    turned = Fn(
        lambda x: F.linear(F.conv1d(x, torch.ones(6, 4, 1)).transpose(1, 2), torch.ones(3, 6))
    )
    rows = summary(turned, (2, 4, 9)).rows
    assert [row.output for row in rows if row.kind in ("conv", "transpose", "linear")] == [
        *((9, 6), (9, 6), (9, 3))
    ]


def test_a_module_of_one_axis_is_counted_at_another_length():
    module = nn.Sequential(nn.Conv1d(4, 8, 3), nn.ReLU(), nn.AvgPool1d(2))
    graph = summary(module, (2, 4, 20)).graph
    again, fresh = summary(graph, (40, 4), batch=3), summary(module, (3, 4, 40))
    assert again.rows == fresh.rows
    assert (again.image, again.macs) == ((40, 4), 3 * 38 * 96)


def test_interpolation_to_a_size_and_by_a_factor_are_told_apart():
    by = Fn(lambda x: F.interpolate(x, scale_factor=2))
    to = Fn(lambda x: F.interpolate(x, size=(14, 14)))
    by, to = [summary(each, (1, 3, 7, 7)).graph for each in (by, to)]
    assert by.nodes[0].layer == Upsample(2)
    assert to.nodes[0].layer == Resize2d(14)
    assert summary(by, (9, 9, 3)).rows[1].output == (18, 18, 3)
    assert summary(to, (9, 9, 3)).rows[1].output == (14, 14, 3)


def test_a_sum_of_different_shapes_is_recorded():
    table = summary(Fn(lambda x: x + x.mean(1, keepdim=True)), (2, 3, 5, 5))
    assert isinstance(table.graph.nodes[-1].layer, Recorded)
    assert "no formula" in explain(table, table.rows[-1].name)


def test_a_layer_that_is_used_again_shows_no_weights():
    conv = nn.Conv1d(4, 4, 3, padding=1)
    table = summary(nn.Sequential(conv, nn.ReLU(), conv), (2, 4, 9))
    assert table.rows[-1].macs == 2 * 9 * 48
    assert "weights" not in explain(table, table.rows[-1].name)


def test_what_a_recurrent_layer_keeps_is_not_told_without_a_run():
    network = Network.chain("words", {"lstm": LSTM(5), "fc": Linear(2)}, (7, 8))
    plain = summary(network, batch=2)
    assert plain.saved_bytes is None
    assert "kept for backward: unknown" in plain.explain("lstm")
    module = build(network)
    traced, run = summary(module, (2, 7, 8)), summary(module, (2, 7, 8), execute=True)
    assert (traced.params, traced.macs, traced.saved_bytes) == (plain.params, plain.macs, None)
    assert run.saved_bytes > 0
    assert run.macs == plain.macs


@pytest.mark.parametrize(
    "layer",
    [LSTM(5, 2, True), GRU(5, last=True), GRU(4, biases_each=0), MultiheadAttention(2, 3)],
    ids=repr,
)
def test_layers_of_sequences_become_modules_with_the_same_counts(layer):
    network = Network.chain("net", {"it": layer}, (7, 8))
    module, plain = build(network), summary(network, batch=2)
    read = summary(module, (2, 7, 8))
    assert module(torch.zeros(2, 7, 8)).shape == (2, *plain["it"].output)
    assert sum(p.numel() for p in module.parameters()) == plain.params
    row = read["it"]
    assert (row.output, row.params, row.macs) == (
        plain["it"].output,
        plain["it"].params,
        plain["it"].macs,
    )


def test_indices_of_an_embedding_are_kept_as_int64():
    network = Network.chain("words", {"it": Embedding(50, 8)}, (7,))
    read = summary(build(network), torch.zeros(2, 7, dtype=torch.long))
    assert summary(network, batch=2).saved_bytes == read.saved_bytes == 2 * 7 * 8


@pytest.mark.parametrize("layer", [Conv1d(4, 3), BatchNorm(), PReLU("channel")], ids=repr)
def test_maps_and_sequences_in_one_network_have_no_module(layer):
    nodes = (Node("tokens", Linear(8, tokens=True)), Node("it", layer, ("tokens",)))
    with pytest.raises(NetworkError, match="has layers of sequences"):
        build(Network("both", nodes, (7, 8)))


def test_what_torch_has_no_module_for_is_refused():
    for layer, image, words in (
        (PReLU("value"), (7, 7, 8), "no module here for a layer of kind 'prelu'"),
        (LSTM(5, biases_each=1), (7, 8), "no module here for a layer of kind 'lstm'"),
        (ConvTranspose1d(3, 3, padding=(0, 1)), (7, 8), "alike on both sides"),
    ):
        with pytest.raises(NetworkError, match=words):
            build(Network.chain("net", {"it": layer}, image))


def test_an_image_has_the_axes_of_the_layers():
    assert summary(Network.chain("n", {"c": Conv1d(4, 3)}, (9, 3)), (20, 3)).rows[1].output == (
        18,
        4,
    )
    for layers, image in (({"c": Conv2d(4, 3)}, (9, 3)), ({"r": ReLU()}, (9, 3))):
        with pytest.raises(ValueError, match="input shape is"):
            Network.chain("n", layers, image)
