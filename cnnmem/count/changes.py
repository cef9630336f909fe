"""From one row to its counterpart in another table: one setting at a time.

Each change holds the row as it would be with the settings changed so far, worked out by the
formulas of its layer. So a convolution with other groups and another width gives two numbers, one
for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from cnnmem.model.kinds import kind_title
from cnnmem.model.layers import Layer, Linear, Recorded, Shape

from .table import Row

# The order in which settings change, the same for all rows.
ORDER = (
    "kind",
    "bias",
    "scale",
    "center",
    "groups",
    "multiplier",
    "kernel",
    "in_place",
    "p",
    "stride",
    "padding",
    "size",
    "width",
    "batch",
    "caller",
    "rest",
)
# Settings that decide the size of the output: they change together with it.
WINDOW = ("stride", "padding", "dilation", "ceil_mode", "output_padding")
PARTS = {"bias": "biases", "scale": "scales", "center": "shifts"}
# What the formulas of a layer give of its row.
WORKED_OUT = (
    "weights",
    "biases",
    "statistics",
    "values",
    "views",
    "overwrites",
    "macs",
    "input_values",
    "kept_values",
    "copies",
    "masks",
    "indices",
    "batch_statistics",
)


class Side(NamedTuple):
    """A row of a table: its layer, if known, the table's batch and its bytes per value."""

    row: Row
    layer: Layer | None
    batch: int
    width: int = 4


class Change(NamedTuple):
    """One setting changed: what is said of it, and the row with it.

    `many` says it of several rows that change it differently.
    """

    about: str
    words: str
    many: str
    row: Row
    batch: int


def changes(old: Side, new: Side) -> Iterator[Change]:
    """Yield the changes from one row to another; the last one leaves the new row.

    >>> from cnnmem.model.layers import Conv2d
    >>> from cnnmem.model.network import Network
    >>> from .table import table_of
    >>> def side(layer):
    ...     table = table_of(Network.chain("n", {"conv": layer}, (8, 8, 4)))
    ...     return Side(table["conv"], layer, 1)
    >>> for each in changes(side(Conv2d(8, 5, padding=2)), side(Conv2d(6, 3, padding=1, groups=2))):
    ...     print(each.words, each.row.weights)
    2 groups instead of 1 400
    kernel 3x3 instead of 5x5 144
    6 filters instead of 8 108
    other numbers 108
    """
    if old.row.kind != new.row.kind:
        words = f"{kind_title(new.row.kind)} instead of {kind_title(old.row.kind)}"
        yield Change("kind", words, words, new.row, new.batch)
        return
    way = _Way(old, new)
    yield from way.settings()
    yield from way.window()
    yield from way.width()
    yield from way.surroundings()
    yield Change("rest", "other numbers", "other numbers", new.row, new.batch)


