"""One Chromium and one server of each kind for all browser tests; screenshots are artefacts.

Each test opens a page of its own, and fails if something goes wrong on it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jupyter import (
    Browser,
    Chromium,
    Server,
    chromium_process,
    fresh_page,
    jupyterlab,
    notebook7,
    voila,
)

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture(scope="session")
def artefacts() -> Path:
    folder = Path(os.environ.get("CNNMEM_ARTEFACTS", ROOT / "build" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def running() -> Iterator[Chromium]:
    with chromium_process() as process:
        yield process


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with jupyterlab(ROOT / "notebooks", tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="session")
def notebook_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with notebook7(ROOT / "notebooks", tmp_path_factory.mktemp("notebook")) as started:
        yield started


@pytest.fixture(scope="session")
def voila_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with voila(ROOT / "notebooks", tmp_path_factory.mktemp("voila")) as started:
        yield started


@pytest.fixture
def browser(running: Chromium) -> Iterator[Browser]:
    with fresh_page(running) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_kernel_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """End a test's kernels with it: nine lessons with their frameworks do not fit in memory."""
    yield
    for name in ("server", "notebook_server"):
        if name in request.fixturenames:
            started: Server = request.getfixturevalue(name)
            for session in started.api("sessions"):
                started.api(f"sessions/{session['id']}", "DELETE")
