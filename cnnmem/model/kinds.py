"""What people call the rows of a kind."""

from __future__ import annotations

TITLES = {
    "input": "the image",
    "conv": "convolutions",
    "depthwise_conv": "depthwise convolutions",
    "separable_conv": "separable convolutions",
    "linear": "linear layers",
    "batch_norm": "batch normalisation",
    "max_pool": "max pooling",
    "avg_pool": "average pooling",
    "adaptive_avg_pool": "adaptive pooling",
    "global_avg_pool": "global pooling",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "zero_pad": "padding layers",
    "add": "additions",
    "concatenate": "concatenations",
}


def kind_title(kind: str) -> str:
    """Return what people call the rows of a kind; a kind without a title goes by its name.

    >>> kind_title("max_pool"), kind_title("silu")
    ('max pooling', 'silu')
    """
    return TITLES.get(kind, kind.replace("_", " "))
