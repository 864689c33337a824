from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from blender_addon import client as clients
from blender_addon.client import Client
from blender_addon.failures import Failure

TOKEN = "t" * 32


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says, and keeps what it was asked."""

    status = 200
    answer: bytes = b"{}"
    read_body = True
    wait = 0.0
    seen: dict[str, Any]

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if self.read_body else b""
        type(self).seen = {"path": self.path, "headers": dict(self.headers), "body": body}
        time.sleep(self.wait)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    do_GET = do_POST = handle_any

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def handler() -> Iterator[tuple[type[Handler], Client]]:
    class Own(Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Own, Client(server.server_port, TOKEN)
        server.shutdown()
        thread.join()


def test_a_photo_is_posted_with_token_and_protocol(handler: tuple[type[Handler], Client]) -> None:
    own, client = handler
    own.answer = b'{"method": "joint"}'
    assert client.reconstruct(b"photo", method="joint", face=1) == {"method": "joint"}
    assert own.seen["path"] == "/v1/reconstruct?method=joint&face=1"
    assert own.seen["body"] == b"photo"
    assert own.seen["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert own.seen["headers"]["Likeness-Protocol"] == "1"


def test_the_backends_sentence_is_the_failure(handler: tuple[type[Handler], Client]) -> None:
    own, client = handler
    own.status, own.answer = 422, json.dumps({"error": {"code": "face_none", "message": "No face; do this."}}).encode()
    with pytest.raises(Failure) as caught:
        client.reconstruct(b"photo")
    assert (caught.value.code, str(caught.value)) == ("face_none", "No face; do this.")


def test_a_body_refused_before_it_is_read(handler: tuple[type[Handler], Client]) -> None:
    own, client = handler
    own.read_body = False
    own.status, own.answer = 413, json.dumps({"error": {"code": "request_too_large", "message": "Too large."}}).encode()
    with pytest.raises(Failure) as caught:
        client.reconstruct(bytes(30_000_000))
    assert caught.value.code in ("request_too_large", "backend_lost")


@pytest.mark.parametrize(("status", "answer"), [(500, b"<html>"), (200, b"[]"), (404, b"{}")])
def test_what_is_not_an_answer(handler: tuple[type[Handler], Client], status: int, answer: bytes) -> None:
    own, client = handler
    own.status, own.answer = status, answer
    with pytest.raises(Failure) as caught:
        client.ready()
    assert caught.value.code == "backend_answer"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Failure) as caught:
        Client(port, TOKEN).ready()
    assert caught.value.code == "backend_lost"


def test_no_answer_in_time(handler: tuple[type[Handler], Client], monkeypatch: pytest.MonkeyPatch) -> None:
    own, client = handler
    own.wait = 0.5
    monkeypatch.setattr(clients, "HEALTH_SECONDS", 0.1)
    with pytest.raises(Failure) as caught:
        client.ready()
    assert caught.value.code == "backend_slow"


def test_another_thread_can_end_it(handler: tuple[type[Handler], Client]) -> None:
    own, client = handler
    own.wait = 3.0
    threading.Timer(0.3, client.abort).start()
    start = time.monotonic()
    with pytest.raises(Failure) as caught:
        client.reconstruct(b"photo")
    assert caught.value.code == "backend_lost"
    assert time.monotonic() - start < 1.5
    client.abort()  # nothing under way: nothing happens
