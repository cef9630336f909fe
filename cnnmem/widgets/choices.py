"""Which networks an explorer offers: a label is NAME or NAME/VARIANT, as on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from cnnmem.count.summary import summary
from cnnmem.errors import ShapeError
from cnnmem.model import zoo
from cnnmem.model.layers import Shape
from cnnmem.model.network import Network


def labels() -> tuple[str, ...]:
    """Return the labels of the whole zoo; the default variant is not named.

    >>> [name for name in labels() if "vgg11" in name]
    ['vgg11', 'vgg11/torchvision', 'vgg11/keras']
    """
    return tuple(
        name if i == 0 else f"{name}/{variant}"
        for name in zoo.names()
        for i, variant in enumerate(zoo.variants(name))
    )


def label(network: str | Network) -> str:
    """Return what a network is called in a list."""
    return network.name if isinstance(network, Network) else network


@dataclass(frozen=True)
class Chosen:
    """What an explorer shows first: a label of the zoo or a network, and the shape given with it.

    `size` and `batch` are None where the reader's shape does not say them.
    """

    network: str | Network
    size: int | None = None
    batch: int | None = None


def chosen(network: Any, input_shape: Any = None) -> Chosen:
    """Return what a reader gave: a name of the zoo, a network, a torch module or a Keras model.

    `input_shape` is the image (H, W, C), and for a torch module the whole input (N, C, H, W).
    Raises what `summary` raises, and `ShapeError` for an image of other proportions than the
    network's own, which a slider for its size cannot show.

    >>> chosen("VGG16", (64, 64, 3))
    Chosen(network='vgg16', size=64, batch=None)
    """
    if not isinstance(network, str | Network):
        table = summary(network, input_shape)
        assert table.graph is not None
        size = None if input_shape is None else table.image[size_axis(table.image)]
        return Chosen(table.graph, size, None if table.how == "read" else table.batch)
    own = built(network)  # an unknown name is refused here, not when it is drawn
    first = zoo.canonical(network) if isinstance(network, str) else network
    if input_shape is None:
        return Chosen(first)
    image = summary(own, input_shape).image
    size = image[size_axis(image)]
    if image_of(own, size) != image:
        raise ShapeError(
            f"input shape is {image}; the sliders keep the proportions of {own.name}, made for "
            f"{own.image}: give size={size}"
        )
    return Chosen(first, size)


def built(network: str | Network, top: bool = True) -> Network:
    """Return the network of a label; a `Network` is returned as it is, whatever `top` says.

    Raises `UnknownNameError` for a label that is not in the zoo.
    """
    return network if isinstance(network, Network) else _from_zoo(network, top)


def image_of(network: Network, size: int) -> Shape:
    """Return the shape of an image `size` pixels high, as wide in proportion as the network's own.

    Of a volume the depth stays, of a sequence `size` is the length. Raises `ShapeError` for a size
    below 1.

    >>> image_of(built("vgg16"), 64)
    (64, 64, 3)
    """
    if size < 1:
        raise ShapeError(f"the input size is {size} pixels; give 1 or more")
    image = network.image
    if len(image) < 3:
        return (size, *image[1:])
    *depth, height, width, channels = image
    return (*depth, size, max(size * width // height, 1), channels)


def natural_size(network: str | Network) -> int:
    """Return the size at which `image_of` gives the network's own image."""
    image = built(network).image
    return image[size_axis(image)]


def size_axis(image: Shape) -> int:
    """Return which axis of an image the slider for the size moves: its height, or its length."""
    return 0 if len(image) < 3 else -3


@cache
def _from_zoo(label: str, top: bool) -> Network:
    return zoo.get(label, top=top)


def offer(
    networks: Sequence[str | Network] | None, first: str | Network
) -> tuple[dict[str, str | Network], str]:
    """Return what can be chosen by label, and the label of `first`.

    Those are the networks given (default: the zoo), and `first`. A network of the reader's own that
    is called like another one is "NAME (yours)".
    """
    offered = {label(n): n for n in (labels() if networks is None else networks)}
    for network in offered.values():
        built(network)  # refuse an unknown name here, not when it is chosen
    name = label(first)
    if name in offered and isinstance(first, Network) and offered[name] is not first:
        name = f"{name} (yours)"
    return (offered if name in offered else {name: first, **offered}), name
