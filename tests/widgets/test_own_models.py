"""Explorers take what a reader brings: a torch module, a Keras model, a network of their own."""

import keras
import pytest
import torch
from keras import layers as K
from torch import nn
from torchvision_shim import models

from cnnmem import CnnmemError, Network, summary
from cnnmem.count.budget import budget as counted
from cnnmem.count.budget import freeze
from cnnmem.count.training import inference, training_step
from cnnmem.errors import ShapeError
from cnnmem.frameworks.keras import without_weights
from cnnmem.model import zoo
from cnnmem.model.layers import Conv2d, ReLU
from cnnmem.widgets import budget, explore, opposite, over_time

OWN = Network.chain("own", {"conv": Conv2d(8, 3, padding=1), "relu": ReLU(True)}, (64, 64, 3))


def keras_model():
    inputs = keras.Input((None, None, 3))
    x = K.Conv2D(8, 3, padding="same", activation="relu", name="conv")(inputs)
    return keras.Model(inputs, K.GlobalAveragePooling2D(name="pool")(x), name="mine")


TWIN = models.resnet18(), "resnet18/torchvision"


@pytest.mark.parametrize("make", [explore, over_time, budget])
def test_a_torch_module_gives_the_numbers_of_its_twin_in_the_zoo_at_every_setting(make):
    module, twin = TWIN
    settings = {
        explore: [{"stack": "MACs"}, {"batch": 3}, {"size": 96}],
        over_time: [{"what": "adam"}, {"size": 96}, {"batch": 5}, {"parameters": True}],
        budget: [{"optimizer": "sgd"}, {"batch": 8}, {"size": 96}, {"show": "over time"}],
    }[make]
    ours, theirs = make(module, (2, 3, 224, 224)), make(twin, batch=2)
    assert "ResNet" in ours.readout
    for setting in settings:
        ours.set(**setting)
        theirs.set(**setting)
        assert (ours.message, theirs.message) == ("", "")
        assert [bar["total"] for bar in ours.bars] == [bar["total"] for bar in theirs.bars]


@pytest.mark.parametrize("make", [explore, over_time, budget])
def test_the_sliders_begin_at_the_shape_that_was_given(make):
    module, _ = TWIN
    at = ("size", "batch")
    for explorer, first in [
        (make(module, (3, 3, 64, 96)), (64, 3)),
        (make(module, (3, 3, 64, 96), size=32, batch=2), (32, 2)),
        (make("vgg16", (64, 64, 3)), (64, make().settings["batch"])),
        (make(keras_model(), (48, 48, 3)), (48, make().settings["batch"])),
    ]:
        assert tuple(explorer.settings[name] for name in at) == first
    with pytest.raises(ShapeError, match="give size=64"):
        make("vgg16", (64, 96, 3))
    with pytest.raises(ShapeError, match=r"Channels stand last here: give \(64, 64, 3\)"):
        make("vgg16", (3, 64, 64))


def test_two_networks_begin_at_the_shape_that_was_given():
    assert opposite(TWIN[0], (2, 3, 64, 64)).settings["size"] == 64
    assert opposite().settings["size"] == 224


def test_a_frozen_module_is_traced_again():
    module, _ = TWIN
    explorer = budget(module, (1, 3, 64, 64), batch=4)
    blocks = dict(explorer._choices["frozen"].choices(explorer.settings))
    explorer.set(frozen=blocks["layer2"])
    assert explorer.message == ""
    assert all(p.requires_grad for p in module.parameters())
    frozen = counted(
        freeze(zoo.resnet18("torchvision"), "layer2.1.relu"), (64, 64, 3), 4, optimizer="adam"
    )
    assert sum(bar["total"] for bar in explorer.bars) == frozen.total


def test_a_refused_size_is_said_in_the_panel_and_the_chart_stays():
    explorer = explore(
        nn.Sequential(nn.Conv2d(3, 4, 5), nn.Flatten(), nn.Linear(4 * 16, 2)), (1, 3, 8, 8)
    )
    bars = explorer.bars
    explorer.set(size=4)
    assert "layer '0': kernel 5 x 5 does not fit a 4 x 4 map" in explorer.message
    assert explorer.bars == bars
    explorer.set(size=9)
    assert "'2' (Linear)" in explorer.message
    explorer.set(size=8)
    assert explorer.message == ""


