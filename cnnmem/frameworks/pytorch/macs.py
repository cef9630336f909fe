"""Multiply-accumulates of aten operations, forward and backward, and which have no formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

aten = torch.ops.aten


class Work(NamedTuple):
    """The multiply-accumulates of one operation, in forward and in backward."""

    forward: int
    backward: int


def _product(a: Tensor, b: Tensor, forward: int) -> Work:
    """Return a product's work: each operand's gradient is one more product of the same size."""
    return Work(forward, forward * (a.requires_grad + b.requires_grad))


def _mm(a: Tensor, b: Tensor, *_: Any) -> Work:
    # the sum runs over the last axis of `a`; `b` is a matrix, a batch of matrices or a vector
    columns = b.shape[-1] if b.dim() > 1 else 1
    return _product(a, b, math.prod(a.shape) * columns)


def _add_mm(_: Tensor, a: Tensor, b: Tensor, *__: Any) -> Work:
    return _mm(a, b)


def _convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    *_: Any,
    output: Tensor,
) -> Work:
    # each position of the output (of the input if transposed) uses every weight once, groups or not
    positions = x.shape if transposed else output.shape
    return _product(x, weight, x.shape[0] * math.prod(positions[2:]) * math.prod(weight.shape))


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any) -> Work:
    *batch, length, depth = query.shape
    scores = math.prod(batch) * length * key.shape[-2]
    forward = scores * (depth + value.shape[-1])
    needs = query.requires_grad or key.requires_grad or value.requires_grad
    # backward recomputes the scores, then does four products: for the gradients of value, scores,
    # query and key (sdpa_backward_flop_count in torch/utils/flop_counter.py)
    return Work(forward, scores * (3 * depth + 2 * value.shape[-1]) if needs else 0)


def _lstm(x: Tensor, *weights_and_more: Any) -> Work:
    # (T, N, D_in) with the matrices of the four gates: each is used once per step and sequence
    from_input, from_state = weights_and_more[:2]
    forward = x.shape[0] * x.shape[1] * (from_input.numel() + from_state.numel())
    needs = x.requires_grad or from_input.requires_grad
    # backward multiplies each matrix by a gradient, and makes the matrix' own gradient
    return Work(forward, forward * (1 + from_input.requires_grad) if needs else 0)


PRODUCTS: dict[Any, Callable[..., Work]] = {
    aten.mm: _mm,
    aten.bmm: _mm,
    aten.mv: _mm,
    aten.dot: _mm,
    aten.vdot: _mm,
    aten.addmm: _add_mm,
    aten.addmv: _add_mm,
    aten.baddbmm: _add_mm,
    aten.addbmm: _add_mm,
    aten.mkldnn_rnn_layer: _lstm,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention: _attention,
    aten._scaled_dot_product_efficient_attention: _attention,
    aten._scaled_dot_product_cudnn_attention: _attention,
    aten._scaled_dot_product_fused_attention_overrideable: _attention,
}

# Operations that keep a workspace whose size their fake version does not know.
INEXACT = {aten.mkldnn_rnn_layer, aten._cudnn_rnn, aten.miopen_rnn, aten._embedding_bag}

# aten operations without a convolution or matrix product.
_PLAIN = """
    native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
    _batch_norm_with_update _batch_norm_no_update cudnn_batch_norm batch_norm_stats
    native_layer_norm native_group_norm _fused_rms_norm native_dropout bernoulli rand randn
    rand_like randn_like randint randperm uniform_ normal_ max_pool2d_with_indices
    max_pool3d_with_indices avg_pool2d avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d
    adaptive_max_pool2d adaptive_max_pool3d mkldnn_max_pool2d fractional_max_pool2d max_unpool2d
    _softmax _log_softmax cat stack constant_pad_nd reflection_pad1d reflection_pad2d
    reflection_pad3d replication_pad1d replication_pad2d replication_pad3d pixel_shuffle
    pixel_unshuffle channel_shuffle native_channel_shuffle roll flip repeat upsample_nearest1d
    upsample_nearest2d upsample_nearest3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d
    upsample_trilinear3d grid_sampler_2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa im2col
    col2im embedding index index_select index_put gather scatter scatter_add index_add index_copy
    masked_select masked_scatter slice_scatter select_scatter topk sort argsort max min argmax
    argmin amax amin aminmax sum mean prod var var_mean std std_mean any all norm linalg_vector_norm
    logsumexp cumsum cumprod clone copy _to_copy fill zero_ empty empty_like zeros empty_strided
    new_empty new_empty_strided new_zeros new_ones new_full full zeros_like ones ones_like full_like
    arange linspace eye scalar_tensor lift_fresh lift_fresh_copy resize_ set_ tril triu tril_indices
    one_hot triu_indices meshgrid nonzero unique equal item _local_scalar_dense _unsafe_view
    _reshape_copy _assert_async sym_size is_same_size glu weight_norm _weight_norm_interface
    repeat_interleave searchsorted bucketize isin max_pool2d split_with_sizes_copy polar
    view_as_complex view_as_real nll_loss_forward nll_loss2d_forward mse_loss celu prelu
    _prelu_kernel hardswish mish threshold gelu masked_fill log_sigmoid_forward where
    _safe_softmax unsafe_split unsafe_split_with_sizes unsafe_chunk exponential_ cauchy_ log_normal_
    geometric_ _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d
    binary_cross_entropy smooth_l1_loss huber_loss soft_margin_loss multi_margin_loss
    multilabel_margin_loss_forward _ctc_loss _profiler_record _embedding_bag
    rrelu_with_noise fused_dropout _fused_dropout multinomial histc bincount
"""
PLAIN_OPERATIONS = frozenset(_PLAIN.split())


def is_view(operation: Any) -> bool:
    """Return whether an operation's outputs are views of its inputs."""
    returns = operation._schema.returns
    return bool(returns) and all(
        r.alias_info is not None and not r.alias_info.is_write for r in returns
    )


def is_depthwise(operation: Any, args: Sequence[Any]) -> bool:
    """Return whether an operation is a convolution of each channel on its own."""
    if operation.overloadpacket is not aten.convolution:
        return False
    x, groups = args[0], args[8]
    return bool(groups > 1 and groups == x.shape[1])


def needs_no_formula(operation: Any) -> bool:
    """Return whether an operation surely contains no convolution and no matrix product."""
    name = operation.overloadpacket.__name__
    names = {name, name.rstrip("_")}  # "relu_" is "relu" in place
    if operation.namespace in ("aten", "prims") and names & PLAIN_OPERATIONS:
        return True
    if operation.namespace in ("prim", "profiler"):
        return True  # only queries a device, a layout or a size, or marks a time
    by_tag = {torch.Tag.pointwise, torch.Tag.inplace_view} & set(operation.tags)
    return bool(by_tag) or is_view(operation)


def work(operation: Any, args: Sequence[Any], kwargs: dict[str, Any], output: Any) -> Work | None:
    """Return the multiply-accumulates of an operation, or None if no formula covers it.

    >>> a, b = torch.zeros(2, 3), torch.zeros(3, 5)
    >>> work(aten.mm.default, (a, b), {}, a @ b)
    Work(forward=30, backward=0)
    """
    packet = operation.overloadpacket
    if packet is aten.convolution or packet is aten.convolution_overrideable:
        return _convolution(*args, **kwargs, output=output)
    if packet in PRODUCTS:
        return PRODUCTS[packet](*args)
    return Work(0, 0) if needs_no_formula(operation) else None
