"""The networks and numbers that several lessons ask about, counted once."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

from cnnmem.count.summary import Summary, summary
from cnnmem.model import zoo
from cnnmem.units import MB, MiB, fixed, number


@cache
def table(name: str, size: int | None = None, batch: int = 1, **options: Any) -> Summary:
    """Return the table of a network of the zoo.

    >>> table("vgg16", top=False).params
    14714688
    """
    dtype = options.pop("dtype", "float32")
    network = zoo.get(name, **options)
    image = None if size is None else (size, size, network.image[2])
    return summary(network, image, batch, dtype=dtype)


def total(of: Summary, convention: str) -> Fraction:
    """Return a total in base units: bytes or counts.

    >>> total(table("vgg16"), "parameters-mb")
    Fraction(553430176, 1)
    """
    return of.total(convention).base


def mb(count: Fraction | int) -> str:
    """Return bytes in MB with two decimals.

    >>> mb(553430176)
    '553.43 MB'
    """
    return f"{fixed(Fraction(count) / MB.size)} MB"


def mib(count: Fraction | int) -> str:
    """Return bytes in MiB with two decimals.

    >>> mib(553430176)
    '527.79 MiB'
    """
    return f"{fixed(Fraction(count) / MiB.size)} MiB"


def misread(count: Fraction | int) -> Fraction:
    """Return the size in bytes that results from misreading a figure in MiB as MB."""
    return Fraction(count) * MB.size / MiB.size


def n(count: Fraction | int) -> str:
    """Return a count with thousands separators."""
    return number(Fraction(count))


def drawn(id: str) -> Random:
    """Return the random source of a question's hidden inputs, the same in every session.

    >>> drawn("01-conv-params").randint(1, 100) == drawn("01-conv-params").randint(1, 100)
    True
    """
    return Random(f"hidden inputs of {id}")
