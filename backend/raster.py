"""Which triangle each pixel shows, in plain numpy: for shading, masks, visibility and texture maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

NOTHING: Final = -1
_AT_ONCE: Final = 2_000_000
"""Pixels of triangles' boxes that are looked at together: bounds the memory."""


@dataclass(frozen=True)
class Raster:
    """triangle (H, W) index of the triangle at each pixel centre, `NOTHING` where there is none; weights (H, W, 3) of
    its corners, which sum to one there and are zero elsewhere.
    """

    triangle: NDArray[np.int32]
    weights: NDArray[np.float32]

    def interpolate(self, triangles: Ints, values: Floats) -> NDArray[np.float32]:
        """Values (V, C) of the vertices -> (H, W, C); zero where nothing is."""
        mixed: NDArray[np.float32] = np.einsum(
            "hwk,hwkc->hwc", self.weights, np.asarray(values, np.float32)[triangles[self.triangle]]
        )
        return mixed


def rasterise(points: Floats, triangles: Ints, size: tuple[int, int], both_sides: bool = False) -> Raster:
    """The nearest triangle at every pixel centre of a picture of `size` (width, height).

    `points` (V, 3) are pixels (x right, y down, centres at .5) and depth; `triangles` (F, 3) go round anticlockwise
    seen from outside, and those that look away are left out but for `both_sides`. Weights are linear in the picture.
    """
    width, height = size
    corners = np.asarray(points, np.float64)[triangles]
    xy, depth = corners[..., :2], corners[..., 2]
    area = _cross(xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0])
    low = np.maximum(np.ceil(xy.min(1) - 0.5), 0).astype(np.int64)
    high = np.minimum(np.floor(xy.max(1) - 0.5), (width - 1, height - 1)).astype(np.int64)
    extent = high - low + 1
    facing = area != 0 if both_sides else area < 0
    chosen = np.flatnonzero(facing & (extent > 0).all(1))
    boxes = extent[chosen].prod(1)
    places, found, depths, weights = [], [], [], []
    for part in np.split(chosen, _cuts(boxes)):
        place, triangle, share = _covered(xy, area, low, extent, part, width)
        places.append(place)
        found.append(triangle)
        weights.append(share)
        depths.append((share * depth[triangle]).sum(1))
    place, triangle, share = np.concatenate(places), np.concatenate(found), np.concatenate(weights)
    # The nearest is written last.
    order = np.argsort(-np.concatenate(depths), kind="stable")
    shown = np.full(height * width, NOTHING, np.int32)
    by = np.zeros((height * width, 3), np.float32)
    shown[place[order]] = triangle[order]
    by[place[order]] = share[order]
    return Raster(shown.reshape(height, width), by.reshape(height, width, 3))


def _covered(
    xy: NDArray[np.float64], area: NDArray[np.float64], low: Ints, extent: Ints, part: Ints, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pixels (flat), triangles and weights where the centres of pixels in the boxes of triangles `part` are inside."""
    count = extent[part].prod(1)
    which = np.repeat(part, count)
    within = np.arange(len(which)) - np.repeat(count.cumsum() - count, count)
    x = low[which, 0] + within % extent[which, 0]
    y = low[which, 1] + within // extent[which, 0]
    pixel = np.stack([x, y], 1) + 0.5
    a, b, c = (xy[which, corner] for corner in range(3))
    share = np.stack([_cross(c - b, pixel - b), _cross(a - c, pixel - c), _cross(b - a, pixel - a)], 1)
    share /= area[which, None]
    inside = (share >= 0).all(1)
    return (y * width + x)[inside], which[inside], share[inside]


def _cuts(boxes: Ints) -> NDArray[np.int64]:
    """Where to cut a list of triangles so that every part has about `_AT_ONCE` pixels to look at."""
    total = boxes.cumsum()
    return np.unique(np.searchsorted(total, np.arange(_AT_ONCE, total[-1] if len(total) else 0, _AT_ONCE)))


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def vertex_normals(vertices: Floats, triangles: Ints) -> NDArray[np.float64]:
    """Unit normals (V, 3) that point out, weighted by the triangles' areas; (0, 0, 1) where no triangle is."""
    a, b, c = (np.asarray(vertices, np.float64)[triangles[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    total = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(across[:, axis], 3), len(vertices)) for axis in range(3)], 1
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 0, total / np.maximum(length, 1e-12), (0.0, 0.0, 1.0))
