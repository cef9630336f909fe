"""Torch modules built from plain networks, and what an executed forward pass really keeps."""

import pytest
import torch
from torch import nn
from torchvision_shim import models

from cnnmem import summary
from cnnmem.errors import NetworkError, ShapeError
from cnnmem.frameworks.pytorch import build, saved_bytes
from cnnmem.model import zoo
from cnnmem.model.layers import Add, BatchNorm, Conv2d, Dropout, Linear, MaxPool2d, ReLU
from cnnmem.model.network import Network, Node

SMALL = {"lenet5": (32, 32, 1), "alexnet": (80, 90, 3), "vgg": (40, 33, 3), "": (75, 75, 3)}
NETWORKS = [(name, variant) for name in zoo.names() for variant in zoo.variants(name)]


def small_image(name):
    return next(image for start, image in SMALL.items() if name.startswith(start))


@pytest.mark.parametrize(("name", "variant"), NETWORKS)
def test_counts_of_every_zoo_network_equal_those_of_the_executed_module(name, variant):
    image = small_image(name)
    network = zoo.get(name, variant=variant)
    module = build(network, image)
    plain = summary(network, image, 2)
    assert plain.params == sum(p.numel() for p in module.parameters())
    statistics = [b.numel() for key, b in module.named_buffers() if "running" in key]
    assert plain.statistics == sum(statistics)
    batch = (2, image[2], *image[:2])
    assert plain.saved_bytes == saved_bytes(module, batch)
    assert summary(network, image, 2, mode="eval").saved_bytes == saved_bytes(module, batch, "eval")


def test_vgg16_keeps_73_megabytes_per_image():
    module = build(zoo.vgg16())
    assert saved_bytes(module, (1, 3, 224, 224)) == 73_254_912 == summary("vgg16").saved_bytes


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("vgg16", 146_710_528),
        ("alexnet", 7_482_368),
        ("resnet18", 44_398_080),
        ("mobilenet_v2", 156_555_520),
        ("densenet121", 261_057_280),
    ],
)
def test_torchvisions_own_modules_keep_what_the_zoo_says(name, kept):
    network = zoo.get(name, variant="torchvision")
    assert summary(network, batch=2).saved_bytes == kept
    assert saved_bytes(getattr(models, name)(), (2, 3, 224, 224)) == kept


def test_the_module_is_named_like_the_table():
    network = zoo.resnet18()
    called = dict(build(network).named_modules())
    for node in network.nodes:
        assert (node.name in called) is not node.functional


def test_torchvisions_weights_fit_the_module():
    module = build(zoo.resnet18())
    theirs = models.resnet18()
    ours = {k.replace("relu1", "relu"): v for k, v in module.state_dict().items()}
    assert {k: v.shape for k, v in ours.items()} == {
        k: v.shape for k, v in theirs.state_dict().items()
    }
    module.load_state_dict(theirs.state_dict())
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(module.eval()(x), theirs.eval()(x))


def test_building_on_meta_allocates_nothing():
    with torch.device("meta"):
        module = build(zoo.vgg16(), (1024, 1024, 3))
    assert {p.device.type for p in module.parameters()} == {"meta"}
    assert sum(p.numel() for p in module.parameters()) == 2_183_080_744


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_same_padding_equals_torchs_own():
    theirs = nn.Conv2d(3, 8, (4, 3), padding="same", dilation=(1, 2))
    layer = Conv2d(8, (4, 3), padding="same", dilation=(1, 2))
    network = Network.chain("n", {"conv": layer}, (9, 8, 3))
    module = build(network)
    module.load_state_dict({f"conv.{k}": v for k, v in theirs.state_dict().items()})
    x = torch.rand(2, 3, 9, 8)
    assert torch.equal(module(x), theirs(x))


def test_padding_before_a_max_pool_is_never_the_largest():
    module = build(Network.chain("n", {"pool": MaxPool2d(2, padding="same")}, (3, 3, 1)))
    assert module(torch.full((1, 1, 3, 3), -5.0)).unique().tolist() == [-5.0]


def test_frozen_layers_need_no_gradient():
    nodes = (
        Node("conv", Conv2d(4, 3), frozen=True),
        Node("norm", BatchNorm(), ("conv",), frozen=True),
        Node("fc", Linear(2), ("norm",)),
    )
    network = Network("n", nodes, (8, 8, 3))
    module = build(network)
    assert [p.requires_grad for p in module.parameters()] == [False] * 4 + [True] * 2
    assert saved_bytes(module, (2, 3, 8, 8)) == summary(network, batch=2).saved_bytes == 4 * 2 * 144


def test_nothing_is_kept_for_a_branch_that_the_output_does_not_depend_on():
    nodes = (
        Node("conv", Conv2d(4, 3)),
        Node("aside", Conv2d(8, 3), ("conv",)),
        Node("act", ReLU(in_place=True), ("aside",)),
        Node("fc", Linear(2), ("conv",)),
    )
    network = Network("n", nodes, (8, 8, 3))
    assert summary(network).storage.in_use == (True, True, False, False, True)
    assert saved_bytes(build(network), (2, 3, 8, 8)) == summary(network, batch=2).saved_bytes
    assert summary(network, batch=2)["aside"].saved == 0


def test_measuring_leaves_the_module_unchanged():
    module = build(Network.chain("n", {"norm": BatchNorm(), "drop": Dropout()}, (4, 4, 3)))
    module.eval()
    module.norm.train()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    saved_bytes(module, (2, 3, 4, 4))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert (module.training, module.norm.training, module.drop.training) == (False, True, False)


def test_only_tensors_that_the_graph_still_holds_count():
    class DropsABranch(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            self.b(x.clone())
            return self.a(x)

    assert saved_bytes(DropsABranch(), (2, 4)) == 2 * 4 * 4


def test_names_that_modules_cannot_have_are_refused():
    layers = {"a": Conv2d(4, 1), "a.b": Conv2d(4, 1)}
    with pytest.raises(NetworkError, match=r"'a\.b' cannot be a module inside another layer"):
        build(Network.chain("n", layers, (4, 4, 3)))
    with pytest.raises(NetworkError, match="'a' cannot be a module"):
        build(Network.chain("n", dict(reversed(layers.items())), (4, 4, 3)))


def test_nodes_may_be_named_like_torchs_own_attributes():
    nodes = (
        Node("type", Conv2d(4, 1)),
        Node("half", ReLU(), ("type",)),
        Node("add", Add(), ("half", "type")),
    )
    module = build(Network("n", nodes, (4, 4, 3)))
    assert {"type", "half", "add"} <= dict(module.named_modules()).keys()
    assert module(torch.zeros(1, 3, 4, 4)).shape == (1, 4, 4, 4)


def test_an_invalid_shape_is_refused():
    with pytest.raises(ShapeError, match="input shape is"):
        saved_bytes(nn.ReLU(), (2, 0))
