"""Two memories of a network, parameters and feature maps, as Keras counts them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from cnnmem.charts import Series, StackedBars
from cnnmem.count.table import Row, Table
from cnnmem.model.kinds import kind_title
from cnnmem.units import MiB, fixed, percent

from .colours import series as series_of
from .layer_bars import groups_of

WIDTH = 4  # bytes of a float32 value
PARTS = ("parameters", "feature maps")
SHOW = ("parameters and feature maps", *PARTS)
Amount = int | Fraction


class Memory(NamedTuple):
    """Bytes of parameters, including running statistics, and of all layers' outputs."""

    parameters: int
    maps: int

    @property
    def both(self) -> int:
        """Bytes of the two together."""
        return self.parameters + self.maps


def memory_of(row: Row) -> Memory:
    """Return what a row holds, counted as `keras-memory` does: views are outputs too."""
    return Memory(
        WIDTH * (row.weights + row.biases + row.statistics), WIDTH * (row.values + row.views)
    )


def memories(table: Table, by: str) -> dict[str, Memory]:
    """Return what a table holds by "block", "kind of layer" or "layer", in the order of the rows.

    >>> from cnnmem import summary
    >>> found = memories(summary("vgg16"), "block")
    >>> found["fc1"].parameters, found["block1"].maps
    (411058176, 28901376)
    """
    sums: dict[str, Memory] = {}
    for row in table.rows:
        held = memory_of(row)
        if held.parameters or held.maps:
            key = {"block": row.block, "layer": row.name}.get(by) or kind_title(row.kind)
            old = sums.get(key)
            sums[key] = held if old is None else Memory(old[0] + held[0], old[1] + held[1])
    return sums


def bars_by(table: Table, by: str, show: str, log: bool, title: str) -> StackedBars:
    """Return a table's memories by "block", "kind of layer" or "layer" as bars."""
    held = memories(table, by)
    return StackedBars(
        title,
        tuple(held),
        _series(held.values(), show),
        "MiB",
        MiB.size,
        base_unit="bytes",
        log=log,
        groups=groups_of([row for row in table.rows if row.name in held]),
        category=by.split()[0],
    )


def bars_by_size(
    held: dict[int, Memory], size: int, show: str, log: bool, title: str
) -> StackedBars:
    """Return one bar for each input size, the chosen one highlighted."""
    return StackedBars(
        title,
        tuple(f"{n} px" for n in held),
        _series(held.values(), show),
        "MiB",
        MiB.size,
        base_unit="bytes",
        log=log,
        highlight=frozenset({f"{size} px"}),
        category="input size",
        adds_up=False,
    )


def shares_by_size(held: dict[int, Memory], size: int, show: str, title: str) -> StackedBars:
    """Return the shares of the two memories for each input size."""
    shares = []
    for one in held.values():
        share = round(Fraction(100 * one.parameters, one.both), 2)
        shares.append((share, 100 - share))
    return StackedBars(
        title,
        tuple(f"{n} px" for n in held),
        _series(shares, show),
        "% of the memory",
        highlight=frozenset({f"{size} px"}),
        category="input size",
        adds_up=False,
        reach=100,
    )


def _series(held: Iterable[tuple[Amount, Amount]], show: str) -> tuple[Series, ...]:
    columns = zip(PARTS, zip(*held, strict=True), strict=True)
    return tuple(series_of(name, column) for name, column in columns if show in (SHOW[0], name))


def say(name: str, held: Memory) -> str:
    """Return a network's two memories in words.

    >>> say("vgg16", Memory(4 * 2_183_080_744, 4 * 318_770_000))
    'vgg16: 2,183,080,744 parameters = 8,327.79 MiB (87.3 %), feature maps 1,216.01 MiB (12.7 %)'
    """
    parameters, maps = (fixed(Fraction(part, MiB.size)) for part in held)
    return (
        f"{name}: {held.parameters // WIDTH:,} parameters = {parameters} MiB "
        f"({percent(held.parameters, held.both)}), feature maps {maps} MiB "
        f"({percent(held.maps, held.both)})"
    )
