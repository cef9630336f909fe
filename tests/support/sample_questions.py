"""Two questions that tests ask: a count in millions, and a size in megabytes."""

from __future__ import annotations

from fractions import Fraction

from cnnmem import summary
from cnnmem.exercises.feedback import Slip
from cnnmem.exercises.number import Number
from cnnmem.exercises.quantity import MB, MILLION

VGG = summary("vgg16")

PARAMS = Number(
    id="02-params",
    title="Before you look",
    statement="How many parameters does VGG-16 have?",
    value=VGG.params,
    scale=MILLION,
    charted="parameters",
    slips=(
        Slip(
            name="weights only",
            answer=sum(row.weights for row in VGG.rows),
            hint="These are the weights alone.",
        ),
        Slip(name="bytes for parameters", answer=4 * VGG.params, hint="These are bytes."),
        Slip(name="fc1 only", answer=VGG["fc1"].params, hint="That is fc1 alone."),
    ),
    hints=("Start with the largest layer.", "(inputs + 1) x outputs.", "fc1 has 103 million."),
    why="74.3 % of them sit in a single layer, fc1.",
)

MAPS = Number(
    id="03-maps",
    title="The maps",
    statement="Add up the image and every feature map of VGG-16, each tensor once. How many MB?",
    value=VGG.total("tensors").base,
    scale=MB,
    charted="tensors",
    slips=(
        Slip(name="93", answer=93 * MB.size, hint="Nobody knows how to count that."),
        Slip(name="the notes' 60", answer=60 * MB.size, hint="That is the sum of rounded rows."),
        Slip(
            name="image left out",
            answer=VGG.total("tensors").base - 4 * VGG["input"].values,
            hint="The image is missing.",
        ),
        Slip(name="values", answer=Fraction(VGG.values), hint="That is the number of values."),
    ),
    hints=("Look at the front.", "224 x 224 x 64.", "15 million values."),
    why="It is a sum over all layers.",
)
