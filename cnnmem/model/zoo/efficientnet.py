"""EfficientNet: Tan and Le (arXiv 1905.11946)."""

from __future__ import annotations

from cnnmem.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    Add,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Dropout,
    Flatten,
    Linear,
    Shape,
    StochasticDepth,
)
from cnnmem.model.network import Builder, Network

from .mobilenet_v3 import squeeze_and_excite
from .variants import variants

B0 = (  # expansion, kernel, stride of the first, maps, count: table 1 of the paper
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
DROPPED = 0.2  # the share of images that skip the last block; it grows from 0 at the first


@variants("torchvision")
def efficientnet_b0(
    variant: str = "torchvision",
    top: bool = True,
    classes: int = 1000,
    image: Shape = (224, 224, 3),
) -> Network:
    """Return EfficientNet-B0 as torchvision has it."""
    build, silu = Builder(), Activation("silu", in_place=True)

    def norm(step: str) -> str:
        build(f"{step}.1", BatchNorm())
        return build(f"{step}.2", silu)

    build.block = "features.0"
    build("features.0.0", Conv2d(32, 3, 2, 1, bias=False))
    x, maps, done = norm("features.0"), 32, 0
    blocks = sum(count for *_, count in B0)
    for i, (expansion, kernel, first, out, count) in enumerate(B0, 1):
        build.block = f"features.{i}"
        for j in range(count):
            stride = first if j == 0 else 1
            block, before, wide = f"features.{i}.{j}", x, maps * expansion
            source, step = x, 0
            if expansion != 1:
                build(f"{block}.block.0.0", Conv2d(wide, 1, bias=False), x)
                source, step = norm(f"{block}.block.0"), 1
            depthwise = DepthwiseConv2d(kernel, stride, kernel // 2, bias=False)
            build(f"{block}.block.{step}.0", depthwise, source)
            norm(f"{block}.block.{step}")
            squeezed = max(1, maps // 4)
            name = f"{block}.block.{step + 1}"
            squeeze_and_excite(build, name, wide, squeezed, silu, "sigmoid")
            build(f"{block}.block.{step + 2}.0", Conv2d(out, 1, bias=False))
            x = build(f"{block}.block.{step + 2}.1", BatchNorm())
            if stride == 1 and maps == out:
                x = build(f"{block}.stochastic_depth", StochasticDepth(DROPPED * done / blocks))
                x = build(f"{block}.add", Add(in_place=True), x, before, functional=True)
            maps, done = out, done + 1
    build.block = f"features.{len(B0) + 1}"
    build(f"{build.block}.0", Conv2d(1280, 1, bias=False))
    norm(build.block)
    if top:
        build.block = "classifier"
        build("avgpool", AdaptiveAvgPool2d(1))
        build("flatten", Flatten(), functional=True)
        build("classifier.0", Dropout(0.2, in_place=True))
        build("classifier.1", Linear(classes))
    return build.network("efficientnet_b0", image)
