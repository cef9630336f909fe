"""The connection of `make lab` sends messages at once, according to the server's own socket."""

import asyncio
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jupyter import LIVE, PROMPT, jupyterlab
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parents[2]
# Configuration of the server under test: write down the state of an open socket.
WITNESS = """
import socket
from pathlib import Path
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

opened = KernelWebsocketHandler.open

async def open_and_tell(self, kernel_id):
    await opened(self, kernel_id)
    connection = self.ws_connection.stream.socket
    said = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    Path({path!r}).write_text(f"{{type(self.connection).__name__}} {{bool(said)}}")

KernelWebsocketHandler.open = open_and_tell
"""


@pytest.mark.parametrize(
    ("prompt", "said"),
    [(True, "PromptConnection True"), (False, "ZMQChannelsWebsocketConnection False")],
)
def test_only_the_prompt_connection_sends_at_once(tmp_path, prompt, said):
    told, empty = tmp_path / "told", tmp_path / "empty"
    empty.mkdir()
    config = tmp_path / "config_dir" / "jupyter_server_config.py"
    config.parent.mkdir()
    config.write_text(WITNESS.format(path=str(told)))
    with jupyterlab(empty, tmp_path, prompt=prompt) as server:
        request = urllib.request.Request(
            f"{server.url}/api/kernels",
            method="POST",
            data=b"{}",
            headers={"Authorization": f"token {server.token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            kernel = json.loads(answer.read())["id"]
        address = f"{server.url}/api/kernels/{kernel}/channels?token={server.token}"

        async def converse():
            channel = await websocket_connect(address.replace("http", "ws", 1))
            while not told.exists():  # written when the connection is open
                await asyncio.sleep(0.05)
            channel.close()
            while await channel.read_message() is not None:  # None: the server has closed too
                pass

        # In its own thread, because the browser's event loop may be running in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, asyncio.wait_for(converse(), 60)).result()
    assert told.read_text() == said


def test_the_makefile_starts_servers_as_these_tests_do():
    makefile = (ROOT / "Makefile").read_text()
    assert f"PROMPT := {PROMPT}\n" in makefile
    assert f"LIVE := {LIVE}\n" in makefile
    assert "--ServerApp.$(PROMPT)" in makefile
    assert "--ServerApp.$(LIVE)" in makefile
    assert "--Voila.$(PROMPT)" in makefile
