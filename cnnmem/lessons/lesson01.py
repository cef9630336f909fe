"""Lesson 01, one layer by hand: shape, parameters, MACs, additions."""

from __future__ import annotations

import math
from fractions import Fraction

from cnnmem.exercises.coding import Write
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import COUNT, OPERATIONS, PARAMETERS, PIXELS, B
from cnnmem.exercises.question import Question
from cnnmem.exercises.row import Cell, FillRow
from cnnmem.model.layers import BatchNorm, Conv2d, MaxPool2d

from .count import drawn, n, table


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (_shape(), _row(), _conv_params(), _batch_norm(), _operations(), _pool(), _recall())


def _shape() -> Number:
    size, kernel, stride, padding = 224, 7, 2, 3
    out = Conv2d(64, kernel, stride, padding).output_shape((size, size, 3))[0]
    room = Fraction(size + 2 * padding - kernel, stride)
    return Number(
        id="01-shape",
        title="The shape of the output",
        statement=f"A convolution with a {kernel} x {kernel} kernel, stride {stride} and padding {padding} on each side reads a map {size} pixels wide. How wide is its output?",
        value=out,
        scale=PIXELS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="ceil for floor",
                answer=math.ceil(room) + 1,
                hint="You rounded up. A window that does not fit completely gives no output value: round down.",
            ),
            Slip(
                name="padding forgotten",
                answer=(size - kernel) // stride + 1,
                hint=f"The padding is missing: it makes the map {2 * padding} pixels wider.",
            ),
            Slip(
                name="+ 1 forgotten",
                answer=math.floor(room),
                hint="The division counts the steps; the window also stands at its first place. Or did you pad one side only?",
            ),
            Slip(
                name="stride forgotten",
                answer=size,
                hint=f"That is the output at stride 1. With stride {stride} the window skips places.",
            ),
        ),
        hints=(
            "How many places can the window take from left to right?",
            "⌊(W + 2 · P − K) / S⌋ + 1",
            f"⌊({size} + {2 * padding} − {kernel}) / {stride}⌋ + 1",
        ),
        why=f"⌊({size} + 2 · {padding} − {kernel}) / {stride}⌋ + 1 = ⌊{float(room)}⌋ + 1. It is the first layer of ResNet.",
    )


def _row() -> FillRow:
    layer, shape = Conv2d(128, 3, 2, 1), (56, 56, 64)
    out = layer.output_shape(shape)
    weights, biases, macs = layer.weights(shape), layer.biases(shape), layer.macs(out, shape)
    values, c_in, c_out = math.prod(out), shape[2], out[2]
    h = out[0]
    return FillRow(
        id="01-row",
        title="A row by hand",
        statement="Fill in the row of a convolution with 128 filters of 3 x 3, stride 2, padding 1 and biases, on a map of 56 x 56 x 64. The shape is height x width x channels.",
        cells=(
            Cell(
                "output",
                value=out,
                slips=(
                    Slip(
                        name="NCHW for NHWC",
                        answer=(c_out, h, h),
                        hint="Channels first is PyTorch's order; the table says height x width x channels.",
                    ),
                    Slip(
                        name="padding forgotten",
                        answer=(h - 1, h - 1, c_out),
                        hint="The padding is missing: it makes room for one more place.",
                    ),
                    Slip(
                        name="ceil for floor",
                        answer=(h + 1, h + 1, c_out),
                        hint="Round down: a window that does not fit completely gives no value.",
                    ),
                    Slip(
                        name="stride forgotten",
                        answer=(56, 56, c_out),
                        hint="With stride 2 the map gets half as high and half as wide.",
                    ),
                    Slip(
                        name="C_in for C_out",
                        answer=(h, h, c_in),
                        hint="The output has a channel for each filter.",
                    ),
                ),
            ),
            Cell(
                "weights",
                value=weights,
                slips=(
                    Slip(
                        name="C_in forgotten",
                        answer=9 * c_out,
                        hint="A filter is 3 x 3 in each of the 64 input channels, so it has 576 weights, not 9.",
                    ),
                    Slip(
                        name="C_out forgotten",
                        answer=9 * c_in,
                        hint="That is one filter. There are 128.",
                    ),
                    Slip(
                        name="biases counted",
                        answer=weights + biases,
                        hint="Weights and biases have columns of their own: leave the biases out here.",
                    ),
                ),
            ),
            Cell(
                "biases",
                value=biases,
                slips=(
                    Slip(
                        name="C_in for C_out",
                        answer=c_in,
                        hint="There is a bias for each filter, not for each input channel.",
                    ),
                    Slip(
                        name="one a weight",
                        answer=weights,
                        hint="There is one bias a filter, not one a weight.",
                    ),
                ),
            ),
            Cell(
                "values",
                value=values,
                slips=(
                    Slip(
                        name="input's size",
                        answer=56 * 56 * c_out,
                        hint="That is four times too many: either the size of the input map, or bytes. Count the values of the output.",
                    ),
                    Slip(
                        name="input read",
                        answer=56 * 56 * c_in,
                        hint="These are the values of the input. The row counts what the layer produces.",
                    ),
                ),
            ),
            Cell(
                "MACs",
                value=macs,
                slips=(
                    Slip(
                        name="x 2",
                        answer=2 * macs,
                        hint="Those are FLOPs: a MAC is one multiplication with its addition.",
                    ),
                    Slip(
                        name="input's size",
                        answer=weights * 56 * 56,
                        hint="The filters stand at the places of the output, 28 x 28 of them.",
                    ),
                    Slip(
                        name="C_in forgotten",
                        answer=9 * c_out * h * h,
                        hint="Each output value needs 3 x 3 x 64 multiplications, not 3 x 3.",
                    ),
                    Slip(
                        name="channels of the output twice",
                        answer=weights * values,
                        hint="The weights hold the 128 filters already: multiply them with the places, not with the values.",
                    ),
                ),
            ),
        ),
        hints=(
            "Begin with the shape: all else needs it.",
            "Weights = K · K · C_in · C_out; values = H · W · C_out; MACs = weights · H · W.",
            f"The output is {h} pixels high and wide: ⌊(56 + 2 − 3) / 2⌋ + 1.",
        ),
        why="Each weight is used once at each of the 28 x 28 places, which gives the MACs.",
    )


