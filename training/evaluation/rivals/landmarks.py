"""Shape from landmarks in closed form: an affine camera and a regularised linear system, in turn.

Aldrian & Smith, Inverse rendering of faces with a 3D morphable model, TPAMI 35(5), 2013, section 4 ("shape"): landmarks
``y_i = C (mean_i + basis_i c)`` with an affine camera C, found from the landmarks by the Gold Standard algorithm
(Hartley & Zisserman 2004, algorithm 7.1 with the affine camera of section 7.2); then coefficients c of unit variance
that minimise ``sum |y_i - C (mean_i + basis_i c)|^2 / var_i + |c|^2``, that is
``c = (A^T W A + I)^-1 A^T W (y - C mean)`` with the rows ``A_i = C basis_i`` and ``W = diag(1 / var_i)``. A landmark's
variance is the detector's plus, projected, what the model cannot say of that landmark, measured on faces that are not
tested. Nothing here sees a pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FindCamera = Callable[[Floats, Floats, Floats], Floats]

_ROUNDS = 8


@dataclass(frozen=True)
class LandmarkModel:
    """mean (P,3) mm and columns (K,P,3) mm per standard deviation at the landmarks; variance (P,) mm^2 a coordinate."""

    mean: Floats
    columns: Floats
    variance: Floats

    def with_variance(self, variance: Floats) -> LandmarkModel:
        """The same with other variances."""
        return LandmarkModel(self.mean, self.columns, variance)


def affine_camera(points: Floats, pixels: Floats, weights: Floats | None = None) -> Floats:
    """Camera (2,4) that projects points (P,3) to pixels (P,2) with the least squared error, weights (P,) on each.

    Raises `ValueError` for fewer than four points or points in a plane, from which no affine camera follows.
    """
    if len(points) < 4:
        raise ValueError("an affine camera needs four points that are not in a plane")
    root = np.ones(len(points)) if weights is None else np.sqrt(weights)
    centre, spread = points.mean(0), points.std()
    rows = np.concatenate([(points - centre) / spread, np.ones((len(points), 1))], axis=1)
    solved, _, rank, _ = np.linalg.lstsq(rows * root[:, None], pixels * root[:, None], rcond=1e-9)
    if rank < 4:
        raise ValueError("an affine camera needs four points that are not in a plane")
    linear = solved[:3].T / spread
    camera: Floats = np.concatenate([linear, (solved[3] - linear @ centre)[:, None]], axis=1)
    return camera


def weak_perspective_camera(points: Floats, pixels: Floats, weights: Floats | None = None) -> Floats:
    """As `affine_camera`, its rows made orthogonal and of one length: a head that is turned and seen from afar."""
    camera = affine_camera(points, pixels, weights)
    mass = np.ones(len(points)) if weights is None else weights
    left, values, right = np.linalg.svd(camera[:, :3], full_matrices=False)
    linear = values.mean() * left @ right
    shift = np.average(pixels - points @ linear.T, axis=0, weights=mass)
    turned: Floats = np.concatenate([linear, shift[:, None]], axis=1)
    return turned


def pixels_per_mm(camera: Floats) -> float:
    """The scale of an affine camera (2,4): the root mean square of its two singular values."""
    return float(np.linalg.norm(camera[:, :3]) / np.sqrt(2))


def fit(model: LandmarkModel, pixels: Floats, noise: float, find_camera: FindCamera = affine_camera) -> Floats:
    """Coefficients (K,) of the head whose landmarks are seen at pixels (P,2).

    `noise` is the detector's standard deviation in pixels. Camera and shape are found in turn, from the mean on.
    """
    coefficients = np.zeros(len(model.columns))
    for _ in range(_ROUNDS):
        points = model.mean + np.tensordot(coefficients, model.columns, 1)
        camera = find_camera(points, pixels, 1 / (noise**2 + model.variance + 1e-9))
        scale = pixels_per_mm(camera)
        weights = np.repeat(1 / (noise**2 + scale**2 * model.variance + 1e-9), 2)
        rows = np.einsum("ij,kpj->pik", camera[:, :3], model.columns).reshape(-1, len(coefficients))
        rest = (pixels - model.mean @ camera[:, :3].T - camera[:, 3]).reshape(-1)
        normal = (rows * weights[:, None]).T @ rows + np.eye(len(coefficients))
        coefficients = np.linalg.solve(normal, rows.T @ (weights * rest))
    return coefficients


def landmark_variances(model: LandmarkModel, heads: Floats, pixels: Floats) -> Floats:
    """Variances (P,) in mm^2 a coordinate of what the model cannot say of landmarks seen at pixels (n,P,2).

    heads (n,P,3) are the true landmarks of faces that are not tested, neutral. Each is brought into the model's span
    and seen by the affine camera that suits it best: what remains is generalisation error, expression, perspective.
    """
    flat = model.columns.reshape(len(model.columns), -1)
    squares = np.zeros(len(model.mean))
    for head, seen in zip(heads, pixels, strict=True):
        held = np.linalg.lstsq(flat.T, (head - model.mean).reshape(-1), rcond=1e-6)[0]
        points = model.mean + np.tensordot(held, model.columns, 1)
        camera = affine_camera(points, seen)
        away = points @ camera[:, :3].T + camera[:, 3] - seen
        squares += (away**2).mean(1) / pixels_per_mm(camera) ** 2
    variances: Floats = squares / len(heads)
    return variances


def with_detector_noise(pixels: Floats, size: Floats, share: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Landmarks (n,P,2) as a detector would find them, and its standard deviation in pixels (n,) along each axis.

    The mean distance from the truth is `share` of `size` (n,), the outer-eye distance in pixels: detectors are rated by
    that mean (the normalised mean error). Errors are independent and normal, whose mean distance is sqrt(pi/2) times
    their deviation.
    """
    deviation = share * size / np.sqrt(np.pi / 2)
    return pixels + rng.standard_normal(pixels.shape) * deviation[:, None, None], deviation
