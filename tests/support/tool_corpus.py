"""Modules that tools count in ways of their own: name -> (make, shape of one image).

Shapes are (C, H, W), or what stands after the batch otherwise. Where a forward is more than a
chain, a small class below writes it out.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Calls(nn.Module):
    """A module that calls a function of its children and its input."""

    def __init__(self, forward: Callable[..., Tensor], **children: nn.Module) -> None:
        super().__init__()
        self.run = forward
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


class Swish(nn.Module):
    """A hand-written activation without children."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)


class MyConv(nn.Conv2d):
    """A class of the reader's own, made from one of torch's."""


class Holder(nn.Module):
    """A parent of a module that another parent has as well."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


class Gate(nn.Module):
    """Squeeze and excitation, as torchvision writes it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)
        self.activation, self.scale = nn.SiLU(), nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.scale(self.fc2(self.activation(self.fc1(self.avgpool(x))))) * x


class UNet(nn.Module):
    """Two levels: 3x3 convolutions, a pool, a transposed convolution and a 1x1 head."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.pool = self.double(3, 64), nn.MaxPool2d(2)
        self.middle = self.double(64, 128)
        self.up = nn.ConvTranspose2d(128, 64, 2, 2)
        self.side, self.head = self.double(128, 64), nn.Conv2d(64, 2, 1)

    @staticmethod
    def double(c_in: int, c_out: int) -> nn.Sequential:
        return nn.Sequential(
            *(nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU(True)),
            *(nn.Conv2d(c_out, c_out, 3, padding=1), nn.ReLU(True)),
        )

    def forward(self, x: Tensor) -> Tensor:
        side = self.down(x)
        return self.head(self.side(torch.cat([side, self.up(self.middle(self.pool(side)))], 1)))


class SelfAttention(nn.Module):
    """torch's own attention of a sequence to itself."""

    def __init__(self, **settings: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True, **settings)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x, need_weights=False)[0]


