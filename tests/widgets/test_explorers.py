"""The explorers, driven from Python as a reader drives them."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html import unescape
from typing import Any

import ipywidgets
import pytest
from screens import drawing

from cnnmem import CnnmemError, Network, published, summary
from cnnmem.charts import Marker
from cnnmem.count import conventions, training
from cnnmem.count.totals import show
from cnnmem.model import zoo
from cnnmem.model.layers import Conv2d, Linear, ReLU
from cnnmem.plots import bars_of
from cnnmem.widgets import (
    Checkbox,
    Dropdown,
    Explorer,
    Slider,
    explore,
    over_time,
    reconciliation,
)
from cnnmem.widgets.choices import built, labels
from cnnmem.widgets.explorer import View

STACKS = conventions.groups()
EXPLORERS = {"explore": explore, "reconciliation": reconciliation, "over_time": over_time}


def ends(source: ipywidgets.Widget) -> list[Any]:
    """Return the values at the ends of a control."""
    if isinstance(source, ipywidgets.Dropdown):
        return [value for _, value in source.options]
    return [False, True] if isinstance(source, ipywidgets.Checkbox) else [1, 10**6]


@pytest.mark.parametrize("make", EXPLORERS.values(), ids=EXPLORERS)
def test_every_control_at_its_ends_gives_a_chart_or_a_reason(make: Any) -> None:
    explorer = make()
    for name, bound in explorer._bound.items():
        before = explorer.settings[name]
        for value in ends(bound.source):
            explorer.set(**{name: value})
            assert explorer.settings[name] == value
            assert explorer.message or explorer.readout
            ET.fromstring(drawing(explorer))
        explorer.set(**{name: before})
        assert explorer.message == ""


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("network", ["vgg16", "resnet18", "densenet121", "mobilenet_v2/keras"])
def test_bars_sum_to_the_total_in_the_readout(stack: str, network: str) -> None:
    explorer = explore(network, size=96, batch=3, stack=stack)
    for convention in STACKS[stack]:
        explorer.set(convention=convention)
        how = conventions.get(convention)
        table = summary(built(network), (96, 96, 3), 3)
        of = table.total(how)
        name = f"{convention}: " if how.named_apart else ""
        assert f"{show(of.value)} {of.unit} ({name}{how.title})" in explorer.readout
        if how.rounding is None and how.arithmetic == "exact":
            assert sum(bar["total"] for bar in explorer.bars) == of.base


def test_bars_are_the_parameters_of_the_layers() -> None:
    explorer = explore("vgg16", size=1024)
    table = summary("vgg16", (1024, 1024, 3))
    for bar in explorer.bars:
        row = table[bar["name"]]
        assert bar["values"] == (row.weights, row.biases)
    assert len(explorer.bars) == 22  # in-place and view layers have no bar


def test_an_invalid_setting_is_explained_and_the_chart_stays() -> None:
    explorer = explore("vgg16")
    bars = explorer.bars
    explorer.set(size=8)
    assert "pool4" in explorer.message
    assert "1 x 1" in explorer.message
    assert explorer.bars == bars
    assert "opacity" in explorer._screen.value
    explorer.set(size=0)
    assert "the input size is 0 pixels" in explorer.message
    explorer.set(size=64)
    assert explorer.message == ""
    assert explorer.bars != bars


def test_batches_and_sizes_below_one_are_explained() -> None:
    explorer = explore("lenet5", size=32)
    for wrong in (0, -5):
        assert "batch" in explorer.set(batch=wrong).message
        assert explorer.set(batch=1).message == ""
        assert f"{wrong} pixels; give 1 or more" in explorer.set(size=wrong).message
        explorer.set(size=32)


def test_conventions_follow_what_is_stacked() -> None:
    explorer = explore()
    for stack, names in STACKS.items():
        explorer.set(stack=stack)
        assert explorer.settings["convention"] == names[0]
        with pytest.raises(CnnmemError, match="convention cannot be 'nonsense'"):
            explorer.set(convention="nonsense")
    explorer.set(stack="MACs")
    with pytest.raises(CnnmemError, match="can be 'macs'"):
        explorer.set(convention="tensors")


def test_the_slider_follows_the_box_within_its_range() -> None:
    explorer = explore("vgg16")
    slider, _ = explorer._bound["size"].shown.children
    explorer.set(size=1000)
    assert slider.value == 1008  # the nearest of its steps: at 1000 the browser would snap it
    assert explorer.settings["size"] == 1000
    explorer.set(size=4096)
    assert (slider.value, explorer.settings["size"]) == (slider.max, 4096)
    assert "at 4096x4096" in explorer.readout
    slider.value = 320
    assert explorer.settings["size"] == 320
    assert "at 320x320" in explorer.readout


def test_one_step_of_a_slider_draws_once() -> None:
    drawn = []

    def view(n: int) -> View:
        drawn.append(n)
        return View((bars_of(summary("lenet5")),), str(n))

    explorer = Explorer("counting", (Slider("n", "n", 0, 10, 5),), view)
    slider, _ = explorer._bound["n"].shown.children
    drawn.clear()
    slider.value = 6
    assert drawn == [6]
    explorer.set(n=99)
    assert drawn == [6, 99]


def test_a_defect_is_shown_and_raised() -> None:
    def view(n: int) -> View:
        if n == 1:
            raise RuntimeError("boom")
        return View((), str(n))

    explorer = Explorer("broken", (Slider("n", "n", 0, 10, 5),), view)
    with pytest.raises(RuntimeError, match="boom"):
        explorer.set(n=1)
    assert "boom" in explorer.message
    assert "boom" in explorer._screen.value


def test_unknown_controls_and_wrong_types_are_rejected_by_name() -> None:
    explorer = explore()
    with pytest.raises(CnnmemError, match="no control is called 'colour'; there are network, size"):
        explorer.set(colour="red")
    for name, value in (("size", "big"), ("size", 3.5), ("size", True), ("log", 1)):
        with pytest.raises(CnnmemError, match=f"{name} cannot be"):
            explorer.set(**{name: value})
    with pytest.raises(CnnmemError, match="no network is called 'vgg99'"):
        explore("vgg99")
    with pytest.raises(CnnmemError, match="stack is 'x'"):
        explore(stack="x")
    with pytest.raises(CnnmemError, match="does not add up parameters"):
        explore(convention="macs")


def test_without_a_kernel_there_is_a_picture_with_alt_text_and_readout() -> None:
    explorer = explore("vgg16")
    data = explorer._repr_mimebundle_()
    page = data["text/html"]
    alt = unescape(page[page.index('alt="') + 5 :].split('"')[0])
    assert alt == explorer.alt
    assert "fc1 holds 74.3 %" in alt
    assert "138,357,544 parameters" in alt
    assert explorer.readout in unescape(page)
    assert explorer.readout in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert explore("vgg16")._repr_mimebundle_()["text/html"] == page  # nbval compares it


def ids(drawn: str) -> set[str]:
    """Return the ids in a drawing."""
    return set(re.findall(r' id="([^"]+)"', drawn))


def test_two_kernels_never_share_ids() -> None:
    code = (
        "import random; random.seed(0); before = random.getstate()\n"
        "from cnnmem.widgets import explore\n"
        "print(*(explore('vgg16')._screen.value for _ in range(2)))\n"
        "assert random.getstate() == before\n"
    )
    first, second = (
        ids(
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
            ).stdout
        )
        for _ in range(2)
    )
    assert len(first) == len(second) >= 2
    assert first.isdisjoint(second)


def test_a_stored_drawing_has_no_id_of_this_kernel() -> None:
    explorer = explore("vgg16")
    page = explorer._repr_mimebundle_()["text/html"]
    (code,) = re.findall(r"base64,([^\"]+)", page)
    stored = base64.b64decode(code).decode()
    assert len(ids(stored)) == len(ids(drawing(explorer))) > 0
    assert explorer._prefix not in page + stored


def test_predictions_stay_on_the_chart_while_settings_change() -> None:
    explorer = explore("vgg16").predict(Marker("your prediction", value=100_000_000))
    explorer.set(size=320, log=True)
    assert "your prediction" in drawing(explorer)
    explorer.predict(Marker("your layer", category="fc2"))
    assert "your layer" in drawing(explorer)
    explorer.set(network="resnet18")  # without fc2 the marker waits
    assert "your layer" not in drawing(explorer)
    explorer.set(network="vgg16").predict()
    assert "your layer" not in drawing(explorer)


def test_markup_in_network_and_layer_names_is_escaped() -> None:
    evil = '<img src=x onerror="alert(1)">'
    network = Network.chain(evil, {evil: Conv2d(4, 3), "r": ReLU(), "fc": Linear(2)}, (8, 8, 3))
    explorer = explore(network).set(table=True)
    assert "<img" not in explorer._screen.value
    assert explorer.bars[1]["name"] == evil
    page = explorer._repr_mimebundle_()["text/html"]
    assert page.count("<img ") == 1  # that of the chart


def test_explorers_use_core_widgets_only() -> None:
    for make in EXPLORERS.values():
        waiting = [make()]
        while waiting:
            widget = waiting.pop()
            assert widget._model_module in ("@jupyter-widgets/controls", "@jupyter-widgets/base")
            assert type(widget).__name__ != "Output"
            waiting += getattr(widget, "children", ())


def test_the_table_names_the_largest_layers() -> None:
    explorer = explore("vgg16").set(table=True)
    assert explorer.view is not None
    assert explorer.view.table is not None
    header, rows = explorer.view.table
    assert header == ("layer", "weights", "biases", "sum", "share")
    assert rows[0] == ("fc1", "102,760,448", "4,096", "102,764,544", "74.3 %")
    assert "<table>" in explorer._screen.value


def test_reconciliation_reports_what_is_unexplained() -> None:
    explorer = reconciliation("cs231n-60", "cs231n-93", numbers=("cs231n-60", "cs231n-93"))
    assert "unexplained" in explorer.readout
    explorer.set(second="autograd")
    assert "all explained" in explorer.readout
    steps = explorer.bars[1:-1]
    first = published.get("cs231n-60").value
    assert (
        first + sum(bar["values"][0] for bar in steps) == summary("vgg16").total("autograd").value
    )


def test_the_timeline_shows_the_peak_of_every_zoo_network() -> None:
    explorer = over_time()
    for name in labels():
        network = built(name)
        size = network.image[0]
        explorer.set(size=size, network=name, what="inference", parameters=False)
        table = summary(network, network.image)
        peak = training.inference(table).peak.activations
        assert max(bar["total"] for bar in explorer.bars) == peak
        explorer.set(what="adam", parameters=True)
        peak = training.training_step(table, "adam").peak.total
        assert max(bar["total"] for bar in explorer.bars) == peak


def test_custom_explorers_can_use_dropdowns_and_checkboxes() -> None:
    controls = (Dropdown("c", "c", (("one", 1), ("two", 2))), Checkbox("s", "s", True))
    explorer = Explorer("own", controls, lambda c, s: View((), f"{c} {s}"))
    assert explorer.readout == "1 True"
    assert explorer.set(c=2, s=False).readout == "2 False"


def test_the_explorer_gives_the_numbers_of_the_lessons() -> None:
    assert "138,357,544 parameters" in explore("vgg16").readout
    assert "60.95 MB" in explore("vgg16", stack="feature maps").readout
    assert "73.25 MB" in explore("vgg16", stack="kept for backward").readout
    wrapped = explore("vgg16", size=1024, convention="keras-parameters-int32")
    assert "-2,111,886,552 parameters" in wrapped.readout
    assert zoo.names()[0] == explore("lenet5", size=32).settings["network"]