def test_a_keras_model_moves_and_says_what_it_cannot():
    explorer = explore(keras_model(), (64, 64, 3))
    assert explorer.readout.startswith("mine at 64x64")
    assert explorer.set(size=32, stack="feature maps").message == ""
    line = over_time(keras_model(), (64, 64, 3))
    assert "feature maps at once" in line.readout
    line.set(what="adam")
    assert "differs between Keras' backends" in line.message
    assert "differs between Keras' backends" in budget(keras_model(), (64, 64, 3)).message
    assert opposite(keras_model(), (64, 64, 3), size=64).message == ""


def test_a_keras_model_of_a_fixed_size_refuses_others_in_the_panel():
    explorer = explore(without_weights(keras.applications.VGG16, weights=None))
    assert explorer.settings["network"] == "vgg16 (yours)"
    explorer.set(size=96)
    assert "fc1" in explorer.message


@pytest.mark.parametrize("make", [explore, over_time, budget, opposite])
def test_a_network_of_ones_own_is_explored_too(make):
    explorer = make(OWN)
    assert explorer.message == ""
    assert "own" in explorer.readout


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: explore(None), "cannot summarise a NoneType"),
        (lambda: budget(None), "cannot summarise a NoneType"),
        (lambda: over_time(3), "cannot summarise a int"),
        (lambda: opposite(object()), "cannot summarise a object"),
        (lambda: explore(size="224"), "size is '224'"),
        (lambda: explore(size=2.5), r"size is 2\.5"),
        (lambda: over_time("VGG61"), "no network is called 'VGG61'; did you mean"),
        (lambda: over_time("vgg16/nope"), "nope"),
        (lambda: budget(optimizer="adamw"), "optimizer cannot be 'adamw'"),
        (lambda: budget(batch=True), "batch is True"),
        (lambda: over_time(what="sleep"), "what cannot be 'sleep'"),
        (lambda: over_time(parameters=1), "parameters is 1"),
        (lambda: explore(models.resnet18()), "input shape is None"),
    ],
)
def test_what_cannot_be_explored_is_one_clear_error(call, said):
    with pytest.raises(CnnmemError, match=said):
        call()


class UNet(nn.Module):
    """Two levels, as in the first lesson on segmentation."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2 = self._double(1, 64), self._double(64, 128)
        self.pool, self.up = nn.MaxPool2d(2), nn.ConvTranspose2d(128, 64, 2, 2)
        self.merge, self.head = self._double(128, 64), nn.Conv2d(64, 1, 1)

    @staticmethod
    def _double(first, out):
        return nn.Sequential(
            *(nn.Conv2d(first, out, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(out, out, 3, padding=1), nn.ReLU(inplace=True)),
        )

    def forward(self, x):
        first = self.down1(x)
        return self.head(self.merge(torch.cat([self.up(self.down2(self.pool(first))), first], 1)))


def test_the_inference_peak_of_a_unet_is_at_its_skip_connection():
    table = summary(UNet(), (1, 1, 4096, 3328), mode="eval")
    peak = table.total("inference-peak")
    maps = 4096 * 3328 * 4
    # the two halves, 64 maps each, and their concatenation
    assert peak.base == 256 * maps
    assert inference(table).peak.layer == "cat"


def test_memory_over_time_of_a_module_is_that_of_its_twin():
    module, _ = TWIN
    ours = training_step(summary(module, (2, 3, 64, 64)), "adam")
    plain = training_step(summary(zoo.resnet18("torchvision"), (64, 64, 3), batch=2), "adam")
    assert [m[2:] for m in ours.moments] == [m[2:] for m in plain.moments]


def test_a_network_may_be_spelled_as_people_do():
    assert over_time("VGG-16/Keras".lower()).settings["network"] == "vgg16/keras"
    assert explore("MobileNetV2/1.4").settings["network"] == "mobilenet_v2/1.4"
