"""Modules that torch itself lacks: each is one layer of `cnnmem.layers`, without children."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnmem.model.windows import Quad

Window = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]


class PaddedConv2d(nn.Conv2d):
    """A convolution that first pads its map by `before` (left, right, top, bottom)."""

    def __init__(self, before: Quad, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before = before

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of the padded map."""
        return super().forward(F.pad(x, self.before))


class PaddedMaxPool2d(nn.MaxPool2d):
    """Max pooling that first pads its map by `before` (left, right, top, bottom)."""

    def __init__(self, before: Quad, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before = before

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled map; a padding value is never the largest."""
        return super().forward(F.pad(x, self.before, value=-torch.inf))


class PaddedAvgPool2d(nn.AvgPool2d):
    """Average pooling that first pads its map by `before` (left, right, top, bottom)."""

    def __init__(self, before: Quad, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before = before

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled map; padding zeros count as values."""
        return super().forward(F.pad(x, self.before))


class SeparableConv2d(nn.Module):
    """A depthwise convolution without bias and a 1x1 convolution, as one module."""

    def __init__(
        self, channels: int, between: int, out: int, window: Window, bias: bool, before: Quad | None
    ) -> None:
        super().__init__()
        kernel, *self.window = window
        self.before, self.channels = before, channels
        # made only for their parameters, which become this module's own: it has no children
        depthwise = nn.Conv2d(channels, between, kernel, groups=channels, bias=False)
        pointwise = nn.Conv2d(between, out, 1, bias=bias)
        self.depthwise = depthwise.weight
        self.weight, self.bias = pointwise.weight, pointwise.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the 1x1 convolution of the depthwise output."""
        if self.before is not None:
            x = F.pad(x, self.before)
        between = F.conv2d(x, self.depthwise, None, *self.window, self.channels)
        return F.conv2d(between, self.weight, self.bias)


class FlatLinear(nn.Linear):
    """A linear layer that first flattens its feature map."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, D_out) for (N, C, H, W)."""
        return super().forward(x.flatten(1))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of a map (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map, whose channels are last in memory."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Saturating(nn.Module):
    """Sigmoid or tanh, which torch's own modules do not offer in place."""

    def __init__(self, function: str, in_place: bool) -> None:
        super().__init__()
        self.function = getattr(torch, function + "_" * in_place)

    def forward(self, x: Tensor) -> Tensor:
        """Return the function applied to each value."""
        return self.function(x)


class GlobalAvgPool2d(nn.Module):
    """The mean of each channel."""

    def __init__(self, keepdims: bool) -> None:
        super().__init__()
        self.keepdims = keepdims

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C), or (N, C, 1, 1) with `keepdims`."""
        return x.mean((2, 3), keepdim=self.keepdims)


class GlobalMaxPool2d(GlobalAvgPool2d):
    """The largest value of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C), or (N, C, 1, 1) with `keepdims`."""
        largest = F.adaptive_max_pool2d(x, 1)
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

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return a new tensor with all channels."""
        return torch.cat(inputs, dim=1)


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
