"""The zoo: how its networks are named, and what else the papers say of them."""

import pytest

from cnnmem import CnnmemError, ShapeError, UnknownNameError, summary
from cnnmem.model import zoo

# From the papers and FACTS F2: parameters or multiply-accumulates.
PARAMETERS = [
    ("alexnet/torchvision", {}, 61_100_840),
    ("alexnet/paper", {}, 60_965_224),
    ("alexnet/ungrouped", {}, 62_378_344),
    ("googlenet/paper", {}, 6_998_552),
    ("googlenet/paper", {"auxiliary": True}, 13_378_280),
    ("googlenet", {}, 6_624_904),
    ("googlenet", {"auxiliary": True}, 13_004_888),
    ("inception_v3", {"auxiliary": True}, 27_161_264),
    ("squeezenet1_0", {}, 1_248_424),
    ("mobilenet_v2/1.4", {}, 6_108_776),
    ("mobilenet_v2", {}, 3_504_872),
    ("vgg19", {}, 143_667_240),
]
MACS = [
    ("efficientnet_b0", 385_814_752),
    ("mobilenet_v3_large", 216_589_760),
    ("resnet50", 4_089_184_256),
    ("resnet50/paper", 4_089_184_256 - 231_211_008),
]


@pytest.mark.parametrize(("label", "options", "parameters"), PARAMETERS)
def test_networks_have_the_parameters_that_are_known(label, options, parameters):
    assert summary(zoo.get(label, **options)).params == parameters


@pytest.mark.parametrize(("label", "macs"), MACS)
def test_networks_have_the_multiplications_that_are_known(label, macs):
    assert summary(label).macs == macs


@pytest.mark.parametrize("label", ["VGG16", "vgg-16", "Vgg_16/torchvision", "vgg16/paper"])
def test_spelling_does_not_matter(label):
    assert summary(label).params == 138_357_544


def test_no_two_networks_are_spelled_alike():
    assert len({name.replace("_", "") for name in zoo.names()}) == len(zoo.names())


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("vg16", "did you mean 'vgg16'"),
        ("resnet", "did you mean 'resnet"),
        ("resnet50/kers", "did you mean 'keras'"),
        ("nothing like it", "there are lenet5"),
        (16, "no network is called 16"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(label, hint):
    with pytest.raises(UnknownNameError, match=hint):
        zoo.get(label)


@pytest.mark.parametrize("label", zoo.names())
def test_an_image_whose_channels_stand_first_is_refused(label):
    network = zoo.get(label)
    height, width, channels = network.image
    first = (channels, height + 32, width + 64)
    with pytest.raises(ShapeError, match=r"Channels stand last") as caught:
        summary(network, first)
    assert str((height + 32, width + 64, channels)) in str(caught.value)


def test_other_channels_are_no_mistake():
    assert summary("resnet18", (64, 64, 1)).rows[0].output == (64, 64, 1)


def test_an_output_that_is_no_layer_is_refused():
    from cnnmem.model.network import Network

    network = zoo.lenet5()
    with pytest.raises(CnnmemError, match="has no layer 'aux'"):
        Network("n", network.nodes, network.image, outputs=("aux",))
