"""Binds the server to a port of 127.0.0.1 that the system chooses, and runs it."""

from __future__ import annotations

import json
import socket
from typing import IO, Final

import uvicorn

from . import PROTOCOL, __version__
from .pipeline import Reconstructor
from .server import create_app

HOST: Final = "127.0.0.1"
BACKLOG: Final = 32


class Listener:
    """A server that accepts connections from the moment it is made; `run` answers them until `stop`."""

    def __init__(self, reconstructor: Reconstructor, token: str, port: int = 0) -> None:
        self._socket = socket.create_server((HOST, port), backlog=BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            create_app(reconstructor, token),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)

    def announce(self, stream: IO[str]) -> None:
        """Write the one line of JSON that a parent process waits for."""
        print(json.dumps({"port": self.port, "protocol": PROTOCOL, "version": __version__}), file=stream, flush=True)

    def run(self) -> None:
        """Answer requests until `stop` or an interrupt."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End `run` soon; may be called from any thread."""
        self._server.should_exit = True
