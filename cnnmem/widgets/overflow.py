"""The explorer of a count that outgrows 32 bits: the dial, and its course over the input size."""

from __future__ import annotations

from functools import lru_cache

from cnnmem.charts import Dial
from cnnmem.count.table import Table, table_of
from cnnmem.errors import CnnmemError, ShapeError
from cnnmem.int32 import INT32_MAX, TURN, tipping_point, turns, wrap_int32
from cnnmem.units import number

from .choices import built
from .controls import Dropdown, Slider
from .explorer import Explorer, View

NETWORKS = ("vgg16", "vgg11", "vgg19", "alexnet", "resnet18", "mobilenet_v2")
COUNTS = {
    "all parameters": "parameters",
    "parameters of the largest layer": "parameters",
    "bytes of all parameters": "bytes",
    "values of all feature maps": "values",
    "MACs": "MACs",
}
LARGEST = 8192  # pixels; the search for a tipping point ends here
_POINTS = 140  # sizes along the course


def count_of(table: Table, what: str) -> int:
    """Return one of `COUNTS` of a table, exactly. Moving statistics count, as in Keras.

    >>> from cnnmem import summary
    >>> count_of(summary("vgg16", (1024, 1024, 3)), "parameters of the largest layer")
    2147487744
    """
    match what:
        case "all parameters":
            return table.params + table.statistics
        case "parameters of the largest layer":
            return max(row.params + row.statistics for row in table.rows)
        case "bytes of all parameters":
            return 4 * (table.params + table.statistics)
        case "values of all feature maps":
            return table.values
        case "MACs":
            return table.macs
    raise CnnmemError(f"there is no count {what!r}; it can be {', '.join(COUNTS)}")


@lru_cache(maxsize=4096)
def _count(network: str, what: str, size: int) -> int:
    chosen = built(network)
    return count_of(table_of(chosen, (size, size, chosen.image[2])), what)


@lru_cache(maxsize=64)
def smallest(network: str) -> int:
    """Return the smallest input size in pixels that a network accepts.

    >>> smallest("vgg16")
    32
    """
    size = 1
    while True:
        try:
            built(network).trace_shapes((size, size, built(network).image[2]))
            return size
        except ShapeError:
            size += 1


@lru_cache(maxsize=64)
def tips_at(network: str, what: str) -> int | None:
    """Return the first size whose count does not fit 32 bits; None if all up to `LARGEST` fit.

    >>> tips_at("vgg16", "all parameters"), tips_at("resnet18", "all parameters")
    (1024, None)
    """
    if _count(network, what, LARGEST) <= INT32_MAX:
        return None
    return tipping_point(lambda size: _count(network, what, size), smallest(network), LARGEST)


@lru_cache(maxsize=64)
def course(network: str, what: str) -> tuple[tuple[int, int], ...]:
    """Return sizes and counts from the smallest to a little over twice the tipping point."""
    last = int(2.2 * (tips_at(network, what) or 1024))
    step = 1
    while last // step > _POINTS:
        step *= 2  # maps are halved, so counts change at multiples of powers of two
    first = smallest(network)
    sizes = sorted({first, *range(-(-first // step) * step, last + 1, step)})
    return tuple((size, _count(network, what, size)) for size in sizes)


def overflow(network: str = "vgg16", *, what: str = "all parameters", size: int = 1000) -> Explorer:
    """Return the explorer of a count as a 32-bit integer shows it.

    Controls: `network`, `what` (one of `COUNTS`), `size` in pixels, in steps of one.

    >>> print(overflow(size=1024).readout)
    vgg16 at 1024 x 1024, all parameters: 2,183,080,744. A 32-bit integer shows -2,111,886,552.
    That is 1 x 4,294,967,296 too little. It tipped at 1024 px; 1023 px still fits.
    """

    def view(network: str, what: str, size: int) -> View:
        if size > LARGEST:
            raise CnnmemError(f"input size is {size:,} px; the search goes to {LARGEST:,} px")
        exact = _count(network, what, size)
        title = f"{network} at {size} x {size}: {what}"
        dial = Dial(title, exact, COUNTS[what], size, course(network, what))
        return View((dial,), readout(network, what, size))

    return Explorer(
        "Overflow explorer",
        (
            Dropdown("network", "network", tuple((n, n) for n in NETWORKS), network),
            Dropdown("what", "count", tuple((w, w) for w in COUNTS), what),
            Slider("size", "input size (px)", 32, 2240, size),
        ),
        view,
        help="The blue spiral is the exact count, wound around a dial that has room for 2^32 "
        "numbers; the orange hand is what a 32-bit integer shows. On the right is the same over "
        "the input size. Click the slider's handle and press the arrow keys: one pixel per step.",
    )


def readout(network: str, what: str, size: int) -> str:
    """Return the exact count, the one shown, and where the count tips, in two lines."""
    exact = _count(network, what, size)
    shown, around, tips = wrap_int32(exact), turns(exact), tips_at(network, what)
    first = f"{network} at {size} x {size}, {what}: {number(exact)}."
    if around:
        second = f"That is {around:,} x {TURN:,} too little. " + "No minus sign warns. " * (
            shown >= 0
        )
        return (
            f"{first} A 32-bit integer shows {number(shown)}.\n"
            f"{second}It tipped at {tips} px; {tips - 1} px still fits."  # type: ignore[operator]
        )
    second = f"There is room for {INT32_MAX - exact:,} more."
    if tips is None:
        second = f"It fits at every size up to {LARGEST:,} px."
    return f"{first} A 32-bit integer shows the same: it fits.\n{second}"
