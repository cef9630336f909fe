"""The graph of a Keras model as a list of calls, with the shapes at any input size.

Keras has no public way to walk the graph of a functional model; `_nodes_by_depth`, `arguments`
and `_functional` are what `keras.Function` itself runs on. No layer is called: the shapes come
from `compute_output_spec`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras.src.models.functional import Functional  # the class of keras.Model(inputs, outputs)

from cnnmem.checks import is_int
from cnnmem.errors import CnnmemError, ShapeError

from .layers import snake


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer or operation, with the tensors it reads and makes, batch first."""

    name: str
    block: str
    operation: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def graph_of(model: Any) -> Any:
    """Return the `keras.Function` that a model runs, or None if it overrides `call`."""
    if isinstance(model, keras.Sequential):
        plain, graph = type(model).call is keras.Sequential.call, model._functional
    elif isinstance(model, keras.Function):
        plain, graph = type(model).call in (Functional.call, keras.Function.call), model
    else:
        return None
    return graph if plain else None


def input_names(graph: Any) -> list[str]:
    """Return the names of a graph's input layers, by which Keras takes its inputs."""
    return [x._keras_history.operation.name for x in graph.inputs]


# Models of keras.applications that leave their size open by default, designed for 224 pixels.
OPEN_SIZED = ("MobileNetV3Small", "MobileNetV3Large")


def input_shapes(model: Any, graph: Any, given: Any, batch: int) -> list[tuple[int, ...]]:
    """Return the full shape of each input, batch first, in the model's order.

    Raises `ShapeError` naming the input whose shape is unknown or does not fit the given one.
    """
    names = input_names(graph)
    shapes = _by_name(model, names, given)
    for name, x in zip(names, graph.inputs, strict=True):
        own, shape = tuple(x.shape[1:]), shapes.get(name)
        if shape is None and None in own:
            example = tuple([224 if n is None else n for n in own])
            hint = f"{example}" if len(names) == 1 else f"{{{name!r}: {example}, ...}}"
            size = ", the size it was designed for" if model.name in OPEN_SIZED else ""
            raise ShapeError(f"input {name!r} has shape {own}: give input_shape={hint}{size}")
        if shape is not None and (
            len(shape) != len(own) or not all(is_int(n) and n >= 1 for n in shape)
        ):
            raise ShapeError(
                f"input {name!r} has shape {own}, and input_shape gives it {shape!r}; give "
                f"{len(own)} positive integers, in the model's order"
            )
        if x.shape[0] not in (None, batch):
            raise ShapeError(
                f"input {name!r} has the fixed batch {x.shape[0]}: give batch={x.shape[0]}"
            )
        shapes[name] = own if shape is None else shape
    return [(batch, *shapes[name]) for name in names]


def _by_name(model: Any, names: list[str], given: Any) -> dict[str, tuple[int, ...]]:
    if given is None:
        return {}
    if isinstance(given, dict):
        for name in given:
            if name not in names:
                raise ShapeError(
                    f"model {model.name!r} has no input {name!r}; it has {', '.join(names)}"
                )
        return {name: tuple(shape) for name, shape in given.items()}
    if len(names) == 1 and isinstance(given, tuple | list) and all(map(is_int, given)):
        given = [given]
    if not (
        isinstance(given, tuple | list)
        and len(given) == len(names)
        and all(isinstance(shape, tuple | list) for shape in given)
    ):
        raise ShapeError(
            f"input_shape is {given!r}, and model {model.name!r} has the inputs "
            f"{', '.join(names)}; give one shape for each, or a dict of shapes by name"
        )
    return {name: tuple(shape) for name, shape in zip(names, given, strict=True)}


def trace(
    graph: Any, shapes: Sequence[tuple[int, ...]]
) -> tuple[list[Tensor], list[Call], list[Tensor]]:
    """Return the graph's inputs at the given shapes, its calls in Keras' order, and its outputs."""
    inputs = [Tensor(shape, x.dtype) for shape, x in zip(shapes, graph.inputs, strict=True)]
    calls: list[Call] = []
    # `compute_output_spec` enters a StatelessScope, and leaving the outermost scope allocates every
    # variable that has no memory yet (keras/src/backend/common/stateless_scope.py). Inside this
    # scope, Keras' own scope is never the outermost.
    with keras.StatelessScope(initialize_variables=False):
        outputs = _walk(graph, inputs, "", calls, Counter())
    return inputs, calls, outputs


