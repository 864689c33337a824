"""Reconstructs one photo, on a thread that never touches bpy; the operator reads its messages."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import bundle as bundles
from .bundle import Bundle
from .client import Client
from .failures import Failure
from .photo import Photo
from .reconstruction import Reconstruction
from .server import Launch, Server


@dataclass(frozen=True)
class Job:
    """One photo and what is to work on it."""

    photo: Photo
    launch: Launch
    method: str = ""


@dataclass(frozen=True)
class Progress:
    """`stage` has begun; `fraction` (0..1) of the whole is done, by the usual times of the stages."""

    stage: str
    fraction: float


@dataclass(frozen=True)
class Finished:
    """The answer, with the bundle to decode it, the name of what ran the network, and the photo's."""

    bundle: Bundle
    reconstruction: Reconstruction
    provider: str
    photo: str


@dataclass(frozen=True)
class Failed:
    """It ended with `failure`, which may be `cancelled`."""

    failure: Failure


Message = Progress | Finished | Failed


def reconstruct(
    job: Job, server: Server, tell: Callable[[Progress], None], cancelled: Callable[[], bool] = lambda: False
) -> Finished:
    """Bundle, backend, answer. Blocks; raises Failure. A backend that got lost is stopped, so that the next call
    starts a new one."""
    tell(Progress("Reading the model", 0.02))
    bundle = bundles.load(job.launch.bundle)
    photo = job.photo.encoded()
    tell(Progress("Starting the backend", 0.1))
    try:
        client, provider = _ready(job.launch, server, cancelled)
        tell(Progress("Reconstructing the face", 0.5))
        answer = client.reconstruct(photo, method=job.method)
    except Failure as failure:
        if failure.code in ("backend_lost", "backend_slow") and not cancelled():
            server.stop()
        raise
    if cancelled():
        raise Failure("cancelled")
    tell(Progress("Building the head", 0.9))
    return Finished(bundle, Reconstruction.from_answer(answer, bundle), provider, job.photo.name)


def _ready(launch: Launch, server: Server, cancelled: Callable[[], bool]) -> tuple[Client, str]:
    """A client whose backend has loaded the bundle, and the provider's name. A dead backend is found here, once."""
    client = server.ensure(launch, cancelled)
    try:
        health = client.ready()
    except Failure as failure:
        if failure.code != "backend_lost" or cancelled():
            raise
        server.stop()
        client = server.ensure(launch, cancelled)
        health = client.ready()
    if cancelled():
        raise Failure("cancelled")
    return client, str(health.get("provider", ""))


class Worker:
    """Runs one job on a daemon thread. The last message is `Finished` or `Failed`."""

    def __init__(self, job: Job, server: Server) -> None:
        self._job, self._server = job, server
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="likeness-worker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to end; returns at once."""
        self._cancelled.set()
        self._server.abort()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end, at most `seconds`."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def messages(self) -> Iterator[Message]:
        """What has been said since the last call."""
        while True:
            try:
                yield self._messages.get_nowait()
            except queue.Empty:
                return

    def _run(self) -> None:
        try:
            finished = reconstruct(self._job, self._server, self._messages.put, self._cancelled.is_set)
        except Failure as failure:
            self._messages.put(Failed(failure))
        except Exception as error:  # noqa: BLE001  a thread's exception would be lost, and the operator wait for ever
            self._messages.put(Failed(Failure("backend_answer", reason=f"{type(error).__name__}: {error}")))
        else:
            self._messages.put(finished)
