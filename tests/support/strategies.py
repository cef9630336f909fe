"""Random plain networks for Hypothesis: chains and graphs of all kinds of layers.

`HYPOTHESIS_PROFILE=long` draws 10,000 networks per test instead of 300, new ones each time.
"""

import math
import os
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cnnmem.errors import ShapeError
from cnnmem.model.layers import (
    ACTIVATIONS,
    GLU,
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    DotProductAttention,
    Dropout,
    Flatten,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Linear,
    MultiheadAttention,
    Multiply,
    PixelShuffle,
    PixelUnshuffle,
    PReLU,
)
from cnnmem.model.layers.joining import EDGES, EdgePad, ZeroPad
from cnnmem.model.layers.learned import Conv, DepthwiseConv, SeparableConv
from cnnmem.model.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
    WindowPool,
)
from cnnmem.model.layers.resizing import ConvTranspose, ResizeTo, UpsampleBy
from cnnmem.model.network import INPUT, Network, Node
from cnnmem.model.windows import copied_for_padding

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
settings.register_profile(
    "ci", max_examples=300, deadline=None, derandomize=True, suppress_health_check=SLOW
)
settings.register_profile("long", max_examples=10_000, deadline=None, suppress_health_check=SLOW)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@dataclass(frozen=True)
class Drawn:
    """A network and its batch size."""

    network: Network
    batch: int
    sequences: bool = False  # (L, C) is (N, L, C) in PyTorch, not (N, C, L)

    @property
    def batch_shape(self):
        """The shape of the whole input in PyTorch's order."""
        return self.in_torch(self.network.image)

    def in_torch(self, shape):
        """Return the shape of a batch in PyTorch's order."""
        if self.sequences and len(shape) == 2:
            return (self.batch, *shape)
        *size, channels = shape
        return (self.batch, channels, *size)


def _axes(shape):
    return len(shape) - 1


def _sizes(axes, least, most):
    return st.tuples(*[st.integers(least, most)] * axes)


def _window(draw, axes, *, pool=False):
    """Draw kernel, stride, padding and dilation."""
    kernel = draw(st.one_of(_sizes(axes, 1, 3), _sizes(axes, 1, 5 if axes < 3 else 3)))
    stride = draw(st.one_of(st.just((1,) * axes), _sizes(axes, 1, 3)))
    dilation = draw(st.one_of(st.just((1,) * axes), _sizes(axes, 1, 2)))
    most = [k // 2 if pool else k for k in kernel]
    padding = draw(
        st.one_of(
            st.just(0),
            st.just("same"),
            st.tuples(*[st.integers(0, m) for m in most]),
            st.tuples(*[st.integers(0, m) for m in most for _ in range(2)]),
        )
    )
    return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}


def _groups(draw, channels):
    return draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))


def _conv(draw, shape):
    groups = _groups(draw, shape[-1])
    out, window = groups * draw(st.integers(1, 4)), _window(draw, _axes(shape))
    return Conv.over(_axes(shape))(out, **window, groups=groups, bias=draw(st.booleans()))


def _depthwise(draw, shape):
    window, multiplier = _window(draw, _axes(shape)), draw(st.integers(1, 2))
    make = DepthwiseConv.over(_axes(shape))
    return make(**window, multiplier=multiplier, bias=draw(st.booleans()))


def _separable(draw, shape):
    axes = _axes(shape)
    return SeparableConv.over(min(axes, 2))(
        **_window(draw, min(axes, 2)),
        multiplier=draw(st.integers(1, 2)),
        bias=draw(st.booleans()),
        out_channels=draw(st.integers(1, 8)),
    )


def _max_pool(draw, shape):
    window = _window(draw, _axes(shape), pool=True)
    return MaxPool.over(_axes(shape))(**window, ceil_mode=draw(st.booleans()))


def _avg_pool(draw, shape):
    window = _window(draw, _axes(shape), pool=True) | {"dilation": 1}
    if len(shape) == 4:  # PyTorch refuses a volume smaller than the kernel, padded or not
        window |= {"kernel": tuple(map(min, window["kernel"], shape)), "padding": "same"}
    return AvgPool.over(_axes(shape))(**window, ceil_mode=draw(st.booleans()))


def _adaptive(draw, shape):
    axes = _axes(shape)
    kind = draw(st.sampled_from([AdaptiveAvgPool, AdaptiveMaxPool]))
    size = draw(st.one_of(st.just((1,) * axes), _sizes(axes, 1, 4)))
    if kind is AdaptiveMaxPool and max(size) == 1:
        return GlobalMaxPool.over(axes)(keepdims=True)  # as it is read from PyTorch
    return kind.over(axes)(size)


