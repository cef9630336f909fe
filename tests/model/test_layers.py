"""One layer: counts against values worked out by hand, and what a layer refuses."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cnnmem import CnnmemError, ShapeError, UnknownNameError
from cnnmem.model.layers import (
    ACTIVATIONS,
    GLU,
    GRU,
    LSTM,
    RNN,
    Activation,
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    Add,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    BatchNorm,
    Concatenate,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    DepthwiseConv1d,
    DepthwiseConv2d,
    DepthwiseConv3d,
    DotProductAttention,
    Dropout,
    EdgePad2d,
    Embedding,
    Flatten,
    GlobalAvgPool2d,
    GlobalAvgPool3d,
    GlobalMaxPool1d,
    GlobalMaxPool2d,
    GroupNorm,
    InstanceNorm,
    Kept,
    LayerNorm,
    Linear,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    MultiheadAttention,
    Multiply,
    PixelShuffle,
    PixelUnshuffle,
    PReLU,
    ReLU,
    ReLU6,
    Resize2d,
    SeparableConv1d,
    SeparableConv2d,
    Softmax,
    Upsample,
    Upsample1d,
    Upsample3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)

SHAPES = [
    # layer, input, output
    (Conv2d(64, 3, padding=1), (224, 224, 3), (224, 224, 64)),
    (Conv2d(64, 3), (224, 224, 3), (222, 222, 64)),
    (Conv2d(64, 7, 2, 3), (224, 224, 3), (112, 112, 64)),
    (Conv2d(64, 11, 4, 2), (224, 224, 3), (55, 55, 64)),
    (Conv2d(8, (3, 5), (2, 1), (1, 2)), (9, 10, 3), (5, 10, 8)),
    (Conv2d(8, 3, padding=(0, 1, 0, 1)), (8, 8, 3), (7, 7, 8)),
    (Conv2d(8, 3, 2, "same"), (7, 8, 3), (4, 4, 8)),
    (Conv2d(8, 3, padding="valid"), (7, 8, 3), (5, 6, 8)),
    (Conv2d(8, 3, dilation=2), (9, 9, 3), (5, 5, 8)),
    (Conv2d(8, 3, dilation=(1, 3)), (9, 9, 3), (7, 3, 8)),
    (Conv2d(8, 9, padding="same"), (2, 2, 3), (2, 2, 8)),
    (Conv2d(8, 3, groups=4), (5, 5, 4), (3, 3, 8)),
    (DepthwiseConv2d(3, 2, 1), (112, 112, 64), (56, 56, 64)),
    (DepthwiseConv2d(3, padding=1, multiplier=2), (7, 7, 5), (7, 7, 10)),
    (SeparableConv2d(3, 2, "same", out_channels=9), (7, 7, 5), (4, 4, 9)),
    (Linear(10), (7, 7, 512), (10,)),
    (Linear(10), (84,), (10,)),
    (MaxPool2d(2), (7, 8, 3), (3, 4, 3)),
    (MaxPool2d(3, 2), (55, 55, 64), (27, 27, 64)),
    (MaxPool2d(3, 2, 1), (112, 112, 64), (56, 56, 64)),
    (MaxPool2d(2, ceil_mode=True), (7, 7, 3), (4, 4, 3)),
    (MaxPool2d(3, 2, ceil_mode=True), (112, 112, 3), (56, 56, 3)),
    # the last window would start in the padding, at column 6 of 5 + 1: dropped
    (MaxPool2d(2, 3, 1, ceil_mode=True), (5, 5, 3), (2, 2, 3)),
    (MaxPool2d(2, 2, 1, ceil_mode=True), (5, 5, 3), (3, 3, 3)),
    (AvgPool2d(3, 1, "same"), (5, 6, 3), (5, 6, 3)),
    (AdaptiveAvgPool2d(7), (32, 31, 512), (7, 7, 512)),
    (AdaptiveAvgPool2d((1, 2)), (1, 1, 5), (1, 2, 5)),
    (GlobalAvgPool2d(), (7, 6, 5), (5,)),
    (GlobalAvgPool2d(keepdims=True), (7, 6, 5), (1, 1, 5)),
    (GlobalMaxPool2d(), (7, 6, 5), (5,)),
    (Flatten(), (7, 6, 5), (210,)),
    (ZeroPad2d(3), (224, 224, 3), (230, 230, 3)),
    (ZeroPad2d((0, 1, 2, 3)), (4, 4, 3), (5, 9, 3)),
    (BatchNorm(), (7, 6, 5), (7, 6, 5)),
    (ReLU(), (5,), (5,)),
    (Dropout(), (7, 6, 5), (7, 6, 5)),
]


@pytest.mark.parametrize(("layer", "given", "output"), SHAPES, ids=repr)
def test_output_shapes_match_those_worked_out_by_hand(layer, given, output):
    assert layer.output_shape(given) == output


PARAMETERS = [
    # layer, input, weights, biases, statistics, MACs
    (Conv2d(64, 3, padding=1), (224, 224, 3), 1728, 64, 0, 1728 * 224 * 224),
    (Conv2d(64, 3, padding=1, bias=False), (224, 224, 3), 1728, 0, 0, 1728 * 224 * 224),
    (Conv2d(8, (1, 5), padding=(0, 2), groups=2), (4, 6, 4), 80, 8, 0, 80 * 24),
    (DepthwiseConv2d(3, 2, 1), (8, 8, 32), 288, 32, 0, 288 * 16),
    (DepthwiseConv2d(3, 2, 1, multiplier=2), (8, 8, 32), 576, 64, 0, 576 * 16),
    (SeparableConv2d(3, 1, 1, out_channels=64), (8, 8, 32), 288 + 2048, 64, 0, 2336 * 64),
    (Linear(4096), (7, 7, 512), 102_760_448, 4096, 0, 102_760_448),
    (Linear(4, bias=False), (3,), 12, 0, 0, 12),
    (BatchNorm(), (7, 7, 5), 5, 5, 10, 0),
    (BatchNorm(scale=False), (7, 7, 5), 0, 5, 10, 0),
    (BatchNorm(center=False), (5,), 5, 0, 10, 0),
    (MaxPool2d(2), (8, 8, 3), 0, 0, 0, 0),
    (ReLU(), (8, 8, 3), 0, 0, 0, 0),
]


@pytest.mark.parametrize(
    ("layer", "given", "weights", "biases", "statistics", "macs"), PARAMETERS, ids=repr
)
def test_parameters_and_macs_match_those_worked_out_by_hand(
    layer, given, weights, biases, statistics, macs
):
    counted = layer.weights(given), layer.biases(given), layer.statistics(given)
    assert counted == (weights, biases, statistics)
    assert layer.macs(layer.output_shape(given), given) == macs


KEPT = [
    # layer, input, (inputs, output, copies, masks, indices, statistics)
    (Conv2d(8, 3, padding=1), (6, 6, 4), (True, False, 0, 0, 0, 0)),
    (Conv2d(8, 3, 2, "same"), (6, 6, 4), (False, False, 7 * 7 * 4, 0, 0, 0)),
    (Conv2d(8, 3, 1, "same"), (6, 6, 4), (True, False, 0, 0, 0, 0)),
    (SeparableConv2d(3, 1, 1, out_channels=9), (6, 6, 4), (True, False, 144, 0, 0, 0)),
    (Linear(3), (6,), (True, False, 0, 0, 0, 0)),
    (BatchNorm(), (6, 6, 4), (True, False, 0, 0, 0, 8)),
    (MaxPool2d(2), (6, 6, 4), (True, False, 0, 0, 36, 0)),
    (MaxPool2d(2, 2, 1), (6, 6, 4), (True, False, 0, 0, 64, 0)),
    (MaxPool2d(3, 2, (0, 1, 0, 1)), (6, 6, 4), (False, False, 7 * 7 * 4, 0, 36, 0)),
    (AvgPool2d(2), (6, 6, 4), (True, False, 0, 0, 0, 0)),
    (AdaptiveAvgPool2d(2), (6, 6, 4), (True, False, 0, 0, 0, 0)),
    (AdaptiveAvgPool2d(1), (6, 6, 4), (False, False, 0, 0, 0, 0)),
    (GlobalAvgPool2d(), (6, 6, 4), (False, False, 0, 0, 0, 0)),
    (GlobalMaxPool2d(), (6, 6, 4), (True, False, 0, 0, 4, 0)),
    (ReLU(), (6,), (False, True, 0, 0, 0, 0)),
    (ReLU(in_place=True), (6,), (False, True, 0, 0, 0, 0)),
    (Softmax(), (6,), (False, True, 0, 0, 0, 0)),
    (ReLU6(), (6,), (True, False, 0, 0, 0, 0)),
    (ReLU6(in_place=True), (6,), (False, False, 6, 0, 0, 0)),
    (Activation("gelu"), (6,), (True, False, 0, 0, 0, 0)),
    (Dropout(), (6,), (False, False, 0, 6, 0, 0)),
    (Dropout(0.0), (6,), (False, False, 0, 0, 0, 0)),
    (Flatten(), (6, 6, 4), (False, False, 0, 0, 0, 0)),
    (ZeroPad2d(1), (6, 6, 4), (False, False, 0, 0, 0, 0)),
]


@pytest.mark.parametrize(("layer", "given", "kept"), KEPT, ids=repr)
def test_layers_keep_what_facts_says(layer, given, kept):
    assert layer.keeps(layer.output_shape(given), given) == Kept(*kept)


@pytest.mark.parametrize(
    ("layer", "given", "output", "weights", "biases", "macs", "kept"),
    [
        # PyTorch's documentation of ConvTranspose2d: (8 - 1) * 2 - 2 + 2 + 1 + 1 = 16
        (
            ConvTranspose2d(4, 3, 2, 1, 1, groups=2),
            (8, 8, 6),
            (16, 16, 4),
            108,
            4,
            6912,
            Kept(inputs=True),
        ),
        (ConvTranspose2d(64, 2, 2), (5, 7, 128), (10, 14, 64), 32768, 64, 1146880, Kept(True)),
        (Upsample((2, 3)), (5, 7, 8), (10, 21, 8), 0, 0, 0, Kept()),
        (PixelShuffle(2), (5, 7, 8), (10, 14, 2), 0, 0, 0, Kept()),
        (LayerNorm(), (5, 7, 8), (5, 7, 8), 8, 8, 0, Kept(True, per_image=70)),
        (LayerNorm(whole=True), (5, 7, 8), (5, 7, 8), 280, 280, 0, Kept(True, per_image=2)),
        (GroupNorm(4, center=False), (5, 7, 8), (5, 7, 8), 8, 0, 0, Kept(True, per_image=8)),
        (Linear(3, tokens=True), (5, 8), (5, 3), 24, 3, 120, Kept(True)),
        (Activation("elu", in_place=True), (6,), (6,), 0, 0, 0, Kept(output=True)),
        (Activation("mish", in_place=True), (6,), (6,), 0, 0, 0, Kept(copies=6)),
    ],
)
def test_layers_of_up_sampling_and_tokens(layer, given, output, weights, biases, macs, kept):
    assert layer.output_shape(given) == output
    assert (layer.weights(given), layer.biases(given)) == (weights, biases)
    assert layer.macs(output, given) == macs
    assert layer.keeps(output, given) == kept


OTHER_AXES = [
    # layer, input, output, weights, biases, MACs, kept
    (Conv1d(64, 9, 2, 4), (16000, 1), (8000, 64), 576, 64, 576 * 8000, Kept(True)),
    (Conv1d(6, 4, padding="same"), (8, 4), (8, 6), 96, 6, 768, Kept(copies=9 * 4)),
    (Conv1d(6, 3, padding=(2, 0), groups=2), (8, 4), (8, 6), 36, 6, 288, Kept(copies=40)),
    (
        Conv3d(64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False),
        (16, 112, 112, 3),
        (16, 56, 56, 64),
        28224,
        0,
        28224 * 16 * 56 * 56,
        Kept(True),
    ),
    (DepthwiseConv1d(3, padding=1), (9, 4), (9, 4), 12, 4, 108, Kept(True)),
    (DepthwiseConv3d(3, 2, 1), (4, 4, 4, 5), (2, 2, 2, 5), 135, 5, 1080, Kept(True)),
    (SeparableConv1d(3, out_channels=7), (9, 4), (7, 7), 40, 7, 280, Kept(True, copies=28)),
    # PyTorch's documentation of ConvTranspose1d: (8 - 1) * 2 - 2 + 2 + 1 + 1 = 16
    (ConvTranspose1d(4, 3, 2, 1, 1), (8, 6), (16, 4), 72, 4, 576, Kept(True)),
    (ConvTranspose3d(4, 2, 2), (2, 3, 4, 6), (4, 6, 8, 4), 192, 4, 4608, Kept(True)),
    (MaxPool1d(2), (9, 4), (4, 4), 0, 0, 0, Kept(True, indices=16)),
    (MaxPool3d(3, 2, 1), (5, 6, 7, 2), (3, 3, 4, 2), 0, 0, 0, Kept(True, indices=72)),
    (AvgPool1d(2, ceil_mode=True), (9, 4), (5, 4), 0, 0, 0, Kept(True)),
    (AvgPool3d(2), (4, 4, 4, 2), (2, 2, 2, 2), 0, 0, 0, Kept(True)),
    (AdaptiveAvgPool1d(1), (9, 4), (1, 4), 0, 0, 0, Kept()),
    (AdaptiveAvgPool3d((1, 2, 2)), (5, 5, 5, 4), (1, 2, 2, 4), 0, 0, 0, Kept(True)),
    (AdaptiveMaxPool2d(3), (7, 7, 4), (3, 3, 4), 0, 0, 0, Kept(True, indices=36)),
    (GlobalAvgPool3d(), (2, 3, 4, 5), (5,), 0, 0, 0, Kept()),
    (GlobalMaxPool1d(True), (9, 4), (1, 4), 0, 0, 0, Kept(True, indices=4)),
    (ZeroPad1d((1, 2)), (9, 4), (12, 4), 0, 0, 0, Kept()),
    (ZeroPad3d((0, 1, 2, 3, 4, 5)), (1, 1, 1, 4), (2, 6, 10, 4), 0, 0, 0, Kept()),
    (EdgePad2d(1), (5, 5, 4), (7, 7, 4), 0, 0, 0, Kept(True)),
    (EdgePad2d(1, "circular"), (5, 5, 4), (7, 7, 4), 0, 0, 0, Kept()),
    (Upsample1d(3), (5, 4), (15, 4), 0, 0, 0, Kept()),
    (Upsample3d((1, 2, 2)), (5, 4, 3, 2), (5, 8, 6, 2), 0, 0, 0, Kept()),
    (Resize2d((4, 7)), (9, 9, 2), (4, 7, 2), 0, 0, 0, Kept()),
    (PixelUnshuffle(2), (4, 6, 3), (2, 3, 12), 0, 0, 0, Kept()),
    (InstanceNorm(), (5, 7, 8), (5, 7, 8), 8, 8, 0, Kept(True, per_image=24)),
    (PReLU("channel"), (5, 8), (5, 8), 8, 0, 0, Kept(True)),
    (GLU(), (5, 8), (5, 4), 0, 0, 0, Kept(True)),
    (Activation("log_sigmoid"), (6,), (6,), 0, 0, 0, Kept(True, copies=6)),
    (Activation("tanhshrink"), (6,), (6,), 0, 0, 0, Kept(copies=6)),
    (Activation("log_softmax"), (6,), (6,), 0, 0, 0, Kept(output=True)),
    (Embedding(100, 16), (7,), (7, 16), 1600, 0, 0, Kept(indices=7)),
    # 4 gates, each with a matrix of 8 x 5 and one of 5 x 5 per direction, at 7 steps
    (LSTM(5), (7, 8), (7, 5), 260, 40, 1820, Kept()),
    (LSTM(5, bidirectional=True, biases_each=1), (7, 8), (7, 10), 520, 40, 3640, Kept()),
    (GRU(5, last=True), (7, 8), (5,), 195, 30, 1365, Kept()),
    # the second layer reads the 5 values of the first
    (RNN(5, layers=2, biases_each=0), (7, 8), (7, 5), 115, 0, 805, Kept()),
    # and of both directions where there are two
    (GRU(5, 2, True), (7, 8), (7, 10), 390 + 450, 120, 840 * 7, Kept()),
    # four projections of 8 x 8 at 7 steps, 7 x 7 scores and as many weighted values of 8
    (
        MultiheadAttention(2),
        (7, 8),
        (7, 8),
        256,
        32,
        256 * 7 + 2 * 49 * 8,
        Kept(True, copies=4 * 56, float32=14),
    ),
    (
        MultiheadAttention(2, 3, bias=False),
        (7, 8),
        (7, 8),
        192,
        0,
        192 * 7 + 2 * 49 * 6,
        Kept(True, copies=4 * 42, float32=14),
    ),
]


@pytest.mark.parametrize(
    ("layer", "given", "output", "weights", "biases", "macs", "kept"), OTHER_AXES, ids=repr
)
def test_layers_of_other_axes_and_of_sequences(layer, given, output, weights, biases, macs, kept):
    assert layer.output_shape(given) == output
    assert (layer.weights(given), layer.biases(given)) == (weights, biases)
    assert layer.macs(output, given) == macs
    assert layer.keeps(output, given) == kept


def test_attention_of_queries_to_fewer_keys():
    queries, keys, values = (7, 8), (3, 5), (3, 6)
    layer = MultiheadAttention(2)
    assert layer.output_shape(queries, keys, values) == queries
    assert layer.weights(queries, keys, values) == 8 * (8 + 5 + 6 + 8)
    assert layer.macs(queries, queries, keys, values) == 8 * (7 * 16 + 3 * 11) + 2 * 7 * 3 * 8
    heads = [(7, 4, 2), (3, 4, 2), (3, 5, 2)]
    attention = DotProductAttention()
    assert attention.output_shape(*heads) == (7, 5, 2)
    assert attention.macs((7, 5, 2), *heads) == 7 * 3 * (4 + 5) * 2
    with pytest.raises(ShapeError, match="3 keys cannot stand for 4 values"):
        layer.output_shape(queries, keys, (4, 6))
    with pytest.raises(ShapeError, match="attention cannot join queries 7 x 4 x 2"):
        attention.output_shape((7, 4, 2), (3, 4, 2), (4, 4, 2))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Conv1d(4, (3, 3)), r"kernel is \(3, 3\); give .* a tuple \(length,\)"),
        (lambda: Conv3d(4, (3, 3)), r"a triple \(depth, height, width\)"),
        (lambda: Conv1d(4, 3, padding=(1, 1, 1)), r"padding .* \(left, right\)"),
        (lambda: Conv1d(4, 3).output_shape((5, 5, 3)), r"feature map \(L, C\), not 5 x 5 x 3"),
        (lambda: Conv3d(4, 3).output_shape((5, 5, 3)), r"\(T, H, W, C\), not 5 x 5 x 3; take"),
        (lambda: Conv1d(4, 7).output_shape((5, 3)), "kernel 7 does not fit a 5 map"),
        (lambda: MaxPool3d(2, padding=2), "pad with ZeroPad3d"),
        (lambda: AdaptiveMaxPool1d(0), "size is 0"),
        (lambda: EdgePad2d(1, "mirror"), "no padding mode is called 'mirror'; there are refl"),
        (lambda: PReLU("map"), "no kind of PReLU is called 'map'; there are layer, channel"),
        (lambda: GLU().output_shape((5, 3)), "3 channels have no two halves"),
        (lambda: PixelUnshuffle(2).output_shape((5, 4, 3)), "no blocks of 2 x 2; give a multi"),
        (lambda: MultiheadAttention(3).output_shape((7, 8)), "heads 3 does not divide the 8"),
        (lambda: MultiheadAttention(2).output_shape((7, 7, 8)), r"\(L, C\), not 7 x 7 x 8"),
        (lambda: LSTM(0), "hidden is 0"),
        (lambda: GRU(4).output_shape((7,)), "not the vector 7"),
        (lambda: Embedding(0, 4), "entries is 0"),
    ],
)
def test_impossible_layers_of_other_axes_say_why(make, said):
    with pytest.raises(CnnmemError, match=said):
        make()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ConvTranspose2d(4, 3, padding="same"), "give numbers"),
        (lambda: ConvTranspose2d(4, 3, output_padding=1), "must be smaller than the stride"),
        (lambda: ConvTranspose2d(4, 3, output_padding=-1), "output_padding is -1"),
        (lambda: ConvTranspose2d(3, 3, groups=2), "does not divide out_channels"),
        (lambda: ConvTranspose2d(4, 3, groups=2).output_shape((4, 4, 3)), "input channels"),
        (lambda: ConvTranspose2d(4, 1, padding=2).output_shape((4, 4, 3)), "leaves nothing"),
        (lambda: PixelShuffle(2).output_shape((4, 4, 6)), "multiple of 4"),
        (lambda: GroupNorm(4).output_shape((4, 4, 6)), "does not divide the 6"),
        (lambda: Upsample(0), "scale is 0"),
    ],
)
def test_impossible_up_sampling_says_why(make, said):
    with pytest.raises(ShapeError, match=said):
        make()


def test_shapes_of_joins_match_those_worked_out_by_hand():
    assert Add().output_shape((4, 4, 3), (4, 4, 3), (4, 4, 3)) == (4, 4, 3)
    assert Concatenate().output_shape((4, 4, 3), (4, 4, 5)) == (4, 4, 8)
    assert Concatenate().output_shape((3,), (5,)) == (8,)
    assert Multiply().output_shape((4, 4, 3), (1, 1, 3)) == (4, 4, 3)
    assert Multiply().output_shape((1, 1, 3), (4, 4, 3)) == (4, 4, 3)


def _steps(length, kernel, stride, dilation, before, after):
    """Count where a window fits, by trying."""
    reach = dilation * (kernel - 1) + 1
    last = length + after - reach
    return len(range(-before, last + 1, stride))


small = st.integers(1, 6)


@given(st.integers(1, 30), small, small, small, st.integers(0, 6), st.integers(0, 6))
def test_windows_are_counted_wherever_they_fit(length, kernel, stride, dilation, before, after):
    count = _steps(length, kernel, stride, dilation, before, after)
    conv = Conv2d(1, (kernel, 1), (stride, 1), (before, after, 0, 0), (dilation, 1))
    if count:
        assert conv.output_shape((length, 1, 1)) == (count, 1, 1)
    else:
        with pytest.raises(ShapeError, match="does not fit"):
            conv.output_shape((length, 1, 1))


@given(st.integers(1, 30), small, small, st.data())
def test_ceil_mode_adds_the_window_that_hangs_over_unless_it_starts_in_the_padding(
    length, kernel, stride, data
):
    padding = data.draw(st.integers(0, kernel // 2))
    assume(length + 2 * padding >= kernel)
    starts = range(-padding, length + padding, stride)  # a window must start before the end padding
    whole = [x for x in starts if x + kernel <= length + padding]
    over = [x for x in starts if x + kernel > length + padding and x < length][:1]
    pool = MaxPool2d((kernel, 1), (stride, 1), (padding, 0), ceil_mode=True)
    # there is one more window only if the division leaves a remainder
    rest = (length + 2 * padding - kernel) % stride
    expected = len(whole) + (len(over) if rest else 0)
    assert pool.output_shape((length, 1, 1)) == (expected, 1, 1)


@given(st.integers(1, 40), small, small, small)
def test_same_divides_the_map_by_the_stride(length, kernel, stride, dilation):
    conv = Conv2d(1, kernel, stride, "same", dilation)
    side = math.ceil(length / stride)
    assert conv.output_shape((length, length, 1)) == (side, side, 1)


def test_sizes_become_pairs_however_they_are_given():
    assert Conv2d(8, 3) == Conv2d(8, (3, 3)) == Conv2d(8, [3, 3], 1, "valid")
    assert Conv2d(8, 3).kernel == (3, 3)
    assert Conv2d(8, 3, padding=(1, 2)).padding == (1, 1, 2, 2)
    assert MaxPool2d((2, 3)).stride == (2, 3)
    assert hash(Conv2d(8, [3, 3])) == hash(Conv2d(8, 3))


def test_numpys_integers_become_pythons():
    conv = Conv2d(np.int32(64), np.int64(3), padding=(np.int8(1), np.uint8(1)))
    assert conv == Conv2d(64, 3, padding=1)
    numbers = (conv.out_channels, *conv.kernel, *conv.padding)
    assert {type(n) for n in numbers} == {int}
    # so the count stays exact
    assert Linear(np.int32(4096)).weights((32, 32, 512)) == 2**31


BAD = [
    (lambda: Conv2d(0, 3), "out_channels is 0"),
    (lambda: Conv2d(64.0, 3), "out_channels is 64.0"),
    (lambda: Conv2d(True, 3), "out_channels is True"),
    (lambda: Conv2d(64, 0), "kernel is 0"),
    (lambda: Conv2d(64, "3"), "kernel is '3'"),
    (lambda: Conv2d(64, (3, 3, 3)), "kernel is (3, 3, 3)"),
    (lambda: Conv2d(64, 3, 0), "stride is 0"),
    (lambda: Conv2d(64, 3, 1.5), "stride is 1.5"),
    (lambda: Conv2d(64, 3, None), "stride is None"),
    (lambda: Conv2d(64, 3, dilation=0), "dilation is 0"),
    (lambda: Conv2d(64, 3, padding=-1), "padding is -1"),
    (lambda: Conv2d(64, 3, padding="SAME"), "padding is 'SAME'"),
    (lambda: Conv2d(64, 3, padding=(1, 1, 1)), "padding is (1, 1, 1)"),
    (lambda: Conv2d(64, 3, padding=None), "padding is None"),
    (lambda: Conv2d(64, 3, groups=3), "groups 3 does not divide out_channels 64"),
    (lambda: Conv2d(64, 3, groups=0), "groups is 0"),
    (lambda: DepthwiseConv2d(3, multiplier=0), "multiplier is 0"),
    (lambda: SeparableConv2d(3, out_channels=0), "out_channels is 0"),
    (lambda: Linear(0), "out_features is 0"),
    (lambda: Linear(1.5), "out_features is 1.5"),
    (lambda: MaxPool2d(2, padding=2), "padding (2, 2, 2, 2) is more than half"),
    (lambda: MaxPool2d((4, 2), padding=(2, 2)), "is more than half"),
    (lambda: MaxPool2d((2, 4), padding=(2, 2)), "is more than half"),
    (lambda: MaxPool2d(2, 0), "stride is 0"),
    (lambda: AvgPool2d(2, dilation=2), "average pooling has no dilation"),
    (lambda: AdaptiveAvgPool2d(0), "size is 0"),
    (lambda: Dropout(1.5), "dropout p is 1.5"),
    (lambda: Dropout("a"), "dropout p is 'a'"),
    (lambda: Dropout(1), "dropout p is 1; give the share to drop, at least 0 and less than 1"),
    (lambda: ZeroPad2d("same"), "zero padding needs numbers"),
    (lambda: ZeroPad2d(-1), "padding is -1"),
    (lambda: Activation("softmax", in_place=True), "softmax has no in-place form"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message for _, message in BAD])
def test_a_layer_refuses_invalid_settings_by_name(make, message):
    with pytest.raises(ShapeError) as caught:
        make()
    assert message in str(caught.value)
    assert ";" in str(caught.value)  # followed by the way out


@pytest.mark.parametrize("function", ["foo", None, ["relu"]])
def test_an_unknown_activation_is_refused_with_the_known_ones(function):
    with pytest.raises(UnknownNameError, match="relu, sigmoid") as caught:
        Activation(function)
    assert repr(function) in str(caught.value)


MISFITS = [
    (Conv2d(8, 5), (4, 4, 3), "kernel 5 x 5 does not fit a 4 x 4 map with padding 0"),
    (Conv2d(8, 3, dilation=2), (4, 9, 3), "with dilation 2 x 2 does not fit a 4 x 9 map"),
    (Conv2d(8, 5, padding=(0, 0, 1, 0)), (5, 3, 3), "with padding (0, 0, 1, 0)"),
    (Conv2d(8, 3), (75,), "needs a feature map (H, W, C), not the vector 75"),
    (Conv2d(8, 3, groups=2), (5, 5, 3), "groups 2 does not divide the 3 input channels"),
    (MaxPool2d(2), (1, 9, 3), "kernel 2 x 2 does not fit a 1 x 9 map"),
    (AdaptiveAvgPool2d(7), (9,), "adaptive pooling needs a feature map"),
    (GlobalAvgPool2d(), (9,), "global pooling needs a feature map"),
    (ZeroPad2d(1), (9,), "zero padding needs a feature map"),
]


@pytest.mark.parametrize(("layer", "given", "message"), MISFITS, ids=repr)
def test_a_layer_refuses_a_shape_and_says_what_would_help(layer, given, message):
    with pytest.raises(ShapeError) as caught:
        layer.output_shape(given)
    assert message in str(caught.value)
    assert ";" in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        (Add(), [(4, 4, 3), (4, 4, 5)]),
        (Concatenate(), [(4, 4, 3), (2, 2, 3)]),
        (Concatenate(), [(4, 4, 3), (3,)]),
        (Multiply(), [(4, 4, 3), (3,)]),
        (Multiply(), [(4, 4, 3), (1, 1, 5)]),
    ],
    ids=repr,
)
def test_a_join_refuses_shapes_that_do_not_agree_and_names_them(layer, shapes):
    with pytest.raises(ShapeError) as caught:
        layer.output_shape(*shapes)
    for shape in shapes:
        assert " x ".join(map(str, shape)) in str(caught.value)


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_every_activation_passes_its_shape_through_and_learns_nothing(function):
    layer = Activation(function)
    assert layer.kind == function
    assert layer.output_shape((4, 4, 3)) == (4, 4, 3)
    assert layer.weights((4, 4, 3)) == layer.biases((4, 4, 3)) == 0


def test_all_errors_share_one_base():
    assert issubclass(ShapeError, CnnmemError)
    assert issubclass(UnknownNameError, CnnmemError)
    assert issubclass(CnnmemError, ValueError)
