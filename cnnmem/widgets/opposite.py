"""The explorer of two networks at one input size: parameters against feature maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from cnnmem.charts import Group, Series, StackedBars
from cnnmem.count.table import Row, Summary, summary
from cnnmem.errors import CnnmemError
from cnnmem.model.kinds import kind_title
from cnnmem.model.zoo import HEADS, vgg16_with
from cnnmem.units import MiB, fixed, percent

from .choices import built, labels
from .controls import Choice, Number, Switch
from .explore import CROWDED, groups_of
from .explorer import Explorer, View

WIDTH = 4  # bytes of a float32 value
SIZES = (224, *range(256, 1537, 128))  # of the bars by input size
BY = ("block", "kind of layer", "layer", "input size", "input size, as shares")
PARTS = ("parameters", "feature maps")
SHOW = ("parameters and feature maps", *PARTS)
Amount = int | Fraction

FLAT = 300  # height of a chart of layers, which has no names below it


class Memory(NamedTuple):
    """Bytes of parameters, running statistics among them, and of all layers' outputs."""

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


def memories(table: Summary, by: str) -> dict[str, Memory]:
    """Return what a table holds by "block", "kind of layer" or "layer", in the order of the rows.

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


@lru_cache(maxsize=8)
def _table(network: str, head: str, size: int) -> Summary:
    """Return a network's table; `head` (of VGG-16) is "" for a network of the zoo as it is."""
    chosen = _headed(head) if head else built(network)
    return summary(chosen, (size, size, chosen.image[2]))


_headed = lru_cache(vgg16_with)


def _name(network: str, head: str) -> str:
    return network if head in ("", "linear") else f"{network} ({head})"


@lru_cache(maxsize=512)
def _whole(network: str, head: str, size: int) -> Memory:
    """Return what a network holds at a size; kept, since bars by input size ask for many."""
    columns = zip(*map(memory_of, _table(network, head, size).rows), strict=True)
    return Memory(*map(sum, columns))


def _chart(network: str, head: str, size: int, by: str, show: str, log: bool) -> StackedBars:
    if by in BY[3:]:
        return _by_size(network, head, size, by, show, log)
    table = _table(network, head, size)
    held = memories(table, by)
    groups: tuple[Group, ...] = ()
    if len(held) > CROWDED:
        groups = groups_of([row for row in table.rows if row.name in held])
    return StackedBars(
        f"{_name(network, head)} at {size} px", tuple(held), _series(held.values(), show), "MiB",
        MiB.size, base_unit="bytes", log=log, groups=groups, category=by.split()[0],
    )  # fmt: skip


def _series(held: Iterable[tuple[Amount, Amount]], show: str) -> tuple[Series, ...]:
    columns = zip(PARTS, zip(*held, strict=True), strict=True)
    return tuple(Series(name, column) for name, column in columns if show in (SHOW[0], name))


def _by_size(network: str, head: str, size: int, by: str, show: str, log: bool) -> StackedBars:
    """Return a bar an input size, that of the slider among them, in MiB or as shares."""
    name = _name(network, head)
    held = {n: _whole(network, head, n) for n in sorted({*SIZES, size})}
    names, here = tuple(f"{n} px" for n in held), frozenset({f"{size} px"})
    if by == "input size":
        return StackedBars(
            f"{name}, by input size", names, _series(held.values(), show), "MiB", MiB.size,
            base_unit="bytes", log=log, highlight=here, category=by, adds_up=False,
        )  # fmt: skip
    shares = []
    for one in held.values():
        share = round(Fraction(100 * one.parameters, one.both), 2)
        shares.append((share, 100 - share))
    return StackedBars(
        f"{name}: shares by input size", names, _series(shares, show), "% of the memory",
        highlight=here, category="input size", adds_up=False, reach=100,
    )  # fmt: skip


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


def opposite(
    other: str = "densenet201",
    *,
    size: int = 224,
    head: str = "linear",
    by: str = "block",
    show: str = SHOW[0],
    same: bool = True,
    log: bool = False,
) -> Explorer:
    """Return the explorer of VGG-16 beside another network, as Keras counts them.

    Controls: `size` in pixels, `head` (VGG-16's classifier: a key of `zoo.HEADS`), `other` (the
    second network, NAME or NAME/VARIANT), `by` (what a bar is: one of `BY`), `show` (one of
    `SHOW`), `same` (one axis for both charts), `log` (logarithmic axes).

    >>> print(opposite(size=1024).readout)
    vgg16: 2,183,080,744 parameters = 8,327.79 MiB (87.3 %), feature maps 1,216.04 MiB (12.7 %)
    densenet201: 20,242,984 parameters = 77.22 MiB (1.2 %), feature maps 6,159.15 MiB (98.8 %)
    """

    def view(size: int, head: str, other: str, by: str, show: str, same: bool, log: bool) -> View:
        if size < 1:
            raise CnnmemError(f"the input size is {size}; it must be 1 pixel or more")
        pair = (("vgg16", head), (other, ""))
        charts = tuple(_chart(*one, size, by, show, log) for one in pair)
        if same:
            reach = max(max(chart.totals, default=0) for chart in charts)
            charts = tuple(replace(chart, reach=max(reach, chart.reach)) for chart in charts)
        readout = "\n".join(say(_name(*one), _whole(*one, size)) for one in pair)
        layers = by == "layer"
        return View(charts, readout, beside=not layers, height=FLAT if layers else 0)

    return Explorer(
        "Two networks, two memories",
        (
            Number("size", "input size (px)", 32, 1536, size, 32, "height and width of the image"),
            Choice("head", "VGG-16 ends in", tuple((text, key) for key, text in HEADS.items()),
                   head, "what stands between VGG-16's last map and the classes"),
            Choice("by", "a bar for each", tuple((text, text) for text in BY), by),
            Choice("other", "beside it", tuple((name, name) for name in labels()), other),
            Choice("show", "show", tuple((text, text) for text in SHOW), show),
            Switch("same", "one axis for both", same),
            Switch("log", "logarithmic axes", log),
        ),
        view,
        help="VGG-16 is on the left, the other network on the right; its layers stand below each "
        "other where there are hundreds. Parameters are counted with the running statistics of "
        "batch normalisation, feature maps are the outputs of all layers for one image, both in "
        "float32, as Keras lists them.",
    )  # fmt: skip
