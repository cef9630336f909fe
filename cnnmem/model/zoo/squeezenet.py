"""SqueezeNet: Iandola et al. (arXiv 1602.07360); 1.1 is the authors' later release."""

from __future__ import annotations

from collections.abc import Callable

from cnnmem.model.layers import (
    AdaptiveAvgPool2d,
    Concatenate,
    Conv2d,
    Dropout,
    Flatten,
    MaxPool2d,
    ReLU,
    Shape,
)
from cnnmem.model.network import Builder, Network

from .variants import variants

FIRES = (16, 16, 32, 32, 48, 48, 64, 64)  # maps of the squeeze; each expand has four times as many
STEMS = {"squeezenet1_0": (96, 7), "squeezenet1_1": (64, 3)}  # maps, kernel
POOLS = {"squeezenet1_0": (0, 3, 7), "squeezenet1_1": (0, 2, 4)}  # before these fires


def _fire(build: Builder, name: str, squeeze: int) -> None:
    build(f"{name}.squeeze", Conv2d(squeeze, 1))
    x = build(f"{name}.squeeze_activation", ReLU(in_place=True))
    sides = []
    for kernel in (1, 3):
        part = f"{name}.expand{kernel}x{kernel}"
        build(part, Conv2d(4 * squeeze, kernel, padding=kernel // 2), x)
        sides.append(build(f"{part}_activation", ReLU(in_place=True)))
    build(f"{name}.cat", Concatenate(), *sides, functional=True)


def _named(name: str) -> Callable[..., Network]:
    def squeezenet(
        variant: str = "torchvision",
        top: bool = True,
        classes: int = 1000,
        image: Shape = (224, 224, 3),
    ) -> Network:
        build = Builder()
        build("features.0", Conv2d(*STEMS[name], stride=2))
        build("features.1", ReLU(in_place=True))
        at = 2
        for i, squeeze in enumerate(FIRES):
            if i in POOLS[name]:
                build(f"features.{at}", MaxPool2d(3, 2, ceil_mode=True))
                at += 1
            build.block = f"features.{at}"
            _fire(build, build.block, squeeze)
            build.block = ""
            at += 1
        if top:
            build.block = "classifier"
            build("classifier.0", Dropout())
            build("classifier.1", Conv2d(classes, 1))
            build("classifier.2", ReLU(in_place=True))
            build("classifier.3", AdaptiveAvgPool2d(1))
            build("flatten", Flatten(), functional=True)
        return build.network(name, image)

    squeezenet.__name__ = squeezenet.__qualname__ = name
    squeezenet.__doc__ = f"Return SqueezeNet {name[-3:].replace('_', '.')}, as torchvision has it."
    return variants("torchvision")(squeezenet)


squeezenet1_0 = _named("squeezenet1_0")
squeezenet1_1 = _named("squeezenet1_1")
