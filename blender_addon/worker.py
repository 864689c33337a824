"""Work for the backend, on a thread that never touches bpy; the operator reads its messages."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from . import bundle as bundles
from . import photo as photos
from .bundle import Bundle
from .client import Client
from .failures import Failure
from .photo import Photo
from .reconstruction import Reconstruction
from .server import Launch, Server

Box = tuple[float, float, float, float]

# What ends a job of many photos: nothing of it is the photo's fault, and the next photo would fare no better.
_ENDS_ALL = ("cancelled", "protocol", "backend_python", "backend_start", "bundle_missing", "bundle_damaged")


@dataclass(frozen=True)
class Job:
    """Photos, and what is to work on them. `face` and `box` (x, y, width, height), upright pixels, choose the face;
    `texture` is the side of the skin's texture, None for none; `detail` says whether its fine relief is wanted.
    """

    photos: tuple[Photo | Path, ...]
    launch: Launch
    method: str = ""
    face: int | None = None
    box: Box | None = None
    texture: int | None = None
    detail: bool = False


@dataclass(frozen=True)
class Progress:
    """`stage` has begun; `fraction` (0..1) of the whole is done, by the usual times of the stages.

    `photo` of `photos` is worked on, counted from 1.
    """

    stage: str
    fraction: float
    photo: int = 1
    photos: int = 1


@dataclass(frozen=True)
class Answer:
    """What became of one photo: a reconstruction, or the failure that it ended with."""

    photo: str
    reconstruction: Reconstruction | None
    failure: Failure | None = None


@dataclass(frozen=True)
class Finished:
    """An answer for each photo, the bundle to decode them, and the name of what ran the network."""

    bundle: Bundle
    answers: tuple[Answer, ...]
    provider: str


@dataclass(frozen=True)
class Faces:
    """The boxes of a photo's faces, the largest and surest first, in pixels of the upright photo of `image_size`."""

    image_size: tuple[int, int]
    boxes: tuple[Box, ...]
    provider: str


@dataclass(frozen=True)
class Health:
    """What a backend says of itself: what runs the network, its bundle, and its memory in bytes where it knows."""

    provider: str
    bundle: str
    version: str
    memory: int | None


@dataclass(frozen=True)
class Failed:
    """It ended with `failure`, which may be `cancelled`."""

    failure: Failure


Outcome = Finished | Faces | Health
Message = Progress | Outcome | Failed
Tell = Callable[[Progress], None]
Asked = Callable[[], bool]


class Work(Protocol):
    """What a worker does: it may block, tells its progress, asks whether it is cancelled, and raises Failure."""

    def __call__(self, server: Server, tell: Tell, cancelled: Asked) -> Outcome:
        """Do it."""
        ...


def reconstruct(job: Job, server: Server, tell: Tell, cancelled: Asked = lambda: False) -> Finished:
    """Bundle, backend, answers. Blocks; raises Failure: of several photos only what stands in the way of all.

    A backend that got lost is stopped, so that the next photo starts a new one.
    """
    count = len(job.photos)
    tell(Progress("Reading the model", 0.02, photos=count))
    bundle = bundles.load(job.launch.bundle)
    answers: list[Answer] = []
    provider = ""
    for number, source in enumerate(job.photos, 1):

        def told(stage: str, share: float, number: int = number) -> None:
            tell(Progress(stage, 0.05 + 0.9 * (number - 1 + share) / count, number, count))

        try:
            provider, reconstruction = _one(job, source, bundle, server, told, cancelled)
            answers.append(Answer(source.name, reconstruction))
        except Failure as failure:
            if count == 1 or failure.code in _ENDS_ALL:
                raise
            answers.append(Answer(source.name, None, failure))
    tell(Progress("Building the head", 0.95, count, count))
    return Finished(bundle, tuple(answers), provider)


def find_faces(source: Photo | Path, launch: Launch, server: Server, tell: Tell, cancelled: Asked) -> Faces:
    """Where faces are in a photo. Blocks; raises Failure."""
    data = _bytes(source)
    tell(Progress("Starting the backend", 0.1))
    client, health = _ready(launch, server, cancelled)
    tell(Progress("Looking for faces", 0.5))
    answer = _asked(server, cancelled, lambda: client.faces(data))
    try:
        width, height = answer["image_size"]
        boxes = tuple((float(x), float(y), float(w), float(h)) for x, y, w, h in answer["faces"])
        return Faces((int(width), int(height)), boxes, health.provider)
    except (KeyError, TypeError, ValueError) as error:
        raise Failure("backend_answer", reason=error) from error


def test(launch: Launch, server: Server, tell: Tell, cancelled: Asked) -> Health:
    """Start the backend and hear that it is ready. Blocks; raises Failure."""
    tell(Progress("Starting the backend", 0.3))
    return _ready(launch, server, cancelled)[1]


def _one(
    job: Job, source: Photo | Path, bundle: Bundle, server: Server, told: Callable[[str, float], None], cancelled: Asked
) -> tuple[str, Reconstruction]:
    data = _bytes(source)
    told("Starting the backend" if server.pid is None else "Asking the backend", 0.05)
    client, health = _ready(job.launch, server, cancelled)
    told("Reconstructing the face", 0.5)
    answer = _asked(
        server,
        cancelled,
        lambda: client.reconstruct(
            data, method=job.method, face=job.face, box=job.box, texture=job.texture, detail=job.detail
        ),
    )
    return health.provider, Reconstruction.from_answer(answer, bundle)


def _bytes(source: Photo | Path) -> bytes:
    return (source if isinstance(source, Photo) else photos.read(source)).encoded()


def _asked(server: Server, cancelled: Asked, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        answer = ask()
    except Failure as failure:
        if cancelled():
            raise Failure("cancelled") from failure
        if failure.code in ("backend_lost", "backend_slow"):
            server.stop()
        raise
    if cancelled():
        raise Failure("cancelled")
    return answer


def _ready(launch: Launch, server: Server, cancelled: Asked) -> tuple[Client, Health]:
    """A client whose backend has loaded the bundle, and how it is. A dead backend is found here, once."""
    client = server.ensure(launch, cancelled)
    try:
        answer = client.ready()
    except Failure as failure:
        if failure.code != "backend_lost" or cancelled():
            raise
        server.stop()
        client = server.ensure(launch, cancelled)
        answer = client.ready()
    if cancelled():
        raise Failure("cancelled")
    memory = answer.get("memory")
    return client, Health(
        provider=str(answer.get("provider", "")),
        bundle=str(answer.get("bundle", "")),
        version=str(answer.get("version", "")),
        memory=memory if isinstance(memory, int) else None,
    )


class Worker:
    """Does one piece of work on a daemon thread. The last message is an `Outcome` or `Failed`."""

    def __init__(self, work: Work, server: Server) -> None:
        self._work, self._server = work, server
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
            outcome = self._work(self._server, self._messages.put, self._cancelled.is_set)
        except Failure as failure:
            self._messages.put(Failed(failure))
        except Exception as error:  # noqa: BLE001  a thread's exception would be lost, and the operator wait for ever
            self._messages.put(Failed(Failure("backend_answer", reason=f"{type(error).__name__}: {error}")))
        else:
            self._messages.put(outcome)
