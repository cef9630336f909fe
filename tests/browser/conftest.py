"""One JupyterLab and one Chromium for all browser tests; screenshots are kept as artefacts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jupyter import Browser, Server, chromium, jupyterlab

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def artefacts() -> Path:
    folder = Path(os.environ.get("CNNMEM_ARTEFACTS", ROOT / "build" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with jupyterlab(ROOT / "notebooks", tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened
