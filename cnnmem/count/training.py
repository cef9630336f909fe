"""Memory over time: which tensors are alive at each moment of inference and of a training step.

The table of a plain network knows which layer makes a tensor, which reads it last and which keeps
it for backward. That decides what is alive at every moment, apart from temporaries inside kernels.
All bytes are for the whole batch.

>>> from cnnmem import summary
>>> from cnnmem.units import memory
>>> table = summary("vgg16")
>>> memory(inference(table).peak.activations)
'25.69 MB'
>>> memory(training_step(table).after_forward.kept)
'73.25 MB'
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from cnnmem.errors import CnnmemError, look_up
from cnnmem.model.layers import Layer, Shape
from cnnmem.model.network import Network
from cnnmem.units import bytes_per_value

from .autograd import Storage
from .table import Table, table_of

Phase = Literal["forward", "backward", "optimizer"]

# The state of each optimizer in multiples of the parameters, and the temporaries of its step in
# multiples of the largest parameter tensor. On the CPU PyTorch updates one tensor after another;
# its `foreach` update of all at once is the default on CUDA (`torch.optim.Adam`).
OPTIMIZERS: dict[str, tuple[int, int]] = {"sgd": (0, 0), "momentum": (1, 0), "adam": (2, 2)}


class Moment(NamedTuple):
    """What is alive while one layer works, in bytes.

    `kept` is held for backward and includes the image; `working` is needed only by the next layers:
    feature maps in forward, their gradients in backward, temporaries in the optimizer's step.
    """

    phase: Phase
    layer: str
    parameters: int
    state: int
    gradients: int
    kept: int
    working: int

    @property
    def activations(self) -> int:
        """Tensors that grow with the batch: kept and working ones."""
        return self.kept + self.working

    @property
    def total(self) -> int:
        """Everything alive."""
        return self.parameters + self.state + self.gradients + self.activations


@dataclass(frozen=True)
class MemoryTimeline:
    """The moments of an inference or a training step, in order."""

    table: Table
    title: str
    moments: tuple[Moment, ...]

    @cached_property
    def peak(self) -> Moment:
        """The moment with the most memory alive; of equal ones, the first."""
        return max(self.moments, key=lambda moment: moment.total)

    @property
    def after_forward(self) -> Moment:
        """The last moment of forward."""
        return [moment for moment in self.moments if moment.phase == "forward"][-1]


def _graph(table: Table) -> tuple[Network, Storage]:
    if table.graph is None or table.storage is None:
        raise CnnmemError(
            f"the table of {table.network} does not hold its graph, so its memory over time is "
            "unknown; use a plain network (cnnmem.zoo)"
        )
    return table.graph, table.storage


def trained(table: Table) -> tuple[bool, ...]:
    """Return for each row whether its parameters, if it has any, get a gradient."""
    _, storage = _graph(table)
    rows = zip(table.rows, storage.in_use, strict=True)
    return tuple([row.trainable > 0 and used for row, used in rows])


def _tensor_bytes(table: Table) -> list[int]:
    """Return the bytes of each position's output."""
    if table.storage is not None and table.storage.sizes:
        return list(table.storage.sizes)
    width = bytes_per_value(table.dtype)
    return [row.outputs * width for row in table.rows]


def _outputs(storage: Storage) -> tuple[int, ...]:
    """Return the positions of the network's outputs."""
    return storage.outputs or (len(storage.owner) - 1,)


def _last_use(graph: Network, storage: Storage) -> list[int]:
    """Return for each owner the position that reads its storage last; outputs are never freed."""
    owner = storage.owner
    last = list(range(len(owner)))
    for position, sources in enumerate(graph.sources, 1):
        for source in (*sources, position):
            last[owner[source]] = position
    for output in _outputs(storage):
        last[owner[output]] = len(owner)
    return last


def _used(table: Table) -> Table:
    """Return the table of the same network in use, where dropout makes no tensor."""
    graph, _ = _graph(table)
    if table.mode == "eval":
        return table
    return table_of(graph, table.image, table.batch, dtype=table.dtype, mode="eval")


