"""Errors of heads and landmarks. Nothing here knows of a recipe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def align(source: Floats, target: Floats, scale: bool) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Rotation (3,3), translation (3,) and factor that carry `source` (P,3) to `target` (P,3) with least squares.

    `factor * source @ rotation.T + translation`; the factor is 1 unless `scale` (Umeyama 1991, eq. 40-42). Raises
    `ValueError` for fewer than three points.
    """
    a, b = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if len(a) < 3 or a.shape != b.shape:
        raise ValueError("alignment needs at least three pairs of points")
    centre_a, centre_b = a.mean(0), b.mean(0)
    a, b = a - centre_a, b - centre_b
    u, singular, vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation: NDArray[np.float64] = (u * signs) @ vt
    factor = float((singular * signs).sum() / (a**2).sum()) if scale else 1.0
    return rotation, centre_b - factor * rotation @ centre_a, factor


def aligned(source: Floats, target: Floats, scale: bool) -> NDArray[np.float64]:
    """`source` (P,3) moved onto `target` (P,3) as `align` says."""
    rotation, translation, factor = align(source, target, scale)
    moved: NDArray[np.float64] = factor * np.asarray(source, np.float64) @ rotation.T + translation
    return moved


def per_vertex_error(estimate: Floats, truth: Floats, scale: bool) -> NDArray[np.float64]:
    """Distances (P,) in mm between corresponding vertices (P,3) after rigid or, with `scale`, similarity alignment."""
    distances: NDArray[np.float64] = np.linalg.norm(aligned(estimate, truth, scale) - truth, axis=1)
    return distances


def vertex_normals(vertices: Floats, triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """Unit normals (N,3): the sum of the adjoining triangles' cross products (Kamyab & Azimifar, eq. 6).

    A vertex without triangles has the zero vector.
    """
    corners = np.asarray(vertices, np.float64)[triangles]
    crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(vertices), 3))
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, corner], crosses[:, axis], len(vertices))
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
    return unit


def normal_angles(estimate: Floats, truth: Floats, triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """Angles (N,) in degrees between the vertex normals of two aligned heads (Kamyab & Azimifar, eq. 7)."""
    cosine = (vertex_normals(estimate, triangles) * vertex_normals(truth, triangles)).sum(1)
    angles: NDArray[np.float64] = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angles


def landmark_error(estimate: Floats, truth: Floats) -> float:
    """Normalised mean error of iBUG-68 landmarks (68,2): the mean distance over that of the outer eye corners."""
    distance = np.linalg.norm(np.asarray(estimate, np.float64) - truth, axis=1).mean()
    return float(distance / np.linalg.norm(np.asarray(truth[45], np.float64) - truth[36]))
