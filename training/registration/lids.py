"""Lids that close: what a carried blink leaves open, or lets sink into the eyeball, is put right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.registration.rig import Rig
from training.registration.surface import LeastSquares, laplacian

Floats = NDArray[np.float64]

# Closed lids lie this far above the eyeball where they meet it, mm, and overlap by this much.
_ABOVE_MM = 0.3
_OVERLAP_MM = 0.35
_KEEP = 0.4


def closed(rig: Rig, neutral: Floats, blink: Floats, side: int) -> Floats:
    """A blink (U,3) of one eye (0 left, 1 right) on neutral vertices (U,3), so that at full its lids meet.

    Upper and lower lid move towards each other by what is missing between their loops, out of the eyeball where they
    sank into it, and the skin about them follows smoothly.
    """
    eye = neutral[rig.eyes[side]]
    centre = eye.mean(0)
    radius = float(np.linalg.norm(eye - centre, axis=1).mean())
    moved = neutral + blink
    loop, edge = rig.lids[side]
    corners = sorted((int(np.argmin(neutral[loop, 0])), int(np.argmax(neutral[loop, 0]))))
    one = np.arange(corners[0] + 1, corners[1])
    two = np.concatenate([np.arange(corners[1] + 1, len(loop)), np.arange(corners[0])])
    upper, lower = (one, two) if neutral[loop[one], 1].mean() > neutral[loop[two], 1].mean() else (two, one)
    ids, goals = [], []
    for ring in (loop, edge):
        top, bottom = moved[ring[upper]], moved[ring[lower]]
        line = np.array([_height(bottom, x) for x in top[:, 0]])
        # The upper lid does the closing.
        drop = np.maximum(top[:, 1] + _OVERLAP_MM - line, 0.0) * _inside(top[:, 0], bottom[:, 0])
        top = top - np.outer(drop, [0.0, 1.0, 0.0])
        ids += [ring[upper], ring[lower]]
        goals += [top, bottom]
    wanted, rows = np.concatenate(goals), np.concatenate(ids)
    away = wanted - centre
    distance = np.linalg.norm(away, axis=1)
    outside = np.maximum(distance, radius + _ABOVE_MM)
    wanted = centre + away * (outside / distance)[:, None]
    return blink + _spread(rig, neutral, rows, wanted - moved[rows])


def _spread(rig: Rig, neutral: Floats, rows: NDArray[np.int64], change: Floats) -> Floats:
    """Changes (R,3) at some vertices, fading out over the skin around them; (U,3)."""
    surface = np.unique(rig.skin)
    every = sparse.identity(len(neutral), format="csr")
    solver = LeastSquares(
        [3.0 * every[rows], laplacian(neutral, rig.skin)[surface], 0.1 * _KEEP * every[surface]], surface
    )
    spread = np.zeros_like(neutral)
    spread[surface] = solver.solve([3.0 * change])
    return spread


def _height(line: Floats, x: float) -> float:
    order = np.argsort(line[:, 0])
    return float(np.interp(x, line[order, 0], line[order, 1]))


def _inside(x: Floats, other: Floats) -> Floats:
    """1 between the corners, falling to 0 at them, where the lids join anyway."""
    low, high = other.min(), other.max()
    return np.clip(np.minimum(x - low, high - x) / 1.5, 0.0, 1.0)
