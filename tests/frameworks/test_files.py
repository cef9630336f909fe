"""Real files are written by the frameworks, measured and removed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cnnmem import Network, summary
from cnnmem.frameworks.files import SavedFile
from cnnmem.frameworks.keras import keras_files
from cnnmem.frameworks.pytorch import torch_files
from cnnmem.model import zoo
from cnnmem.model.layers import BatchNorm, Conv2d, Linear

NETWORK = Network.chain(
    "small", {"conv": Conv2d(64, 3), "bn": BatchNorm(), "fc": Linear(100)}, (16, 16, 3)
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_torch_file_is_its_values_and_a_little_more(temporary: Path) -> None:
    pytest.importorskip("torch")
    plain, trained = torch_files(NETWORK)
    table = summary(NETWORK)
    assert plain.values_bytes == 4 * (table.params + table.statistics) + 8  # num_batches_tracked
    assert 0 < plain.overhead < 10_000
    assert trained.values_bytes - plain.values_bytes >= 8 * table.params
    assert 0 < trained.overhead < 20_000
    assert list(temporary.glob("cnnmem-*")) == []  # torch makes its own folder beside it


def test_sizes_are_repeatable(temporary: Path) -> None:
    pytest.importorskip("torch")
    assert torch_files(zoo.lenet5(), adam=False) == torch_files(zoo.lenet5(), adam=False)


def test_a_keras_file_is_its_values_and_a_little_more(temporary: Path) -> None:
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Conv2D(64, 3)])
    weights, whole, trained = keras_files(model)
    values = 4 * model.count_params()
    assert (weights.values_bytes, whole.values_bytes) == (values, values)
    assert trained.values_bytes == 3 * values
    assert all(0 < file.overhead < 60_000 for file in (weights, whole, trained))
    assert list(temporary.glob("cnnmem-*")) == []  # torch makes its own folder beside it


def test_nothing_stays_on_the_disk_when_saving_fails(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")

    def full(content: object, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="no space left"):
        torch_files(zoo.lenet5())
    assert list(temporary.glob("cnnmem-*")) == []  # torch makes its own folder beside it


def test_a_file_prints_its_size_in_both_units() -> None:
    file = SavedFile("weights", "w", 553_439_223, 553_430_176)
    assert str(file) == "weights: 553.44 MB = 527.80 MiB, of which 10 kB is overhead"


MEASURE = """
import gc, re
from pathlib import Path

def memory(name):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{name}:\\s+(\\d+)", status, re.M)[1]) * 1024
"""
KERAS = """
import keras
from cnnmem.frameworks.keras import keras_files
def model(units):
    return keras.Sequential([keras.Input((units,)), keras.layers.Dense(units)])
keras_files(model(5))  # what is imported on first use does not count
wide = model(5000)
before = memory("VmRSS")
keras_files(wide)
"""
TORCH = """
from cnnmem.frameworks.pytorch import torch_files
from cnnmem import Network
from cnnmem.model.layers import Linear
def network(units):
    return Network.chain("wide", {"fc": Linear(units)}, (units,))
torch_files(network(5))  # what is imported on first use does not count
before = memory("VmRSS")
torch_files(network(5000))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory as Linux tells it")
@pytest.mark.parametrize("code", [KERAS, TORCH], ids=["keras", "torch"])
def test_saving_takes_little_more_than_the_values_and_gives_it_back(code: str) -> None:
    # 100 MB of weights, and twice as much for Adam's state
    code = f"{MEASURE}{code}\ngc.collect(); print(before, memory('VmHWM'), memory('VmRSS'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, peak, after = map(int, done.stdout.split())
    assert peak - before < 1.5 * 300_000_000
    assert after - before < 0.3 * 300_000_000  # the allocator keeps some for later
