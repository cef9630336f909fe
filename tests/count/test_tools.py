"""The convention of each tool gives exactly the number that the tool prints."""

from importlib.util import find_spec

import pytest
from printed_counts import CASES, PRINTED, network

from cnnmem import CnnmemError, published, summary
from cnnmem.count import conventions
from cnnmem.count.audit import GROUPS, extras, sentence
from cnnmem.count.tools import TOOLS
from cnnmem.lessons import get
from cnnmem.lessons.planted import planted
from cnnmem.model import zoo

if find_spec("ptflops") and find_spec("torchvision"):  # ptflops imports torchvision
    import torchvision_shim  # noqa: F401


@pytest.mark.parametrize(("name", "tool"), CASES)
def test_a_tools_convention_gives_what_it_printed(name, tool):
    total = summary(network(name)).total(TOOLS[tool].convention)
    assert total.value == PRINTED[name][tool]


def test_the_recorded_counts_of_resnet18_are_what_the_tools_print():
    assert {name: tool.resnet18 for name, tool in TOOLS.items()} == PRINTED["resnet18"]


@pytest.mark.parametrize(("name", "tool"), CASES)
def test_extras_are_all_that_a_tool_adds(name, tool):
    table = summary(network(name))
    added = extras(table, TOOLS[tool].convention)
    assert set(added) <= set(GROUPS)
    factor = conventions.get(TOOLS[tool].convention).factor
    assert factor * (table.macs + sum(map(sum, added.values()))) == PRINTED[name][tool]


def test_extras_are_counted_at_their_own_rows():
    table = summary("resnet18")
    added = extras(table, "ptflops-pytorch")
    for i, row in enumerate(table.rows):
        assert added["batch normalisation"][i] == 2 * row.outputs * (row.kind == "batch_norm")
        assert added["activations"][i] == 2 * row.outputs * (row.kind == "relu")
    assert sum(added["activations"]) + sum(added["pooling"]) == 2 * 3_136_000


def test_a_sentence_adds_up():
    said = sentence(summary("vgg16"), "fvcore").replace(",", "")
    numbers = [int(word) for word in said.split() if word.isdigit()]
    assert numbers[0] == sum(numbers[1:])
    assert "2 FLOPs each" in sentence(summary("resnet18"), "FlopCounterMode")


def test_an_unknown_tool_is_refused():
    with pytest.raises(CnnmemError, match="no tool is called 'nvprof'"):
        sentence(summary("resnet18"), "nvprof")


def test_torchstat_counts_a_relu_called_twice_only_once():
    # resnet18's blocks call one ReLU module twice
    rows = summary("resnet18").rows
    once = [r for r in rows if r.kind == "relu" and not r.name.endswith("relu1")]
    added = 2 * sum(r.outputs for r in rows if r.kind == "batch_norm")
    added += sum(r.outputs for r in once) + sum(
        r.input_values for r in rows if r.kind == "max_pool"
    )
    assert sum(r.macs for r in rows) + added == PRINTED["resnet18"]["torchstat"]


# --- the planted bugs: each is wrong in exactly one way


def test_one_planted_counter_gives_exactly_twice_the_parameters():
    layers = tuple(
        (row.inputs[0][2], row.output[2], 3) for row in summary("vgg16").rows if row.kind == "conv"
    )
    right = sum(row.params for row in summary("vgg16").rows if row.kind == "conv")
    assert planted("08-twice")(layers) == 2 * right
    assert planted("08-twice", repaired=True)(layers) == right


def test_one_planted_counter_ignores_the_input_channels():
    for c_in in (1, 3, 512):
        assert planted("08-c-in")(c_in, 64, 3, 10, 10) == (9 + 8) * 64 * 100
        right = (9 * c_in + 9 * c_in - 1) * 64 * 100
        assert planted("08-c-in", repaired=True)(c_in, 64, 3, 10, 10) == right


def test_one_planted_counter_counts_relu_modules_twice_and_nothing_else():
    rows = [(row.kind, row.macs, row.outputs) for row in summary("resnet18").rows]
    relu = sum(row.outputs for row in summary("resnet18").rows if row.kind == "relu")
    wrong, right = planted("08-relu")(rows), planted("08-relu", repaired=True)(rows)
    assert wrong - right == relu == 2_308_096
    without = [row for row in rows if row[0] != "relu"]
    assert planted("08-relu")(without) == planted("08-relu", repaired=True)(without)


def test_only_questions_about_bugs_have_a_planted_counter():
    with pytest.raises(CnnmemError, match="08-flops is not about a bug"):
        planted("08-flops")
    assert get("08-twice").kind == "bug"


# --- the tools themselves, where they are installed (pip install -e ".[audit]")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "densenet121", "alexnet"])
def test_an_installed_counter_prints_what_was_recorded(tool, name):
    pytest.importorskip("torch")
    from cnnmem.frameworks import pytorch
    from cnnmem.frameworks.pytorch.counters import count

    pytest.importorskip(TOOLS[tool].package)
    said = count(tool, lambda: pytorch.build(network(name)), (3, 224, 224))
    if (tool, name) == ("torchstat", "resnet18"):  # what is built has a ReLU for each call
        said -= sum(r.outputs for r in summary("resnet18").rows if r.name.endswith("relu1"))
    assert said == PRINTED[name][tool]


def test_the_counters_own_output_is_suppressed(capsys):
    pytest.importorskip("torch")
    from cnnmem.frameworks import pytorch
    from cnnmem.frameworks.pytorch.counters import counts

    said = counts(lambda: pytorch.build(zoo.lenet5()), (1, 32, 32))
    assert said["FlopCounterMode"] == 2 * summary("lenet5").macs
    assert capsys.readouterr() == ("", "")


def test_torchs_own_counter_is_wrong_for_the_backward_of_grouped_convolutions():
    torch = pytest.importorskip("torch")
    from cnnmem.frameworks.pytorch.counters import backward_flops

    shape = (1, 64, 56, 56)
    full = torch.nn.Conv2d(64, 64, 3, padding=1, bias=False)
    depthwise = torch.nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False)
    one = 2 * 9 * 64 * 56 * 56  # forward; backward makes two gradients, each as expensive
    assert backward_flops(full, shape) == 2 * 64 * one
    if torch.__version__.startswith("2.13."):  # a later version may be right
        assert backward_flops(depthwise, shape) == 234_823_680 != 2 * one == 7_225_344


def test_each_recorded_count_is_a_published_number():
    ids = {f"resnet18-{tool.name.replace(', ', '-').lower()}" for tool in TOOLS.values()}
    recorded = {published.get(id).value for id in (*ids, "resnet18-exact")}
    assert recorded == {*(tool.resnet18 for tool in TOOLS.values()), 1_814_073_344}
    assert published.get("resnet18-ptflops-aten").value == TOOLS["ptflops, aten"].resnet18
