from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from training.voxels.procedural import KINDS, Block, Rod, design, occupancy
from training.voxels.procedural_mesh import mesh
from training.voxels.voxelise import voxelise


@pytest.mark.parametrize("kind", KINDS)
def test_designs_are_whole_fill_the_grid_and_differ(kind: str) -> None:
    seen = []
    for seed in range(12):
        grid = occupancy(design(kind, np.random.default_rng([3, seed])), 30)
        _, parts = ndimage.label(grid, np.ones((3, 3, 3)))
        assert parts == 1
        assert max(np.ptp(np.argwhere(grid)[:, axis]) + 1 for axis in range(3)) >= 28
        seen.append(grid)
    assert len({grid.tobytes() for grid in seen}) == len(seen)
    np.testing.assert_array_equal(seen[5], occupancy(design(kind, np.random.default_rng([3, 5])), 30))


def test_meshes_show_what_the_grids_hold() -> None:
    for solid in (
        Block((0.1, 0, 0.2), (0.3, 0.2, 0.25), power=4),
        Block((0, 0, 0.5), (0.3, 0.05, 0.4), lean=15, bend=0.06),
        Block((0, 0, 0.5), (0.3, 0.3, 0.2), taper=0.4),
        Rod((0, 0, 0), (0.3, 0.1, 0.8), 0.12),
        Rod((0, 0, 0), (0.05, 0.0, 0.8), 0.15, round=False),
    ):
        points, faces = mesh([solid])
        triangles = np.concatenate([faces[:, :3], faces[faces[:, 3] >= 0][:, [0, 2, 3]]])
        ours, theirs = occupancy([solid], 24), voxelise(points, triangles, 24)
        # A voxel that the surface only touches counts in the voxeliser's grid.
        assert (ours & ~theirs).sum() < 0.03 * ours.sum()
        assert (theirs & ~ndimage.binary_dilation(ours, iterations=2)).sum() < 0.03 * ours.sum()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule for boat"):
        design("boat", np.random.default_rng(1))
