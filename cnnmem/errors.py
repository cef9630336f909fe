"""The exceptions of the package: every message names the place, the value and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


class CnnmemError(ValueError):
    """Base of all errors that cnnmem raises on bad input."""


class ShapeError(CnnmemError):
    """A layer's numbers are none that a layer can have, or do not work on the shape it is given."""


class NetworkError(CnnmemError):
    """A network is not wired as a network can be."""


class UnknownNameError(CnnmemError, KeyError):
    """A name (of a network, layer, convention, published number) that nothing carries."""

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])


def look_up(what: str, name: object, known: Mapping[str, T]) -> T:
    """Return what is known under a name; raise `UnknownNameError`, saying what there is.

    >>> look_up("dtype", "float32", {"float32": 4})
    4
    """
    if isinstance(name, str) and name in known:
        return known[name]
    raise UnknownNameError(f"no {what} is called {name!r}; there are {', '.join(known)}")
