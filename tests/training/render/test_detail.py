"""A face with relief, rendered small: what its file says holds for its picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("bpy")

from training.detail.faces import face_path, read_face
from training.populations.anny import AnnyPopulation
from training.render import detail

pytestmark = pytest.mark.slow


def options(folder: Path, **changes: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    detail.add_arguments(parser)
    args = parser.parse_args(["--output", str(folder), "--count", "1", "--resolution", "96", "--samples", "1"])
    return argparse.Namespace(**{**vars(args), **changes})


@pytest.fixture
def population_file(population: AnnyPopulation, tmp_path: Path) -> Path:
    path = tmp_path / "population.npz"
    population.save(path)
    return path


def test_a_face_is_rendered_once_and_its_truth_fits(population_file: Path, tmp_path: Path) -> None:
    args = options(tmp_path / "faces", population=[str(population_file)], face_only=True)
    assert detail.run(args) == 0
    path = face_path(tmp_path / "faces", 0)
    written = path.stat().st_mtime_ns
    assert detail.run(args) == 0 and path.stat().st_mtime_ns == written
    face = read_face(path)
    height, width = face.seg.shape
    assert face.normals.shape == (height, width, 3) and height < 96
    image = face.image()
    assert image.shape == (96, 96, 3)
    skin = face.seg == 1
    assert skin.mean() > 0.3
    lengths = np.linalg.norm(face.normals[skin], axis=1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-3)
    # The tip of the nose faces the camera, where the head says that it is.
    seen = face.vertices @ face.rotation.T + face.translation
    assert (face.normals[skin][:, 2] < 0.2).all() and seen[:, 2].min() > 0
    assert detail.run(options(tmp_path / "faces", population=[str(population_file)], seed=2, face_only=True)) == 2
