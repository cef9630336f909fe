"""Two ideas as pictures that follow sliders: a flattened map, and a convolution taken apart."""

from __future__ import annotations

from typing import Any

from cnnmem.count.table import table_of
from cnnmem.errors import CnnmemError
from cnnmem.model.layers import Linear
from cnnmem.plots.factors import Factors
from cnnmem.plots.wiring import Wiring
from cnnmem.units import percent

from .choices import built, chosen, image_of, natural_size, offer
from .controls import Dropdown, Slider
from .explorer import Explorer, View

FLAT = ("vgg16", "vgg13", "vgg19", "alexnet", "lenet5")


def flattened(network: Any = "vgg16", *, size: int | None = None) -> Explorer:
    """Return the explorer of a network's first linear layer and the map that it reads.

    Controls: `network`, `size` in pixels. `network` is one of the zoo's that flatten their last
    map, or a network of one's own. Raises `CnnmemError` if it has no linear layer behind a map.

    >>> print(flattened().readout)
    fc1 of vgg16 at 224 x 224 reads 7 x 7 x 512 = 25,088 values. 102,760,448 weights.
    It holds 74.3 % of 138,357,544 parameters.
    """
    offered, first = offer(FLAT, chosen(network, None).network)

    def view(network: str, size: int) -> View:
        net = built(offered[network])
        table = table_of(net, image_of(net, size))
        layers = {node.name: node.layer for node in net.nodes}
        rows = [row for row in table.rows if isinstance(layers.get(row.name), Linear)]
        if not rows:
            raise CnnmemError(f"{network} has no linear layer; choose one of {', '.join(FLAT)}")
        row, before = rows[0], None
        for each in table.rows[: table.rows.index(row) + 1]:
            shape = each.inputs[0] if each is row and each.inputs else each.output
            if len(shape) == 3:
                before = shape
        if before is None or (row.inputs[0] != before and row.inputs[0] != (_count(before),)):
            raise CnnmemError(
                f"{row.name} of {network} does not read a whole map: it is wired to "
                f"{_count(row.inputs[0]):,} values"
            )
        picture = Wiring(
            f"{network} at {size} x {size}: {row.name}",
            row.name,
            (before[0], before[1], before[2]),
            row.output[-1],
            row.biases,
            table.params - row.params,
        )
        height, width, channels = picture.shape
        said = (
            f"{row.name} of {network} at {size} x {size} reads {height} x {width} x {channels} = "
            f"{picture.values:,} values. {row.weights:,} weights.\n"
            f"It holds {percent(row.params, table.params)} of {table.params:,} parameters."
        )
        return View((picture,), said)

    return Explorer(
        "A flattened map",
        (
            Dropdown("network", "network", tuple((n, n) for n in offered), first),
            Slider(
                "size",
                "input size (px)",
                32,
                1024,
                natural_size(offered[first]) if size is None else size,
                32,
            ),
        ),
        view,
        help="The last map is written out as one long vector, and every unit of the linear layer "
        "has a weight for every value. A few of each are drawn. The areas at the right are "
        "parameters.",
        height=330,
    )


def _count(shape: tuple[int, ...]) -> int:
    product = 1
    for side in shape:
        product *= side
    return product


def taken_apart(*, kernel: int = 3, c_in: int = 512, n: int = 512) -> Explorer:
    """Return the explorer of a full convolution beside its depthwise and pointwise halves.

    Controls: `kernel` (K), `c_in` (input channels), `n` (N, filters).

    >>> print(taken_apart().readout)
    full 2,359,296, depthwise 4,608 + pointwise 262,144 products a place
    1/512 + 1/9 = 11.3 % of the full convolution
    """

    def view(kernel: int, c_in: int, n: int) -> View:
        for name, value in (("kernel K", kernel), ("input channels", c_in), ("filters N", n)):
            if value < 1:
                raise CnnmemError(f"{name} is {value}; give 1 or more")
        factors = Factors(f"{kernel} x {kernel}, from {c_in} to {n} channels", kernel, c_in, n)
        both = factors.depthwise + factors.pointwise
        said = (
            f"full {factors.full:,}, depthwise {factors.depthwise:,} + pointwise "
            f"{factors.pointwise:,} products a place\n"
            f"1/{n} + 1/{kernel**2} = {percent(both, factors.full)} of the full convolution"
        )
        return View((factors,), said)

    return Explorer(
        "A convolution, taken apart",
        (
            Slider("kernel", "kernel K", 1, 11, kernel, 2),
            Slider("c_in", "input channels", 1, 1024, c_in, 1),
            Slider("n", "filters N", 1, 1024, n, 1),
        ),
        view,
        help="A full convolution multiplies K · K · C times for each of its N filters. The "
        "depthwise half has one K x K filter for each channel, the pointwise half N filters of "
        "1 x 1. The strips compare what they multiply at one place of the map.",
        height=330,
    )
