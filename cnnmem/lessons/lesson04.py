"""Lesson 04, the model with minus two billion: integers of 32 bits."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from cnnmem.count.overflow import weight_shapes
from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.coding import Write
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import PARAMETERS, PIXELS
from cnnmem.exercises.question import Question
from cnnmem.int32 import INT32_MAX, wrap_int32

from .count import drawn, n, table

STEP = 32  # VGG-16 halves the map five times


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (
        _which(),
        _tipping(),
        _wrap(),
        _why(),
        _plausible(),
        _looks_right(),
        _wrap_int32(),
        _repair(),
        _recall(),
    )


def _kernel(size: int) -> int:
    """Return the number of weights in VGG-16's fc1 at an input size."""
    return table("vgg16", size)["fc1"].weights


def _first(size: int, limit: int, width: int = 1) -> int:
    """Return the first size whose fc1 takes more than `limit`, at `width` for each weight."""
    while _kernel(size) * width <= limit:
        size += STEP
    return size


def _which() -> Choice:
    vgg, resnet = table("vgg16", 2048), table("resnet18", 2048)
    return Choice(
        id="04-which",
        title="Who overflows?",
        statement="An int32 holds numbers up to 2^31 − 1, about 2.1 billion. VGG-16 has 138 million parameters and ResNet-18 has 12 million, for images of 224 x 224 pixels. Whose number of parameters can be made too large for an int32 by a larger image alone?",
        reveals=("nothing tips", "ResNet-18 has no layer that", "whose parameters do not care"),
        options=(
            Option("VGG-16's alone"),
            Option(
                "ResNet-18's alone",
                hint=f"Its convolutions do not grow with the image, and it averages each channel to one number before its linear layer: {n(resnet.params)} parameters at any size.",
            ),
            Option(
                "both",
                hint="Which layer of ResNet-18 would grow? It averages each channel to one number before its linear layer.",
            ),
            Option(
                "neither: parameters do not depend on the image",
                hint="Those of a convolution do not. VGG-16's fc1 is wired to every value of the last map.",
            ),
        ),
        hints=(
            "A convolution has the same weights wherever it looks.",
            "Which layer is wired to every value of the last map?",
            "ResNet-18 averages each channel of its last map to one number. VGG-16 flattens the map.",
        ),
        why=f"VGG-16's fc1 reads the flattened map: at 2048 pixels the network has {n(vgg.params)} parameters. ResNet-18 has {n(resnet.params)} at any size.",
    )


def _tipping() -> Number:
    size = _first(STEP, INT32_MAX)
    return Number(
        id="04-tipping",
        title="Where it tips",
        statement=(
            "At an input of S x S pixels fc1 of VGG-16 has (S // 32)² · 512 · 4096 weights. An int32 holds numbers up to 2^31 − 1. "
            "What is the smallest S whose count does not fit?"
        ),
        value=size,
        scale=PIXELS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="the last that fits",
                answer=size - 1,
                hint="This is the last size that still fits: its map is one place smaller.",
            ),
            Slip(
                name="a step early",
                answer=size - STEP,
                hint=f"There the map is 31 x 31 and the count {n(_kernel(size - STEP))}: it fits, though not by much.",
            ),
            Slip(
                name="a step late",
                answer=size + STEP,
                hint="It has wrapped already, one map size earlier.",
            ),
            Slip(
                name="bytes counted",
                answer=_first(STEP, INT32_MAX, 4),
                hint="There the bytes reach 2^31. The counter that failed counted weights, not bytes.",
            ),
        ),
        hints=(
            "512 · 4096 is a power of two. Which?",
            "512 · 4096 = 2^21, so (S // 32)² must reach 2^10.",
            "S // 32 must reach 32.",
        ),
        why=f"32 · 32 · 512 · 4096 is exactly 2^31, one more than an int32 holds; at 1023 pixels the map is 31 x 31 and {n(_kernel(size - 1))} fits.",
    )


