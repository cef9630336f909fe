"""Modules that torch itself lacks: each is one layer of `cnnmem.layers`, without children."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnmem.model.windows import Sizes

CONVS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class _Padded(nn.Module):
    """A layer with a window that first pads its map by `before`, in the order of `F.pad`."""

    before: Sizes
    value = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output for the padded map."""
        padded: Tensor = super().forward(F.pad(x, self.before, value=self.value))
        return padded


class _PaddedMax(_Padded):
    value = -torch.inf  # a padding value is never the largest


def padded(kind: Any, before: Sizes | None) -> Any:
    """Return a class of torch's, or one whose modules first pad their maps by `before`."""
    if before is None:
        return kind
    base = _PaddedMax if issubclass(kind, nn.modules.pooling._MaxPoolNd) else _Padded
    return type(f"Padded{kind.__name__}", (base, kind), {"before": before})


class SeparableConv(nn.Module):
    """A depthwise convolution without bias and one of single positions, as one module."""

    def __init__(
        self, channels: int, between: int, out: int, window: Any, bias: bool, before: Sizes | None
    ) -> None:
        super().__init__()
        kernel, *self.window = window
        self.before, self.channels = before, channels
        # made only for their parameters, which become this module's own: it has no children
        conv: Any = {1: nn.Conv1d, 2: nn.Conv2d}[len(kernel)]
        depthwise = conv(channels, between, kernel, groups=channels, bias=False)
        pointwise = conv(between, out, 1, bias=bias)
        self.depthwise = depthwise.weight
        self.weight, self.bias = pointwise.weight, pointwise.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the pointwise convolution of the depthwise output."""
        if self.before is not None:
            x = F.pad(x, self.before)
        conv = CONVS[x.dim() - 2]
        between = conv(x, self.depthwise, None, *self.window, self.channels)
        return conv(between, self.weight, self.bias)


class FlatLinear(nn.Linear):
    """A linear layer that first flattens its feature map."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, D_out) for (N, C, H, W)."""
        return super().forward(x.flatten(1))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of a map (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map, in PyTorch's usual order in memory."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1).contiguous()


class Saturating(nn.Module):
    """Sigmoid or tanh, which torch's own modules do not offer in place."""

    def __init__(self, function: str, in_place: bool) -> None:
        super().__init__()
        self.function = getattr(torch, function + "_" * in_place)

    def forward(self, x: Tensor) -> Tensor:
        """Return the function applied to each value."""
        return self.function(x)


class GlobalAvgPool(nn.Module):
    """The mean of each channel; of a sequence the channels are last."""

    def __init__(self, keepdims: bool, last: bool) -> None:
        super().__init__()
        self.keepdims, self.last = keepdims, last

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C), or (N, C, 1, 1) with `keepdims`."""
        over = (1,) if self.last else tuple(range(2, x.dim()))
        return x.mean(over, keepdim=self.keepdims)


class GlobalMaxPool(GlobalAvgPool):
    """The largest value of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C), or (N, C, 1, 1) with `keepdims`."""
        pools: dict[int, Any] = {3: F.adaptive_max_pool1d, 4: F.adaptive_max_pool2d}
        largest: Tensor = pools.get(x.dim(), F.adaptive_max_pool3d)(x, 1)
        return largest if self.keepdims else largest.flatten(1)


class Add(nn.Module):
    """The sum of its inputs; in place it overwrites the first."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        """Return the sum."""
        for other in others:
            first = first.add_(other) if self.in_place else first + other
        return first


class Multiply(nn.Module):
    """The product of two tensors, one of which may be a gate of 1 x 1 maps."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the product."""
        return a * b


class Concatenate(nn.Module):
    """Its inputs side by side along the channels."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return a new tensor with all channels."""
        return torch.cat(inputs, dim=self.dim)


class StochasticDepth(nn.Module):
    """Leaves a residual branch out for some of the images, in training."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return x, or in training x times a mask of one value per image."""
        if not (self.training and self.p):
            return x
        mask = torch.empty((len(x), *[1] * (x.dim() - 1)), dtype=x.dtype, device=x.device)
        return x * mask.bernoulli_(1 - self.p).div_(1 - self.p)


class DotProductAttention(nn.Module):
    """Attention of queries to keys and values (N, heads, L, D)."""

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return the values' means, weighted by how well each key fits a query."""
        return F.scaled_dot_product_attention(queries, keys, values)


class MultiheadAttention(nn.Module):
    """Multi-head attention of sequences (N, L, C), which gives no weights."""

    def __init__(self, sizes: tuple[int, int, int], width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        # made only for their parameters, which become this module's own: it has no children
        for name, size in zip(("query", "key", "value"), sizes, strict=True):
            self._take(name, nn.Linear(size, width, bias))
        self._take("out", nn.Linear(width, sizes[0], bias))

    def _take(self, name: str, linear: nn.Linear) -> None:
        self.register_parameter(f"{name}_weight", linear.weight)
        self.register_parameter(f"{name}_bias", linear.bias)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias"))

    def _heads(self, name: str, x: Tensor) -> Tensor:
        return self._linear(name, x).unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(
        self, queries: Tensor, keys: Tensor | None = None, values: Tensor | None = None
    ) -> Tensor:
        """Return a sequence like the queries."""
        keys = queries if keys is None else keys
        values = keys if values is None else values
        found = F.scaled_dot_product_attention(
            self._heads("query", queries), self._heads("key", keys), self._heads("value", values)
        )
        return self._linear("out", found.transpose(1, 2).flatten(2))


class _Output(nn.Module):
    """A recurrent layer that gives its output and not its states."""

    last: bool

    def forward(self, x: Tensor) -> Tensor:
        """Return the output (N, L, D) of every step, or (N, D) of the last."""
        output: Tensor = super().forward(x)[0]
        return output[:, -1] if self.last else output


def recurrent(kind: Any, last: bool) -> Any:
    """Return a class like torch's `kind` whose modules give one tensor."""
    return type(f"{kind.__name__}Output", (_Output, kind), {"last": last})
