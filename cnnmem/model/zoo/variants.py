"""The checks that all network functions share: invalid arguments are refused by name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from cnnmem.checks import positive
from cnnmem.errors import CnnmemError, UnknownNameError, nearest
from cnnmem.model.network import Network, check_image


def variants(*names: str) -> Callable[[Callable[..., Network]], Callable[..., Network]]:
    """Decorate a network function with the names of its variants, the default first."""

    def decorate(function: Callable[..., Network]) -> Callable[..., Network]:
        @functools.wraps(function)
        def checked(variant: str = names[0], **options: Any) -> Network:
            if variant not in names:
                near = nearest(variant, names)
                raise UnknownNameError(
                    f"{function.__name__} has no variant {variant!r}; it has {', '.join(names)}"
                    + (f": did you mean {near!r}?" if near else "")
                )
            if options.get("top", True) not in (True, False):
                raise CnnmemError(f"top is {options['top']!r}; give True or False")
            if "classes" in options and options.get("top") is False:
                raise CnnmemError(
                    f"classes is {options['classes']!r}, but without its top {function.__name__} "
                    "has no classifier; leave one of the two out"
                )
            if "classes" in options:
                options["classes"] = positive("classes", options["classes"])
            if "image" in options:
                options["image"] = check_image(options["image"])
            return function(variant, **options)

        checked.variants = names  # type: ignore[attr-defined]
        return checked

    return decorate


def check_width(width: object) -> float:
    """Return a width multiplier; raise `CnnmemError` if it is not a number greater than 0."""
    if isinstance(width, int | float) and 0 < width < float("inf"):
        return width
    raise CnnmemError(f"width is {width!r}; it must be greater than 0 (1.0 is the paper's)")
