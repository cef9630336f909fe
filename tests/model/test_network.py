"""A network: wiring, refusals that name the layer, what is shared and kept, the zoo's arguments."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from cnnmem import (
    Builder,
    CnnmemError,
    Network,
    NetworkError,
    Node,
    ShapeError,
    UnknownNameError,
    summary,
)
from cnnmem.count import training
from cnnmem.model import zoo
from cnnmem.model.layers import (
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Kept,
    Layer,
    Linear,
    MaxPool2d,
    Multiply,
    ReLU,
    ReLU6,
)

IMAGE = (32, 32, 3)


def chain(**layers):
    return Network.chain("net", layers, IMAGE)


def test_shapes_by_name_follow_the_graph():
    build = Builder()
    x = build("conv1", Conv2d(8, 3, padding=1))
    y = build("conv2", Conv2d(8, 3, 1, 1), x)
    build("add", Add(), x, y)
    build("cat", Concatenate(), "add", x)
    build("pool", MaxPool2d(2))
    shapes = build.network("net", IMAGE).shapes()
    assert list(shapes) == ["input", "conv1", "conv2", "add", "cat", "pool"]
    assert shapes["cat"] == (32, 32, 16)
    assert shapes["pool"] == (16, 16, 16)


def test_another_image_gives_other_shapes_and_leaves_the_network_unchanged():
    net = chain(conv=Conv2d(8, 3))
    assert net.shapes((10, 20, 3))["conv"] == (8, 18, 8)
    assert net.shapes()["conv"] == (30, 30, 8)


def test_lists_are_accepted_and_a_network_can_be_hashed():
    net = Network("net", [Node("relu", ReLU(), ["input"])], [8, 8, 3])
    assert net.image == (8, 8, 3)
    assert isinstance(net.nodes, tuple)
    assert hash(summary(chain(conv=Conv2d(8, 3)))) == hash(summary(chain(conv=Conv2d(8, 3))))


WIRING = [
    (lambda: Network("net", ()), "network 'net' has no layers"),
    (lambda: Network("net", (Node("a", ReLU()), Node("a", ReLU()))), "two layers are called 'a'"),
    (lambda: Network("net", (Node("input", ReLU()),)), "two layers are called 'input'"),
    (lambda: Network("net", (Node("a", ReLU(), ("b",)),)), "layer 'a' reads 'b'"),
    (lambda: Network("net", (Node("a", ReLU(), ("a",)),)), "layer 'a' reads 'a'"),
    (
        lambda: Network("net", (Node("a", Add(), ("input", "b")), Node("b", ReLU(), ("a",)))),
        "layer 'a' reads 'b'",
    ),
    (
        lambda: Network("net", (Node("a", Add()),)),
        "layer 'a' (add) has 1 input; it takes 2 or more",
    ),
    (lambda: Network("net", (Node("a", ReLU(), ()),)), "layer 'a' (relu) has 0 inputs; it takes 1"),
    (
        lambda: Network("net", (Node("a", Multiply(), ("input",) * 3),)),
        "layer 'a' (multiply) has 3 inputs; it takes 2",
    ),
    (lambda: Network("net", (Node("a", ReLU(), "input"),)), "give a tuple of names: ('input',)"),
    (lambda: Network("net", (Node("a", ReLU),)), "is not a node; give Node(name, layer, inputs)"),
    (lambda: Network("net", (ReLU(),)), "is not a node; give Node(name, layer, inputs)"),
]


@pytest.mark.parametrize(("make", "message"), WIRING, ids=[message for _, message in WIRING])
def test_invalid_wiring_is_refused_by_name(make, message):
    with pytest.raises(NetworkError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "image",
    [224, "224", None, (224, 224), (0, 8, 3), (8.0, 8, 3), (True, 8, 3), (8, 8, 3, 1), (-1, 8, 3)],
)
def test_an_invalid_image_is_refused_with_an_example(image):
    for refuse in (
        lambda: summary("vgg16", image) if image is not None else zoo.vgg16(image=None),
        lambda: zoo.vgg16(image=image),
        lambda: Network("net", (Node("relu", ReLU()),), image),
    ):
        with pytest.raises(ShapeError) as caught:
            refuse()
        assert repr(image) in str(caught.value)
        assert "(224, 224, 3)" in str(caught.value)


def test_numpys_integers_in_an_image_become_pythons():
    table = summary("vgg16", tuple(np.array([1024, 1024, 3], dtype=np.int32)))
    assert table.params == 2_183_080_744
    assert {type(n) for n in table.image} == {int}


def test_a_shape_error_names_the_layer_the_shapes_and_the_image():
    with pytest.raises(ShapeError) as caught:
        summary("vgg16", (16, 48, 3))
    text = str(caught.value)
    assert "layer 'pool5'" in text
    assert "kernel 2 x 2" in text
    assert "1 x 3 map" in text
    assert "(input 16 x 48 x 3)" in text
    assert "larger input" in text


def test_an_add_that_does_not_fit_names_the_layer_and_the_way_out():
    nodes = (Node("conv", Conv2d(8, 3)), Node("sum", Add(), ("conv", "input")))
    with pytest.raises(ShapeError, match=r"layer 'sum': cannot add .* project the shortcut"):
        summary(Network("net", nodes, IMAGE))


def test_a_layer_in_place_over_what_backward_needs_is_refused_with_both_names():
    net = chain(conv=Conv2d(8, 3), silu=Activation("silu"), relu=ReLU(), tanh=ReLU(in_place=True))
    with pytest.raises(NetworkError) as caught:
        summary(net)
    assert "layer 'tanh' works in place" in str(caught.value)
    assert "backward of 'relu'" in str(caught.value)
    assert "in_place=False" in str(caught.value)


def test_in_place_and_view_layers_make_no_tensor():
    table = summary(chain(conv=Conv2d(8, 3), relu=ReLU(True), flat=Flatten(), fc=Linear(4)))
    assert [row.values for row in table.rows] == [3072, 7200, 0, 0, 4]
    assert (table["relu"].overwrites, table["flat"].views) == (7200, 7200)


def test_a_tensor_that_two_layers_need_is_kept_once_by_the_first():
    table = summary(chain(conv1=Conv2d(8, 3), relu=ReLU(True), conv2=Conv2d(8, 3)))
    image, relu = 4 * 32 * 32 * 3, 4 * 30 * 30 * 8
    assert [row.saved for row in table.rows] == [0, image, relu, 0]
    assert table["conv1"].kept_values * 4 == relu  # also listed at the row that made it
    assert table.saved_bytes == image + relu


def test_without_parameters_no_gradient_flows_and_nothing_is_kept():
    assert summary(chain(relu=ReLU(), pool=MaxPool2d(2), drop=Dropout())).saved_bytes == 0


def test_frozen_layers_before_the_first_that_learns_keep_nothing():
    nodes = (
        Node("conv", Conv2d(8, 3), ("input",), frozen=True),
        Node("relu", ReLU6(), ("conv",)),
        Node("fc", Linear(4), ("relu",)),
    )
    table = summary(Network("net", nodes, IMAGE))
    assert [row.saved for row in table.rows] == [0, 0, 0, 4 * 30 * 30 * 8]


def test_a_frozen_linear_layer_keeps_nothing_and_a_frozen_convolution_its_input():
    for layer, kept in ((Linear(4), 0), (Conv2d(4, 3), 4 * 30 * 30 * 8)):
        nodes = (Node("conv", Conv2d(8, 3)), Node("last", layer, ("conv",), frozen=True))
        assert summary(Network("net", nodes, IMAGE))["last"].saved == kept


def test_vgg16_with_frozen_features_keeps_only_what_its_classifier_needs():
    vgg16 = zoo.vgg16(variant="torchvision")
    frozen = Network(
        "vgg16",
        tuple(
            Node(n.name, n.layer, n.inputs, n.block, n.functional, n.name.startswith("conv"))
            for n in vgg16.nodes
        ),
    )
    assert summary(frozen, batch=2).saved_bytes == 397_312


def test_in_evaluation_mode_no_mask_and_no_statistics_of_the_batch_are_kept():
    net = chain(conv=Conv2d(8, 3, bias=False), bn=BatchNorm(), drop=Dropout(), fc=Linear(4))
    train, evaluate = summary(net), summary(net, mode="eval")
    mask = 4 * 30 * 30 * 8
    assert train.saved_bytes - evaluate.saved_bytes == mask + 2 * 8 * 4
    # the linear layer keeps the dropout's output, which in evaluation is BatchNorm's tensor
    assert (train["drop"].kept_values, evaluate["bn"].kept_values) == (7200, 7200)
    assert evaluate["drop"].saved == 0


@pytest.mark.parametrize(("dtype", "width"), [("float64", 8), ("float32", 4), ("bfloat16", 2)])
def test_all_but_indices_have_the_networks_dtype(dtype, width):
    net = chain(conv=Conv2d(8, 3), bn=BatchNorm(), pool=MaxPool2d(2), fc=Linear(4))
    maps, pooled = 30 * 30 * 8, 15 * 15 * 8
    values = 32 * 32 * 3 + maps + 2 * 8 + maps + pooled
    assert summary(net, dtype=dtype).saved_bytes == values * width + pooled * 8


# --- a custom layer


@dataclass(frozen=True)
class Scale(Layer):
    """A learned factor per channel: a layer that the package does not have."""

    repeat: int = 1

    kind: ClassVar[str] = "scale"
    symbols: ClassVar[dict] = {"repeat": "R"}

    def weights(self, *inputs):
        return inputs[0][-1] * self.repeat

    def keeps(self, output, *inputs):
        return Kept(inputs=True)


def test_a_custom_layer_is_counted_explained_and_totalled():
    table = summary(chain(scale=Scale(2), relu=ReLU()))
    assert (table.params, table["scale"].kind) == (6, "scale")
    assert table.saved_bytes == 2 * 4 * 32 * 32 * 3  # it learns, so backward runs
    assert "C_in · R" in table.explain("scale")
    # conventions that count all layers include a kind they do not know
    assert table.total("torchsummary").base == 2 * 2 * 4 * 32 * 32 * 3
    assert table.total("caffe").base == 2 * 4 * 32 * 32 * 3
    assert training.training_step(table).moments[-1].gradients == 24
    with pytest.raises(ShapeError, match="repeat is 0"):
        Scale(0)


# --- the zoo's arguments


@pytest.mark.parametrize("name", zoo.names())
def test_every_variant_works_at_its_own_size_with_and_without_the_classifier(name):
    first, *rest = zoo.variants(name)
    assert zoo.get(name) == zoo.get(name, variant=first)
    for variant in (first, *rest):
        whole, bare = zoo.get(name, variant=variant), zoo.get(name, variant=variant, top=False)
        assert len(bare.nodes) < len(whole.nodes)
        assert bare.nodes == whole.nodes[: len(bare.nodes)]
        assert summary(zoo.get(name, variant=variant, classes=7)).rows[-1].outputs == 7


BAD_OPTIONS = [
    (lambda: zoo.get("vgg17"), UnknownNameError, "no network is called 'vgg17'"),
    (lambda: zoo.get([]), UnknownNameError, "no network is called []"),
    (lambda: zoo.get("vgg16", foo=1), CnnmemError, "vgg16 has no option 'foo'"),
    (lambda: zoo.vgg16(variant="tf"), UnknownNameError, "vgg16 has no variant 'tf'"),
    (lambda: zoo.vgg16(variant=[]), UnknownNameError, "vgg16 has no variant []"),
    (lambda: zoo.vgg16(classes=0), ShapeError, "classes is 0"),
    (lambda: zoo.vgg16(classes=1.5), ShapeError, "classes is 1.5"),
    (lambda: zoo.vgg16(top="no"), CnnmemError, "top is 'no'; give True or False"),
    (lambda: zoo.mobilenet_v1(width=0), CnnmemError, "width is 0"),
    (lambda: zoo.mobilenet_v1(width="1"), CnnmemError, "width is '1'"),
    (lambda: zoo.mobilenet_v1(width=float("nan")), CnnmemError, "width is nan"),
    (lambda: zoo.mobilenet_v1(width=float("inf")), CnnmemError, "width is inf"),
    (lambda: zoo.mobilenet_v1(width=0.01), CnnmemError, "leaves conv1 without channels"),
    (lambda: zoo.mobilenet_v1(resolution=0), ShapeError, "resolution is 0"),
    (lambda: zoo.mobilenet_v1(resolution=1.5), ShapeError, "resolution is 1.5"),
    (lambda: zoo.mobilenet_v1(kernel=2), CnnmemError, "kernel is 2; give an odd number"),
    (lambda: zoo.mobilenet_v1(variant="keras", kernel=5), CnnmemError, '"keras" has only 3'),
    (lambda: zoo.mobilenet_v1(activation="foo"), UnknownNameError, "no activation is called 'foo'"),
    (lambda: zoo.mobilenet_v2(activation="foo"), UnknownNameError, "no activation is called 'foo'"),
    (lambda: zoo.mobilenet_v2(width=-1), CnnmemError, "width is -1"),
]


@pytest.mark.parametrize(
    ("make", "error", "message"), BAD_OPTIONS, ids=[message for *_, message in BAD_OPTIONS]
)
def test_the_zoo_refuses_invalid_options_by_name(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)


def test_an_activation_without_an_in_place_form_makes_a_tensor_in_mobilenet():
    for net in (zoo.mobilenet_v1(activation="gelu"), zoo.mobilenet_v2(activation="gelu")):
        activations = [row for row in summary(net).rows if row.kind == "gelu"]
        assert activations
        assert all(row.values for row in activations)


def test_global_pooling_makes_parameters_independent_of_the_size_and_flattening_does_not():
    assert summary("resnet50", (512, 512, 3)).params == summary("resnet50").params
    assert summary("vgg16", (512, 512, 3)).params > summary("vgg16").params
    adaptive = zoo.vgg16(variant="torchvision")
    assert summary(adaptive, (1024, 1024, 3)).params == 138_357_544


def test_the_input_can_be_a_vector():
    net = Network("mlp", (Node("fc", Linear(4)), Node("relu", ReLU(), ("fc",))), (8,))
    assert summary(net).params == 36


def test_squeeze_and_excitation_keeps_both_operands():
    nodes = (
        Node("conv", Conv2d(8, 3)),
        Node("squeeze", GlobalAvgPool2d(keepdims=True), ("conv",)),
        Node("excite", Conv2d(8, 1), ("squeeze",)),
        Node("gate", Activation("sigmoid"), ("excite",)),
        Node("mul", Multiply(), ("conv", "gate")),
    )
    table = summary(Network("se", nodes, IMAGE))
    conv, gate = 30 * 30 * 8, 8
    assert table.saved_bytes == 4 * (32 * 32 * 3 + 8 + gate + conv)
