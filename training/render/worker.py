"""One rendering process: draws, builds, renders and writes the shards it is given, and says how it gets on."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

import bpy
import numpy as np
from numpy.typing import NDArray

from training.assets.makehuman import AssetFolder
from training.populations.files import load_populations
from training.populations.identity import Population
from training.render.engine import DiskFull, Frame, RenderFailed
from training.render.job import BEGUN, DONE, FAILED, MARK, STOPPED, RenderJob, RenderStopped, failures_path
from training.render.scene import SceneOptions, TrainingScene
from training.render.visibility import LandmarkSight
from training.render.world import folder_worlds
from training.shards import DatasetError, DatasetInfo, Sample, shard_path, write_shard, write_whole
from training.subjects.figure import Figure, FigureBuilder
from training.subjects.subject import SubjectParams, draw_subject
from training.subjects.view import lens_and_crop
from training.truth import pack_truth

# Faults of one subject or one frame: it is tried once more, then recorded and left out.
_FAULTS = (RenderFailed, ValueError, ArithmeticError, LookupError, RuntimeError)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# So many failures without a success between them are no bad luck with one subject.
_PATIENCE = 5

Report = Callable[[str, int], None]


class SampleMaker:
    """Makes the samples of a dataset one by one, in any order; each depends on (seed, index) alone.

    One scene, held as long as this lives: Blender has only one, so make one of these at a time. Raises ``OSError`` or
    ``ValueError`` when the HDRIs cannot be had.
    """

    def __init__(
        self,
        population: Population,
        info: DatasetInfo,
        threads: int = 1,
        hdris: Path | None = None,
        assets: Path | None = None,
    ) -> None:
        template = population.template
        worlds = folder_worlds(hdris) if hdris else ()
        self.info = info
        self.builder = FigureBuilder(population, AssetFolder.open(assets, template) if assets else None)
        photos = tuple(self.builder.photos.values())
        self.scene = TrainingScene(
            template,
            SceneOptions(info.resolution, info.samples, threads, worlds, photos, info.engine, tuple(info.passes)),
        )
        self.stock = self.builder.stock(self.scene.world.names)
        self._marks = {"landmarks68": template.landmarks68, "landmarks_dense": template.landmarks_dense}
        self._sight = LandmarkSight(np.concatenate([*self._marks.values()]), template.triangles)
        self._scratch = tempfile.TemporaryDirectory(prefix="likeness-")

    def close(self) -> None:
        """Removes the scratch files."""
        self._scratch.cleanup()

    def make(self, index: int) -> Sample:
        """Sample ``index``. Raises a :class:`training.render.engine.RenderFailed` when it comes out wrong."""
        subject = self.draw(index)
        figure = self.build(subject)
        illumination = self.show(subject, figure)
        return self.record(subject, figure, illumination, self.render())

    def draw(self, index: int) -> SubjectParams:
        """The random numbers."""
        return draw_subject(
            self.builder.population, self.stock, self.info.seed, index, self.info.photos, self.info.yaws
        )

    def build(self, subject: SubjectParams) -> Figure:
        """What follows from them, as arrays."""
        return self.builder.build(subject, self.info.resolution)

    def show(self, subject: SubjectParams, figure: Figure) -> NDArray[np.float32]:
        """Changes Blender's scene; returns the illumination (9,3)."""
        return self.scene.set_subject(subject, figure)

    def render(self) -> Frame:
        """The scene as it is."""
        return self.scene.frame(Path(self._scratch.name) / "frame.jpg")

    def record(self, subject: SubjectParams, figure: Figure, illumination: NDArray[np.float32], frame: Frame) -> Sample:
        """The sample that a frame makes together with what it was rendered from."""
        camera = figure.camera
        arrays: dict[str, NDArray[Any]] = {
            "vertices": figure.neutral,
            "expression": self.builder.strengths(subject),
            "reflectance_vertices": figure.reflectance.astype(np.float16),
            "illumination": illumination,
            "rotation": camera.rotation.astype(np.float32),
            "translation": camera.translation.astype(np.float32),
            "focal": np.array(camera.focal, np.float32),
        }
        visible = self._sight.visible(figure.vertices, camera, self.scene.passes.depth(frame.channels))
        shown = float(visible[: len(self._marks["landmarks68"])].mean())
        for name, ids in self._marks.items():
            arrays[name] = camera.project(figure.vertices[ids]).astype(np.float32)
            arrays[f"{name}_visible"], visible = visible[: len(ids)], visible[len(ids) :]
        lens, crop = lens_and_crop(camera)
        parameters = subject.to_json() | {
            "yaw": subject.view.yaw,
            "pitch": subject.view.pitch,
            "roll": subject.view.roll,
            "landmarks68_shown": shown,
            "lens": lens,
            "crop": crop,
            "resolution": self.info.resolution,
            "samples": self.info.samples,
            "engine": self.info.engine,
            "passes": list(self.info.passes),
            "view_transform": subject.view.transform,
            "depth_of_field": subject.view.aperture > 0.0 and not self.info.passes,
            "denoised": self.scene.denoised,
            "blender": bpy.app.version_string,
        }
        packed = pack_truth(self.scene.passes.read(frame.channels, camera))
        return Sample(subject.index, frame.picture, parameters, arrays, packed)


