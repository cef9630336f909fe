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


TOWER = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
PAPER = ((96, 11, 4, 2), (256, 5, 1, 2), (384, 3, 1, 1), (384, 3, 1, 1), (256, 3, 1, 1))


@variants("torchvision", "paper", "ungrouped")
def alexnet(
    variant: str = "torchvision",
    top: bool = True,
    classes: int = 1000,
    image: Shape = (224, 224, 3),
) -> Network:
    """Return AlexNet, without the local response normalisation, which has no parameters.

    "torchvision" is one tower of other widths (Krizhevsky, "One weird trick for parallelizing
    convolutional neural networks", arXiv 1404.5997). "paper" has the widths and the two groups of
    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    networks" (2012); "ungrouped" has the same widths without groups.

    >>> from cnnmem import summary
    >>> for variant in alexnet.variants:
    ...     print(f"{variant:<11} {summary(alexnet(variant)).params:,}")
    torchvision 61,100,840
    paper       60,965,224
    ungrouped   62,378,344
    """
    tower = variant == "torchvision"
    build = Builder()
    for i, (channels, kernel, stride, padding) in enumerate(TOWER if tower else PAPER, 1):
        groups = 2 if variant == "paper" and i in (2, 4, 5) else 1
        build(f"conv{i}", Conv2d(channels, kernel, stride, padding, groups=groups))
        build(f"relu{i}", ReLU(in_place=True))
        if i in (1, 2, 5):
            build(f"pool{i}", MaxPool2d(3, 2))
    if top:
        if tower:
            build("avgpool", AdaptiveAvgPool2d(6))
        build("flatten", Flatten(), functional=True)
        for i in (6, 7):
            if tower:
                build(f"drop{i}", Dropout())
            build(f"fc{i}", Linear(4096))
            build(f"relu{i}", ReLU(in_place=True))
            if not tower:
                build(f"drop{i}", Dropout())
        build("fc8", Linear(classes))
    return build.network("alexnet", image)
