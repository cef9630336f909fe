"""Multiplications and additions, counted while they are done and compared with torch."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnmem import CnnmemError, Network, ShapeError, summary
from cnnmem.count.explain import formulas
from cnnmem.frameworks import pytorch
from cnnmem.model.layers import (
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    Linear,
    MaxPool2d,
    Multiply,
    ReLU,
    SeparableConv2d,
)
from cnnmem.model.operations import Operations, convolve, one_value, operations, whole_numbers


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Conv2d, tuple[int, int, int]]:
    groups = draw(st.integers(1, 3))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = draw(st.integers(1, 2))
    shape = (draw(st.integers(6, 8)), draw(st.integers(6, 8)), groups * draw(st.integers(1, 2)))
    padding = draw(st.sampled_from([0, 1, (0, 1, 2, 0), "same"]))
    layer = Conv2d(
        groups * draw(st.integers(1, 2)),
        kernel,
        stride=draw(st.integers(1, 3)),
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
    )
    return layer, shape


@settings(max_examples=60, deadline=None)
@given(convolutions(), st.integers(0, 99))
def test_convolve_gives_torchs_result_with_the_operations_of_the_formula(
    case: tuple[Conv2d, tuple[int, int, int]], seed: int
) -> None:
    layer, shape = case
    c_in = shape[-1] // layer.groups
    weights = whole_numbers((*layer.kernel, c_in, layer.out_channels), seed)
    biases = whole_numbers((layer.biases(shape),), seed + 1)
    image = whole_numbers(shape, seed + 2)
    worked = convolve(layer, image, weights, biases)

    module = pytorch.build(Network.chain("one", {"conv": layer}, shape))
    (conv,) = [m for m in module.modules() if isinstance(m, torch.nn.Conv2d)]
    with torch.no_grad():
        conv.weight.copy_(torch.tensor(weights, dtype=torch.float32).permute(3, 2, 0, 1))
        if layer.bias:
            assert conv.bias is not None
            conv.bias.copy_(torch.tensor(biases, dtype=torch.float32))
        given_ = torch.tensor(image, dtype=torch.float32).permute(2, 0, 1)[None]
        output = module(given_)[0].permute(1, 2, 0)
    assert worked.output == output.int().tolist()
    assert worked.done == operations(layer, shape)
    assert worked.done.multiplications == layer.macs(layer.output_shape(shape), shape)


def test_without_bias_additions_are_one_fewer_than_multiplications() -> None:
    shape = (5, 5, 3)
    assert one_value(Conv2d(8, 3), shape) == Operations(27, 27)
    assert one_value(Conv2d(8, 3, bias=False), shape) == Operations(27, 26)
    assert one_value(Conv2d(6, 3, groups=3), shape) == Operations(9, 9)
    assert one_value(DepthwiseConv2d(3), shape) == Operations(9, 9)
    # the blog's linear layer: (D1 + (D1 - 1) + 1) x D2
    assert operations(Linear(10), (20,)).flops == (20 + 19 + 1) * 10


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (MaxPool2d(3, 2), Operations(comparisons=8)),
        (AvgPool2d(2), Operations(1, 3)),
        (GlobalAvgPool2d(), Operations(1, 6 * 6 - 1)),
        (BatchNorm(), Operations(2, 2)),
        (BatchNorm(scale=False), Operations(1, 2)),
        (ReLU(), Operations(comparisons=1)),
        (Multiply(), Operations(1)),
        (Flatten(), Operations()),
    ],
)
def test_one_value_of_every_kind(layer: Layer, expected: Operations) -> None:
    inputs = ((6, 6, 4),) * layer.arity[0]
    assert one_value(layer, *inputs) == expected
    assert operations(layer, *inputs) == expected * math.prod(layer.output_shape(*inputs))


def test_a_sum_of_three_takes_two_additions() -> None:
    assert one_value(Add(), *[(6, 6, 4)] * 3) == Operations(additions=2)


@pytest.mark.parametrize("layer", [SeparableConv2d(3, out_channels=4), AdaptiveAvgPool2d(4)])
def test_layers_whose_values_differ_in_cost_are_refused(layer: Layer) -> None:
    with pytest.raises(CnnmemError, match="cannot be counted"):
        one_value(layer, (6, 6, 4))


def test_convolve_refuses_weights_and_biases_that_do_not_fit() -> None:
    image, weights = whole_numbers((4, 4, 2)), whole_numbers((3, 3, 2, 5))
    with pytest.raises(ShapeError, match=r"the layer needs \(3, 3, 2, 4\)"):
        convolve(Conv2d(4, 3), image, weights, [0] * 4)
    with pytest.raises(ShapeError, match="4 biases given; the layer has 5"):
        convolve(Conv2d(5, 3), image, weights, [0] * 4)


@pytest.mark.parametrize(
    "layer", [Conv2d(8, 3, 2, 1, groups=2), Linear(10), MaxPool2d(2), AvgPool2d(3, 2), BatchNorm()]
)
def test_the_formulas_evaluate_to_the_counts(layer: Layer) -> None:
    table = summary(Network.chain("one", {"layer": layer}, (6, 6, 4)))
    found = {f.what: f for f in formulas(table, "layer", operations=True)}
    done = operations(layer, (6, 6, 4))
    for field in ("multiplications", "additions", "comparisons"):
        if getattr(done, field):
            assert found[f"{field} in all"].value == getattr(done, field)
    for formula in found.values():
        numbers = formula.numbers.replace("⌊", "(").replace("⌋", ")").replace(" / ", " // ")
        value = eval(numbers.translate(str.maketrans({"·": "*", "−": "-", ",": ""})))
        assert value == formula.value, formula
