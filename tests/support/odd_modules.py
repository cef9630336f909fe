"""Small modules that use torch in its less usual ways: `ODD` gives each a maker and its input."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint


class Fn(nn.Module):
    """A forward given as a function of the parts and the input."""

    def __init__(self, function, *parts):
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, x):
        return self.function(*self.parts, x)


def after_conv(*layers):
    """Make a chain after a convolution, so that a gradient reaches the layers' input."""
    return lambda: nn.Sequential(nn.Conv2d(3, 8, 3), *layers)


def fn(function, *parts):
    return lambda: Fn(function, *parts)


def _frozen():
    module = nn.Sequential(
        *(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Flatten()),
        nn.Linear(8 * 16, 4),
    )
    for parameter in list(module.parameters())[:3]:
        parameter.requires_grad_(False)
    return module


def _written_over(conv, x):
    y = conv(x)
    y.add_(1)
    y.mul_(x)
    y[:, :2].mul_(2)
    return y


def _assigned(conv, x):
    y = conv(x)
    y[:, :1] = x.mean(1, keepdim=True)
    y[..., 0] += 1
    return y


def _arithmetic(conv, x):
    y = torch.cat([conv(x).chunk(2, 1)[0] * 2 + 1, conv(x)[:, :4].abs().sqrt() / 3], 1)
    return y.mean(1).pow(2).sum(-1).exp().log().clamp(0, 1)


def _without_gradient(first, second, x):
    with torch.no_grad():
        y = first(x)
    return second(y) + first(x.detach())


def _thrown_away(first, second, x):
    first(x)
    return second(x)


def _squeezed(conv, gate, x):
    y = conv(x)
    return y * torch.sigmoid(gate(y.mean((2, 3), keepdim=True)))


def _normed_weight(conv, x):
    weight = conv.weight
    return F.conv2d(x, (weight - weight.mean()) / weight.std())


def _sequence_of_a_map(conv, norm, x):
    y = norm(conv(x).permute(0, 2, 3, 1))
    return y.permute(0, 3, 1, 2).contiguous().view(2, -1)


def _resized(conv, x):
    wide = F.interpolate(conv(x), scale_factor=2)[..., :8, :8]
    return wide + F.interpolate(conv(x), size=x.shape[-2:], mode="bilinear", align_corners=False)


def _masked(linear, x):
    y = linear(x)
    return torch.where(y > 0, x, y).masked_fill(x > 1, 0.0) * torch.arange(8.0)


def _shifted_windows(norm, x):
    y = torch.roll(norm(x), (1, 1), (1, 2)).view(2, 2, 4, 2, 4, 8)
    return y.permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, 8).softmax(-1)


def _summed(conv, x):
    y = conv(x)
    return y.amax((2, 3)) + y.var(1).flatten(1).sum(-1, keepdim=True) + y.norm() + y.std()


def _gathered(linear, x):
    y = linear(x)
    values, places = y.topk(3)
    return values + y.gather(1, places) + y[:, torch.tensor([0, 2, 2])] + y.sort(-1)[0][:, :3]


def _spectrum(conv, x):
    return torch.fft.irfft2(torch.fft.rfft2(conv(x)) * 2, s=x.shape[-2:])


def _attended(linear, x):
    q, k, v = linear(x).chunk(3, -1)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def _attended_by_hand(linear, x):
    q, k, v = linear(x).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4).unbind(0)
    return ((q @ k.transpose(-2, -1)) * 0.5).softmax(-1) @ v


def _sampled(conv, x):
    grid = F.affine_grid(torch.eye(2, 3).repeat(2, 1, 1), [2, 3, 5, 5], align_corners=False)
    return F.grid_sample(conv(x), grid, align_corners=False)


def _pooled_part(linear, x):
    q, k = linear(x).unflatten(-1, (2, 4)).unbind(-2)
    return F.max_pool2d(q.permute(0, 3, 1, 2), 2).flatten(2).mean(-1) + k.mean((1, 2))


def _hooked():
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    module[0].register_forward_hook(lambda part, args, output: output.sigmoid() * 2)
    return module


def _by_name(linear, x):
    return linear.weight.to(x.dtype).T @ linear(x).data.T + torch.addmv(x[0], linear.weight, x[1])


IMAGE, ROW, WORDS = (2, 3, 9, 9), (2, 8), torch.zeros(2, 3, dtype=torch.long)

