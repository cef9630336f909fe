"""Which networks an explorer offers: a label is NAME or NAME/VARIANT, as on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from cnnmem.errors import ShapeError
from cnnmem.model import zoo
from cnnmem.model.layers import Shape
from cnnmem.model.network import Network


def labels() -> tuple[str, ...]:
    """Return the labels of the whole zoo; the default variant is not named.

    >>> labels()[2:5]
    ('vgg11', 'vgg11/torchvision', 'vgg11/keras')
    """
    return tuple(
        name if i == 0 else f"{name}/{variant}"
        for name in zoo.names()
        for i, variant in enumerate(zoo.variants(name))
    )


def label(network: str | Network) -> str:
    """Return what a network is called in a list."""
    return network.name if isinstance(network, Network) else network


def built(network: str | Network, top: bool = True) -> Network:
    """Return the network of a label; a `Network` is returned as it is, whatever `top` says.

    Raises `UnknownNameError` for a label that is not in the zoo.
    """
    return network if isinstance(network, Network) else _from_zoo(network, top)


def image_of(network: Network, size: int) -> Shape:
    """Return the shape of a square image, `size` pixels a side, with the network's channels.

    Raises `ShapeError` for a size below 1.
    """
    if size < 1:
        raise ShapeError(f"the input size is {size} pixels; give 1 or more")
    return (size, size, *network.image[2:])


@cache
def _from_zoo(label: str, top: bool) -> Network:
    name, _, variant = label.partition("/")
    return zoo.get(name, top=top, **({"variant": variant} if variant else {}))


def offer(
    networks: Sequence[str | Network] | None, first: str | Network
) -> dict[str, str | Network]:
    """Return what can be chosen by label: the networks given (default: the zoo) and the first."""
    offered = {label(n): n for n in (labels() if networks is None else networks)}
    if label(first) not in offered or isinstance(first, Network):
        offered = {label(first): first, **offered}
    for network in offered.values():
        built(network)  # refuse an unknown name here, not when it is chosen
    return offered
