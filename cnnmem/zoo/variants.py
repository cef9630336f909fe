"""Which variants a network function knows; a name it does not know is refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..errors import UnknownNameError
from ..network import Network


def variants(*names: str) -> Callable[[Callable[..., Network]], Callable[..., Network]]:
    """Decorate a network function with the names of its variants, the default first."""

    def decorate(function: Callable[..., Network]) -> Callable[..., Network]:
        @functools.wraps(function)
        def checked(variant: str = names[0], **options: Any) -> Network:
            if variant not in names:
                raise UnknownNameError(
                    f"{function.__name__} has no variant {variant!r}; it has {', '.join(names)}"
                )
            return function(variant, **options)

        checked.variants = names  # type: ignore[attr-defined]
        return checked

    return decorate
