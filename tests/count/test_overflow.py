"""32-bit integers: the wrap, where it begins, the old code replayed, and the museum."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnmem import summary
from cnnmem.count.overflow import parameters_by_size, weight_shapes
from cnnmem.errors import CnnmemError, UnknownNameError
from cnnmem.int32 import C_LONGS, INT32_MAX, old_keras_count, runs, tipping_point, turns, wrap_int32
from cnnmem.model import zoo
from cnnmem.published.overflows import EXHIBITS, exhibit


@given(st.integers(-(2**70), 2**70))
def test_the_wrap_is_that_of_numpy_and_turns_undo_it(value: int) -> None:
    wrapped = np.array([value % 2**64], dtype=np.uint64).astype(np.int32)
    assert wrap_int32(value) == int(wrapped[0])
    assert value - turns(value) * 2**32 == wrap_int32(value)


@given(st.integers(1, 400), st.integers(0, 3), st.integers(1, 50))
def test_the_tipping_point_is_the_first_size_that_does_not_fit(
    slope: int, power: int, least: int
) -> None:
    def count(size: int) -> int:
        return slope * (size // 3) ** power

    most = 200_000
    if count(least) > INT32_MAX or count(most) <= INT32_MAX:
        with pytest.raises(CnnmemError):
            tipping_point(count, least, most)
        return
    tips = tipping_point(count, least, most)
    assert count(tips) > INT32_MAX >= count(tips - 1)


def test_vgg16_tips_at_1024_exactly() -> None:
    count = parameters_by_size("vgg16", variant="keras")
    assert tipping_point(count, 32, 4096) == 1024
    assert (count(1023), count(1024)) == (2_050_960_168, 2_183_080_744)
    fc1 = summary("vgg16", (1023, 1023, 3))["fc1"]
    assert fc1.weights == 2_015_363_072


def test_a_search_finds_the_wrap_that_looks_right() -> None:
    found = runs(parameters_by_size("vgg16"), 1000, 1500)
    hidden = [run for run in found if run.hidden]
    assert [(run.first, run.last, run.shown) for run in hidden] == [(1472, 1500, 178_203_432)]
    assert found[0] == (1000, 1023, 2_050_960_168, 2_050_960_168)
    assert not found[0].hidden
    assert [run.last + 1 for run in found[:-1]] == [run.first for run in found[1:]]


def test_parameters_by_size_count_what_keras_counts() -> None:
    assert parameters_by_size("densenet201", variant="keras")(1024) == 20_242_984


@pytest.mark.parametrize(
    "network", ["vgg16", "mobilenet_v1", "mobilenet_v2", "resnet18", "densenet121", "alexnet"]
)
def test_array_shapes_hold_every_parameter(network: str) -> None:
    table = summary(network)
    shapes = weight_shapes(table)
    for row in table.rows:
        held = sum(int(np.prod(shape)) for shape in shapes.get(row.name, ()))
        assert held == row.params + row.statistics, row.name


def test_shapes_of_a_separable_convolution_and_of_groups() -> None:
    from cnnmem import Network
    from cnnmem.model.layers import Conv2d, SeparableConv2d

    net = Network.chain(
        "n",
        {"a": SeparableConv2d(3, out_channels=8, multiplier=2), "b": Conv2d(6, (1, 5), groups=2)},
        (9, 9, 4),
    )
    assert weight_shapes(summary(net)) == {
        "a": ((3, 3, 4, 2), (1, 1, 8, 8), (8,)),
        "b": ((1, 5, 4, 6), (6,)),
    }


def test_shapes_need_a_plain_network() -> None:
    from dataclasses import replace

    with pytest.raises(CnnmemError, match="plain network"):
        weight_shapes(replace(summary("lenet5"), graph=None))


def test_old_keras_replayed_in_numpy_gives_the_published_numbers() -> None:
    shapes = weight_shapes(summary(zoo.vgg16("keras"), (1024, 1024, 3)))
    every = [shape for arrays in shapes.values() for shape in arrays]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy must be as silent as the lesson says
        assert old_keras_count(shapes["fc1"]) == -2_147_479_552
        assert old_keras_count(every) == -2_111_886_552
    assert old_keras_count(every, "int64") == 2_183_080_744
    assert old_keras_count(every) == wrap_int32(2_183_080_744)


def test_only_the_two_widths_of_a_c_long_are_accepted() -> None:
    assert set(C_LONGS) == {"int32", "int64"}
    with pytest.raises(CnnmemError, match="int32 or int64"):
        old_keras_count([(2, 2)], "int16")


def test_numpy_scalars_warn_where_arrays_are_silent() -> None:
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert int(np.int32(2**30) * np.int32(4)) == 0


@pytest.mark.parametrize("id", EXHIBITS)
def test_each_exhibit_replays_the_printed_number_in_32_bits_and_the_right_one_in_64(
    id: str,
) -> None:
    one = exhibit(id)
    assert one.shown() == one.printed
    assert one.replay("int64") == one.exact > INT32_MAX
    assert one.shown("int64") != one.printed
    assert re.search(r"issue \d+, 20\d\d$", one.source)


def test_the_museums_numbers() -> None:
    assert exhibit("keras-flatten").replay() == 1_410_065_408
    assert exhibit("torchsummary").shown("int64") == "260992.00"
    assert exhibit("torchsummary").replay() < 0  # the minus sign that abs() took away
    assert exhibit("ptflops-lin1").replay() > 0  # wrong, though nothing shows it
    with pytest.raises(UnknownNameError, match="keras-flatten"):
        exhibit("nothing")