class WrittenOut(nn.Module):
    """Attention by matrix products, as papers' code writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        weights = (q @ k.transpose(-2, -1)).softmax(-1)
        return self.proj(weights @ v)


class Fused(WrittenOut):
    """The same with torch's fused function."""

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part.unflatten(-1, (4, 4)).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Recurrent(nn.Module):
    """A recurrent layer, of which the sequence of outputs is taken."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


def after_conv(*layers: nn.Module) -> Callable[[], nn.Module]:
    """Return a maker of a convolution followed by these layers."""
    return lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), *layers)


def shared_parents() -> nn.Module:
    conv = nn.Conv2d(4, 4, 3, padding=1)
    return nn.Sequential(Holder(conv), nn.ReLU(), Holder(conv))


def tied_weights() -> nn.Module:
    first, second = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
    second.weight = first.weight
    return nn.Sequential(first, second)


MAP, ROW, VOLUME, SEQUENCE = (3, 12, 12), (4, 12), (3, 6, 8, 8), (5, 16)
Corpus = dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]]

CONVOLUTIONS: Corpus = {
    "conv": (lambda: nn.Conv2d(3, 8, 3), MAP),
    "conv without bias": (lambda: nn.Conv2d(3, 8, 3, bias=False), MAP),
    "strided, padded": (lambda: nn.Conv2d(3, 8, 5, stride=2, padding=2), MAP),
    "dilated": (lambda: nn.Conv2d(3, 8, 3, dilation=2), MAP),
    "padding same": (lambda: nn.Conv2d(3, 8, 3, padding="same"), MAP),
    "padding reflect": (lambda: nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"), MAP),
    "grouped": (lambda: nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 12, 3, groups=4)), MAP),
    "depthwise": (lambda: nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8)), MAP),
    "depthwise, multiplier": (lambda: nn.Conv2d(3, 6, 3, groups=3), MAP),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, padding=1), ROW),
    "conv1d grouped": (lambda: nn.Conv1d(4, 6, 3, groups=2), ROW),
    "conv3d": (lambda: nn.Conv3d(3, 4, 3, padding=1), VOLUME),
    "conv3d of 1 x 3 x 3": (lambda: nn.Conv3d(3, 4, (1, 3, 3)), VOLUME),
    "transposed": (lambda: nn.ConvTranspose2d(3, 1, 2, stride=2), (3, 2, 2)),
    "transposed, as many channels": (lambda: nn.ConvTranspose2d(3, 3, 3, stride=2), MAP),
    "transposed, grouped": (lambda: nn.ConvTranspose2d(4, 6, 3, 2, groups=2), (4, 6, 6)),
    "transposed, depthwise": (lambda: nn.ConvTranspose2d(4, 4, 3, 2, groups=4), (4, 6, 6)),
    "transposed, dilated": (lambda: nn.ConvTranspose2d(3, 5, 3, 2, 1, 1, dilation=2), MAP),
    "transposed without bias": (lambda: nn.ConvTranspose2d(3, 5, 4, 2, 1, bias=False), MAP),
    "transposed 1d": (lambda: nn.ConvTranspose1d(4, 6, 4, 2, 1), ROW),
    "transposed 3d": (lambda: nn.ConvTranspose3d(3, 4, 2, 2), VOLUME),
    "functional conv": (
        lambda: Calls(lambda m, x: F.conv2d(x, m.a.weight, m.a.bias), a=nn.Conv2d(3, 8, 3)),
        MAP,
    ),
    "own class of convolution": (lambda: nn.Sequential(MyConv(3, 8, 3), nn.ReLU()), MAP),
    "weight norm": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3)), nn.ReLU()),
        MAP,
    ),
}
LINEAR: Corpus = {
    "linear": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(432, 10)), MAP),
    "linear without bias": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(432, 5, False)), MAP),
    "linear of tokens": (lambda: nn.Linear(16, 8), SEQUENCE),
    "functional linear": (
        lambda: Calls(lambda m, x: F.linear(x, m.a.weight, m.a.bias), a=nn.Linear(16, 8)),
        SEQUENCE,
    ),
    "bilinear": (lambda: Calls(lambda m, x: m.a(x, x), a=nn.Bilinear(16, 16, 4)), SEQUENCE),
    "embedding": (
        lambda: Calls(lambda m, x: m.a((x > 0).long()), a=nn.Embedding(10, 8)),
        (5,),
    ),
}
UPSAMPLINGS: Corpus = {
    "nearest": (lambda: nn.Upsample(scale_factor=2), MAP),
    "nearest to a size": (lambda: nn.Upsample(size=(20, 18)), MAP),
    "bilinear up": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), MAP),
    "bicubic": (lambda: nn.Upsample(scale_factor=2, mode="bicubic"), MAP),
    "linear up": (lambda: nn.Upsample(scale_factor=2, mode="linear"), ROW),
    "nearest 1d": (lambda: nn.Upsample(scale_factor=2), ROW),
    "trilinear": (lambda: nn.Upsample(scale_factor=2, mode="trilinear"), VOLUME),
    "nearest 3d": (lambda: nn.Upsample(scale_factor=2), VOLUME),
    "UpsamplingNearest2d": (lambda: nn.UpsamplingNearest2d(scale_factor=2), MAP),
    "UpsamplingBilinear2d": (lambda: nn.UpsamplingBilinear2d(scale_factor=2), MAP),
    "up-sampling by 1.5": (lambda: nn.Upsample(scale_factor=1.5), MAP),
    "interpolate": (lambda: Calls(lambda m, x: F.interpolate(x, scale_factor=2)), MAP),
    "interpolate bilinear": (
        lambda: Calls(lambda m, x: F.interpolate(x, size=(7, 7), mode="bilinear")),
        MAP,
    ),
    "pixel shuffle": (lambda: nn.Sequential(nn.Conv2d(3, 12, 1), nn.PixelShuffle(2)), MAP),
    "pixel unshuffle": (lambda: nn.PixelUnshuffle(2), MAP),
}
POOLINGS: Corpus = {
    "max pool": (lambda: nn.MaxPool2d(2), MAP),
    "max pool, overlapping": (lambda: nn.MaxPool2d(3, 2, 1), MAP),
    "max pool 1d": (lambda: nn.MaxPool1d(2), ROW),
    "max pool 3d": (lambda: nn.MaxPool3d(2), VOLUME),
    "avg pool": (lambda: nn.AvgPool2d(2), MAP),
    "avg pool, overlapping": (lambda: nn.AvgPool2d(3, 2, 1), MAP),
    "avg pool 1d": (lambda: nn.AvgPool1d(2), ROW),
    "avg pool 3d": (lambda: nn.AvgPool3d(2), VOLUME),
    "adaptive avg pool": (lambda: nn.AdaptiveAvgPool2d(1), MAP),
    "adaptive avg pool to 5 x 5": (lambda: nn.AdaptiveAvgPool2d(5), MAP),
    "adaptive avg pool to 7 x 3": (lambda: nn.AdaptiveAvgPool2d((7, 3)), (3, 10, 11)),
    "adaptive avg pool 1d": (lambda: nn.AdaptiveAvgPool1d(5), ROW),
    "adaptive avg pool 3d": (lambda: nn.AdaptiveAvgPool3d(3), VOLUME),
    "adaptive max pool": (lambda: nn.AdaptiveMaxPool2d(3), MAP),
    "adaptive max pool to 1": (lambda: nn.AdaptiveMaxPool2d(1), MAP),
    "adaptive max pool 1d": (lambda: nn.AdaptiveMaxPool1d(4), ROW),
    "adaptive max pool 3d": (lambda: nn.AdaptiveMaxPool3d(2), VOLUME),
    "Lp pool": (lambda: nn.LPPool2d(2, 3), MAP),
    "fractional max pool": (lambda: nn.FractionalMaxPool2d(2, output_size=5), MAP),
    "functional max pool": (lambda: Calls(lambda m, x: F.max_pool2d(x, 2)), MAP),
    "functional avg pool": (lambda: Calls(lambda m, x: F.avg_pool2d(x, 2)), MAP),
    "functional adaptive pool": (lambda: Calls(lambda m, x: F.adaptive_avg_pool2d(x, 1)), MAP),
    "mean": (lambda: Calls(lambda m, x: x.mean((2, 3))), MAP),
    "mean kept": (lambda: Calls(lambda m, x: torch.mean(x, (2, 3), keepdim=True)), MAP),
    "amax": (lambda: Calls(lambda m, x: x.amax((2, 3))), MAP),
}
_ACTIVATIONS: tuple[Callable[[], nn.Module], ...] = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU),
    *(nn.SiLU, nn.Mish, nn.Sigmoid, nn.Tanh, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh),
    *(nn.LogSigmoid, nn.Softplus, nn.Softsign, nn.Softshrink, nn.Hardshrink, nn.Tanhshrink),
)
ACTIVATIONS: Corpus = {
    **{each.__name__: (each, MAP) for each in _ACTIVATIONS},  # type: ignore[attr-defined]
    "ReLU in place": (after_conv(nn.ReLU(inplace=True)), MAP),
    "ReLU6 in place": (after_conv(nn.ReLU6(inplace=True)), MAP),
    "PReLU, a slope a channel": (lambda: nn.PReLU(3), MAP),
    "Threshold": (lambda: nn.Threshold(0.1, 20.0), MAP),
    "GLU": (lambda: nn.GLU(1), (4, 6, 6)),
    "Softmax": (lambda: nn.Softmax(1), (10,)),
    "Softmax over width": (lambda: nn.Softmax(3), MAP),
    "Softmax2d": (nn.Softmax2d, MAP),
    "LogSoftmax": (lambda: nn.LogSoftmax(1), (10,)),
    "F.relu": (lambda: Calls(lambda m, x: F.relu(x)), MAP),
    "torch.relu": (lambda: Calls(lambda m, x: torch.relu(x)), MAP),
    "Tensor.relu": (lambda: Calls(lambda m, x: x.relu()), MAP),
    "F.relu6": (lambda: Calls(lambda m, x: F.relu6(x)), MAP),
    "F.gelu": (lambda: Calls(lambda m, x: F.gelu(x)), MAP),
    "F.silu": (lambda: Calls(lambda m, x: F.silu(x)), MAP),
    "F.elu": (lambda: Calls(lambda m, x: F.elu(x)), MAP),
    "F.leaky_relu": (lambda: Calls(lambda m, x: F.leaky_relu(x)), MAP),
    "F.softmax": (lambda: Calls(lambda m, x: F.softmax(x, 1)), MAP),
    "torch.softmax": (lambda: Calls(lambda m, x: torch.softmax(x, 1)), MAP),
    "F.hardtanh of 0 to 6": (lambda: Calls(lambda m, x: F.hardtanh(x, 0.0, 6.0)), MAP),
    "sigmoid, tanh": (lambda: Calls(lambda m, x: torch.sigmoid(x) - x.tanh()), MAP),
    "own activation": (after_conv(Swish()), MAP),
    "dropout": (after_conv(nn.Dropout(0.5)), MAP),
    "dropout2d": (after_conv(nn.Dropout2d(0.5)), MAP),
}
NORMALISATIONS: Corpus = {
    "batch norm": (after_conv(nn.BatchNorm2d(8)), MAP),
    "batch norm, not affine": (after_conv(nn.BatchNorm2d(8, affine=False)), MAP),
    "batch norm of the batch": (after_conv(nn.BatchNorm2d(8, track_running_stats=False)), MAP),
    "batch norm 1d": (lambda: nn.Sequential(nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6)), ROW),
    "batch norm 3d": (lambda: nn.BatchNorm3d(3), VOLUME),
    "batch norm of vectors": (lambda: nn.Sequential(nn.Linear(10, 6), nn.BatchNorm1d(6)), (10,)),
    "group norm": (after_conv(nn.GroupNorm(2, 8)), MAP),
    "group norm, not affine": (after_conv(nn.GroupNorm(2, 8, affine=False)), MAP),
    "instance norm": (after_conv(nn.InstanceNorm2d(8)), MAP),
    "instance norm, affine": (after_conv(nn.InstanceNorm2d(8, affine=True)), MAP),
    "instance norm, tracking": (after_conv(nn.InstanceNorm2d(8, track_running_stats=True)), MAP),
    "instance norm 1d": (lambda: nn.InstanceNorm1d(4, affine=True), ROW),
    "layer norm": (lambda: nn.LayerNorm(16), SEQUENCE),
    "layer norm, not affine": (lambda: nn.LayerNorm(16, elementwise_affine=False), SEQUENCE),
    "layer norm without bias": (lambda: nn.LayerNorm(16, bias=False), SEQUENCE),
    "layer norm of a map": (after_conv(nn.LayerNorm([8, 12, 12])), MAP),
    "RMS norm": (lambda: nn.RMSNorm(16), SEQUENCE),
    "local response norm": (after_conv(nn.LocalResponseNorm(5)), MAP),
    "functional layer norm": (lambda: Calls(lambda m, x: F.layer_norm(x, (16,))), SEQUENCE),
    "functional group norm": (lambda: Calls(lambda m, x: F.group_norm(x, 3)), MAP),
    "normalize": (lambda: Calls(lambda m, x: F.normalize(x)), MAP),
}
JOINED: Corpus = {
    "sum": (lambda: Calls(lambda m, x: x + m.a(x), a=nn.Conv2d(3, 3, 3, padding=1)), MAP),
    "torch.add": (lambda: Calls(lambda m, x: torch.add(x, m.a(x)), a=nn.Conv2d(3, 3, 1)), MAP),
    "sum in place": (lambda: Calls(lambda m, x: m.a(x).add_(x), a=nn.Conv2d(3, 3, 1)), MAP),
    "product": (lambda: Calls(lambda m, x: x * m.a(x), a=nn.Conv2d(3, 3, 1)), MAP),
    "torch.mul": (lambda: Calls(lambda m, x: torch.mul(x, m.a(x)), a=nn.Conv2d(3, 3, 1)), MAP),
    "times a number": (lambda: Calls(lambda m, x: 2 * x), MAP),
    "difference, quotient": (lambda: Calls(lambda m, x: (x - 1) / (x + 2)), MAP),
    "gate": (lambda: Gate(3), MAP),
    "concatenation": (
        lambda: Calls(lambda m, x: torch.cat([x, m.a(x)], 1), a=nn.Conv2d(3, 5, 1)),
        MAP,
    ),
    "padding": (lambda: nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(3, 4, 3)), MAP),
    "reflection": (lambda: nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3)), MAP),
    "functional pad": (lambda: Calls(lambda m, x: F.pad(x, (1, 1, 1, 1))), MAP),
    "views": (lambda: Calls(lambda m, x: x.flatten(2).transpose(1, 2).reshape(1, -1)), MAP),
    "channel shuffle": (lambda: nn.Sequential(nn.Conv2d(3, 8, 1), nn.ChannelShuffle(2)), MAP),
    "unfold": (lambda: nn.Unfold(3), MAP),
    "U-Net": (UNet, (3, 16, 16)),
}
SEQUENCES: Corpus = {
    "attention": (SelfAttention, SEQUENCE),
    "attention without bias": (lambda: SelfAttention(bias=False), SEQUENCE),
    "attention written out": (WrittenOut, SEQUENCE),
    "attention, fused": (Fused, SEQUENCE),
    "encoder layer": (
        lambda: nn.TransformerEncoderLayer(16, 4, 32, batch_first=True),
        SEQUENCE,
    ),
    "einsum": (lambda: Calls(lambda m, x: torch.einsum("nlc,nmc->nlm", x, x)), SEQUENCE),
    "matmul": (lambda: Calls(lambda m, x: torch.matmul(x, x.transpose(1, 2))), SEQUENCE),
    "bmm": (lambda: Calls(lambda m, x: torch.bmm(x, x.transpose(1, 2))), SEQUENCE),
    "LSTM": (lambda: Recurrent(nn.LSTM(16, 8, batch_first=True)), SEQUENCE),
    "LSTM, two layers, both ways": (
        lambda: Recurrent(nn.LSTM(16, 8, 2, batch_first=True, bidirectional=True)),
        SEQUENCE,
    ),
    "GRU": (lambda: Recurrent(nn.GRU(16, 8, batch_first=True)), SEQUENCE),
    "RNN": (lambda: Recurrent(nn.RNN(16, 8, batch_first=True)), SEQUENCE),
}
REUSED: Corpus = {
    "a convolution called three times": (
        lambda: Calls(lambda m, x: m.a(m.a(m.a(x))), a=nn.Conv2d(4, 4, 3, padding=1)),
        (4, 8, 8),
    ),
    "a linear layer called twice": (
        lambda: Calls(lambda m, x: m.a(m.a(x)), a=nn.Linear(16, 16)),
        SEQUENCE,
    ),
    "batch norm called twice": (
        lambda: Calls(lambda m, x: m.n(m.a(m.n(x))), a=nn.Conv2d(3, 3, 1), n=nn.BatchNorm2d(3)),
        MAP,
    ),
    "one ReLU for all": (
        lambda: Calls(lambda m, x: m.r(m.a(m.r(x))), a=nn.Conv2d(3, 3, 1), r=nn.ReLU()),
        MAP,
    ),
    "a module with two parents": (shared_parents, (4, 8, 8)),
    "two names in one parent": (
        lambda: (lambda conv: nn.Sequential(conv, nn.ReLU(), conv))(nn.Conv2d(4, 4, 1)),
        (4, 8, 8),
    ),
    "tied weights": (tied_weights, (4, 8, 8)),
    "a module that is never called": (
        lambda: Calls(lambda m, x: m.a(x), a=nn.Conv2d(3, 3, 1), b=nn.Conv2d(3, 3, 1)),
        MAP,
    ),
}

CORPUS: Corpus = {
    **CONVOLUTIONS,
    **LINEAR,
    **UPSAMPLINGS,
    **POOLINGS,
    **ACTIVATIONS,
    **NORMALISATIONS,
    **JOINED,
    **SEQUENCES,
    **REUSED,
}
