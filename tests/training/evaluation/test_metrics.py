from __future__ import annotations

import numpy as np
import pytest

from training.camera import rotation_from_angles
from training.evaluation.metrics import align, landmark_error, normal_angles, per_vertex_error

RNG = np.random.default_rng(0)
POINTS = RNG.normal(0.0, 50.0, (80, 3))
ROTATION = rotation_from_angles(25.0, -10.0, 5.0) @ np.diag([1.0, -1.0, -1.0])


def test_the_truth_has_no_error() -> None:
    assert per_vertex_error(POINTS, POINTS, scale=True).max() < 1e-9
    assert per_vertex_error(POINTS, POINTS, scale=False).max() < 1e-9


def test_a_similarity_counts_only_where_size_counts() -> None:
    moved = 1.1 * POINTS @ ROTATION.T + [5.0, -3.0, 20.0]
    assert per_vertex_error(moved, POINTS, scale=True).max() < 1e-9
    from_middle = np.linalg.norm(POINTS - POINTS.mean(0), axis=1)
    assert per_vertex_error(moved, POINTS, scale=False) == pytest.approx(0.1 * from_middle)


def test_alignment_is_recovered_and_never_mirrors() -> None:
    rotation, translation, factor = align(POINTS, 0.7 * POINTS @ ROTATION.T + 4.0, scale=True)
    assert rotation == pytest.approx(ROTATION)
    assert translation == pytest.approx([4.0, 4.0, 4.0])
    assert factor == pytest.approx(0.7)
    mirrored, _, _ = align(POINTS, POINTS * [-1.0, 1.0, 1.0], scale=True)
    assert np.linalg.det(mirrored) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="three"):
        align(POINTS[:2], POINTS[:2], scale=True)


def test_a_known_displacement_is_measured() -> None:
    truth = np.concatenate([POINTS, -POINTS])
    wrong = truth * 1.0
    wrong[0] += [0.0, 0.0, 8.0]
    error = per_vertex_error(wrong, truth, scale=True)
    assert error[0] == pytest.approx(8.0, rel=0.05)
    assert np.median(error) < 0.2


def test_normals_of_a_tilted_plane_differ_by_its_tilt() -> None:
    flat = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    triangles = np.array([[0, 1, 2], [1, 3, 2]])
    tilted = flat @ np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, np.tan(np.radians(30.0)), 1.0]]).T
    assert normal_angles(tilted, flat, triangles) == pytest.approx(30.0)


def test_landmarks_are_measured_by_the_outer_eye_distance() -> None:
    truth = np.zeros((68, 2))
    truth[36], truth[45] = [10.0, 0.0], [60.0, 0.0]
    assert landmark_error(truth + np.array([3.0, 4.0]), truth) == pytest.approx(0.1)
