"""Models of a reader's own in JupyterLab: the explorers show them, with all their controls."""

from __future__ import annotations

from pathlib import Path

import pytest
from controls import move_everything
from jupyter import Browser, Server, open_notebook, output_errors, run_all, write
from twins import OWN, title_of

pytestmark = pytest.mark.browser

SUPPORT = Path(__file__).parents[1] / "support"
TORCH = f"""
import sys
sys.path.insert(0, {str(SUPPORT)!r})
from torchvision_shim import models
arguments = models.resnet18(), (1, 3, 224, 224)
"""
KERAS = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"], os.environ["TF_ENABLE_ONEDNN_OPTS"] = "3", "0"
import keras
layers = keras.layers
image = keras.Input((64, 64, 3), name="image")  # names: Keras counts on from model to model
x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1")(image)
x = layers.MaxPooling2D(name="pool")(x)
x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv2")(x)
x = layers.GlobalAveragePooling2D(name="mean")(x)
arguments = (keras.Model(image, layers.Dense(10, name="fc")(x), name="small"),)
"""
PLAIN = """
from cnnmem.model.layers import Conv2d, GlobalAvgPool2d, Linear, ReLU
from cnnmem.model.network import Network
layers = {"conv": Conv2d(8, 3), "relu": ReLU(), "pool": GlobalAvgPool2d(), "fc": Linear(10)}
arguments = (Network.chain("own", layers, (32, 48, 3)),)
"""
SHOW = "from cnnmem import widgets\nwidgets.{}(*arguments)"


def made_by(source: str) -> tuple[object, ...]:
    names: dict[str, tuple[object, ...]] = {}
    exec(source, names)
    return names["arguments"]


@pytest.mark.parametrize(
    ("network", "source", "explorers"),
    [
        ("ResNet", TORCH, ("explore", "over_time", "budget")),
        ("small", KERAS, ("explore", "over_time")),
        ("own", PLAIN, ("explore", "over_time", "budget")),
    ],
)
def test_a_model_of_ones_own_moves_in_every_explorer(
    network: str,
    source: str,
    explorers: tuple[str, ...],
    server: Server,
    browser: Browser,
    artefacts: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(OWN, network, lambda: made_by(source))
    page = browser.page
    name = write(server, f"own-{network}.ipynb", source, *[SHOW.format(e) for e in explorers])
    open_notebook(page, server, name)
    run_all(page)
    assert output_errors(page) == []
    shown = page.locator(".cnnmem-explorer")
    assert shown.count() == len(explorers)
    for i in range(shown.count()):
        assert move_everything(page, shown.nth(i)) > 0, title_of(shown.nth(i))
        shown.nth(i).screenshot(path=str(artefacts / f"own-{network}-{explorers[i]}.png"))
    browser.assert_clean()
