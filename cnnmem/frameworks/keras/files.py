"""The files that Keras writes for a model."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import keras
from keras.src.utils.dtype_utils import dtype_size

from cnnmem.errors import CnnmemError
from cnnmem.frameworks.files import Content, SavedFile, measured


def keras_files(model: Any, adam: bool = True) -> tuple[SavedFile, ...]:
    """Save a built `keras.Model`: its weights, the whole model, and the model with Adam's state.

    With `adam`, a fresh Adam optimizer takes the place of the model's own for the third file.
    Afterwards the model has its own optimizer, or none, as before. Values count in their own dtype.
    Raises `CnnmemError` for a model that is not built.
    """
    if not model.built:
        raise CnnmemError(f"model {model.name!r} is not built; give it an Input or call build()")
    values = sum(map(_bytes, model.weights))
    trained = sum(map(_bytes, model.trainable_weights))

    def contents() -> Iterator[Content]:
        yield Content("model.save_weights(...)", "model.weights.h5", model.save_weights, values)
        yield Content("model.save(...)", "model.keras", model.save, values)
        if adam:
            yield Content("... with Adam's state", "trained.keras", with_adam, values + 2 * trained)

    def with_adam(path: Any) -> None:
        before = model.__dict__.copy()
        lists = [(v, list(v)) for v in before.values() if isinstance(v, list)]
        # TensorFlow wraps some dicts in what only looks like one
        dicts = [
            (getattr(v, "__wrapped__", v), dict(v)) for v in before.values() if isinstance(v, dict)
        ]
        try:
            model.compile(optimizer=keras.optimizers.Adam())
            model.optimizer.build(model.trainable_variables)
            model.save(path)
        finally:
            model.__dict__.clear()
            model.__dict__.update(before)
            # Keras and TensorFlow note the optimizer here too, and with it all its bytes
            for noted, old in lists:
                list.__setitem__(noted, slice(None), old)
            for named, entries in dicts:
                dict.clear(named)
                dict.update(named, entries)
            gc.collect()

    # Keras would build a `.keras` file in memory, which takes all its bytes a second time.
    with patch("keras.src.saving.saving_lib.is_memory_sufficient", return_value=False):
        return measured(contents())


def _bytes(variable: Any) -> int:
    return math.prod(variable.shape) * int(dtype_size(variable.dtype)) // 8
