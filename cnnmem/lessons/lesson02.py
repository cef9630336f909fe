"""Lesson 02, VGG-16: where the parameters live, where the MACs live, 528 or 553."""

from __future__ import annotations

from fractions import Fraction

from cnnmem.count.summary import summary
from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.coding import Write
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import MB, MILLION, PARAMETERS, PERCENT
from cnnmem.exercises.question import Question
from cnnmem.model.layers import Conv2d, Layer
from cnnmem.model.network import Network
from cnnmem.units import percent

from .count import drawn, mb, mib, misread, n, table


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (
        _where(),
        _rest(),
        _recall(),
        _stack(),
        _macs(),
        _file(),
        _two_sizes(),
        _share(),
    )


def _rest() -> Number:
    vgg, features = table("vgg16"), table("vgg16", top=False)
    linear = vgg.params - features.params
    return Number(
        id="02-rest",
        title="Without the linear layers",
        statement="VGG-16 has 138 million parameters in 13 convolutions and 3 linear layers. How many are left without the three linear layers?",
        value=features.params,
        scale=MILLION,
        charted="parameters",
        slips=(
            Slip(
                name="the linear layers",
                answer=linear,
                hint="That is what the three linear layers hold. Asked is what is left without them.",
            ),
            Slip(
                name="fc1 only",
                answer=vgg.params - vgg["fc1"].params,
                hint="That is what is left without fc1. Take fc2 and fc3 away too.",
            ),
            Slip(
                name="a share for each layer",
                answer=Fraction(vgg.params * 13, 16),
                hint="That gives each of the 16 layers the same share. They differ by a factor of 57,000.",
            ),
            Slip(
                name="bytes for parameters",
                answer=4 * features.params,
                hint="These are bytes. A parameter in float32 takes 4 of them: divide by 4.",
            ),
        ),
        hints=(
            "Three quarters of all parameters are in fc1 alone.",
            "fc1, fc2 and fc3 have 102.8, 16.8 and 4.1 million.",
            f"{n(vgg.params)} less {n(linear)}.",
        ),
        why=f"The thirteen convolutions hold {percent(features.params, vgg.params)} of all parameters, the three linear layers {percent(linear, vgg.params)}.",
    )


def _where() -> Choice:
    vgg = table("vgg16")

    def no(name: str, why: str) -> Option:
        held = percent(vgg[name].params, vgg.params)
        return Option(name, hint=f"{name} holds {held}: {why}", category=name)

    return Choice(
        id="02-where",
        reveals=(
            "fc1 holds",
            "sit in fc1",
            "one linear layer towers",
            "single layer, fc1",
        ),
        title="Where the parameters live",
        charted="parameters",
        statement="Which layer of VGG-16 holds the most parameters?",
        options=(
            no("conv1_2", "its maps are large, but the same few weights are used at every place."),
            no(
                "conv5_3",
                "it is among the largest convolutions, and still small beside a linear layer.",
            ),
            Option("fc1", category="fc1"),
            no("fc2", "it connects 4,096 values with 4,096. Which layer sees more inputs?"),
            no(
                "fc3",
                "it connects 4,096 values with 1,000 classes; two layers before it are larger.",
            ),
        ),
        hints=(
            "A layer's parameters do not depend on how often they are used.",
            "Compare inputs x outputs of the linear layers with 9 x C_in x C_out of the convolutions.",
            "Look for the layer that reads the whole 7 x 7 x 512 map.",
        ),
        why=(
            "fc1 reads the flattened 7 x 7 x 512 map, 25,088 values, and has 4,096 outputs: "
            f"{n(vgg['fc1'].params)} parameters, {percent(vgg['fc1'].params, vgg.params)} of all."
        ),
    )


def _share() -> Number:
    vgg = table("vgg16")
    linear = sum(row.params for row in vgg.rows if row.kind == "linear")
    fc1 = vgg["fc1"]
    return Number(
        id="02-share",
        title="One layer's share",
        recalls="02",
        statement="Which share of VGG-16's parameters does fc1 hold? Answer in percent.",
        value=Fraction(fc1.params, vgg.params),
        scale=PERCENT,
        slips=(
            Slip(
                name="share of the MACs",
                answer=Fraction(fc1.macs, vgg.macs),
                hint="That is its share of the MACs. fc1 is used once an image, so it stores much and works little.",
            ),
            Slip(
                name="all linear layers",
                answer=Fraction(linear, vgg.params),
                hint="That is fc1, fc2 and fc3 together.",
            ),
            Slip(
                name="of the linear layers",
                answer=Fraction(fc1.params, linear),
                hint="That is its share of the linear layers. Divide by all parameters.",
            ),
        ),
        hints=(
            "You need two numbers of the table: fc1's parameters, and all of them.",
            f"fc1 has 25,088 x 4,096 + 4,096 = {n(fc1.params)}.",
            f"Divide by {n(vgg.params)}.",
        ),
        why=f"And it does {percent(fc1.macs, vgg.macs)} of the MACs: where a network stores and where it works are two different places.",
    )


