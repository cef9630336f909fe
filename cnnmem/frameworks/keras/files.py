"""The files that Keras writes for a model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras

from cnnmem.errors import CnnmemError
from cnnmem.frameworks.files import Content, SavedFile, measured


def keras_files(model: Any, adam: bool = True) -> tuple[SavedFile, ...]:
    """Save a built `keras.Model`: its weights, the whole model, and the model with Adam's state.

    With `adam`, the model is compiled with a fresh Adam optimizer and stays so. Raises
    `CnnmemError` for a model that is not built.
    """
    if not model.built:
        raise CnnmemError(f"model {model.name!r} is not built; give it an Input or call build()")
    values = 4 * sum(math.prod(weight.shape) for weight in model.weights)
    trained = 4 * sum(math.prod(weight.shape) for weight in model.trainable_weights)

    def contents() -> Iterator[Content]:
        yield Content("model.save_weights(...)", "model.weights.h5", model.save_weights, values)
        yield Content("model.save(...)", "model.keras", model.save, values)
        if adam:
            model.compile(optimizer=keras.optimizers.Adam())
            model.optimizer.build(model.trainable_variables)
            yield Content(
                "... with Adam's state", "trained.keras", model.save, values + 2 * trained
            )

    return measured(contents())
