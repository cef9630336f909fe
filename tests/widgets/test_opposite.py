"""Two networks, opposite memories: the explorer shows what the tables hold."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import ipywidgets
import pytest

from cnnmem import summary
from cnnmem.charts import svg
from cnnmem.model import zoo
from cnnmem.units import fixed
from cnnmem.widgets import opposite
from cnnmem.widgets.choices import built, labels
from cnnmem.widgets.opposite import BY, SHOW, SIZES

MIB = 2**20
VGG_KERAS = zoo.vgg16("keras")


def halves(explorer: Any) -> list[list[dict[str, Any]]]:
    """The bars of the first and of the second chart."""
    return [svg.bars(one) for one in explorer._drawn]


def total(network: Any, size: int, convention: str = "keras-memory") -> Fraction:
    """What a network of the zoo holds, in MiB, added up by the core."""
    return summary(network, (size, size, network.image[2])).total(convention).value


@pytest.mark.parametrize("by", BY[:3])
@pytest.mark.parametrize("size", [224, 1024])
def test_the_bars_of_each_network_sum_to_its_memory(by: str, size: int) -> None:
    explorer = opposite(size=size, by=by)
    for bars, network in zip(halves(explorer), (VGG_KERAS, zoo.densenet201()), strict=True):
        parameters, maps = (sum(bar["values"][i] for bar in bars) for i in (0, 1))
        assert Fraction(parameters, MIB) == total(network, size, "keras-parameters-mib")
        assert Fraction(maps, MIB) == total(network, size, "keras-outputs")
        assert Fraction(parameters + maps, MIB) == total(network, size)
        of_one = {SHOW[1]: parameters, SHOW[2]: maps}
        for show, whole in of_one.items():
            shown = halves(explorer.set(show=show))[network is not VGG_KERAS]
            assert sum(bar["total"] for bar in shown) == whole
        explorer.set(show=SHOW[0])


def test_the_readout_at_1024_px_matches_keras() -> None:
    assert opposite(size=1024).readout.splitlines() == [
        "vgg16: 2,183,080,744 parameters = 8,327.79 MiB (87.3 %), "
        "feature maps 1,216.04 MiB (12.7 %)",
        "densenet201: 20,242,984 parameters = 77.22 MiB (1.2 %), "
        "feature maps 6,159.15 MiB (98.8 %)",
    ]
    old = opposite("densenet201/keras2018", size=1024)
    assert "feature maps 6,151.65 MiB" in old.readout.splitlines()[1]


def test_every_layer_that_holds_memory_has_a_bar() -> None:
    left, right = halves(opposite(size=1024, by="layer"))
    rows = summary(zoo.densenet201(), (1024, 1024, 3)).rows
    assert len(right) == len(rows) == 709
    assert [bar["name"] for bar in right] == [row.name for row in rows]
    assert [bar["values"] for bar in right] == [
        (4 * (row.params + row.statistics), 4 * row.outputs) for row in rows
    ]
    fc1 = next(bar for bar in left if bar["name"] == "fc1")
    assert fc1["values"] == (4 * 2_147_487_744, 4 * 4096)


def test_blocks_and_kinds_are_groups_of_the_layers() -> None:
    explorer = opposite(size=1024)
    blocks = {bar["name"]: bar["values"] for bar in halves(explorer)[1]}
    rows = summary(zoo.densenet201(), (1024, 1024, 3)).rows
    conv4 = [row for row in rows if row.name.startswith("conv4_")]
    assert len(conv4) == 7 * 48
    assert blocks["conv4"][1] == 4 * sum(row.values for row in conv4)
    kinds = {bar["name"]: bar["values"] for bar in halves(explorer.set(by="kind of layer"))[1]}
    concatenated = [row for row in rows if row.kind == "concatenate"]
    assert kinds["concatenations"] == (0, 4 * sum(row.values for row in concatenated))


# Parameters at 1024 px: 138 million if the map is averaged to 7x7 first, or read by a 7x7 window.
@pytest.mark.parametrize(
    ("head", "params"),
    [
        ("linear", 2_183_080_744),
        ("adaptive", 138_357_544),
        ("convolutions", 138_357_544),
        ("global", 14_714_688 + 513_000),
        ("conv1x1", 14_714_688 + 513_000),
    ],
)
def test_a_head_changes_only_vgg(head: str, params: int) -> None:
    explorer = opposite(size=1024)
    other = explorer.readout.splitlines()[1]
    explorer.set(head=head)
    first, second = explorer.readout.splitlines()
    assert f"{params:,} parameters" in first
    assert second == other
    assert sum(bar["values"][0] for bar in halves(explorer)[0]) == 4 * params


def test_the_convolutional_head_says_that_it_needs_a_map_of_seven() -> None:
    explorer = opposite(head="convolutions")
    before = explorer.readout
    explorer.set(size=192)
    assert "layer 'fc1'" in explorer.message
    assert "kernel 7 x 7 does not fit a 6 x 6 map" in explorer.message
    assert explorer.readout == before
    explorer.set(head="global")
    assert explorer.message == ""
    assert explorer.readout != before


@pytest.mark.parametrize("size", [0, -5, 16])
def test_an_invalid_size_is_rejected(size: int) -> None:
    explorer = opposite()
    explorer.set(size=size)
    assert explorer.message
    assert str(size) in explorer.message or "does not fit" in explorer.message


def test_shares_by_input_size_match_the_tables() -> None:
    explorer = opposite(size=1000, by=BY[4])
    for bars, network in zip(halves(explorer), (VGG_KERAS, zoo.densenet201()), strict=True):
        assert [bar["name"] for bar in bars] == [f"{n} px" for n in sorted({*SIZES, 1000})]
        for bar in bars:
            size = int(str(bar["name"]).split()[0])
            part = total(network, size, "keras-parameters-mib") / total(network, size)
            assert bar["total"] == 100
            assert float(bar["values"][0]) == pytest.approx(float(100 * part), abs=0.005)
    amounts = halves(explorer.set(by=BY[3]))[1]
    at = next(bar for bar in amounts if bar["name"] == "1000 px")
    assert Fraction(at["total"], MIB) == total(zoo.densenet201(), 1000)


def test_the_share_of_parameters_falls_clearly_for_densenet_only() -> None:
    left, right = halves(opposite(by=BY[4]))
    vgg, dense = ([float(bar["values"][0]) for bar in bars] for bars in (left, right))
    assert dense == sorted(dense, reverse=True)
    assert max(vgg) - min(vgg) < 3 < max(dense) - min(dense)


def test_one_axis_for_both_makes_heights_comparable() -> None:
    explorer = opposite(size=1024)
    heights = []
    for same in (True, False):
        explorer.set(same=same)
        paths = [re.findall(r'<path fill="[^"]+" d="(M[^"]+)"', one) for one in explorer._drawn]
        heights.append(
            [min(float(y) for y in re.findall(r"V([\d.]+)h", "".join(p))) for p in paths]
        )
    (tall, low), (_, alone) = heights
    assert tall < low  # on screen: DenseNet's highest block is lower than VGG's fc1
    assert alone < low - 50


@pytest.mark.parametrize("by", [by for by in BY if by != "layer"])
def test_plots_side_by_side_end_at_the_same_height(by: str) -> None:
    explorer = opposite(size=1024, by=by)
    pattern = r'class="bar" x="[^"]+" y="([^"]+)" width="[^"]+" height="([^"]+)"'
    ends = [float(y) + float(h) for one in explorer._drawn for y, h in re.findall(pattern, one)]
    assert len(ends) == len(explorer.bars)
    assert max(ends) - min(ends) < 0.11


@pytest.mark.parametrize("by", BY)
def test_every_network_can_stand_beside_vgg(by: str) -> None:
    explorer = opposite(by=by, size=256)
    for name in labels():
        network = built(name)
        explorer.set(other=name)
        assert explorer.message == ""
        table = summary(network, (256, 256, network.image[2]))
        parts = fixed(table.total("keras-parameters-mib").value)
        assert f"{name}: {table.params + table.statistics:,} parameters = {parts} MiB" in (
            explorer.readout
        )


def test_every_setting_gives_a_chart_or_a_reason() -> None:
    explorer = opposite()
    for name, bound in explorer._bound.items():
        before = explorer.settings[name]
        values: list[Any] = [0, 1, 32, 1536, 5000]
        if isinstance(bound.source, ipywidgets.Dropdown):
            values = [value for _, value in bound.source.options]
        elif isinstance(bound.source, ipywidgets.Checkbox):
            values = [True, False]
        for value in values:
            explorer.set(**{name: value})
            assert explorer.message or all(bars for bars in halves(explorer))
            assert "defect" not in explorer.message
        explorer.set(**{name: before})
        assert explorer.message == ""