def _file() -> Number:
    params = table("vgg16").params
    size = 4 * params
    return Number(
        id="02-file",
        title="The saved file",
        statement=f"VGG-16's {n(params)} parameters are saved as float32. How many MB are that, a MB being 10^6 bytes?",
        value=size,
        scale=MB,
        tolerance=Fraction(1, 1000),
        slips=(
            Slip(
                name="rounded first",
                answer=4 * 138 * 10**6,
                hint=f"That is 4 bytes times 138 million. Multiply first and round at the end: {n(params)} x 4.",
            ),
            Slip(
                name="MiB for MB",
                answer=misread(size),
                hint="That is the figure in MiB, 2^20 bytes. In MB, 10^6 bytes, it is 4.9 % more.",
            ),
            Slip(
                name="a byte a value",
                answer=params,
                hint="That gives each parameter one byte; float32 takes 4.",
            ),
            Slip(
                name="float64",
                answer=8 * params,
                hint="That is 8 bytes a parameter, float64. Float32 takes 4.",
            ),
            Slip(
                name="gradients too",
                answer=3 * size,
                hint="That is three times the parameters, as if gradients and a state of the optimizer were saved too. A weights file holds the parameters.",
            ),
        ),
        hints=(
            "Bytes first: parameters x bytes a parameter.",
            "float32 means 32 bits, that is 4 bytes.",
            f"{n(params)} x 4 bytes, divided by 10^6.",
        ),
        why=f"In MiB it is {mib(size)}: the same file.",
    )


def _two_sizes() -> Choice:
    vgg = table("vgg16")
    biases = sum(row.biases for row in vgg.rows)
    size = 4 * vgg.params
    return Choice(
        id="02-two-sizes",
        reveals=(
            "the unit: a megabyte",
            "MiB instead of MB",
            "counts MiB",
            "and **528 MiB",
            "in MiB",
        ),
        title="528 or 553?",
        statement="One page says VGG-16's weights file has 528 MB, another says 553 MB. Why?",
        options=(
            Option(
                "The larger file holds the optimizer's state too.",
                hint=f"Adam's state alone would add {mb(2 * size)}, not 25 MB.",
            ),
            Option(
                "The larger file holds the biases too.",
                hint=f"All biases together are {n(biases)} values, {mb(4 * biases)}.",
            ),
            Option(
                "The larger file has a header with the layers' names.",
                hint="A header is a few kilobytes; measure a real file in the notebook.",
            ),
            Option("It is one size: 528 counts MiB of 2^20 bytes, 553 counts MB of 10^6 bytes."),
            Option(
                "The smaller file is compressed.",
                hint="Trained weights look like noise and hardly compress.",
            ),
        ),
        hints=(
            "Divide the two numbers.",
            "553 / 528 is close to 1.049. Which two units have this ratio?",
            "2^20 / 10^6 = 1.048576.",
        ),
        why=f"{n(size)} bytes are {mb(size)} and {mib(size)}. Both pages are right; only one of them names its unit correctly.",
    )


def _macs() -> Choice:
    vgg = table("vgg16")

    def no(name: str, why: str) -> Option:
        return Option(
            name,
            hint=f"{name} does {percent(vgg[name].macs, vgg.macs)} of the MACs: {why}",
            category=name,
        )

    best = vgg["conv1_2"]
    alike = sum(row.macs == best.macs for row in vgg.rows) - 1
    return Choice(
        id="02-macs",
        reveals=(
            "conv1_2 holds",
            "conv1_2 does",
            "work is in the convolutions",
        ),
        title="Where the work is done",
        statement="Which of these layers of VGG-16 needs the most MACs for an image?",
        options=(
            no("fc1", "it holds most parameters, but uses each of them once an image."),
            Option("conv1_2", category="conv1_2"),
            no("conv1_1", "its map is as large, but it sees 3 channels instead of 64."),
            no("conv5_2", "it has many weights, but only 14 x 14 places to use them."),
        ),
        hints=(
            "MACs = weights x places at which they are used.",
            "A linear layer has one place; a convolution has H_out x W_out.",
            "Compare 36,864 weights at 224 x 224 places with 2,359,296 at 14 x 14.",
        ),
        why=(
            f"{n(best.weights)} weights at 224 x 224 places are {n(best.macs)} MACs; {alike} other layers of VGG-16 need as many. "
            f"It holds {n(best.params)} of {n(vgg.params)} parameters."
        ),
    )


