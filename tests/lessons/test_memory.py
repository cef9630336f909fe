"""Running all cells of a lesson fits a small computer, and most of the memory is given back."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
MOST = 1_500_000_000  # bytes of a kernel at its peak
ASK = """
import re
print(re.findall(r"Vm(?:HWM|RSS):\\s+(\\d+) kB", open("/proc/self/status").read()))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", ["02", "03", "05", "07"])
def test_a_lesson_that_measures_stays_small(number, tmp_path, monkeypatch):
    monkeypatch.setenv("CNNMEM_DATA", str(tmp_path))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    (path,) = FOLDER.glob(f"{number}-*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    resources = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=300, resources=resources).execute()
    peak, now = (int(kb) * 1024 for kb in re.findall(r"\d+", notebook.cells[-1].outputs[0].text))
    assert peak < MOST
    assert now < 1_100_000_000  # of which PyTorch and TensorFlow themselves are 0.8 GB
