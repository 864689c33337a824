"""Triangle meshes to occupancy grids, by sampling the surface densely and filling what it encloses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.voxels.grid import Grid, solid

# Points on the surface lie nearer to each other than this, in voxels.
_SPACING = 0.4
_POINTS_AT_ONCE = 4_000_000


def voxelise(
    vertices: NDArray[np.floating],
    triangles: NDArray[np.integer],
    resolution: int = 30,
    margin: int = 0,
    fill: bool = True,
) -> Grid:
    """Grid (R,R,R) of a mesh, vertices (V,3) and triangles (F,3) in the project's axes.

    The longest side of the mesh's box fills the grid but for `margin` voxels on each side (3D ShapeNets: 24 voxels
    padded to 30, margin 3), its middle in the grid's middle. What a closed surface encloses is filled where `fill` says
    so; a surface with holes stays a shell. Raises `ValueError` for a mesh without extent.
    """
    used = vertices[np.unique(triangles)]
    low, high = used.min(0), used.max(0)
    longest = float((high - low).max())
    if not np.isfinite(longest) or longest <= 0:
        raise ValueError("the mesh has no extent; leave it out")
    # A hair less than all, so that the far sides of the box belong to the last voxels.
    scale = (resolution - 2 * margin) / longest * (1 - 1e-9)
    placed = (vertices - (low + high) / 2) * scale + resolution / 2
    grid = np.zeros((resolution,) * 3, bool)
    for points in _surface_points(placed[triangles]):
        grid[tuple(np.floor(points).astype(int).T)] = True
    return solid(grid) if fill else grid


def _surface_points(corners: NDArray[np.floating]):  # type: ignore[no-untyped-def]
    """Points (n,3) on triangles (F,3,3), in parts, no farther than `_SPACING` from the next."""
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    divisions = np.maximum(1, 2 ** np.ceil(np.log2(np.maximum(edges / _SPACING, 1))).astype(int))
    for count in np.unique(divisions):
        weights = _barycentric(int(count))
        chosen = corners[divisions == count]
        step = max(1, _POINTS_AT_ONCE // len(weights))
        for start in range(0, len(chosen), step):
            yield np.einsum("pc,fcx->fpx", weights, chosen[start : start + step]).reshape(-1, 3)


def _barycentric(divisions: int) -> NDArray[np.float64]:
    i, j = np.meshgrid(np.arange(divisions + 1), np.arange(divisions + 1), indexing="ij")
    chosen = i + j <= divisions
    first, second = i[chosen] / divisions, j[chosen] / divisions
    return np.stack([first, second, 1 - first - second], 1)
