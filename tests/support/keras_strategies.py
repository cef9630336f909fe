"""Random networks for Keras: those of `strategies`, without the options that Keras lacks."""

from dataclasses import replace

from hypothesis import reject
from hypothesis import strategies as st
from strategies import Drawn, networks

from cnnmem.errors import ShapeError
from cnnmem.model.layers import (
    GLU,
    Concatenate,
    Conv3d,
    DepthwiseConv3d,
    DotProductAttention,
    GroupNorm,
    InstanceNorm,
    PixelShuffle,
    PixelUnshuffle,
    ReLU,
    Resize2d,
    ZeroPad2d,
)
from cnnmem.model.layers.joining import EdgePad, ZeroPad
from cnnmem.model.layers.learned import Conv, DepthwiseConv
from cnnmem.model.layers.pooling import WindowPool
from cnnmem.model.layers.resizing import ConvTranspose, ResizeTo, UpsampleBy


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
    if isinstance(layer, InstanceNorm):
        return GroupNorm(1, layer.scale, layer.center)
    if isinstance(layer, EdgePad):
        return ZeroPad.over(layer.axes)(layer.padding)
    if isinstance(layer, ResizeTo) and not isinstance(layer, Resize2d):
        return UpsampleBy.over(layer.axes)(2)
    if isinstance(layer, PixelShuffle | PixelUnshuffle):
        return ZeroPad2d(1)
    if isinstance(layer, DotProductAttention):
        return Concatenate()
    if isinstance(layer, GLU) or getattr(layer, "function", "") == "threshold":
        return ReLU()
    if isinstance(layer, DepthwiseConv3d):
        return Conv3d(2, layer.kernel, padding=layer.padding, bias=layer.bias)
    if isinstance(layer, ConvTranspose):
        return replace(layer, groups=1)
    if getattr(layer, "in_place", False):
        layer = replace(layer, in_place=False)
    if isinstance(layer, WindowPool):
        layer = replace(layer, ceil_mode=False, dilation=(1,) * layer.axes)
    if isinstance(layer, Conv | DepthwiseConv) and max(layer.stride) > 1:
        layer = replace(layer, dilation=(1,) * layer.axes)
    return layer
