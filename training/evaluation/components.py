"""How near shapes recovered by the recipe `components` are to the true ones, and what they must beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Masks = NDArray[np.bool_]

THRESHOLDS = tuple(round(0.05 * n, 2) for n in range(3, 16))
_CHUNK = 256


def rmse(estimate: Floats, truth: Floats) -> float:
    """Root of the mean squared difference of shape vectors (m,p) (Kamyab & Azimifar, eq. 12, per number)."""
    squares = 0.0
    for start in range(0, len(truth), _CHUNK):
        part = slice(start, start + _CHUNK)
        squares += float(np.square(estimate[part].astype(np.float64) - truth[part]).sum())
    return float(np.sqrt(squares / truth.size))


def voxel_iou(estimate: Masks, truth: Masks) -> NDArray[np.float64]:
    """Intersection over union (m,) of grids given as (m,...); 1 where both are empty."""
    ours, theirs = estimate.reshape(len(estimate), -1), truth.reshape(len(truth), -1)
    union = (ours | theirs).sum(1)
    return np.divide((ours & theirs).sum(1), union, out=np.ones(len(ours)), where=union > 0)


def best_threshold(occupancy: Floats, truth: Masks, candidates: tuple[float, ...] = THRESHOLDS) -> float:
    """The occupancy from which voxels count as inside that gives grids (m,...) the highest mean IoU."""
    scores = [float(voxel_iou(occupancy > threshold, truth).mean()) for threshold in candidates]
    return candidates[int(np.argmax(scores))]


def nearest_pictures(known: NDArray[np.uint8], asked: NDArray[np.uint8]) -> NDArray[np.intp]:
    """For each picture (m,S,S) the most similar of the known ones (n,S,S), by squared differences of pixels."""
    theirs = known.reshape(len(known), -1).astype(np.float32)
    squares = np.square(theirs).sum(1)
    found = []
    for start in range(0, len(asked), _CHUNK):
        ours = asked[start : start + _CHUNK].reshape(-1, theirs.shape[1]).astype(np.float32)
        found.append((squares - 2 * ours @ theirs.T).argmin(1))
    return np.concatenate(found)


def best_iou_among(known: Masks, asked: Masks) -> NDArray[np.float64]:
    """For each grid (m,...) its IoU with the most similar of the known ones (n,...): nobody who only looks up shapes
    among these can do better.
    """
    theirs, ours = (grids.reshape(len(grids), -1).astype(np.float32) for grids in (known, asked))
    common = ours @ theirs.T
    union = ours.sum(1)[:, None] + theirs.sum(1) - common
    best: NDArray[np.float64] = (common / np.maximum(union, 1)).max(1).astype(np.float64)
    return best


def pose_invariance(shapes: Floats) -> NDArray[np.bool_]:
    """Of each subject, seen V times, whether its shapes lie nearer to each other than to any other subject's.

    shapes (n,V,p). Compared are the largest distance between two of the subject's own shapes and the smallest from one
    of them to one of another subject's.
    """
    count, views = shapes.shape[:2]
    flat = shapes.reshape(count * views, -1).astype(np.float32)
    flat = flat - flat.mean(0)
    squares = np.square(flat).sum(1)
    result = []
    for subject in range(count):
        own = slice(subject * views, (subject + 1) * views)
        distances = squares[own, None] + squares[None] - 2 * flat[own] @ flat.T
        within = float(distances[:, own].max())
        distances[:, own] = np.inf
        result.append(within < float(distances.min()))
    return np.array(result)


def vertex_errors(estimate: Floats, truth: Floats) -> NDArray[np.float64]:
    """Mean distance (m,) in mm of corresponding vertices (m,P,3), as they stand in head space."""
    return np.linalg.norm(estimate.astype(np.float64) - truth, axis=2).mean(1)
