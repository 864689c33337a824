"""Renders the shards of one process: draw, build, render, write."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.populations.anny import AnnyPopulation
from training.render.scene import RenderFailed, TrainingScene
from training.shards import DatasetInfo, Sample, shard_path, write_shard
from training.subjects.subject import Painter, draw_subject, posed_vertices, subject_camera


@dataclass(frozen=True)
class RenderJob:
    """The shards of a dataset that one process renders."""

    folder: Path
    info: DatasetInfo
    shards: tuple[int, ...]
    threads: int


def render_shards(population: AnnyPopulation, job: RenderJob, on_sample: Callable[[int], None]) -> int:
    """Renders the job's missing shards; returns the number of samples that failed twice and were skipped.

    on_sample is called with the index of each finished sample.
    """
    missing = [shard for shard in job.shards if not shard_path(job.folder, shard).exists()]
    if not missing:
        return 0
    info = job.info
    scene = TrainingScene(population.template, info.resolution, info.samples, job.threads)
    painter = Painter(population.template)
    failed: list[int] = []
    with tempfile.TemporaryDirectory() as scratch:

        def samples(shard: int) -> Iterator[Sample]:
            for index in info.indices(shard):
                sample = _render_twice(population, painter, scene, info, index, Path(scratch) / "frame.jpg")
                if sample is None:
                    failed.append(index)
                    with (job.folder / "failed.jsonl").open("a") as file:
                        file.write(json.dumps({"seed": info.seed, "index": index}) + "\n")
                else:
                    yield sample
                on_sample(index)

        for shard in missing:
            write_shard(shard_path(job.folder, shard), samples(shard))
    return len(failed)


def _render_twice(
    population: AnnyPopulation, painter: Painter, scene: TrainingScene, info: DatasetInfo, index: int, path: Path
) -> Sample | None:
    for _ in range(2):
        try:
            return render_sample(population, painter, scene, info, index, path)
        except RenderFailed:
            continue
    return None


def render_sample(
    population: AnnyPopulation, painter: Painter, scene: TrainingScene, info: DatasetInfo, index: int, path: Path
) -> Sample:
    """Sample ``index`` of the dataset, which depends on (seed, index) alone; ``path`` is a scratch file."""
    template = population.template
    subject = draw_subject(population, info.seed, index)
    neutral = population.vertices(subject.identity)
    vertices = posed_vertices(template, neutral, subject.expression)
    albedo = painter.albedo(subject)
    camera = subject_camera(template, vertices, subject, info.resolution)
    scene.set_subject(subject, vertices, albedo, camera)
    picture = scene.render(path)
    expression = np.array([subject.expression.get(str(name), 0.0) for name in template.expression_names], np.float32)
    arrays: dict[str, NDArray[Any]] = {
        "vertices": neutral,
        "expression": expression,
        "reflectance_vertices": albedo.astype(np.float16),
        "landmarks68": camera.project(vertices[template.landmarks68]).astype(np.float32),
        "landmarks_dense": camera.project(vertices[template.landmarks_dense]).astype(np.float32),
        "rotation": camera.rotation.astype(np.float32),
        "translation": camera.translation.astype(np.float32),
        "focal": np.array(camera.focal, np.float32),
    }
    parameters = subject.to_json() | {
        "resolution": info.resolution,
        "engine": info.engine,
        "denoised": scene.denoised,
    }
    return Sample(index, picture, parameters, arrays)
