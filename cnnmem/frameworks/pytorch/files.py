"""The files that PyTorch writes for a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from cnnmem.count.table import table_of
from cnnmem.frameworks.files import Content, SavedFile, measured
from cnnmem.model.network import Network

from .plain_module import build


def torch_files(network: Network, adam: bool = True) -> tuple[SavedFile, ...]:
    """Save a network with `torch.save`: its state_dict, and with `adam` also Adam's state.

    Adam's state is two tensors per parameter, so the disk briefly holds three times the parameters.
    """
    module = build(network)
    table = table_of(network)
    values, statistics = 4 * table.params, 4 * table.statistics
    counters = sum(8 for name, _ in module.named_buffers() if name.endswith("num_batches_tracked"))
    stored = values + statistics + counters

    def contents() -> Iterator[Content]:
        yield Content(
            "torch.save(model.state_dict())",
            "model.pt",
            lambda path: torch.save(module.state_dict(), path),
            stored,
        )
        if adam:
            optimizer = torch.optim.Adam(module.parameters())
            _fill_state(module, optimizer)
            steps = 4 * len(list(module.parameters()))  # Adam's step count, one per tensor
            yield Content(
                "... with Adam's state",
                "checkpoint.pt",
                lambda path: torch.save(
                    {"model": module.state_dict(), "optimizer": optimizer.state_dict()}, path
                ),
                stored + 2 * values + steps,
            )

    return measured(contents())


def _fill_state(module: Any, optimizer: Any) -> None:
    """Give Adam the state that it has after a step, without running a backward pass."""
    for parameter in module.parameters():
        optimizer.state[parameter] = {
            "step": torch.tensor(1.0),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
