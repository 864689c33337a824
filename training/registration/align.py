"""Similarity transforms between point sets, and the unit a mesh is measured in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Millimetres in the units that meshes of heads come in.
UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "inch": 25.4}


@dataclass(frozen=True)
class Similarity:
    """y = scale * R x + t; rotation (3,3), translation (3,)."""

    scale: float
    rotation: Floats
    translation: Floats

    def __call__(self, points: Floats) -> Floats:
        """Moves points (...,3)."""
        return self.scale * points @ self.rotation.T + self.translation

    def vectors(self, offsets: Floats) -> Floats:
        """Turns and scales offsets (...,3)."""
        return self.scale * offsets @ self.rotation.T


def fit_similarity(source: Floats, target: Floats, *, scale: float | None = None) -> Similarity:
    """The least-squares similarity from points (n,3) to points (n,3), n >= 3; with a given scale only the motion.

    Umeyama 1991, eq. 40 to 42. Raises ``ValueError`` for fewer points or points on a line.
    """
    if len(source) < 3:
        raise ValueError("A similarity needs at least three points.")
    a, b = source - source.mean(0), target - target.mean(0)
    u, d, vt = np.linalg.svd(b.T @ a)
    if d[1] < 1e-9 * max(d[0], 1e-30):
        raise ValueError("The points lie on a line, which leaves the turn about it open.")
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ sign @ vt
    if scale is None:
        scale = float((d * np.diag(sign)).sum() / (a**2).sum())
    return Similarity(scale, rotation, target.mean(0) - scale * rotation @ source.mean(0))


def guess_unit(points: Floats, reference: Floats) -> str | None:
    """The unit in which landmarks (n,3) have an adult's size, given the same landmarks (n,3) mm; None if in no unit."""
    ratio = fit_similarity(points, reference).scale
    name = min(UNITS, key=lambda unit: abs(np.log(ratio / UNITS[unit])))
    return name if abs(np.log(ratio / UNITS[name])) < np.log(1.4) else None
