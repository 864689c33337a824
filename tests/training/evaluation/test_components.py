from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.components import (
    best_iou_among,
    best_threshold,
    nearest_pictures,
    pose_invariance,
    rmse,
    voxel_iou,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_iou_counts_voxels() -> None:
    ours = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]], bool)
    theirs = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]], bool)
    assert voxel_iou(ours, theirs).tolist() == pytest.approx([1 / 3, 1, 0])


def test_rmse_is_over_all_numbers(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(300, 7)).astype(np.float32), rng.normal(size=(300, 7)).astype(np.float32)
    assert rmse(a, b) == pytest.approx(np.sqrt(np.mean((a - b) ** 2)), rel=1e-5)


def test_the_threshold_is_where_the_grids_agree_most(rng: np.random.Generator) -> None:
    truth = rng.random((5, 64)) < 0.4
    occupancy = np.where(truth, 0.42, 0.31)
    assert 0.31 <= best_threshold(occupancy, truth) < 0.42


def test_looking_up_finds_the_same_thing(rng: np.random.Generator) -> None:
    pictures = rng.integers(0, 255, (20, 8, 8)).astype(np.uint8)
    assert nearest_pictures(pictures, pictures[[3, 17]]).tolist() == [3, 17]
    grids = rng.random((6, 5, 5, 5)) < 0.3
    changed = grids[[2]].copy()
    changed[0, 0, 0, 0] ^= True
    expected = voxel_iou(grids[[2]], changed)[0]
    assert best_iou_among(grids, changed)[0] == pytest.approx(expected, abs=1e-6)


def test_pose_invariance_compares_within_and_between(rng: np.random.Generator) -> None:
    subjects = 10 * rng.normal(size=(12, 1, 30))
    shapes = subjects + rng.normal(size=(12, 3, 30))
    assert pose_invariance(shapes).all()
    shapes[4, 2] = shapes[7, 0]  # seen from one side, subject 4 looks like subject 7
    assert np.flatnonzero(~pose_invariance(shapes)).tolist() == [4, 7]
    assert not pose_invariance(rng.normal(size=(12, 3, 30))).any()
