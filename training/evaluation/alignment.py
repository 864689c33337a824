"""Moving point sets onto one another before they are compared."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

Alignment = Literal["none", "rigid", "similarity", "procrustes"]
"""What a comparison takes away: nothing; where a head is; its size, too; all that by generalised Procrustes analysis.

"rigid" and "similarity" move the estimate onto the truth with least squares. "procrustes" moves both onto their
consensus and measures there, at the truth's size: a similarity that treats the two alike (a least-squares scale
makes whatever is wrong a little smaller).
"""


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


def aligned(source: Floats, target: Floats, alignment: Alignment = "similarity") -> NDArray[np.float64]:
    """`source` (P,3) moved onto `target` (P,3), in the target's frame and at its size."""
    points = np.asarray(source, np.float64)
    if alignment == "none":
        return points
    if alignment == "procrustes":
        _, shapes = generalised_procrustes(np.stack([points, np.asarray(target, np.float64)]))
        rotation, translation, factor = align(shapes[1], target, scale=True)
        points = shapes[0]
    else:
        rotation, translation, factor = align(points, target, scale=alignment == "similarity")
    moved: NDArray[np.float64] = factor * points @ rotation.T + translation
    return moved


def generalised_procrustes(
    shapes: Floats, tolerance: float = 1e-9, rounds: int = 100
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Consensus (P,3) of shapes (m,P,3) and the shapes moved onto it (m,P,3), all centred.

    Gower 1975: rotations and scales that make the sum of squared distances from the consensus least while the sum of
    the squared sizes stays what it was. Raises `ValueError` for fewer than two shapes of three points.
    """
    moved = np.asarray(shapes, np.float64)
    if moved.ndim != 3 or len(moved) < 2 or moved.shape[1] < 3:
        raise ValueError("Procrustes analysis needs at least two shapes of at least three points")
    moved = moved - moved.mean(1, keepdims=True)
    sizes = np.linalg.norm(moved, axis=(1, 2))
    size = np.sqrt((sizes**2).mean())
    # All the same size to begin with: scales are then corrections, and settle at once.
    moved *= (size / sizes)[:, None, None]
    before = np.inf
    for _ in range(rounds):
        consensus = moved.mean(0)
        turned = np.stack([shape @ align(shape, consensus, scale=False)[0].T for shape in moved])
        moved = _scaled(turned, size)
        consensus = moved.mean(0)
        residual = float(((moved - consensus) ** 2).sum()) / size**2
        if before - residual < tolerance * (1 + residual):
            break
        before = residual
    return consensus, moved


def _scaled(shapes: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Shapes (m,P,3), each with the scale that suits the others best (Ten Berge 1977: the leading eigenvector)."""
    flat = shapes.reshape(len(shapes), -1)
    norms = np.linalg.norm(flat, axis=1)
    correlation = (flat @ flat.T) / np.outer(norms, norms)
    leading = np.abs(np.linalg.eigh(correlation)[1][:, -1])
    factors = np.sqrt(len(shapes)) * size * leading / norms
    return shapes * factors[:, None, None]