def _recall() -> Number:
    layer, shape = Conv2d(256, 3, padding=1), (56, 56, 128)
    weights, biases = layer.weights(shape), layer.biases(shape)
    return Number(
        id="02-recall-conv",
        reveals=("Forgetting the biases",),
        title="By hand, once more",
        recalls="01",
        statement="`conv3_1` has 3 x 3 filters, 128 input and 256 output channels, and biases. How many parameters?",
        value=weights + biases,
        scale=PARAMETERS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="from C_in to C_in",
                answer=9 * 128 * 128 + 128,
                hint="That is a convolution from 128 to 128 channels, like `conv2_2`. This one has 256 filters.",
            ),
            Slip(
                name="from C_out to C_out",
                answer=9 * 256 * 256 + 256,
                hint="That is a convolution from 256 to 256 channels, the next one. This one reads 128.",
            ),
            Slip(
                name="K² forgotten",
                answer=128 * 256 + 256,
                hint="That is a 1 x 1 convolution. A filter has 3 x 3 weights for each channel.",
            ),
            Slip(
                name="bias forgotten",
                answer=weights,
                hint=f"These are the weights. There is a bias a filter, {biases} more.",
            ),
            Slip(
                name="a bias an input channel",
                answer=weights + 128,
                hint="A bias belongs to an output channel: there are 256, not 128.",
            ),
            Slip(
                name="C_in forgotten",
                answer=9 * 256 + 256,
                hint="Each filter sees all 128 input channels, so it has 3 x 3 x 128 weights, not 3 x 3.",
            ),
            Slip(
                name="one channel",
                answer=9 * 256,
                hint="That is one input channel, without biases: a filter sees all 128.",
            ),
            Slip(
                name="one filter",
                answer=9 * 128,
                hint="That is one filter: there are 256. And each has a bias.",
            ),
            Slip(
                name="one filter with its bias",
                answer=9 * 128 + 1,
                hint="That is one filter with its bias: there are 256 of them.",
            ),
            Slip(
                name="one side of the kernel",
                answer=3 * 128 * 256 + 256,
                hint="The kernel is 3 x 3, nine places, not three.",
            ),
        ),
        hints=(
            "Count one filter first, then multiply.",
            "One filter: 3 x 3 x 128 weights and a bias.",
            "(3 · 3 · 128 + 1) · 256.",
        ),
        why="C_out x (K x K x C_in + 1): the 1 is the bias.",
    )


def _stack() -> Write:
    random = drawn("02-stack-params")
    inputs: list[tuple[tuple[int, ...]]] = [((3, 64),), ((3, 64, 64, 128),), ((1, 1),)]
    while len(inputs) < 16:
        inputs.append((tuple(random.randint(1, 300) for _ in range(random.randint(2, 7))),))

    def reference(channels: tuple[int, ...]) -> int:
        layers: dict[str, Layer] = {
            f"conv{i}": Conv2d(count, 3, padding=1) for i, count in enumerate(channels[1:], 1)
        }
        return summary(Network.chain("stack", layers, (32, 32, channels[0]))).params

    head = "def stack_params(channels):\n"

    def body(term: str, pairs: str = "zip(channels, channels[1:])") -> str:
        return (
            f"{head}"
            "    total = 0\n"
            f"    for c_in, c_out in {pairs}:\n"
            f"        total += {term}\n"
            "    return total\n"
        )

    return Write(
        id="02-stack-params",
        title="The parameters of a stack",
        statement=(
            "VGG's convolutions are all 3 x 3 with biases. Write a function that counts the parameters of a stack of them. "
            "`channels` has the channels of the image first, then those of each layer's output: `stack_params((3, 64, 64, 128))` is conv1_1 to conv2_1."
        ),
        name="stack_params",
        starter=head + '    """Return the parameters of all the 3 x 3 convolutions."""\n    ...\n',
        fixed=body("9 * c_in * c_out + c_out"),
        reference=reference,
        inputs=tuple(inputs),
        slips=(
            Slip(
                name="bias forgotten",
                answer=body("9 * c_in * c_out"),
                hint="The biases are missing, one for every output channel.",
            ),
            Slip(
                name="C_in forgotten",
                answer=body("9 * c_out + c_out"),
                hint="A filter sees all channels of the layer before: 3 x 3 x c_in weights.",
            ),
            Slip(
                name="one bias a layer",
                answer=body("9 * c_in * c_out + 1"),
                hint="A layer has a bias for each output channel, not one for all.",
            ),
            Slip(
                name="kernel once",
                answer=body("3 * c_in * c_out + c_out"),
                hint="The kernel is 3 x 3, nine places.",
            ),
            Slip(
                name="every layer square",
                answer=body("9 * c_out * c_out + c_out"),
                hint="The input channels of a layer are those of the layer before, not its own.",
            ),
            Slip(
                name="last layer left out",
                answer=body("9 * c_in * c_out + c_out", "zip(channels[:-2], channels[1:-1])"),
                hint="The last layer is missing: a stack of N numbers has N − 1 layers.",
            ),
        ),
        hints=(
            "Count one layer first: what are its input and output channels?",
            "`zip(channels, channels[1:])` gives the pairs of input and output channels.",
            "Add up 9 * c_in * c_out + c_out.",
        ),
        why=(
            "Each layer has C_out x (9 x C_in + 1) parameters. "
            f"With VGG-16's channels it gives its {n(table('vgg16', top=False).params)} parameters without the linear layers."
        ),
    )
