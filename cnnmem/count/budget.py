"""What a training step needs and whether it fits a card: an estimate with a stated reserve.

At every moment of a step (`training.training_step`) memory grows linearly with the batch, so a few
straight lines give the peak of any batch, and the largest batch that stays below a limit.

>>> from cnnmem import zoo
>>> net = zoo.vgg16("torchvision")
>>> memory(budget(net, batch=8, optimizer="adam").state)
'1.11 GB'
>>> largest_batch(net, card=8 * GiB.size, optimizer="adam")
66
>>> freeze(net, "pool5").nodes[0].frozen
True
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from cnnmem.checks import is_int
from cnnmem.errors import CnnmemError, UnknownNameError, look_up
from cnnmem.model.layers import Shape
from cnnmem.model.network import Network
from cnnmem.tables import aligned
from cnnmem.units import GiB, MiB, fixed, memory

from .table import Row, Table, table_of
from .training import OPTIMIZERS, MemoryTimeline, Moment, trained, training_step

MIXED = "mixed bfloat16"
# What is held in which format; mixed precision is that of `torch.autocast`.
PRECISIONS: dict[str, tuple[str, ...]] = {
    "float32": ("float32, 4 bytes: everything", "int64, 8 bytes: pool indices"),
    MIXED: (
        "float32, 4 bytes: parameters (the master weights), their gradients, the optimizer's state",
        "float32, 4 bytes: the images, running statistics, mean and deviation of the batch",
        "bfloat16, 2 bytes: feature maps, the images once more, dropout masks",
        "bfloat16, 2 bytes: a copy of the weights of convolutions and linear layers",
        "int64, 8 bytes: pool indices",
    ),
}
_CAST = 2  # bytes per bfloat16 value


@dataclass(frozen=True)
class Reserve:
    """What a card needs besides a step's tensors, in bytes: assumptions for the user to change.

    `context` is what the driver and libraries take before the first tensor, `workspace` the scratch
    memory of convolution and matrix kernels, `rounding` what the allocator loses to rounding and
    gaps, as a share of the tensors. They differ from card to card and version to version.
    """

    context: int = 500 * MiB.size
    workspace: int = 256 * MiB.size
    rounding: Fraction = Fraction(1, 10)

    def room(self, card: int) -> Fraction:
        """Return how many bytes of a card are left for tensors."""
        return (card - self.context - self.workspace) / (1 + self.rounding)

    def needed(self, tensors: int) -> Fraction:
        """Return the size of the card that holds `tensors` bytes of tensors."""
        return tensors * (1 + self.rounding) + self.context + self.workspace

    def __str__(self) -> str:
        return (
            f"context {gib(self.context)}, workspace {gib(self.workspace)}, "
            f"rounding {fixed(100 * self.rounding, 0)} %"
        )


def gib(count: int | Fraction) -> str:
    """Return bytes in GiB, the unit in which cards are sold.

    >>> gib(500 * MiB.size)
    '0.49 GiB'
    """
    return f"{fixed(Fraction(count) / GiB.size)} GiB"


def freeze(network: Network, last: str) -> Network:
    """Return the network with all layers up to and including `last` frozen ("" freezes none).

    A frozen layer's parameters get no gradient and no optimizer state. If nothing before it learns,
    it keeps nothing for backward either. Raises `UnknownNameError` if there is no such layer.

    >>> from cnnmem import zoo
    >>> table_of(freeze(zoo.vgg16("torchvision"), "pool5"), batch=2).saved_bytes
    397312
    """
    if not last:
        return network
    names = [node.name for node in network.nodes]
    if last not in names:
        raise UnknownNameError(
            f"{network.name} has no layer {last!r}; its last layer is {names[-1]!r}"
        )
    stop = names.index(last) + 1
    frozen = [replace(node, frozen=True) for node in network.nodes[:stop]]
    return replace(network, nodes=(*frozen, *network.nodes[stop:]))


class Part(NamedTuple):
    """What one layer adds to a training step, in bytes.

    `parameters` include running statistics; `kept` counts a tensor at the first layer that asks for
    it; `copies` are the bfloat16 copies of the weights.
    """

    name: str
    block: str
    parameters: int
    gradients: int
    state: int
    kept: int
    copies: int

    @property
    def total(self) -> int:
        """The sum of the five."""
        return self.parameters + self.gradients + self.state + self.kept + self.copies


@dataclass(frozen=True)
class Budget:
    """A training step: what each layer adds, and what is alive at each moment.

    Sums are over the parts, in bytes. The parts are not all alive at once; `peak` is the most
    that is, short-lived tensors included.
    """

    table: Table
    optimizer: str
    precision: str
    parts: tuple[Part, ...]

    @property
    def parameters(self) -> int:
        """Parameters and running statistics."""
        return sum(part.parameters for part in self.parts)

    @property
    def gradients(self) -> int:
        """Gradients of the parameters that learn."""
        return sum(part.gradients for part in self.parts)

    @property
    def state(self) -> int:
        """The optimizer's state."""
        return sum(part.state for part in self.parts)

    @property
    def kept(self) -> int:
        """Tensors kept for backward, and the image."""
        return sum(part.kept for part in self.parts)

    @property
    def copies(self) -> int:
        """Copies of the weights in bfloat16."""
        return sum(part.copies for part in self.parts)

    @property
    def total(self) -> int:
        """The sum of all parts."""
        return sum(part.total for part in self.parts)

    @cached_property
    def step(self) -> MemoryTimeline:
        """The moments of the step."""
        return step_of(self.table, self.optimizer, self.precision)

    @cached_property
    def peak(self) -> Moment:
        """The moment with the most memory alive."""
        return self.step.peak

    def __str__(self) -> str:
        lines = [
            ("parameters", self.parameters),
            ("gradients", self.gradients),
            (f"state of {self.optimizer}", self.state),
            ("kept for backward", self.kept),
            *([("weights in bfloat16", self.copies)] if self.copies else []),
            ("sum", self.total),
            (f"alive at the peak ({moment_name(self.peak)})", self.peak.total),
        ]
        return "\n".join(aligned((what, f"{memory(count):>10}") for what, count in lines))


