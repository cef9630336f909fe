"""Layers wired into a named graph.

A network is data: a tuple of nodes, each with a name, a layer and the names of its inputs. The
image is called "input"; the last node is the output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from cnnmem.checks import as_int
from cnnmem.errors import NetworkError, ShapeError

from .layers import Layer, Shape
from .windows import shape_text

INPUT = "input"


class Call(NamedTuple):
    """How a framework's model called a layer, as far as tools that count operations tell.

    `facts` are words such as "class" (a module of a class of torch's own), "Upsample" (its name),
    "F" (a function of torch.nn.functional), "operator" (`+`) or "bilinear"; `cnnmem.count.tools`
    lists those that matter. `params` is how many learned parameters the call uses, even if an
    earlier call has them in its row, and `groups` those of a convolution.
    """

    facts: frozenset[str] = frozenset()
    params: int = 0
    groups: int = 1


@dataclass(frozen=True)
class Node:
    """A named layer and where its inputs come from.

    `block` groups the nodes of a chart; `functional` says that the framework's model calls a
    function here instead of a module of its own, which tools that hook modules do not see;
    `frozen` says that its parameters are not trained; `call` is how a framework's model calls it.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...] = (INPUT,)
    block: str = ""
    functional: bool = False
    frozen: bool = False
    call: Call | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Network:
    """A directed graph of named layers and the image (H, W, C) it is made for.

    The image may be a sequence (L, C), a volume or video (T, H, W, C) or a vector (C,) as well.

    >>> from .layers import Conv2d, ReLU
    >>> layers = {"conv": Conv2d(8, 3), "relu": ReLU(in_place=True)}
    >>> net = Network.chain("tiny", layers, (32, 32, 3))
    >>> net.shapes()["relu"]
    (30, 30, 8)
    """

    name: str
    nodes: tuple[Node, ...]
    image: Shape = (224, 224, 3)
    # the table of a framework's model at another size: it is read again, its layers' shapes are
    # not worked out from this graph
    again: Callable[..., Any] | None = field(default=None, compare=False, repr=False)
    outputs: tuple[str, ...] = ()  # nodes that are outputs too, beside the last

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        if self.again is not None:
            object.__setattr__(self, "image", check_image(self.image, any_axes=True))
            return  # read off a model that works, and built again at each step of a slider
        known = {INPUT}
        if not self.nodes:
            raise NetworkError(f"network {self.name!r} has no layers; give at least one node")
        for node in self.nodes:
            _check_node(node)
            if node.name in known:
                raise NetworkError(
                    f"two layers are called {node.name!r}; give each layer a name of its own"
                )
            for source in node.inputs:
                if source not in known:
                    raise NetworkError(
                        f"layer {node.name!r} reads {source!r}, but no earlier layer has that name;"
                        " list the nodes in the order in which they run"
                    )
            least, most = node.layer.arity
            if len(node.inputs) < least or (most is not None and len(node.inputs) > most):
                count = f"{least}" if least == most else f"{least} or more"
                inputs = "1 input" if len(node.inputs) == 1 else f"{len(node.inputs)} inputs"
                raise NetworkError(
                    f"layer {node.name!r} ({node.layer.kind}) has {inputs}; it takes {count}"
                )
            known.add(node.name)
        for name in self.outputs:
            if name not in known:
                raise NetworkError(
                    f"network {self.name!r} has no layer {name!r} to be an output; it has "
                    f"{', '.join(node.name for node in self.nodes[:9])} ..."
                )
        object.__setattr__(self, "image", check_image(self.image, takes(self.nodes, self.image)))

    @classmethod
    def chain(cls, name: str, layers: dict[str, Layer], image: Shape = (224, 224, 3)) -> Network:
        """Return the network in which each layer reads the one before it."""
        chain = zip([INPUT, *layers], layers.items(), strict=False)
        return cls(
            name, tuple(Node(key, layer, (before,)) for before, (key, layer) in chain), image
        )

    @cached_property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """The inputs of each node as positions: 0 is the image, node i stands at i + 1."""
        position = {INPUT: 0, **{node.name: i for i, node in enumerate(self.nodes, 1)}}
        return tuple(tuple(position[source] for source in node.inputs) for node in self.nodes)

    def _image(self, image: Shape | None) -> Shape:
        """Return the image to use; raise `ShapeError` for one whose channels stand first."""
        image = self.image if image is None else image
        shape, channels = check_image(image, takes(self.nodes, image)), self.image[-1]
        if len(shape) == 3 and shape[0] == channels != shape[2] and shape[2] > 4:
            right = (shape[1], shape[2], channels)
            raise ShapeError(
                f"input shape is {shape}, with {shape[2]} channels; {self.name} takes {channels}. "
                f"Channels stand last here: give {right}"
            )
        return shape

    def trace_shapes(self, image: Shape | None = None) -> list[Shape]:
        """Return the shape of the image and of every node's output, (H, W, C) or (C,), in order.

        Raises `ShapeError`, naming the layer that does not fit its input.
        """
        shapes = [self._image(image)]
        for node, sources in zip(self.nodes, self.sources, strict=True):
            try:
                shapes.append(node.layer.output_shape(*[shapes[i] for i in sources]))
            except ShapeError as error:
                raise ShapeError(
                    f"layer {node.name!r}: {error} (input {shape_text(shapes[0])})"
                ) from None
        return shapes

    def shapes(self, image: Shape | None = None) -> dict[str, Shape]:
        """Return the output shape of the image and of every layer by name."""
        return dict(
            zip([INPUT, *(n.name for n in self.nodes)], self.trace_shapes(image), strict=True)
        )


def _check_node(node: Any) -> None:
    if not (isinstance(node, Node) and isinstance(node.layer, Layer)):
        raise NetworkError(f"{node!r} is not a node; give Node(name, layer, inputs)")
    inputs: Any = node.inputs
    if isinstance(inputs, str):
        raise NetworkError(
            f"layer {node.name!r} has the text {inputs!r} for its inputs; "
            f"give a tuple of names: ({inputs!r},)"
        )


def takes(nodes: Iterable[Node], image: object) -> bool:
    """Return whether an image has the axes of a vector, a map, or what one of the layers reads."""
    axes = len(image) - 1 if isinstance(image, list | tuple) else 0
    return axes in (0, 2) or any(node.layer.axes == axes for node in nodes)


def check_image(image: object, any_axes: bool = False) -> Shape:
    """Return a valid image shape, (H, W, C) or (C,), as ints; raise `ShapeError` otherwise.

    With `any_axes` it may be that of a sequence or a volume.
    """
    sides = [as_int(n) for n in image] if isinstance(image, tuple | list) else []
    shape = tuple([n for n in sides if n is not None])
    if sides and (any_axes or len(sides) in (1, 3)) and len(shape) == len(sides):
        return shape
    raise ShapeError(
        f"input shape is {image!r}; give three positive integers (height, width, channels), "
        "such as (224, 224, 3)"
    )


class Builder:
    """Builds a graph node by node, as the zoo's functions do.

    >>> from .layers import Add, Conv2d
    >>> build = Builder()
    >>> x = build("conv1", Conv2d(8, 3, padding=1))
    >>> y = build("conv2", Conv2d(8, 3, padding=1), x)
    >>> build("add", Add(), x, y)
    'add'
    >>> build.network("tiny", (32, 32, 3)).nodes[-1].inputs
    ('conv1', 'conv2')
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.block = ""

    def __call__(
        self,
        name: str,
        layer: Layer,
        *inputs: str,
        functional: bool = False,
        call: Call | None = None,
    ) -> str:
        """Add a node and return its name; without `inputs` it reads the node before it."""
        if not inputs:
            inputs = (self.nodes[-1].name if self.nodes else INPUT,)
        node = Node(name, layer, inputs, self.block or name, functional, call=call)
        self.nodes.append(node)
        return name

    def network(self, name: str, image: Iterable[int], outputs: Iterable[str] = ()) -> Network:
        """Return the finished network; `outputs` are those beside the last node."""
        return Network(name, tuple(self.nodes), tuple(image), outputs=tuple(outputs))
