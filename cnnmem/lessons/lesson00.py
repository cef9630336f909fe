"""Lesson 00, start here: reading the table and a chart, the first unit."""

from __future__ import annotations

from fractions import Fraction

from cnnmem.exercises.choice import Choice, Option
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import TIMES, WEIGHTS, KiB
from cnnmem.exercises.question import Question
from cnnmem.units import KB, percent

from .count import n, table, total


def questions() -> tuple[Question, ...]:
    """Return the questions of the lesson."""
    return (_read(), _chart(), _slider(), _kib(), _in_place())


def _read() -> Number:
    row, before = table("vgg16")["conv1_2"], table("vgg16")["conv1_1"]
    return Number(
        id="00-read",
        title="Read a row",
        statement="Print the table of VGG-16. How many weights, without biases, does the layer `conv1_2` have?",
        value=row.weights,
        scale=WEIGHTS,
        tolerance=Fraction(0),
        slips=(
            Slip(
                name="bias counted",
                answer=row.params,
                hint=f"That is weights and biases together. The table has them in two columns: take away the {row.biases} biases.",
            ),
            Slip(
                name="the row above",
                answer=before.weights,
                hint="That is `conv1_1`, the row above. Its input, the image, has 3 channels; that of `conv1_2` has 64.",
            ),
            Slip(
                name="values read",
                answer=row.values,
                hint="That is the column `values`: the numbers in the feature map that the layer produces. Weights are what it has learned.",
            ),
            Slip(
                name="MACs read",
                answer=row.macs,
                hint="That is the column `macs`: the work of one image. The weights are stored once and used at every place of the map.",
            ),
        ),
        hints=(
            "A row is a layer; the column you need is called `weights`.",
            '`print(cnnmem.summary("vgg16"))` shows all rows; `cnnmem.summary("vgg16")["conv1_2"]` one of them.',
            "The layer is 3x3 with 64 input channels and 64 filters: 3 · 3 · 64 · 64.",
        ),
        why="Each of the 64 filters sees 3 x 3 places of 64 channels. Biases, one a filter, stand in a column of their own.",
    )


def _chart() -> Choice:
    lenet = table("lenet5")
    rows = {row.name: row for row in lenet.rows if row.params}

    def no(name: str, why: str) -> Option:
        return Option(
            name,
            hint=f"{name} has {percent(rows[name].params, lenet.params)}. {why}",
            category=name,
        )

    return Choice(
        id="00-chart",
        reveals=(
            "fc1 holds",
            "highest bar is fc1",
        ),
        title="Read a chart",
        charted="parameters",
        statement="LeNet-5 on a 32 x 32 image. Which layer's bar is the highest when the chart shows parameters?",
        options=(
            no("conv1", "It sees one channel only: 5 · 5 · 1 weights a filter."),
            no("conv2", "A convolution uses its few weights at every place of the map."),
            Option("fc1", category="fc1"),
            no("fc2", "Right kind of layer, but it sees a short vector, not a whole feature map."),
            no("fc3", "The last layer is small here: ten classes."),
        ),
        hints=(
            "Set the explorer to network lenet5 and look for the highest bar.",
            "Point at a bar: the tooltip gives its exact count. The table switch shows the largest.",
            "It is the layer in which every value of the last feature map meets every output.",
        ),
        why=(
            f"fc1 holds {n(rows['fc1'].params)} of {n(lenet.params)} parameters, {percent(rows['fc1'].params, lenet.params)}: "
            "a linear layer has a weight for every pair of an input and an output."
        ),
    )


def _slider() -> Number:
    small, large = table("vgg16", top=False), table("vgg16", 448, top=False)
    return Number(
        id="00-slider",
        title="Move a slider",
        statement="VGG-16 without its classifier. Double the input size, from 224 to 448 pixels: how many times as many feature-map values are there?",
        value=Fraction(large.values, small.values),
        scale=TIMES,
        slips=(
            Slip(
                name="one side only",
                answer=Fraction(2),
                hint="Both sides double, the height and the width.",
            ),
            Slip(
                name="channels too",
                answer=Fraction(8),
                hint="Height and width double, but the channels stay: they are the number of filters.",
            ),
            Slip(
                name="parameters read",
                answer=Fraction(large.params, small.params),
                hint="That is true of the parameters. They do not know how large the image is; feature maps do.",
            ),
        ),
        hints=(
            "Show feature maps in the explorer, switch the classifier off, and move the size.",
            "A feature map has H x W x C values. Which of the three change with the image?",
            "H becomes 2 H and W becomes 2 W, in every layer.",
        ),
        why="Every map has twice the height and twice the width: four times the values. Without the classifier the parameters do not change at all.",
    )


def _kib() -> Number:
    values = table("vgg16")["input"].values
    size = 4 * values
    return Number(
        id="00-kib",
        title="The first unit",
        statement=f"A colour image of 224 x 224 pixels has {n(values)} values of 4 bytes (float32). How many KiB does it take?",
        value=size,
        scale=KiB,
        tolerance=Fraction(1, 1000),
        in_unit=True,
        slips=(
            Slip(
                name="kB for KiB",
                answer=Fraction(size * KiB.size) / KB.size,
                hint="That is kB, 1,000 bytes. A KiB is 1,024 bytes, so there are fewer of them.",
            ),
            Slip(
                name="a byte a value",
                answer=values,
                hint="That gives each value one byte. A float32 value takes 4.",
            ),
            Slip(
                name="one colour",
                answer=Fraction(size, 3),
                hint="That is one channel. The image has three: red, green and blue.",
            ),
        ),
        hints=(
            "First bytes, then the unit.",
            "1 kB = 1,000 bytes; 1 KiB = 1,024 bytes.",
            f"{n(values)} values x 4 bytes, divided by 1,024.",
        ),
        why=f"With 1,000 for 1,024 it would be {KB.name}: {n(Fraction(size, KB.size))}. Many programs print MiB and write MB; most disagreements in this course begin there.",
    )


def _in_place() -> Choice:
    row = table("vgg16")["relu1_1"]
    size = total(table("vgg16"), "tensors")
    return Choice(
        id="00-in-place",
        reveals=(
            "no new tensor comes into being",
            "overwrites its input, so",
        ),
        title="A zero in the table",
        statement=f"The row `relu1_1` of VGG-16 has an output of {n(row.outputs)} values, but the column `values` says 0. Why?",
        options=(
            Option(
                "A ReLU has no parameters.",
                hint="True, but `values` counts feature maps, not parameters: a pool has no parameters either, and its `values` are not 0.",
            ),
            Option(
                "After a ReLU many values are zero.",
                hint="Zeros take as much memory as other numbers.",
            ),
            Option("The ReLU overwrites its input, so no new tensor comes into being."),
            Option(
                "Its values are counted at the next layer.",
                hint="Each layer counts its own output, never its input.",
            ),
        ),
        hints=(
            "Compare with `pool1`, which has no parameters either.",
            "`values` counts newly produced tensors. Which storage does the ReLU write to?",
            "In the zoo the ReLUs of VGG-16 are made with `in_place=True`.",
        ),
        why=(
            f"An in-place layer writes into the storage of its input. So the default total, {n(round(size / 4))} values, has each tensor once. "
            "Tools that count the ReLU again get a larger number from the same network."
        ),
    )