def moment_name(moment: Moment) -> str:
    """Return what a moment is called in a sentence.

    >>> from cnnmem import summary
    >>> moment_name(training_step(summary("lenet5")).peak)
    'backward tanh1'
    """
    return f"{moment.phase} {moment.layer}".strip()


def budget(
    network: Network,
    image: Shape | None = None,
    batch: int = 1,
    *,
    optimizer: str = "sgd",
    precision: str = "float32",
) -> Budget:
    """Return what a training step of a plain network needs.

    `optimizer` is "sgd", "momentum" or "adam", `precision` a key of `PRECISIONS` ("mixed bfloat16"
    works as `torch.autocast`). The loss and the kernels' own scratch memory are left out.

    >>> from cnnmem import zoo
    >>> print(budget(zoo.vgg16("torchvision"), batch=8, optimizer="adam"))
    parameters                      553.43 MB
    gradients                       553.43 MB
    state of adam                     1.11 GB
    kept for backward               586.84 MB
    sum                               2.80 GB
    alive at the peak (optimizer)     3.04 GB
    """
    look_up("precision", precision, PRECISIONS)
    states, _ = look_up("optimizer", optimizer, OPTIMIZERS)
    table = table_of(network, image, batch, dtype="float32")
    kept = [row.saved for row in table.rows]
    kept[_keeper(table)] -= 4 * table.rows[0].values  # the image is counted in its own row
    copied = [0] * len(kept)
    if precision == MIXED:
        half = _half(table)
        # the statistics of the batch stay in float32, and so does the caller's image: the
        # bfloat16 image among the saved tensors is a second one
        kept = [row.saved + _CAST * row.batch_statistics for row in half.rows]
        copied = _copied(half)
    kept[0] = 4 * table.rows[0].values
    parts = [
        _part(row, learns, states, *bytes_)
        for row, learns, *bytes_ in zip(table.rows, trained(table), kept, copied, strict=True)
    ]
    return Budget(table, optimizer, precision, tuple(parts))


def _part(row: Row, learns: bool, states: int, kept: int, copied: int) -> Part:
    learned = 4 * row.trainable * learns
    parameters = 4 * (row.params + row.statistics)
    return Part(row.name, row.block, parameters, learned, states * learned, kept, copied)


def _half(table: Table) -> Table:
    assert table.graph is not None
    return table_of(table.graph, table.image, table.batch, dtype="bfloat16")


def step_of(table: Table, optimizer: str = "sgd", precision: str = "float32") -> MemoryTimeline:
    """Return the moments of a training step at a precision; `table` is in float32.

    >>> from cnnmem import summary
    >>> table = summary("vgg16")
    >>> memory(step_of(table, precision="mixed bfloat16").after_forward.kept)
    '320.04 MB'
    """
    look_up("precision", precision, PRECISIONS)
    step = training_step(table, optimizer)
    if precision != MIXED:
        return step
    half = _half(table)
    return _mixed(step, training_step(half, optimizer), _copied(half))


def _keeper(table: Table) -> int:
    """Return the position of the row that keeps the image for backward, 0 if none does."""
    assert table.storage is not None
    return table.storage.keeper.get(0, 0)


