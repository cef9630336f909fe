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
    Activation,
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    BatchNorm,
    Concatenate,
    Conv2d,
    ConvTranspose2d,
    DepthwiseConv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    GroupNorm,
    LayerNorm,
    Linear,
    MaxPool2d,
    Multiply,
    SeparableConv2d,
    Upsample,
    ZeroPad2d,
)
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

    @property
    def batch_shape(self):
        """The shape of the whole input in PyTorch's order."""
        *size, channels = self.network.image
        return (self.batch, channels, *size)


def _pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


def _window(draw, *, pool=False):
    """Draw kernel, stride, padding and dilation."""
    kernel = draw(st.one_of(_pairs(1, 3), _pairs(1, 5)))
    stride = draw(st.one_of(st.just((1, 1)), _pairs(1, 3)))
    dilation = draw(st.one_of(st.just((1, 1)), _pairs(1, 2)))
    most = [k // 2 if pool else k for k in (kernel[0], kernel[0], kernel[1], kernel[1])]
    padding = draw(
        st.one_of(
            st.just(0),
            st.just("same"),
            st.tuples(st.integers(0, most[0]), st.integers(0, most[2])),
            st.tuples(*[st.integers(0, m) for m in most]),
        )
    )
    return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}


def _conv(draw, shape):
    channels = shape[-1]
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    out = groups * draw(st.integers(1, 4))
    return Conv2d(out, **_window(draw), groups=groups, bias=draw(st.booleans()))


def _depthwise(draw, shape):
    return DepthwiseConv2d(
        **_window(draw), multiplier=draw(st.integers(1, 2)), bias=draw(st.booleans())
    )


def _separable(draw, shape):
    return SeparableConv2d(
        **_window(draw),
        multiplier=draw(st.integers(1, 2)),
        bias=draw(st.booleans()),
        out_channels=draw(st.integers(1, 8)),
    )


def _max_pool(draw, shape):
    return MaxPool2d(**_window(draw, pool=True), ceil_mode=draw(st.booleans()))


def _avg_pool(draw, shape):
    window = _window(draw, pool=True) | {"dilation": 1}
    return AvgPool2d(**window, ceil_mode=draw(st.booleans()))


def _activation(draw, shape):
    return Activation(draw(st.sampled_from(list(ACTIVATIONS))))


def _in_place(draw, layer, in_place):
    """Return the layer, in place if it can be and the draw says so."""
    can = isinstance(layer, Add) or (
        isinstance(layer, Activation) and ACTIVATIONS[layer.function][1]
    )
    return replace(layer, in_place=True) if can and draw(in_place) else layer


def _conv_transpose(draw, shape):
    channels = shape[-1]
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    kernel, stride = draw(_pairs(1, 3)), draw(_pairs(1, 2))
    extra = draw(st.tuples(*[st.integers(0, s - 1) for s in stride]))
    bias = draw(st.booleans())
    return ConvTranspose2d(
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


MAP_LAYERS = (
    _conv,
    _conv,
    _conv,
    _depthwise,
    _separable,
    _max_pool,
    _avg_pool,
    lambda draw, shape: AdaptiveAvgPool2d(draw(st.one_of(st.just((1, 1)), _pairs(1, 4)))),
    lambda draw, shape: ZeroPad2d(draw(st.tuples(*[st.integers(0, 2)] * 4))),
    _conv_transpose,
    lambda draw, shape: Upsample(draw(_pairs(1, 2))),
)
LAYERS = (
    _activation,
    _activation,
    lambda draw, shape: BatchNorm(draw(st.booleans()), draw(st.booleans())),
    lambda draw, shape: Dropout(draw(st.sampled_from([0.0, 0.3, 0.5]))),
    lambda draw, shape: LayerNorm(draw(st.booleans()), *draw(AFFINE)),
    _group_norm,
)
ENDS = (  # they turn a map into a vector, so they are drawn less often
    lambda draw, shape: Linear(draw(st.integers(1, 12)), draw(st.booleans())),
    lambda draw, shape: Flatten(),
    lambda draw, shape: GlobalAvgPool2d(draw(st.booleans())),
    lambda draw, shape: GlobalMaxPool2d(draw(st.booleans())),
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
    image = draw(
        st.one_of(
            st.tuples(st.integers(1, 14), st.integers(1, 14), st.integers(1, 6)),
            st.tuples(st.integers(1, 14), st.integers(1, 14), st.integers(1, 6)),
            st.tuples(st.integers(1, 14)),
        )
    )
    nodes, shapes = [], {INPUT: image}
    for i in range(draw(st.integers(1, most_nodes) | st.integers(6, most_nodes))):
        node = _node(draw, f"n{i}", shapes, batch, in_place)
        if node is not None:
            shapes[node.name] = node.layer.output_shape(*[shapes[s] for s in node.inputs])
            nodes.append(node)
    if not nodes:
        nodes = [Node("n0", Flatten())]
    if draw(in_use):
        nodes = _in_use(nodes)
    return Drawn(Network("drawn", tuple(nodes), image), batch)


def _node(draw, name, shapes, batch, in_place):
    """Draw a node that reads earlier ones; None if it does not fit."""
    names = list(shapes)
    source = draw(st.one_of(st.just(names[-1]), st.just(names[-1]), st.sampled_from(names)))
    shape = shapes[source]
    partners = [s for s in names if _join_fits(shape, shapes[s])]
    is_map = len(shape) == 3
    groups = [LAYERS, JOINS, *([MAP_LAYERS] * 2 if is_map else [])]
    if not is_map or draw(st.integers(0, 3)) == 3:
        groups.append(ENDS[: 4 if is_map else 2])
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
    node = Node(name, layer, tuple(sources), "", functional, draw(st.integers(0, 4)) == 0)
    values = batch * (shape[0] * shape[1] if len(shape) == 3 else 1)
    if isinstance(layer, BatchNorm) and values == 1:
        return None  # PyTorch refuses to normalise one value per channel
    try:
        layer.output_shape(*[shapes[s] for s in sources])
    except ShapeError:
        return None
    return node


def _join_fits(a, b):
    return len(a) == len(b) and (a[:-1] == b[:-1] or (1, 1) in (a[:-1], b[:-1]))


def _is_one_call(layer, shape, inputs):
    """Return whether a single function of torch does what the layer does."""
    if layer.weights(shape) + layer.biases(shape) + layer.statistics(shape):
        return False
    if isinstance(layer, MaxPool2d | AvgPool2d):
        return not copied_for_padding(layer, shape)
    if isinstance(layer, GlobalMaxPool2d):
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
