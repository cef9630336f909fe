"""One layer: its output shape, its parameters, its MACs and what its backward keeps.

Shapes are of one image, without the batch: `(H, W, C)` for a feature map, `(C,)` for a vector.
Every formula is plain arithmetic, so that `explain` can run the same line on `formula.Named`
numbers and show it. Sources: the formulas of convolution arithmetic are those of Dumoulin and
Visin, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285), and of the
documentation of the frameworks; what backward keeps was read off PyTorch 2.13 on the CPU with
`torch.autograd.graph.saved_tensors_hooks` and is tested against it.
"""

from .activations import (
    ACTIVATIONS,
    Activation,
    Dropout,
    ReLU,
    ReLU6,
    Softmax,
    StochasticDepth,
    has_in_place,
)
from .base import ITS_INPUT, ITS_OUTPUT, NOTHING, Kept, Layer, Operations, Recorded, Shape
from .joining import Add, Concatenate, Flatten, Multiply, ZeroPad2d
from .learned import (
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    GroupNorm,
    LayerNorm,
    Linear,
    SeparableConv2d,
)
from .pooling import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxPool2d
from .resizing import ConvTranspose2d, PixelShuffle, Upsample

__all__ = [
    "ACTIVATIONS",
    "ITS_INPUT",
    "ITS_OUTPUT",
    "NOTHING",
    "Activation",
    "AdaptiveAvgPool2d",
    "Add",
    "AvgPool2d",
    "BatchNorm",
    "Concatenate",
    "Conv2d",
    "ConvTranspose2d",
    "DepthwiseConv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "GlobalMaxPool2d",
    "GroupNorm",
    "Kept",
    "Layer",
    "LayerNorm",
    "Linear",
    "MaxPool2d",
    "Multiply",
    "Operations",
    "PixelShuffle",
    "ReLU",
    "ReLU6",
    "Recorded",
    "SeparableConv2d",
    "Shape",
    "Softmax",
    "StochasticDepth",
    "Upsample",
    "ZeroPad2d",
    "has_in_place",
]
