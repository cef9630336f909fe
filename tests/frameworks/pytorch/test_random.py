"""On random networks the plain table equals torch, executed on the CPU."""

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import PROFILE, networks
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from two_ways import two_ways

from cnnmem import summary
from cnnmem.count.conventions import autograd
from cnnmem.count.training import training_step
from cnnmem.errors import CnnmemError, NetworkError
from cnnmem.frameworks.pytorch import build, saved_bytes
from cnnmem.model.layers import AvgPool3d, BatchNorm

DTYPES = st.sampled_from(["float32", "float32", "bfloat16", "float16"])


def table_or_refusal(drawn, mode, dtype="float32"):
    """Return the plain table, or the error that the core raises for the network."""
    try:
        return summary(drawn.network, batch=drawn.batch, mode=mode, dtype=dtype)
    except NetworkError as error:
        return error


@PROFILE
@given(networks())
def test_shapes_parameters_statistics_and_macs_equal_torch(drawn):
    table = table_or_refusal(drawn, "eval")
    if isinstance(table, NetworkError):
        return
    module = build(drawn.network).eval()
    parameters = dict(module.named_parameters())
    buffers = dict(module.named_buffers())
    shapes = {}
    for node in drawn.network.nodes:
        if not node.functional:
            module.get_submodule(node.name).register_forward_hook(
                lambda part, args, output, name=node.name: shapes.update({name: output.shape})
            )
    # the counter knows the products of attention, but not the CPU's kernel that joins them
    by_products = sdpa_kernel(SDPBackend.MATH)
    with FlopCounterMode(display=False) as counter, torch.no_grad(), by_products:
        output = module(torch.rand(drawn.batch_shape))
    shapes[drawn.network.nodes[-1].name] = output.shape
    assert table.macs * 2 == counter.get_total_flops()
    for row in table.rows[1:]:
        own = [p.numel() for name, p in parameters.items() if name.startswith(f"{row.name}.")]
        assert row.params == sum(own)
        running = [b for name, b in buffers.items() if name.startswith(f"{row.name}.running")]
        assert row.statistics == sum(b.numel() for b in running)
        if row.name in shapes:
            assert shapes[row.name] == drawn.in_torch(row.output)


@PROFILE
@pytest.mark.parametrize("mode", ["train", "eval"])
@given(drawn=networks(), dtype=DTYPES)
def test_what_backward_keeps_equals_what_torch_keeps(drawn, mode, dtype):
    norms = [n.layer for n in drawn.network.nodes if isinstance(n.layer, BatchNorm)]
    # PyTorch's CPU kernel rejects half-precision statistics unless both parameters exist
    assume(dtype == "float32" or all(norm.scale and norm.center for norm in norms))
    # nor has it averages of volumes in half precision
    volumes = any(isinstance(n.layer, AvgPool3d) for n in drawn.network.nodes)
    assume(dtype == "float32" or not volumes)
    table = table_or_refusal(drawn, mode, dtype)
    if not isinstance(table, NetworkError):
        module = build(drawn.network).to(getattr(torch, dtype))
        assert table.saved_bytes == saved_bytes(module, drawn.batch_shape, mode)
        assert table.saved_bytes == table.total(autograd(dtype)).base


@PROFILE
@given(networks(in_place=st.just(True)))
def test_the_core_refuses_in_place_layers_exactly_where_backward_fails(drawn):
    refused = isinstance(table_or_refusal(drawn, "train"), NetworkError)
    assert refused is backward_fails(build(drawn.network), drawn.batch_shape)


def backward_fails(module, batch_shape):
    output = module(torch.rand(batch_shape))
    if not output.requires_grad:
        return False
    try:
        output.sum().backward()
    except RuntimeError as error:
        if "modified by an inplace operation" in str(error):
            return True
        raise
    return False


@PROFILE
@given(networks(), st.sampled_from(["train", "eval"]), DTYPES)
def test_the_table_read_from_the_torch_module_equals_the_plain_one_row_by_row(drawn, mode, dtype):
    table = table_or_refusal(drawn, mode, dtype)
    if isinstance(table, NetworkError):
        return
    with torch.device("meta"):
        module = build(drawn.network)
    read = summary(module, drawn.batch_shape, mode=mode, dtype=dtype)
    assert read.uncounted == ()
    assert (read.image, read.batch) == (table.image, table.batch)
    nodes = [None, *drawn.network.nodes]
    for ours, theirs, node in zip(read.rows, table.rows, nodes, strict=True):
        same = {"block": ""}
        if node is not None and node.functional:
            same["name"] = ""
        if theirs.kind in ("conv", "depthwise_conv"):
            same["kind"] = ""  # torch has one class for both
        assert ours._replace(**same) == theirs._replace(**same)


@PROFILE
@given(networks(), st.sampled_from(["train", "eval"]), st.booleans())
def test_tracing_and_recording_a_random_module_agree(drawn, mode, frozen):
    if isinstance(table_or_refusal(drawn, mode), NetworkError):
        return
    with torch.device("meta"):
        module = build(drawn.network)
    if frozen:
        for parameter in [*module.parameters()][::2]:
            parameter.requires_grad_(False)
    ways = two_ways(module, drawn.batch_shape, mode)
    assert ways.why == ""
    if ways.differences:
        # kernels lay out a map with an axis of one differently, so a layer that reads it may keep
        # a copy or the map itself: the same bytes in another column, of which a real pass is judge
        assert any(1 in drawn.in_torch(shape) for shape in drawn.network.trace_shapes())
        table = summary(module, drawn.batch_shape, mode=mode)
        module.to_empty(device="cpu")
        real = summary(module, drawn.batch_shape, mode=mode, execute=True)
        assert (table.saved_bytes, table.macs) == (real.saved_bytes, real.macs)


@PROFILE
@given(networks(), st.sampled_from(["train", "eval"]), st.booleans())
def test_a_traced_module_at_another_size_is_what_a_trace_there_gives(drawn, mode, frozen):
    if isinstance(table_or_refusal(drawn, mode), NetworkError):
        return
    with torch.device("meta"):
        module = build(drawn.network)
    if frozen:
        for part in [*module.modules()][::2]:
            part.requires_grad_(False)
    graph = summary(module, drawn.batch_shape, mode=mode).graph
    *sides, channels = drawn.network.image
    batch, other = drawn.batch + 1, (*[n + 3 for n in sides], channels)
    try:
        traced = summary(module, replace(drawn, batch=batch).in_torch(other), mode=mode)
    except NetworkError:
        with pytest.raises(CnnmemError):
            summary(graph, other, batch=batch, mode=mode)
        return
    again = summary(graph, other, batch=batch, mode=mode)
    assert (again.rows, again.how, again.image) == (traced.rows, "traced", other)
    assert again.graph.nodes == traced.graph.nodes
    for name in ("inference-peak", "autograd"):
        assert again.total(name).value == traced.total(name).value
    if mode == "train":
        assert training_step(again).moments == training_step(traced).moments