def _copied(half: Table) -> list[int]:
    """Return for each row the bytes of the weight copies that autocast makes and backward keeps.

    A convolution keeps its weights if it gets any gradient, a linear layer only if its input needs
    one. (Only autocast's cache holds the copies of biases, and it is cleared when forward ends:
    `cached_cast` in ATen/autocast_mode.cpp.)
    """
    assert half.graph is not None
    assert half.storage is not None
    needs, in_use = half.storage.requires_grad, half.storage.in_use
    copied = [0]
    for position, (row, sources) in enumerate(
        zip(half.rows[1:], half.graph.sources, strict=True), 1
    ):
        layer = half.graph.nodes[position - 1].layer
        asked = needs[position if layer.saves_together else sources[0]] and in_use[position]
        copied.append(_CAST * row.weights if asked and layer.autocast else 0)
    return copied


def _mixed(whole: MemoryTimeline, half: MemoryTimeline, copied: list[int]) -> MemoryTimeline:
    """Return the step in mixed precision, from the steps in float32 and in bfloat16."""
    table = half.table
    position = {row.name: i for i, row in enumerate(table.rows)}
    image = whole.table.rows[0].values * 4
    # the bfloat16 step always counts its image; autocast's copy stays only if a row keeps it
    image -= 0 if _keeper(table) else table.rows[0].values * _CAST
    statistics = [_CAST * row.batch_statistics for row in table.rows]
    held, moments = 0, []
    for full, low in zip(whole.moments, half.moments, strict=True):
        if full.phase == "optimizer":
            moments.append(full)
            continue
        at, working = position[low.layer], low.working
        if low.phase == "forward":
            held += copied[at] + statistics[at]
        else:
            # the gradient of the weights' copy arrives in bfloat16 and is then cast to float32
            working += _CAST * table.rows[at].weights * (full.gradients > moments[-1].gradients)
        moments.append(full._replace(kept=low.kept + held + image, working=working))
        if low.phase == "backward":
            held -= copied[at] + statistics[at]
    return replace(whole, title=f"{whole.title}, {MIXED}", moments=tuple(moments))


class AtBatch(NamedTuple):
    """A moment of a step at any batch: bytes apart from the batch, and bytes per image."""

    fixed: int
    image: int
    moment: str


@dataclass(frozen=True)
class Growth:
    """How the peak of a step grows with the batch: the maximum of straight lines."""

    lines: tuple[AtBatch, ...]

    def peak(self, batch: int) -> int:
        """Return the bytes of tensors alive at the peak."""
        return max([line.fixed + batch * line.image for line in self.lines])

    def where(self, batch: int) -> str:
        """Return the moment of the peak."""
        return max(self.lines, key=lambda line: line.fixed + batch * line.image).moment

    def largest_batch(self, card: int, reserve: Reserve) -> int:
        """Return the largest batch whose peak and reserve fit a card of `card` bytes."""
        room = reserve.room(card)
        return max(int(min((room - line.fixed) // line.image for line in self.lines)), 0)


def growth(
    network: Network,
    image: Shape | None = None,
    *,
    optimizer: str = "sgd",
    precision: str = "float32",
) -> Growth:
    """Return how the peak of a training step grows with the batch, exactly.

    >>> from cnnmem import zoo
    >>> net = zoo.resnet18()
    >>> growth(net).peak(32) == budget(net, batch=32).peak.total
    True
    """
    # of two and three images: batch normalisation cannot train on a single value per channel
    two, three = (
        step_of(table_of(network, image, batch, dtype="float32"), optimizer, precision).moments
        for batch in (2, 3)
    )
    lines = []
    for a, b in zip(two, three, strict=True):
        each = b.total - a.total
        lines.append(AtBatch(a.total - 2 * each, each, moment_name(a)))
    return Growth(_highest(lines))


def _highest(lines: list[AtBatch]) -> tuple[AtBatch, ...]:
    """Return the lines that no other line dominates; of equal lines, the first."""
    kept: list[AtBatch] = []
    for line in sorted(lines, key=lambda line: (-line.fixed, -line.image)):
        if not kept or line.image > kept[-1].image:
            kept.append(line)
    return tuple(kept)


def largest_batch(
    network: Network,
    image: Shape | None = None,
    *,
    card: int,
    optimizer: str = "sgd",
    precision: str = "float32",
    reserve: Reserve | None = None,
) -> int:
    """Return the largest batch that fits a card of `card` bytes by this estimate; 0 if none does.

    It is an estimate, not a promise: kernels choose their scratch memory at run time.
    Raises `CnnmemError` if `card` is not a positive integer.
    """
    if not is_int(card) or card < 1:
        raise CnnmemError(f"card is {card!r}; give its memory in bytes, such as 8 * GiB.size")
    lines = growth(network, image, optimizer=optimizer, precision=precision)
    return lines.largest_batch(card, reserve or Reserve())