class _Way:
    """A row between two tables: a layer, its shapes and the batch, part old and part new."""

    def __init__(self, old: Side, new: Side) -> None:
        old, new = _flat(old), _flat(new)
        self.old, self.new = old, new
        layers = old.layer, new.layer
        if type(layers[0]) is not type(layers[1]) or layers[0] is None or layers[1] is None:
            layers = _as_recorded(old.row), _as_recorded(new.row)
        self.layer: Layer = layers[0]  # type: ignore[assignment]
        self.goal: Layer = layers[1]  # type: ignore[assignment]
        self.inputs, self.output, self.batch = old.row.inputs, old.row.output, old.batch
        self.functional = old.row.functional
        ends = [
            (side.row, _row(side, layer, side.row.inputs, side.row.output, side.batch))
            for side, layer in ((old, self.layer), (new, self.goal))
        ]
        # where the formulas do not give the row's numbers, as for a call that was recorded, these
        # change at the end
        self.known = [
            name
            for name in WORKED_OUT
            if all(worked and getattr(worked, name) == getattr(row, name) for row, worked in ends)
        ]
        self.row = old.row

    def step(self, about: str, words: str, many: str, **to: Any) -> Iterator[Change]:
        """Change part of the row; yield nothing if the layer does not work like that."""
        before = {name: getattr(self, name) for name in to}
        if before == to:
            return
        for name, value in to.items():
            setattr(self, name, value)
        worked = _row(self.old, self.layer, self.inputs, self.output, self.batch)
        if worked is None:
            for name, value in before.items():
                setattr(self, name, value)
            return
        numbers = {name: getattr(worked, name) for name in self.known}
        self.row = self.old.row._replace(
            inputs=self.inputs, output=self.output, functional=self.functional, **numbers
        )
        yield Change(about, words, many, self.row, self.batch)

    def settings(self) -> Iterator[Change]:
        """Change the settings that leave the shapes alone."""
        for name in _differing(self.layer, self.goal):
            then, now = getattr(self.layer, name), getattr(self.goal, name)
            layer = _with(self.layer, **{name: now})
            if name not in ORDER or name in WINDOW or layer is None:
                continue
            to: dict[str, Any] = {"layer": layer}
            if name == "kernel" and self._only_kernel():
                layer = _with(layer, **{n: getattr(self.goal, n) for n in self._window()})
                to = {"layer": layer or to["layer"], "output": self._sized(self.new.row.output)}
            yield from self.step(name, *_setting_words(name, then, now), **to)

    def _only_kernel(self) -> bool:
        """Whether the kernel alone is why the output has another size."""
        strides = getattr(self.layer, "stride", None), getattr(self.goal, "stride", None)
        return strides[0] == strides[1] and self._same_sizes()

    def _same_sizes(self) -> bool:
        pairs = zip(self.old.row.inputs, self.new.row.inputs, strict=False)
        return all(old[:-1] == new[:-1] for old, new in pairs)

    def _window(self) -> list[str]:
        return [name for name in WINDOW if hasattr(self.layer, name)]

    def _sized(self, shape: Shape) -> Shape:
        """Return a shape of the new row with the channels of the old one."""
        return (*shape[:-1], *self.output[-1:])

    def window(self) -> Iterator[Change]:
        """Change what decides the sizes, and the sizes with it."""
        old, new = self.old.row, self.new.row
        layer = _with(self.layer, **{n: getattr(self.goal, n) for n in self._window()})
        inputs = self.inputs
        if len(old.inputs) == len(new.inputs):
            inputs = tuple([(*b[:-1], *a[-1:]) for a, b in zip(inputs, new.inputs, strict=True)])
        output = self._sized(new.output)
        about, words, many = self._window_words(layer)
        to = {"layer": layer or self.layer, "inputs": inputs, "output": output}
        yield from self.step(about, words, many, **to)

    def _window_words(self, layer: Layer | None) -> tuple[str, str, str]:
        """Return what changes the sizes: a setting of the layer, or the map that it gets."""
        changed = [n for n in self._window() if getattr(self.layer, n) != getattr(self.goal, n)]
        sizes_stay = self._same_sizes() and self.old.row.output[:-1] == self.new.row.output[:-1]
        if changed and layer is not None:
            name = changed[0]
            then, now = getattr(self.layer, name), getattr(self.goal, name)
            if (
                name == "stride"
                or sizes_stay
                or self._own_size(layer) != self._own_size(self.layer)
            ):
                about = "stride" if name == "stride" else "padding"
                return (about, *_setting_words(name, then, now))
        return ("size", *_size_words(self.old.row, self.new.row))

    def _own_size(self, layer: Layer) -> Shape:
        """Return the size of the output that a layer gives of the old input."""
        try:
            return layer.output_shape(*self.old.row.inputs)[:-1]
        except ValueError:
            return ()

    def width(self) -> Iterator[Change]:
        """Change the numbers of channels, and with them all that is left of the settings."""
        new = self.new.row
        words, many = _width_words(self.old.row, new)
        to = {"layer": self.goal, "inputs": new.inputs, "output": new.output}
        yield from self.step("width", words, many, **to)

    def surroundings(self) -> Iterator[Change]:
        """Change what is not the layer's: the batch, and who calls it."""
        now, then = self.new.batch, self.old.batch
        if now != then:
            words = f"batch {now} instead of {then}"
            yield from self.step("batch", words, words, batch=now)
        if self.new.row.functional != self.functional:
            words = "functions instead of modules"
            if self.functional:
                words = "modules instead of functions"
            yield from self.step("caller", words, words, functional=self.new.row.functional)


def _flat(side: Side) -> Side:
    """Return a linear layer's input as the vector that it reads, flattened before it or not."""
    if isinstance(side.layer, Linear) and not side.layer.tokens:
        return side._replace(row=side.row._replace(inputs=((math.prod(side.row.inputs[0]),),)))
    return side


def _as_recorded(row: Row) -> Layer:
    return Recorded(row.kind, row.output, is_view=row.views > 0)


