"""The backend as Blender runs it: a child process, spoken to over real HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "correct-horse"
SECONDS = 60


class Child:
    """One backend process."""

    def __init__(self, bundle: Path, *, token_from: str = "stdin") -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("LIKENESS_TOKEN", None)
        if token_from == "environment":
            environment["LIKENESS_TOKEN"] = TOKEN
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-m", "backend", "--bundle", str(bundle)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert self.process.stdin and self.process.stdout
        if token_from == "stdin":
            self.process.stdin.write(TOKEN + "\n")
            self.process.stdin.flush()
        self.greeting = self.process.stdout.readline()
        self.port = json.loads(self.greeting)["port"] if self.greeting else 0

    def ask(
        self, path: str, body: bytes | None = None, *, token: str | None = TOKEN, protocol: str | None = "1"
    ) -> tuple[int, Any]:
        """Status and decoded JSON of one request."""
        headers = {"Content-Type": "application/octet-stream"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if protocol is not None:
            headers["Likeness-Protocol"] = protocol
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def code(self, path: str, body: bytes | None = None, **options: Any) -> tuple[int, str]:
        """Status and code of a request that fails."""
        status, answer = self.ask(path, body, **options)
        assert answer["error"]["message"].endswith(".")
        return status, answer["error"]["code"]

    def send(self, body: bytes, *, length: int | None = None) -> socket.socket:
        """A connection on which a photo, or the beginning of one, has been sent, its answer not yet read."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)
        connection.sendall(
            f"POST /v1/reconstruct HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Likeness-Protocol: 1\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode()
            + body
        )
        return connection

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        self.process.kill()
        self.process.wait(SECONDS)


@pytest.fixture(scope="module")
def child(bundle_folder: Path) -> Iterator[Child]:
    """A backend that the tests of this module share: whatever one does, the next must find it working."""
    child = Child(bundle_folder)
    yield child
    child.close()


@pytest.fixture
def own_child(bundle_folder: Path) -> Iterator[Child]:
    """A backend for one test to end."""
    child = Child(bundle_folder)
    yield child
    child.close()


def test_the_greeting_is_one_line_of_json(child: Child) -> None:
    greeting = json.loads(child.greeting)
    assert set(greeting) == {"port", "protocol", "version"}
    assert greeting["protocol"] == 1


def test_health(child: Child, bundle_folder: Path) -> None:
    assert child.ask("/health/live", token=None, protocol=None) == (200, {"status": "live"})
    status, ready = child.ask("/health/ready")
    assert status == 200
    assert ready["status"] == "ready"
    assert ready["provider"].endswith("ExecutionProvider")
    assert (ready["bundle"], ready["protocol"]) == ("small", 1)
    assert ready["memory"] is None or 20e6 < ready["memory"] < 4e9


def test_the_bundle_is_told(child: Child, bundle_folder: Path) -> None:
    assert child.ask("/v1/bundle") == (200, json.loads((bundle_folder / "bundle.json").read_text()))


def test_a_photo_becomes_coefficients(child: Child, portrait: bytes, bundle_folder: Path) -> None:
    status, answer = child.ask("/v1/reconstruct", portrait)
    assert status == 200
    assert answer["protocol"] == 1
    assert len(answer["identity"]) == 6
    assert len(answer["landmarks68_2d"]) == 68
    assert answer["image_size"] == [512, 512]
    described = json.loads((bundle_folder / "bundle.json").read_text())
    assert answer["bundle_sha256"] == described["files"]["head.npz"]


def test_faces_are_listed_and_boxes_taken(child: Child, portrait: bytes) -> None:
    status, answer = child.ask("/v1/faces", portrait)
    assert status == 200 and answer["image_size"] == [512, 512]
    ((x, y, width, height),) = answer["faces"]
    status, boxed = child.ask(f"/v1/reconstruct?box={x},{y},{width},{height}", portrait)
    assert status == 200 and boxed["face_box"] == [x, y, width, height]


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", "ключ"])
@pytest.mark.parametrize("path", ["/health/ready", "/v1/bundle", "/v1/faces", "/v1/reconstruct"])
def test_no_route_works_without_the_token(child: Child, path: str, token: str | None) -> None:
    sent = None if token is None else token.encode().decode("latin-1")
    body = b"x" if path in ("/v1/faces", "/v1/reconstruct") else None
    assert child.code(path, body, token=sent) == (401, "request_token")


@pytest.mark.parametrize("protocol", ["2", "", None])
def test_another_protocol_is_refused_with_both_versions(child: Child, portrait: bytes, protocol: str | None) -> None:
    status, answer = child.ask("/v1/reconstruct", portrait, protocol=protocol)
    assert status == 409
    assert answer["error"]["code"] == "request_protocol"
    assert "protocol 1" in answer["error"]["message"]
    assert (protocol or "none") in answer["error"]["message"]


def test_what_is_asked_wrongly_is_refused(child: Child, portrait: bytes) -> None:
    assert child.code("/v1/nothing") == (404, "request_route")
    assert child.code("/v1/reconstruct") == (405, "request_route")
    assert child.code("/v1/reconstruct?face=first", portrait) == (400, "request_invalid")
    assert child.code("/v1/reconstruct?face=3", portrait) == (422, "face_number")
    for box in ("1,2,3", "a,b,c,d", "0,0,0,5", "nan,0,5,5", "inf,0,5,5"):
        assert child.code(f"/v1/reconstruct?box={box}", portrait) == (400, "request_invalid")
    for side in ("0", "1000", "big"):
        assert child.code(f"/v1/reconstruct?texture={side}", portrait) == (400, "request_invalid")
    assert child.code("/v1/reconstruct?detail=yes", portrait) == (400, "request_invalid")
    assert child.code("/v1/reconstruct?box=9000,0,5,5", portrait) == (422, "box_outside")
    _, answer = child.ask("/v1/reconstruct?face=3", portrait)
    assert answer["error"]["facts"] == {"count": "1", "face": "3", "last": "0"}
    assert child.code("/v1/reconstruct?method=mofa", portrait) == (422, "method_unknown")


