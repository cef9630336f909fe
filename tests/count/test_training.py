"""Memory over time: what is alive at each moment of inference and of a training step."""

import pytest
from hypothesis import given, settings
from strategies import PROFILE, networks

from cnnmem import CnnmemError, Network, NetworkError, Node, UnknownNameError, summary
from cnnmem.count.training import OPTIMIZERS, inference, training_step
from cnnmem.model import zoo
from cnnmem.model.layers import Add, Conv2d, Flatten, Linear, ReLU
from cnnmem.plots import timeline_of

ALL = [(name, variant) for name in zoo.names() for variant in zoo.variants(name)]
MB = 10**6


def counted(table):
    """Bytes of all that is kept and of the image, which counts once."""
    image = 4 * table.rows[0].values
    return table.saved_bytes + (0 if table.rows[0].kept_values else image)


def tensors_at_rest(table):
    """The bytes of the image and of the output, which the caller holds after the step."""
    return 4 * (table.rows[0].outputs + table.rows[-1].outputs)


def frozen(network, names):
    return Network(
        network.name,
        tuple(
            Node(n.name, n.layer, n.inputs, n.block, n.functional, n.name.startswith(names))
            for n in network.nodes
        ),
        network.image,
    )


def test_inference_of_vgg16_needs_25_690_112_bytes_at_once():
    timeline = inference(summary("vgg16"))
    assert max(m.activations for m in timeline.moments) == 25_690_112
    assert (timeline.peak.layer, timeline.peak.activations) == ("conv1_2", 25_690_112)
    assert {m.kept for m in timeline.moments} == {0}
    assert {m.parameters for m in timeline.moments} == {553_430_176}
    assert timeline.peak.total == 25_690_112 + 553_430_176


def test_inference_by_hand_on_a_shortcut():
    nodes = (
        Node("conv1", Conv2d(2, 3, padding=1)),  # 4 x 4 x 2, 128 bytes
        Node("relu", ReLU(in_place=True), ("conv1",)),
        Node("conv2", Conv2d(2, 3, padding=1), ("relu",)),
        Node("add", Add(), ("conv2", "relu")),
        Node("flat", Flatten(), ("add",)),
        Node("fc", Linear(1), ("flat",)),
    )
    table = summary(Network("shortcut", nodes, (4, 4, 1)))
    alive = [m.activations for m in inference(table).moments]
    #        image+conv1, conv1, conv1+conv2, all three, add, add+fc
    assert alive == [64 + 128, 128, 256, 384, 128, 132]


def test_a_padded_copy_is_alive_while_its_layer_works():
    table = summary(Network.chain("net", {"conv": Conv2d(1, 3, 2, "same")}, (4, 4, 1)))
    assert [m.activations for m in inference(table).moments] == [4 * (16 + 25 + 4)]
    assert table.total("inference-peak").base == 4 * (16 + 25 + 4)


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_the_convention_inference_peak_is_the_maximum_over_time(name, variant):
    table = summary(zoo.get(name, variant=variant), batch=2)
    assert table.total("inference-peak").base == inference(table).peak.activations


@settings(PROFILE, max_examples=150)
@given(networks())
def test_random_networks_have_the_same_peak_and_free_every_tensor(drawn):
    try:
        table = summary(drawn.network, batch=drawn.batch)
    except NetworkError:
        return
    moments = inference(table).moments
    assert table.total("inference-peak").base == max(m.activations for m in moments)
    step = training_step(table)
    assert all(min(m) >= 0 for m in ([*m[2:]] for m in step.moments))
    assert step.after_forward.kept == counted(table)
    assert_all_freed(table, step)


def assert_all_freed(table, step):
    """At the end of backward and of the step only what the caller holds is left."""
    assert step.moments[-1].phase == "optimizer"
    assert step.moments[-1].activations == tensors_at_rest(table)
    for moment in [m for m in step.moments if m.phase == "backward"][-1:]:
        # while the last layer works, only the image and what this layer keeps are left
        row, image = table[moment.layer], 4 * table.rows[0].outputs
        own = row.saved - (image if table.rows[0].kept_values and _keeps_image(table, row) else 0)
        assert moment.kept - image == own


def _keeps_image(table, row):
    """Return whether the row is the one that keeps the image."""
    return table.rows[table.storage.keeper[0]] is row


@pytest.mark.parametrize(("name", "variant"), ALL)
@pytest.mark.parametrize("top", [True, False])
def test_after_forward_the_kept_bytes_are_the_tables(name, variant, top):
    table = summary(zoo.get(name, variant=variant, top=top), batch=2)
    step = training_step(table)
    assert step.after_forward.kept == counted(table)
    if table.rows[0].kept_values:  # the first layer keeps the image: no need to add it
        assert step.after_forward.kept == table.saved_bytes


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_backward_frees_every_tensor_and_brings_every_gradient(name, variant):
    table = summary(zoo.get(name, variant=variant))
    step = training_step(table)
    assert_all_freed(table, step)
    backward = [m for m in step.moments if m.phase == "backward"]
    assert backward[-1].gradients == step.moments[-1].gradients == 4 * table.params
    # the only gradient of a map that is left is that of the first layer's output
    output = 0 if table.storage.owner[-1] in table.storage.keeper else table.rows[-1].outputs
    assert backward[-1].working == 4 * (table[backward[-1].layer].outputs + output)
    kept = [m.kept for m in backward]
    assert kept == sorted(kept, reverse=True)
    gradients = [m.gradients for m in backward]
    assert gradients == sorted(gradients)
    assert [m.gradients for m in step.moments if m.phase == "forward"] == [0] * (
        len(table.rows) - 1
    )


