"""ResNet: He et al., "Deep residual learning for image recognition" (arXiv 1512.03385)."""

from __future__ import annotations

from collections.abc import Callable

from cnnmem.model.layers import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    MaxPool2d,
    ReLU,
    Shape,
    ZeroPad2d,
)
from cnnmem.model.network import Builder, Call, Network

from .variants import variants

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}
CHANNELS = (64, 128, 256, 512)
# Torchvision's blocks have one ReLU, which they call after each convolution and after the sum.
AGAIN = Call(frozenset({"class", "called again"}))


def _basic(build: Builder, x: str, name: str, channels: int, stride: int, project: bool) -> str:
    y = build(f"{name}.conv1", Conv2d(channels, 3, stride, 1, bias=False), x)
    build(f"{name}.bn1", BatchNorm())
    build(f"{name}.relu1", ReLU(in_place=True), call=AGAIN)
    build(f"{name}.conv2", Conv2d(channels, 3, 1, 1, bias=False))
    y = build(f"{name}.bn2", BatchNorm())
    return _join(build, x, y, name, channels, stride, project)


def _bottleneck(
    build: Builder, x: str, name: str, channels: int, stride: int, project: bool, early: bool
) -> str:
    first, second = (stride, 1) if early else (1, stride)
    build(f"{name}.conv1", Conv2d(channels, 1, first, bias=False), x)
    build(f"{name}.bn1", BatchNorm())
    build(f"{name}.relu1", ReLU(in_place=True), call=AGAIN)
    build(f"{name}.conv2", Conv2d(channels, 3, second, 1, bias=False))
    build(f"{name}.bn2", BatchNorm())
    build(f"{name}.relu2", ReLU(in_place=True), call=AGAIN)
    build(f"{name}.conv3", Conv2d(4 * channels, 1, bias=False))
    y = build(f"{name}.bn3", BatchNorm())
    return _join(build, x, y, name, 4 * channels, stride, project)


def _join(
    build: Builder, x: str, y: str, name: str, channels: int, stride: int, project: bool
) -> str:
    if project:
        build(f"{name}.downsample.0", Conv2d(channels, 1, stride, bias=False), x)
        x = build(f"{name}.downsample.1", BatchNorm())
    build(f"{name}.add", Add(in_place=True), y, x, functional=True)
    return build(f"{name}.relu", ReLU(in_place=True))


def _resnet(name: str, variant: str, top: bool, classes: int, image: Shape) -> Network:
    deep = name == "resnet50"
    build = Builder()
    build("conv1", Conv2d(64, 7, 2, 3, bias=False))
    build("bn1", BatchNorm())
    build("relu", ReLU(in_place=True))
    x = build("maxpool", MaxPool2d(3, 2, 1))
    for i, (count, channels) in enumerate(zip(BLOCKS[name], CHANNELS, strict=True), 1):
        build.block = f"layer{i}"
        for j in range(count):
            stride = 2 if i > 1 and j == 0 else 1
            block = f"layer{i}.{j}"
            if deep:
                early = variant == "paper"
                x = _bottleneck(build, x, block, channels, stride, j == 0, early)
            else:
                x = _basic(build, x, block, channels, stride, stride == 2)
    build.block = ""
    if top:
        build("avgpool", AdaptiveAvgPool2d(1))
        build("flatten", Flatten(), functional=True)
        build("fc", Linear(classes))
    return build.network(name, image)


def _keras_resnet50(top: bool, classes: int, image: Shape) -> Network:
    build = Builder()
    build.block = "conv1"
    build("conv1_pad", ZeroPad2d(3))
    build("conv1_conv", Conv2d(64, 7, 2))
    build("conv1_bn", BatchNorm())
    build("conv1_relu", ReLU())
    build("pool1_pad", ZeroPad2d(1))
    x = build("pool1_pool", MaxPool2d(3, 2))
    for i, (count, channels) in enumerate(zip(BLOCKS["resnet50"], CHANNELS, strict=True), 2):
        build.block = f"conv{i}"
        for j in range(1, count + 1):
            name = f"conv{i}_block{j}"
            stride = 2 if i > 2 and j == 1 else 1
            shortcut = x
            if j == 1:
                build(f"{name}_0_conv", Conv2d(4 * channels, 1, stride), x)
                shortcut = build(f"{name}_0_bn", BatchNorm())
            build(f"{name}_1_conv", Conv2d(channels, 1, stride), x)
            build(f"{name}_1_bn", BatchNorm())
            build(f"{name}_1_relu", ReLU())
            build(f"{name}_2_conv", Conv2d(channels, 3, padding="same"))
            build(f"{name}_2_bn", BatchNorm())
            build(f"{name}_2_relu", ReLU())
            build(f"{name}_3_conv", Conv2d(4 * channels, 1))
            y = build(f"{name}_3_bn", BatchNorm())
            build(f"{name}_add", Add(), shortcut, y)
            x = build(f"{name}_out", ReLU())
    build.block = ""
    if top:
        build("avg_pool", GlobalAvgPool2d())
        build("predictions", Linear(classes))
    return build.network("resnet50", image)


def _named(name: str, *known: str) -> Callable[..., Network]:
    def resnet(
        variant: str = "torchvision",
        top: bool = True,
        classes: int = 1000,
        image: Shape = (224, 224, 3),
    ) -> Network:
        if variant == "keras":
            return _keras_resnet50(top, classes, image)
        return _resnet(name, variant, top, classes, image)

    resnet.__name__ = resnet.__qualname__ = name
    differs = (
        """
    "paper" halves the map in a block's first 1x1 convolution, "torchvision" in the 3x3 one;
    "keras" has the paper's strides, biases in its convolutions and padding layers."""
        if "keras" in known
        else ""
    )
    resnet.__doc__ = f"Return ResNet-{name[6:]}.\n{differs}\n    "
    return variants(*known)(resnet)


resnet18 = _named("resnet18", "torchvision")
resnet34 = _named("resnet34", "torchvision")
resnet50 = _named("resnet50", "torchvision", "paper", "keras")