def _wrap() -> Number:
    count = table("vgg16", 1024)["fc1"].params
    return Number(
        id="04-wrap",
        title="What the counter printed",
        statement=f"At 1024 pixels fc1 has {n(count)} parameters. Which number does an int32 hold in its place? Give every digit, and the sign.",
        value=wrap_int32(count),
        scale=PARAMETERS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="no wrap",
                answer=count,
                hint="That is the true number. It is larger than 2^31 − 1, so an int32 cannot hold it.",
            ),
            Slip(
                name="sign only",
                answer=-count,
                hint="Not the sign alone changes: past 2^31 − 1 the numbers go on at −2^31.",
            ),
            Slip(
                name="wrapped at 2^31",
                answer=count - 2**31,
                hint="You took away 2^31. A whole turn of the dial is 2^32, from −2^31 to 2^31 − 1.",
            ),
            Slip(
                name="off by one",
                answer=count - 2**32 + 1,
                hint="One too high: there are 2^32 numbers on the dial, not 2^32 − 1.",
            ),
            Slip(
                name="clamped",
                answer=INT32_MAX,
                hint="It does not stop at the largest number; it goes round.",
            ),
        ),
        hints=(
            "Think of a dial with 2^32 numbers; behind 2^31 − 1 comes −2^31.",
            "Take away 2^32 once.",
            f"{n(count)} − {n(2**32)}.",
        ),
        why=f"{n(count)} − 2^32. With the other layers added, the model had {n(wrap_int32(table('vgg16', 1024).params))} parameters.",
    )


def _why() -> Choice:
    return Choice(
        id="04-why",
        reveals=(
            "C long",
            "calls `long`",
            "long is int32",
        ),
        title="Why on Windows",
        statement="The same script printed the right number on Linux and macOS. Why did it wrap on Windows alone?",
        options=(
            Option(
                "Windows gives a program less memory.",
                hint="Counting takes no memory to speak of: the counter multiplies a few numbers.",
            ),
            Option(
                "Python's integers have 32 bits there.",
                hint="Python's integers grow without a limit, everywhere. But the counter did not use Python's integers.",
            ),
            Option("NumPy's default integer was a C long, which has 32 bits on Windows."),
            Option(
                "Keras chose int32 there to save memory.",
                hint="Keras did not choose: it called `np.prod` and took what came.",
            ),
        ),
        hints=(
            "The old code was `np.prod(shape)` and `np.sum(...)`.",
            "Which integer does NumPy take for a Python int, if nothing is said?",
            "Before NumPy 2 it was a C long.",
        ),
        why="A C long has 64 bits on 64-bit Linux and macOS and 32 bits on Windows. NumPy 2 made 64 bits the default on every 64-bit system; Keras 3 multiplies with `math.prod`.",
    )


def _keras(size: int) -> int:
    """Return what the old counter printed for VGG-16 at an input size."""
    of = table("vgg16", size, variant="keras")
    return int(of.total("keras-parameters-int32").value)


def _plausible() -> Number:
    size = _first(STEP, INT32_MAX)
    tipping = size
    while _keras(size) < 0:
        size += STEP
    return Number(
        id="04-plausible",
        reveals=(
            "1472",
            "no minus sign",
        ),
        title="The wrap that looks right",
        statement=(
            "Past the tipping point the printed total of VGG-16 is negative. It grows with the input. "
            "What is the next multiple of 32 pixels at which it is positive again, and wrong?"
        ),
        value=size,
        scale=PIXELS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="the tipping point",
                answer=tipping,
                hint=f"There it prints {n(_keras(tipping))}: wrong, but everybody sees it.",
            ),
            Slip(
                name="a step early",
                answer=size - STEP,
                hint=f"There it prints {n(_keras(size - STEP))}: still negative.",
            ),
            Slip(
                name="a step late",
                answer=size + STEP,
                hint=f"There it prints {n(_keras(size + STEP))}: positive, but not the first.",
            ),
        ),
        hints=(
            "The true total must pass 2^32, a whole turn of the dial.",
            "Move the size in the explorer, counted as keras-parameters-int32.",
            f"The true total is (S // 32)² · {n(512 * 4096)} and the rest. Try sizes above 1400.",
        ),
        why=f"It prints {n(_keras(size))}; true are {n(table('vgg16', size).params)}. No minus sign warns: the number looks like a network.",
    )


