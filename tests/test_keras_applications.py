"""All of keras.applications: parameters equal Keras' own, MACs equal FlopCounterMode's."""

import inspect
import math
import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
keras = pytest.importorskip("keras")
pytest.importorskip("torch")

from keras_oracle import flop_counter_macs, rows_of, torch_backend_table  # noqa: E402

from cnnmem import from_keras  # noqa: E402

APPLICATIONS = dict(inspect.getmembers(keras.applications, inspect.isfunction))


def build(name):
    """Build an application at its default size; MobileNetV3 leaves its size open."""
    options = {"input_shape": (224, 224, 3)} if name.startswith("MobileNetV3") else {}
    return from_keras.build(APPLICATIONS[name], weights=None, **options)


def test_the_applications_are_found():
    assert len(APPLICATIONS) >= 40


@pytest.mark.parametrize("name", APPLICATIONS)
def test_parameters_and_macs_are_those_of_the_frameworks(name):
    model = build(name)
    table = from_keras.summary(model)
    assert table.uncounted == ()
    assert table.params + table.statistics == model.count_params()
    assert table.params == sum(math.prod(v.shape) for v in model.trainable_weights)
    assert table.macs == flop_counter_macs(model, [(1, *table.image)])


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "EfficientNetB0", "MobileNetV3Small", "VGG16"])
def test_the_table_is_the_same_on_the_torch_backend(name):
    model = build(name)
    table = from_keras.summary(model, batch=2)
    assert torch_backend_table(model, [(2, *table.image)]) == rows_of(table)