def _padded_copy(layer: Layer, output: Shape, inputs: list[Shape]) -> int:
    """Return the values of a window layer's padded copy, which lives while the layer works."""
    # PyTorch's convolutions and pools pad both sides alike; uneven sides are padded in a copy first
    # (as its warning about padding='same' with an even kernel says). Other layers copy only what
    # their backward needs.
    return layer.keeps(output, *inputs).copies if hasattr(layer, "kernel") else 0


def _inference_alive(table: Table) -> Iterator[tuple[int, dict[int, int]]]:
    """Yield each position with the values alive while it works, by the position that made them.

    `table` is one of mode "eval".
    """
    graph, storage = _graph(table)
    owner = storage.owner
    last = _last_use(graph, storage)
    sizes = [row.outputs for row in table.rows]
    alive = {0: sizes[0]}
    for position, (node, row) in enumerate(zip(graph.nodes, table.rows[1:], strict=True), 1):
        if owner[position] == position:
            alive[position] = sizes[position]
        copy = _padded_copy(node.layer, row.output, list(row.inputs))
        yield (
            position,
            alive | {position: sizes[position] + copy * table.batch} if copy else alive,
        )
        alive = {made: size for made, size in alive.items() if last[made] > position}


def inference(table: Table) -> MemoryTimeline:
    """Return what is alive during a forward pass that keeps nothing for backward.

    A tensor is freed when its last reader is done, and so is the image. The parameters stay.
    """
    table = _used(table)
    width = bytes_per_value(table.dtype)
    parameters = (table.params + table.statistics) * width
    moments = tuple(
        Moment(
            "forward", table.rows[position].name, parameters, 0, 0, 0, sum(alive.values()) * width
        )
        for position, alive in _inference_alive(table)
    )
    return MemoryTimeline(table, f"Inference of {table.network}, batch {table.batch}", moments)


def alive_at_inference_peak(table: Table) -> list[int]:
    """Return for each row how many of its values are alive at the peak of inference."""
    used = _used(table)
    moments = (alive for _, alive in _inference_alive(used))
    peak = max(moments, key=lambda alive: sum(alive.values()))
    # a model may call other layers in use than in training
    by_name = {used.rows[i].name: size for i, size in peak.items()}
    return [by_name.get(row.name, 0) for row in table.rows]


def training_step(table: Table, optimizer: str = "sgd", first: bool = False) -> MemoryTimeline:
    """Return what is alive during one training step: forward, backward, the optimizer's step.

    `optimizer` is "sgd", "momentum" or "adam". Its state is there from the start, unless this is
    the `first` step. Gradients arrive layer by layer in backward and stay until the step is done
    (`zero_grad` then drops them). The loss and the kernels' own temporaries are left out.

    Raises `UnknownNameError` for another optimizer, `CnnmemError` for a table in eval mode.
    """
    states, scratch = look_up("optimizer", optimizer, OPTIMIZERS)
    if table.mode != "train":
        raise CnnmemError(
            f'the table of {table.network} is in mode "{table.mode}"; a training step needs '
            'summary(..., mode="train")'
        )
    if not table.says_saved:
        raise CnnmemError(
            f"what a training step of {table.network} keeps for backward is unknown: "
            + (
                "it differs between Keras' backends; take the torch module or a network of the zoo"
                if table.how == "read"
                else "one of its operations does not say; count it with execute=True"
            )
        )
    width = bytes_per_value(table.dtype)
    learned = [
        row.trainable * width if learns else 0
        for row, learns in zip(table.rows, trained(table), strict=True)
    ]
    parameters = (table.params + table.statistics) * width
    state = 0 if first else states * sum(learned)
    moments = [
        Moment("forward", name, parameters, state, 0, kept, working)
        for name, kept, working in _forward(table)
    ]
    gradients = 0
    for position, kept, working in _backward(table):
        gradients += learned[position]
        name = table.rows[position].name
        moments.append(Moment("backward", name, parameters, state, gradients, kept, working))
    largest = max(
        max(row.weights, row.biases) * width if count else 0
        for row, count in zip(table.rows, learned, strict=True)
    )
    sizes = _tensor_bytes(table)
    _, storage = _graph(table)
    outputs = sum(sizes[i] for i in _outputs(storage))
    # the caller still holds the image and the output
    moments.append(
        Moment(
            "optimizer",
            "",
            parameters,
            states * sum(learned),
            gradients,
            sizes[0],
            outputs + scratch * largest,
        )
    )
    title = f"A training step of {table.network}, batch {table.batch}, {optimizer}"
    return MemoryTimeline(table, title, tuple(moments))


