"""Which rows of two tables stand for each other.

Rows pair by what they are and where they stand in the graph. Names decide only between rows that
are equal otherwise: two frameworks have the same network under other names.

The rows of each table are first put into one order, whatever order they are listed in. Then the two
sequences are aligned at the least cost, as in the Needleman-Wunsch algorithm: a row left alone
costs more than a pair of two rows that differ in a setting.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from cnnmem.model.kinds import family_of
from cnnmem.model.layers import Concatenate, Layer, Shape

from .table import Row, Table

# What a row costs that has no partner: with parameters of its own, or without.
ALONE = {True: 1000, False: 400}
OTHER_NAME = 1  # less than any other difference
FAR = 10**9
# The alignment is not searched any further when it has looked at so many pairs of rows: networks
# that differ so much are not compared row by row anyway.
ENOUGH = 300_000


class Look(NamedTuple):
    """What a row is, apart from its name and place."""

    kind: str
    stands_for: str  # rows may pair if this is the same
    kernel: object
    groups: object
    channels: int
    inputs: tuple[int, ...]
    size: Shape
    numbers: Row | None  # without what depends on its place: its name, its block, who keeps what

    @property
    def learns(self) -> bool:
        """Whether it is of a kind that has parameters (a layer's second use counts none)."""
        learned = self.numbers is not None and self.numbers.params > 0
        return learned or self.stands_for in ("learning", "normalisation")


class Pairing(NamedTuple):
    """Two tables' rows as positions: the pairs, and those that only one table has."""

    pairs: tuple[tuple[int, int], ...]
    first: tuple[int, ...]
    second: tuple[int, ...]


Known = dict[Hashable, int]  # structures that were met so far, numbered


class Place(NamedTuple):
    """The rows of a table as positions: on the way to its output, and on branches that end early.

    Auxiliary classifiers are such branches; parameters that no call uses are another kind.
    """

    main: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]


def layers_of(table: Table) -> list[Layer | None]:
    """Return the layer of each row; None for the image, and without a graph."""
    graph = table.graph
    if graph is None or len(graph.nodes) + 1 != len(table.rows):
        return [None] * len(table.rows)
    return [None, *[node.layer for node in graph.nodes]]


def place(table: Table, known: Known | None = None) -> Place:
    """Return where the rows stand, in an order that does not depend on how they are listed.

    The order is that of a walk from the output back to the image. Where branches meet, the one with
    more layers that learn comes first; a concatenation has an order of its own. Of two tables with
    the same `known`, what ranks alike comes in the same order.

    >>> from cnnmem import summary
    >>> table = summary("resnet50/keras")
    >>> [table.rows[i].name for i in place(table).main][-5:-2]
    ['conv5_block3_3_bn', 'conv5_block3_add', 'conv5_block3_out']
    """
    walk = _Walk(table, {} if known is None else known)
    outputs = (table.storage.outputs if table.storage else ()) or (len(table.rows) - 1,)
    output = max(outputs, key=lambda i: walk.depth[i])
    main = walk.back_from(output)
    return Place(main, tuple([walk.back_from(end) for end in walk.ends() if end != output]))


class _Walk:
    """A walk through a table's graph, from its ends back to the image."""

    def __init__(self, table: Table, known: Known) -> None:
        self.rows, self.sources, self.layers = table.rows, _sources(table), layers_of(table)
        self.seen: set[int] = set()
        # how many layers that learn are on the way here, and which of the structures this is
        self.depth: list[int] = []
        self.structure: list[int] = []
        for row, before, layer in zip(self.rows, self.sources, self.layers, strict=True):
            self.depth.append(max([self.depth[i] for i in before], default=0) + (row.params > 0))
            inputs = [self.structure[i] for i in before]
            if not isinstance(layer, Concatenate):
                inputs.sort()
            key = (row.kind, row.output, row.weights, row.biases, row.macs, *inputs)
            self.structure.append(known.setdefault(key, len(known)))

    def ends(self) -> list[int]:
        """Return the positions that nothing reads."""
        read = {i for before in self.sources for i in before}
        ends = [i for i in range(len(self.rows)) if i not in read]
        return sorted(
            ends, key=lambda i: (self.rows[i].kind, self.rows[i].output, self.structure[i])
        )

    def back_from(self, end: int) -> tuple[int, ...]:
        """Return the positions that an end depends on and that were not seen, inputs first."""
        order: list[int] = []
        waiting = [(end, False)]
        while waiting:
            at, ready = waiting.pop()
            if ready:
                order.append(at)
            elif at not in self.seen:
                self.seen.add(at)
                before = list(self.sources[at])
                if len(before) > 1 and not isinstance(self.layers[at], Concatenate):
                    before.sort(key=lambda i: (-self.depth[i], self.structure[i]))
                waiting.append((at, True))
                waiting += [(i, False) for i in reversed(before)]
        return tuple(order)


