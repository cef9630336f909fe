"""MobileNetV3: Howard et al., "Searching for MobileNetV3" (arXiv 1905.02244)."""

from __future__ import annotations

from collections.abc import Callable

from cnnmem.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    Add,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    Multiply,
    Shape,
)
from cnnmem.model.network import Builder, Network

from .mobilenet import divisible
from .variants import check_width, variants

# Kernel, expanded maps, maps, squeeze and excitation, activation, stride: tables 1 and 2.
Block = tuple[int, int, int, bool, str, int]
LARGE: tuple[Block, ...] = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hardswish", 2),
    (3, 200, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 480, 112, True, "hardswish", 1),
    (3, 672, 112, True, "hardswish", 1),
    (5, 672, 160, True, "hardswish", 2),
    (5, 960, 160, True, "hardswish", 1),
    (5, 960, 160, True, "hardswish", 1),
)
SMALL: tuple[Block, ...] = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2),
    (5, 240, 40, True, "hardswish", 1),
    (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1),
    (5, 144, 48, True, "hardswish", 1),
    (5, 288, 96, True, "hardswish", 2),
    (5, 576, 96, True, "hardswish", 1),
    (5, 576, 96, True, "hardswish", 1),
)
PLANS = {"mobilenet_v3_large": (LARGE, 1280), "mobilenet_v3_small": (SMALL, 1024)}


def squeeze_and_excite(
    build: Builder, name: str, maps: int, squeezed: int, activation: Layer, gate: str
) -> str:
    """Add the block that weighs each map by what all maps hold, and return the product's name.

    Source: Hu et al., "Squeeze-and-excitation networks" (arXiv 1709.01507).
    """
    x = build.nodes[-1].name
    build(f"{name}.avgpool", AdaptiveAvgPool2d(1))
    build(f"{name}.fc1", Conv2d(squeezed, 1))
    build(f"{name}.activation", activation)
    build(f"{name}.fc2", Conv2d(maps, 1))
    weights = build(f"{name}.scale_activation", Activation(gate))
    return build(f"{name}.mul", Multiply(), weights, x, functional=True)


def _named(name: str) -> Callable[..., Network]:
    def mobilenet_v3(
        variant: str = "torchvision",
        top: bool = True,
        classes: int = 1000,
        image: Shape = (224, 224, 3),
        width: float = 1.0,
    ) -> Network:
        check_width(width)
        blocks, last = PLANS[name]
        build = Builder()

        def norm(step: str, function: str) -> str:
            build(f"{step}.1", BatchNorm())
            return build(f"{step}.2", Activation(function, in_place=True))

        build.block = "features.0"
        maps = divisible(16 * width)
        build("features.0.0", Conv2d(maps, 3, 2, 1, bias=False))
        x = norm("features.0", "hardswish")
        for i, (kernel, wide, out, squeeze, function, stride) in enumerate(blocks, 1):
            block = build.block = f"features.{i}"
            before, wide, out = maps, divisible(wide * width), divisible(out * width)
            source, step = x, 0
            if wide != before:
                build(f"{block}.block.0.0", Conv2d(wide, 1, bias=False), x)
                source, step = norm(f"{block}.block.0", function), 1
            depthwise = DepthwiseConv2d(kernel, stride, kernel // 2, bias=False)
            build(f"{block}.block.{step}.0", depthwise, source)
            norm(f"{block}.block.{step}", function)
            step += 1
            if squeeze:
                name_of = f"{block}.block.{step}"
                relu = Activation("relu")
                squeeze_and_excite(build, name_of, wide, divisible(wide / 4), relu, "hardsigmoid")
                step += 1
            build(f"{block}.block.{step}.0", Conv2d(out, 1, bias=False))
            y, maps = build(f"{block}.block.{step}.1", BatchNorm()), out
            if stride == 1 and before == out:
                y = build(f"{block}.add", Add(in_place=True), y, x, functional=True)
            x = y
        build.block = f"features.{len(blocks) + 1}"
        build(f"{build.block}.0", Conv2d(6 * maps, 1, bias=False))
        norm(build.block, "hardswish")
        if top:
            build.block = "classifier"
            build("avgpool", AdaptiveAvgPool2d(1))
            build("flatten", Flatten(), functional=True)
            build("classifier.0", Linear(divisible(last * width)))
            build("classifier.1", Activation("hardswish", in_place=True))
            build("classifier.2", Dropout(0.2, in_place=True))
            build("classifier.3", Linear(classes))
        return build.network(name, image)

    mobilenet_v3.__name__ = mobilenet_v3.__qualname__ = name
    mobilenet_v3.__doc__ = (
        f"Return MobileNetV3-{name[13:]} as torchvision has it; `width` is the width multiplier."
    )
    return variants("torchvision")(mobilenet_v3)


mobilenet_v3_large = _named("mobilenet_v3_large")
mobilenet_v3_small = _named("mobilenet_v3_small")
