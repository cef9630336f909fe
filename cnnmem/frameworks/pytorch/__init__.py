"""Read PyTorch modules into tables, and build and measure modules from plain networks.

Everything loads on first use, so importing this package does not yet import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .counters import backward_flops, count, counts
    from .files import torch_files
    from .macs import Work
    from .plain_module import build
    from .read import table_of, work
    from .saved import saved_bytes
    from .step import TrainingStep, training_step

_HOME = {
    "TrainingStep": "step",
    "Work": "macs",
    "backward_flops": "counters",
    "build": "plain_module",
    "count": "counters",
    "counts": "counters",
    "saved_bytes": "saved",
    "table_of": "read",
    "torch_files": "files",
    "training_step": "step",
    "work": "read",
}

__all__ = [
    "TrainingStep",
    "Work",
    "backward_flops",
    "build",
    "count",
    "counts",
    "saved_bytes",
    "table_of",
    "torch_files",
    "training_step",
    "work",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