def _looks_right() -> Choice:
    return Choice(
        id="04-looks-right",
        reveals=(
            "from the start; abs()",
            "carries no trace",
        ),
        title="A check that works",
        statement="You want a counter to notice every wrap. Which check finds them all?",
        options=(
            Option(
                "Complain if the total is negative.",
                hint=f"At 1472 pixels it prints {n(_keras(1472))}, which is positive and wrong.",
            ),
            Option(
                "Complain if the total is above 2^31 − 1.",
                hint="An int32 is never above it: that is the trouble.",
            ),
            Option(
                "Complain if a layer's count is negative.",
                hint="A layer can wrap past zero as well, and the sum can wrap where no layer does.",
            ),
            Option("Count with Python's integers, and compare."),
            Option(
                "Count in float32 instead.",
                hint="A float32 has 24 bits for the digits: above 16.8 million it cannot hold every whole number.",
            ),
        ),
        hints=(
            "Which of the checks looks at the number after it was damaged?",
            "A wrapped number can be any number. What has to be looked at, then?",
            "The exact count must be known from somewhere else.",
        ),
        why=(
            "After the wrap the number carries no trace of it. "
            "`math.prod` and `sum` on Python's integers are exact at any size, which is why this kit counts with them alone."
        ),
    )


def _wrap_int32() -> Write:
    random = drawn("04-wrap-int32")
    counts = [0, 1, INT32_MAX, 2**31, 2**31 + 4096, 2**32 - 1, 2**32, 5 * 2**31, -1, -(2**31)]
    counts += [-(2**31) - 1, table("vgg16", 1024).params, table("vgg16", 1472).params]
    counts += [random.randint(-(2**40), 2**40) for _ in range(12)]
    head = "def wrap_int32(n):\n"
    return Write(
        id="04-wrap-int32",
        title="Build the dial",
        statement="Write a function that returns the number an int32 holds in the place of a whole number n, however large, positive or negative. Use Python's integers alone.",
        name="wrap_int32",
        starter=head + '    """Return n as a signed integer of 32 bits."""\n    ...\n',
        fixed=head + "    return (n + 2**31) % 2**32 - 2**31\n",
        reference=wrap_int32,
        inputs=tuple((count,) for count in counts),
        slips=(
            Slip(
                name="unsigned",
                answer=head + "    return n % 2**32\n",
                hint="That is an unsigned integer, 0 to 2^32 − 1. The upper half of the dial must become negative.",
            ),
            Slip(
                name="31 bits",
                answer=head + "    return n % 2**31\n",
                hint="A turn of the dial is 2^32, and half of it is negative.",
            ),
            Slip(
                name="once only",
                answer=head + "    return n - 2**32 if n > 2**31 - 1 else n\n",
                hint="That is right for one turn. Larger numbers go round more than once, and negative ones wrap on the other side.",
            ),
            Slip(
                name="clamped",
                answer=head + "    return max(-(2**31), min(n, 2**31 - 1))\n",
                hint="An int32 does not stop at its ends; it goes round.",
            ),
            Slip(
                name="2^31 fits",
                answer=head + "    return (n + 2**31 - 1) % 2**32 - 2**31 + 1\n",
                hint="Nearly: look at 2^31 itself. The largest int32 is 2^31 − 1.",
            ),
        ),
        hints=(
            "`%` brings any whole number into one turn of the dial.",
            "`n % 2**32` has the right turn, but begins at 0. The dial begins at −2^31.",
            "Shift by 2^31, take the remainder, shift back.",
        ),
        why="(n + 2^31) mod 2^32 − 2^31: shifted so that the dial begins at 0, turned, shifted back.",
    )