def _sources(table: Table) -> Sequence[Sequence[int]]:
    if table.graph is None or len(table.graph.nodes) + 1 != len(table.rows):
        return [(), *[(i,) for i in range(len(table.rows) - 1)]]
    return [(), *table.graph.sources]


def looks_of(table: Table) -> list[Look]:
    """Return what each row is."""
    return [_look(row, layer) for row, layer in zip(table.rows, layers_of(table), strict=True)]


def _look(row: Row, layer: Layer | None) -> Look:
    *size, channels = row.output or (0,)
    return Look(
        row.kind,
        _stands_for(row.kind),
        getattr(layer, "kernel", None),
        getattr(layer, "groups", None),
        channels,
        tuple([shape[-1] for shape in row.inputs if shape]),
        () if set(size) == {1} else tuple(size),  # 1 x 1 x C is the vector C
        row._replace(name="", block="", saved=0, kept_values=0),
    )


def _stands_for(kind: str) -> str:
    family = family_of(kind)
    if family in ("convolutions", "linear layers"):
        return "learning"
    return "normalisation" if kind.endswith("_norm") else family or kind


def difference(a: Look, b: Look) -> int:
    """Return what it costs to pair two rows; `FAR` if they cannot stand for each other."""
    if a == b:
        return 0
    if a.stands_for != b.stands_for:
        return FAR
    learns = a.learns or b.learns
    return (
        2
        + (a.kind != b.kind) * (600 if learns else 200)
        + (a.kernel != b.kernel) * (300 if learns else 150)
        + (a.groups != b.groups) * 100
        + (a.channels != b.channels) * (200 if learns else 100)
        + (a.inputs != b.inputs) * (80 if learns else 8)
        + (a.size != b.size) * 60
    )


def pair(first: Table, second: Table) -> Pairing:
    """Pair the rows of two tables.

    >>> from cnnmem import summary
    >>> torch, keras = summary("resnet50"), summary("resnet50/keras")
    >>> found = pair(torch, keras)
    >>> [torch.rows[i].name for i in found.first], len(found.second)
    (['flatten'], 2)
    >>> torch.rows[1].name, [keras.rows[j].name for i, j in found.pairs if i == 1]
    ('conv1', ['conv1_conv'])
    """
    if first.rows == second.rows:
        return Pairing(tuple((i, i) for i in range(len(first.rows))), (), ())
    looks = looks_of(first), looks_of(second)
    known: Known = {}
    orders = [_in_order(place(table, known)) for table in (first, second)]
    xs, ys = [[look[i] for i in order] for look, order in zip(looks, orders, strict=True)]
    names = [
        [table.rows[i].name for i in order]
        for table, order in zip((first, second), orders, strict=True)
    ]
    pairs = [(orders[0][i], orders[1][j]) for i, j in align(xs, ys, *names)]
    for key in (_whole, _roughly):  # rows that stand elsewhere, as in branches listed otherwise
        pairs += _equal_ones(*_alone(pairs, looks), *looks, key)
    return Pairing(tuple(sorted(pairs, key=lambda pair: pair[1])), *_alone(pairs, looks))


def _in_order(at: Place) -> list[int]:
    return [*at.main, *[i for branch in at.branches for i in branch]]