def _padded(draw, shape):
    axes = _axes(shape)
    mode = draw(st.sampled_from(["zero", "zero", *EDGES]))
    if mode == "zero":
        return ZeroPad.over(axes)(draw(_sizes(2 * axes, 0, 2)))
    # PyTorch mirrors less than the map
    sides = [draw(st.integers(0, min(n - 1, 2))) for n in shape[:-1] for _ in range(2)]
    return EdgePad.over(axes)(tuple(sides), mode)


def _pixels(draw, shape):
    return draw(st.sampled_from([PixelShuffle, PixelUnshuffle]))(draw(st.integers(1, 2)))


def _activation(draw, shape):
    return Activation(draw(st.sampled_from(list(ACTIVATIONS))))


def _in_place(draw, layer, in_place):
    """Return the layer, in place if it can be and the draw says so."""
    can = isinstance(layer, Add) or (
        isinstance(layer, Activation) and ACTIVATIONS[layer.function][1]
    )
    return replace(layer, in_place=True) if can and draw(in_place) else layer


def _conv_transpose(draw, shape):
    axes, groups = _axes(shape), _groups(draw, shape[-1])
    kernel, stride = draw(_sizes(axes, 1, 3)), draw(_sizes(axes, 1, 2))
    extra = draw(st.tuples(*[st.integers(0, s - 1) for s in stride]))
    bias = draw(st.booleans())
    return ConvTranspose.over(axes)(
        groups * draw(st.integers(1, 4)),
        kernel,
        stride,
        output_padding=extra,
        groups=groups,
        bias=bias,
    )


# Scale and shift: the backward of a shift without a scale fails in PyTorch.
AFFINE = st.sampled_from([(True, True), (True, False), (False, False)])


def _group_norm(draw, shape):
    # PyTorch refuses a group of a single value
    channels, values = shape[-1], math.prod(shape)
    groups = [g for g in range(1, channels + 1) if channels % g == 0 and values > g]
    if not groups:
        return Dropout(0.5)
    return GroupNorm(draw(st.sampled_from(groups)), *draw(AFFINE))


def _instance_norm(draw, shape):
    # PyTorch refuses a single value per channel
    return InstanceNorm(*draw(AFFINE)) if math.prod(shape[:-1]) > 1 else Dropout(0.5)


def _attention(draw, shape):
    depth = draw(st.integers(1, 3))
    return MultiheadAttention(draw(st.integers(1, 3)), depth, draw(st.booleans()))


MAP_LAYERS = (
    _conv,
    _conv,
    _conv,
    _depthwise,
    _separable,
    _max_pool,
    _avg_pool,
    _adaptive,
    _padded,
    _conv_transpose,
    lambda draw, shape: UpsampleBy.over(_axes(shape))(draw(_sizes(_axes(shape), 1, 2))),
    lambda draw, shape: ResizeTo.over(_axes(shape))(draw(_sizes(_axes(shape), 1, 6))),
    _instance_norm,
    _pixels,
)
LAYERS = (
    _activation,
    _activation,
    lambda draw, shape: Dropout(draw(st.sampled_from([0.0, 0.3, 0.5]))),
    lambda draw, shape: LayerNorm(draw(st.booleans()), *draw(AFFINE)),
    lambda draw, shape: PReLU(),
    lambda draw, shape: GLU(),
)
NORMS = (  # they read a vector or a map, not a sequence
    lambda draw, shape: BatchNorm(draw(st.booleans()), draw(st.booleans())),
    _group_norm,
    lambda draw, shape: PReLU("channel"),
)
SEQUENCE_LAYERS = (
    lambda draw, shape: Linear(draw(st.integers(1, 12)), draw(st.booleans()), tokens=True),
    _attention,
)
ENDS = (  # they turn a map into a vector, so they are drawn less often
    lambda draw, shape: Linear(draw(st.integers(1, 12)), draw(st.booleans())),
    lambda draw, shape: Flatten(),
    lambda draw, shape: GlobalAvgPool.over(_axes(shape))(draw(st.booleans())),
    lambda draw, shape: GlobalMaxPool.over(_axes(shape))(draw(st.booleans())),
)
JOINS = (
    lambda draw, shape: Add(),
    lambda draw, shape: Multiply(),
    lambda draw, shape: Concatenate(),
)


