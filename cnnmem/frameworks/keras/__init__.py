"""Read Keras models into tables, and build Keras models from plain networks.

Everything loads on first use, so importing this package does not yet import Keras: it only sets
the environment that Keras will read.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnnmem.frameworks.availability import prepare_keras

if TYPE_CHECKING:
    from .files import keras_files
    from .plain_model import build
    from .read import table_of, without_weights

_HOME = {
    "build": "plain_model",
    "keras_files": "files",
    "table_of": "read",
    "without_weights": "read",
}

__all__ = ["build", "keras_files", "table_of", "without_weights"]

prepare_keras()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
