"""For all of keras.applications, parameters equal Keras' own and MACs equal FlopCounterMode's."""

import importlib.util
import math
from pathlib import Path

import pytest

from cnnmem import summary

keras = pytest.importorskip("keras")
pytest.importorskip("torch")

from keras_oracle import flop_counter_macs, rows_of, torch_backend_table

PATH = Path(__file__).resolve().parents[3] / "tools" / "keras_table.py"
SPEC = importlib.util.spec_from_file_location("keras_table", PATH)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


def test_the_document_has_one_line_for_every_application_and_no_others():
    assert len(tool.APPLICATIONS) >= 40
    text = tool.DOCUMENT.read_text(encoding="utf-8")
    assert text.startswith(tool.HEADER)
    lines = text.removeprefix(tool.HEADER).splitlines()
    assert [line.split()[1] for line in lines] == sorted(tool.APPLICATIONS)


# Keras refuses to build it on PyTorch ("an outstanding bug", 3.15).
REFUSED = {"NASNetMobile"} if keras.backend.backend() == "torch" else set()


@pytest.mark.parametrize("name", sorted(tool.APPLICATIONS.keys() - REFUSED))
def test_parameters_and_macs_equal_those_of_the_frameworks(name):
    model = tool.build(name)
    table = summary(model)
    assert table.uncounted == ()
    assert table.params + table.statistics == model.count_params()
    assert table.params == sum(math.prod(v.shape) for v in model.trainable_weights)
    assert table.macs == flop_counter_macs(model, [(1, *table.image)])
    assert tool.line(name, table) in tool.DOCUMENT.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "EfficientNetB0", "MobileNetV3Small", "VGG16"])
def test_the_table_is_the_same_on_the_torch_backend(name):
    model = tool.build(name)
    table = summary(model, batch=2)
    assert torch_backend_table(model, [(2, *table.image)]) == rows_of(table)
