"""Which tensors of a Keras model are channels-first; tables show all of them as (H, W, C)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers as L

from cnnmem.model.layers import Shape

from .graph import Call

# Operations after which an axis no longer means what it did.
REARRANGING = ("Permute", "Reshape", "Transpose", "Swapaxes", "Moveaxis", "Unstack", "GetItem")


def channels_first(calls: Sequence[Call]) -> dict[int, bool]:
    """Return, by the tensors' `id`, whether their channels come first.

    A layer with a `data_format` states it for its inputs and outputs; other layers pass it on, from
    inputs to outputs and back. Tensors whose layout stays unknown are not among the keys.
    """
    first: dict[int, bool] = {}
    before = -1  # passes in both directions, until one learns nothing new
    while len(first) > before:
        before = len(first)
        for call in calls:
            _pass_on(call, first)
        for call in reversed(calls):
            _pass_on(call, first)
    return first


def _pass_on(call: Call, first: dict[int, bool]) -> None:
    tensors = [x for x in (*call.inputs, *call.outputs) if len(x.shape) > 2]
    # A Flatten without an explicit data_format has that of Keras' configuration, which need not be
    # its input's.
    stated: Any = None if isinstance(call.operation, L.Flatten) else _stated(call.operation)
    if stated is None:
        if type(call.operation).__name__ in REARRANGING:
            return
        rank = max((len(x.shape) for x in tensors), default=0)
        tensors = [x for x in tensors if len(x.shape) == rank]
        stated = next((first[id(x)] for x in tensors if id(x) in first), None)
    if stated is not None:
        for x in tensors:
            first.setdefault(id(x), stated)


def _stated(operation: Any) -> bool | None:
    data_format = getattr(operation, "data_format", None)
    return None if data_format is None else data_format == "channels_first"


def image_shape(sizes: tuple[int, ...], first: bool) -> Shape:
    """Return a tensor's shape without the batch, channels last.

    >>> image_shape((1, 3, 224, 224), True)
    (224, 224, 3)
    """
    shape = sizes[1:]
    return (*shape[1:], shape[0]) if first and len(shape) > 1 else shape
