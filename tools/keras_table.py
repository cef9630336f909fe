"""Write docs/keras-applications.md: every network of keras.applications in one table.

    python tools/keras_table.py

Each model is built without weights at its default size and read by `cnnmem.summary`. A test
compares every line with PyTorch's FlopCounterMode and with Keras' own count of parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from cnnmem.count.summary import Summary, summary
from cnnmem.frameworks import keras as models
from cnnmem.units import number

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "keras-applications.md"
APPLICATIONS: dict[str, Callable[..., Any]] = dict(
    inspect.getmembers(keras.applications, inspect.isfunction)
)
HEADER = """\
# keras.applications in numbers

Written by `python tools/keras_table.py`; a test compares it line by line with Keras' own count of
parameters and with half of what PyTorch's FlopCounterMode counts for the same model on Keras' torch
backend. One image at the model's default size (the two MobileNetV3 leave it open: 224 here), with
the classifier. "Values" are all newly made feature-map values, the image among them, as the
default convention of `cnnmem` counts them; in float32 a value takes 4 bytes.

| model | image | layers | parameters | statistics | MACs | values | float32, MB |
|---|---|---:|---:|---:|---:|---:|---:|
"""


def build(name: str) -> Any:
    """Return a model of keras.applications at its default size, without weights."""
    options = {"input_shape": (224, 224, 3)} if name.startswith("MobileNetV3") else {}
    return models.without_weights(APPLICATIONS[name], weights=None, **options)


def line(name: str, table: Summary) -> str:
    """Return a model's line in the document."""
    return (
        f"| {name} | {' x '.join(map(str, table.image))} | {len(table.rows) - 1:,} "
        f"| {table.params:,} | {table.statistics:,} | {table.macs:,} | {table.values:,} "
        f"| {number(table.total('tensors').value, 1)} |"
    )


def main() -> None:
    """Write the document."""
    lines = [line(name, summary(build(name))) for name in sorted(APPLICATIONS)]
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{DOCUMENT.name}: {len(lines)} models")


if __name__ == "__main__":
    main()
