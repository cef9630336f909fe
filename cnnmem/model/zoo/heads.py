"""VGG-16 with other classifiers on the same thirteen convolutions.

What stands between the last map and the classes decides what a network does with a larger image:
whether it refuses it, grows with it, or does not mind.
"""

from __future__ import annotations

from cnnmem.errors import look_up
from cnnmem.model.layers import (
    AdaptiveAvgPool2d,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    ReLU,
    Shape,
)
from cnnmem.model.network import Builder, Network

from .vgg import vgg16

HIDDEN = 4096
HEADS = {
    "linear": "three linear layers (the paper)",
    "adaptive": "adaptive pool to 7 x 7 first (torchvision)",
    "convolutions": "the same as convolutions 7 x 7, 1 x 1, 1 x 1",
    "global": "global average pool, one linear layer",
    "conv1x1": "1 x 1 convolution, global average pool",
}


def vgg16_with(head: str = "linear", classes: int = 1000, image: Shape = (224, 224, 3)) -> Network:
    """Return Keras' VGG-16 with one of `HEADS` in place of its classifier.

    "linear" is Keras' own. "adaptive" averages to a 7x7 map before it. "convolutions" moves the
    three linear layers over the map as windows (it needs a 7x7 map: 224 pixels) and averages the
    answers. "global" averages each channel, then has one linear layer; "conv1x1" has its weights
    as a 1x1 convolution, and averages after it.

    Raises `UnknownNameError` for another head.

    >>> from cnnmem import summary
    >>> for head in HEADS:
    ...     print(f"{head:<12} {summary(vgg16_with(head), (1024, 1024, 3)).params:>13,}")
    linear       2,183,080,744
    adaptive       138,357,544
    convolutions   138,357,544
    global          15,227,688
    conv1x1         15,227,688
    """
    look_up("head", head, HEADS)
    build = Builder()
    build.nodes += vgg16("keras", top=False).nodes
    if head in ("linear", "adaptive"):
        if head == "adaptive":
            build("avgpool", AdaptiveAvgPool2d(7))
        build("flatten", Flatten())
        for i in (1, 2):
            build.block = f"fc{i}"
            build(f"fc{i}", Linear(HIDDEN))
            build(f"relu{i}", ReLU(in_place=True))
    elif head == "convolutions":
        for i, kernel in ((1, 7), (2, 1)):
            build.block = f"fc{i}"
            build(f"fc{i}", Conv2d(HIDDEN, kernel))
            build(f"relu{i}", ReLU(in_place=True))
    build.block = ""
    if head == "global":
        build("avg_pool", GlobalAvgPool2d())
    if head in ("convolutions", "conv1x1"):
        build("predictions", Conv2d(classes, 1))
        build("avg_pool", GlobalAvgPool2d())
    else:
        build("predictions", Linear(classes))
    return build.network("vgg16", image)
