"""Which tensors of a Keras model have their channels first; tables show (H, W, C) for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers as L

from cnnmem.model.layers import Shape

from .graph import Call

# After these an axis no longer means what it did.
REARRANGING = ("Permute", "Reshape", "Transpose", "Swapaxes", "Moveaxis", "Unstack", "GetItem")


def channels_first(calls: Sequence[Call]) -> dict[int, bool]:
    """Return for the tensors of a model, by their `id`, whether the channels come first.

    Layers with a `data_format` say it of what they read and make; the others pass it on, from
    their inputs to their outputs and back. A tensor that is not among the keys was told by none.
    """
    first: dict[int, bool] = {}
    before = -1
    while len(first) > before:
        before = len(first)
        for call in calls:
            _pass_on(call, first)
        for call in reversed(calls):
            _pass_on(call, first)
    return first


def _pass_on(call: Call, first: dict[int, bool]) -> None:
    tensors = [x for x in (*call.inputs, *call.outputs) if len(x.shape) > 2]
    # A Flatten made without thought has the data format of Keras' configuration.
    told: Any = None if isinstance(call.operation, L.Flatten) else _told(call.operation)
    if told is None:
        if type(call.operation).__name__ in REARRANGING:
            return
        rank = max((len(x.shape) for x in tensors), default=0)
        tensors = [x for x in tensors if len(x.shape) == rank]
        told = next((first[id(x)] for x in tensors if id(x) in first), None)
    if told is not None:
        for x in tensors:
            first.setdefault(id(x), told)


def _told(operation: Any) -> bool | None:
    data_format = getattr(operation, "data_format", None)
    return None if data_format is None else data_format == "channels_first"


def image_shape(sizes: tuple[int, ...], first: bool) -> Shape:
    """Return a tensor's shape without its batch, the channels last.

    >>> image_shape((1, 3, 224, 224), True)
    (224, 224, 3)
    """
    shape = sizes[1:]
    return (*shape[1:], shape[0]) if first and len(shape) > 1 else shape