def _alone(
    pairs: Sequence[tuple[int, int]], looks: tuple[list[Look], list[Look]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the positions in each table that are in no pair."""
    used = {i for i, _ in pairs}, {j for _, j in pairs}
    first, second = (
        tuple([i for i in range(len(look)) if i not in paired])
        for look, paired in zip(looks, used, strict=True)
    )
    return first, second


def _whole(look: Look) -> Hashable:
    return look


def _roughly(look: Look) -> Hashable:
    return look._replace(numbers=None)


def _equal_ones(
    first: Iterable[int],
    second: Iterable[int],
    looks: list[Look],
    others: list[Look],
    key: Callable[[Look], Hashable],
) -> list[tuple[int, int]]:
    waiting: dict[Hashable, list[int]] = {}
    for j in second:
        waiting.setdefault(key(others[j]), []).append(j)
    return [
        (i, waiting[k].pop(0)) for i in first if (k := key(looks[i])) is not None and waiting.get(k)
    ]


def align(
    xs: Sequence[Look], ys: Sequence[Look], names: Sequence[str], others: Sequence[str]
) -> list[tuple[int, int]]:
    """Return the pairs of the cheapest alignment of two sequences, as positions.

    Only a band around the diagonal is searched, widened until no path outside it can be cheaper
    (Ukkonen, "Algorithms for approximate string matching", 1985). So equal sequences take linear
    time.
    """
    start, n, m = 0, len(xs), len(ys)
    while start < min(n, m) and xs[start] == ys[start] and names[start] == others[start]:
        start += 1
    while n > start and m > start and xs[n - 1] == ys[m - 1] and names[n - 1] == others[m - 1]:
        n, m = n - 1, m - 1
    ends = [(len(xs) - k, len(ys) - k) for k in range(len(xs) - n, 0, -1)]
    middle = _Middle(xs[start:n], ys[start:m], names[start:n], others[start:m])
    between = [(i + start, j + start) for i, j in middle.pairs()]
    return [*[(i, i) for i in range(start)], *between, *ends]


class _Middle:
    """The part of two sequences that differs, on its way to being aligned."""

    def __init__(
        self, xs: Sequence[Look], ys: Sequence[Look], names: Sequence[str], others: Sequence[str]
    ) -> None:
        # another size or width: nothing is new or gone
        self.same_kinds = [x.kind for x in xs] == [y.kind for y in ys]
        self.xs, self.looks = xs, list(dict.fromkeys(ys))
        kinds = {look: k for k, look in enumerate(self.looks)}
        self.ys = [kinds[look] for look in ys]
        costs = {x: [-1] * len(kinds) for x in xs}  # worked out where the search asks for them
        self.costs = [costs[x] for x in xs]
        self.gone = [ALONE[look.learns] for look in xs]
        self.new = [ALONE[look.learns] for look in ys]
        numbers = {name: k for k, name in enumerate(others)}
        self.names = [numbers.get(name, -1) for name in names]

    def pairs(self) -> list[tuple[int, int]]:
        n, m = len(self.gone), len(self.new)
        if self.same_kinds or not n or not m:
            return [(i, i) for i in range(min(n, m))]
        apart, width = abs(m - n), 8
        while True:
            low, high = min(0, m - n) - width, max(0, m - n) + width
            cost, moves = self._search(low, high)
            outside = min(ALONE.values()) * (apart + 2 * (width + 1))
            if cost <= outside or width >= min(n, m) or (high - low) * n > ENOUGH:
                return self._way_back(moves, n, m)
            width *= 4

    def _search(self, low: int, high: int) -> tuple[int, list[bytearray]]:
        """Return the cost of the best path whose diagonals are in the band, and its moves.

        A move is 0 for a pair, 1 for a row of the first alone, 2 for one of the second.
        """
        n, m = len(self.gone), len(self.new)
        new, ys = self.new, self.ys
        before = [0]
        for cost in new:
            before.append(before[-1] + cost)
        before[high + 1 :] = [FAR] * len(before[high + 1 :])
        moves = [bytearray([2]) * (m + 1)]
        for i in range(1, n + 1):
            alone, costs, name = self.gone[i - 1], self.costs[i - 1], self.names[i - 1]
            first, last = max(0, i + low), min(m, i + high)
            row, move = [FAR] * (m + 1), bytearray(m + 1)
            if first == 0:
                row[0], move[0] = before[0] + alone, 1
                first = 1
            for j in range(first, last + 1):
                other = ys[j - 1]
                if costs[other] < 0:
                    costs[other] = difference(self.xs[i - 1], self.looks[other])
                best = before[j - 1] + costs[other] + (name != j - 1 and OTHER_NAME)
                step = 0
                if before[j] + alone < best:
                    best, step = before[j] + alone, 1
                if row[j - 1] + new[j - 1] < best:
                    best, step = row[j - 1] + new[j - 1], 2
                row[j], move[j] = best, step
            before = row
            moves.append(move)
        return before[m], moves

    @staticmethod
    def _way_back(moves: list[bytearray], i: int, j: int) -> list[tuple[int, int]]:
        found = []
        while i and j:
            step = moves[i][j]
            i, j = i - (step != 2), j - (step != 1)
            if step == 0:
                found.append((i, j))
        return found[::-1]
