"""Read a Keras 3 model into the same table as a plain network, without running it.

Everything comes from symbolic shapes, on any backend. A model that need not compute can be built
without its weights: see `without_weights`.

>>> import keras
>>> vgg = without_weights(keras.applications.VGG16, weights=None, input_shape=(1024, 1024, 3))
>>> table = table_of(vgg)
>>> table.params, table["fc1"].params  # 8.7 GB of weights, none of them allocated
(2183080744, 2147487744)
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
from keras import KerasTensor as Tensor
from keras.src.backend.common import global_state
from keras.src.utils.dtype_utils import dtype_size

from cnnmem.checks import is_int
from cnnmem.count.autograd import Mode, Storage
from cnnmem.count.table import Row, Table
from cnnmem.errors import CnnmemError, ShapeError
from cnnmem.model.layers import NOTHING, Recorded, Shape
from cnnmem.model.network import INPUT, Network, Node
from cnnmem.units import bytes_per_value

from .graph import Call, graph_of, input_names, input_shapes, trace, unsupported
from .layers import VIEWS, kind_and_macs
from .layout import channels_first, image_shape
from .plain_layer import plain_layer


def table_of(
    model: Any,
    input_shape: Any = None,
    *,
    batch: int = 1,
    dtype: str = "float32",
    mode: Mode = "train",
) -> Table:
    """Return the table of a functional or sequential Keras model, one row per layer.

    `input_shape` is required if the model leaves a size open, and may differ from the model's own:
    without the batch, in the model's order, (H, W, C) unless its channels come first. For several
    inputs, give the shapes in the order of `model.inputs`, or a dict by name. A sequential model
    without an input is read as if it started with one.

    Rows show (H, W, C) for channels_first too, in the order of `model.layers`. Layers of nested
    models are called "outer/inner"; a layer's second use is "name:2", with its work but without its
    parameters. The image's row is "input"; several inputs keep their names. Operations that are not
    layers (`x + y`) are `functional` rows. An activation inside a layer has no row of its own.

    `weights`, `biases` and `statistics` add up to `model.count_params()`: statistics are the
    variables created as non-trainable; a frozen layer's weights still count as weights. Layers
    whose MACs are unknown are listed in `uncounted`. `saved_bytes` is None, since what is kept for
    backward differs between backends.

    Nothing is executed, and no weight is allocated. (Keras' PyTorch backend runs an operation that
    PyTorch cannot do on the meta device, on ones.)

    Raises `ShapeError` naming the input whose size is missing or the layer that cannot work at this
    size, and `CnnmemError` for a subclassed model, which has no graph.

    >>> import keras
    >>> net = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(8, 3, name="conv")])
    >>> row = table_of(net)["conv"]
    >>> row.output, row.weights, row.biases, row.macs
    ((26, 26, 8), 72, 8, 48672)
    """
    if not is_int(batch) or batch < 1:
        raise ShapeError(f"batch is {batch!r}; it must be a positive integer")
    if mode not in ("train", "eval"):
        raise CnnmemError(f'mode is {mode!r}; give "train" or "eval"')
    bytes_per_value(dtype)  # raises for an unknown dtype
    own = dtype
    graph = graph_of(model)
    if graph is None and isinstance(model, keras.Sequential) and input_shape is not None:
        model = _begin_with(model, input_shape)
        graph = graph_of(model)
    if graph is None:
        raise unsupported(model)
    shapes = input_shapes(model, graph, input_shape, batch)
    inputs, calls, results = trace(graph, shapes)
    first = channels_first(calls)
    names = [INPUT] if len(inputs) == 1 else input_names(graph)
    rows = [_input_row(name, x, first) for name, x in zip(names, inputs, strict=True)]
    nodes = [Node(row.name, Recorded(INPUT, row.output), (), INPUT) for row in rows[1:]]
    position = {id(x): i for i, x in enumerate(inputs)}  # who made a tensor
    owner = list(range(len(rows)))
    seen: set[int] = set()  # ids of the variables that already have a row
    uncounted = []
    for call in calls:
        row, counted = _row(call, first, seen)
        sources = [position[id(x)] for x in call.inputs]
        names = [INPUT if i == 0 else rows[i].name for i in sources]
        layer = plain_layer(call.operation, row)
        frozen = row.params > 0 and not row.trainable
        nodes.append(Node(row.name, layer, tuple(names), row.block, row.functional, frozen))
        shares = layer.view and bool(sources)
        owner.append(owner[sources[0]] if shares else len(rows))
        position.update({id(x): len(rows) for x in call.outputs})
        rows.append(row)
        if not counted:
            uncounted.append(row.name)
    outputs = tuple(dict.fromkeys(position[id(x)] for x in results))
    for row in _unused(model, seen):
        owner.append(len(rows))
        rows.append(row)
        nodes.append(Node(row.name, Recorded(row.kind, row.output), (), row.block))

    def again(
        image: Shape, batch: int, dtype: str | None, mode: Mode, frozen: frozenset[str]
    ) -> Table:
        if frozen - {node.name for node in nodes if node.frozen}:
            raise CnnmemError(
                f"{model.name} is a Keras model; freeze its layers with layer.trainable = False"
            )
        shape = _at(image, first.get(id(inputs[0]), False))
        others = [tuple(x.shape[1:]) for x in inputs[1:]]
        given = [shape, *others] if others else shape
        return table_of(model, given, batch=batch, dtype=dtype or own, mode=mode)

    return Table(
        network=model.name,
        image=rows[0].output,
        batch=batch,
        rows=tuple(rows),
        dtype=dtype,
        mode=mode,
        graph=Network(model.name, tuple(nodes), rows[0].output, again),
        storage=_storage(tuple(owner), outputs),
        says_saved=False,
        uncounted=tuple(uncounted),
        how="read",
    )


def _at(image: Shape, first: bool) -> tuple[int, ...]:
    """Return an image's shape in the order of the model."""
    return (image[-1], *image[:-1]) if first and len(image) > 1 else image


