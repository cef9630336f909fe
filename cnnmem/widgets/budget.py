"""The explorer of a training step's budget: what is in memory, and whether it fits a card."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cnnmem.charts import HeatMap, Marker
from cnnmem.count import budget as budgets
from cnnmem.count.budget import PRECISIONS, Budget, Growth, Reserve, gib
from cnnmem.count.training import OPTIMIZERS
from cnnmem.errors import CnnmemError, NetworkError, ShapeError
from cnnmem.model.network import Network
from cnnmem.plots import timeline_of
from cnnmem.plots.budget import per_layer
from cnnmem.units import GiB, memory

from .choices import built, chosen, image_of, natural_size, offer
from .controls import Checkbox, Dropdown, Slider
from .explorer import Explorer, View

SHOWN = ("layer by layer", "over time", "batch against size")
SIZES = (64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def budget(
    network: Any = "vgg16/torchvision",
    input_shape: Any = None,
    *,
    show: str = "layer by layer",
    optimizer: str = "adam",
    precision: str = "float32",
    size: int | None = None,
    batch: int | None = None,
    card: int = 8,
    frozen: str = "",
    images: bool = True,
    reserve: Reserve | None = None,
) -> Explorer:
    """Return the explorer of what a training step needs.

    `network` is a `Network`, a name of the zoo (NAME or NAME/VARIANT), a torch module with its
    `input_shape` (N, C, H, W), or a Keras model. `size` (default: the network's own) and
    `batch` (default: N, or 32) are where the sliders stand at first.

    Controls: `network`, `show` (a value of `SHOWN`), `optimizer`, `precision`, `size` in pixels,
    `batch`, `card` (its memory in GiB), `frozen` (the last layer that does not learn), `images`
    (layer by layer: with what the images need, or only the network's part). `reserve` is what a
    card needs besides the tensors.

    >>> print(budget(batch=8).readout.splitlines()[0])
    vgg16/torchvision at 224x224, batch 8, adam, float32: 3.04 GB at the peak (optimizer).
    """
    reserve = reserve or Reserve()
    given = chosen(network, input_shape)
    offered, first = offer(None, given.network)
    steps = _Steps(offered)

    def view(
        network: str,
        show: str,
        optimizer: str,
        precision: str,
        size: int,
        batch: int,
        card: int,
        frozen: str,
        images: bool,
    ) -> View:
        if card < 1:
            raise CnnmemError(f"card is {card} GiB; give 1 or more")
        net = steps.frozen(network, frozen)
        lines = steps.growth(network, frozen, size, optimizer, precision)
        image = image_of(net, size)
        of = budgets.budget(net, image, batch, optimizer=optimizer, precision=precision)
        room = int(reserve.room(card * GiB.size))
        if show == "over time":
            marker = Marker(f"room on a card of {card} GiB", value=room)
            chart: Any = timeline_of(of.step, markers=(marker,))
        elif show == "layer by layer":
            chart = per_layer(of, f"{network}, batch {batch}: a training step by layer", images)
        else:
            chart = _heat(steps, network, frozen, optimizer, precision, (size, batch), card, room)
        return View((chart,), _say(of, network, lines, card, reserve))

    return Explorer(
        "Training budget",
        (
            Dropdown("network", "network", tuple((n, n) for n in offered), first),
            Dropdown("show", "show", tuple((s, s) for s in SHOWN), show),
            Dropdown("optimizer", "optimizer", tuple((o, o) for o in OPTIMIZERS), optimizer),
            Dropdown("precision", "precision", tuple((p, p) for p in PRECISIONS), precision),
            Slider(
                "size",
                "input size (px)",
                least=32,
                most=1024,
                value=given.size or natural_size(offered[first]) if size is None else size,
                step=32,
            ),
            Slider(
                "batch", "batch (images)", 1, 256, (given.batch or 32) if batch is None else batch
            ),
            Slider("card", "card (GiB)", 1, 96, card),
            Dropdown("frozen", "frozen up to", steps.blocks, frozen),
            Checkbox("images", "with what the images need (layer by layer)", images),
        ),
        view,
        help="Each bar is a layer with all that it adds to a training step; over time you see "
        "what is alive when; in the map each cell is the peak at one batch and one input size. The "
        "lines above the chart compare the peak, plus a reserve, with the card. It is an estimate: "
        "only a run on the card itself can tell.",
    )


class _Steps:
    """What the steps of an explorer have in common, worked out once."""

    def __init__(self, offered: dict[str, str | Network]) -> None:
        self.offered = offered
        self.frozen = lru_cache(maxsize=64)(self._frozen)
        self.growth = lru_cache(maxsize=1024)(self._growth)
        self._last_layers = lru_cache(maxsize=64)(self._find_last_layers)

    def _frozen(self, label: str, last: str) -> Network:
        return budgets.freeze(built(self.offered[label]), last)

    def _growth(self, label: str, last: str, size: int, optimizer: str, precision: str) -> Growth:
        network = self.frozen(label, last)
        image = image_of(network, size)
        return budgets.growth(network, image, optimizer=optimizer, precision=precision)

    def _find_last_layers(self, label: str) -> tuple[tuple[str, str], ...]:
        """Return the blocks that can be frozen, each with the name of its last layer."""
        blocks: dict[str, str] = {}
        learned: set[str] = set()
        for node in built(self.offered[label]).nodes:
            blocks[node.block] = node.name
            if node.layer.autocast:  # it has weights worth freezing
                learned.add(node.block)
        return (("nothing", ""), *((b, last) for b, last in blocks.items() if b in learned))

    def blocks(self, settings: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return what can be frozen of the chosen network."""
        return self._last_layers(settings.get("network") or next(iter(self.offered)))


def _heat(
    steps: _Steps,
    label: str,
    last: str,
    optimizer: str,
    precision: str,
    chosen: tuple[int, int],
    card: int,
    room: int,
) -> HeatMap:
    """Return the peak for many batches and sizes, including the chosen ones."""
    size, batch = chosen
    sizes, batches = sorted({*SIZES, size}), sorted({*BATCHES, batch})
    columns = [_peaks(steps, label, last, side, optimizer, precision, batches) for side in sizes]
    return HeatMap(
        f"{label}: the peak of a training step",
        tuple(map(str, sizes)),
        tuple(map(str, batches)),
        tuple(zip(*columns, strict=True)),
        "GiB",
        GiB.size,
        base_unit="bytes",
        across_name="input size (px)",
        down_name="batch",
        limit=room,
        limit_name=f"room on a card of {card} GiB",
        chosen=(batches.index(batch), sizes.index(size)),
    )


def _peaks(
    steps: _Steps,
    label: str,
    last: str,
    size: int,
    optimizer: str,
    precision: str,
    batches: list[int],
) -> tuple[int | None, ...]:
    try:
        lines = steps.growth(label, last, size, optimizer, precision)
    except (ShapeError, NetworkError):  # the network does not work at this size
        return (None,) * len(batches)
    return tuple(lines.peak(batch) for batch in batches)


def _say(of: Budget, label: str, lines: Growth, card: int, reserve: Reserve) -> str:
    peak = lines.peak(of.table.batch)
    needed, most = reserve.needed(peak), card * GiB.size
    size = "x".join(map(str, of.table.image[:2]))
    spare = most - needed
    verdict = (
        f"it fits, {gib(spare)} to spare" if spare >= 0 else f"it does not, {gib(-spare)} short"
    )
    return (
        f"{label} at {size}, batch {of.table.batch}, {of.optimizer}, {of.precision}: "
        f"{memory(peak)} at the peak ({lines.where(of.table.batch)}).\n"
        f"Estimate for {card} GiB: {gib(peak)} of tensors + {gib(needed - peak)} reserve = "
        f"{gib(needed)}; {verdict}.\n"
        f"Largest batch by it: {lines.largest_batch(most, reserve):,}. Reserve assumed: {reserve}."
    )
