"""The exceptions of the package: every message says where, which value, and how to fix it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
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
    """Return the entry called `name`; raise `UnknownNameError`, with the nearest and all names.

    >>> look_up("dtype", "float32", {"float32": 4})
    4
    """
    if isinstance(name, str) and name in known:
        return known[name]
    near = nearest(name, known)
    hint = f"did you mean {near!r}? There are" if near else "there are"
    raise UnknownNameError(f"no {what} is called {name!r:.99}; {hint} {', '.join(known)}")


def letters(name: str) -> str:
    """Return the letters and digits of a name, in lower case, to compare spellings by."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that is spelled most like this one, or None.

    >>> nearest("VGG-16", ["vgg11", "vgg16"]), nearest("x", ["vgg16"])
    ('vgg16', None)
    """
    if not isinstance(name, str):
        return None
    spelled = {letters(each): each for each in known}
    close = get_close_matches(letters(name), spelled, n=1)
    return spelled[close[0]] if close else None