def test_backward_of_torchvisions_vgg16_needs_hardly_more_than_forward_left():
    table = summary(zoo.vgg16(variant="torchvision"), batch=8)
    step = training_step(table)
    assert step.after_forward.activations == 586_874_112
    assert max(m.activations for m in step.moments) == 589_298_944
    # but the peak of the whole step is the end of forward plus the gradients
    assert step.peak.phase == "backward"
    assert step.peak.total - step.peak.parameters > 1_000 * MB


@pytest.mark.parametrize(("optimizer", "states"), [("sgd", 0), ("momentum", 1), ("adam", 2)])
def test_an_optimizer_keeps_its_states_from_step_to_step(optimizer, states):
    table = summary("resnet18")
    step = training_step(table, optimizer)
    assert {m.state for m in step.moments} == {states * 4 * table.params}
    first = training_step(table, optimizer, first=True)
    assert {m.state for m in first.moments[:-1]} == {0}
    assert first.moments[-1].state == states * 4 * table.params


def test_parameters_gradients_and_adam_are_four_times_the_parameters():
    table = summary("vgg16")
    end = training_step(table, "adam").moments[-1]
    assert end.parameters + end.gradients + end.state == 4 * 553_430_176


def test_adams_own_step_is_the_peak_of_vgg16_by_two_temporaries_of_fc1():
    table = summary("vgg16")
    step = training_step(table, "adam")
    assert step.peak.phase == "optimizer"
    temporaries = step.peak.working - 4 * table.rows[-1].outputs
    assert temporaries == 2 * 4 * table["fc1"].weights == 822_083_584


def test_statistics_take_memory_and_have_no_gradient():
    table = summary("resnet18")
    step = training_step(table)
    assert step.moments[0].parameters == 4 * (table.params + table.statistics)
    assert step.moments[-1].gradients == 4 * table.params


def test_frozen_layers_have_neither_gradient_nor_state_and_stop_backward():
    table = summary(frozen(zoo.vgg16(variant="torchvision"), "conv"), batch=2)
    step = training_step(table, "adam")
    learned = sum(row.params for row in table.rows if row.kind == "linear")
    assert step.moments[-1].gradients == 4 * learned
    assert step.moments[-1].state == 2 * 4 * learned
    backward = [m.layer for m in step.moments if m.phase == "backward"]
    assert backward[-1] == "fc1"  # no layer before it needs a gradient
    assert step.after_forward.kept == 397_312 + 4 * table.rows[0].outputs
    assert_all_freed(table, training_step(table))


def test_a_network_without_parameters_has_no_backward():
    table = summary(Network.chain("net", {"relu": ReLU()}, (4, 4, 1)))
    step = training_step(table)
    assert step.moments[-1].gradients == 0
    assert step.after_forward.kept == 64


def test_memory_over_time_grows_with_the_batch_but_parameters_do_not():
    one, eight = (training_step(summary("vgg16", batch=n)) for n in (1, 8))
    assert eight.after_forward.activations == 8 * one.after_forward.activations
    assert {m.parameters for m in one.moments} == {m.parameters for m in eight.moments}


def test_half_the_width_is_half_the_memory_except_for_indices():
    full, half = (training_step(summary("resnet18", dtype=d)) for d in ("float32", "bfloat16"))
    assert 2 * half.moments[-1].gradients == full.moments[-1].gradients
    assert half.after_forward.kept == summary("resnet18", dtype="bfloat16").saved_bytes


def test_other_optimizers_and_evaluation_mode_are_refused():
    for name in ("rmsprop", None, ["adam"]):
        with pytest.raises(UnknownNameError, match="there are sgd, momentum, adam"):
            training_step(summary("vgg16"), name)
    assert set(OPTIMIZERS) == {"sgd", "momentum", "adam"}
    with pytest.raises(CnnmemError, match='in mode "eval"; a training step needs'):
        training_step(summary("vgg16", mode="eval"))


def test_a_table_without_its_graph_is_refused():
    vgg16 = summary("vgg16")
    counts = type(vgg16)("net", vgg16.image, 1, vgg16.rows)
    for timeline in (inference, training_step):
        with pytest.raises(CnnmemError, match="does not hold its graph"):
            timeline(counts)
    with pytest.raises(CnnmemError, match="cannot be added up"):
        counts.total("inference-peak")


def test_the_chart_has_the_moments_and_their_maximum():
    timeline = training_step(summary("vgg16"), "adam")
    chart = timeline_of(timeline)
    stacked = [sum(column) for column in zip(*[s.values for s in chart.series], strict=True)]
    assert max(stacked) == timeline.peak.total
    alone = timeline_of(timeline, parameters=False)
    tensors = [sum(column) for column in zip(*[s.values for s in alone.series], strict=True)]
    assert tensors == [m.activations for m in timeline.moments]