@st.composite
def networks(draw, most_nodes=12, in_place=st.booleans(), in_use=st.booleans()):  # noqa: B008
    """Draw a network that works at its own size, and a batch.

    If `in_use` says so, the output depends on every node. In-place layers stand anywhere, as often
    as `in_place` says, so the core may refuse the network because backward needs what they
    overwrite.
    """
    batch = draw(st.integers(1, 3))
    side, channels = st.integers(1, 14), st.integers(1, 6)
    maps = st.tuples(side, side, channels)
    few = st.integers(1, 6)
    image = draw(
        st.one_of(
            *(maps, maps, maps, st.tuples(side), st.tuples(st.integers(2, 14), channels)),
            *(st.tuples(st.integers(2, 14), channels), st.tuples(few, few, few, channels)),
        )
    )
    sequences = len(image) == 2 and draw(st.booleans())
    nodes, shapes = [], {INPUT: image}
    if len(image) in (2, 4):  # the first layer says what it is: (L, C) is a map or a sequence
        make = DepthwiseConv.over(_axes(image))
        first = Node("n", Linear(4, tokens=True) if sequences else make(1))
        shapes["n"] = first.layer.output_shape(image)
        nodes.append(first)
    for i in range(draw(st.integers(1, most_nodes) | st.integers(6, most_nodes))):
        node = _node(draw, f"n{i}", shapes, batch, in_place, sequences)
        if node is not None:
            shapes[node.name] = node.layer.output_shape(*[shapes[s] for s in node.inputs])
            nodes.append(node)
    if not nodes:
        nodes = [Node("n0", Flatten())]
    last = [INPUT, *(node.name for node in nodes)][-1]
    shape = shapes.get(last, ())
    if len(shape) == 3 and shape[1] > 1 and draw(st.integers(0, 4)) == 4:
        # what it gives is not contiguous, so that a view of it would be a copy; for heads of one
        # value the CPU's kernel depends on a stride that fake tensors get wrong
        nodes.append(Node("attention", DotProductAttention(), (last, last, last)))
    if draw(in_use):
        nodes = _in_use(nodes)
    return Drawn(Network("drawn", tuple(nodes), shapes[INPUT]), batch, sequences)


def _node(draw, name, shapes, batch, in_place, sequences):
    """Draw a node that reads earlier ones; None if it does not fit."""
    names = [s for s in shapes if s != INPUT or len(shapes[s]) in (1, 3)]
    source = draw(st.one_of(st.just(names[-1]), st.just(names[-1]), st.sampled_from(names)))
    shape = shapes[source]
    partners = [s for s in names if _join_fits(shape, shapes[s])]
    is_map = len(shape) > 1 and not sequences
    groups = [LAYERS, JOINS, *([MAP_LAYERS] * 2 if is_map else [])]
    groups.append(SEQUENCE_LAYERS if sequences and len(shape) == 2 else NORMS)
    if not is_map or draw(st.integers(0, 3)) == 3:
        groups.append(ENDS if is_map else ENDS[: 1 + len(shape)])
    layer = draw(st.sampled_from(draw(st.sampled_from(groups))))(draw, shape)
    layer = _in_place(draw, layer, in_place)
    sources = [source]
    if isinstance(layer, Multiply):
        sources.append(draw(st.sampled_from(partners)))
    elif isinstance(layer, Add | Concatenate):
        sources += draw(st.lists(st.sampled_from(partners), min_size=1, max_size=2))
    if draw(st.booleans()):
        sources.reverse()
    functional = draw(st.integers(0, 4)) == 0 and _is_one_call(layer, shape, len(sources))
    frozen = draw(st.integers(0, 4)) == 0 and not isinstance(layer, MultiheadAttention)
    node = Node(name, layer, tuple(sources), "", functional, frozen)
    values = batch * math.prod(shape[:-1])
    if isinstance(layer, BatchNorm) and values == 1:
        return None  # PyTorch refuses to normalise one value per channel
    try:
        layer.output_shape(*[shapes[s] for s in sources])
    except ShapeError:
        return None
    return node


def _join_fits(a, b):
    ones = (1,) * (len(a) - 1)
    return len(a) == len(b) and (a[:-1] == b[:-1] or ones in (a[:-1], b[:-1]))


def _is_one_call(layer, shape, inputs):
    """Return whether a single function of torch does what the layer does."""
    if layer.weights(shape) + layer.biases(shape) + layer.statistics(shape):
        return False
    if isinstance(layer, LayerNorm):
        return layer.whole or len(shape) == 1
    if isinstance(layer, WindowPool):
        return not copied_for_padding(layer, shape)
    if isinstance(layer, GlobalMaxPool):
        return layer.keepdims
    return not (isinstance(layer, Add) and inputs > 2)


def _in_use(nodes):
    """Drop the nodes that the output does not depend on: nothing holds what they keep."""
    wanted, kept = {nodes[-1].name}, []
    for node in reversed(nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))
