"""The explorer of one layer: its texts and drawing agree with the table and with torch."""

from __future__ import annotations

import math
import time
from typing import Any

import ipywidgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screens import drawing

from cnnmem import Network, summary
from cnnmem.errors import ShapeError
from cnnmem.frameworks import pytorch
from cnnmem.widgets import one_layer
from cnnmem.widgets.one_layer import KINDS, LARGEST, formula_table, layer_of

CONVOLUTION = {
    "size": 7,
    "channels": 4,
    "out": 8,
    "kernel": 3,
    "stride": 2,
    "padding": 1,
    "dilation": 1,
    "groups": 2,
}


def boxes(explorer: Any) -> dict[str, tuple[int, ...]]:
    return {bar["name"]: bar["values"] for bar in explorer.bars}


# All settings of a layer; those of `layer_of`, and the shape of its input.
SETTINGS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "out": st.integers(1, 8),
        "kernel": st.integers(1, 5),
        "stride": st.integers(1, 4),
        "padding": st.integers(0, 3),
        "dilation": st.integers(1, 3),
        "groups": st.integers(1, 4),
        "bias": st.booleans(),
    }
)


@settings(max_examples=80, deadline=None)
@given(SETTINGS, st.integers(1, 12), st.integers(1, 8))
def test_readout_and_drawing_match_the_layer_of_torch(
    chosen: dict[str, Any], size: int, channels: int
) -> None:
    import torch

    explorer = one_layer().set(size=size, channels=channels, **chosen)
    shape = (size, size, channels)
    try:
        layer = layer_of(**chosen)
        net = Network.chain("one", {"layer": layer}, shape)
        module = pytorch.build(net)
    except ShapeError as error:
        reason_given = str(error).split(": ")[-1]
    else:
        reason_given = ""
    assert reason_given in explorer.message  # the panel gives the same reason
    assert bool(reason_given) == bool(explorer.message)
    if reason_given:
        return
    with torch.no_grad():
        output = module.eval()(torch.zeros(1, channels, size, size))
    expected = (*tuple(output.shape[2:]), output.shape[1])
    assert boxes(explorer)["output"] == expected
    first = explorer.readout.splitlines()[0]
    assert f"{output.numel():,} output values" in first
    params = sum(p.numel() for p in module.parameters())
    assert (f"{params:,} parameters" if params else "no parameters") in first
    macs = summary(net).macs
    assert (f"that is {macs:,} MACs" in explorer.readout) == bool(macs)


def test_multiplications_and_additions_are_counted_apart() -> None:
    explorer = one_layer(**CONVOLUTION)
    # 3 x 3 x 2 products, 17 sums and the bias; 4 x 4 x 8 output values
    assert "One output value: 18 multiplications, 18 additions." in explorer.readout
    assert "The layer: 2,304 and 2,304, that is 2,304 MACs." in explorer.readout
    explorer.set(bias=False)
    assert "One output value: 18 multiplications, 17 additions." in explorer.readout
    assert "The layer: 2,304 and 2,176, that is 2,304 MACs." in explorer.readout
    explorer.set(kind="max pooling")
    assert "One output value: 8 comparisons. The layer: 512." in explorer.readout


def test_formulas_are_shown_with_their_values_and_can_be_hidden() -> None:
    explorer = one_layer(**CONVOLUTION)
    assert explorer.view.table == formula_table(
        layer_of("convolution", 8, 3, 2, 1, 1, 2, True), (7, 7, 4)
    )
    rows = {row[0]: row for row in explorer.view.table[1]}
    assert rows["weights"][1:] == ("K_h · K_w · C_in / G · C_out", "3 · 3 · 4 / 2 · 8", "144")
    assert rows["additions of one value"][1] == "K_h · K_w · C_in / G − 1 + 1"
    assert explorer.set(formulas=False).view.table is None


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"groups": 3}, "groups 3 does not divide"),
        ({"kernel": 12}, "kernel 12 x 12 does not fit a 7 x 7 map"),
        ({"padding": 0, "kernel": 5, "dilation": 3}, "with dilation 3 x 3 does not fit"),
        ({"stride": 0}, "stride is 0"),
        ({"padding": -1}, "padding is -1"),
        ({"size": 0}, "input shape is (0, 0, 4)"),
        ({"kind": "max pooling", "padding": 2}, "more than half of the pool's kernel"),
        ({"kind": "average pooling", "dilation": 2}, "has no dilation"),
        ({"size": LARGEST + 1}, "the drawing stops at 4,096"),
        ({"out": 10**6}, "the drawing stops at 4,096"),
    ],
)
def test_invalid_settings_are_explained_and_the_drawing_stays(
    settings: dict[str, Any], reason: str
) -> None:
    *legal, (name, impossible) = settings.items()
    explorer = one_layer(**CONVOLUTION).set(**dict(legal))
    assert explorer.message == ""
    kept = explorer.bars
    explorer.set(**{name: impossible})
    assert reason in explorer.message
    assert explorer.bars == kept
    assert reason.replace("'", "&#x27;") in explorer._screen.value
    explorer.set(**{name: value for name, value in CONVOLUTION.items() if name in settings})
    assert explorer.set(kind="convolution").message == ""


def test_the_window_visits_every_output_value_and_wraps_around() -> None:
    explorer = one_layer(**CONVOLUTION)
    seen = [boxes(explorer.set(at=at))["value"] for at in range(1, 18)]
    assert seen[:16] == [(row, column) for row in range(4) for column in range(4)]
    assert seen[16] == (0, 0)
    assert boxes(explorer.set(at=6))["window"] == (2, 4, 2, 4)


def test_every_setting_gives_a_drawing_or_a_reason() -> None:
    explorer = one_layer()
    for kind in KINDS:
        explorer.set(kind=kind)
        for name, bound in explorer._bound.items():
            if isinstance(bound.source, ipywidgets.Dropdown):
                continue
            before = explorer.settings[name]
            choices: list[Any] = [1, 2, 5, 64, -1, 10**6]
            if isinstance(bound.source, ipywidgets.Checkbox):
                choices = [False, True]
            for value in choices:
                explorer.set(**{name: value})
                assert explorer.settings[name] == value
                assert drawing(explorer)
                assert explorer.message or f"{explorer.settings['size']} x" in explorer.readout
            explorer.set(**{name: before})
            assert explorer.message == ""


def test_a_step_of_the_slider_takes_under_20_ms() -> None:
    explorer = one_layer(size=32, channels=64, out=64, kernel=5)
    steps = []
    for at in range(1, 60):
        begin = time.perf_counter()
        explorer.set(at=at)
        steps.append(time.perf_counter() - begin)
    assert sorted(steps)[len(steps) // 2] < 0.02  # about 2 ms on an idle machine


def test_a_value_takes_four_bytes() -> None:
    first = one_layer(**CONVOLUTION).readout.splitlines()[0]
    params, values = 3 * 3 * 2 * 8 + 8, math.prod((4, 4, 8))
    assert f"{params} parameters" in first
    assert f", {4 * params} B; {values} output values, {4 * values} B." in first
