"""One kind of layer has one name, whichever framework it comes from."""

import pytest

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from keras import layers as K
from keras import ops
from torch import nn
from torch.nn import functional as F

from cnnmem import summary

MAP, SEQUENCE = (8, 8, 12), (6, 12)
# kind: torch's layer, Keras' layer, the shape of an image
SAME = {
    "conv": (lambda: nn.Conv2d(12, 4, 3), lambda: K.Conv2D(4, 3), MAP),
    "depthwise_conv": (
        lambda: nn.Conv2d(12, 12, 3, groups=12),
        lambda: K.DepthwiseConv2D(3),
        MAP,
    ),
    "conv_transpose": (
        lambda: nn.ConvTranspose2d(12, 4, 2, 2),
        lambda: K.Conv2DTranspose(4, 2, 2),
        MAP,
    ),
    "linear": (lambda: nn.Linear(12, 4), lambda: K.Dense(4), SEQUENCE),
    "batch_norm": (lambda: nn.BatchNorm2d(12), K.BatchNormalization, MAP),
    "layer_norm": (lambda: nn.LayerNorm(12), K.LayerNormalization, SEQUENCE),
    "group_norm": (lambda: nn.GroupNorm(3, 12), lambda: K.GroupNormalization(3), MAP),
    "rms_norm": (lambda: nn.RMSNorm(12), K.RMSNormalization, SEQUENCE),
    "max_pool": (lambda: nn.MaxPool2d(2), K.MaxPooling2D, MAP),
    "avg_pool": (lambda: nn.AvgPool2d(2), lambda: K.AveragePooling2D(2), MAP),
    "adaptive_avg_pool": (
        lambda: nn.AdaptiveAvgPool2d(2),
        lambda: K.AdaptiveAveragePooling2D(2),
        MAP,
    ),
    "adaptive_max_pool": (
        lambda: nn.AdaptiveMaxPool2d(2),
        lambda: K.AdaptiveMaxPooling2D(2),
        MAP,
    ),
    "zero_pad": (lambda: nn.ZeroPad2d(1), K.ZeroPadding2D, MAP),
    "upsample": (lambda: nn.Upsample(scale_factor=2), K.UpSampling2D, MAP),
    "dropout": (nn.Dropout, lambda: K.Dropout(0.5), MAP),
    "flatten": (nn.Flatten, K.Flatten, MAP),
    "rnn": (lambda: nn.RNN(12, 4, batch_first=True), lambda: K.SimpleRNN(4), SEQUENCE),
    "lstm": (lambda: nn.LSTM(12, 4, batch_first=True), lambda: K.LSTM(4), SEQUENCE),
    "gru": (lambda: nn.GRU(12, 4, batch_first=True), lambda: K.GRU(4), SEQUENCE),
    "prelu": (lambda: nn.PReLU(12), K.PReLU, MAP),
    "identity": (nn.Identity, K.Identity, MAP),
    **{
        kind: (each, lambda name=name: K.Activation(name), MAP)
        for kind, (each, name) in {
            "relu": (nn.ReLU, "relu"),
            "relu6": (nn.ReLU6, "relu6"),
            "leaky_relu": (nn.LeakyReLU, "leaky_relu"),
            "elu": (nn.ELU, "elu"),
            "selu": (nn.SELU, "selu"),
            "celu": (nn.CELU, "celu"),
            "gelu": (nn.GELU, "gelu"),
            "silu": (nn.SiLU, "silu"),
            "mish": (nn.Mish, "mish"),
            "sigmoid": (nn.Sigmoid, "sigmoid"),
            "tanh": (nn.Tanh, "tanh"),
            "hardswish": (nn.Hardswish, "hard_swish"),
            "hardsigmoid": (nn.Hardsigmoid, "hard_sigmoid"),
            "hardtanh": (nn.Hardtanh, "hard_tanh"),
            "softplus": (nn.Softplus, "softplus"),
            "softsign": (nn.Softsign, "softsign"),
            "softshrink": (nn.Softshrink, "soft_shrink"),
            "hardshrink": (nn.Hardshrink, "hard_shrink"),
            "tanhshrink": (nn.Tanhshrink, "tanh_shrink"),
            "softmax": (lambda: nn.Softmax(1), "softmax"),
            "log_softmax": (lambda: nn.LogSoftmax(1), "log_softmax"),
            "log_sigmoid": (nn.LogSigmoid, "log_sigmoid"),
        }.items()
    },
}
FUNCTIONS = {
    "add": (lambda x: x + x, lambda x: x + x),
    "subtract": (lambda x: x - 1.0, lambda x: x - 1.0),
    "multiply": (lambda x: x * x, lambda x: x * x),
    "divide": (lambda x: x / 2.0, lambda x: x / 2.0),
    "concatenate": (lambda x: torch.cat([x, x], 1), lambda x: ops.concatenate([x, x], -1)),
    "zero_pad": (
        lambda x: F.pad(x, (1, 1)),
        lambda x: ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))),
    ),
    "upsample": (lambda x: F.interpolate(x, (9, 9)), lambda x: ops.image.resize(x, (9, 9))),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), lambda x: ops.nn.depth_to_space(x, 2)),
    "relu": (F.relu, ops.relu),
    "matmul": (lambda x: x @ x, lambda x: ops.matmul(x, ops.transpose(x, (0, 1, 3, 2)))),
    "abs": (torch.abs, ops.abs),
    "sqrt": (torch.sqrt, ops.sqrt),
    "transpose": (lambda x: x.transpose(2, 3), lambda x: ops.transpose(x, (0, 2, 1, 3))),
    "rms_norm": (lambda x: F.rms_norm(x, (8,)), lambda x: ops.rms_normalization(x)),
    "index": (lambda x: x[:, :2], lambda x: x[:, :2]),
}


def order(shape):
    """Return a shape with its channels first, if it is that of a map."""
    return shape[-1:] + shape[:-1] if len(shape) == 3 else shape


def kinds(table):
    return [row.kind for row in table.rows[1:]]


@pytest.mark.parametrize("kind", SAME)
def test_a_layer_has_one_name_in_both_frameworks(kind):
    in_torch, in_keras, shape = SAME[kind]
    assert kinds(summary(in_torch(), (1, *order(shape)))) == [kind]
    assert kinds(summary(keras.Sequential([keras.Input(shape), in_keras()]))) == [kind]


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_function_has_one_name_in_both_frameworks(kind):
    in_torch, in_keras = FUNCTIONS[kind]

    class Calls(nn.Module):
        def forward(self, x):
            return in_torch(x)

    image = keras.Input(MAP)
    model = keras.Model(image, in_keras(image))
    assert kinds(summary(Calls(), (1, *order(MAP)))) == [kind]
    assert kinds(summary(model))[-1] == kind  # a product transposes first


def test_the_same_network_has_the_same_total_in_both_frameworks():
    first = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ConvTranspose2d(8, 4, 2, 2))
    second = keras.Sequential(
        [keras.Input((8, 8, 1)), K.Conv2D(8, 3, padding="same"), K.Conv2DTranspose(4, 2, 2)]
    )
    tables = summary(first, (1, 1, 8, 8)), summary(second)
    assert [int(t.total("convolution-macs").value) for t in tables] == [12_800, 12_800]
