"""All classification models of torchvision, read by the adapter, against torch's own counts.

`HYPOTHESIS_PROFILE=long` runs them all; otherwise each family's deep siblings are left out.
"""

import contextlib
import importlib.util
import os
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision_shim import models

from cnnmem import summary
from cnnmem.count.conventions import PRESETS
from cnnmem.count.training import training_step
from cnnmem.frameworks.pytorch import build, saved_bytes
from cnnmem.model import zoo

_DEEP = """
    convnext_base convnext_large convnext_small densenet161 densenet169 efficientnet_b1
    efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7
    efficientnet_v2_l efficientnet_v2_m maxvit_t mnasnet0_75 mnasnet1_3 regnet_x_16gf regnet_x_1_6gf
    regnet_x_32gf regnet_x_3_2gf regnet_x_800mf regnet_x_8gf regnet_y_128gf regnet_y_16gf
    regnet_y_1_6gf regnet_y_32gf regnet_y_3_2gf regnet_y_800mf regnet_y_8gf resnet152
    resnext101_32x8d shufflenet_v2_x1_5 shufflenet_v2_x2_0 swin_b swin_s swin_v2_b swin_v2_s
    swin_v2_t vit_h_14 vit_l_16 vit_l_32
"""
DEEP = frozenset(_DEEP.split())
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
NAMES = [n for n in models.list_models(module=models) if LONG or n not in DEEP]
TWINS = [(n, {}) for n in zoo.names() if "torchvision" in zoo.variants(n)]
TWINS += [(n, {"auxiliary": True}) for n in ("googlenet", "inception_v3")]
_EXECUTED_AT_64 = """
    alexnet squeezenet1_1 vgg11_bn resnet18 resnext50_32x4d wide_resnet50_2 densenet121 googlenet
    mobilenet_v2 mobilenet_v3_small mnasnet0_5 shufflenet_v2_x0_5 efficientnet_b0 efficientnet_v2_s
    regnet_y_400mf regnet_x_400mf convnext_tiny swin_t
"""
EXECUTED = {
    **dict.fromkeys(_EXECUTED_AT_64.split(), 64),
    "vit_b_32": 224,
    **({"inception_v3": 299, "maxvit_t": 224, "swin_v2_t": 64} if LONG else {}),
}


def load(name):
    """Return a model, without memory for its weights unless its constructor computes with them."""
    allocates = name.startswith("regnet")
    with contextlib.nullcontext() if allocates else torch.device("meta"):
        return models.get_model(name, **_quick(name))


def _quick(name):
    # drawing their initial weights takes seconds, and they warn unless told whether to draw them
    return {"init_weights": False} if name in ("googlenet", "inception_v3") else {}


def size_of(name):
    return 299 if name == "inception_v3" else 224


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_macs_equal_torchs(name):
    module = load(name)
    shape = (1, 3, size_of(name), size_of(name))
    table = summary(module, shape, mode="eval")
    assert table.params == sum(p.numel() for p in module.parameters())
    running = [b.numel() for key, b in module.named_buffers() if "running" in key]
    assert table.statistics == sum(running)
    assert table.uncounted == ()
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        module.to("meta").eval()(torch.empty(shape))
    assert 2 * table.macs == counter.get_total_flops()


@pytest.mark.parametrize(("name", "size"), EXECUTED.items())
def test_saved_bytes_equal_those_of_an_executed_pass(name, size):
    module = models.get_model(name, **_quick(name))
    for mode in ("train", "eval"):
        table = summary(module, (2, 3, size, size), mode=mode)
        assert table.saved_bytes == saved_bytes(module, (2, 3, size, size), mode)
        assert table.saved_bytes == table.total("autograd").base


def test_at_least_fifteen_convolutional_models_are_executed():
    assert len([n for n in EXECUTED if not n.startswith(("vit", "swin", "maxvit"))]) >= 15


def load_tool():
    path = Path(__file__).resolve().parents[3] / "tools" / "model_tables.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_the_document_agrees_with_the_counts():
    tool = load_tool()
    lines = (tool.DOCS / "torchvision.md").read_text(encoding="utf-8").splitlines()
    for name in NAMES:
        assert tool.torchvision_line(name, tool.read(name)) in lines
    assert len(lines) == len(tool.TORCHVISION.splitlines()) + len(models.list_models(models))


@pytest.mark.parametrize(("name", "options"), TWINS)
def test_the_zoo_variant_equals_torchvisions_model(name, options):
    quick = _quick(name)
    if quick:  # the two that have classifiers for training only
        quick["aux_logits"] = "auxiliary" in options
    read = summary(models.get_model(name, **quick), (2, 3, size_of(name), size_of(name)))
    plain = summary(zoo.get(name, variant="torchvision", **options), batch=2)
    assert len(read.rows) == len(plain.rows)
    for ours, theirs in zip(read.rows, plain.rows, strict=True):
        assert ours._replace(name="", block="") == theirs._replace(name="", block="")
    for convention in PRESETS:
        if not convention.until:
            assert read.total(convention).value == plain.total(convention).value
    assert training_step(read).peak.total == training_step(plain).peak.total


@pytest.mark.parametrize(("name", "options"), TWINS)
def test_the_torch_module_built_from_the_zoo_keeps_what_the_table_says(name, options):
    network = zoo.get(name, **options)
    with torch.device("meta"):
        module = build(network)
    built = summary(module, (2, 3, *network.image[:2]))
    plain = summary(network, batch=2)
    assert (built.params, built.macs) == (plain.params, plain.macs)
    assert built.saved_bytes == plain.saved_bytes
    assert built.total("inference-peak").value == plain.total("inference-peak").value
