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

from training.populations.identity import Population
from training.render.engine import RenderFailed
from training.render.scene import SceneOptions, TrainingScene
from training.shards import DatasetInfo, Sample, shard_path, write_shard
from training.subjects.figure import FigureBuilder
from training.subjects.subject import Stock, draw_subject
from training.subjects.view import lens_and_crop


@dataclass(frozen=True)
class RenderJob:
    """The shards of a dataset that one process renders."""

    folder: Path
    info: DatasetInfo
    shards: tuple[int, ...]
    threads: int


def render_shards(population: Population, job: RenderJob, on_sample: Callable[[int], None]) -> int:
    """Renders the job's missing shards; returns the number of samples that failed twice and were skipped.

    on_sample is called with the index of each finished sample.
    """
    missing = [shard for shard in job.shards if not shard_path(job.folder, shard).exists()]
    if not missing:
        return 0
    info = job.info
    scene = TrainingScene(population.template, SceneOptions(info.resolution, info.samples, job.threads))
    builder = FigureBuilder(population)
    stock = Stock(scene.world.names)
    failed: list[int] = []
    with tempfile.TemporaryDirectory() as scratch:

        def samples(shard: int) -> Iterator[Sample]:
            for index in info.indices(shard):
                sample = _render_twice(builder, stock, scene, info, index, Path(scratch) / "frame.jpg")
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
    builder: FigureBuilder, stock: Stock, scene: TrainingScene, info: DatasetInfo, index: int, path: Path
) -> Sample | None:
    for _ in range(2):
        try:
            return render_sample(builder, stock, scene, info, index, path)
        except RenderFailed:
            continue
    return None


def render_sample(
    builder: FigureBuilder, stock: Stock, scene: TrainingScene, info: DatasetInfo, index: int, path: Path
) -> Sample:
    """Sample ``index`` of the dataset, which depends on (seed, index) alone; ``path`` is a scratch file."""
    template = builder.template
    subject = draw_subject(builder.population, stock, info.seed, index)
    figure = builder.build(subject, info.resolution)
    illumination = scene.set_subject(subject, figure)
    camera = figure.camera
    picture = scene.render(path)
    arrays: dict[str, NDArray[Any]] = {
        "vertices": figure.neutral,
        "expression": builder.strengths(subject),
        "reflectance_vertices": figure.reflectance.astype(np.float16),
        "illumination": illumination,
        "landmarks68": camera.project(figure.vertices[template.landmarks68]).astype(np.float32),
        "landmarks_dense": camera.project(figure.vertices[template.landmarks_dense]).astype(np.float32),
        "rotation": camera.rotation.astype(np.float32),
        "translation": camera.translation.astype(np.float32),
        "focal": np.array(camera.focal, np.float32),
    }
    lens, crop = lens_and_crop(camera)
    parameters = subject.to_json() | {
        "yaw": subject.view.yaw,
        "pitch": subject.view.pitch,
        "roll": subject.view.roll,
        "lens": lens,
        "crop": crop,
        "resolution": info.resolution,
        "engine": info.engine,
        "denoised": scene.denoised,
    }
    return Sample(index, picture, parameters, arrays)
