"""The protocol of the NoW benchmark: how far a scan's face is from a recovered head (Sanyal et al. 2019, section 5).

Seven points, in this order: right eye's outer and inner corner, left eye's inner and outer corner, nose base, right
and left corner of the mouth. They lay the head on the scan, a least-squares fit of the surface to the scan's face
follows, and every vertex of the scan's face is measured to the surface. In the non-metrical protocol the head's size
is fitted, too; in the metrical one it is what the method said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.alignment import align
from training.evaluation.surfaces import Mesh, Surface

Floats = NDArray[np.float64]

POINTS = (
    "right eye outer",
    "right eye inner",
    "left eye inner",
    "left eye outer",
    "nose base",
    "mouth right",
    "mouth left",
)
# The same among the iBUG-68 landmarks.
IBUG = np.array([36, 39, 42, 45, 33, 48, 54])

_FITTED = 5_000
_ROUNDS = 40


@dataclass(frozen=True)
class Similarity:
    """``factor * x @ rotation.T + translation``."""

    rotation: Floats
    translation: Floats
    factor: float

    def __call__(self, points: Floats) -> Floats:
        """Points (P,3) moved."""
        moved: Floats = self.factor * points @ self.rotation.T + self.translation
        return moved

    def back(self, points: Floats) -> Floats:
        """Points (P,3) moved back."""
        moved: Floats = (points - self.translation) @ self.rotation / self.factor
        return moved


def face_sphere(points: Floats) -> tuple[Floats, float]:
    """Centre (3,) and radius of the sphere that cuts the face out of a scan with seven points (7,3).

    Centre: nose base + 0.3 (bridge - nose base), the bridge being the middle of the inner eye corners. Radius: 0.7
    (outer-eye distance + bridge-to-nose-base distance).
    """
    bridge, base = (points[1] + points[2]) / 2, points[4]
    radius = 0.7 * (np.linalg.norm(points[0] - points[3]) + np.linalg.norm(bridge - base))
    return base + 0.3 * (bridge - base), float(radius)


def face_of(scan: Floats, points: Floats) -> Floats:
    """The scan's vertices (P,3) within the sphere. Raises `ValueError` when there are none."""
    centre, radius = face_sphere(points)
    face = scan[np.linalg.norm(scan - centre, axis=1) <= radius]
    if not len(face):
        raise ValueError("no vertex of the scan lies in its face's sphere: are scan and points in the same units?")
    return face


def scan_to_mesh(scan: Mesh, scan_points: Floats, head: Mesh, head_points: Floats, metrical: bool = False) -> Floats:
    """Distances in mm (P,) from the vertices of the scan's face to the head laid on it.

    Both in mm, with their seven points (7,3). Raises `ValueError` for points that are not seven, or a head without
    triangles.
    """
    if np.shape(scan_points) != (7, 3) or np.shape(head_points) != (7, 3):
        raise ValueError(f"the protocol needs seven points: {', '.join(POINTS)}")
    face = face_of(scan.vertices, scan_points)
    surface = Surface(head.vertices, head.triangles)
    first = Similarity(*align(head_points, scan_points, scale=not metrical))
    placed = refine(face[:: max(1, len(face) // _FITTED)], surface, first, scale=not metrical)
    return Surface(placed(head.vertices), head.triangles).distances(face)


def refine(points: Floats, surface: Surface, start: Similarity, scale: bool) -> Similarity:
    """The placement of the surface that makes the points' squared distances to it least, from `start` on.

    Levenberg-Marquardt on the distances themselves. Their derivative is that of the nearest point along the distance's
    direction, because the nearest point's own slide along the surface changes nothing to first order.
    """
    placed, damping = start, 1e-3
    residual, rows = _distances(points, surface, placed)
    for _ in range(_ROUNDS):
        normal, gradient = rows.T @ rows, rows.T @ residual
        if not scale:
            normal[6], normal[:, 6], gradient[6], normal[6, 6] = 0.0, 0.0, 0.0, 1.0
        step = np.linalg.solve(normal + damping * np.diag(normal.diagonal() + 1e-12), -gradient)
        trial = _moved(placed, step, points.mean(0))
        residual_then, rows_then = _distances(points, surface, trial)
        before, after = float(residual @ residual), float(residual_then @ residual_then)
        if after < before:
            placed, residual, rows, damping = trial, residual_then, rows_then, max(damping / 10, 1e-9)
        else:
            damping *= 10
        if before - after < 1e-9 * before + 1e-15 and (after < before or damping > 1e3):
            break
    return placed


def _distances(points: Floats, surface: Surface, placed: Similarity) -> tuple[Floats, Floats]:
    """Distances (P,) and their derivatives (P,7) by turn, shift and relative size about the points' middle."""
    nearest = placed(surface.near(placed.back(points)))
    offset = points - nearest
    distance = np.linalg.norm(offset, axis=1)
    direction = offset / np.maximum(distance, 1e-12)[:, None]
    arm = nearest - points.mean(0)
    rows = np.concatenate([-np.cross(arm, direction), -direction, -(direction * arm).sum(1, keepdims=True)], axis=1)
    return distance, rows


def _moved(placed: Similarity, step: Floats, middle: Floats) -> Similarity:
    from scipy.spatial.transform import Rotation

    turn, factor = Rotation.from_rotvec(step[:3]).as_matrix(), float(np.exp(step[6]))
    shift = factor * turn @ (placed.translation - middle) + middle + step[3:6]
    return Similarity(turn @ placed.rotation, shift, factor * placed.factor)


@dataclass(frozen=True)
class Pooled:
    """Median, mean and standard deviation in mm of all scans' distances together, and how many scans there were."""

    median: float
    mean: float
    std: float
    scans: int


def pooled(distances: Sequence[Floats]) -> Pooled:
    """The benchmark's figures. Raises `ValueError` without any distances."""
    if not distances:
        raise ValueError("no scan was measured")
    together = np.concatenate(list(distances))
    return Pooled(float(np.median(together)), float(together.mean()), float(together.std()), len(distances))