def _walk(
    graph: Any, inputs: Sequence[Tensor], path: str, calls: list[Call], uses: Counter[str]
) -> list[Tensor]:
    known = {id(x): given for x, given in zip(graph.inputs, inputs, strict=True)}
    for node in _nodes(graph):
        if node.is_input or all(id(x) in known for x in node.outputs):
            continue
        args, kwargs = node.arguments.fill_in(known)
        read = tuple(known[id(x)] for x in node.input_tensors)
        name = path + node.operation.name
        inner = graph_of(node.operation)
        if inner is not None:
            made = _walk(inner, _passed(name, inner, args, kwargs), f"{name}/", calls, uses)
        else:
            uses[name] += 1
            made = _infer(name, node.operation, args, kwargs)
            unique = name if uses[name] == 1 else f"{name}:{uses[name]}"
            block = path.split("/")[0] or _block(node.operation)
            calls.append(Call(unique, block, node.operation, read, tuple(made)))
        known.update({id(x): y for x, y in zip(node.outputs, made, strict=True)})
    return [known[id(x)] for x in graph.outputs]


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield a graph's nodes, each after the nodes it reads, in the order of `Model.layers`."""
    order = {id(operation): i for i, operation in enumerate(graph.operations)}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        nodes = graph._nodes_by_depth[depth]
        yield from sorted(nodes, key=lambda node: order[id(node.operation)])


def _passed(name: str, inner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """Return the tensors that a call passes to the inputs of a nested model."""
    given = args[0] if args else next(iter(kwargs.values()))
    if isinstance(given, dict) and not isinstance(inner.input, dict):
        given = [given[each] for each in input_names(inner)]
    tensors: list[Tensor] = keras.tree.flatten(given)
    for x, tensor in zip(inner.inputs, tensors, strict=True):
        if len(x.shape) != len(tensor.shape):
            raise ShapeError(
                f"model {name!r} expects {x.shape} but is given {tensor.shape}; "
                "reshape its input with a layer"
            )
    return tensors


def _infer(name: str, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Return an operation's outputs for symbolic inputs; only shapes are computed."""
    first = args[0] if args else next(iter(kwargs.values()))
    try:
        if isinstance(operation, keras.layers.Layer):
            operation._assert_input_compatibility(first)
        outputs: list[Any] = keras.tree.flatten(operation.compute_output_spec(*args, **kwargs))
    except (ValueError, RuntimeError) as error:  # raised by the backends for shapes that do not fit
        shapes = " and ".join(str(x.shape) for x in keras.tree.flatten(first) if _is_tensor(x))
        raise ShapeError(
            f"layer {name!r} cannot work on {shapes}, batch first; use a larger input or the "
            f"model's own. Keras says: {' '.join(str(error).split())}"
        ) from error
    for x in outputs:
        if _is_tensor(x) and not all(is_int(n) and n >= 1 for n in x.shape):
            raise ShapeError(
                f"layer {name!r} gives an output of shape {tuple(x.shape)}; use a larger input, or "
                "a layer whose output shape does not depend on the values"
            )
    return outputs


def _is_tensor(x: object) -> bool:
    return isinstance(x, Tensor)


def _block(operation: Any) -> str:
    """Return the part of a layer's name that its neighbours share: up to its first number."""
    name = str(operation.name)
    if name.startswith(snake(type(operation).__name__)):  # Keras' automatic name
        return name
    stage = re.match(r"(.*?\d+[a-z]?)_", name)
    return stage[1] if stage else name


def unsupported(model: Any) -> CnnmemError:
    """Return the error for a model without a graph, which says how to get one."""
    if isinstance(model, keras.Sequential):
        return ShapeError(
            f"model {model.name!r} does not know its input yet: give "
            "input_shape=(height, width, channels), or start it with keras.Input"
        )
    return CnnmemError(
        f"model {model.name!r} ({type(model).__name__}) is a subclass with its own call, "
        "so it has no graph to read; build one from its layers with keras.Model(inputs, outputs)"
    )
