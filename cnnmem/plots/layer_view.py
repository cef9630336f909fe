"""What a drawn layer shows: its window at one place of the output, and the channels it reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cnnmem.model.layers import Layer, Linear, Shape

from .spans import Span, spans


@dataclass(frozen=True)
class LayerView:
    """A layer on one image, with its window `at` one position of the output, and a `channel`.

    `at` counts output positions row by row from 0; `at` and `channel` wrap around at the end.
    """

    title: str
    layer: Layer
    shape: Shape
    at: int = 0
    channel: int = 0

    @cached_property
    def output(self) -> Shape:
        """The shape of the output."""
        return self.layer.output_shape(self.shape)

    @property
    def windowed(self) -> bool:
        """Whether the layer slides a window over a map."""
        return hasattr(self.layer, "kernel")

    @cached_property
    def spans(self) -> tuple[Span, Span]:
        """Both axes of the window, height first; a layer without a window reads one place each."""
        if self.windowed:
            return spans(self.layer, self.shape)
        h, w = self.shape[:2]
        return Span(h, 0, 0, 1, 1, 1, h), Span(w, 0, 0, 1, 1, 1, w)

    @cached_property
    def place(self) -> tuple[int, int]:
        """Row and column of the output value looked at."""
        rows, columns = self.output[:2]
        return divmod(self.at % (rows * columns), columns)

    @cached_property
    def out_channel(self) -> int:
        """The output channel looked at."""
        return self.channel % self.output[-1]

    @cached_property
    def seen(self) -> range:
        """The input channels behind the output channel looked at."""
        return self.layer.channels_read(self.out_channel, self.shape[-1], self.output[-1])

    @property
    def flat(self) -> bool:
        """Whether the layer reads all values as one vector."""
        return isinstance(self.layer, Linear)

    @property
    def reads(self) -> str:
        """Which input channels an output channel reads, in words."""
        channels, seen = self.shape[-1], len(self.seen)
        if seen < channels:
            return f"{seen} of {channels} channels"
        return "the one channel" if channels == 1 else f"all {channels} channels"
