"""The explorer of two networks at one input size: parameters against feature maps."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from cnnmem.charts import StackedBars
from cnnmem.count.table import Table, table_of
from cnnmem.model.network import Network
from cnnmem.model.zoo import HEADS, vgg16_with
from cnnmem.plots.opposite import (
    SHOW,
    Memory,
    bars_by,
    bars_by_size,
    memory_of,
    say,
    shares_by_size,
)

from .choices import built, chosen, image_of, offer
from .controls import Checkbox, Dropdown, Slider
from .explorer import Explorer, View

SIZES = (224, *range(256, 1537, 128))  # of the bars by input size
BY = ("block", "kind of layer", "layer", "input size", "input size, as shares")

FLAT = 280  # height of a chart of layers, which has no names below it


_headed = lru_cache(vgg16_with)


def _name(network: str, head: str) -> str:
    return network if head in ("", "linear") else f"{network} ({head})"


class _Pair:
    """The networks that can stand beside each other; `head` (of VGG-16) is "" for one as it is."""

    def __init__(self, offered: dict[str, str | Network]) -> None:
        self.offered = offered
        self.table = lru_cache(maxsize=8)(self._table)
        # what a network holds at a size, as bars by input size need many sizes
        self.whole = lru_cache(maxsize=512)(self._whole)

    def _table(self, network: str, head: str, size: int) -> Table:
        chosen = _headed(head) if head else built(self.offered[network])
        return table_of(chosen, image_of(chosen, size))

    def _whole(self, network: str, head: str, size: int) -> Memory:
        columns = zip(*map(memory_of, self.table(network, head, size).rows), strict=True)
        return Memory(*map(sum, columns))

    def chart(
        self, network: str, head: str, size: int, by: str, show: str, log: bool
    ) -> StackedBars:
        """Return the bars of one of the two networks."""
        name = _name(network, head)
        if by not in BY[3:]:
            return bars_by(self.table(network, head, size), by, show, log, f"{name} at {size} px")
        held = {n: self.whole(network, head, n) for n in sorted({*SIZES, size})}
        if by == "input size":
            return bars_by_size(held, size, show, log, f"{name}, by input size")
        return shares_by_size(held, size, show, f"{name}: shares by input size")


def opposite(
    other: Any = "densenet201",
    input_shape: Any = None,
    *,
    size: int | None = None,
    head: str = "linear",
    by: str = "block",
    show: str = SHOW[0],
    same: bool = True,
    log: bool = False,
) -> Explorer:
    """Return the explorer of VGG-16 beside another network, as Keras counts them.

    `other` is a `Network`, a name of the zoo (NAME or NAME/VARIANT), a torch module with its
    `input_shape` (N, C, H, W), or a Keras model.

    Controls: `size` in pixels (default: that of `input_shape`, or 224), `head` (VGG-16's
    classifier: a key of `zoo.HEADS`), `other` (the second network, NAME or NAME/VARIANT), `by`
    (what a bar stands for: one of `BY`), `show` (one of `SHOW`), `same` (one axis for both charts),
    `log` (logarithmic axes).

    >>> print(opposite(size=1024).readout)
    vgg16: 2,183,080,744 parameters = 8,327.79 MiB (87.3 %), feature maps 1,216.04 MiB (12.7 %)
    densenet201: 20,242,984 parameters = 77.22 MiB (1.2 %), feature maps 6,159.15 MiB (98.8 %)
    """
    given = chosen(other, input_shape)
    offered, second = offer(None, given.network)
    pairs = _Pair(offered)

    def view(size: int, head: str, other: str, by: str, show: str, same: bool, log: bool) -> View:
        pair = (("vgg16", head), (other, ""))
        charts = tuple(pairs.chart(*one, size, by, show, log) for one in pair)
        if same:
            reach = max(max(chart.totals, default=0) for chart in charts)
            charts = tuple(replace(chart, reach=max(reach, chart.reach)) for chart in charts)
        readout = "\n".join(say(_name(*one), pairs.whole(*one, size)) for one in pair)
        layers = by == "layer"
        return View(charts, readout, beside=not layers, height=FLAT if layers else 0)

    return Explorer(
        "Two networks, two memories",
        (
            Slider(
                "size",
                "input size (px)",
                least=32,
                most=1536,
                value=(given.size or 224) if size is None else size,
                step=32,
                help="height and width of the image",
            ),
            Dropdown(
                "head",
                "VGG-16 ends in",
                tuple((text, key) for key, text in HEADS.items()),
                head,
                "what comes between VGG-16's last map and the classes",
            ),
            Dropdown("by", "a bar for each", tuple((text, text) for text in BY), by),
            Dropdown("other", "beside it", tuple((name, name) for name in offered), second),
            Dropdown("show", "show", tuple((text, text) for text in SHOW), show),
            Checkbox("same", "one axis for both", same),
            Checkbox("log", "logarithmic axes", log),
        ),
        view,
        help="VGG-16 is on the left, the other network on the right; with a bar for each layer, "
        "one is above the other. Parameters are counted with the running statistics of batch "
        "normalisation; feature maps are the outputs of all layers for one image. Both are in "
        "float32, as Keras lists them.",
    )
