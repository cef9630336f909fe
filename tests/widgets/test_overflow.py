"""The overflow explorer: exact totals, the wrap, the tipping point, and the course between."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from screens import drawing

from cnnmem import summary
from cnnmem.charts import Dial, Marker
from cnnmem.errors import CnnmemError, ShapeError
from cnnmem.int32 import INT32_MAX
from cnnmem.model import zoo
from cnnmem.widgets import overflow
from cnnmem.widgets.overflow import COUNTS, LARGEST, NETWORKS, count_of, course, smallest, tips_at


def drawn(explorer: Any) -> dict[str, int]:
    return {bar["name"]: bar["total"] for bar in explorer.bars}


def in_numpy(value: int) -> int:
    return int(np.array([value], dtype=np.int64).astype(np.int32)[0])


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("what", COUNTS)
def test_exact_counts_match_the_table_and_wrapped_ones_match_numpy(network: str, what: str) -> None:
    explorer = overflow(network, what=what, size=1000)
    for size in (256, 1023, 1024, 1472):
        table = summary(zoo.get(network), (size, size, 3))
        exact = {
            "all parameters": sum(r.weights + r.biases + r.statistics for r in table.rows),
            "parameters of the largest layer": max(
                r.weights + r.biases + r.statistics for r in table.rows
            ),
            "bytes of all parameters": 4
            * sum(r.weights + r.biases + r.statistics for r in table.rows),
            "values of all feature maps": sum(r.values for r in table.rows),
            "MACs": sum(r.macs for r in table.rows),
        }[what]
        explorer.set(size=size)
        assert drawn(explorer) == {"exact": exact, "int32": in_numpy(exact)}
        assert f"{what}: {exact:,}." in explorer.readout
        assert ("it fits" in explorer.readout.splitlines()[0]) == (exact <= INT32_MAX)
        if exact > INT32_MAX:
            assert f"shows {in_numpy(exact):,}." in explorer.readout
            assert ("No minus sign warns" in explorer.readout) == (in_numpy(exact) >= 0)


def test_the_explorer_gives_the_numbers_of_the_lesson() -> None:
    explorer = overflow(size=1024)
    assert drawn(explorer) == {"exact": 2_183_080_744, "int32": -2_111_886_552}
    assert drawn(explorer.set(size=1023))["int32"] == 2_050_960_168
    assert drawn(explorer.set(size=1472))["int32"] == 178_203_432
    explorer.set(what="parameters of the largest layer", size=1024)
    assert drawn(explorer) == {"exact": 2_147_487_744, "int32": -2_147_479_552}
    assert "It tipped at 1024 px; 1023 px still fits." in explorer.readout


def test_the_tipping_point_is_hidden_until_it_is_reached() -> None:
    explorer = overflow(size=1023)
    assert "1024" not in explorer.readout
    assert f"room for {INT32_MAX - 2_050_960_168:,} more" in explorer.readout


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("what", COUNTS)
def test_the_tipping_point_is_exact(network: str, what: str) -> None:
    tips = tips_at(network, what)

    def count(size: int) -> int:
        return count_of(summary(zoo.get(network), (size, size, 3)), what)

    if tips is None:
        assert count(LARGEST) <= INT32_MAX
        assert f"up to {LARGEST:,} px" in overflow(network, what=what).readout
    else:
        assert count(tips) > INT32_MAX >= count(tips - 1)


@pytest.mark.parametrize("network", NETWORKS)
def test_no_smaller_size_than_the_smallest_works(network: str) -> None:
    least = smallest(network)
    summary(zoo.get(network), (least, least, 3))
    if least > 1:
        with pytest.raises(ShapeError):
            summary(zoo.get(network), (least - 1, least - 1, 3))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("what", COUNTS)
def test_the_course_is_exact_and_rising_and_passes_the_tipping_point(
    network: str, what: str
) -> None:
    points = course(network, what)
    assert 20 < len(points) <= 142
    tips = tips_at(network, what) or 1024
    assert points[0][0] == smallest(network) <= tips < points[-1][0]
    for size, count in points[::10]:
        assert count == count_of(summary(zoo.get(network), (size, size, 3)), what)
    counts = [count for _, count in points]
    assert counts == sorted(counts)


def test_sizes_that_cannot_be_counted_are_explained() -> None:
    explorer = overflow()
    before = explorer.bars
    for size, reason in ((10, "pool4"), (0, "input shape"), (LARGEST + 1, "the search goes to")):
        explorer.set(size=size)
        assert reason in explorer.message
        assert explorer.bars == before
    assert explorer.set(size=1024).message == ""
    with pytest.raises(CnnmemError, match="there is no count 'pixels'"):
        count_of(summary("lenet5"), "pixels")


def test_every_setting_gives_a_chart_or_a_reason() -> None:
    explorer = overflow()
    for network in NETWORKS:
        for what in COUNTS:
            for size in (32, 224, 1023, 2240, 4000, -1):
                explorer.set(network=network, what=what, size=size)
                assert drawing(explorer)
                if not explorer.message:
                    assert f"{network} at {size} x {size}, {what}" in explorer.readout


def test_a_prediction_of_the_tipping_point_stays_on_the_course() -> None:
    explorer = overflow().predict(Marker("your prediction", value=700))
    (dial,) = explorer._charts()
    assert isinstance(dial, Dial)
    assert "your prediction 700" in explorer._screen.value
    assert "your prediction: 700." in explorer.set(size=1472).alt


def test_a_step_of_the_slider_takes_under_20_ms() -> None:
    explorer = overflow()
    steps = []
    for size in range(1000, 1060):
        begin = time.perf_counter()
        explorer.set(size=size)
        steps.append(time.perf_counter() - begin)
    assert sorted(steps)[len(steps) // 2] < 0.02  # about 2 ms on an idle machine
