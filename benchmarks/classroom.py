"""A class on one machine: JupyterHub, one server and one kernel for each student.

Every student's server is started by the hub, runs a lesson cell by cell in a kernel, and then moves
a slider, all at the same time. A step is timed from the message that a browser sends when the
slider moves until the kernel's answer with the new drawing has arrived, through the hub's proxy.
What a browser then needs to paint it is in docs/latency.md. Memory is what `/proc` says of each
process: `private` is what would be given back if the process ended, `PSS` also has its share of
what several processes use. `make bench-classroom` runs it and prints a table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

ROOT = Path(__file__).resolve().parent.parent
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret_file = {folder!r} + "/cookie"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.pid_file = {folder!r} + "/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {folder!r} + "/{{username}}"
c.Spawner.environment = dict(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
c.Spawner.args = [
    "--allow-root",
    "--ServerApp.kernel_websocket_connection_class=cnnmem.jupyter.server.PromptConnection",
    "--ServerApp.contents_manager_class=cnnmem.jupyter.server.LiveWidgetContents",
]
c.JupyterHub.concurrent_spawn_limit = {students}
c.JupyterHub.services = [dict(name="class", api_token={token!r})]
c.JupyterHub.load_roles = [dict(
    name="class", services=["class"], scopes=["admin:users", "admin:servers", "access:servers"]
)]
"""
FIND = """
import gc, json
from cnnmem.widgets import Explorer
of = [one for one in gc.get_objects() if isinstance(one, Explorer) and "size" in one._bound][-1]
slider = of._bound["size"].source
print(json.dumps([slider.model_id, of._screen.model_id, slider.value]))
"""
READY, STEP = 180.0, 30.0  # seconds until a server, and until a step, must have answered
PAUSE = 0.25  # seconds between two steps of one student
MB = 10**6


@dataclass
class Student:
    """One student's server and kernel, and what was measured."""

    name: str
    base: str
    token: str
    started: float = 0.0  # seconds until the server answered
    lesson: float = 0.0  # seconds for all cells
    steps: list[float] = field(default_factory=list)  # milliseconds
    kernel: str = ""
    socket: WebSocketClientConnection | None = None

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the hub's or the server's API and return what it answers."""
        return await call(self.base + path, self.token, method, body)

    async def start(self) -> None:
        """Have the hub start the server, and the server a kernel."""
        begun = time.perf_counter()
        await self.call("POST", f"/hub/api/users/{self.name}", {})
        await self.call("POST", f"/hub/api/users/{self.name}/server", {})
        while True:
            user = await self.call("GET", f"/hub/api/users/{self.name}")
            if user["servers"].get("", {}).get("ready"):
                break
            if time.perf_counter() - begun > READY:
                raise TimeoutError(f"the server of {self.name} is not ready after {READY} s")
            await asyncio.sleep(0.2)
        self.started = time.perf_counter() - begun
        kernel = await self.call("POST", f"/user/{self.name}/api/kernels", {"name": "python3"})
        self.kernel = kernel["id"]
        address = f"{self.base}/user/{self.name}/api/kernels/{self.kernel}/channels"
        self.socket = await websocket_connect(
            HTTPRequest(
                address.replace("http", "ws", 1), headers={"Authorization": f"token {self.token}"}
            ),
            max_message_size=10**8,
        )

    def send(self, channel: str, kind: str, content: dict[str, Any]) -> str:
        """Send a message to the kernel and return its id."""
        assert self.socket is not None
        name = uuid4().hex
        header = {
            "msg_id": name,
            "msg_type": kind,
            "username": self.name,
            "session": self.name,
            "version": "5.3",
            "date": "",
        }
        message = {
            "channel": channel,
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
        }
        self.socket.write_message(json.dumps(message))
        return name

    async def messages(self, of: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the kernel's messages that answer the message `of`."""
        assert self.socket is not None
        while True:
            text = await self.socket.read_message()
            if text is None:
                raise ConnectionError(f"the kernel of {self.name} is gone")
            message = json.loads(text)
            if message["parent_header"].get("msg_id") == of:
                yield message

    async def execute(self, code: str) -> str:
        """Run a cell and return what it prints; raises `RuntimeError` where it fails."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        sent, printed, done = self.send("shell", "execute_request", content), "", 0
        async for message in self.messages(sent):
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "stream":
                printed += content["text"]
            elif kind == "error":
                raise RuntimeError(f"{code}\n{content['ename']}: {content['evalue']}")
            done += kind == "execute_reply" or content.get("execution_state") == "idle"
            if done == 2:  # the reply, and the end of what was printed
                return printed
        raise AssertionError

    async def learn(self, cells: list[str]) -> None:
        """Run the lesson's cells."""
        begun = time.perf_counter()
        for cell in cells:
            await self.execute(cell)
        self.lesson = time.perf_counter() - begun

    async def move(self, steps: int) -> None:
        """Move the size slider of the lesson's last explorer, step by step."""
        slider, screen, value = json.loads(await self.execute(FIND))
        for i in range(steps):
            value += 16 if i % 10 < 5 else -16
            begun = time.perf_counter()
            data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
            sent = self.send("shell", "comm_msg", {"comm_id": slider, "data": data})
            async with asyncio.timeout(STEP):
                async for message in self.messages(sent):
                    content = message["content"]
                    drawn = content.get("comm_id") == screen and content["data"]["method"]
                    if drawn == "update" and "value" in content["data"]["state"]:
                        self.steps.append(1000 * (time.perf_counter() - begun))
                        break
            await asyncio.sleep(PAUSE * (0.5 + secrets.randbelow(1000) / 1000))


