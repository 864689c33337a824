"""Where the head is before the camera: perspective-n-point on 68 landmarks, robust Gauss-Newton."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR_FOCAL_MM: Final = 50.0
"""35 mm equivalent, where the photo does not tell: between a phone and a portrait lens."""

FILM_WIDTH, FILM_DIAGONAL = 36.0, 43.2666

CONTOUR: Final = slice(0, 17)
CONTOUR_WEIGHT: Final = 0.2
"""Landmarks of the jaw mark the outline that the camera sees, which slides over the skin as the head turns."""

STEPS: Final = 30
_CONVERGED = 1e-9
_LEAST_SCALE = 1e-6


@dataclass(frozen=True)
class Pose:
    """Head space -> camera space (x right, y down, z forward), mm: Xc = rotation (3, 3) @ X + translation (3,).

    A point is seen at `focal` * (Xc.x, Xc.y) / Xc.z + (width, height) / 2, pixels. `error` is the weighted root mean
    square distance between the landmarks and where the pose puts them, pixels.
    """

    rotation: Floats
    translation: Floats
    focal: float
    error: float


def focal_length(size: tuple[int, int], focal_35mm: float | None) -> float:
    """Focal length in pixels of a picture of `size` (width, height).

    EXIF's 35 mm equivalent compares diagonals (CIPA DCG-001, and Exif 2.3's FocalLengthIn35mmFilm); the prior, 50 mm
    on 36 mm of width, is about what portraits on film were taken with.
    """
    width, height = size
    if focal_35mm is not None:
        return float(focal_35mm / FILM_DIAGONAL * np.hypot(width, height))
    return PRIOR_FOCAL_MM / FILM_WIDTH * max(width, height)


def fit_pose(
    landmarks: NDArray[np.floating[Any]], points: NDArray[np.floating[Any]], focal: float, size: tuple[int, int]
) -> Pose | None:
    """The pose that puts `points` (68, 3), head space mm, onto `landmarks` (68, 2), picture pixels.

    Starts from weak perspective and refines with full perspective: Levenberg-Marquardt on a left-multiplied rotation
    vector and the translation, residuals reweighted by Geman and McClure's function at three times their median.
    None where no pose in front of the camera explains the landmarks.
    """
    seen = (np.asarray(landmarks, np.float64) - np.asarray(size) / 2) / focal
    model = np.asarray(points, np.float64)
    if not (np.isfinite(seen).all() and np.isfinite(model).all()):
        return None
    prior = np.ones(len(model))
    prior[CONTOUR] = CONTOUR_WEIGHT
    start = _weak_perspective(seen, model, prior)
    if start is None:
        return None
    rotation, translation = start
    damping = 1e-3
    weights = prior * _robust(_residuals(rotation, translation, model, seen))
    cost = _cost(rotation, translation, model, seen, weights)
    for _ in range(STEPS):
        jacobian, residual = _linearised(rotation, translation, model, seen)
        weighted = jacobian * np.repeat(weights, 2)[:, None]
        normal, gradient = weighted.T @ jacobian, weighted.T @ residual
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + _LEAST_SCALE), -gradient)
        turned, moved = rotation_from_vector(step[:3]) @ rotation, translation + step[3:]
        lower = _cost(turned, moved, model, seen, weights)
        if not lower < cost:
            damping *= 10
            if damping > 1e6:
                break
            continue
        gained = cost - lower
        rotation, translation, damping = turned, moved, max(damping / 10, 1e-9)
        weights = prior * _robust(_residuals(rotation, translation, model, seen))
        cost = _cost(rotation, translation, model, seen, weights)
        if gained <= _CONVERGED * lower:
            break
    if not np.isfinite(cost) or translation[2] <= 0:
        return None
    left, _, right = np.linalg.svd(rotation)
    rotation = left @ right
    squared = np.sum(_residuals(rotation, translation, model, seen) ** 2, axis=1)
    error = float(focal * np.sqrt(np.average(squared, weights=prior)))
    return Pose(rotation, translation, float(focal), error)


def rotation_from_vector(vector: NDArray[np.floating[Any]]) -> Floats:
    """Rodrigues' formula: the rotation (3, 3) by |vector| radians about `vector` (3,)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3) + _cross(np.asarray(vector, np.float64))
    axis = _cross(np.asarray(vector, np.float64) / angle)
    rotation: Floats = np.eye(3) + np.sin(angle) * axis + (1 - np.cos(angle)) * (axis @ axis)
    return rotation


def _weak_perspective(seen: Floats, model: Floats, weights: Floats) -> tuple[Floats, Floats] | None:
    """Rotation and translation from the best affine camera, its rows made orthogonal and of one length."""
    centre, middle = np.average(model, axis=0, weights=weights), np.average(seen, axis=0, weights=weights)
    root = np.sqrt(weights)[:, None]
    affine = np.linalg.lstsq((model - centre) * root, (seen - middle) * root, rcond=None)[0].T
    left, values, right = np.linalg.svd(affine, full_matrices=False)
    scale = values.mean()
    if not np.isfinite(scale) or scale < _LEAST_SCALE:
        return None
    rows = left @ right
    rotation = np.vstack([rows, np.cross(rows[0], rows[1])])
    depth = 1.0 / scale
    return rotation, np.array([*(middle * depth), depth]) - rotation @ centre


def _residuals(rotation: Floats, translation: Floats, model: Floats, seen: Floats) -> Floats:
    camera = model @ rotation.T + translation
    projected: Floats = camera[:, :2] / camera[:, 2:] - seen
    return projected


def _cost(rotation: Floats, translation: Floats, model: Floats, seen: Floats, weights: Floats) -> float:
    if np.min(model @ rotation[2] + translation[2]) <= 0:
        return np.inf
    return float(weights @ np.sum(_residuals(rotation, translation, model, seen) ** 2, axis=1))


def _robust(residuals: Floats) -> Floats:
    squared = np.sum(residuals**2, axis=1)
    width = 9 * float(np.median(squared)) + 1e-18
    weights: Floats = (width / (width + squared)) ** 2
    return weights


def _linearised(rotation: Floats, translation: Floats, model: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """Jacobian (2P, 6) over rotation vector and translation, and residuals (2P,), in units of the focal length."""
    turned = model @ rotation.T
    x, y, z = (turned + translation).T
    zero, inverse = np.zeros_like(z), 1.0 / z
    by_camera = np.stack(
        [np.stack([inverse, zero, -x * inverse**2], 1), np.stack([zero, inverse, -y * inverse**2], 1)], 1
    )
    # d(exp(w) R X)/dw at w = 0 is -[R X]x, so a row g of by_camera gives g @ -[R X]x = (R X) x g.
    by_rotation = np.cross(turned[:, None, :], by_camera)
    jacobian = np.concatenate([by_rotation, by_camera], axis=2).reshape(-1, 6)
    residual = (np.stack([x * inverse, y * inverse], 1) - seen).reshape(-1)
    return jacobian, residual


def _cross(vector: Floats) -> Floats:
    x, y, z = vector
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
