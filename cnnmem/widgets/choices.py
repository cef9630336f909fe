"""Which networks an explorer offers: a label is NAME or NAME/VARIANT, as on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from cnnmem.count.summary import network_of
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


def chosen(network: Any, input_shape: Any = None) -> str | Network:
    """Return what a reader gave as a label of the zoo, or as a network.

    `input_shape` is that of a torch module or a Keras model. Raises what `summary` raises.
    """
    if isinstance(network, str):
        built(network)  # an unknown name is refused here, not when it is drawn
        return zoo.canonical(network)
    return network_of(network, input_shape)


def built(network: str | Network, top: bool = True) -> Network:
    """Return the network of a label; a `Network` is returned as it is, whatever `top` says.

    Raises `UnknownNameError` for a label that is not in the zoo.
    """
    return network if isinstance(network, Network) else _from_zoo(network, top)


def image_of(network: Network, size: int) -> Shape:
    """Return the shape of an image `size` pixels high, as wide in proportion as the network's own.

    Of a volume the depth stays, of a sequence `size` is the length. Raises `ShapeError` for a size
    below 1.

    >>> image_of(network_of("vgg16"), 64)
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
    return image[0] if len(image) < 3 else image[-3]


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
