"""LeNet-5 and AlexNet."""

from __future__ import annotations

from cnnmem.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
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


@variants("modern")
def lenet5(
    variant: str = "modern",
    top: bool = True,
    classes: int = 10,
    image: Shape = (32, 32, 1),
) -> Network:
    """Return LeNet-5 as it is taught today: each map of C3 sees all of S2, pools have no weights.

    Source: LeCun et al., "Gradient-based learning applied to document recognition" (1998).
    """
    build = Builder()
    for i, channels in enumerate((6, 16), 1):
        build(f"conv{i}", Conv2d(channels, 5))
        build(f"tanh{i}", Activation("tanh"))
        build(f"pool{i}", AvgPool2d(2))
    if top:
        for i, features in enumerate((120, 84), 1):
            build(f"fc{i}", Linear(features))
            build(f"tanh{i + 2}", Activation("tanh"))
        build("fc3", Linear(classes))
    return build.network("lenet5", image)


@variants("torchvision")
def alexnet(
    variant: str = "torchvision",
    top: bool = True,
    classes: int = 1000,
    image: Shape = (224, 224, 3),
) -> Network:
    """Return AlexNet as torchvision has it: one tower, no local response normalisation.

    Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks"
    (arXiv 1404.5997).
    """
    build = Builder()
    plan = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
    for i, (channels, kernel, stride, padding) in enumerate(plan, 1):
        build(f"conv{i}", Conv2d(channels, kernel, stride, padding))
        build(f"relu{i}", ReLU(in_place=True))
        if i in (1, 2, 5):
            build(f"pool{i}", MaxPool2d(3, 2))
    if top:
        build("avgpool", AdaptiveAvgPool2d(6))
        build("flatten", Flatten(), functional=True)
        for i in (6, 7):
            build(f"drop{i}", Dropout())
            build(f"fc{i}", Linear(4096))
            build(f"relu{i}", ReLU(in_place=True))
        build("fc8", Linear(classes))
    return build.network("alexnet", image)
