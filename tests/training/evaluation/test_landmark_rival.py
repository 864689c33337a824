from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.rivals.landmarks import (
    LandmarkModel,
    affine_camera,
    fit,
    landmark_variances,
    pixels_per_mm,
    weak_perspective_camera,
    with_detector_noise,
)

RNG = np.random.default_rng(0)
CAMERA = np.array([[1.5, 0.2, -0.3, 80.0], [0.1, -1.4, 0.2, 60.0]])


@pytest.fixture
def model() -> LandmarkModel:
    return LandmarkModel(RNG.normal(0, 50.0, (40, 3)), RNG.normal(0, 3.0, (5, 40, 3)), np.zeros(40))


def seen(points: np.ndarray) -> np.ndarray:
    return points @ CAMERA[:, :3].T + CAMERA[:, 3]


def test_the_camera_is_found(model: LandmarkModel) -> None:
    assert affine_camera(model.mean, seen(model.mean)) == pytest.approx(CAMERA)
    assert pixels_per_mm(CAMERA) == pytest.approx(1.5, rel=0.05)
    with pytest.raises(ValueError, match="plane"):
        affine_camera(model.mean * [1.0, 1.0, 0.0], seen(model.mean))


def test_a_weak_perspective_camera_turns_and_scales_alone(model: LandmarkModel) -> None:
    turn = np.linalg.qr(np.random.default_rng(7).normal(size=(3, 3)))[0]
    camera = np.concatenate([1.5 * turn[:2], [[80.0], [60.0]]], axis=1)
    pixels = model.mean @ camera[:, :3].T + camera[:, 3]
    assert weak_perspective_camera(model.mean, pixels) == pytest.approx(camera)
    # A wider head is no camera.
    wide = weak_perspective_camera(model.mean * [1.2, 1.0, 1.0], pixels)
    rows = wide[:, :3]
    assert rows[0] @ rows[1] == pytest.approx(0.0, abs=1e-9)
    assert np.linalg.norm(rows[0]) == pytest.approx(np.linalg.norm(rows[1]))


def test_true_landmarks_give_the_coefficients(model: LandmarkModel) -> None:
    # A change that an affine camera would explain is no shape: leave it out of the columns.
    affine = np.concatenate([model.mean, np.ones((40, 1))], axis=1)
    project = np.eye(40) - affine @ np.linalg.pinv(affine)
    model = LandmarkModel(model.mean, np.einsum("pq,kqj->kpj", project, model.columns), model.variance)
    truth = RNG.normal(size=5)
    found = fit(model, seen(model.mean + np.tensordot(truth, model.columns, 1)), 1e-3)
    assert found == pytest.approx(truth, abs=0.02)


def test_noise_draws_towards_the_mean(model: LandmarkModel) -> None:
    truth = np.full(5, 1.5)
    pixels = seen(model.mean + np.tensordot(truth, model.columns, 1))
    sizes = [np.linalg.norm(fit(model, pixels, noise)) for noise in (0.1, 10.0, 1000.0)]
    assert sizes[0] > sizes[1] > sizes[2]
    assert sizes[2] < 0.05


def test_landmarks_that_move_by_themselves_get_a_larger_variance(model: LandmarkModel) -> None:
    heads = model.mean + np.tensordot(RNG.normal(size=(200, 5)), model.columns, 1)
    pixels = seen(heads)
    pixels[:, 7] += RNG.normal(0, 6.0, (200, 2))
    variances = landmark_variances(model, heads, pixels)
    assert variances.argmax() == 7
    assert variances[7] == pytest.approx((6.0 / pixels_per_mm(CAMERA)) ** 2, rel=0.3)
    assert np.median(variances) < 0.02 * variances[7]


def test_a_detectors_error_is_its_mean_distance() -> None:
    pixels = np.zeros((50, 400, 2))
    noisy, deviation = with_detector_noise(pixels, np.full(50, 60.0), 0.05, RNG)
    assert np.linalg.norm(noisy, axis=2).mean() == pytest.approx(3.0, rel=0.02)
    assert noisy.std() == pytest.approx(deviation[0], rel=0.02)
