"""Lesson 06, MobileNet's bargain: separable convolutions, and what they do not save."""

from __future__ import annotations

from fractions import Fraction

from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.coding import Write
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import MILLION, PERCENT, PIXELS, TIMES
from cnnmem.exercises.question import Question
from cnnmem.model.layers import SeparableConv2d
from cnnmem.published import script_macs
from cnnmem.units import percent

from .count import drawn, mb, n, table


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (
        _ratio(),
        _separable(),
        _pointwise(),
        _width(),
        _resolution(),
        _script(),
        _catch(),
        _relu6(),
        _recall(),
    )


def _ratio() -> Number:
    filters, kernel = 256, 5
    shape = (14, 14, filters)
    layer = SeparableConv2d(kernel, padding=1, out_channels=filters)
    full = kernel**2 * filters * filters * 14 * 14
    ratio = Fraction(full, layer.macs(shape, shape))
    return Number(
        id="06-ratio",
        title="Another kernel",
        statement="A full 5 x 5 convolution with 256 filters is replaced by a depthwise 5 x 5 and a pointwise 1 x 1 convolution. How many times fewer MACs is that?",
        value=ratio,
        scale=TIMES,
        slips=(
            Slip(
                name="pointwise forgotten",
                answer=Fraction(kernel**2),
                hint="K² = 25 would be it if the depthwise part were free.",
            ),
            Slip(
                name="depthwise only",
                answer=Fraction(filters),
                hint="That is the depthwise part alone against the full convolution. The pointwise part costs far more.",
            ),
            Slip(
                name="the inverse",
                answer=1 / ratio,
                hint="That is separable over full. Asked is how many times fewer: turn it over.",
            ),
            Slip(
                name="added",
                answer=Fraction(kernel**2 + filters),
                hint="The parts add up as costs, 1/N + 1/K², not as savings.",
            ),
        ),
        hints=(
            "Write the MACs of both for one place of the map.",
            "Full: K² · C · N. Separable: K² · C + C · N. Divide.",
            "Separable over full is 1/N + 1/K², here 1/256 + 1/25.",
        ),
        why="1 / (1/N + 1/K²), a little under K² = 25: with many filters the kernel alone decides.",
    )