def test_bad_photos_get_a_sentence_and_the_next_photo_works(child: Child, portrait: bytes) -> None:
    buffer = BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG")
    assert child.code("/v1/reconstruct", b"") == (400, "image_empty")
    assert child.code("/v1/reconstruct", b"not an image") == (415, "image_unreadable")
    assert child.code("/v1/reconstruct", portrait[:3000]) == (422, "image_damaged")
    assert child.code("/v1/reconstruct", buffer.getvalue()) == (422, "face_none")
    assert child.ask("/v1/reconstruct", portrait)[0] == 200


def test_a_file_of_more_than_64_mb_is_refused(child: Child) -> None:
    assert child.code("/v1/reconstruct", bytes(64 * 2**20 + 1)) == (413, "request_too_large")


def test_requests_at_once_are_all_answered(child: Child, portrait: bytes) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: child.ask("/v1/reconstruct", portrait), range(6)))
    assert [status for status, _ in answers] == [200] * 6
    assert all(answer["identity"] == answers[0][1]["identity"] for _, answer in answers)


def test_clients_that_stall_or_vanish_keep_nobody_waiting(child: Child, portrait: bytes) -> None:
    stalled = [child.send(portrait[:1000], length=len(portrait)) for _ in range(8)]
    for _ in range(8):
        child.send(portrait).close()
    try:
        assert child.ask("/health/ready")[0] == 200
        assert child.ask("/v1/reconstruct", portrait)[0] == 200
    finally:
        for connection in stalled:
            connection.close()
    assert child.ask("/v1/reconstruct", portrait)[0] == 200


def test_a_request_whose_client_left_is_dropped_from_the_queue(child: Child) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3)).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, "PNG", compress_level=0)  # nothing to find: the longest search there is
    started = time.monotonic()
    assert child.code("/v1/reconstruct", buffer.getvalue()) == (422, "face_none")
    alone = time.monotonic() - started
    for connection in [child.send(buffer.getvalue()) for _ in range(20)]:
        connection.close()
    started = time.monotonic()
    assert child.code("/v1/reconstruct", b"") == (400, "image_empty")
    assert time.monotonic() - started < 10 * alone


def test_the_health_is_told_while_a_photo_is_worked_on(child: Child, portrait: bytes) -> None:
    with ThreadPoolExecutor(4) as pool:
        photos = [pool.submit(child.ask, "/v1/reconstruct", portrait) for _ in range(4)]
        assert child.ask("/health/live", token=None)[0] == 200
        assert not all(photo.done() for photo in photos)
        assert [photo.result()[0] for photo in photos] == [200] * 4


def test_it_ends_when_standard_input_closes(own_child: Child) -> None:
    assert own_child.process.stdin is not None
    own_child.process.stdin.close()
    assert own_child.process.wait(SECONDS) == 0


def test_it_ends_with_standard_input_even_while_it_works(own_child: Child, portrait: bytes) -> None:
    connections = [own_child.send(portrait) for _ in range(10)]
    assert own_child.process.stdin is not None
    own_child.process.stdin.close()
    assert own_child.process.wait(SECONDS) == 0
    for connection in connections:
        connection.close()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_killed_in_the_middle_the_client_learns_of_it_and_the_next_one_works(
    own_child: Child, bundle_folder: Path, portrait: bytes
) -> None:
    waiting = own_child.send(portrait[:-1], length=len(portrait))
    own_child.process.send_signal(signal.SIGKILL)
    own_child.process.wait(SECONDS)
    with waiting, contextlib.suppress(ConnectionResetError):
        assert waiting.recv(1) == b""
    again = Child(bundle_folder)
    try:
        assert again.ask("/v1/reconstruct", portrait)[0] == 200
    finally:
        again.close()


def test_the_token_may_come_from_the_environment(bundle_folder: Path) -> None:
    child = Child(bundle_folder, token_from="environment")
    try:
        assert child.ask("/health/ready")[0] == 200
    finally:
        child.close()


def test_a_backend_without_a_token_does_not_start(bundle_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-s", "-m", "backend", "--bundle", str(bundle_folder)],
        input="\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SECONDS,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "token" in done.stderr


def test_a_bundle_that_cannot_be_used_is_the_last_word_on_standard_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-s", "-m", "backend", "--bundle", str(tmp_path / "nowhere")],
        input=TOKEN + "\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SECONDS,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("The bundle folder")


def test_likeness_serve_shows_how_to_use_it(bundle_folder: Path, portrait: bytes, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "likeness", "serve", "--bundle", str(bundle_folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        address, command = process.stdout.readline().split()[0], process.stdout.readline()
        token = command.split("Bearer ")[1].split("'")[0]
        request = urllib.request.Request(
            f"{address}/v1/reconstruct", portrait, {"Authorization": f"Bearer {token}", "Likeness-Protocol": "1"}
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            assert len(json.loads(response.read())["identity"]) == 6
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) in (0, 130)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait(SECONDS)
        if process.stdout:
            process.stdout.close()