def _conv_params() -> Write:
    random = drawn("01-conv-params")
    inputs: list[tuple[int, int, int, int, bool]] = [(3, 64, 3, 1, True), (64, 64, 3, 64, False)]
    while len(inputs) < 24:
        groups = random.choice((1, 1, 2, 4))
        c_in, c_out = groups * random.randint(1, 40), groups * random.randint(1, 40)
        inputs.append((c_in, c_out, random.choice((1, 3, 5, 7)), groups, random.random() < 0.6))

    def reference(c_in: int, c_out: int, kernel: int, groups: int, bias: bool) -> int:
        layer = Conv2d(c_out, kernel, groups=groups, bias=bias)
        return layer.weights((64, 64, c_in)) + layer.biases((64, 64, c_in))

    head = "def conv_params(c_in, c_out, kernel, groups, bias):\n"
    right = "    weights = kernel * kernel * (c_in // groups) * c_out\n"
    plus = "    return weights + (c_out if bias else 0)\n"

    def wrong(weights: str, result: str = plus) -> str:
        return f"{head}    weights = {weights}\n{result}"

    return Write(
        id="01-conv-params",
        title="The parameters of a convolution",
        statement=(
            "Write a function that counts the parameters of a convolution with square kernel. "
            "With `groups` the channels are split into that many groups, and a filter sees the input channels of its group alone; `bias` says whether there are biases."
        ),
        name="conv_params",
        starter=head + '    """Return the number of weights and biases."""\n    ...\n',
        fixed=head + right + plus,
        reference=reference,
        inputs=tuple(inputs),
        slips=(
            Slip(
                name="bias forgotten",
                answer=head + right + "    return weights\n",
                hint="The biases are missing: one a filter, where `bias` is true.",
            ),
            Slip(
                name="bias always",
                answer=head + right + "    return weights + c_out\n",
                hint="You always add biases; add them only where `bias` is true.",
            ),
            Slip(
                name="one bias",
                answer=head + right + "    return weights + (1 if bias else 0)\n",
                hint="There is a bias for each filter, not one for the layer.",
            ),
            Slip(
                name="C_in's biases",
                answer=head + right + "    return weights + (c_in if bias else 0)\n",
                hint="A bias belongs to a filter: there are c_out of them, not c_in.",
            ),
            Slip(
                name="C_in forgotten",
                answer=wrong("kernel * kernel * c_out"),
                hint="A filter has kernel x kernel weights for every input channel that it sees.",
            ),
            Slip(
                name="groups ignored",
                answer=wrong("kernel * kernel * c_in * c_out"),
                hint="With groups a filter sees only c_in / groups channels.",
            ),
            Slip(
                name="groups on both sides",
                answer=wrong("kernel * kernel * (c_in // groups) * (c_out // groups)"),
                hint="That is one group. There are `groups` of them, so c_out filters in all.",
            ),
            Slip(
                name="kernel once",
                answer=wrong("kernel * (c_in // groups) * c_out"),
                hint="The kernel is square: kernel x kernel places.",
            ),
        ),
        hints=(
            "How many weights has one filter? How many filters are there?",
            "A filter sees kernel x kernel places of c_in / groups channels.",
            "kernel * kernel * (c_in // groups) * c_out, and c_out more if there are biases.",
        ),
        why="C_out filters of K · K · C_in / groups weights, and a bias each.",
    )