def _differing(old: Layer, new: Layer) -> list[str]:
    """Return the settings in which two layers of a class differ, in their order of change."""
    names = [f.name for f in fields(old) if getattr(old, f.name) != getattr(new, f.name)]
    return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def _with(layer: Layer, **settings: Any) -> Layer | None:
    """Return a layer with other settings; None if it refuses them."""
    try:
        return replace(layer, **settings)
    except ValueError:
        return None


def _row(of: Side, layer: Layer, inputs: Sequence[Shape], output: Shape, batch: int) -> Row | None:
    """Return a row as the formulas give it; None if they do not fit the shapes."""
    size = math.prod(output) * batch
    view, in_place = layer.view, layer.in_place
    try:
        kept = layer.keeps(output, *inputs)
        return of.row._replace(
            weights=layer.weights(*inputs),
            biases=layer.biases(*inputs),
            statistics=layer.statistics(*inputs),
            macs=layer.macs(output, *inputs) * batch,
            values=0 if view or in_place else size,
            views=size if view else 0,
            overwrites=size if in_place else 0,
            input_values=sum([math.prod(shape) for shape in inputs]) * batch,
            kept_values=size if of.row.kept_values else 0,
            copies=(kept.copies + kept.float32 * 4 // of.width) * batch,
            masks=kept.masks * batch,
            indices=kept.indices * batch,
            batch_statistics=kept.statistics + kept.per_image * batch,
        )
    except (ValueError, IndexError):
        return None


def times(pair: tuple[int, ...]) -> str:
    """Return a kernel or map size as people write it.

    >>> times((3, 3))
    '3x3'
    """
    return "x".join(map(str, pair))


def short(value: Any) -> str:
    """Return a stride or padding in short: one number if all sides are equal.

    >>> short((2, 2)), short((1, 2)), short("same"), short(None)
    ('2', '1x2', 'same', 'unknown')
    """
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else times(value)
    return "unknown" if value is None else str(value)


def _setting_words(name: str, then: Any, now: Any) -> tuple[str, str]:
    """Return what is said of a setting that changes: of one row, and of many different ones."""
    if name in PARTS and isinstance(now, bool):
        words = f"{PARTS[name]} {'added' if now else 'left out'}"
        return words, words
    if name == "in_place":
        words = "in place" if now else "not in place"
        return words, words
    if name == "kernel":
        return f"kernel {times(now)} instead of {times(then)}", "other kernels"
    if name == "groups":
        return f"{now} group{'' if now == 1 else 's'} instead of {then}", "other groups"
    said = name.replace("_", " ")
    if isinstance(now, bool):
        words = f"with{'' if now else 'out'} {said}"
        return words, words
    many = f"other {said}" if said.endswith("ing") else f"other {said}s"
    return f"{said} {short(now)} instead of {short(then)}", many


def _size_words(old: Row, new: Row) -> tuple[str, str]:
    """Return what is said of a row whose map has another size."""
    then, now = old.output[:-1], new.output[:-1]
    what = "pixels" if new.kind == "input" else "maps" if len(now) > 1 else "positions"
    if then and len(then) != len(now):
        return "other shapes", "other shapes"
    if then == now and old.inputs and new.inputs:
        then, now, what = old.inputs[0][:-1], new.inputs[0][:-1], "inputs"
    if not then or not now:
        return f"other {what}", f"other {what}"
    pairs = list(zip(then, now, strict=False))
    more = "larger" if all(a <= b for a, b in pairs) else "other"
    less = "smaller" if all(a >= b for a, b in pairs) else more
    return f"{times(now)} {what} instead of {times(then)}", f"{less} {what}"


def _width_words(old: Row, new: Row) -> tuple[str, str]:
    """Return what is said of a row with other numbers of channels."""
    then, now = old.output[-1:], new.output[-1:]
    learned = new.weights and new.kind != "batch_norm"
    if then != now and then and now:
        what = "outputs" if new.kind == "linear" else "filters" if learned else "channels"
        words = f"{now[0]:,} {what} instead of {then[0]:,}"
    elif len(old.inputs) != len(new.inputs):
        words = f"{len(new.inputs)} inputs instead of {len(old.inputs)}"
        return words, "other numbers of inputs"
    else:
        a, b = (sum([shape[-1] for shape in row.inputs if shape]) for row in (old, new))
        then, now = (a,), (b,)
        what = "inputs" if new.kind == "linear" else "input channels"
        words = f"{b:,} {what} instead of {a:,}"
    if then == now:
        return "other shapes", "other shapes"
    return words, "more channels" if now > then else "fewer channels"
