"""Occupancy grids: solid or hollow, larger or smaller, mirrored, packed into bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.bool_]

# A voxel of the new grid is occupied from this share on; with it, ModelNet10's chairs keep their volume (median 1.00).
_KEPT_SHARE = 0.45
# Of an old voxel, so much must be within the new grid's occupied ones: without, 15 % of the chairs fall to pieces.
_LEFT_SHARE = 0.2


def solid(grid: Grid) -> Grid:
    """A grid (X,Y,Z) with what it encloses filled: 3D ShapeNets' 1 is "inside the mesh surface" (Wu et al. 2015)."""
    from scipy import ndimage

    return np.asarray(ndimage.binary_fill_holes(grid))


def resized(grid: Grid, resolution: int) -> Grid:
    """A grid (R,R,R) at another resolution, each voxel by the share of its volume that was occupied.

    A voxel of which too little would be left, such as one of a thin leg that comes to lie between four new ones, is
    kept where its middle is.
    """
    if len(grid) == resolution:
        return grid
    shares = _shares(len(grid), resolution)
    filled = grid.astype(np.float32)
    for _ in range(3):
        filled = np.tensordot(filled, shares, axes=(0, 1))  # each turn resizes the first axis and puts it last
    kept = filled > _KEPT_SHARE
    touched = kept.astype(np.float32)
    for _ in range(3):
        touched = np.tensordot(touched, shares, axes=(0, 0))
    left = touched * (len(grid) / resolution) ** 3
    lost = np.argwhere(grid & (left < _LEFT_SHARE))
    kept[tuple(((lost + 0.5) * resolution / len(grid)).astype(int).T)] = True
    return np.asarray(kept)


def mirrored(grids: NDArray) -> NDArray:
    """Grids (...,X,Y,Z) with the object's left and right exchanged."""
    return grids[..., ::-1, :, :]


def pack(grids: Grid) -> NDArray[np.uint8]:
    """Grids (n,R,R,R) as bits (n,ceil(R^3/8))."""
    return np.packbits(grids.reshape(len(grids), -1), axis=1)


def unpack(bits: NDArray[np.uint8], resolution: int) -> Grid:
    """What `pack` packed: grids (n,R,R,R)."""
    flat = np.unpackbits(bits, axis=1, count=resolution**3)
    return flat.reshape(-1, resolution, resolution, resolution).astype(bool)


def _shares(before: int, after: int) -> NDArray[np.float32]:
    """(after,before): how much of each new interval each old one covers."""
    edges = np.arange(before + 1) / before
    low, high = np.arange(after) / after, np.arange(1, after + 1) / after
    overlap = np.minimum(edges[None, 1:], high[:, None]) - np.maximum(edges[None, :-1], low[:, None])
    return (np.maximum(overlap, 0) * after).astype(np.float32)