def _repair() -> Write:
    head = (
        "def count_parameters(shapes):\n"
        '    """Return the number of parameters in arrays of these shapes."""\n'
        "    import numpy as np\n\n"
    )

    def counter(integer: str, result: str = "") -> str:
        whole = f"int(np.sum(np.array(sizes, dtype={integer}), dtype={integer}))"
        return (
            f"{head}"
            f"    sizes = [np.prod(np.array(shape, dtype={integer}), dtype={integer}) for shape in shapes]\n"
            f"    return {result or whole}\n"
        )

    def reference(shapes: tuple[tuple[int, ...], ...]) -> int:
        return sum(map(prod, shapes))

    def vgg(size: int) -> tuple[tuple[int, ...], ...]:
        arrays = weight_shapes(table("vgg16", size)).values()
        return tuple(shape for layer in arrays for shape in layer)

    inputs = [vgg(224), vgg(1023), vgg(1024), vgg(1472), ((3, 3, 64, 64), (64,)), ()]
    inputs += [((100_000, 100_000),), ((2**16, 2**15), (2**16, 2**15)), ((2**20, 2**20, 2**25),)]
    return Write(
        id="04-repair",
        title="Repair the counter",
        statement="`count_parameters` counts as Keras 2 did on Windows. Repair it, so that it is right for shapes of any size.",
        name="count_parameters",
        starter=counter("np.int32"),
        fixed=(
            "def count_parameters(shapes):\n"
            "    from math import prod\n\n"
            "    return sum(prod(shape) for shape in shapes)\n"
        ),
        reference=reference,
        inputs=tuple((shapes,) for shapes in inputs),
        slips=(
            Slip(
                name="sum alone",
                answer=counter("np.int32", "sum(int(size) for size in sizes)"),
                hint="The sum is exact now, but a product wraps before it: fc1 alone is past 2^31.",
            ),
            Slip(
                name="int64",
                answer=counter("np.int64"),
                hint="Right up to 2^63: you moved the seam. For 64 bits 2^65 is 0. Python's own integers have no seam.",
            ),
            Slip(
                name="absolute value",
                answer=counter("np.int32")
                .replace("return int(", "return abs(")
                .replace("dtype=np.int32))\n", "dtype=np.int32).item())\n"),
                hint="That takes the minus sign away and leaves the number wrong: now nobody sees it.",
            ),
        ),
        hints=(
            "Which integers grow without a limit?",
            "A product of Python's integers is exact: `math.prod`.",
            "`sum(prod(shape) for shape in shapes)`, without NumPy.",
        ),
        why=(
            "Python's integers take as many bits as they need. "
            "Keras 3 has `math.prod` too; but it must be given Python's integers: with NumPy's it wraps again, as a bug report of 2024 shows."
        ),
    )


def _recall() -> Number:
    at, base = table("vgg16", 448)["fc1"], table("vgg16")["fc1"]
    return Number(
        id="04-recall-fc1",
        title="fc1 at 448 pixels",
        recalls="02",
        statement="At 224 pixels fc1 of VGG-16 reads a 7 x 7 x 512 map and has 4,096 outputs with biases. How many parameters does it have at 448 pixels?",
        value=at.params,
        scale=PARAMETERS,
        slips=(
            Slip(
                name="unchanged",
                answer=base.params,
                hint="A convolution would not change. A linear layer has a weight for every value it reads, and the map has grown.",
            ),
            Slip(
                name="doubled",
                answer=2 * base.params,
                hint="Height and width of the map both double: four times the values.",
            ),
            Slip(
                name="bias forgotten",
                answer=at.weights,
                hint="These are the weights; 4,096 biases belong to them.",
            ),
            Slip(
                name="biases x 4 too",
                answer=4 * base.params,
                hint="The weights grow four times. The biases do not: one for each output, 4,096 as before.",
            ),
        ),
        hints=(
            "Which map does fc1 read at 448 pixels?",
            "14 x 14 x 512 values, each with 4,096 weights.",
            "14 · 14 · 512 · 4096 + 4096.",
        ),
        why="The convolutions keep their parameters at any input size; fc1 grows with the area. That is how a network gets past 2^31.",
    )
