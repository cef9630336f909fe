"""JupyterLab on the loopback and a page in headless Chromium: what the browser tests drive.

Everything that Jupyter or Chromium would remember lives in a temporary folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# No news, and every cell in the page, so that what is out of sight can be found.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
READY = 60_000  # milliseconds for a page or a kernel to be there


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def isolated_environment(home: Path) -> dict[str, str]:
    """Return the environment of a Jupyter that finds nothing of the user's and leaves nothing."""
    env = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        env[f"JUPYTER_{name}"] = str(home / name.lower())
    env["IPYTHONDIR"] = str(home / "ipython")
    env["JUPYTERLAB_WORKSPACES_DIR"] = str(home / "workspaces")
    env["CNNMEM_DATA"] = str(home / "progress")
    settings = home / "settings"
    env["JUPYTERLAB_SETTINGS_DIR"] = str(settings)
    for plugin, values in SETTINGS.items():
        path = settings / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))
    return env


@dataclass
class Server:
    """A running JupyterLab: where it listens, its token, and the folder it serves."""

    url: str
    token: str
    folder: Path


@contextlib.contextmanager
def jupyterlab(notebooks: Path, home: Path) -> Iterator[Server]:
    """Serve a copy of a folder of notebooks; the server is stopped whatever happens."""
    folder = home / "notebooks"
    shutil.copytree(notebooks, folder)
    port, token = free_port(), secrets.token_hex(16)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    log = (home / "jupyter.log").open("w")
    process = subprocess.Popen(
        command, env=isolated_environment(home), stdout=log, stderr=log, start_new_session=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(url, token, process, home / "jupyter.log")
        yield Server(url, token, folder)
    finally:
        # the whole session: a killed server leaves its kernels behind
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def _wait_until_up(url: str, token: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY / 1000
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once:\n{log.read_text()}")
        with contextlib.suppress(OSError):
            request = urllib.request.Request(f"{url}/api/status?token={token}")
            with urllib.request.urlopen(request, timeout=2):
                return
        time.sleep(0.1)
    raise TimeoutError(f"JupyterLab did not answer within {READY / 1000} s:\n{log.read_text()}")


@dataclass
class Browser:
    """A page, and what went wrong on it: console errors and requests that left the loopback."""

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


@contextlib.contextmanager
def chromium(width: int = 1280, height: int = 900, **context: Any) -> Iterator[Browser]:
    """Open a page in a fresh headless Chromium."""
    executable = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height}, **context)
        opened = Browser(page)
        page.on(
            "console",
            lambda message: opened.errors.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: opened.errors.append(str(error)))

        def note(request: Any) -> None:
            local = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
            if not request.url.startswith(local):
                opened.outside.append(request.url)

        page.on("request", note)
        yield opened
        browser.close()


def open_notebook(page: Page, server: Server, name: str) -> None:
    """Open a notebook in JupyterLab and wait until its kernel is idle."""
    page.goto(f"{server.url}/lab/tree/{name}?token={server.token}&reset")
    page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.context?.isReady", timeout=READY
    )
    wait_for_idle(page)


def wait_for_idle(page: Page, timeout: int = READY) -> None:
    """Wait until the kernel of the notebook in front has nothing to do."""
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session"
        "?.kernel?.status === 'idle'",
        timeout=timeout,
    )


def run_all(page: Page, timeout: int = 180_000) -> None:
    """Run all cells and wait until each has an execution count and the kernel is idle."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        """() => {
            const widget = window.jupyterapp.shell.currentWidget;
            const cells = [...widget.content.widgets].filter(c => c.model.type === 'code');
            return cells.every(c => c.model.executionCount !== null
                                    || c.model.sharedModel.getSource().trim() === '')
                && widget.context.sessionContext.session.kernel.status === 'idle';
        }""",
        timeout=timeout,
    )
    wait_for_idle(page, timeout)


def clear_outputs(page: Page) -> None:
    """Drop the stored outputs, so that what is seen was computed now."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")


def output_errors(page: Page) -> list[str]:
    """Return the error outputs of the notebook in front."""
    return page.evaluate(
        """() => [...window.jupyterapp.shell.currentWidget.content.widgets]
            .filter(c => c.model.type === 'code')
            .flatMap(c => c.model.sharedModel.getOutputs())
            .filter(o => o.output_type === 'error').map(o => o.ename + ': ' + o.evalue)"""
    )