def _storage(owner: tuple[int, ...], outputs: tuple[int, ...]) -> Storage:
    """Return who owns which tensor; what backward keeps differs between Keras' backends."""
    none = (False,) * len(owner)
    return Storage(owner, {}, (NOTHING,) * (len(owner) - 1), none, none, outputs=outputs)


def without_weights(function: Callable[..., Any], *args: Any, **kwargs: Any) -> keras.Model:
    """Return the model that `function(*args, **kwargs)` builds, without memory for its weights.

    The model can be counted, but neither run nor trained. Its layers' automatic names start at
    zero, as in a fresh session. Raises `CnnmemError` if trained weights are requested
    (the models of `keras.applications` load them unless given `weights=None`).

    >>> import keras
    >>> without_weights(keras.applications.MobileNetV2, weights=None).count_params()
    3538984
    """
    name = getattr(function, "__name__", type(function).__name__)
    given = inspect.signature(function).bind(*args, **kwargs)
    given.apply_defaults()
    weights = given.arguments.get("weights")
    if weights is not None:
        raise CnnmemError(
            f"{name} would load weights ({weights!r}), but a model built for counting has none; "
            "give weights=None"
        )
    with _no_weights():
        model = function(*args, **kwargs)
    if not isinstance(model, keras.Model):
        raise CnnmemError(
            f"{name} returned a {type(model).__name__}; give a function that returns a keras.Model"
        )
    return model


@contextmanager
def _no_weights() -> Iterator[None]:
    """Build models whose variables have only shapes, and leave Keras' global state as it was.

    Keras lists the variables created in such a scope, and leaving the next ordinary StatelessScope
    would allocate them all (`initialize_all_variables` in keras/src/backend/common/variables.py).
    So this scope gets a list of its own, which is dropped.
    """
    kept = {
        name: global_state.get_global_attribute(name)
        for name in ("uninitialized_variables", "object_name_uids")
    }
    for name in kept:
        global_state.set_global_attribute(name, None)
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        for name, value in kept.items():
            global_state.set_global_attribute(name, value)


