"""Occupancy grids as clean meshes: surface nets, in numpy alone, without tables.

Gibson 1998, "Constrained elastic surface nets": one vertex for each cell that the surface crosses, one quad for each
grid edge that it crosses, then a smoothing that keeps every vertex near the middle of its cell. Grids are mended first
where the surface would touch itself, so that the mesh is closed and every edge has exactly two faces.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

RELAXATIONS = 8
# A vertex stays this near to the middle of its cell, in cells (half a cell is its edge): legs one voxel thick keep 0.4.
_FREEDOM = 0.3
# Of the way from the threshold to full occupancy: the value of voxels that are filled in to mend the grid.
_MENDED = 0.1
# Steps towards the neighbours' mean and back again, which smooth without shrinking (Taubin 1995).
_FORTH, _BACK = 0.5, -0.53


def surface_nets(
    field: NDArray[np.floating], threshold: float = 0.5, relaxations: int = RELAXATIONS
) -> tuple[Floats, Ints]:
    """The surface around the voxels of `field` (X,Y,Z), 0..1, that are above `threshold`.

    Returns vertices (V,3) in voxels, voxel (i,j,k) having its middle at (i,j,k) + 0.5, and quads (Q,4) whose normals
    point outwards; none of either where nothing is above the threshold. Outside the grid everything is empty.
    """
    values = np.pad(np.asarray(field, np.float32), 1)
    values = _mended(values, np.float32(threshold))
    inside = values > threshold
    if not inside.any():
        return np.zeros((0, 3), np.float32), np.zeros((0, 4), np.int32)
    sums, counts = _crossings(values, inside, threshold)
    cells = np.argwhere(counts > 0)
    numbers = np.full(counts.shape, -1, np.int32)
    numbers[tuple(cells.T)] = np.arange(len(cells))
    vertices = sums[tuple(cells.T)] / counts[tuple(cells.T)][:, None]
    quads = _quads(inside, numbers)
    vertices = _relaxed(vertices, quads, cells + 0.5, relaxations)
    # Sample (1,1,1) of the padded grid is the middle of voxel (0,0,0).
    return (vertices - 0.5).astype(np.float32), quads


def largest_parts(field: NDArray[np.floating], threshold: float, share: float = 0.05) -> NDArray[np.bool_]:
    """The voxels (X,Y,Z) above the threshold, without parts smaller than `share` of the largest one.

    Voxels are of one part where they touch in a face, an edge or a corner.
    """
    inside = np.asarray(field) > threshold
    labels = np.pad(np.where(inside, np.arange(inside.size).reshape(inside.shape) + 1, 0), 1)
    solid = labels > 0
    while True:
        # Every voxel takes the highest number around it; numbers travel through the part in few rounds, axis by axis.
        spread = labels.copy()
        for axis in range(3):
            ahead, behind = np.roll(spread, 1, axis), np.roll(spread, -1, axis)
            spread = np.maximum(spread, np.maximum(ahead, behind))
        spread = np.where(solid, spread, 0)
        if (spread == labels).all():
            break
        labels = spread
    labels = labels[1:-1, 1:-1, 1:-1]
    names, sizes = np.unique(labels[labels > 0], return_counts=True)
    kept = names[sizes >= share * sizes.max()] if len(names) else names
    return np.isin(labels, kept)


def _mended(values: Floats, threshold: np.float32) -> Floats:
    """Fills voxels until no two parts of the surface meet in an edge or a corner alone (a well-composed grid).

    It ends, since a full grid is well composed; of the two voxels that could mend a place the fuller one is filled.
    """
    values = values.copy()
    filled = threshold + np.float32(_MENDED) * (1 - threshold)
    while True:
        inside = values > threshold
        wrong = np.zeros(inside.shape, bool)
        for axes in ((0, 1), (0, 2), (1, 2)):
            _diagonals(values, inside, wrong, axes)
        _corners(values, inside, wrong)
        wrong &= ~inside
        if not wrong.any():
            return values
        values[wrong] = filled


def _diagonals(values: Floats, inside: NDArray[np.bool_], wrong: NDArray[np.bool_], axes: tuple[int, int]) -> None:
    """Marks a voxel to fill wherever two voxels share an edge and neither of the two beside them is inside."""
    a, b, c, d = (_shifted(axes, steps) for steps in ((0, 0), (1, 1), (0, 1), (1, 0)))
    for first, second, left, right in ((a, b, c, d), (c, d, a, b)):
        touching = inside[first] & inside[second] & ~inside[left] & ~inside[right]
        fuller = values[left] >= values[right]
        wrong[left] |= touching & fuller
        wrong[right] |= touching & ~fuller


def _corners(values: Floats, inside: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> None:
    """Marks a voxel to fill wherever two voxels, inside or outside, meet in a corner and the six others differ."""
    every = [_shifted((0, 1, 2), steps) for steps in product((0, 1), repeat=3)]
    count = sum(inside[part].astype(np.int8) for part in every)
    for first in range(4):
        near, far = every[first], every[7 - first]
        touching = inside[near] & inside[far] & (count == 2)
        beside = every[1] if first != 1 else every[0]
        wrong[beside] |= touching
        hole = ~inside[near] & ~inside[far] & (count == 6)
        wrong[near] |= hole & (values[near] >= values[far])
        wrong[far] |= hole & (values[near] < values[far])


def _shifted(axes: tuple[int, ...], steps: tuple[int, ...]) -> tuple[slice, ...]:
    """The view of a grid that begins a step later along some of `axes`, cut to one size."""
    view = [slice(None)] * 3
    for axis, step in zip(axes, steps, strict=True):
        view[axis] = slice(1, None) if step else slice(None, -1)
    return tuple(view)


def _crossings(values: Floats, inside: NDArray[np.bool_], threshold: float) -> tuple[Floats, Ints]:
    """Sum (x,y,z,3) and number (x,y,z) of the points where the surface crosses each cell's edges."""
    shape = tuple(n - 1 for n in inside.shape)
    sums, counts = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.int32)
    for axis in range(3):
        low, high = _shifted((axis,), (0,)), _shifted((axis,), (1,))
        crossed = np.argwhere(inside[low] != inside[high])
        start, end = values[low][tuple(crossed.T)], values[high][tuple(crossed.T)]
        points = crossed.astype(np.float32)
        points[:, axis] += (threshold - start) / (end - start)
        for cell in _around(crossed, axis):
            within = ((cell >= 0) & (cell < shape)).all(1)
            np.add.at(sums, tuple(cell[within].T), points[within])
            np.add.at(counts, tuple(cell[within].T), 1)
    return sums, counts


