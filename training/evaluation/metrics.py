"""Errors of heads, pictures and landmarks. Nothing here knows of a recipe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.evaluation.alignment import Alignment, aligned

Floats = NDArray[np.floating]


def per_vertex_error(estimate: Floats, truth: Floats, alignment: Alignment = "similarity") -> NDArray[np.float64]:
    """Distances (P,) in mm between corresponding vertices (P,3), the estimate aligned with the truth."""
    distances: NDArray[np.float64] = np.linalg.norm(aligned(estimate, truth, alignment) - truth, axis=1)
    return distances


def mean_squared_error(estimate: Floats, truth: Floats, alignment: Alignment = "procrustes") -> float:
    """Mean squared distance in mm^2 of corresponding vertices (P,3) (Kamyab & Azimifar, Table I)."""
    return float((per_vertex_error(estimate, truth, alignment) ** 2).mean())


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
    """Normalised mean error of iBUG-68 landmarks (68,2): the mean distance over that of the outer eye corners.

    In a profile the corners nearly meet, and the figure grows without the landmarks being worse: `landmark_error_box`.
    """
    return _mean_distance(estimate, truth) / float(np.linalg.norm(np.asarray(truth[45], np.float64) - truth[36]))


def landmark_error_box(estimate: Floats, truth: Floats) -> float:
    """Mean distance of landmarks (P,2) over the geometric mean of the sides of the true ones' box, for any pose."""
    width, height = np.ptp(np.asarray(truth, np.float64), axis=0)
    return _mean_distance(estimate, truth) / float(np.sqrt(width * height))


def correlations(estimate: Floats, truth: Floats) -> NDArray[np.float64]:
    """For each column of (n,E) its correlation with the truth's (E,); nan where one of them does not vary."""
    ours, theirs = (np.asarray(values, np.float64) - np.mean(values, 0, np.float64) for values in (estimate, truth))
    norms = np.sqrt((ours**2).sum(0) * (theirs**2).sum(0))
    return np.where(norms > 0, (ours * theirs).sum(0) / np.maximum(norms, 1e-12), np.nan)


def photometric_error(estimate: Floats, truth: Floats, mask: NDArray[np.bool_] | None = None) -> float:
    """Mean distance in colour of two pictures (H,W,3), both sRGB or both linear 0..1, over a mask (H,W).

    The distance is the Euclidean one over the channels (Tewari et al. 2017, eq. 9). Raises `ValueError` for an empty
    mask.
    """
    distances = np.linalg.norm(np.asarray(estimate, np.float64) - truth, axis=2)
    chosen = distances if mask is None else distances[mask]
    if not chosen.size:
        raise ValueError("the mask leaves no pixel to compare")
    return float(chosen.mean())


def mask_iou(estimate: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks of one shape; 1 where both are empty."""
    union = np.logical_or(estimate, truth).sum()
    return float(np.logical_and(estimate, truth).sum() / union) if union else 1.0


def _mean_distance(estimate: Floats, truth: Floats) -> float:
    return float(np.linalg.norm(np.asarray(estimate, np.float64) - truth, axis=1).mean())
