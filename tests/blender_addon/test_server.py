from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blender_addon import server as servers
from blender_addon.failures import Failure
from blender_addon.server import Launch, Server

# A child that speaks the first two sentences of the protocol, so that starting and stopping can be tried alone.
LISTENING = """
import json, sys
token = sys.stdin.readline()
print("a library's greeting")
print(json.dumps({"port": 4711, "protocol": 1, "version": "0"}), flush=True)
sys.stdin.read()
"""


def launch(folder: Path, program: str) -> Launch:
    (folder / "backend").mkdir(exist_ok=True)
    (folder / "backend" / "__init__.py").touch()
    (folder / "backend" / "__main__.py").write_text(program)
    return Launch(sys.executable, (str(folder),), folder)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "likeness-backend-output"]


def test_it_is_started_once_and_stopped(server: Server, tmp_path: Path) -> None:
    how = launch(tmp_path, LISTENING)
    client = server.ensure(how)
    pid = server.pid
    assert client.port == 4711 and pid is not None
    assert server.ensure(how) is client
    server.stop()
    assert server.pid is None and not alive(pid)


def test_it_is_started_again_when_found_dead(server: Server, tmp_path: Path) -> None:
    how = launch(tmp_path, LISTENING)
    server.ensure(how)
    first = server.pid
    assert first is not None
    os.kill(first, 9)
    deadline = time.monotonic() + 10
    while server.pid is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    server.ensure(how)
    assert server.pid not in (None, first)


def test_other_settings_start_another(server: Server, tmp_path: Path) -> None:
    first = launch(tmp_path, LISTENING)
    server.ensure(first)
    pid = server.pid
    assert pid is not None
    server.ensure(Launch(first.python, first.search_path, tmp_path / "other"))
    assert server.pid != pid and not alive(pid)


def test_the_token_is_in_neither_arguments_nor_environment(server: Server, tmp_path: Path) -> None:
    program = """
import json, os, sys
token = sys.stdin.readline().strip()
hidden = len(token) >= 32 and token not in " ".join([*sys.argv, *os.environ.values()])
print(json.dumps({"port": int(hidden), "protocol": 1}), flush=True)
sys.stdin.read()
"""
    assert server.ensure(launch(tmp_path, program)).port == 1


def test_the_working_folder_hides_no_modules(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.setattr(servers.tempfile, "gettempdir", lambda: str(tmp_path / "work"))
    assert server.ensure(launch(tmp_path, LISTENING)).port == 4711


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        ("import sys; sys.exit('The bundle is missing; do this.')", "backend_start", "The bundle is missing; do this"),
        ("raise SystemExit(3)", "backend_start", "exit status 3"),
        ('print(\'{"port": 1, "protocol": 7}\', flush=True); input(); input()', "protocol", "7"),
    ],
)
def test_a_child_that_does_not_start(server: Server, tmp_path: Path, program: str, code: str, words: str) -> None:
    with pytest.raises(Failure) as caught:
        server.ensure(launch(tmp_path, program))
    assert caught.value.code == code
    assert words in str(caught.value)
    assert server.pid is None


def test_a_python_that_is_not_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        server.ensure(Launch(str(tmp_path / "python"), (), tmp_path))
    assert caught.value.code == "backend_python"


def test_starting_can_be_cancelled(server: Server, tmp_path: Path) -> None:
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    start = time.monotonic()
    with pytest.raises(Failure) as caught:
        server.ensure(launch(tmp_path, "input(); input()"), cancelled.is_set)
    assert caught.value.code == "cancelled"
    assert time.monotonic() - start < 2.0
    assert server.pid is None


def test_a_silent_child_is_given_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "START_SECONDS", 0.5)
    with pytest.raises(Failure, match="silent"):
        server.ensure(launch(tmp_path, "input(); input()"))


def test_the_wheels_that_blender_unpacked_are_found(tmp_path: Path) -> None:
    wheels = servers.wheels_folder(tmp_path / "extensions")
    assert servers.search_path(tmp_path, wheels) == (str(tmp_path),)
    wheels.mkdir(parents=True)
    assert servers.search_path(tmp_path, wheels) == (str(tmp_path), str(wheels))
