"""The zoo's "keras" variants are the real keras.applications, row for row; and FACTS B, D5, A9."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

keras = pytest.importorskip("keras")

from cnnmem import summary
from cnnmem.frameworks import keras as models
from cnnmem.model import zoo

ROOT = Path(__file__).resolve().parents[3]
TWINS = [
    ("vgg16", "VGG16", {}, {}),
    ("vgg19", "VGG19", {}, {}),
    ("resnet50", "ResNet50", {}, {}),
    ("densenet121", "DenseNet121", {}, {}),
    ("densenet169", "DenseNet169", {}, {}),
    ("densenet201", "DenseNet201", {}, {}),
    ("mobilenet_v1", "MobileNet", {}, {}),
    ("mobilenet_v1", "MobileNet", {"width": 0.5}, {"alpha": 0.5}),
    ("mobilenet_v1", "MobileNet", {"width": 0.25}, {"alpha": 0.25}),
    ("mobilenet_v2", "MobileNetV2", {}, {}),
    ("mobilenet_v2", "MobileNetV2", {"width": 1.4}, {"alpha": 1.4}),
    ("mobilenet_v2", "MobileNetV2", {"width": 0.35}, {"alpha": 0.35}),
]


def application(name, size, top=True, **options):
    function = getattr(keras.applications, name)
    return models.without_weights(
        function, weights=None, include_top=top, input_shape=(size, size, 3), **options
    )


def compared(table):
    """Return the rows by name; in-place layers have no counterpart in Keras."""
    return {
        row.name: (
            row.kind,
            row.inputs,
            row.output,
            row.weights,
            row.biases,
            row.statistics,
            row.values,
            row.views,
            row.macs,
            row.input_values,
        )
        for row in table.rows
        if not row.overwrites
    }


@pytest.mark.parametrize("size", [224, 161, 200])
@pytest.mark.parametrize("top", [True, False])
@pytest.mark.parametrize(("plain", "real", "plain_options", "real_options"), TWINS)
def test_the_zoo_equals_keras_row_for_row(plain, real, plain_options, real_options, top, size):
    model = application(real, size, top, **real_options)
    network = zoo.get(plain, variant="keras", top=top, image=(size, size, 3), **plain_options)
    table, twin = summary(model, batch=2), summary(network, batch=2)
    assert compared(table) == compared(twin)
    assert [row.name for row in table.rows[1:]] == [each.name for each in model.layers[1:]]
    assert table.params + table.statistics == model.count_params()


@pytest.mark.parametrize("size", [299, 224])
@pytest.mark.parametrize("top", [True, False])
def test_inception_v3_equals_keras_whatever_its_layers_are_called(top, size):
    # Keras numbers its layers, and lists those of a block side by side
    table = summary(application("InceptionV3", size, top), batch=2)
    twin = summary(zoo.inception_v3("keras", top=top, image=(size, size, 3)), batch=2)
    assert sorted(compared(table).values(), key=str) == sorted(compared(twin).values(), key=str)
    assert size < 299 or not top or table.params + table.statistics == 23_851_784


@pytest.mark.parametrize("name", sorted({twin[0] for twin in TWINS}))
def test_the_keras_model_built_from_the_zoo_equals_the_application(name):
    real = next(twin[1] for twin in TWINS if twin[0] == name)
    built = summary(models.without_weights(models.build, zoo.get(name, variant="keras")))
    table = summary(application(real, 224))
    missing = compared(table).keys() - compared(built).keys()
    assert not missing
    assert built.params == table.params
    assert built.statistics == table.statistics
    assert built.macs == table.macs


def value(table, convention):
    return table.total(convention).value


def mib(values):
    return Fraction(values * 4, 2**20)


def test_b1_vgg16_without_top_at_1024():
    table = summary(application("VGG16", 1024, top=False))
    assert value(table, "keras-parameters") == 14_714_688
    assert round(value(table, "keras-outputs"), 1) == Fraction("1214.0")


def test_b2_b3_vgg16_with_top_at_1024():
    table = summary(application("VGG16", 1024))
    assert value(table, "keras-parameters") == 2_183_080_744
    assert value(table, "keras-parameters-mib") == mib(2_183_080_744)
    assert f"{float(value(table, 'keras-parameters-mib')):.11f}" == "8327.79214477539"
    assert f"{float(value(table, 'keras-outputs')):.10f}" == "1216.0350646973"
    assert f"{float(value(table, 'keras-memory')):.10f}" == "9543.8272094727"
    assert table["fc1"].params == 32 * 32 * 512 * 4096 + 4096 == 2_147_487_744
    assert table["fc1"].weights == 2**31


def test_b4_b6_densenet201_at_1024():
    with_top = summary(application("DenseNet201", 1024))
    without = summary(application("DenseNet201", 1024, top=False))
    assert value(without, "keras-parameters") == 18_321_984
    assert value(with_top, "keras-parameters") == 20_242_984
    assert f"{float(value(with_top, 'keras-parameters-mib')):.10f}" == "77.2208557129"
    assert (with_top.params, with_top.statistics) == (20_013_928, 229_056)
    assert f"{float(value(with_top, 'keras-outputs')):.11f}" == "6159.15315246582"
    # B5: Keras 2 of 2018 had no ReLU after the last BatchNorm
    old = value(with_top, "keras-outputs") - mib(with_top["relu"].values)
    assert f"{float(old):.11f}" == "6151.65315246582"
    assert f"{float(old + value(with_top, 'keras-parameters-mib')):.12f}" == "6228.874008178711"
    assert with_top["relu"].values == 32 * 32 * 1920


def test_a9_keras_lists_flatten_as_a_layer():
    table = summary(application("VGG16", 224))
    assert value(table, "keras-outputs") == mib(15_262_696)
    assert table.values == 15_237_608
    assert table["flatten"].views == 25_088


def test_d5_mobilenet_with_its_statistics():
    table = summary(application("MobileNet", 224))
    assert table.params == 4_231_976
    assert value(table, "keras-parameters") == 4_253_864


MEMORY = """
import resource, sys
import keras
from cnnmem import summary
from cnnmem.frameworks import keras as models

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

small = models.without_weights(keras.applications.VGG16, weights=None, input_shape=(32, 32, 3),
                         include_top=False)
before = peak()
model = models.without_weights(keras.applications.VGG16, weights=None, input_shape=(1024, 1024, 3))
table = summary(model)
total = table.total("keras-memory")
# Later scopes of other code must not allocate the weights either.
with keras.StatelessScope():
    pass
keras.layers.Dense(1).build((None, 1))
print(table.params, peak() - before)
"""


def test_vgg16_at_1024_with_top_takes_under_a_gigabyte():
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, cwd=ROOT, check=True
    )
    params, rise = map(int, done.stdout.split())
    assert params == 2_183_080_744
    assert rise < 10**9
