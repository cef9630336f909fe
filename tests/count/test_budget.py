"""Budgets of a training step, against the frameworks and against counting by hand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import PROFILE, networks

from cnnmem import CnnmemError, NetworkError, ShapeError, summary
from cnnmem.count.budget import (
    MIXED,
    PRECISIONS,
    Reserve,
    budget,
    freeze,
    growth,
    largest_batch,
    moment_name,
    step_of,
)
from cnnmem.count.training import OPTIMIZERS
from cnnmem.model import zoo
from cnnmem.units import GiB, MiB

STATES = {"sgd": 0, "momentum": 1, "adam": 2}
CPU = ("vgg16", "resnet18", "mobilenet_v2", "densenet121", "alexnet")


def network(name):
    options = {"variant": "torchvision"} if "torchvision" in zoo.variants(name) else {}
    return zoo.get(name, **options)


# --- what is in memory


@pytest.mark.parametrize("optimizer", STATES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_parameters_gradients_and_state_are_multiples_of_the_parameters(optimizer, precision):
    for name in CPU:
        table = summary(network(name))
        of = budget(network(name), batch=3, optimizer=optimizer, precision=precision)
        assert of.parameters == 4 * (table.params + table.statistics)
        assert of.gradients == 4 * table.params
        assert of.state == STATES[optimizer] * 4 * table.params


def test_kept_bytes_are_the_recorded_ones():
    kept = {name: budget(network(name), batch=2).kept for name in CPU}
    assert kept == {
        "vgg16": 146_710_528,
        "alexnet": 7_482_368,
        "resnet18": 44_398_080,
        "mobilenet_v2": 156_555_520,
        "densenet121": 261_057_280,
    }


def test_each_part_is_counted_at_its_layer():
    of = budget(zoo.vgg16(), batch=2, optimizer="adam")
    table = summary("vgg16", batch=2)
    by_name = {part.name: part for part in of.parts}
    assert by_name["fc1"].parameters == 4 * 102_764_544
    assert by_name["fc1"].state == 2 * by_name["fc1"].gradients == 8 * 102_764_544
    assert by_name["fc1"].kept == table["fc1"].saved
    assert by_name["input"].kept == 4 * 2 * 224 * 224 * 3
    assert by_name["conv1_1"].kept == 0  # it keeps the image, which is counted in its own row
    assert sum(part.total for part in of.parts) == of.total


@given(networks(), st.sampled_from(sorted(PRECISIONS)), st.sampled_from(sorted(OPTIMIZERS)))
@PROFILE
def test_the_parts_sum_to_what_is_alive_after_forward(drawn, precision, optimizer):
    try:
        of = budget(drawn.network, batch=drawn.batch, precision=precision, optimizer=optimizer)
    except (NetworkError, ShapeError):
        return
    after = of.step.after_forward
    assert of.kept + of.copies == after.kept
    assert (of.parameters, of.state) == (after.parameters, after.state)
    assert of.gradients == of.step.moments[-1].gradients


# --- freezing


def test_frozen_features_keep_only_what_the_classifier_needs():
    net = freeze(zoo.vgg16("torchvision"), "pool5")
    of = budget(net, batch=2)
    classifier = 102_764_544 + 16_781_312 + 4_097_000
    assert of.gradients == 4 * classifier
    image = 4 * 2 * 224 * 224 * 3  # the caller holds it, even if backward does not keep it
    assert of.kept == 397_312 + image
    assert summary(net, batch=2).saved_bytes == 397_312


def test_freezing_nothing_returns_the_network_itself():
    net = zoo.vgg16()
    assert freeze(net, "") is net
    last = net.nodes[-1].name
    assert budget(freeze(net, last), batch=4, optimizer="adam").gradients == 0


def test_an_unknown_layer_cannot_be_frozen():
    with pytest.raises(CnnmemError, match="vgg16 has no layer 'pool9'"):
        freeze(zoo.vgg16(), "pool9")


# --- mixed precision, against torch.autocast


def kept_by_autocast(net, batch):
    """Return the bytes that autograd keeps under autocast: weight copies too, the image not."""
    import torch

    from cnnmem.frameworks import pytorch

    module = pytorch.build(net).train()
    own = {t.untyped_storage()._cdata for t in (*module.parameters(), *module.buffers())}
    kept = []
    x = torch.rand(batch, net.image[2], *net.image[:2])
    own.add(x.untyped_storage()._cdata)
    with (
        torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.append(t), t)[1], lambda t: t),
        torch.autocast("cpu", dtype=torch.bfloat16),
    ):
        module(x)
    storages = {t.untyped_storage()._cdata: t.untyped_storage().nbytes() for t in kept}
    return sum(size for key, size in storages.items() if key not in own)


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("alexnet", ""),
        ("resnet18", ""),
        ("mobilenet_v2", ""),
        ("densenet121", ""),
        ("vgg16", "pool5"),
        ("alexnet", "pool1"),
        ("resnet18", "layer2.1.relu"),
    ],
)
def test_mixed_precision_keeps_what_autocast_keeps(name, last):
    pytest.importorskip("torch")
    net = freeze(network(name), last)
    of = budget(net, batch=2, precision=MIXED)
    image = 4 * 2 * net.image[0] * net.image[1] * net.image[2]
    assert of.kept + of.copies - image == kept_by_autocast(net, 2)


def test_mixed_precision_halves_maps_and_adds_a_copy_of_the_weights():
    whole, mixed = (budget(zoo.vgg16(), batch=8, precision=p) for p in PRECISIONS)
    assert mixed.copies == 2 * sum(row.weights for row in summary("vgg16").rows)
    assert (mixed.parameters, mixed.gradients) == (whole.parameters, whole.gradients)
    indices = 8 * sum(row.indices for row in summary("vgg16", batch=8).rows)
    image = 4 * 8 * 224 * 224 * 3
    # the image once in float32, held by the caller, and once in bfloat16
    assert mixed.kept == (whole.kept - indices) // 2 + indices + image


def test_mixed_precision_can_need_more_for_a_small_batch():
    small, large = (
        [growth(zoo.vgg16(), precision=p).peak(batch) for p in PRECISIONS] for batch in (1, 64)
    )
    assert small[1] > small[0]
    assert large[1] < large[0]


# --- the batch that fits


@given(networks(), st.integers(1, 40), st.sampled_from(sorted(PRECISIONS)))
@PROFILE
def test_the_peak_of_any_batch_lies_on_straight_lines(drawn, batch, precision):
    try:
        of = budget(drawn.network, batch=batch, precision=precision, optimizer="adam")
    except (NetworkError, ShapeError):
        return
    lines = growth(drawn.network, optimizer="adam", precision=precision)
    assert lines.peak(batch) == of.peak.total
    assert lines.where(batch) in {moment_name(m) for m in of.step.moments}


@pytest.mark.parametrize("card", [1, 2, 4, 8, 24, 80])
@pytest.mark.parametrize("name", ["vgg16", "resnet18", "densenet121"])
def test_the_largest_batch_fits_and_one_more_does_not(name, card):
    net, reserve = network(name), Reserve()
    most = largest_batch(net, card=card * GiB.size, optimizer="adam")
    needed = [
        reserve.needed(budget(net, batch=batch, optimizer="adam").peak.total)
        for batch in (max(most, 1), most + 1)
    ]
    assert needed[1] > card * GiB.size
    assert most == 0 or needed[0] <= card * GiB.size
    assert (card, name) != (1, "vgg16") or most == 0


def test_a_reserve_is_added_to_the_tensors_and_taken_off_the_card():
    reserve = Reserve(context=100, workspace=50, rounding=Fraction(1, 5))
    assert reserve.needed(1000) == 1350
    assert reserve.room(1350) == 1000
    none = Reserve(0, 0, Fraction(0))
    assert largest_batch(zoo.vgg16(), card=2 * GiB.size, reserve=none) > largest_batch(
        zoo.vgg16(), card=2 * GiB.size
    )
    assert "0.49 GiB" in str(Reserve(context=500 * MiB.size))


def test_invalid_arguments_are_refused_by_name():
    for call, words in (
        (lambda: budget(zoo.vgg16(), optimizer="adagrad"), "no optimizer is called 'adagrad'"),
        (lambda: budget(zoo.vgg16(), precision="fp8"), "no precision is called 'fp8'"),
        (lambda: step_of(summary("vgg16"), precision="fp8"), "no precision is called 'fp8'"),
        (lambda: largest_batch(zoo.vgg16(), card=0), "card is 0"),
        (lambda: budget(zoo.vgg16(), batch=0), "batch"),
        (lambda: budget(zoo.vgg16(), (8, 8, 3)), "pool4"),
    ):
        with pytest.raises(CnnmemError, match=words):
            call()


def test_adams_temporaries_are_the_peak_for_a_small_batch():
    step = step_of(summary("vgg16"), "adam")
    assert step.peak.phase == "optimizer"
    assert step.peak.working >= 2 * 4 * 102_760_448  # two tensors of fc1's size
