"""Real files: a network is saved by its framework, measured and removed.

The sizes are the file system's. Nothing stays on the disk: the files live in a temporary folder
that is removed whatever happens.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import CnnmemError
from .network import Network
from .table import summary
from .units import MB, MiB, fixed, memory


@dataclass(frozen=True)
class SavedFile:
    """A file as it was written: what is in it, its bytes, and the bytes of the values in it."""

    what: str
    name: str
    bytes: int
    values_bytes: int

    @property
    def overhead(self) -> int:
        """Bytes beside the values: names, shapes, alignment, the file's own tables."""
        return self.bytes - self.values_bytes

    def __str__(self) -> str:
        mb, mib = self.bytes / MB.size, self.bytes / MiB.size
        size = f"{fixed(mb)} MB = {fixed(mib)} MiB"
        return f"{self.what}: {size}, of it {memory(self.overhead)} not values"


def torch_files(network: Network, adam: bool = True) -> tuple[SavedFile, ...]:
    """Save a network with `torch.save`: its state_dict, and with `adam` that with Adam's state.

    Adam's state are two tensors a parameter. Needs PyTorch, and on the disk three times the
    parameters for a moment.
    """
    import torch

    from .to_torch import build

    module = build(network)
    values = summary(network).params * 4
    statistics = summary(network).statistics * 4
    counters = sum(8 for name, _ in module.named_buffers() if name.endswith("num_batches_tracked"))
    stored = values + statistics + counters

    def contents() -> Iterator[tuple[str, str, Callable[[Path], Any], int]]:
        yield (
            "torch.save(model.state_dict())",
            "model.pt",
            lambda path: torch.save(module.state_dict(), path),
            stored,
        )
        if adam:
            optimizer = torch.optim.Adam(module.parameters())
            _fill_state(module, optimizer)
            steps = 4 * len(list(module.parameters()))  # Adam counts its steps per tensor
            yield (
                "... with Adam's state",
                "checkpoint.pt",
                lambda path: torch.save(
                    {"model": module.state_dict(), "optimizer": optimizer.state_dict()}, path
                ),
                stored + 2 * values + steps,
            )

    return _measure(contents())


def _fill_state(module: Any, optimizer: Any) -> None:
    """Give Adam the state it has after a step, without a backward pass for its gradients."""
    import torch

    for parameter in module.parameters():
        optimizer.state[parameter] = {
            "step": torch.tensor(1.0),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }


def keras_files(model: Any, adam: bool = True) -> tuple[SavedFile, ...]:
    """Save a built `keras.Model`: its weights, the whole model, and the model with Adam's state."""
    import keras

    if not model.built:
        raise CnnmemError(f"model {model.name!r} is not built; give it an Input or call build()")
    values = 4 * sum(math.prod(weight.shape) for weight in model.weights)
    trained = 4 * sum(math.prod(weight.shape) for weight in model.trainable_weights)

    def contents() -> Iterator[tuple[str, str, Callable[[Path], Any], int]]:
        yield "model.save_weights(...)", "model.weights.h5", model.save_weights, values
        yield "model.save(...)", "model.keras", model.save, values
        if adam:
            model.compile(optimizer=keras.optimizers.Adam())
            model.optimizer.build(model.trainable_variables)
            yield "... with Adam's state", "trained.keras", model.save, values + 2 * trained

    return _measure(contents())


def _measure(
    contents: Iterator[tuple[str, str, Callable[[Path], Any], int]],
) -> tuple[SavedFile, ...]:
    files = []
    with tempfile.TemporaryDirectory(prefix="cnnmem-") as folder:
        for what, name, save, values in contents:
            path = Path(folder) / name
            save(path)
            files.append(SavedFile(what, name, path.stat().st_size, values))
            path.unlink()
    return tuple(files)