async def call(address: str, token: str, method: str, body: object = None) -> Any:
    """Call a JSON API; an answer without a body is None."""
    answer = await AsyncHTTPClient().fetch(
        HTTPRequest(
            address,
            method=method,
            headers={"Authorization": f"token {token}"},
            body=None if body is None else json.dumps(body),
            request_timeout=READY,
        )
    )
    return json.loads(answer.body) if answer.body else None


@asynccontextmanager
async def hub(folder: Path, proxy: str, students: int, ports: list[int]) -> AsyncIterator[Any]:
    """Run a hub in `folder`; give its process, its address and a token of a service."""
    token = secrets.token_hex(16)
    settings = CONFIG.format(
        folder=str(folder),
        port=ports[0],
        hub=ports[1],
        api=ports[2],
        proxy=proxy,
        students=students,
        token=token,
    )
    (folder / "config.py").write_text(settings, encoding="utf-8")
    log = (folder / "hub.log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterhub", "-f", str(folder / "config.py")],
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{ports[0]}"
    try:
        for _ in range(300):
            try:
                await call(f"{address}/hub/api/", token, "GET")
                break
            except (OSError, HTTPClientError):
                await asyncio.sleep(0.2)
        else:
            raise TimeoutError((folder / "hub.log").read_text(encoding="utf-8")[-2000:])
        yield process, address, token
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.terminate()
        process.terminate()
        process.wait(30)
        log.close()


def memory(processes: list[psutil.Process]) -> tuple[float, float]:
    """Return the private memory and the PSS of processes together, in MB."""
    private = pss = 0
    for one in processes:
        text = Path(f"/proc/{one.pid}/smaps_rollup").read_text(encoding="ascii")
        sizes = {key: 1024 * int(n) for key, n in re.findall(r"(\w+): +(\d+) kB", text)}
        private += sizes["Private_Clean"] + sizes["Private_Dirty"]
        pss += sizes["Pss"]
    return private / MB, pss / MB