def _begin_with(model: keras.Sequential, input_shape: Any) -> keras.Sequential:
    """Return a copy of a sequential model without an input: with one, and without weights."""
    if not (isinstance(input_shape, tuple | list) and all(is_int(n) for n in input_shape)):
        raise ShapeError(
            f"model {model.name!r} has one input, and input_shape is {input_shape!r}; "
            "give (height, width, channels)"
        )
    with _no_weights():
        layers = [type(each).from_config(each.get_config()) for each in model.layers]
        return keras.Sequential([keras.Input(tuple(input_shape)), *layers], name=model.name)


def _shape(x: Tensor, first: dict[int, bool]) -> tuple[int, ...]:
    return image_shape(tuple(x.shape), first.get(id(x), False))


def _size(tensors: Sequence[Tensor]) -> int:
    return sum(math.prod(x.shape) for x in tensors)


def _input_row(name: str, x: Tensor, first: dict[int, bool]) -> Row:
    return Row(name, INPUT, output=_shape(x, first), values=_size([x]), block=INPUT)


def _row(call: Call, first: dict[int, bool], seen: set[int]) -> tuple[Row, bool]:
    """Return the row of a call, and whether its MACs are known. Several outputs add up."""
    kind, macs = kind_and_macs(call.operation)
    layer = isinstance(call.operation, keras.layers.Layer)
    size, view = _size(call.outputs), kind in VIEWS
    own = _parameters(call.operation, seen) if layer else _Parameters()
    done = macs(call.operation, call.inputs[0].shape, call.outputs[0].shape) if macs else None
    row = Row(
        name=call.name,
        kind=kind,
        inputs=tuple(_shape(x, first) for x in call.inputs),
        output=_shape(call.outputs[0], first),
        weights=own.weights,
        biases=own.biases,
        statistics=own.statistics,
        trainable=own.trainable,
        stored=own.stored,
        values=0 if view else size,
        macs=done or 0,
        views=size if view else 0,
        input_values=_size(call.inputs),
        block=call.block,
        functional=not layer,
    )
    return row, done is not None


class _Parameters(NamedTuple):
    """The parameters that a row adds to the rows before it."""

    weights: int = 0
    biases: int = 0
    statistics: int = 0
    trainable: int = 0
    stored: int = 0


def _parameters(layer: Any, seen: set[int]) -> _Parameters:
    """Return the parameters of a layer that no earlier row has."""
    # not `layer.non_trainable_variables`: in a frozen layer that lists the weights as well
    fixed = {id(v) for each in layer._flatten_layers() for v in each._non_trainable_variables}
    learning = {id(v) for v in layer.trainable_variables}
    return _sort([v for v in layer.weights if id(v) not in seen], fixed, learning, seen)


def _sort(
    variables: Sequence[Any], fixed: set[int], learning: set[int], seen: set[int]
) -> _Parameters:
    counts = [0, 0, 0]
    trainable = stored = 0
    for v in variables:
        seen.add(id(v))
        size = math.prod(v.shape)
        # a quantised kernel does not learn, but it is a weight all the same
        kernel = v.name in ("kernel", "embeddings", "pointwise_kernel", "depthwise_kernel")
        place = 1 if v.name.endswith(("bias", "beta")) else 0
        counts[2 if id(v) in fixed and not kernel else place] += size
        trainable += size if id(v) in learning else 0
        stored += size * dtype_size(v.dtype) // 8
    return _Parameters(counts[0], counts[1], counts[2], trainable, stored)


def _unused(model: Any, seen: set[int]) -> Iterator[Row]:
    """Yield a row for each layer whose parameters the model owns but its graph does not use."""
    for layer in model._flatten_layers():
        own = [*layer._trainable_variables, *layer._non_trainable_variables]
        fixed = {id(v) for v in layer._non_trainable_variables}
        learning = {id(v) for v in layer.trainable_variables}
        counts = _sort([v for v in own if id(v) not in seen], fixed, learning, seen)
        if any(counts):
            yield Row(
                name=f"{layer.name} (unused)",
                kind=kind_and_macs(layer)[0],
                output=(),
                weights=counts.weights,
                biases=counts.biases,
                statistics=counts.statistics,
                trainable=counts.trainable,
                stored=counts.stored,
                block=layer.name,
            )