def render_shards(job: RenderJob, report: Report) -> None:
    """Renders the job's missing shards; ``report`` is called with an event and the index of its sample.

    Raises :class:`RenderStopped` when it is no use to go on, :class:`training.shards.DatasetError` and what
    :class:`SampleMaker` raises.
    """
    missing = [shard for shard in job.shards if not shard_path(job.folder, shard).exists()]
    if not missing:
        return
    maker = SampleMaker(load_populations(job.populations), job.info, job.threads, job.hdris, job.assets)
    try:
        writer = _Writer(job, maker, report)
        for shard in missing:
            writer.write(shard)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise RenderStopped(_full(job.folder)) from error
    except DiskFull as error:
        raise RenderStopped(str(error)) from error
    finally:
        maker.close()


def _full(folder: Path) -> str:
    return f"The disk that holds {folder} is full: free some space, then run the same command again."


class _Writer:
    """Writes shards and remembers what failed."""

    def __init__(self, job: RenderJob, maker: SampleMaker, report: Report) -> None:
        self.job, self.maker, self.report = job, maker, report
        self._in_a_row = 0

    def write(self, shard: int) -> None:
        write_shard(shard_path(self.job.folder, shard), self._samples(shard))

    def _samples(self, shard: int) -> Iterator[Sample]:
        failures: list[dict[str, Any]] = []
        for index in self.job.info.indices(shard):
            self.report(BEGUN, index)
            made = self._try_twice(index)
            if isinstance(made, Sample):
                self._in_a_row = 0
                yield made
                self.report(DONE, index)
                continue
            failures.append({"seed": self.job.info.seed, "index": index} | made)
            self._in_a_row += 1
            self.report(FAILED, index)
            if self._in_a_row == _PATIENCE:
                raise RenderStopped(
                    f"The last {_PATIENCE} samples failed one after the other; nothing more is tried. The last one: "
                    f"{made['message']}"
                )
        # Before the shard gets its name, so that there is no finished shard whose failures are not recorded.
        path = failures_path(self.job.folder, shard)
        if failures:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, "".join(json.dumps(failure) + "\n" for failure in failures).encode())
        else:
            path.unlink(missing_ok=True)

    def _try_twice(self, index: int) -> Sample | dict[str, str]:
        """The sample, or name and message of what went wrong the second time."""
        if index in self.job.crashed:
            return {"fault": "Crashed", "message": "Blender itself crashed while this sample was made."}
        fault: Exception | None = None
        for _ in range(2):
            try:
                return self.maker.make(index)
            except (DiskFull, DatasetError):
                raise
            except _FAULTS as error:
                fault = error
        return {"fault": type(fault).__name__, "message": str(fault)}


def main() -> NoReturn:
    """A child's whole life: the job comes as the first line on standard input, and when that closes, it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    job = RenderJob.from_json(_first_line())
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        render_shards(job, _tell)
    except (RenderStopped, DatasetError, OSError, ValueError) as error:
        _tell(STOPPED, str(error))
        _leave(1)
    except ImportError as error:
        _tell(STOPPED, f"This Python has no {error.name}: install it there, or leave --assets out.")
        _leave(1)
    _leave(0)


def _tell(event: str, content: int | str) -> None:
    sys.stdout.write(f"{MARK} {event} {json.dumps(content)}\n")
    sys.stdout.flush()


def _leave(status: int) -> NoReturn:
    """Ends the process at once: Blender's module hangs in its clean-up when another thread is about."""
    shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
    os._exit(status)


def _first_line() -> str:
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line.decode()


def _end_with_parent() -> None:
    """A parent that is killed takes its children along: nobody would count what they render."""
    # Not sys.stdin: Python cannot shut down while a thread holds that.
    while os.read(0, 1024):
        pass
    _leave(1)