def processes_of(root: int) -> dict[str, list[psutil.Process]]:
    """Return the hub's processes by what they are."""
    found: dict[str, list[psutil.Process]] = {"hub": [psutil.Process(root)]}
    for one in psutil.Process(root).children(recursive=True):
        words = " ".join(one.cmdline())
        kind = (
            "kernel"
            if "ipykernel" in words
            else "server"
            if "singleuser" in words
            else "proxy"
            if "configurable-http-proxy" in words
            else "other"
        )
        found.setdefault(kind, []).append(one)
    return found


async def measure(options: argparse.Namespace, folder: Path) -> list[str]:
    """Run the class and return the lines of its table."""
    notebook = nbformat.read(options.lesson, as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    ports = [options.port, options.port + 1, options.port + 2]
    async with hub(folder, options.proxy, options.students, ports) as (process, address, token):
        names = [f"student{i + 1}" for i in range(options.students)]
        students = [Student(name, address, token) for name in names]
        await asyncio.gather(*[student.start() for student in students])
        fresh = {kind: memory(all_of) for kind, all_of in processes_of(process.pid).items()}
        await asyncio.gather(*[student.learn(cells) for student in students])
        await asyncio.gather(*[student.move(options.steps) for student in students])
        by_kind = processes_of(process.pid)
        used = {kind: memory(all_of) for kind, all_of in by_kind.items()}
        count = {kind: len(all_of) for kind, all_of in by_kind.items()}
    steps = sorted(ms for student in students for ms in student.steps)
    at = [steps[int(q * (len(steps) - 1))] for q in (0.5, 0.95, 1)]
    private = {kind: used[kind][0] / count[kind] for kind in used}
    each = private["server"] + private["kernel"]
    one = sum(used[kind][0] for kind in ("hub", "proxy"))
    shared = sum(pss for _, pss in used.values()) - sum(size for size, _ in used.values())
    started = [student.started for student in students]
    lesson = [student.lesson for student in students]
    lines = [
        f"Measured {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}: {options.students} students at once, "
        f"{Path(options.lesson).name}, {options.steps} steps each.",
        "",
        "| what | measured |",
        "|---|--:|",
        f"| hub and proxy, private MB | {one:.0f} |",
        f"| a student's server, private MB | {private['server']:.0f} |",
        f"| a student's kernel before the lesson, private MB | "
        f"{fresh['kernel'][0] / count['kernel']:.0f} |",
        f"| a student's kernel after it, private MB | {private['kernel']:.0f} |",
        f"| code that all share, MB | {shared:.0f} |",
        f"| all {options.students} together, MB | {sum(pss for _, pss in used.values()):.0f} |",
        f"| forty students, extrapolated, MB | {one + shared + 40 * each:.0f} |",
        f"| seconds until a server answers, median and slowest | "
        f"{statistics.median(started):.1f}, {max(started):.1f} |",
        f"| seconds for all cells of the lesson, median and slowest | "
        f"{statistics.median(lesson):.1f}, {max(lesson):.1f} |",
        f"| a slider's step in ms: p50, p95, slowest of {len(steps)} | "
        f"{at[0]:.0f}, {at[1]:.0f}, {at[2]:.0f} |",
    ]
    return lines


def main() -> None:
    """Read the options, run the class, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=int, default=10)
    parser.add_argument("--steps", type=int, default=100, help="a student's steps of the slider")
    parser.add_argument("--lesson", default=str(ROOT / "notebooks" / "00-start-here.ipynb"))
    parser.add_argument("--proxy", default="configurable-http-proxy", help="its program")
    parser.add_argument("--port", type=int, default=18000, help="the first of three free ports")
    options = parser.parse_args()
    proxy = shutil.which(options.proxy)
    if proxy is None:
        sys.exit(
            f"{options.proxy} is not installed; npm install configurable-http-proxy, "
            "then --proxy node_modules/.bin/configurable-http-proxy"
        )
    options.proxy = str(Path(proxy).absolute())
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(asyncio.run(measure(options, Path(folder)))))


if __name__ == "__main__":
    main()
