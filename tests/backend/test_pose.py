from __future__ import annotations

import numpy as np
import pytest

from backend.pose import Camera, _residuals, fit_pose, focal_length, linearised, rotation_from_vector
from tests.bundles import small_head

SIZE = (800, 600)
FACING = np.diag([1.0, -1.0, -1.0])


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    head = small_head(identity=1, reflectance=0)
    return head["mean"][head["landmarks68"]].astype(float)


def camera(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation of a head that faces the camera and is then turned, degrees."""
    turns = np.deg2rad([[pitch, 0, 0], [0, yaw, 0], [0, 0, roll]])
    return rotation_from_vector(turns[2]) @ rotation_from_vector(turns[0]) @ rotation_from_vector(turns[1]) @ FACING


def project(points: np.ndarray, rotation: np.ndarray, translation: np.ndarray, focal: float) -> np.ndarray:
    seen = points @ rotation.T + translation
    return focal * seen[:, :2] / seen[:, 2:] + np.array(SIZE) / 2


def degrees_between(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(np.clip((np.trace(one.T @ other) - 1) / 2, -1, 1))))


@pytest.mark.parametrize("distance", [280.0, 600.0, 4000.0])
@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (-60, 10, 5), (85, -10, 0), (0, 30, -45), (20, -25, 170)])
def test_a_known_camera_is_recovered(points: np.ndarray, angles: tuple[int, int, int], distance: float) -> None:
    rotation, translation = camera(*angles), np.array([30.0, -20.0, distance])
    pose = fit_pose(project(points, rotation, translation, 900.0), points, 900.0, SIZE)
    assert pose is not None
    assert degrees_between(pose.rotation, rotation) < 0.1
    assert np.abs(pose.translation - translation).max() < 0.5
    assert np.allclose(pose.rotation @ pose.rotation.T, np.eye(3), atol=1e-9)
    assert pose.error < 1e-3


def test_how_near_a_face_looks_tells_the_focal_length(points: np.ndarray) -> None:
    rotation, translation = camera(20, 5, 0), np.array([20.0, -10.0, 350.0])
    seen = project(points, rotation, translation, 900.0)
    assert fit_pose(seen, points, 1800.0, SIZE).focal == 1800.0  # type: ignore[union-attr]
    for expected in (600.0, 1800.0):
        pose = fit_pose(seen, points, expected, SIZE, 0.5)
        assert pose is not None
        assert abs(np.log(pose.focal / 900.0)) < 0.25 * abs(np.log(expected / 900.0))
        assert degrees_between(pose.rotation, rotation) < 1.0
    # From afar it tells little, and what was expected stands.
    far = project(points, rotation, np.array([20.0, -10.0, 6000.0]), 9000.0)
    pose = fit_pose(far, points, 6000.0, SIZE, 0.1)
    assert pose is not None and 5500 < pose.focal < 7000


def test_noise_gives_the_best_pose_nearby(points: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    rotation, translation = camera(25, 5, 10), np.array([0.0, 0.0, 700.0])
    noisy = project(points, rotation, translation, 900.0) + rng.normal(0, 1.0, (68, 2))
    pose = fit_pose(noisy, points, 900.0, SIZE)
    assert pose is not None
    assert degrees_between(pose.rotation, rotation) < 1.5
    assert 0.7 < pose.error < 2.0


def test_an_outline_that_slid_and_some_lost_landmarks_hardly_matter(points: np.ndarray) -> None:
    rotation, translation = camera(40, 0, 0), np.array([0.0, 0.0, 700.0])
    seen = project(points, rotation, translation, 900.0)
    seen[:8] += [15, 0]
    seen[[20, 33, 50]] += [60, -40]
    pose = fit_pose(seen, points, 900.0, SIZE)
    assert pose is not None
    assert degrees_between(pose.rotation, rotation) < 1.0
    assert np.abs(pose.translation - translation).max() < 15


@pytest.mark.parametrize("landmarks", [np.zeros((68, 2)), np.full((68, 2), np.nan)])
def test_landmarks_without_a_shape_have_no_pose(points: np.ndarray, landmarks: np.ndarray) -> None:
    assert fit_pose(landmarks, points, 900.0, SIZE) is None


def test_scattered_landmarks_give_a_finite_answer_or_none(points: np.ndarray) -> None:
    for seed in range(20):
        landmarks = np.random.default_rng(seed).uniform(0, 600, (68, 2))
        pose = fit_pose(landmarks, points, 900.0, SIZE)
        assert pose is None or (np.isfinite(pose.rotation).all() and pose.translation[2] > 0)


def test_the_jacobian_is_the_residuals_derivative(points: np.ndarray) -> None:
    rotation, translation = camera(20, 10, 5), np.array([10.0, 20.0, 500.0])
    seen = np.zeros((68, 2))
    view = Camera(rotation, translation, 4.0)
    jacobian = linearised(view, points)[2].reshape(-1, 7)
    step = 1e-6
    for column in range(7):
        change = np.zeros(7)
        change[column] = step
        ends = [_residuals(view.moved(sign * change), points, seen) for sign in (1, -1)]
        assert np.allclose((ends[0] - ends[1]).reshape(-1) / (2 * step), jacobian[:, column], atol=1e-7)


def test_focal_length_of_a_full_frame_photo() -> None:
    assert focal_length((3600, 2400), 50.0) == pytest.approx(5000, rel=1e-3)
    assert focal_length((2400, 3600), None) == pytest.approx(5000)
