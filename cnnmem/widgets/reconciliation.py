"""The explorer of a difference: two totals, and the steps between them as a waterfall."""

from __future__ import annotations

from cnnmem import published
from cnnmem.count import conventions, totals
from cnnmem.count.reconciliation import reconcile
from cnnmem.count.table import table_of
from cnnmem.count.totals import Total
from cnnmem.plots import waterfall_of
from cnnmem.published.numbers import Published

from .choices import built, image_of, labels
from .controls import Dropdown, Slider
from .explorer import Explorer, View


def reconciliation(
    first: str = "tensors",
    second: str = "autograd",
    network: str = "vgg16",
    *,
    size: int = 224,
    numbers: tuple[str, ...] = (),
) -> Explorer:
    """Return the explorer of the steps between two totals of a network.

    Controls: `first` and `second` (a convention, or the id of one of the published `numbers`
    offered), `network` and `size` (of the totals; a published number brings its own).

    >>> reconciliation("tensors", "autograd").readout
    'From 60.95 MB to 73.25 MB: 4 steps, +12.30, all explained.'
    """
    known, groups = published.catalogue(), conventions.groups()
    offered = (
        *((f"{known[id].printed}, {source(known[id])}", id) for id in numbers),
        *((name, name) for name in (*groups["feature maps"], *groups["kept for backward"])),
    )

    def view(first: str, second: str, network: str, size: int) -> View:
        chosen = built(network)
        table = table_of(chosen, image_of(chosen, size))

        def total(name: str) -> Total | Published:
            return published.get(name) if name in known else totals.total(table, name)

        steps = reconcile(total(first), total(second))
        return View((waterfall_of(steps),), steps.sentence())

    return Explorer(
        "Reconciliation explorer",
        (
            Dropdown("first", "from", offered, first),
            Dropdown("second", "to", offered, second),
            Dropdown("network", "network", tuple((n, n) for n in labels()), network),
            Slider("size", "input size (px)", 32, 1536, size, 16),
        ),
        view,
        help="Choose two ways to add up the same network. Each bar is one difference between them; "
        "together they give exactly the distance from the first total to the second.",
    )


def source(number: Published) -> str:
    """Return where a number was printed, short enough for a list: up to the first comma."""
    return number.source.split(",")[0].split(":")[0]