ODD = {
    "an LSTM": (lambda: nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True), (2, 3, 4)),
    "a GRU": (lambda: nn.GRU(4, 5), (3, 2, 4)),
    "one axis": (
        lambda: nn.Sequential(
            *(nn.Conv1d(3, 8, 3, padding=1), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2)),
            *(nn.AvgPool1d(2), nn.AdaptiveAvgPool1d(3), nn.ConvTranspose1d(8, 2, 3)),
        ),
        (2, 3, 16),
    ),
    "three axes": (
        lambda: nn.Sequential(
            *(nn.Conv3d(3, 8, 3), nn.BatchNorm3d(8), nn.ELU(), nn.MaxPool3d(2)),
            *(nn.AdaptiveAvgPool3d(1), nn.Flatten()),
        ),
        (2, 3, 8, 8, 8),
    ),
    "larger maps": (
        after_conv(
            *(nn.ConvTranspose2d(8, 4, 2, 2), nn.InstanceNorm2d(4, affine=True)),
            *(nn.GroupNorm(2, 4), nn.PReLU(), nn.Upsample(scale_factor=2, mode="bilinear")),
            *(nn.PixelShuffle(2), nn.PixelUnshuffle(2), nn.UpsamplingNearest2d(scale_factor=3)),
        ),
        IMAGE,
    ),
    "normalisations": (
        after_conv(nn.LayerNorm([8, 7, 7]), nn.LocalResponseNorm(3), nn.RMSNorm(7)),
        IMAGE,
    ),
    "activations": (
        after_conv(
            *(nn.LeakyReLU(), nn.ELU(), nn.SELU(), nn.CELU(), nn.Mish(), nn.Softplus()),
            *(nn.Hardtanh(), nn.Hardsigmoid(), nn.Hardswish(), nn.SiLU(), nn.GELU(), nn.Sigmoid()),
            *(nn.Tanh(), nn.LogSigmoid(), nn.Softsign(), nn.Tanhshrink(), nn.Softshrink()),
            *(nn.Hardshrink(), nn.Threshold(0.1, 0), nn.GLU(1), nn.Softmax(1), nn.LogSoftmax(1)),
        ),
        IMAGE,
    ),
    "activations in place": (
        after_conv(
            *(nn.LeakyReLU(inplace=True), nn.ELU(inplace=True), nn.SiLU(True), nn.Hardswish(True)),
            *(nn.ReLU6(True), nn.Mish(True), nn.Hardsigmoid(True), nn.CELU(inplace=True)),
            *(nn.SELU(True), nn.Dropout(0.3, True), nn.Dropout2d(0.2), nn.Threshold(0.1, 0, True)),
            nn.RReLU(inplace=True),
        ),
        IMAGE,
    ),
    "padding": (
        lambda: nn.Sequential(
            *(nn.ZeroPad2d(1), nn.ReflectionPad2d(1), nn.ReplicationPad2d(1)),
            nn.Conv2d(3, 8, 3, padding="same", padding_mode="reflect"),
            *(nn.ConstantPad2d(1, 2.0), nn.CircularPad2d(1)),
        ),
        IMAGE,
    ),
    "pooling": (
        after_conv(
            *(nn.AdaptiveMaxPool2d(5), nn.LPPool2d(2, 2), nn.FractionalMaxPool2d(2, output_size=1)),
        ),
        (2, 3, 12, 12),
    ),
    "convolutions": (
        lambda: nn.Sequential(
            *(nn.Conv2d(3, 8, 4, padding="same"), nn.Conv2d(8, 16, 3, groups=8, stride=2)),
            nn.Conv2d(16, 8, (3, 5), padding=(1, 2), groups=4),
        ),
        IMAGE,
    ),
    "channels last": (
        lambda: after_conv(
            *(nn.BatchNorm2d(8), nn.GroupNorm(2, 8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        )().to(memory_format=torch.channels_last),
        IMAGE,
    ),
    "unpooling": (
        fn(
            lambda pool, unpool, x: unpool(*pool(x)),
            *(nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)),
        ),
        (2, 3, 8, 8),
    ),
    "attention": (
        fn(lambda heads, x: heads(x, x, x)[0], nn.MultiheadAttention(8, 2, batch_first=True)),
        (2, 5, 8),
    ),
    "attention as a function": (fn(_attended, nn.Linear(8, 24)), (2, 1, 5, 8)),
    "attention by hand": (fn(_attended_by_hand, nn.Linear(8, 24)), (2, 5, 8)),
    "a transformer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    "windows": (fn(_shifted_windows, nn.LayerNorm(8)), (2, 8, 8, 8)),
    "arithmetic": (fn(_arithmetic, nn.Conv2d(3, 8, 3)), (2, 3, 8, 8)),
    "reductions": (fn(_summed, nn.Conv2d(3, 8, 3)), (2, 3, 8, 8)),
    "selection": (fn(_gathered, nn.Linear(8, 8)), ROW),
    "a Fourier transform": (fn(_spectrum, nn.Conv2d(3, 8, 3, padding=1)), (2, 3, 8, 8)),
    "sampling": (fn(_sampled, nn.Conv2d(3, 3, 1)), (2, 3, 8, 8)),
    "a tensor written over": (fn(_written_over, nn.Conv2d(3, 3, 1)), (2, 3, 8, 8)),
    "a tensor assigned to": (fn(_assigned, nn.Conv2d(3, 3, 1)), (2, 3, 8, 8)),
    "no_grad": (fn(_without_gradient, nn.Linear(8, 8), nn.Linear(8, 8)), ROW),
    "detach": (
        fn(lambda a, b, x: b(a(x).detach()), nn.Linear(8, 8), nn.Linear(8, 8)),
        ROW,
    ),
    "a result thrown away": (fn(_thrown_away, nn.Linear(8, 8), nn.Linear(8, 8)), ROW),
    "einsum": (
        fn(lambda a, x: torch.einsum("bij,bkj->bik", a(x), x) @ x, nn.Linear(8, 8)),
        (2, 8, 8),
    ),
    "a weight computed": (fn(_normed_weight, nn.Conv2d(3, 8, 3)), (2, 3, 8, 8)),
    "channels moved": (
        fn(_sequence_of_a_map, nn.Conv2d(3, 8, 3), nn.LayerNorm(8)),
        (2, 3, 8, 8),
    ),
    "channels shuffled": (after_conv(nn.ChannelShuffle(2), nn.Unfold(2)), (2, 3, 8, 8)),
    "a gate": (fn(_squeezed, nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 1)), (2, 3, 8, 8)),
    "a split": (
        fn(
            lambda conv, x: torch.stack([y.relu() for y in conv(x).split(4, 1)], 1).flatten(1),
            nn.Conv2d(3, 8, 3),
        ),
        (2, 3, 8, 8),
    ),
    "spectral norm": (
        lambda: parametrizations.spectral_norm(nn.Conv2d(3, 8, 3)),
        (2, 3, 8, 8),
    ),
    "weight norm": (lambda: parametrizations.weight_norm(nn.Conv2d(3, 8, 3)), (2, 3, 8, 8)),
    "a mask": (fn(_masked, nn.Linear(8, 8)), ROW),
    "interpolation": (
        fn(_resized, nn.Conv2d(3, 8, 3, stride=2, padding=1)),
        (2, 3, 8, 8),
    ),
    "frozen parameters": (_frozen, (2, 3, 8, 8)),
    "bags of embeddings": (lambda: nn.EmbeddingBag(10, 4), WORDS),
    "embeddings": (lambda: nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 4)), WORDS),
    "a bilinear layer": (fn(lambda layer, x: layer(x, x), nn.Bilinear(8, 8, 3)), ROW),
    "a checkpoint": (
        fn(
            lambda part, x: checkpoint(part, x, use_reentrant=False),
            nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)),
        ),
        ROW,
    ),
    "tied weights": (fn(lambda a, x: F.linear(a(x), a.weight), nn.Linear(8, 8)), ROW),
    "a part of a function thrown away": (
        fn(lambda linear, x: F.gumbel_softmax(linear(x), hard=True), nn.Linear(8, 8)),
        ROW,
    ),
    "a pooled part of a tensor": (fn(_pooled_part, nn.Linear(8, 8)), (2, 8, 8, 8)),
    "a forward hook": (_hooked, ROW),
    "parameters as they are": (fn(_by_name, nn.Linear(8, 8)), (8, 8)),
    "a dropout of nothing": (
        lambda: nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.0, inplace=True), nn.Dropout(0.0)),
        ROW,
    ),
    "depthwise on three axes": (
        lambda: nn.Conv3d(4, 4, 3, groups=4),
        (2, 4, 5, 5, 5),
    ),
}