def _around(edges: NDArray[np.intp], axis: int) -> list[NDArray[np.intp]]:
    """The four cells around grid edges (n,3) along `axis`, in the order of a right-handed turn about it."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    cells = []
    for one, other in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
        cell = edges.copy()
        cell[:, first] += one
        cell[:, second] += other
        cells.append(cell)
    return cells


def _quads(inside: NDArray[np.bool_], numbers: Ints) -> Ints:
    quads = []
    for axis in range(3):
        low, high = _shifted((axis,), (0,)), _shifted((axis,), (1,))
        for edges, order in (
            (np.argwhere(inside[low] & ~inside[high]), [0, 1, 2, 3]),
            (np.argwhere(~inside[low] & inside[high]), [3, 2, 1, 0]),
        ):
            corners = np.stack([numbers[tuple(cell.T)] for cell in _around(edges, axis)], 1)
            quads.append(corners[:, order])
    return np.concatenate(quads).astype(np.int32)


def _relaxed(vertices: Floats, quads: Ints, middles: NDArray[np.floating], times: int) -> Floats:
    """Vertices smoothed over the edges of the mesh, within their cells."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])  # each edge twice, once each way
    neighbours = np.bincount(edges[:, 0], minlength=len(vertices))[:, None]
    low, high = middles - _FREEDOM, middles + _FREEDOM
    for number in range(2 * times):
        sums = np.stack([np.bincount(edges[:, 0], vertices[edges[:, 1], i], len(vertices)) for i in range(3)], 1)
        step = _BACK if number % 2 else _FORTH
        vertices = np.clip(vertices + step * (sums / neighbours - vertices), low, high)
    return vertices.astype(np.float32)
