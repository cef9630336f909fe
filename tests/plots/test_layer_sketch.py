"""A drawn layer shows what the layer reads and writes, and stays inside its frame."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from drawn_frames import check_frame, check_texts
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnmem.charts import svg
from cnnmem.charts.marks import Box, Dots, Frame, Line, Text
from cnnmem.model.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Shape,
)
from cnnmem.plots import LayerSketch
from cnnmem.plots.layer_marks import _drawn
from cnnmem.plots.spans import spans

LAYERS: list[tuple[Layer, Shape]] = [
    (Conv2d(8, 3, 2, 1), (7, 7, 4)),
    (Conv2d(8, (3, 5), 1, "same", 2, groups=2), (12, 9, 6)),
    (Conv2d(64, 7, 2, 3), (224, 224, 3)),
    (DepthwiseConv2d(3, multiplier=2), (6, 6, 5)),
    (MaxPool2d(3, 2), (8, 8, 64)),
    (AvgPool2d(2), (4, 4, 1)),
    (BatchNorm(), (8, 8, 64)),
    (ReLU(), (3, 3, 2)),
    (Linear(10), (7, 7, 512)),
    (Linear(1000), (4096,)),
    (Linear(3, bias=False), (2,)),
]
SKETCHES = [
    LayerSketch(f"{layer.kind} <&>", layer, shape, at=7, channel=3) for layer, shape in LAYERS
]


@pytest.mark.parametrize("sketch", SKETCHES, ids=lambda s: s.title)
def test_a_sketch_is_xml_with_alt_text_and_stays_inside_its_frame(sketch: LayerSketch) -> None:
    for height in (340, 400):
        check_frame(sketch, 960, height)


@pytest.mark.parametrize("sketch", SKETCHES, ids=lambda s: s.title)
def test_no_text_is_clipped(sketch: LayerSketch) -> None:
    check_texts(sketch)


@pytest.mark.parametrize("sketch", SKETCHES, ids=lambda s: s.title)
def test_matplotlib_draws_the_same_marks(sketch: LayerSketch, tmp_path: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    from cnnmem.charts import mpl

    ax = mpl.plot(sketch, Figure().add_subplot())
    marks = sketch.marks(Frame()).marks
    assert [t.get_text() for t in ax.texts] == [m.text for m in marks if isinstance(m, Text)]
    assert len(ax.lines) == len([m for m in marks if isinstance(m, Line)])
    boxes = [p for p in ax.patches if isinstance(p, Rectangle)]
    assert len(boxes) == len([m for m in marks if isinstance(m, Box)])
    for path in (tmp_path / "a.svg", tmp_path / "b.svg"):
        mpl.save(sketch, path)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@st.composite
def windows(draw: st.DrawFn) -> tuple[Conv2d, Shape]:
    padding = draw(st.sampled_from([0, 1, 3, (0, 1, 2, 0), "same"]))
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    layer = Conv2d(4, kernel, stride, padding, dilation, groups=2)
    return layer, (draw(st.integers(8, 14)), draw(st.integers(8, 14)), 6)


@settings(max_examples=60, deadline=None)
@given(windows(), st.integers(0, 500), st.integers(0, 9))
def test_the_window_reads_what_torch_reads(
    case: tuple[Conv2d, Shape], at: int, channel: int
) -> None:
    """The gradient of one output value is nonzero where the window reads."""
    import torch

    from cnnmem import Network
    from cnnmem.frameworks import pytorch

    layer, shape = case
    sketch = LayerSketch("one", layer, shape, at, channel)
    h, w, c = shape
    image = torch.zeros(1, c, h, w, requires_grad=True)
    module = pytorch.build(Network.chain("one", {"conv": layer}, shape))
    for weights in module.parameters():
        torch.nn.init.ones_(weights)
    row, column = sketch.place
    module(image)[0, sketch.out_channel, row, column].backward()
    assert image.grad is not None
    read = {tuple(place) for place in image.grad[0].nonzero().tolist()}
    (rows, columns) = sketch.spans
    expected = {
        (k, y - rows.before, x - columns.before)
        for k, y, x in itertools.product(sketch.seen, rows.taps(row), columns.taps(column))
        if 0 <= y - rows.before < h and 0 <= x - columns.before < w
    }
    assert read == expected


@settings(max_examples=40, deadline=None)
@given(windows())
def test_no_window_reaches_the_unread_places(case: tuple[Conv2d, Shape]) -> None:
    layer, shape = case
    for span in spans(layer, shape):
        reached = {tap for i in range(span.out) for tap in span.taps(i)}
        assert span.padded - span.unread == max(reached) + 1


def test_text_and_alt_text_describe_the_window() -> None:
    sketch = LayerSketch("Pool", MaxPool2d(3, 2), (8, 8, 64), at=4, channel=70)
    lines = sketch.text().splitlines()
    assert [line[:15] for line in lines[3:6]] == ["o o # # # o o x"] * 3
    assert lines[8] == "x x x x x x x x"
    assert sum(line.count("#") for line in lines) == 10  # nine read, one written
    assert sketch.alt == (
        "Pool: 8 x 8 x 64 becomes 3 x 3 x 64. Output row 1, column 1 reads rows 2 to 4 and "
        "columns 2 to 4, in 1 of 64 channels. No window reaches the last 1 row and 1 column."
    )
    assert sketch.out_channel == 6
    assert sketch.seen == range(6, 7)


def test_the_drawn_boxes_carry_shapes_and_the_window() -> None:
    drawing = svg.draw(LayerSketch("one", Conv2d(8, 3, 2, 1), (7, 7, 4), at=5))
    boxes = {bar["name"]: bar["values"] for bar in svg.bars(drawing)}
    assert boxes == {
        "padded": (9, 9),
        "input": (7, 7, 4),
        "window": (2, 4, 2, 4),
        "output": (4, 4, 8),
        "value": (1, 1),
    }


def test_dots_mark_every_position_if_there_is_room() -> None:
    sketch = LayerSketch("one", Conv2d(8, 3, 2, 1), (7, 7, 4))
    (dots,) = [m for m in sketch.marks(Frame(960, 340)).marks if isinstance(m, Dots)]
    assert len(dots.points) == 16
    crowded = LayerSketch("one", Conv2d(8, 3, 1, 1), (224, 224, 4))
    assert not [m for m in crowded.marks(Frame(960, 340)).marks if isinstance(m, Dots)]


@pytest.mark.parametrize("count", [1, 2, 13, 14, 15, 40, 4096])
def test_the_first_the_last_and_the_chosen_value_are_drawn(count: int) -> None:
    for here in {0, 5, 11, 12, 13, count // 2, count - 2, count - 1} & set(range(count)):
        shown = _drawn(count, here)
        numbers = [i for i in shown if i is not None]
        assert len(shown) <= 14
        assert {0, here, count - 1} <= set(numbers)
        assert numbers == sorted(set(numbers))
        for a, b in itertools.pairwise(shown):  # a gap only where numbers are left out
            if a is not None and b is not None:
                assert b == a + 1
