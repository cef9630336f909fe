"""The explorer of counters shows what each tool adds, at every setting."""

import xml.etree.ElementTree as ET

import ipywidgets
import pytest
from printed_counts import PRINTED, network
from screens import drawing

from cnnmem import CnnmemError, summary
from cnnmem.count.tools import TOOLS
from cnnmem.model import zoo
from cnnmem.plots.audit import EXACT_MACS
from cnnmem.widgets import audit
from cnnmem.widgets.audit import SHOWN


def ends(source):
    if isinstance(source, ipywidgets.Dropdown):
        return [value for _, value in source.options]
    return [False, True] if isinstance(source, ipywidgets.Checkbox) else [-1, 1, 10**6]


@pytest.mark.parametrize("show", SHOWN)
def test_every_control_at_its_ends_gives_a_chart_or_a_reason(show):
    explorer = audit(show=show)
    for name, bound in explorer._bound.items():
        before = explorer.settings[name]
        for value in ends(bound.source):
            explorer.set(**{name: value})
            assert explorer.settings[name] == value
            assert explorer.message or str(explorer.settings["network"]) in explorer.readout
            ET.fromstring(drawing(explorer))
        explorer.set(**{name: before})
        assert explorer.message == ""
    assert "64" not in explorer.set(size=224).message
    assert explorer.set(size=0).message


@pytest.mark.parametrize("name", PRINTED)
def test_bar_plus_exact_macs_is_what_the_tool_prints(name):
    label = name if "torchvision" not in zoo.variants(name)[1:] else f"{name}/torchvision"
    explorer = audit(label)
    macs = summary(network(name)).macs
    bars = {bar["name"]: bar["total"] for bar in explorer.bars}
    assert bars.pop(EXACT_MACS) == bars.pop("FlopCounterMode") == 0
    assert {tool: macs + added for tool, added in bars.items()} == {
        tool: count for tool, count in PRINTED[name].items() if tool != "FlopCounterMode"
    }


@pytest.mark.parametrize("tool", TOOLS)
def test_bars_layer_by_layer_sum_to_the_bar_of_the_tool(tool):
    explorer = audit(tool=tool)
    whole = {bar["name"]: bar["total"] for bar in explorer.bars}[tool]
    explorer.set(show="one tool, layer by layer")
    assert sum(bar["total"] for bar in explorer.bars) == whole
    assert f"{PRINTED['resnet18'][tool]:,}" in explorer.readout


def test_thop_adds_four_operations_per_value_of_each_batch_norm():
    explorer = audit(tool="thop", show="one tool, layer by layer")
    rows = summary("resnet18")
    for bar in explorer.bars[:-1]:
        assert bar["total"] == 4 * rows[bar["name"]].outputs
    assert explorer.bars[-1]["name"] == "avgpool"


def test_the_chosen_tool_is_marked_and_the_table_lists_every_tool():
    explorer = audit(tool="fvcore").set(table=True)
    assert explorer.view.charts[0].highlight == {"fvcore"}
    header, rows = explorer.view.table
    assert header == ("tool", "prints", "unit", "added to the MACs")
    assert [row[0] for row in rows] == [EXACT_MACS, *TOOLS]
    assert {row[0]: row[1] for row in rows[1:]} == {
        tool: f"{count:,}" for tool, count in PRINTED["resnet18"].items()
    }


def test_an_unknown_tool_is_rejected():
    with pytest.raises(CnnmemError, match="tool is 'nvprof'"):
        audit(tool="nvprof")
