"""A Jupyter server that hands a kernel's messages to the browser at once.

A step of a slider is answered by a few small messages. Jupyter's server leaves Nagle's algorithm
on, so each may wait until the browser has acknowledged the one before, and on one's own machine the
system takes up to 40 ms for that: about every second step is shown that much later (figures in
docs/latency.md). `make lab` and `make voila` use this connection. Any other server that has cnnmem
installed takes one line in `jupyter_server_config.py`, and all its notebooks gain:

    c.ServerApp.kernel_websocket_connection_class = "cnnmem.jupyter.server.PromptConnection"
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's own connection between a browser and a kernel, without Nagle's algorithm."""

    def connect(self) -> Any:
        """Join the browser's websocket to the kernel's channels; small messages leave at once."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
