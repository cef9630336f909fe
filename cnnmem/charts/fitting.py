"""Estimate the width of a text, and shorten texts to a width."""

from __future__ import annotations

from functools import lru_cache

from .format import flat
from .theme import TEXT

_WIDE, _NARROW = frozenset("mwMW@%—"), frozenset("iljtfrI.,:;|!'()[] ")


@lru_cache(maxsize=8192)
def text_width(text: str, size: float = TEXT, bold: bool = False) -> float:
    """The width of ``text`` in pixels, estimated on the safe side for common sans fonts."""
    ems = 0.0
    for char in text:
        if char in _NARROW:
            ems += 0.37
        elif char in _WIDE or ord(char) > 0x2FF:
            ems += 1.0
        else:
            ems += 0.7 if char.isupper() else 0.64
    return ems * size * (1.13 if bold else 1.0)


@lru_cache(maxsize=8192)
def fit(text: str, width: float, size: float = TEXT, bold: bool = False, head: float = 0.5) -> str:
    """``text`` shortened to ``width`` pixels; ``head`` is the share kept before the ellipsis.

    >>> fit("features.denselayer32.conv2", 100), fit("features.denselayer32.conv2", 100, head=0)
    ('featur….conv2', '…yer32.conv2')
    """
    text = flat(text)
    if text_width(text, size, bold) <= width:
        return text
    for kept in range(min(len(text) - 1, int(width)), 0, -1):
        first = round(kept * head)
        short = text[:first] + "…" + text[len(text) - kept + first :]
        if text_width(short, size, bold) <= width:
            return short
    return "…"


def fit_name(name: str, width: float) -> str:
    """The name of a layer shortened to ``width`` pixels, from the left.

    The end of a name tells layers apart; its beginning is shared by many.

    >>> fit_name("features.denselayer32.conv2", 100)
    '…yer32.conv2'
    """
    return fit(name, width, head=0)
