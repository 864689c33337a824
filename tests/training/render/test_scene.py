from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.populations.anny import AnnyPopulation
from training.shards import DatasetInfo
from training.subjects.subject import Painter

pytest.importorskip("bpy")

INFO = DatasetInfo(
    seed=3, count=8, per_shard=4, resolution=96, samples=4, engine="CYCLES", view_transform="Standard",
    template_sha256="",
)  # fmt: skip


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(float)


def test_a_sample_is_the_same_whatever_was_rendered_before(population: AnnyPopulation, tmp_path: Path) -> None:
    from training.render.scene import TrainingScene
    from training.render.worker import render_sample

    painter = Painter(population.template)
    scene = TrainingScene(population.template, INFO.resolution, INFO.samples)
    path = tmp_path / "frame.jpg"
    first = render_sample(population, painter, scene, INFO, 5, path)
    for other in (2, 6):
        render_sample(population, painter, scene, INFO, other, path)
    again = render_sample(population, painter, scene, INFO, 5, path)
    assert first.parameters == again.parameters
    assert all(np.array_equal(first.arrays[name], again.arrays[name]) for name in first.arrays)
    assert np.abs(pixels(first.picture) - pixels(again.picture)).mean() <= 1.0


def test_the_picture_shows_the_head_where_the_camera_says(population: AnnyPopulation, tmp_path: Path) -> None:
    """Bright marks on single vertices must show where those vertices project."""
    from training.render.scene import TrainingScene
    from training.subjects.subject import draw_subject, subject_camera

    template = population.template
    subject = draw_subject(population, 3, 0)
    subject = replace(subject, yaw=20.0, pitch=5.0, roll=8.0, expression={})
    subject = replace(subject, light=replace(subject.light, world=0, key=0.0, strength=1.0, tint=(1.0, 1.0, 1.0)))
    subject = replace(subject, hair=replace(subject.hair, thickness=0.0))
    vertices = population.vertices(subject.identity)
    camera = subject_camera(template, vertices, subject, 256)
    scene = TrainingScene(template, 256, 16)
    marks = template.landmarks68[[30, 57, 27]]
    pictures = []
    for marked in (False, True):
        albedo = np.full((len(vertices), 3), 0.02, np.float32)
        if marked:
            albedo[marks] = [0.0, 1.0, 0.0]
        scene.set_subject(subject, vertices, albedo, camera)
        pictures.append(pixels(scene.render(tmp_path / "frame.jpg")))
    change = (pictures[1] - pictures[0])[..., 1]
    rows, columns = np.mgrid[0:256, 0:256] + 0.5
    for x, y in camera.project(vertices[marks]):
        near = np.clip(change, 4.0, None) - 4.0
        near = near * (np.hypot(columns - x, rows - y) < 9.0)
        assert near.sum() > 0, "the mark does not show"
        # The colour fades towards the neighbours, which lie unevenly: the vertex is where it is strongest.
        near = np.where(near > 0.7 * near.max(), near, 0.0)
        found = np.array([(near * columns).sum(), (near * rows).sum()]) / near.sum()
        assert np.hypot(*(found - [x, y])) < 2.0
