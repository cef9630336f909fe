"""Counting and measuring free what they took: no model stays alive behind the user's back."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch import nn

from cnnmem import summary
from cnnmem.frameworks.pytorch import saved_bytes


def model() -> nn.Module:
    # kept outputs, in place and not: each would hold the node that keeps it
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 8, 3),
        nn.Sigmoid(),
    )


@pytest.mark.parametrize("how", ["faked", "executed", "measured"])
def test_a_model_and_its_weights_are_freed_when_the_user_drops_them(how: str) -> None:
    module = model()
    tensors = [weakref.ref(p) for p in module.parameters()]
    gone = weakref.ref(module)
    if how == "measured":
        saved_bytes(module, (2, 3, 16, 16))
    else:
        summary(module, (2, 3, 16, 16), execute=how == "executed")
    del module
    assert gone() is None
    assert [ref() for ref in tensors] == [None] * len(tensors)
    assert torch.is_grad_enabled()
