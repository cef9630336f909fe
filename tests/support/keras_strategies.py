"""Random networks for Keras: those of `strategies`, without the options that Keras lacks."""

from dataclasses import replace

from hypothesis import reject
from hypothesis import strategies as st
from strategies import Drawn, networks

from cnnmem.errors import ShapeError
from cnnmem.model.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    DepthwiseConv2d,
    GroupNorm,
    LayerNorm,
    MaxPool2d,
    Upsample,
    ZeroPad2d,
)


@st.composite
def keras_networks(draw):
    """Draw a network and a batch for Keras: out of place, no ceil_mode, no stride with dilation."""
    drawn = draw(networks(in_use=st.just(True)))
    nodes = tuple(replace(node, layer=_known(node.layer)) for node in drawn.network.nodes)
    network = replace(drawn.network, nodes=nodes)
    try:
        network.trace_shapes()
    except ShapeError:  # the branches of a join no longer agree
        reject()
    return Drawn(network, drawn.batch)


def _known(layer):
    # what `frameworks.keras.build` refuses
    if isinstance(layer, LayerNorm | GroupNorm):
        return BatchNorm()
    if isinstance(layer, ConvTranspose2d):
        return Conv2d(layer.out_channels, 1)
    if isinstance(layer, Upsample):
        return ZeroPad2d(1)
    if getattr(layer, "in_place", False):
        layer = replace(layer, in_place=False)
    if isinstance(layer, MaxPool2d | AvgPool2d):
        layer = replace(layer, ceil_mode=False, dilation=(1, 1))
    if isinstance(layer, Conv2d | DepthwiseConv2d) and max(layer.stride) > 1:
        layer = replace(layer, dilation=(1, 1))
    return layer
