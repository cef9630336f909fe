"""The axes of a window, and the places of the padded map that it reads."""

from __future__ import annotations

from typing import Any, NamedTuple

from cnnmem.model.layers import Shape
from cnnmem.model.windows import pad_sides, same_sides


class Span(NamedTuple):
    """One axis of a window: map, padding before and after, kernel, stride, dilation, output."""

    size: int
    before: int
    after: int
    kernel: int
    stride: int
    dilation: int
    out: int

    @property
    def padded(self) -> int:
        """The length of the padded map."""
        return self.before + self.size + self.after

    @property
    def unread(self) -> int:
        """How many places at the end of the padded map no window reaches."""
        reach = (self.out - 1) * self.stride + self.dilation * (self.kernel - 1) + 1
        return max(self.padded - reach, 0)

    def taps(self, index: int) -> list[int]:
        """Return the places of the padded map that the window reads for an output index."""
        return [index * self.stride + i * self.dilation for i in range(self.kernel)]


def spans(layer: Any, shape: Shape) -> tuple[Span, Span]:
    """Return both axes of a layer with a window, height first.

    >>> from cnnmem.model.layers import Conv2d
    >>> spans(Conv2d(8, 3, stride=2, padding="same"), (6, 5, 3))[0]
    Span(size=6, before=0, after=1, kernel=3, stride=2, dilation=1, out=3)
    """
    sides = pad_sides(layer.padding)
    found = []
    for axis, out in enumerate(layer.output_shape(shape)[:2]):
        kernel, stride, dilation = layer.kernel[axis], layer.stride[axis], layer.dilation[axis]
        if sides is None:  # "same": TensorFlow and PyTorch both put the odd place after the map
            before, after = same_sides(shape[axis], kernel, stride, dilation)
        else:
            before, after = sides[2 * axis : 2 * axis + 2]
        found.append(Span(shape[axis], before, after, kernel, stride, dilation, out))
    return found[0], found[1]


def range_text(places: list[int]) -> str:
    """Return places in words.

    >>> range_text([4]), range_text([2, 3, 4]), range_text([2, 4, 6])
    ('4', '2 to 4', '2 to 6 in steps of 2')
    """
    if len(places) == 1:
        return str(places[0])
    step = places[1] - places[0]
    return f"{places[0]} to {places[-1]}" + (f" in steps of {step}" if step > 1 else "")
