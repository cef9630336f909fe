"""GoogLeNet and Inception-v3.

Sources: Szegedy et al., "Going deeper with convolutions" (arXiv 1409.4842) and "Rethinking the
Inception architecture for computer vision" (arXiv 1512.00567).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnmem.model.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm,
    Concatenate,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Shape,
)
from cnnmem.model.network import Builder, Network

from .variants import variants

# A convolution: its name, its maps, its kernel, and its stride if it is not 1. Maps are padded to
# keep their size, but for strides of 2.
Convolution = tuple[Any, ...]


class _Inception:
    """Adds convolutions and branches; `norm` is None for the network without normalisation."""

    def __init__(self, norm: BatchNorm | None, in_place: bool) -> None:
        self.build, self.norm, self.in_place = Builder(), norm, in_place

    def conv(self, name: str, layer: Conv2d, *inputs: str) -> str:
        """Add a convolution, its normalisation and its ReLU."""
        if self.norm is None:
            self.build(name, layer, *inputs)
        else:
            self.build(f"{name}.conv", layer, *inputs)
            self.build(f"{name}.bn", self.norm)
        return self.build(f"{name}.relu", ReLU(self.in_place), functional=True)

    def chain(self, block: str, x: str, convolutions: Sequence[Convolution]) -> str:
        """Add convolutions one after the other."""
        for name, maps, kernel, *stride in convolutions:
            sides = (kernel, kernel) if isinstance(kernel, int) else kernel
            padding = 0 if stride else (sides[0] // 2, sides[1] // 2)
            by = stride[0] if stride else 1
            layer = Conv2d(maps, kernel, by, padding, bias=self.norm is None)
            x = self.conv(f"{block}.{name}", layer, x)
        return x

    def join(self, block: str, parts: Sequence[str]) -> str:
        """Concatenate what the branches give."""
        return self.build(f"{block}.cat", Concatenate(), *parts, functional=True)

    def classifier(self, classes: int, drop: float | None, drop_first: bool = False) -> None:
        """Average each map, and classify."""
        if drop is None:  # Keras
            self.build("avg_pool", GlobalAvgPool2d())
            self.build("predictions", Linear(classes))
            return
        self.build("avgpool", AdaptiveAvgPool2d(1))
        if drop_first:
            self.build("dropout", Dropout(drop))
        self.build("flatten", Flatten(), functional=True)
        if not drop_first:
            self.build("dropout", Dropout(drop))
        self.build("fc", Linear(classes))


# 1x1; 1x1 and 3x3; 1x1 and 5x5; pool and 1x1: table 1 of the paper
GOOGLENET = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


@variants("torchvision", "paper")
def googlenet(
    variant: str = "torchvision",
    top: bool = True,
    classes: int = 1000,
    image: Shape = (224, 224, 3),
    auxiliary: bool = False,
) -> Network:
    """Return GoogLeNet; `auxiliary` adds the two classifiers that only training has.

    "torchvision" has batch normalisation, no biases, and 3x3 where the "paper" has 5x5. The
    paper's local response normalisation, which has no parameters, is left out.
    """
    paper = variant == "paper"
    parts = _Inception(None if paper else BatchNorm(), in_place=True)
    build = parts.build
    parts.conv("conv1", Conv2d(64, 7, 2, 3, bias=paper))
    build("maxpool1", MaxPool2d(3, 2, ceil_mode=True))
    parts.conv("conv2", Conv2d(64, 1, bias=paper))
    parts.conv("conv3", Conv2d(192, 3, padding=1, bias=paper))
    x = build("maxpool2", MaxPool2d(3, 2, ceil_mode=True))
    outputs: list[str] = []
    for at, (one, to3, three, to5, five, pooled) in GOOGLENET.items():
        name = build.block = f"inception{at}"
        wide = 5 if paper else 3
        branches = [
            parts.chain(name, x, [("branch1", one, 1)]),
            parts.chain(name, x, [("branch2.0", to3, 1), ("branch2.1", three, 3)]),
            parts.chain(name, x, [("branch3.0", to5, 1), ("branch3.1", five, wide)]),
        ]
        pool = build(f"{name}.branch4.0", MaxPool2d(3, 1, 1, ceil_mode=True), x)
        branches.append(parts.chain(name, pool, [("branch4.1", pooled, 1)]))
        x = parts.join(name, branches)
        build.block = ""
        if auxiliary and at in ("4a", "4d"):
            outputs.append(_googlenets_auxiliary(parts, f"aux{len(outputs) + 1}", x, classes))
        if at in ("3b", "4e"):
            pool_size = 3 if at == "3b" or paper else 2
            x = build(f"maxpool{at[0]}", MaxPool2d(pool_size, 2, ceil_mode=True), x)
    if top:
        parts.classifier(classes, 0.4 if paper else 0.2)
    return build.network("googlenet", image, outputs)


def _googlenets_auxiliary(parts: _Inception, name: str, x: str, classes: int) -> str:
    build, paper = parts.build, parts.norm is None
    pool: Layer = AvgPool2d(5, 3) if paper else AdaptiveAvgPool2d(4)
    build.block = name
    build(f"{name}.pool", pool, x, functional=True)
    parts.conv(f"{name}.conv", Conv2d(128, 1, bias=paper))
    build(f"{name}.flatten", Flatten(), functional=True)
    build(f"{name}.fc1", Linear(1024))
    build(f"{name}.relu", ReLU(in_place=True), functional=True)
    build(f"{name}.dropout", Dropout(0.7))
    build(f"{name}.fc2", Linear(classes))
    build.block = ""
    return f"{name}.fc2"


@variants("torchvision", "keras")
def inception_v3(
    variant: str = "torchvision",
    top: bool = True,
    classes: int = 1000,
    image: Shape = (299, 299, 3),
    auxiliary: bool = False,
) -> Network:
    """Return Inception-v3; `auxiliary` adds the classifier that only training has.

    "keras" has no scale in its batch normalisation, no dropout and no auxiliary classifier.
    """
    keras = variant == "keras"
    parts = _Inception(BatchNorm(scale=not keras), in_place=not keras)
    build = parts.build
    for name, maps, kernel, stride, padding in (
        ("Conv2d_1a_3x3", 32, 3, 2, 0),
        ("Conv2d_2a_3x3", 32, 3, 1, 0),
        ("Conv2d_2b_3x3", 64, 3, 1, 1),
        ("maxpool1", 0, 3, 2, 0),
        ("Conv2d_3b_1x1", 80, 1, 1, 0),
        ("Conv2d_4a_3x3", 192, 3, 1, 0),
        ("maxpool2", 0, 3, 2, 0),
    ):
        if maps:
            parts.conv(name, Conv2d(maps, kernel, stride, padding, bias=False))
        else:
            build(name, MaxPool2d(kernel, stride))
    x, outputs = build.nodes[-1].name, []
    for name, block, *sizes in INCEPTION_V3:
        build.block = name
        x = parts.join(name, block(parts, name, x, *sizes))
        build.block = ""
        if auxiliary and name == "Mixed_6e":
            outputs.append(_inception_v3s_auxiliary(parts, x, classes))
    if top:
        parts.classifier(classes, None if keras else 0.5, drop_first=True)
    return build.network("inception_v3", image, outputs)


def _averaged(parts: _Inception, name: str, x: str, maps: int) -> str:
    pool = parts.build(f"{name}.avg_pool2d", AvgPool2d(3, 1, 1), x, functional=True)
    return parts.chain(name, pool, [("branch_pool", maps, 1)])


def _pooled(parts: _Inception, name: str, x: str) -> str:
    return parts.build(f"{name}.max_pool2d", MaxPool2d(3, 2), x, functional=True)


def _block_a(parts: _Inception, name: str, x: str, pooled: int) -> list[str]:
    double = [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)]
    return [
        parts.chain(name, x, [("branch1x1", 64, 1)]),
        parts.chain(name, x, [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)]),
        parts.chain(name, x, double),
        _averaged(parts, name, x, pooled),
    ]


def _block_b(parts: _Inception, name: str, x: str) -> list[str]:
    double = [
        ("branch3x3dbl_1", 64, 1),
        ("branch3x3dbl_2", 96, 3),
        ("branch3x3dbl_3", 96, 3, 2),
    ]
    return [
        parts.chain(name, x, [("branch3x3", 384, 3, 2)]),
        parts.chain(name, x, double),
        _pooled(parts, name, x),
    ]


def _block_c(parts: _Inception, name: str, x: str, maps: int) -> list[str]:
    single = [
        ("branch7x7_1", maps, 1),
        ("branch7x7_2", maps, (1, 7)),
        ("branch7x7_3", 192, (7, 1)),
    ]
    double = [
        ("branch7x7dbl_1", maps, 1),
        ("branch7x7dbl_2", maps, (7, 1)),
        ("branch7x7dbl_3", maps, (1, 7)),
        ("branch7x7dbl_4", maps, (7, 1)),
        ("branch7x7dbl_5", 192, (1, 7)),
    ]
    return [
        parts.chain(name, x, [("branch1x1", 192, 1)]),
        parts.chain(name, x, single),
        parts.chain(name, x, double),
        _averaged(parts, name, x, 192),
    ]


def _block_d(parts: _Inception, name: str, x: str) -> list[str]:
    single = [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3, 2)]
    double = [
        ("branch7x7x3_1", 192, 1),
        ("branch7x7x3_2", 192, (1, 7)),
        ("branch7x7x3_3", 192, (7, 1)),
        ("branch7x7x3_4", 192, 3, 2),
    ]
    return [
        parts.chain(name, x, single),
        parts.chain(name, x, double),
        _pooled(parts, name, x),
    ]


def _block_e(parts: _Inception, name: str, x: str) -> list[str]:
    one = parts.chain(name, x, [("branch1x1", 320, 1)])
    single = _split(parts, name, parts.chain(name, x, [("branch3x3_1", 384, 1)]), "branch3x3_2")
    to = [("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3)]
    double = _split(parts, name, parts.chain(name, x, to), "branch3x3dbl_3")
    return [one, single, double, _averaged(parts, name, x, 192)]


def _split(parts: _Inception, name: str, x: str, branch: str) -> str:
    """Add a 1x3 and a 3x1 convolution side by side."""
    sides = [
        parts.chain(name, x, [(f"{branch}{letter}", 384, kernel)])
        for letter, kernel in (("a", (1, 3)), ("b", (3, 1)))
    ]
    return parts.join(f"{name}.{branch}", sides)


INCEPTION_V3: tuple[tuple[Any, ...], ...] = (
    ("Mixed_5b", _block_a, 32),
    ("Mixed_5c", _block_a, 64),
    ("Mixed_5d", _block_a, 64),
    ("Mixed_6a", _block_b),
    ("Mixed_6b", _block_c, 128),
    ("Mixed_6c", _block_c, 160),
    ("Mixed_6d", _block_c, 160),
    ("Mixed_6e", _block_c, 192),
    ("Mixed_7a", _block_d),
    ("Mixed_7b", _block_e),
    ("Mixed_7c", _block_e),
)


def _inception_v3s_auxiliary(parts: _Inception, x: str, classes: int) -> str:
    build = parts.build
    build.block = "AuxLogits"
    build("AuxLogits.avg_pool2d", AvgPool2d(5, 3), x, functional=True)
    parts.conv("AuxLogits.conv0", Conv2d(128, 1, bias=False))
    parts.conv("AuxLogits.conv1", Conv2d(768, 5, bias=False))
    build("AuxLogits.adaptive_avg_pool2d", AdaptiveAvgPool2d(1), functional=True)
    build("AuxLogits.flatten", Flatten(), functional=True)
    build("AuxLogits.fc", Linear(classes))
    build.block = ""
    return "AuxLogits.fc"
