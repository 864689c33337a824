from __future__ import annotations

import numpy as np
import pytest

from training.camera import rotation_from_angles
from training.evaluation.alignment import align, aligned, generalised_procrustes
from training.evaluation.metrics import (
    correlations,
    landmark_error,
    landmark_error_box,
    mask_iou,
    mean_squared_error,
    normal_angles,
    per_vertex_error,
    photometric_error,
)

RNG = np.random.default_rng(0)
POINTS = RNG.normal(0.0, 50.0, (80, 3))
ROTATION = rotation_from_angles(25.0, -10.0, 5.0) @ np.diag([1.0, -1.0, -1.0])


def test_the_truth_has_no_error() -> None:
    assert per_vertex_error(POINTS, POINTS, "similarity").max() < 1e-9
    assert per_vertex_error(POINTS, POINTS, "rigid").max() < 1e-9


def test_a_similarity_counts_only_where_size_counts() -> None:
    moved = 1.1 * POINTS @ ROTATION.T + [5.0, -3.0, 20.0]
    assert per_vertex_error(moved, POINTS, "similarity").max() < 1e-9
    from_middle = np.linalg.norm(POINTS - POINTS.mean(0), axis=1)
    assert per_vertex_error(moved, POINTS, "rigid") == pytest.approx(0.1 * from_middle)


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
    error = per_vertex_error(wrong, truth)
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


def test_what_an_alignment_takes_away() -> None:
    moved = 1.2 * POINTS @ ROTATION.T + [5.0, -3.0, 20.0]
    for alignment, left in (("procrustes", False), ("similarity", False), ("rigid", True), ("none", True)):
        assert bool(per_vertex_error(moved, POINTS, alignment).max() > 1e-6) is left
    assert mean_squared_error(moved, POINTS) == pytest.approx(0.0, abs=1e-12)


def test_procrustes_keeps_the_size_that_least_squares_shrinks() -> None:
    centred = POINTS - POINTS.mean(0)
    noisy = centred + np.random.default_rng(2).normal(0, 25.0, centred.shape)
    sizes = {a: np.linalg.norm(aligned(noisy, centred, a) - aligned(noisy, centred, a).mean(0)) for a in ALIGNMENTS}
    size = np.linalg.norm(centred)
    assert sizes["procrustes"] == pytest.approx(size, rel=1e-6)
    assert sizes["similarity"] < 0.95 * size


ALIGNMENTS = ("similarity", "procrustes")


def test_a_consensus_is_found_among_moved_copies() -> None:
    rng = np.random.default_rng(3)
    copies = []
    for angle, factor in ((10.0, 0.5), (-60.0, 1.0), (80.0, 2.0), (0.0, 1.5)):
        turn = rotation_from_angles(angle, angle / 3, 5.0)
        copies.append(factor * (POINTS + rng.normal(0, 0.5, POINTS.shape)) @ turn.T + rng.normal(0, 100, 3))
    consensus, moved = generalised_procrustes(np.stack(copies))
    assert np.linalg.norm(moved - consensus, axis=2).mean() < 0.02 * np.linalg.norm(consensus, axis=1).mean()
    assert per_vertex_error(consensus, POINTS).mean() < 0.5
    assert (moved**2).sum() == pytest.approx(sum(((c - c.mean(0)) ** 2).sum() for c in copies))


def test_landmarks_of_any_pose_are_measured_by_their_box() -> None:
    truth = np.array([[0.0, 0.0], [40.0, 0.0], [0.0, 10.0], [40.0, 10.0]])
    assert landmark_error_box(truth + np.array([3.0, 4.0]), truth) == pytest.approx(5.0 / 20.0)


def test_pictures_and_masks_are_compared() -> None:
    picture = np.zeros((4, 4, 3))
    other = picture + np.array([0.0, 0.3, 0.4])
    mask = np.zeros((4, 4), bool)
    mask[:2] = True
    assert photometric_error(other, picture) == pytest.approx(0.5)
    other[2:] = 0.0
    assert photometric_error(other, picture, mask) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="mask"):
        photometric_error(other, picture, mask & ~mask)
    assert mask_iou(mask, mask) == 1.0
    assert mask_iou(mask, ~mask) == 0.0
    assert mask_iou(mask, np.ones((4, 4), bool)) == pytest.approx(0.5)
    assert mask_iou(mask & ~mask, mask & ~mask) == 1.0


def test_correlations_leave_out_what_does_not_vary() -> None:
    truth = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.5], [0.5, 0.2, 0.5]])
    found = correlations(np.stack([2 * truth[:, 0], -truth[:, 1], truth[:, 2]], 1), truth)
    np.testing.assert_allclose(found[:2], [1, -1])
    assert np.isnan(found[2])
