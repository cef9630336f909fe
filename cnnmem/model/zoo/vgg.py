"""VGG: Simonyan and Zisserman, "Very deep convolutional networks" (arXiv 1409.1556)."""

from __future__ import annotations

from collections.abc import Callable

from cnnmem.model.layers import (
    AdaptiveAvgPool2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Shape,
)
from cnnmem.model.network import Builder, Network

from .variants import variants

CHANNELS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}


def _vgg(name: str, variant: str, top: bool, classes: int, image: Shape) -> Network:
    keras = variant == "keras"
    build = Builder()
    for i, (count, channels) in enumerate(zip(CONVOLUTIONS[name], CHANNELS, strict=True), 1):
        build.block = f"block{i}"
        for j in range(1, count + 1):
            conv = f"block{i}_conv{j}" if keras else f"conv{i}_{j}"
            build(conv, Conv2d(channels, 3, padding=1))
            build(f"{conv}_relu" if keras else f"relu{i}_{j}", ReLU(in_place=True))
        build(f"block{i}_pool" if keras else f"pool{i}", MaxPool2d(2))
    build.block = ""
    if top:
        if variant == "torchvision":
            build("avgpool", AdaptiveAvgPool2d(7))
        if variant != "paper":
            build("flatten", Flatten(), functional=not keras)
        for i in (1, 2):
            build.block = f"fc{i}"
            build(f"fc{i}", Linear(4096))
            build(f"relu{i}", ReLU(in_place=True))
            if not keras:
                build(f"drop{i}", Dropout())
        build.block = ""
        build("predictions" if keras else "fc3", Linear(classes))
    return build.network(name, image)


def _named(name: str) -> Callable[..., Network]:
    def vgg(
        variant: str = "paper",
        top: bool = True,
        classes: int = 1000,
        image: Shape = (224, 224, 3),
    ) -> Network:
        return _vgg(name, variant, top, classes, image)

    vgg.__name__ = vgg.__qualname__ = name
    vgg.__doc__ = f"""Return VGG-{name[3:]}.

    "torchvision" has an adaptive average pool to 7x7 before the linear layers, "keras" a layer
    `flatten` and no dropout. Keras' convolutions include their ReLU: here it has its own row, in
    place.
    """
    return variants("paper", "torchvision", "keras")(vgg)


vgg11, vgg13, vgg16, vgg19 = map(_named, CONVOLUTIONS)
