"""The explorer of a training step's budget agrees with the budget at every setting."""

import xml.etree.ElementTree as ET

import ipywidgets
import pytest
from screens import drawing

from cnnmem import summary
from cnnmem.charts import HeatMap, Marker
from cnnmem.count.budget import MIXED, PRECISIONS, Reserve, freeze, largest_batch
from cnnmem.count.budget import budget as counted
from cnnmem.model import zoo
from cnnmem.units import GiB
from cnnmem.widgets import budget
from cnnmem.widgets.budget import BATCHES, SHOWN, SIZES, _peaks, _Steps


def ends(source):
    if isinstance(source, ipywidgets.Dropdown):
        return [value for _, value in source.options]
    return [False, True] if isinstance(source, ipywidgets.Checkbox) else [-1, 0, 1, 10**6]


@pytest.mark.parametrize("show", SHOWN)
def test_every_control_at_its_ends_gives_a_chart(show):
    explorer = budget(show=show)
    for name, bound in explorer._bound.items():
        before = explorer.settings[name]
        for value in ends(bound.source):
            explorer.set(**{name: value})
            assert explorer.settings[name] == value
            assert len(explorer.readout.splitlines()) == 3
            ET.fromstring(drawing(explorer))
        explorer.set(**{name: before})
        assert explorer.message == ""


def test_invalid_settings_are_named():
    explorer = budget()
    assert "batch" in explorer.set(batch=0).message
    assert "card is 0 GiB" in explorer.set(batch=8, card=0).message
    assert "pool5" in explorer.set(card=8, size=16).message
    assert explorer.set(size=64).message == ""


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["vgg16/torchvision", "resnet18", "densenet121/torchvision"])
def test_bars_are_the_parts_counted_by_hand(name, precision):
    explorer = budget(name, batch=4, optimizer="adam", precision=precision, size=96)
    options = {"variant": "torchvision"} if "/" in name else {}
    net = zoo.get(name.split("/")[0], **options)
    table = summary(net, (96, 96, 3), 4)
    drawn = {bar["name"]: bar["values"] for bar in explorer.bars}
    for row in table.rows[1:]:
        parameters, state, gradients = drawn.get(row.name, (0, 0, 0))[:3]
        assert parameters == 4 * (row.params + row.statistics)
        assert (state, gradients) == (8 * row.params, 4 * row.params)
    whole = sum(sum(values[3:]) for values in drawn.values())
    if precision == MIXED:
        half = summary(net, (96, 96, 3), 4, dtype="bfloat16")
        weights = sum(r.weights for r in table.rows if r.kind in ("conv", "linear"))
        statistics = 2 * sum(r.batch_statistics for r in table.rows)
        assert whole == half.saved_bytes + statistics + 2 * weights + 4 * 4 * 96 * 96 * 3
    else:
        assert whole == table.saved_bytes


def test_kept_bytes_with_and_without_frozen_layers():
    explorer = budget("vgg16/torchvision", batch=2, optimizer="sgd")
    kept = sum(bar["values"][2] for bar in explorer.bars)
    assert kept == 146_710_528
    explorer.set(frozen="pool5")
    image = 4 * 2 * 224 * 224 * 3
    assert sum(bar["values"][2] for bar in explorer.bars) == 397_312 + image
    assert explorer.set(network="resnet18").settings["frozen"] == ""  # which has no pool5


def test_blocks_can_be_frozen_up_to_their_last_layer():
    options = dict(budget("resnet18")._bound["frozen"].source.options)
    assert options["layer2"] == "layer2.1.relu"
    assert next(iter(options)) == "nothing"
    assert set(options.values()) - {""} <= {node.name for node in zoo.resnet18().nodes}


@pytest.mark.parametrize("card", [2, 4, 8, 80])
def test_the_verdict_agrees_with_the_largest_batch(card):
    explorer = budget("resnet50", card=card, optimizer="momentum")
    most = largest_batch(zoo.resnet50(), card=card * GiB.size, optimizer="momentum")
    assert f"Largest batch by it: {most:,}." in explorer.readout
    assert "GiB; it fits, " in explorer.set(batch=most).readout
    assert "GiB; it does not, " in explorer.set(batch=most + 1).readout
    assert "Reserve assumed: context 0.49 GiB" in explorer.readout


def test_the_readout_has_the_peak_of_the_step():
    explorer = budget("resnet18", batch=16, optimizer="sgd", precision=MIXED)
    of = counted(zoo.resnet18(), batch=16, precision=MIXED)
    assert f"{of.peak.total / 10**6:,.2f} MB at the peak" in explorer.readout


def test_over_time_shows_the_peak_and_the_room_of_the_card():
    explorer = budget("resnet18", show="over time", batch=16, optimizer="adam", card=4)
    of = counted(zoo.resnet18(), batch=16, optimizer="adam")
    assert max(bar["total"] for bar in explorer.bars) == of.peak.total
    room = explorer.view.charts[0].markers[0]
    assert room.value == int(Reserve().room(4 * GiB.size))
    assert room.label == "room on a card of 4 GiB"


def test_the_map_holds_the_peak_of_every_batch_and_size():
    explorer = budget("alexnet", show="batch against size", batch=24, size=224, card=4)
    chart = explorer.view.charts[0]
    assert isinstance(chart, HeatMap)
    assert chart.across == tuple(map(str, SIZES))  # 224 is among them
    assert chart.down == tuple(map(str, sorted({*BATCHES, 24})))
    assert chart.chosen == (chart.down.index("24"), chart.across.index("224"))
    for down, across in ((0, 5), (5, 5), (10, 10)):
        batch, size = int(chart.down[down]), int(chart.across[across])
        of = counted(zoo.alexnet(), (size, size, 3), batch, optimizer="adam")
        assert chart.cells[down][across] == of.peak.total
    room = Reserve().room(4 * GiB.size)
    within = [value <= room for row in chart.cells for value in row if value is not None]
    assert [chart.fits(v) for row in chart.cells for v in row if v is not None] == within
    assert set(within) == {True, False}


def test_a_size_too_small_for_the_network_has_no_numbers():
    steps = _Steps({"alexnet": "alexnet"})
    assert _peaks(steps, "alexnet", "", 32, "sgd", "float32", [1, 2]) == (None, None)
    of = counted(zoo.alexnet(), (64, 64, 3), 2)
    assert _peaks(steps, "alexnet", "", 64, "sgd", "float32", [1, 2])[1] == of.peak.total


def test_freezing_everything_leaves_no_gradients():
    explorer = budget("vgg16/torchvision", optimizer="adam", frozen="fc3")
    names = [series.name for series in explorer.view.charts[0].series]
    assert "gradients" not in names
    assert freeze(zoo.vgg16("torchvision"), "fc3").nodes[-1].frozen


def test_without_images_only_the_networks_part_is_shown():
    explorer = budget("vgg16/torchvision", optimizer="adam", images=False, precision=MIXED)
    assert sum(bar["total"] for bar in explorer.bars) == 4 * 553_430_176
    assert "conv1_1" in {bar["name"] for bar in explorer.bars}
    assert "pool1" not in {bar["name"] for bar in explorer.bars}


def test_a_prediction_of_the_networks_part_is_marked_without_images_only():
    explorer = budget("vgg16/torchvision", optimizer="adam", batch=8)
    explorer.predict(Marker("your prediction", value=1_100_000_000, quantity="network's part"))
    assert "your prediction" not in explorer._drawn[0]
    explorer.set(images=False)
    assert "your prediction" in explorer._drawn[0]
