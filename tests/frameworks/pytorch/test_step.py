"""A real training step allocates what arithmetic predicts, if no kernel needs temporaries."""

import pytest
import torch
from torch import nn

from cnnmem import summary
from cnnmem.errors import CnnmemError, ShapeError, UnknownNameError
from cnnmem.frameworks.pytorch import build, training_step
from cnnmem.model import zoo

LARGE, SMALL = 1000 * 2000 * 4, (2000 * 10 + 10) * 4
HIDDEN, OUTPUT, LOSS = 64 * 2000 * 4, 64 * 10 * 4, 4


def model():
    return nn.Sequential(nn.Linear(1000, 2000, bias=False), nn.ReLU(), nn.Linear(2000, 10))


@pytest.mark.parametrize(("optimizer", "states"), [("sgd", 0), ("momentum", 1), ("adam", 2)])
@pytest.mark.parametrize("first", [True, False])
def test_two_linear_layers_to_the_byte(optimizer, states, first):
    step = training_step(model(), (64, 1000), optimizer=optimizer, first=first)
    assert (step.parameters, step.buffers, step.image) == (LARGE + SMALL, 0, 64 * 1000 * 4)
    assert step.after_forward == HIDDEN + LOSS
    assert step.peak_forward == 2 * HIDDEN
    counters = 3 * 4 if optimizer == "adam" else 0  # its step count, one scalar per parameter
    grown = states * (LARGE + SMALL) + counters
    assert step.state == (0 if first else grown)
    assert step.after_step == LARGE + SMALL + (grown if first else 0)
    temporaries = step.peak_optimizer - step.after_step
    # Adam's step needs two temporaries of the largest parameter's size, and a few scalars
    assert 0 <= temporaries - (2 * LARGE if optimizer == "adam" else 0) < 64
    assert step.peak == max(step.peak_forward, step.peak_backward, step.peak_optimizer)


def test_after_forward_exactly_the_kept_tensors_are_alive():
    network = zoo.densenet121(variant="torchvision")
    step = training_step(build(network), (2, 3, 64, 64))
    table = summary(network, (64, 64, 3), 2)
    # the image exists before the step
    assert step.after_forward == table.saved_bytes - step.image + LOSS


def test_the_module_itself_is_not_trained():
    module = build(zoo.lenet5())
    before = {k: v.clone() for k, v in module.state_dict().items()}
    state = torch.random.get_rng_state()
    training_step(module, (2, 1, 32, 32), optimizer="adam")
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_invalid_arguments_are_refused_by_name():
    with pytest.raises(UnknownNameError, match="no optimizer is called 'lion'"):
        training_step(model(), (64, 1000), optimizer="lion")
    with pytest.raises(ShapeError, match="input shape is"):
        training_step(model(), (64, 0))
    with pytest.raises(CnnmemError, match="nothing to train"):
        training_step(model().requires_grad_(False), (64, 1000))
