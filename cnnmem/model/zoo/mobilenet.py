"""MobileNet: Howard et al. (arXiv 1704.04861) and, for V2, Sandler et al. (arXiv 1801.04381)."""

from __future__ import annotations

from cnnmem.checks import positive
from cnnmem.errors import CnnmemError
from cnnmem.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    Add,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    Shape,
    Softmax,
    ZeroPad2d,
    has_in_place,
)
from cnnmem.model.network import Builder, Network
from cnnmem.model.windows import Padding

from .variants import check_width, variants

V1_BLOCKS = (  # channels, stride
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)
V2_BLOCKS = (  # expansion, channels, count, stride of the first: table 2 of the paper
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


@variants("paper", "keras")
def mobilenet_v1(
    variant: str = "paper",
    top: bool = True,
    classes: int = 1000,
    image: Shape = (224, 224, 3),
    width: float = 1.0,
    resolution: int | None = None,
    separable: bool = True,
    kernel: int = 3,
    activation: str = "",
) -> Network:
    """Return MobileNetV1, or with `separable=False` its twin of full convolutions.

    `width` is the paper's width multiplier, `resolution` the input's height and width, `kernel`
    that of the depthwise convolutions. `activation` is "relu" (default of "paper") or "relu6"
    (default of "keras"). "keras" pads with layers of its own and has its own classifier.
    """
    if check_width(width) < 1 / 32:
        raise CnnmemError(f"width {width!r} leaves conv1 without channels; give 1/32 or more")
    keras = variant == "keras"
    function = activation or ("relu6" if keras else "relu")
    in_place = not keras and has_in_place(function)
    if resolution is not None:
        image = (positive("resolution", resolution), resolution, *image[2:])
    if positive("kernel", kernel) % 2 == 0 or (keras and kernel != 3):
        raise CnnmemError(
            f"kernel is {kernel}; give an odd number, which pads both sides alike "
            '(the variant "keras" has only 3)'
        )
    build = Builder()

    def norm_and_activation(name: str) -> None:
        build(f"{name}_bn", BatchNorm())
        build(f"{name}_relu", Activation(function, in_place))

    build.block = "conv1"
    build("conv1", Conv2d(int(32 * width), 3, 2, "same" if keras else 1, bias=False))
    norm_and_activation("conv1")
    for i, (channels, stride) in enumerate(V1_BLOCKS, 1):
        build.block = f"block{i}"
        filters = int(channels * width)
        padding: Padding = kernel // 2
        if keras:
            padding = "same" if stride == 1 else 0
            if stride == 2:
                build(f"conv_pad_{i}", ZeroPad2d((0, 1, 0, 1)))
        if separable:
            build(f"conv_dw_{i}", DepthwiseConv2d(kernel, stride, padding, bias=False))
            norm_and_activation(f"conv_dw_{i}")
            build(f"conv_pw_{i}", Conv2d(filters, 1, bias=False))
            norm_and_activation(f"conv_pw_{i}")
        else:
            build(f"conv_{i}", Conv2d(filters, kernel, stride, padding, bias=False))
            norm_and_activation(f"conv_{i}")
    build.block = "top"
    if top and keras:
        build("global_average_pooling2d", GlobalAvgPool2d(keepdims=True))
        build("dropout", Dropout(1e-3))
        build("conv_preds", Conv2d(classes, 1))
        build("reshape_2", Flatten())
        build("predictions", Softmax())
    elif top:
        build("avgpool", GlobalAvgPool2d())
        build("fc", Linear(classes))
    name = "mobilenet_v1" if separable else "mobilenet_v1_full"
    return build.network(name, image)


def divisible(value: float, divisor: int = 8) -> int:
    """Return the multiple of 8 that V2 rounds a channel count to, never less than 90 % of it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


@variants("torchvision", "keras")
def mobilenet_v2(
    variant: str = "torchvision",
    top: bool = True,
    classes: int = 1000,
    image: Shape = (224, 224, 3),
    width: float = 1.0,
    activation: str = "relu6",
) -> Network:
    """Return MobileNetV2; `width` is the width multiplier, `activation` "relu6" or "relu"."""
    check_width(width)
    build = Builder()
    blocks = [
        (expand, divisible(channels * width), stride if j == 0 else 1)
        for expand, channels, count, stride in V2_BLOCKS
        for j in range(count)
    ]
    stem, last = divisible(32 * width), divisible(1280 * max(1.0, width))
    if variant == "keras":
        _keras_v2(build, blocks, stem, last, activation, image)
        if top:
            build("global_average_pooling2d", GlobalAvgPool2d())
            build("predictions", Linear(classes))
    else:
        _torchvision_v2(build, blocks, stem, last, activation)
        if top:
            build("avgpool", AdaptiveAvgPool2d(1), functional=True)
            build("flatten", Flatten(), functional=True)
            build("classifier.0", Dropout(0.2))
            build("classifier.1", Linear(classes))
    return build.network("mobilenet_v2", image)


def _torchvision_v2(
    build: Builder, blocks: list[tuple[int, int, int]], stem: int, last: int, activation: str
) -> None:
    def conv_norm_activation(name: str, layer: Conv2d | DepthwiseConv2d, *inputs: str) -> None:
        build(f"{name}.0", layer, *inputs)
        build(f"{name}.1", BatchNorm())
        build(f"{name}.2", Activation(activation, has_in_place(activation)))

    build.block = "features.0"
    conv_norm_activation("features.0", Conv2d(stem, 3, 2, 1, bias=False))
    x, channels = "features.0.2", stem
    for i, (expand, filters, stride) in enumerate(blocks, 1):
        name = build.block = f"features.{i}"
        step = 0
        source: tuple[str, ...] = (x,)
        if expand != 1:
            conv_norm_activation(
                f"{name}.conv.0", Conv2d(channels * expand, 1, bias=False), *source
            )
            step, source = 1, ()
        depthwise = DepthwiseConv2d(3, stride, 1, bias=False)
        conv_norm_activation(f"{name}.conv.{step}", depthwise, *source)
        build(f"{name}.conv.{step + 1}", Conv2d(filters, 1, bias=False))
        y = build(f"{name}.conv.{step + 2}", BatchNorm())
        if stride == 1 and filters == channels:
            y = build(f"{name}.add", Add(), x, y, functional=True)
        x, channels = y, filters
    name = build.block = f"features.{len(blocks) + 1}"
    conv_norm_activation(name, Conv2d(last, 1, bias=False))
    build.block = "classifier"


def _keras_v2(
    build: Builder,
    blocks: list[tuple[int, int, int]],
    stem: int,
    last: int,
    activation: str,
    image: Shape,
) -> None:
    def norm(name: str) -> str:
        build(f"{name}_BN", BatchNorm())
        return build(f"{name}_relu", Activation(activation))

    build.block = "Conv1"
    build("Conv1", Conv2d(stem, 3, 2, "same", bias=False))
    build("bn_Conv1", BatchNorm())
    x, channels = build("Conv1_relu", Activation(activation)), stem
    height, width = (-(-n // 2) for n in image[:2])
    for i, (expand, filters, stride) in enumerate(blocks):
        name = build.block = f"block_{i}" if i else "expanded_conv"
        source = (x,)
        if expand != 1:
            build(f"{name}_expand", Conv2d(channels * expand, 1, bias=False), *source)
            source = (norm(f"{name}_expand"),)
        if stride == 2:
            # Keras pads so that the window reaches the last column of an even map and of an odd
            # one (`correct_pad` in keras.applications.imagenet_utils)
            pad = (height % 2, 1, width % 2, 1)
            source = (build(f"{name}_pad", ZeroPad2d(pad), *source),)
            height, width = -(-height // 2), -(-width // 2)
        padding: Padding = "same" if stride == 1 else 0
        build(f"{name}_depthwise", DepthwiseConv2d(3, stride, padding, bias=False), *source)
        norm(f"{name}_depthwise")
        build(f"{name}_project", Conv2d(filters, 1, bias=False))
        y = build(f"{name}_project_BN", BatchNorm())
        if stride == 1 and filters == channels:
            y = build(f"{name}_add", Add(), x, y)
        x, channels = y, filters
    build.block = "Conv_1"
    build("Conv_1", Conv2d(last, 1, bias=False))
    build("Conv_1_bn", BatchNorm())
    build("out_relu", Activation(activation))
    build.block = "top"
