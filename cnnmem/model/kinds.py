"""The kinds of rows: what people call them, and which belong together.

A layer's class states both. Other kinds (of a framework's own layers) go by their names.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from cnnmem.errors import CnnmemError

from . import layers
from .layers import ACTIVATIONS, Activation, Layer

CLASSES: dict[str, type[Layer]] = {
    **{
        each.kind: each
        for each in vars(layers).values()
        if isinstance(each, type) and issubclass(each, Layer)
        if isinstance(getattr(each, "kind", None), str)
    },
    **dict.fromkeys(ACTIVATIONS, Activation),
}
# Layers and functions of torch's that have no class here, but that tools count.
OF_TORCH = {
    *("bilinear", "rms_norm", "lp_pool", "local_response_norm", "rrelu", "mean", "einsum"),
    *("matmul", "mm", "bmm", "mv", "dot", "vdot", "addmm", "addmv", "baddbmm", "addbmm"),
    *("grid_sample", "affine_grid", "lstmcell", "grucell", "rnncell"),
}
TITLES = {
    "input": "the image",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "unused": "unused parameters",
    **{kind: each.title for kind, each in CLASSES.items() if each.title},
}


def kind_title(kind: str) -> str:
    """Return what people call the rows of a kind: its title, or its name if it has none.

    >>> kind_title("max_pool"), kind_title("silu")
    ('max pooling', 'silu')
    """
    return TITLES.get(kind, kind.replace("_", " "))


def family_of(kind: str) -> str:
    """Return the family that a kind belongs to, "" if none.

    >>> family_of("depthwise_conv"), family_of("relu6"), family_of("flatten")
    ('convolutions', 'activations', '')
    """
    return CLASSES[kind].family if kind in CLASSES else ""


def kinds_of(family: str) -> tuple[str, ...]:
    """Return the kinds of a family.

    >>> kinds_of("convolutions")
    ('conv', 'depthwise_conv', 'separable_conv', 'conv_transpose')
    """
    return tuple(kind for kind, each in CLASSES.items() if each.family == family)


def check_kind(kind: Any) -> None:
    """Raise `CnnmemError`, naming the kinds, for one that no row can have.

    A name that is not listed may be the kind of a framework's own layer, such as "my_layer". One
    that is nearly a listed kind is taken for a slip.

    >>> check_kind("conv"), check_kind("my_layer")
    (None, None)
    """
    known = sorted({*TITLES, *CLASSES, *OF_TORCH})
    if kind in known:
        return
    near = get_close_matches(kind.casefold(), known, 1, 0.8) if isinstance(kind, str) else []
    if near or not (isinstance(kind, str) and re.fullmatch(r"[a-z][a-z0-9_]*", kind)):
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise CnnmemError(f"no row has the kind {kind!r}{meant} The kinds are {', '.join(known)}")