def _extras(table: Table) -> list[int]:
    """Return the bytes that only the row itself keeps: copies, masks, indices, batch statistics."""
    _, storage = _graph(table)
    sizes = _tensor_bytes(table)
    extras = [row.saved for row in table.rows]
    for owner, keeper in storage.keeper.items():
        extras[keeper] -= sizes[owner]
    return extras


def _forward(table: Table) -> Iterator[tuple[str, int, int]]:
    """Yield each layer's name with the bytes kept for backward and the working ones."""
    graph, storage = _graph(table)
    sizes, extras = _tensor_bytes(table), _extras(table)
    last = _last_use(graph, storage)
    kept = sizes[0]  # the caller holds the image, even if backward does not keep it
    alive: set[int] = set()
    for position in range(1, len(sizes)):
        owner = storage.owner[position]
        if owner == position and owner in storage.keeper:
            kept += sizes[owner]
        elif owner == position:
            alive.add(owner)
        kept += extras[position]
        yield table.rows[position].name, kept, sum(sizes[made] for made in alive)
        alive = {made for made in alive if last[made] > position}


class _Gradients:
    """The gradients of feature maps on their way back: buffers that may share a storage.

    An addition, for example, hands its output's gradient to both inputs as it is, without a copy.
    """

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes
        self.buffers: dict[int, int] = {}  # position -> storage
        self.bytes: dict[int, int] = {}  # storage -> bytes
        self.holders: dict[int, int] = {}  # storage -> number of holders
        self.made = 0

    def new(self, position: int) -> int:
        self.made += 1
        self.bytes[self.made] = self.sizes[position]
        self.holders[self.made] = 1
        return self.made

    def drop(self, storage: int) -> None:
        self.holders[storage] -= 1
        if not self.holders[storage]:
            del self.holders[storage], self.bytes[storage]

    def deliver(self, position: int, storage: int) -> list[int]:
        """Hand a gradient to a position; return the storages that this no longer needs."""
        waiting = self.buffers.get(position)
        if waiting is None:
            self.buffers[position] = storage
            return []
        # Autograd adds in place if nothing else holds the first gradient and it is not a slice of a
        # larger one (`accumulate` in torch/csrc/autograd/input_buffer.cpp).
        if self.holders[waiting] == 1 and self.bytes[waiting] == self.sizes[position]:
            return [storage]
        self.buffers[position] = self.new(position)
        return [waiting, storage]


def _backward(table: Table) -> Iterator[tuple[int, int, int]]:
    """Yield each position that a gradient reaches, last first, with its kept and working bytes."""
    graph, storage = _graph(table)
    sizes, extras = _tensor_bytes(table), _extras(table)
    released: dict[int, int] = dict(enumerate(extras))
    for owner, keeper in storage.keeper.items():
        if owner:  # the image is never released: the caller holds it
            released[keeper] += sizes[owner]
    kept = sizes[0] + sum(released.values())
    outputs = _outputs(storage)
    output = sum(0 if storage.owner[i] in storage.keeper else sizes[i] for i in outputs)
    gradients = _Gradients(sizes)
    for i in outputs:
        if storage.requires_grad[i]:
            gradients.buffers[i] = gradients.new(i)
    for position in range(len(sizes) - 1, 0, -1):
        if position not in gradients.buffers:
            continue
        arrived = gradients.buffers.pop(position)
        shares = graph.nodes[position - 1].layer.shares_gradient and not table.rows[position].masks
        done = [arrived]
        for source in graph.sources[position - 1]:
            if not storage.requires_grad[source]:
                continue
            if shares:
                gradients.holders[arrived] += 1
            done += gradients.deliver(source, arrived if shares else gradients.new(source))
        yield position, kept, output + sum(gradients.bytes.values())
        for used in done:
            gradients.drop(used)
        kept -= released[position]
