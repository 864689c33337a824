from __future__ import annotations

import functools
import sys
import time
from pathlib import Path

import pytest

from blender_addon.photo import Photo
from blender_addon.server import Launch, Server
from blender_addon.worker import Failed, Job, Progress, Work, Worker, reconstruct

SILENT = "input(); input()"


@pytest.fixture
def job(bundle_folder: Path, tmp_path: Path) -> Job:
    """One whose backend never says that it listens."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "__main__.py").write_text(SILENT)
    return Job((Photo("a.jpg", b"data"),), Launch(sys.executable, (str(tmp_path),), bundle_folder))


def working_on(job: Job) -> Work:
    return functools.partial(reconstruct, job)


def test_cancelling_is_quick_and_leaves_no_process(job: Job) -> None:
    server = Server()
    worker = Worker(working_on(job), server)
    worker.start()
    while server.pid is None:
        time.sleep(0.01)
    start = time.monotonic()
    worker.cancel()
    worker.join(5.0)
    assert time.monotonic() - start < 1.0
    *progress, last = worker.messages()
    assert all(isinstance(message, Progress) for message in progress)
    assert isinstance(last, Failed) and last.failure.code == "cancelled"
    assert server.pid is None


def test_a_bundle_that_is_missing_starts_no_backend(job: Job, tmp_path: Path) -> None:
    server = Server()
    worker = Worker(working_on(Job(job.photos, Launch(sys.executable, (), tmp_path / "none"))), server)
    worker.start()
    worker.join(5.0)
    *_, last = worker.messages()
    assert isinstance(last, Failed) and last.failure.code == "bundle_missing"
    assert server.pid is None


def test_what_nobody_expected_is_a_sentence(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(Photo, "encoded", fail)
    worker = Worker(working_on(job), Server())
    worker.start()
    worker.join(5.0)
    *_, last = worker.messages()
    assert isinstance(last, Failed) and "of all things" in str(last.failure)
