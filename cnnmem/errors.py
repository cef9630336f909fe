"""The exceptions of the package: every message says where, which value, and how to fix it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


class CnnmemError(ValueError):
    """Base class of all errors that cnnmem raises on bad input."""


class ShapeError(CnnmemError):
    """A layer's settings are invalid, or do not fit its input shape."""


class NetworkError(CnnmemError):
    """The network's graph is invalid."""


class UnknownNameError(CnnmemError, KeyError):
    """An unknown name of a network, layer, convention or published number."""

    def __str__(self) -> str:  # KeyError would show the message's repr
        return str(self.args[0])


def look_up(what: str, name: object, known: Mapping[str, T]) -> T:
    """Return the entry called `name`; raise `UnknownNameError`, listing the known names.

    >>> look_up("dtype", "float32", {"float32": 4})
    4
    """
    if isinstance(name, str) and name in known:
        return known[name]
    raise UnknownNameError(f"no {what} is called {name!r}; there are {', '.join(known)}")
