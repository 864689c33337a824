"""The backend as a child process: started on first use, started again when found dead, gone when Blender is gone."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import queue
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .client import Client
from .failures import Failure
from .reconstruction import PROTOCOL

START_SECONDS = 90.0
STOP_SECONDS = 3.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Launch:
    """How to start a backend: which Python, where it finds its modules, and the bundle it runs."""

    python: str
    search_path: tuple[str, ...]
    bundle: Path

    def command(self) -> list[str]:
        """The child's arguments. `-s`, not Blender's own `-I`, which would ignore PYTHONPATH."""
        return [self.python, "-s", "-m", "backend", "--bundle", str(self.bundle)]

    def environment(self) -> dict[str, str]:
        """This process's environment with the child's module path; the token is never in it."""
        environment = dict(os.environ)
        for name in ("PYTHONHOME", "PYTHONSTARTUP", "LIKENESS_TOKEN"):
            environment.pop(name, None)
        environment["PYTHONPATH"] = os.pathsep.join(self.search_path)
        environment["PYTHONSAFEPATH"] = "1"  # `-m` would otherwise look for modules in the working folder first
        environment["PYTHONUTF8"] = "1"
        return environment


class Server:
    """At most one backend process. Methods may be called from any thread; starting and stopping wait for each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._launch: Launch | None = None
        self._client: Client | None = None
        self._readers: list[threading.Thread] = []
        self._last_words: collections.deque[str] = collections.deque(maxlen=40)

    @property
    def pid(self) -> int | None:
        """The process number of the running backend, None if there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def ensure(self, launch: Launch, cancelled: Callable[[], bool] = lambda: False) -> Client:
        """The client of a backend started as `launch` says, which is the running one where it fits.

        Blocks until the backend listens. Raises Failure: `backend_python`, `backend_start`, `protocol`, `cancelled`.
        """
        with self._lock:
            if self._client is not None and self._launch == launch and self.pid is not None:
                return self._client
            self._stop()
            try:
                self._client = self._start(launch, cancelled)
            except Failure:
                self._stop(at_once=True)
                raise
            self._launch = launch
            return self._client

    def abort(self) -> None:
        """End the request that a thread is waiting for, if any; the backend itself goes on."""
        client = self._client
        if client is not None:
            client.abort()

    def stop(self) -> None:
        """End the backend process, if there is one, and wait until it is gone."""
        with self._lock:
            self._stop()

    def _start(self, launch: Launch, cancelled: Callable[[], bool]) -> Client:
        token = secrets.token_urlsafe(32)
        try:
            process = subprocess.Popen(
                launch.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=launch.environment(),
                cwd=tempfile.gettempdir(),
                text=True,
                encoding="utf-8",
                errors="replace",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise Failure("backend_python", name=launch.python, reason=error.strerror or error) from error
        self._process = process
        self._last_words.clear()
        lines: queue.Queue[str] = queue.Queue()
        assert process.stdin and process.stdout and process.stderr
        self._readers = [
            _reader(process.stdout, lines.put),
            _reader(process.stderr, self._last_words.append),
        ]
        with contextlib.suppress(OSError):  # a child that is dead already is found by the loop below
            process.stdin.write(token + "\n")
            process.stdin.flush()
        hello = self._first_line(process, lines, cancelled)
        if hello.get("protocol") != PROTOCOL:
            raise Failure("protocol", ours=PROTOCOL, theirs=hello.get("protocol"))
        return Client(int(hello["port"]), token)

    def _first_line(
        self, process: subprocess.Popen[str], lines: queue.Queue[str], cancelled: Callable[[], bool]
    ) -> dict[str, int]:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                line = lines.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if cancelled():
                    raise Failure("cancelled") from None
                if process.poll() is not None:
                    for reader in self._readers:
                        reader.join(STOP_SECONDS)
                    raise Failure("backend_start", reason=self._reason(process.returncode)) from None
                if time.monotonic() > deadline:
                    raise Failure("backend_start", reason=f"silent for {START_SECONDS:.0f} s") from None
                continue
            try:
                hello = json.loads(line)
            except ValueError:
                continue  # a library's greeting
            if isinstance(hello, dict) and "port" in hello:
                return hello

    def _reason(self, status: int) -> str:
        words = [line.strip() for line in self._last_words if line.strip()]
        return words[-1].rstrip(".") if words else f"exit status {status}"

    def _stop(self, *, at_once: bool = False) -> None:
        """End the process: asked to, or `at_once` where it does not listen yet and has nothing to lose."""
        process, self._process = self._process, None
        self._client = self._launch = None
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        ways = [process.kill] if at_once else [lambda: None, process.terminate, process.kill]
        for end in ways:
            end()
            try:
                process.wait(STOP_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
        for reader in self._readers:
            reader.join(STOP_SECONDS)
        self._readers = []
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def search_path(extension: Path, wheels: Path | None) -> tuple[str, ...]:
    """PYTHONPATH of a child that runs `backend` from the folder `extension` with the packages unpacked in `wheels`."""
    folders = [extension]
    if wheels is not None and wheels.is_dir():
        folders.append(wheels)
    return tuple(str(folder) for folder in folders)


def wheels_folder(extensions: Path) -> Path:
    """Where Blender unpacks wheels for its Python, below `extensions`, the folder of its extension repositories."""
    return extensions / ".local" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def _reader(stream: IO[str], take: Callable[[str], None]) -> threading.Thread:
    def read() -> None:
        with contextlib.suppress(OSError, ValueError):  # closed while reading
            for line in stream:
                take(line)

    thread = threading.Thread(target=read, name="likeness-backend-output", daemon=True)
    thread.start()
    return thread
