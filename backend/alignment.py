"""Where the photo shows points of the head: the pose's projection, corrected by the landmarks found in the photo.

Shape and expression are estimates, and the projection misses the photo's eyes and lips by some millimetres. How far
each landmark is off is known; between landmarks the correction is their regression by a Gaussian process with Matern's
kernel of order 3/2 (Rasmussen & Williams 2006, eq. 2.23 and 4.17), which goes to nothing far from all of them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

REACH_MM: Final = 35.0
"""Length scale of the kernel: corrections of points so far apart are half alike."""

NOISE: Final = 0.1
"""Variance of a landmark's own error, as a share of the corrections'."""


def landmark_shift(points: Floats, places: Floats, offsets: Floats) -> NDArray[np.float64]:
    """Offsets (P, C) known at `places` (P, 3) mm -> those of `points` (V, 3) mm, (V, C)."""
    among = _kernel(places, places)
    solved = np.linalg.solve(among + NOISE * np.eye(len(among)), np.asarray(offsets, np.float64))
    shifted: NDArray[np.float64] = _kernel(points, places) @ solved
    return shifted


def _kernel(a: Floats, b: Floats) -> NDArray[np.float64]:
    distance = np.linalg.norm(np.asarray(a, np.float64)[:, None] - np.asarray(b, np.float64), axis=2)
    scaled = np.sqrt(3.0) / REACH_MM * distance
    values: NDArray[np.float64] = (1.0 + scaled) * np.exp(-scaled)
    return values