def _batch_norm() -> Number:
    layer, shape = BatchNorm(), (56, 56, 64)
    learned = layer.weights(shape) + layer.biases(shape)
    return Number(
        id="01-batch-norm",
        title="Batch normalisation",
        statement="A batch normalisation works on a map of 56 x 56 x 64. How many parameters does it learn?",
        value=learned,
        scale=PARAMETERS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="statistics counted",
                answer=learned + layer.statistics(shape),
                hint="You counted the running mean and variance too. They are stored, but measured, not learned.",
            ),
            Slip(
                name="shift forgotten",
                answer=layer.weights(shape),
                hint="Each channel has a scale and a shift: two numbers, not one.",
            ),
            Slip(
                name="one a value",
                answer=2 * math.prod(shape),
                hint="Scale and shift are shared by all places of a channel: they do not depend on height and width.",
            ),
        ),
        hints=(
            "Does the number depend on the size of the map?",
            "What is learned for one channel?",
            "A scale and a shift for each of the 64 channels.",
        ),
        why=(
            "64 scales and 64 shifts. "
            f"The {n(layer.statistics(shape))} running statistics are stored beside them: Keras adds them to the total, PyTorch keeps them as buffers."
        ),
    )


def _operations() -> Number:
    places = 3 * 3 * 64
    return Number(
        id="01-operations",
        title="One output value",
        statement="One output value of a 3 x 3 convolution over 64 input channels, without bias. How many multiplications and additions does it take, together?",
        value=places + places - 1,
        scale=OPERATIONS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="C_in forgotten",
                answer=9 + 8,
                hint="That is one input channel, 9 multiplications and 8 additions. The sum goes over all 64 channels.",
            ),
            Slip(
                name="an addition too many",
                answer=2 * places,
                hint="To add up 576 products takes 575 additions. With a bias it would be one more.",
            ),
            Slip(
                name="multiplications only",
                answer=places,
                hint="These are the multiplications. The products are added up, too.",
            ),
            Slip(
                name="summed by channel",
                answer=places + 64 * 8,
                hint="The sums of the 64 channels have to be added, too: 63 more.",
            ),
        ),
        hints=(
            "How many products are there? Each weight of a filter is used once.",
            "To add up two numbers takes one addition; to add up N takes N − 1.",
            "3 · 3 · 64 products and one addition fewer.",
        ),
        why="576 + 575. Counting tools say 576 MACs and double it to 1,152 FLOPs; the first addition is then one to zero, or to the bias.",
    )


def _pool() -> Number:
    size = 112
    out = MaxPool2d(3, 2).output_shape((size, size, 64))[0]
    up = MaxPool2d(3, 2, ceil_mode=True).output_shape((size, size, 64))[0]
    return Number(
        id="01-pool",
        title="A pool that does not fit",
        statement=f"A max pool of 3 x 3 with stride 2 and no padding reads a map {size} pixels wide. How wide is its output? (PyTorch's default: no `ceil_mode`.)",
        value=out,
        scale=COUNT,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="ceil for floor",
                answer=up,
                hint=f"That is `ceil_mode`, or half of {size}. The last window does not fit completely, so by default it is dropped.",
            ),
            Slip(
                name="+ 1 forgotten",
                answer=(size - 3) // 2,
                hint="The division counts the steps of the window; its first place comes on top.",
            ),
            Slip(
                name="stride 3",
                answer=size // 3,
                hint="That is the stride of the kernel's size. Here it is 2, so the windows overlap.",
            ),
        ),
        hints=(
            "The formula is that of the convolution.",
            "⌊(W − K) / S⌋ + 1",
            f"⌊({size} − 3) / 2⌋ + 1",
        ),
        why=f"⌊({size} − 3) / 2⌋ + 1 = ⌊54.5⌋ + 1. Caffe rounds up here, PyTorch and Keras down: one pixel, and every later layer counts differently.",
    )


def _recall() -> Number:
    row = table("lenet5")["conv1"]
    h, w, c = row.output
    return Number(
        id="01-recall-bytes",
        title="From values to bytes",
        recalls="00",
        statement=f"The first convolution of LeNet-5 gives a map of {h} x {w} x {c} in float32. How many bytes does it take?",
        value=4 * row.values,
        scale=B,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="values for bytes",
                answer=row.values,
                hint="These are the values. In float32 each takes 4 bytes.",
            ),
            Slip(
                name="one channel",
                answer=4 * h * w,
                hint=f"That is one channel of the map. It has {c}.",
            ),
            Slip(
                name="float64",
                answer=8 * row.values,
                hint="That is 8 bytes for each value, float64.",
            ),
            Slip(
                name="parameters",
                answer=4 * row.params,
                hint="These are the bytes of its parameters. The map is what comes out.",
            ),
        ),
        hints=(
            "Values first, then bytes.",
            f"{h} · {w} · {c} values.",
            "float32: 32 bits, 4 bytes for each value.",
        ),
        why=f"{h} · {w} · {c} = {n(row.values)} values of 4 bytes.",
    )
