"""DenseNet: Huang et al., "Densely connected convolutional networks" (arXiv 1608.06993)."""

from __future__ import annotations

from collections.abc import Callable

from cnnmem.model.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm,
    Concatenate,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    MaxPool2d,
    ReLU,
    Shape,
    ZeroPad2d,
)
from cnnmem.model.network import Builder, Network

from .variants import variants

BLOCKS = {
    "densenet121": (6, 12, 24, 16),
    "densenet169": (6, 12, 32, 32),
    "densenet201": (6, 12, 48, 32),
}
GROWTH = 32
STEM = 64


def _keras(name: str, last_relu: bool, top: bool, classes: int, image: Shape) -> Network:
    """Each layer's concatenation is the next layer's input: the map grows by copies."""
    build = Builder()
    build.block = "conv1"
    build("zero_padding2d", ZeroPad2d(3))
    build("conv1_conv", Conv2d(STEM, 7, 2, bias=False))
    build("conv1_bn", BatchNorm())
    build("conv1_relu", ReLU())
    build("zero_padding2d_1", ZeroPad2d(1))
    x = build("pool1", MaxPool2d(3, 2))
    channels = STEM
    for i, count in enumerate(BLOCKS[name], 2):
        build.block = f"conv{i}"
        for j in range(1, count + 1):
            layer = f"conv{i}_block{j}"
            build(f"{layer}_0_bn", BatchNorm(), x)
            build(f"{layer}_0_relu", ReLU())
            build(f"{layer}_1_conv", Conv2d(4 * GROWTH, 1, bias=False))
            build(f"{layer}_1_bn", BatchNorm())
            build(f"{layer}_1_relu", ReLU())
            new = build(f"{layer}_2_conv", Conv2d(GROWTH, 3, padding="same", bias=False))
            x = build(f"{layer}_concat", Concatenate(), x, new)
        channels += count * GROWTH
        if i < 5:
            build.block = f"pool{i}"
            channels //= 2
            build(f"pool{i}_bn", BatchNorm())
            build(f"pool{i}_relu", ReLU())
            build(f"pool{i}_conv", Conv2d(channels, 1, bias=False))
            x = build(f"pool{i}_pool", AvgPool2d(2))
    build.block = "top"
    build("bn", BatchNorm())
    if last_relu:
        build("relu", ReLU())
    if top:
        build("avg_pool", GlobalAvgPool2d())
        build("predictions", Linear(classes))
    return build.network(name, image)


def _torchvision(name: str, top: bool, classes: int, image: Shape) -> Network:
    """Each layer concatenates all earlier maps again; the first of a block has only one."""
    build = Builder()
    build.block = "conv0"
    build("features.conv0", Conv2d(STEM, 7, 2, 3, bias=False))
    build("features.norm0", BatchNorm())
    build("features.relu0", ReLU(in_place=True))
    x = build("features.pool0", MaxPool2d(3, 2, 1))
    channels = STEM
    for i, count in enumerate(BLOCKS[name], 1):
        build.block = f"denseblock{i}"
        maps = [x]
        for j in range(1, count + 1):
            layer = f"features.denseblock{i}.denselayer{j}"
            build(f"{layer}.cat", Concatenate(), *maps, functional=True)
            build(f"{layer}.norm1", BatchNorm())
            build(f"{layer}.relu1", ReLU(in_place=True))
            build(f"{layer}.conv1", Conv2d(4 * GROWTH, 1, bias=False))
            build(f"{layer}.norm2", BatchNorm())
            build(f"{layer}.relu2", ReLU(in_place=True))
            maps.append(build(f"{layer}.conv2", Conv2d(GROWTH, 3, padding=1, bias=False)))
        x = build(f"features.denseblock{i}.cat", Concatenate(), *maps, functional=True)
        channels += count * GROWTH
        if i < 4:
            build.block = f"transition{i}"
            channels //= 2
            build(f"features.transition{i}.norm", BatchNorm())
            build(f"features.transition{i}.relu", ReLU(in_place=True))
            build(f"features.transition{i}.conv", Conv2d(channels, 1, bias=False))
            x = build(f"features.transition{i}.pool", AvgPool2d(2))
    build.block = "top"
    build("features.norm5", BatchNorm())
    build("relu", ReLU(in_place=True), functional=True)
    if top:
        build("avgpool", AdaptiveAvgPool2d(1), functional=True)
        build("flatten", Flatten(), functional=True)
        build("classifier", Linear(classes))
    return build.network(name, image)


def _named(name: str) -> Callable[..., Network]:
    def densenet(
        variant: str = "keras",
        top: bool = True,
        classes: int = 1000,
        image: Shape = (224, 224, 3),
    ) -> Network:
        if variant == "torchvision":
            return _torchvision(name, top, classes, image)
        return _keras(name, variant == "keras", top, classes, image)

    densenet.__name__ = densenet.__qualname__ = name
    densenet.__doc__ = f"""Return DenseNet-{name[8:]}.

    "keras2018" is that of keras-applications 1.0.4, without the ReLU after the last normalisation.
    """
    return variants("keras", "keras2018", "torchvision")(densenet)


densenet121, densenet169, densenet201 = map(_named, BLOCKS)
