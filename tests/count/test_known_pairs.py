"""Pairs of published numbers that people ask about, exact, and the way between them."""

from fractions import Fraction

import pytest

from cnnmem import published, reconcile, summary
from cnnmem.model import zoo


def of(network, convention, **options):
    """Return a total; a network is made with options."""
    return summary(zoo.get(network, **options) if options else network).total(convention)


PAIRS = {
    "ResNet-50: 25.56 M (torchvision) and 25.64 M parameters (Keras)": (
        of("resnet50", "parameters"),
        of("resnet50/keras", "keras-parameters"),
        25_557_032,
        [
            ("rows", "convolutions: biases added", 26_560),
            (
                "what is counted",
                "batch normalisation: running statistics counted",
                53_120,
            ),
        ],
        25_636_712,
    ),
    "ResNet-50: 3.8 G (paper) and 4.1 G (torchvision)": (
        of("resnet50/paper", "macs"),
        of("resnet50", "macs"),
        3_857_973_248,
        [("rows", "convolutions: stride in the 3x3 instead of the 1x1", 231_211_008)],
        4_089_184_256,
    ),
    "Inception-v3: 27.16 M (torchvision) and 23.85 M (Keras)": (
        of("inception_v3", "parameters", auxiliary=True),
        of("inception_v3/keras", "keras-parameters"),
        27_161_264,
        [
            ("rows", "the auxiliary classifier only in the first", -3_326_696),
            ("rows", "batch normalisation: scales left out", -17_216),
            (
                "what is counted",
                "batch normalisation: running statistics counted",
                34_432,
            ),
        ],
        23_851_784,
    ),
    "AlexNet: 60 M (paper, two groups) and 61 M (torchvision)": (
        of("alexnet/paper", "parameters"),
        of("alexnet", "parameters"),
        60_965_224,
        [
            ("rows", "convolutions: 1 group instead of 2", 1_413_120),
            ("rows", "convolutions: fewer channels", -1_277_504),
        ],
        61_100_840,
    ),
    "AlexNet: 60 M and 62.4 M (the paper's widths, no groups)": (
        of("alexnet/paper", "parameters"),
        of("alexnet/ungrouped", "parameters"),
        60_965_224,
        [("rows", "convolutions: 1 group instead of 2", 1_413_120)],
        62_378_344,
    ),
    "VGG-16: 15.3 G and 15.5 G": (
        of("vgg16", "convolution-macs"),
        of("vgg16", "macs"),
        15_346_630_656,
        [("rows", "linear layers in", 123_633_664)],
        15_470_264_320,
    ),
    "VGG-16: 15.5 G and 30.9 G": (
        of("vgg16", "macs"),
        of("vgg16", "flops"),
        15_470_264_320,
        [("factor", "x 2 instead of x 1", 15_470_264_320)],
        30_940_528_640,
    ),
    "VGG-16's 15.5 G and VGG-19's 19.6 G": (
        of("vgg16", "macs"),
        of("vgg19", "macs"),
        15_470_264_320,
        [("rows", "3 convolutions only in the second", 4_161_798_144)],
        19_632_062_464,
    ),
    "GoogLeNet: 7.0 M and 13.4 M (paper)": (
        of("googlenet/paper", "parameters"),
        of("googlenet/paper", "parameters", auxiliary=True),
        6_998_552,
        [("rows", "2 auxiliary classifiers only in the second", 6_379_728)],
        13_378_280,
    ),
    "GoogLeNet: 6.6 M (torchvision) and 7.0 M (paper)": (
        of("googlenet", "parameters"),
        of("googlenet/paper", "parameters"),
        6_624_904,
        [
            ("rows", "57 rows of batch normalisation only in the first", -14_560),
            ("rows", "convolutions: biases added", 7_280),
            ("rows", "convolutions: kernel 5x5 instead of 3x3", 380_928),
        ],
        6_998_552,
    ),
    "GoogLeNet: 6.6 M and 13.0 M (torchvision)": (
        of("googlenet", "parameters"),
        of("googlenet", "parameters", auxiliary=True),
        6_624_904,
        [("rows", "2 auxiliary classifiers only in the second", 6_379_984)],
        13_004_888,
    ),
    "MobileNetV2: 300 M and 314 M (fvcore)": (
        of("mobilenet_v2", "macs"),
        of("mobilenet_v2", "fvcore"),
        300_774_272,
        [
            (
                "what is counted",
                "batch normalisation: an operation an output value counted",
                13_356_224,
            ),
            ("what is counted", "adaptive pooling: an operation an input value counted", 62_720),
        ],
        314_193_216,
    ),
    "MobileNetV2: 3.4 M (paper) and 3.5 M": (
        of("mobilenet_v2", "parameters-without-norm"),
        of("mobilenet_v2", "parameters"),
        3_470_760,
        [("rows", "batch normalisation in", 34_112)],
        3_504_872,
    ),
    "EfficientNet-B0: 0.39 G and 0.41 G (thop)": (
        of("efficientnet_b0", "macs"),
        of("efficientnet_b0", "thop"),
        385_814_752,
        [
            (
                "what is counted",
                "batch normalisation: an operation an output value counted",
                26_950_784,
            ),
            ("what is counted", "adaptive pooling: an operation an input value counted", 2_369_248),
            ("what is counted", "adaptive pooling: an operation an output value counted", 10_240),
        ],
        415_145_024,
    ),
    "MobileNetV3-large: 217 M and 235 M (thop)": (
        of("mobilenet_v3_large", "macs"),
        of("mobilenet_v3_large", "thop"),
        216_589_760,
        [
            (
                "what is counted",
                "batch normalisation: an operation an output value counted",
                17_599_232,
            ),
            ("what is counted", "adaptive pooling: an operation an input value counted", 644_448),
            ("what is counted", "adaptive pooling: an operation an output value counted", 5_016),
        ],
        234_838_456,
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_known_pair_is_reconciled_in_named_steps(pair):
    first, second, start, steps, end = PAIRS[pair]
    assert (first.value, second.value) == (start, end)
    found = reconcile(first, second)
    assert [(step.stage, step.name, step.delta) for step in found.steps] == steps
    assert start + sum(delta for *_, delta in steps) == end


# Of these, something stays: the number, what it is compared with, and what no step explains.
REMAINDERS = {
    "MobileNetV2 at width 1.4: 6.9 M (paper) and 6.1 M": (
        "mobilenet-v2-mobilenet_v2-1.4-224-parameters",
        of("mobilenet_v2/1.4", "parameters"),
        -791_224,
    ),
    "GoogLeNet: 6.8 M (MobileNet's paper) and 7.0 M": (
        "mobilenet-popular-googlenet-paper-224-parameters",
        of("googlenet/paper", "parameters"),
        198_552,
    ),
    "SqueezeNet: less than 0.5 MB (its title) and 1.25 M parameters": (
        "squeezenet-squeezenet1_0-224-size",
        of("squeezenet1_0", "parameters-mb"),
        Fraction("4.493696"),
    ),
}


@pytest.mark.parametrize("pair", REMAINDERS)
def test_what_stays_of_a_known_pair_is_called_unexplained(pair):
    id, total, remainder = REMAINDERS[pair]
    found = reconcile(published.get(id), total)
    assert [(step.stage, step.delta) for step in found.steps] == [("unexplained", remainder)]
    assert found.unexplained == remainder
    assert "unexplained" in found.sentence()


def test_cut_digits_are_a_step_of_their_own():
    found = reconcile(
        published.get("slim-mobilenet-v2-mobilenet_v2-224-macs"), of("mobilenet_v2", "macs")
    )
    assert [(step.stage, step.name, step.delta) for step in found.steps] == [
        ("print", "exact instead of digits cut", 774_272)
    ]
