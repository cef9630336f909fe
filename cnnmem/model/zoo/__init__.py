"""The networks of the lessons, as data.

Each function returns a `Network`; its arguments are the variant (the first one named is the
default), `top` (False leaves the classifier out), `classes` and the image (H, W, C) it is made
for. `summary` takes any other size.

>>> from cnnmem import zoo
>>> zoo.vgg16().nodes[0].name
'conv1_1'
>>> zoo.get("densenet201", variant="keras", top=False).nodes[-1].name
'relu'
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cnnmem.errors import CnnmemError, letters, look_up
from cnnmem.model.network import Network

from .classic import alexnet, lenet5
from .densenet import densenet121, densenet169, densenet201
from .efficientnet import efficientnet_b0
from .heads import HEADS, vgg16_with
from .inception import googlenet, inception_v3
from .mobilenet import mobilenet_v1, mobilenet_v2
from .mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from .resnet import resnet18, resnet34, resnet50
from .squeezenet import squeezenet1_0, squeezenet1_1
from .vgg import vgg11, vgg13, vgg16, vgg19

NETWORKS: dict[str, Callable[..., Network]] = {
    function.__name__: function
    for function in (
        lenet5,
        alexnet,
        vgg11,
        vgg13,
        vgg16,
        vgg19,
        resnet18,
        resnet34,
        resnet50,
        densenet121,
        densenet169,
        densenet201,
        mobilenet_v1,
        mobilenet_v2,
        mobilenet_v3_large,
        mobilenet_v3_small,
        googlenet,
        inception_v3,
        squeezenet1_0,
        squeezenet1_1,
        efficientnet_b0,
    )
}


def names() -> tuple[str, ...]:
    """Return the names of all networks."""
    return tuple(NETWORKS)


def variants(name: str) -> tuple[str, ...]:
    """Return the variants of a network, the default first.

    >>> variants("vgg16")
    ('paper', 'torchvision', 'keras')
    """
    return NETWORKS[_read(name)[0]].variants  # type: ignore[attr-defined, no-any-return]


def get(label: object, **options: Any) -> Network:
    """Return a network by its label, NAME[/VARIANT][/WIDTH], with the options of its function.

    Capital letters, hyphens and underscores in the name make no difference. Raises
    `UnknownNameError` for an unknown name and `CnnmemError` for an unknown option.

    >>> get("VGG-16/torchvision").name, get("mobilenet_v2/1.4").nodes[0].layer.out_channels
    ('vgg16', 48)
    """
    name, named = _read(label)
    for option in named:
        if option in options:
            raise CnnmemError(
                f"{label!r} names a {option}, and {option} {options[option]!r} is given too; leave "
                "one of them out"
            )
    options = named | options
    function = NETWORKS[name]
    known = inspect.signature(function).parameters
    for given in options:
        if given not in known:
            raise CnnmemError(f"{name} has no option {given!r}; it has {', '.join(known)}")
    return function(**options)


def canonical(label: object) -> str:
    """Return a network's label as the kit spells it.

    >>> canonical("VGG-16/keras"), canonical("MobileNetV2/1.40")
    ('vgg16/keras', 'mobilenet_v2/1.4')
    """
    name, options = _read(label)
    return "/".join([name, *[str(value) for value in options.values()]])


def _read(label: object) -> tuple[str, dict[str, Any]]:
    """Return the network's name and the options that a label names."""
    if not isinstance(label, str):
        look_up("network", label, NETWORKS)  # which refuses it
    name, *parts = str(label).split("/")
    spelled = {letters(known): known for known in NETWORKS}
    name = spelled.get(letters(name), name)
    look_up("network", name, NETWORKS)
    options: dict[str, Any] = {}
    for part in parts:
        try:
            options["width"] = float(part)
        except ValueError:
            options["variant"] = part
    return name, options


__all__ = [
    "HEADS",
    "NETWORKS",
    "alexnet",
    "canonical",
    "densenet121",
    "densenet169",
    "densenet201",
    "efficientnet_b0",
    "get",
    "googlenet",
    "inception_v3",
    "lenet5",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "names",
    "resnet18",
    "resnet34",
    "resnet50",
    "squeezenet1_0",
    "squeezenet1_1",
    "variants",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg16_with",
    "vgg19",
]
