from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.toy_faces import write_toy_faces  # noqa: E402
from training.augmentation import Augmentation, cut  # noqa: E402
from training.camera import Camera  # noqa: E402
from training.dataset import FaceSet, read_faces  # noqa: E402
from training.recipes.joint.reshape import make_reshaper  # noqa: E402

INDICES = np.arange(6)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    # Expressions are left as they are when heads change: without them the camera alone says where points go.
    folder = write_toy_faces(tmp_path_factory.mktemp("faces"), count=12, size=96, acting=False)
    return read_faces(folder, progress=False)


@pytest.mark.parametrize("further", [0.0, 0.5])
def test_points_go_where_the_camera_sees_the_other_head(faces: FaceSet, further: float) -> None:
    mean = faces.vertices.mean(0)
    reshaper = make_reshaper(faces, np.arange(6, 12), mean, np.random.default_rng(0))
    shapes = reshaper.draw(faces, INDICES, (1.0, 60.0), np.random.default_rng(1), further)
    assert (shapes.length > 1).all() == (further > 0)
    assert set(shapes.partner) <= set(range(6, 12))
    for row, index in enumerate(INDICES):
        turn, length = shapes.angle[row], shapes.length[row]
        own, other = faces.vertices[index] - mean, faces.vertices[shapes.partner[row]] - mean
        head = mean + length * (np.cos(turn) * own + np.sin(turn) * other)
        camera = Camera(faces.rotation[index], faces.translation[index], float(faces.focal[index]), 96)
        seen = camera.project(head[faces.template["landmarks68"]])
        assert shapes.landmarks68[row] == pytest.approx(seen, abs=0.01)
    vectors = (faces.vertices - mean).reshape(len(faces), -1)
    mixed = shapes.mix(vectors[INDICES], vectors[shapes.partner])
    turn, length = shapes.angle[0], shapes.length[0]
    expected = length * (np.cos(turn) * vectors[0] + np.sin(turn) * vectors[shapes.partner[0]])
    assert mixed[0] == pytest.approx(expected, abs=1e-3)


def test_pixels_are_taken_from_where_the_points_were(faces: FaceSet) -> None:
    reshaper = make_reshaper(faces, np.arange(6, 12), faces.vertices.mean(0), np.random.default_rng(0))
    shapes = reshaper.draw(faces, INDICES, (1.0, 60.0), np.random.default_rng(1))
    # Pictures whose colours are their own coordinates tell where each pixel came from.
    across = np.broadcast_to(np.arange(96, dtype=np.uint8) * 2, (96, 96))
    pictures = np.repeat(np.stack([across, across.T, across], -1)[None], len(INDICES), 0)
    flips = Augmentation(**{**vars(Augmentation.none()), "flip": 0.5})
    batch = cut(pictures, shapes.landmarks68, 64, flips, np.random.default_rng(2), warp=shapes.field)
    assert batch.flipped.any() and not batch.flipped.all()
    points = batch.to_crop(shapes.landmarks68)
    before = faces.landmarks68[INDICES]
    for row in range(len(INDICES)):
        for place, source in zip(points[row, 27:60], before[row, 27:60], strict=True):
            column, line = (int(c) for c in place)
            found = batch.images[row, :2, line, column].numpy() * 255 / 2 + 0.5
            assert found == pytest.approx(source, abs=2.5)


def test_no_change_is_no_change(faces: FaceSet) -> None:
    reshaper = make_reshaper(faces, np.arange(12), faces.vertices.mean(0), np.random.default_rng(0))
    shapes = reshaper.draw(faces, INDICES, (0.0, 60.0), np.random.default_rng(1), 0.5)
    assert not shapes.angle.any() and (shapes.length == 1).all()
    assert shapes.landmarks68 == pytest.approx(faces.landmarks68[INDICES], abs=1e-3)
    assert abs(shapes.moves).max() < 1e-3
