"""What the two frameworks print of their own models.

torchvision: `num_params` and `_ops` (giga multiply-accumulates, called GFLOPS in its documentation)
of each model's first weights, read from torchvision 0.28.0 on 2026-11-26. Keras: the table of its
applications, templates/api/applications/index.md in keras-team/keras-io at 01b6d6c, read on
2026-11-26.
"""

from __future__ import annotations

from typing import NamedTuple


class Torchvision(NamedTuple):
    """A model's parameters, and its operations in units of 10^9."""

    weights: str
    parameters: int
    operations: str


class Keras(NamedTuple):
    """A model's parameters, running statistics included, and the size of its file in "MB"."""

    name: str
    parameters: int
    size: int


TORCHVISION = {
    "alexnet": Torchvision("AlexNet_Weights", 61_100_840, "0.714"),
    "vgg11/torchvision": Torchvision("VGG11_Weights", 132_863_336, "7.609"),
    "vgg13/torchvision": Torchvision("VGG13_Weights", 133_047_848, "11.308"),
    "vgg16/torchvision": Torchvision("VGG16_Weights", 138_357_544, "15.47"),
    "vgg19/torchvision": Torchvision("VGG19_Weights", 143_667_240, "19.632"),
    "resnet18": Torchvision("ResNet18_Weights", 11_689_512, "1.814"),
    "resnet34": Torchvision("ResNet34_Weights", 21_797_672, "3.664"),
    "resnet50": Torchvision("ResNet50_Weights", 25_557_032, "4.089"),
    "densenet121": Torchvision("DenseNet121_Weights", 7_978_856, "2.834"),
    "densenet169": Torchvision("DenseNet169_Weights", 14_149_480, "3.36"),
    "densenet201": Torchvision("DenseNet201_Weights", 20_013_928, "4.291"),
    "mobilenet_v2": Torchvision("MobileNet_V2_Weights", 3_504_872, "0.301"),
    "mobilenet_v3_large": Torchvision("MobileNet_V3_Large_Weights", 5_483_032, "0.217"),
    "mobilenet_v3_small": Torchvision("MobileNet_V3_Small_Weights", 2_542_856, "0.057"),
    "googlenet": Torchvision("GoogLeNet_Weights", 6_624_904, "1.498"),
    "inception_v3": Torchvision("Inception_V3_Weights", 27_161_264, "5.713"),
    "squeezenet1_0": Torchvision("SqueezeNet1_0_Weights", 1_248_424, "0.819"),
    "squeezenet1_1": Torchvision("SqueezeNet1_1_Weights", 1_235_496, "0.349"),
    "efficientnet_b0": Torchvision("EfficientNet_B0_Weights", 5_288_548, "0.386"),
}
# The parameters of Inception-v3 count its auxiliary classifier, its operations do not.
AUXILIARY = ("inception_v3",)

KERAS = {
    "vgg16/keras": Keras("VGG16", 138_357_544, 528),
    "vgg19/keras": Keras("VGG19", 143_667_240, 549),
    "resnet50/keras": Keras("ResNet50", 25_636_712, 98),
    "inception_v3/keras": Keras("InceptionV3", 23_851_784, 92),
    "mobilenet_v1/keras": Keras("MobileNet", 4_253_864, 16),
    "mobilenet_v2/keras": Keras("MobileNetV2", 3_538_984, 14),
    "densenet121/keras": Keras("DenseNet121", 8_062_504, 33),
    "densenet169/keras": Keras("DenseNet169", 14_307_880, 57),
    "densenet201/keras": Keras("DenseNet201", 20_242_984, 80),
}
