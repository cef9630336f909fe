"""Keras models built from plain networks, and the layers that Keras lacks."""

import pytest

keras = pytest.importorskip("keras")

from cnnmem import summary
from cnnmem.errors import NetworkError, ShapeError
from cnnmem.frameworks import keras as models
from cnnmem.model import zoo
from cnnmem.model.layers import (
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
)
from cnnmem.model.network import Network, Node


def chain(**layers):
    return Network.chain("chain", layers, (9, 9, 3))


def test_every_zoo_network_keeps_its_counts_and_shapes_as_a_keras_model():
    refused = set()
    for name in zoo.names():
        for variant in zoo.variants(name):
            network = zoo.get(name, variant=variant)
            if any(getattr(node.layer, "ceil_mode", False) for node in network.nodes):
                with pytest.raises(NetworkError, match="Keras has no ceil_mode"):
                    models.without_weights(models.build, network)
                refused.add(name)
                continue
            plain = summary(network)
            table = summary(models.without_weights(models.build, network))
            assert table.params == plain.params
            assert table.statistics == plain.statistics
            assert table.macs == plain.macs
            assert all(table[row.name].output == row.output for row in plain.rows)
    assert refused == {"googlenet", "squeezenet1_0", "squeezenet1_1"}


def test_a_model_with_weights_computes_what_the_table_says():
    network = chain(
        conv=Conv2d(4, 3, 2, (1, 0, 2, 1)),
        norm=BatchNorm(),
        relu=ReLU(in_place=True),
        pool=MaxPool2d(2, 1, 1),
        mean=AdaptiveAvgPool2d((2, 3)),
        fc=Linear(5),
    )
    model = models.build(network)
    assert " ".join(layer.name for layer in model.layers) == (
        "input conv_pad conv norm relu pool_pad pool mean fc_flatten fc"
    )
    outputs = keras.Model(model.inputs, [layer.output for layer in model.layers])(
        keras.ops.ones((2, 9, 9, 3))
    )
    made = {layer.name: tuple(y.shape[1:]) for layer, y in zip(model.layers, outputs, strict=True)}
    plain = summary(network)
    assert {row.name: made[row.name] for row in plain.rows} == {
        row.name: row.output for row in plain.rows
    }
    assert sum(w.size for w in model.get_weights()) == plain.params + plain.statistics


def test_frozen_nodes_are_not_trainable():
    network = Network("net", (Node("a", Flatten()), Node("b", Linear(2), ("a",), frozen=True)))
    model = models.without_weights(models.build, network, (4, 4, 3))
    assert not model.get_layer("b").trainable
    assert model.trainable_weights == []
    assert summary(model).params == summary(network, (4, 4, 3)).params


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (MaxPool2d(3, 2, ceil_mode=True), r"'it' \(max_pool\): Keras has no ceil_mode; pad"),
        (AvgPool2d(3, 2, ceil_mode=True), r"'it' \(avg_pool\): Keras has no ceil_mode; pad"),
        (MaxPool2d(2, dilation=2), r"no dilation \(2, 2\) in a pool; leave it out"),
        (Conv2d(4, 3, 2, dilation=2), r"\(conv\): .* no stride \(2, 2\) together with dilation"),
        (DepthwiseConv2d(3, (1, 2), dilation=(2, 1)), r"no stride \(1, 2\) together with dila"),
    ],
)
def test_an_option_that_keras_lacks_is_refused_by_name(layer, words):
    with pytest.raises(NetworkError, match=words):
        models.build(chain(it=layer))


def test_a_custom_layer_is_refused():
    class Own(Layer):
        kind = "own"

    with pytest.raises(NetworkError, match=r"layer 'it' \(own\) has no counterpart in Keras"):
        models.build(chain(it=Own()))


def test_a_size_that_does_not_fit_is_refused():
    nodes = (Node("a", Conv2d(3, 3)), Node("sum", Add(), ("a", "input")))
    with pytest.raises(ShapeError, match="layer 'sum'"):
        models.build(Network("net", nodes, (9, 9, 3)))


def test_a_layer_that_leads_nowhere_is_refused():
    nodes = (Node("aside", Conv2d(4, 3)), Node("fc", Linear(2)))
    with pytest.raises(NetworkError, match="does not depend on layer 'aside'"):
        models.build(Network("n", nodes, (8, 8, 3)))
