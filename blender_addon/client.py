"""Speaks the protocol with one backend on this machine, over the standard library's HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from typing import Any
from urllib.parse import urlencode

from .failures import Failure
from .reconstruction import PROTOCOL

HOST = "127.0.0.1"
RECONSTRUCT_SECONDS = 120.0
HEALTH_SECONDS = 10.0


class Client:
    """One backend's address and token. Methods block; `abort` from another thread ends the one under way.

    Every method raises Failure: what the backend's answer says, `backend_lost` where the connection breaks,
    `backend_slow` where nothing is heard in time, `backend_answer` for what is not JSON.
    """

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self._token = token
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def ready(self) -> dict[str, Any]:
        """The answer of `/health/ready`."""
        return self._request("GET", "/health/ready", None, HEALTH_SECONDS)

    def faces(self, photo: bytes) -> dict[str, Any]:
        """The answer of `/v1/faces` to the bytes of an image file."""
        return self._request("POST", "/v1/faces", photo, RECONSTRUCT_SECONDS)

    def reconstruct(
        self,
        photo: bytes,
        *,
        method: str = "",
        face: int | None = None,
        box: tuple[float, float, float, float] | None = None,
        texture: int | None = None,
        detail: bool = False,
    ) -> dict[str, Any]:
        """The answer of `/v1/reconstruct` to the bytes of an image file.

        `box` is in pixels of the upright photo; `texture` is the side of the skin's texture, None for none;
        `detail` asks for its fine relief.
        """
        drawn = None if box is None else ",".join(f"{value:.2f}" for value in box)
        fine = 1 if detail else None
        asked = (("method", method), ("face", face), ("box", drawn), ("texture", texture), ("detail", fine))
        query = {key: value for key, value in asked if value not in ("", None)}
        path = "/v1/reconstruct" + (f"?{urlencode(query)}" if query else "")
        return self._request("POST", path, photo, RECONSTRUCT_SECONDS)

    def abort(self) -> None:
        """End the request under way in another thread, if any; it raises `backend_lost` there."""
        with self._lock:
            if self._connection is None or self._connection.sock is None:
                return
            with contextlib.suppress(OSError):  # the other side may have closed it already
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def _request(self, verb: str, path: str, body: bytes | None, seconds: float) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Likeness-Protocol": str(PROTOCOL)}
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        connection = http.client.HTTPConnection(HOST, self.port, timeout=seconds)
        with self._lock:
            self._connection = connection
        try:
            # A server that refuses a body may answer before it has read it all.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, ConnectionAbortedError):
                connection.request(verb, path, body, headers)
            response = connection.getresponse()
            status, data = response.status, response.read()
        except TimeoutError as error:
            raise Failure("backend_slow", seconds=f"{seconds:.0f}") from error
        except (OSError, http.client.HTTPException) as error:
            raise Failure("backend_lost") from error
        finally:
            with self._lock:
                if self._connection is connection:
                    self._connection = None
                connection.close()
        return _answer(status, data)


def _answer(status: int, data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except ValueError as error:
        raise Failure("backend_answer", reason=f"status {status}") from error
    if not isinstance(answer, dict):
        raise Failure("backend_answer", reason=f"status {status}")
    problem = answer.get("error")
    if isinstance(problem, dict) and "message" in problem:
        facts = problem.get("facts")
        raise Failure.from_answer(
            str(problem.get("code", "backend")), str(problem["message"]), facts if isinstance(facts, dict) else {}
        )
    if status != http.client.OK:
        raise Failure("backend_answer", reason=f"status {status}")
    return answer
