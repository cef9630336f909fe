"""Jupyter on the loopback and pages in headless Chromium, for the browser tests.

JupyterLab, Notebook and Voila are started here. Everything that Jupyter or Chromium would remember
goes into a temporary folder.
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
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser as Chromium
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
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # only the loopback
]
# No news, and every cell in the page, so that cells out of sight can be found.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
READY = 60_000  # milliseconds until a page or a kernel must be ready
# As in the Makefile; a test compares them.
PROMPT = "kernel_websocket_connection_class=cnnmem.jupyter.server.PromptConnection"
LIVE = "contents_manager_class=cnnmem.jupyter.server.LiveWidgetContents"
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "file:", "data:", "blob:", "about:")


def free_port() -> int:
    """Return a free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def isolated_environment(home: Path) -> dict[str, str]:
    """Return an environment in which Jupyter finds none of the user's settings and leaves none."""
    # Without the Makefile's settings for TensorFlow, which a reader's own Jupyter does not have.
    env = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST" and k[:3] != "TF_"}
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
    """A running server: its address, its token, the folder it serves, its process id."""

    url: str
    token: str
    folder: Path
    pid: int = 0

    def api(self, path: str, method: str = "GET") -> Any:
        """Ask the server's REST API."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextlib.contextmanager
def _serve(
    module: str, options: list[str], notebooks: Path, home: Path, port: int, token: str = ""
) -> Iterator[Server]:
    """Serve a copy of a folder of notebooks; always stop the server and its kernels."""
    folder = home / "notebooks"
    shutil.copytree(notebooks, folder, ignore=shutil.ignore_patterns(".*"))
    log_file = home / "server.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--no-browser", *options],
            cwd=folder,
            env=isolated_environment(home),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_up(url + (f"/api/status?token={token}" if token else ""), process, log_file)
            yield Server(url, token, folder, process.pid)
        finally:
            # The whole session, because a killed server leaves its kernels behind.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _jupyter(
    module: str, notebooks: Path, home: Path, *more: str
) -> contextlib.AbstractContextManager[Server]:
    port, token = free_port(), secrets.token_hex(16)
    options = [
        "--allow-root",
        "--ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={home / 'notebooks'}",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        *more,
    ]
    return _serve(module, options, notebooks, home, port, token)


def jupyterlab(
    notebooks: Path, home: Path, *, prompt: bool = True
) -> contextlib.AbstractContextManager[Server]:
    """Start JupyterLab on a copy of a folder of notebooks; with `prompt`, as `make lab` does."""
    options = [LIVE, PROMPT] if prompt else [LIVE]
    return _jupyter("jupyterlab", notebooks, home, *(f"--ServerApp.{one}" for one in options))


def notebook7(notebooks: Path, home: Path) -> contextlib.AbstractContextManager[Server]:
    """Start Notebook 7 on a copy of a folder of notebooks."""
    return _jupyter("notebook", notebooks, home)


def voila(notebooks: Path, home: Path) -> contextlib.AbstractContextManager[Server]:
    """Start Voila on a copy of a folder of notebooks; it shows no code and has no token."""
    port = free_port()
    options = [
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
        f"--Voila.{PROMPT}",
        "--show_tracebacks=True",
        # Notebook's extension does not work in Voila and logs an error on the console.
        "--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension",
        ".",
    ]
    return _serve("voila", options, notebooks, home, port)


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY / 1000
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once:\n{log.read_text()}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no answer within {READY / 1000} s:\n{log.read_text()}")


@dataclass
class Browser:
    """A page, its console errors, and its requests that left the loopback."""

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> Page:
        """Record what goes wrong on a page, and return the page."""

        def said(message: Any) -> None:
            if message.type == "error":
                self.errors.append(f"{message.text} ({message.location.get('url', '')})")

        def asked(request: Any) -> None:
            if not request.url.startswith(LOCAL):
                self.outside.append(request.url)

        page.on("console", said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", asked)
        return page

    def assert_clean(self) -> None:
        """Fail if the console showed an error or a request left this machine."""
        assert self.errors == []
        assert self.outside == []


@contextlib.contextmanager
def chromium_process() -> Iterator[Chromium]:
    """Start a headless Chromium."""
    executable = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@contextlib.contextmanager
def fresh_page(
    running: Chromium, width: int = 1280, height: int = 900, **options: Any
) -> Iterator[Browser]:
    """Open a page that shares nothing with earlier pages."""
    context = running.new_context(viewport={"width": width, "height": height}, **options)
    opened = Browser(context.new_page())
    opened.watch(opened.page)
    try:
        yield opened
    finally:
        context.close()


@contextlib.contextmanager
def chromium(width: int = 1280, height: int = 900, **options: Any) -> Iterator[Browser]:
    """Open a page in its own Chromium."""
    with chromium_process() as running, fresh_page(running, width, height, **options) as opened:
        yield opened


def open_notebook(page: Page, server: Server, name: str, kind: str = "lab/tree") -> None:
    """Open a notebook in JupyterLab (or, as "notebooks", in Notebook) and wait for its kernel."""
    page.goto(f"{server.url}/{kind}/{name}?token={server.token}&reset")
    page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.context?.isReady", timeout=READY
    )
    wait_for_idle(page)


def wait_for_idle(page: Page, timeout: int = READY) -> None:
    """Wait until the kernel of the notebook in front is idle."""
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session"
        "?.kernel?.status === 'idle'",
        timeout=timeout,
    )


def run_all(page: Page, timeout: int = 180_000) -> None:
    """Run all cells and wait until each has an execution count and the kernel is idle."""
    page.evaluate(
        """() => {  // not awaited here, because evaluate() has no timeout
            window.ranAll = false;
            window.jupyterapp.commands.execute('notebook:run-all-cells')
                .then(() => { window.ranAll = true; });
        }"""
    )
    page.wait_for_function(
        """() => {
            const widget = window.jupyterapp.shell.currentWidget;
            const cells = [...widget.content.widgets].filter(c => c.model.type === 'code');
            return window.ranAll && cells.every(c => c.model.executionCount !== null
                                    || c.model.sharedModel.getSource().trim() === '')
                && widget.context.sessionContext.session.kernel.status === 'idle';
        }""",
        timeout=timeout,
    )
    wait_for_idle(page, timeout)


def write(server: Server, name: str, *cells: str) -> str:
    """Put a notebook with these code cells on a server, and return its name."""
    made = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    made.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    nbformat.write(made, server.folder / name)
    return name


def clear_outputs(page: Page) -> None:
    """Drop the stored outputs, so that everything on the page is computed now."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")


def output_errors(page: Page) -> list[str]:
    """Return stderr and the unexpected errors (no cell tag) of the notebook in front."""
    return page.evaluate(
        """() => [...window.jupyterapp.shell.currentWidget.content.widgets]
            .filter(c => c.model.type === 'code')
            .filter(c => !(c.model.sharedModel.getMetadata().tags ?? [])
                          .some(tag => tag.endsWith('raises-exception')))
            .flatMap(c => c.model.sharedModel.getOutputs())
            .filter(o => o.output_type === 'error' || o.name === 'stderr')
            .map(o => o.ename ? o.ename + ': ' + o.evalue : [o.text].flat().join(''))"""
    )
