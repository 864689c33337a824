"""Where the head is before the camera, and the focal length: 68 landmarks, full perspective, robust Gauss-Newton."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR_FOCAL_MM: Final = 50.0
"""35 mm equivalent, where the photo does not tell: between a phone and a portrait lens."""

FOCAL_SPREAD: Final = 0.5
"""Standard deviation of that prior's logarithm: wide lenses, long ones, and pictures that were cut out of others."""

EXIF_SPREAD: Final = 0.1
"""The same where the photo tells: it may have been cropped since."""

NOISE: Final = 0.0125
"""Standard deviation of a landmark, as a share of the face's extent in the picture, which the prior is weighed with."""

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


@dataclass(frozen=True)
class Camera:
    """Rotation (3, 3), translation (3,) mm and focal length, in the unit of the picture's lengths."""

    rotation: Floats
    translation: Floats
    focal: float

    def moved(self, step: Floats) -> Camera:
        """By a rotation vector, a translation and, if there is a seventh number, the logarithm of a zoom: the camera
        steps back as it zooms in, so that the face keeps its size.
        """
        zoom = float(np.exp(step[6])) if len(step) > 6 else 1.0
        rotation = rotation_from_vector(step[:3]) @ self.rotation
        return Camera(rotation, zoom * self.translation + step[3:6], zoom * self.focal)


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
    landmarks: NDArray[np.floating[Any]],
    points: NDArray[np.floating[Any]],
    focal: float,
    size: tuple[int, int],
    spread: float = 0.0,
) -> Pose | None:
    """The pose that puts `points` (68, 3), head space mm, onto `landmarks` (68, 2), picture pixels.

    `spread` is the standard deviation of the logarithm of `focal`, pixels: 0 where that is known, else how near a face
    looks tells the focal length too. Starts from weak perspective and refines with full perspective:
    Levenberg-Marquardt on a left-multiplied rotation vector, the translation and the focal length's logarithm,
    residuals reweighted by Geman and McClure's function at three times their median. None where no pose in front of the
    camera explains the landmarks.
    """
    places, model = np.asarray(landmarks, np.float64), np.asarray(points, np.float64)
    if not (np.isfinite(places).all() and np.isfinite(model).all()):
        return None
    extent = float(np.ptp(places, axis=0).max())
    if extent <= 0:
        return None
    # Lengths in the picture are shares of the face's.
    seen = (places - np.asarray(size) / 2) / extent
    prior = np.ones(len(model))
    prior[CONTOUR] = CONTOUR_WEIGHT
    expected = focal / extent
    start = _weak_perspective(seen / expected, model, prior)
    if start is None:
        return None
    view = Camera(*start, expected)
    held = (NOISE / spread) ** 2 if spread else None
    damping = 1e-3
    weights = prior * robust_weights(_residuals(view, model, seen))
    cost = _cost(view, model, seen, weights, expected, held)
    for _ in range(STEPS):
        projected, _, by_pose = linearised(view, model)
        jacobian, residual = by_pose.reshape(-1, 7), (projected - seen).reshape(-1)
        weighted = jacobian * np.repeat(weights, 2)[:, None]
        normal, gradient = weighted.T @ jacobian, weighted.T @ residual
        free = len(gradient)
        if held is None:
            free -= 1
        else:
            normal[-1, -1] += held
            gradient[-1] += held * np.log(view.focal / expected)
        normal, gradient = normal[:free, :free], gradient[:free]
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + _LEAST_SCALE), -gradient)
        moved = view.moved(step)
        lower = _cost(moved, model, seen, weights, expected, held)
        if not lower < cost:
            damping *= 10
            if damping > 1e6:
                break
            continue
        gained = cost - lower
        view, damping = moved, max(damping / 10, 1e-9)
        weights = prior * robust_weights(_residuals(view, model, seen))
        cost = _cost(view, model, seen, weights, expected, held)
        if gained <= _CONVERGED * lower:
            break
    if not np.isfinite(cost) or view.translation[2] <= 0:
        return None
    return posed(view, model, seen, extent)


def posed(view: Camera, model: Floats, seen: Floats, unit: float = 1.0) -> Pose:
    """The pose of a camera whose lengths in the picture are in `unit` pixels; `model` (68, 3) and `seen` (68, 2),
    relative to the picture's middle, tell its error. What rounding has done to the rotation is undone.
    """
    left, _, right = np.linalg.svd(view.rotation)
    view = Camera(left @ right, view.translation, view.focal)
    prior = np.ones(len(model))
    prior[CONTOUR] = CONTOUR_WEIGHT
    squared = np.sum(_residuals(view, model, seen) ** 2, axis=1)
    error = float(unit * np.sqrt(np.average(squared, weights=prior)))
    return Pose(view.rotation, view.translation, float(view.focal * unit), error)


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


def _residuals(view: Camera, model: Floats, seen: Floats) -> Floats:
    camera = model @ view.rotation.T + view.translation
    projected: Floats = view.focal * camera[:, :2] / camera[:, 2:] - seen
    return projected


def _cost(view: Camera, model: Floats, seen: Floats, weights: Floats, expected: float, held: float | None) -> float:
    if np.min(model @ view.rotation[2] + view.translation[2]) <= 0:
        return np.inf
    prior = 0.0 if held is None else held * float(np.log(view.focal / expected)) ** 2
    return float(weights @ np.sum(_residuals(view, model, seen) ** 2, axis=1)) + prior


def robust_weights(residuals: Floats, least: float = 1e-18) -> Floats:
    """Geman and McClure's weights (P,) of residuals (P, 2), at three times their median length, whose square is
    taken to be `least` where it is less.
    """
    squared = np.sum(residuals**2, axis=1)
    width = 9 * max(float(np.median(squared)), least)
    weights: Floats = (width / (width + squared)) ** 2
    return weights


def linearised(view: Camera, model: Floats) -> tuple[Floats, Floats, Floats]:
    """Where points `model` (P, 3) are seen (P, 2), relative to the principal point, and the derivatives of that: by the
    points in camera space (P, 2, 3), and by rotation vector, translation and zoom (P, 2, 7) as `Camera.moved` has them.
    """
    turned = model @ view.rotation.T
    placed = turned + view.translation
    scale = view.focal / placed[:, 2]
    projected = scale[:, None] * placed[:, :2]
    by_camera = np.zeros((len(model), 2, 3))
    by_camera[:, 0, 0] = by_camera[:, 1, 1] = scale
    by_camera[:, :, 2] = -projected / placed[:, 2:]
    by_pose = np.empty((len(model), 2, 7))
    # d(exp(w) R X)/dw at w = 0 is -[R X]x, so a row g of by_camera gives g @ -[R X]x = (R X) x g.
    for axis in range(3):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        by_pose[:, :, axis] = (
            turned[:, one, None] * by_camera[:, :, other] - turned[:, other, None] * by_camera[:, :, one]
        )
    by_pose[:, :, 3:6] = by_camera
    by_pose[:, :, 6] = projected + by_camera @ view.translation
    return projected, by_camera, by_pose


def _cross(vector: Floats) -> Floats:
    x, y, z = vector
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
