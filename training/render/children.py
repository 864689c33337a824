"""The rendering processes as their parent sees them: started, listened to, started again when Blender goes down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO

from training.render.job import BEGUN, FAILED, MARK, STOPPED, RenderJob, RenderStopped

# A sample at which Blender goes down this often is left out.
_CRASHES = 2
# More crashes than this are no bad luck with single samples.
_RESTARTS = 20
_ENDED = "ended"


@dataclass(frozen=True)
class _Event:
    child: int
    kind: str
    content: int | str


def renderer_command() -> list[str]:
    """What starts the renderer again: this Python, or the Blender we are in."""
    blender = sys.modules.get("bpy")
    program = str(blender.app.binary_path) if blender is not None else ""
    if not program:
        return [sys.executable, "-m", "training.render", "--worker"]
    script = Path(__file__).resolve().with_name("__main__.py")
    options = ["-b", "--factory-startup", "--python-exit-code", "1", "--python", str(script), "--", "--worker"]
    return [program, *options]


def run_processes(
    job: RenderJob, processes: int, on_sample: Callable[[int, bool], None], command: Sequence[str] | None = None
) -> None:
    """Renders a job's shards in processes of their own; ``on_sample`` gets each finished index, and if it was made.

    All processes are gone when this returns or raises. Raises :class:`RenderStopped`.
    """
    command = command or renderer_command()
    events: Queue[_Event] = Queue()
    children: dict[int, _Child] = {}
    counted: set[int] = set()
    try:
        for number in range(min(processes, len(job.shards))):
            children[number] = _Child(replace(job, shards=job.shards[number::processes]), number, events, command)
        while children:
            event = events.get()
            child = children[event.child]
            if event.kind == STOPPED:
                raise RenderStopped(str(event.content))
            if event.kind == BEGUN:
                child.at = int(event.content)
            elif event.kind == _ENDED:
                if event.content == 0:
                    children.pop(event.child).end()
                else:
                    child.restart(int(event.content))
            # A process that was started again makes its shard from the beginning.
            elif event.content not in counted:
                counted.add(int(event.content))
                on_sample(int(event.content), event.kind != FAILED)
    finally:
        for child in children.values():
            child.end()


class _Child:
    """One rendering process after another, for the same shards."""

    def __init__(self, job: RenderJob, number: int, events: Queue[_Event], command: Sequence[str]) -> None:
        self._job, self._number, self._events, self._command = job, number, events, command
        self._crashes: list[int] = []
        self.at: int | None = None
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        root = str(Path(__file__).resolve().parents[2])
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]),
            # A process is to keep to its thread: numpy's libraries and the software OpenGL too.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "LP_NUM_THREADS": "1",
        }
        process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("Python made no pipes to the rendering process.")
        with suppress(BrokenPipeError):  # one that ends at once is heard of like any other
            process.stdin.write(self._job.to_json() + "\n")
            process.stdin.flush()
        self._listener = Thread(target=self._listen, args=(process, process.stdout), daemon=True)
        self._listener.start()
        return process

    def _listen(self, process: subprocess.Popen[str], stream: IO[str]) -> None:
        with stream:
            for line in stream:
                words = line.rstrip("\n").split(" ", 2)
                if len(words) == 3 and words[0] == MARK:
                    self._events.put(_Event(self._number, words[1], json.loads(words[2])))
        self._events.put(_Event(self._number, _ENDED, process.wait()))

    def restart(self, status: int) -> None:
        """Starts a new process after one that ended with a status; leaves out what crashed too often.

        Raises :class:`RenderStopped` when that is no use.
        """
        if self.at is None or len(self._crashes) == _RESTARTS:
            raise RenderStopped(
                f"A rendering process ended with status {status} before its work was done; what it said stands above. "
                "The same command goes on from the finished shards."
            )
        self._crashes.append(self.at)
        left_out = {index for index in self._crashes if self._crashes.count(index) >= _CRASHES}
        self._job = replace(self._job, crashed=tuple(sorted(left_out)))
        self.at = None
        self.end()
        self._process = self._start()

    def end(self) -> None:
        """Stops the process at once and closes its pipes."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        if self._process.stdin:
            self._process.stdin.close()
