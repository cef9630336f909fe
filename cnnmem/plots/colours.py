"""One quantity, one colour: the same fill in every chart of every lesson."""

from __future__ import annotations

from collections.abc import Sequence

from cnnmem.charts import Series
from cnnmem.charts.format import Real

BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW = range(7)  # places in `charts.theme.FILLS`

# What is never stacked in one chart may share a fill.
FILL = {
    # what the network holds
    "parameters": BLUE,
    "weights": BLUE,
    "biases": YELLOW,
    "running statistics": GREEN,
    "gradients": GREEN,
    "optimizer state": PINK,
    "weights in bfloat16": YELLOW,
    # what the images need
    "feature maps": ORANGE,
    "new tensors": ORANGE,
    "views": PINK,
    "in-place outputs": RED,
    "tensors alive at the peak": ORANGE,
    "working tensors": RED,
    "kept for backward": SKY,
    "tensors kept for backward": SKY,
    "copies kept for backward": RED,
    "dropout masks": YELLOW,
    "pool indices (int64)": PINK,
    "statistics of the batch": GREEN,
    # what is done
    "multiply-accumulates": PINK,
    "bias additions": YELLOW,
    "batch normalisation": GREEN,
    "an operation a parameter": GREEN,
    "activations": SKY,
    "an operation an output value": SKY,
    "pooling": RED,
    "an operation an input value": RED,
    "products": ORANGE,
    "others": BLUE,
    "multiply-accumulates a position of the output": PINK,
    "multiply-accumulates a position of the output, groups ignored": PINK,
    "an operation a parameter and step": GREEN,
}


def series(name: str, values: Sequence[Real]) -> Series:
    """Return a series in the colour of its quantity; one without takes the first free colour.

    >>> series("gradients", (1, 2)).fill == GREEN
    True
    """
    return Series(name, tuple(values), FILL.get(name))