def _separable() -> Write:
    random = drawn("06-separable-macs")
    inputs = [(32, 64, 3, 112, 112), (512, 512, 3, 14, 14), (1, 1, 1, 1, 1)]
    while len(inputs) < 20:
        inputs.append(
            (
                random.randint(1, 200),
                random.randint(1, 200),
                random.choice((3, 5, 7)),
                random.randint(1, 60),
                random.randint(1, 60),
            )
        )

    def reference(c_in: int, c_out: int, kernel: int, height: int, width: int) -> int:
        layer = SeparableConv2d(kernel, padding=kernel // 2, out_channels=c_out)
        return layer.macs((height, width, c_out), (height, width, c_in))

    head = "def separable_macs(c_in, c_out, kernel, height, width):\n"

    def body(each: str) -> str:
        return f"{head}    return ({each}) * height * width\n"

    return Write(
        id="06-separable-macs",
        title="The MACs of a separable convolution",
        statement=(
            "Write a function that counts the MACs of a depthwise convolution (square kernel, one filter for each input channel) and the 1 x 1 convolution behind it. "
            "`height` and `width` are those of the output; both parts work on it."
        ),
        name="separable_macs",
        starter=head + '    """Return the MACs of both parts together."""\n    ...\n',
        fixed=body("kernel * kernel * c_in + c_in * c_out"),
        reference=reference,
        inputs=tuple(inputs),
        slips=(
            Slip(
                name="full convolution",
                answer=body("kernel * kernel * c_in * c_out"),
                hint="That is the full convolution. Here a filter of the first part sees one channel only.",
            ),
            Slip(
                name="depthwise only",
                answer=body("kernel * kernel * c_in"),
                hint="The 1 x 1 convolution behind it is missing.",
            ),
            Slip(
                name="pointwise only",
                answer=body("c_in * c_out"),
                hint="The depthwise part is missing.",
            ),
            Slip(
                name="kernel once",
                answer=body("kernel * c_in + c_in * c_out"),
                hint="The kernel is square: kernel x kernel products for each value.",
            ),
            Slip(
                name="depthwise on the output's channels",
                answer=body("kernel * kernel * c_out + c_in * c_out"),
                hint="The depthwise part works on the input channels; the 1 x 1 convolution makes the output channels.",
            ),
            Slip(
                name="FLOPs",
                answer=body("2 * (kernel * kernel * c_in + c_in * c_out)"),
                hint="Those are FLOPs, twice the MACs.",
            ),
        ),
        hints=(
            "Count each part for one place of the map, then multiply with the places.",
            "Depthwise: kernel * kernel * c_in. Pointwise: c_in * c_out.",
            "(kernel * kernel * c_in + c_in * c_out) * height * width",
        ),
        why="(K² · C_in + C_in · C_out) · H · W. A full convolution has a product where this has a sum.",
    )


def _pointwise() -> Number:
    net = table("mobilenet_v1")
    points = sum(row.macs for row in net.rows if row.name.startswith("conv_pw"))
    depths = sum(row.macs for row in net.rows if row.kind == "depthwise_conv")
    params = sum(row.params for row in net.rows if row.name.startswith("conv_pw"))
    return Number(
        id="06-pointwise",
        reveals=(
            "sits in the pointwise",
            "95 %",
        ),
        title="Where the MACs are now",
        statement="In MobileNetV1 at 224 pixels, which share of the MACs is in the pointwise (1 x 1) convolutions? Answer in percent.",
        value=Fraction(points, net.macs),
        scale=PERCENT,
        slips=(
            Slip(
                name="depthwise read",
                answer=Fraction(depths, net.macs),
                hint="That is the depthwise share: so little is left of the 3 x 3 convolutions.",
            ),
            Slip(
                name="shared alike",
                answer=Fraction(1, 2),
                hint="They are not alike: a pointwise filter sees all channels, a depthwise one sees one.",
            ),
            Slip(
                name="parameters read",
                answer=Fraction(params, net.params),
                hint="That is their share of the parameters; the classifier holds a good part of those.",
            ),
        ),
        hints=(
            "Compare K² · C_in with C_in · C_out.",
            "With K = 3 and 512 filters it is 9 against 512.",
            "The first layer and the classifier are small.",
        ),
        why=f"The depthwise convolutions do {percent(depths, net.macs)}. So MobileNet is, by its MACs, a network of 1 x 1 convolutions.",
    )


def _width() -> Number:
    full, half = table("mobilenet_v1"), table("mobilenet_v1", width=0.5)
    return Number(
        id="06-width",
        title="The width multiplier",
        statement="A width multiplier of 0.5 halves the channels of every layer of MobileNetV1. Which share of the MACs is left? Answer in percent.",
        value=Fraction(half.macs, full.macs),
        scale=PERCENT,
        tolerance=Fraction(2, 100),
        slips=(
            Slip(
                name="linear",
                answer=Fraction(1, 2),
                hint="A pointwise convolution loses half of its input channels and half of its filters: both factors count.",
            ),
            Slip(
                name="exactly a quarter",
                answer=Fraction(1, 4),
                hint="Nearly. The depthwise convolutions, the first layer and the classifier have only one factor that shrinks, so a little more is left.",
            ),
            Slip(
                name="parameters read",
                answer=Fraction(half.params, full.params),
                hint="That is the share of the parameters; the classifier, whose 1,000 classes stay, weighs more there.",
            ),
        ),
        hints=(
            "How do the MACs of a pointwise convolution depend on the width?",
            "C_in · C_out: a quarter. Which layers do not have both factors?",
            "A little more than a quarter.",
        ),
        why=f"{n(half.macs)} of {n(full.macs)} MACs. Feature maps only halve: of the bytes kept for backward {percent(half.saved_bytes or 0, full.saved_bytes or 1)} are left.",
    )


def _resolution() -> Number:
    net, small = table("mobilenet_v1"), table("mobilenet_v1", 160)
    share = Fraction(160, 224)
    return Number(
        id="06-resolution",
        title="The resolution multiplier",
        statement=f"MobileNetV1 has {n(net.params)} parameters at 224 pixels. How many at 160?",
        value=small.params,
        scale=MILLION,
        slips=(
            Slip(
                name="with the area",
                answer=net.params * share**2,
                hint="That is how the MACs fall, with the area. A filter is the same size on any map.",
            ),
            Slip(
                name="with the side",
                answer=net.params * share,
                hint="Parameters do not know how large the image is.",
            ),
            Slip(
                name="statistics counted",
                answer=net.params + net.statistics,
                hint="The running statistics are in it. They are stored, but not learned.",
            ),
        ),
        hints=(
            "Does a filter know how large the map is?",
            "What does the classifier read? There is a global average pool before it.",
            "Nothing changes.",
        ),
        why=f"The resolution multiplier saves MACs ({percent(small.macs, net.macs)} are left) and feature maps, but no parameters.",
    )


def _script() -> Choice:
    small, large = script_macs(32, separable=True), script_macs(160, separable=True)
    return Choice(
        id="06-script",
        reveals=("negative side",),
        title="More work for less",
        statement=f"A script counts {n(large[0])} MACs for MobileNetV1 at 160 pixels, and {n(small[0])} at 32 pixels. Why are there more for a smaller image?",
        options=(
            Option(
                "A small image is padded more.",
                hint="The script pads nothing: each convolution takes 2 off the side.",
            ),
            Option(
                "It computes map sides below zero, and the square of a negative side is positive."
            ),
            Option(
                "The classifier weighs more in a small network.",
                hint="The script counts the convolutions alone.",
            ),
            Option(
                "The sum is wrapped in 32 bits.",
                hint=f"That begins at 2^31, {n(2**31)}. These sums are far below.",
            ),
        ),
        hints=(
            "Follow the side of the map through the script.",
            "round((n - 2) / stride): what comes after 1?",
            f"At 32 pixels the last side is {small[1][-1]}.",
        ),
        why=f"At 32 pixels the sides are {', '.join(map(str, small[1]))}. Squared, the last ones are a large map. A count that is never compared with a shape can be anything.",
    )


def _catch() -> Choice:
    net, twin = table("mobilenet_v1"), table("mobilenet_v1", separable=False)
    kept, full = net.saved_bytes or 0, twin.saved_bytes or 1
    times = f"{float(Fraction(twin.macs, net.macs)):.1f}"
    return Choice(
        id="06-catch",
        reveals=(
            "more for training",
            "not memory saved",
            "The catch",
        ),
        title="And the memory?",
        statement=f"Against its twin of full convolutions MobileNetV1 needs {times} times fewer MACs. Training keeps tensors for the backward pass: how does that memory change?",
        options=(
            Option(
                f"It falls too, to {percent(net.macs, twin.macs)} of the twin's.",
                hint="MACs are work; memory is stored values. Count the feature maps of a block, before and after.",
            ),
            Option(
                "It falls by 50.0 %, as each half has fewer weights.",
                hint="What would be half? The maps have the same size, and there are more of them.",
            ),
            Option(
                "It changes by less than 0.1 %: the maps are the same.",
                hint="The last map of a block is the same. But there is one more in between, with its own batch normalisation.",
            ),
            Option(f"It grows by {percent(kept - full, full)}."),
        ),
        hints=(
            "Draw one block of each: how many feature maps are there?",
            "The full block: convolution, batch normalisation, ReLU. The separable one has all of them twice.",
            "The column `saved` of both tables gives the sums.",
        ),
        why=f"{mb(kept)} against {mb(full)}: every block has twice the feature maps and batch normalisations. Work saved is not memory saved.",
    )


def _relu6() -> Choice:
    relu, relu6 = table("mobilenet_v1"), table("mobilenet_v1", activation="relu6")
    kept, more = relu.saved_bytes or 0, relu6.saved_bytes or 0
    return Choice(
        id="06-relu6",
        reveals=(
            "copies for ReLU6",
            "copied first",
            "clones",
        ),
        title="Six",
        statement=f"With ReLU, MobileNetV1 keeps {mb(kept)} for the backward pass of one image. With ReLU6, which cuts off above 6, it keeps {mb(more)}, both working in place. Why?",
        options=(
            Option(
                "ReLU6 keeps a mask of what was cut off above.",
                hint="A mask of a byte a value would be a quarter of what is added.",
            ),
            Option(
                "Its backward reads the input, which in-place work overwrites: so the input is copied first."
            ),
            Option(
                "ReLU6 cannot work in place.",
                hint="It can, and the forward pass of inference gains by it. What does the backward pass need?",
            ),
            Option(
                "Values up to 6 need a wider type.",
                hint="Both are float32: four bytes for each value.",
            ),
        ),
        hints=(
            "What must be known to undo the cut: the input or the output?",
            "PyTorch's backward of ReLU reads the output. That of ReLU6 reads the input.",
            "In place, the input is gone. Unless there is a copy.",
        ),
        why=f"A ReLU that works in place adds nothing: its output is the tensor that the next convolution keeps. Each ReLU6 adds a copy of its map: {mb(more - kept)} in all.",
    )


def _recall() -> Number:
    out = table("mobilenet_v1", 160)["conv1"].output[0]
    script = script_macs(160, separable=True)[1][1]
    return Number(
        id="06-recall-padding",
        title="The script's rounding",
        recalls="01",
        statement="MobileNet's first convolution is 3 x 3 with stride 2 and padding 1. How wide is its output for an image of 160 pixels?",
        value=out,
        scale=PIXELS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="no padding",
                answer=script,
                hint="That is what the script computes, without padding. With padding 1 there is room for one window more.",
            ),
            Slip(
                name="ceil for floor",
                answer=out + 1,
                hint="You rounded up: (160 + 2 − 3) / 2 = 79.5, so 79 steps and the first place.",
            ),
            Slip(
                name="stride forgotten", answer=160, hint="Stride 2 leaves every second place out."
            ),
        ),
        hints=(
            "⌊(W + 2 · P − K) / S⌋ + 1",
            "⌊(160 + 2 − 3) / 2⌋ + 1",
            "⌊79.5⌋ + 1",
        ),
        why=(
            f"The script takes {script} and loses a row and a column at every such layer; "
            f"its sum for 160 pixels is {n(script_macs(160, True)[0])} MACs instead of {n(table('mobilenet_v1', 160).macs - table('mobilenet_v1', 160)['fc'].macs)}."
        ),
    )
