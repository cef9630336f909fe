"""How `make lab` sets up its Jupyter server: sliders without a delay, no widgets without a kernel.

Any other server that has cnnmem installed takes two lines in `jupyter_server_config.py`, and all
its notebooks gain:

    c.ServerApp.kernel_websocket_connection_class = "cnnmem.jupyter.server.PromptConnection"
    c.ServerApp.contents_manager_class = "cnnmem.jupyter.server.LiveWidgetContents"

`make voila` uses the connection too.
"""

from __future__ import annotations

from typing import Any

from jupyter_client.session import Session
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
ANSWER = 2.0  # seconds that a kernel has to list its widgets


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's own connection between a browser and a kernel, without Nagle's algorithm.

    A few small messages answer each step of a slider. Jupyter's server leaves Nagle's algorithm on,
    so each message may wait until the browser acknowledges the one before. Linux delays that by up
    to 40 ms, on the loopback too: about every second step is shown that much later (figures in
    docs/latency.md).
    """

    def connect(self) -> Any:
        """Join the browser's websocket to the kernel's channels; small messages leave at once."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()


class LiveWidgetContents(AsyncLargeFileManager):
    """The server's own files, but an opened notebook offers only widgets that are still alive.

    A saved output refers to a widget in the kernel that made it. Once that kernel has ended,
    JupyterLab shows "Error displaying widget: model not found" instead of the picture stored beside
    the reference, because it trusts the reader's own notebook and prefers the widget. The file
    keeps its references: with the kernel still running, a reloaded page needs them to move its
    sliders. So they are left out here, on the way to the page, and only if no kernel of this
    notebook knows the widget.
    """

    async def get(
        self,
        path: str,
        content: bool = True,
        type: str | None = None,
        format: str | None = None,
        require_hash: bool = False,
    ) -> Any:
        """Return a file's model; a page that opens a notebook gets it without dead widgets."""
        model = await super().get(  # type: ignore[no-untyped-call]
            path, content, type, format, require_hash
        )
        # Pages ask for a "notebook". What the server reads for itself (to copy or sign it) and
        # what is downloaded (a "file") stays as stored.
        if content and type == "notebook":
            notebook = model["content"]
            outputs = [
                output["data"]
                for cell in notebook.get("cells", ())
                for output in cell.get("outputs", ())
                if WIDGET in output.get("data", ())
            ]
            living = await self._living(path.strip("/")) if outputs else set()
            # if the reader lets JupyterLab save the widgets' state, the file itself can show them
            stored = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
            for data in outputs:
                name = data[WIDGET].get("model_id")
                if living is not None and name not in living and name not in stored:
                    del data[WIDGET]
        return model

    async def _living(self, path: str) -> set[str] | None:
        """Return the ids of the widgets in a notebook's kernels; None if one is too busy to say.

        A running kernel is not enough: it may have been started, or restarted, after the save.
        """
        living: set[str] = set()
        for session in await self.parent.session_manager.list_sessions():
            if session["path"].strip("/") == path:
                manager = self.parent.kernel_manager.get_kernel(session["kernel"]["id"])
                # its own session, as a kernel cannot tell two clients of one session apart
                client = manager.client(session=Session(key=manager.session.key))
                client.start_channels(iopub=False, stdin=False, hb=False, control=False)
                try:
                    reply = await client.comm_info("jupyter.widget", reply=True, timeout=ANSWER)
                except TimeoutError:
                    return None
                finally:
                    client.stop_channels()
                living |= reply["content"]["comms"].keys()
        return living
