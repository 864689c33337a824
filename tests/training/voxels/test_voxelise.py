from __future__ import annotations

import numpy as np
import pytest

from training.voxels.grid import mirrored, pack, resized, unpack
from training.voxels.orientation import SHAPENET, Orientation
from training.voxels.voxelise import voxelise

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRIANGLES = np.array([t for a, b, c, d in QUADS for t in ((a, b, c), (a, c, d))])


def box(size: tuple[float, float, float]) -> np.ndarray:
    return CORNERS * size + (5.0, -3.0, 100.0)


def test_a_box_fills_its_share_of_the_grid() -> None:
    grid = voxelise(box((10, 5, 20)), TRIANGLES, resolution=20)
    sides = [np.flatnonzero(grid.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    assert sides[2][0] == 0
    assert sides[2][-1] == 19
    # A face that lies between two voxels counts for one of them: at most one voxel more than the size.
    assert [len(side) for side in sides[:2]] == pytest.approx([10, 5], abs=1.01)
    assert grid[10, 10, 10]


def test_a_box_without_a_lid_stays_a_shell_and_fill_can_be_left_out() -> None:
    assert not voxelise(box((9, 9, 9)), TRIANGLES[2:], resolution=20)[10, 10, 10]
    assert not voxelise(box((9, 9, 9)), TRIANGLES, resolution=20, fill=False)[10, 10, 10]


def test_the_margin_stays_empty() -> None:
    grid = voxelise(box((1, 1, 1)), TRIANGLES, resolution=30, margin=3)
    assert grid.sum() == 24**3
    assert grid[3:27, 3:27, 3:27].all()


def test_a_large_triangle_has_no_holes() -> None:
    corners = np.array([[0.0, 0, 0], [1, 0, 0.3], [0, 1, 1]])
    grid = voxelise(corners, np.array([[0, 1, 2]]), resolution=30, fill=False)
    seen = grid.any(axis=2)
    x, y = np.meshgrid(np.arange(30) + 0.5, np.arange(30) + 0.5, indexing="ij")
    assert seen[(x + y < 29)].all()


def test_a_mesh_without_extent_is_refused() -> None:
    with pytest.raises(ValueError, match="no extent"):
        voxelise(np.ones((3, 3)), np.array([[0, 1, 2]]))


def test_shapenet_turns_upright_and_to_the_front() -> None:
    # ShapeNet: y up, -z front. Ours: z up, -y front; x stays on the object's left, which is ShapeNet's -x.
    np.testing.assert_allclose(SHAPENET.points(np.array([[0.0, 1, 0], [0, 0, -1], [-1, 0, 0]])), [
        [0, 0, 1], [0, -1, 0], [1, 0, 0]
    ])  # fmt: skip
    assert np.linalg.det(SHAPENET.matrix) == pytest.approx(1)
    grid = np.zeros((4, 4, 4), bool)
    grid[3, 1, 0] = True
    assert np.argwhere(SHAPENET.grid(grid)).tolist() == [[0, 0, 1]]


def test_a_turned_mesh_and_its_turned_grid_agree() -> None:
    points = CORNERS * [1.0, 0.6, 0.3]
    points[7] += [0.0, 0.3, 0.5]
    turn = Orientation("-x", "z")
    grid = voxelise(points, TRIANGLES, 16)
    assert (turn.grid(grid) ^ voxelise(turn.points(points), TRIANGLES, 16)).mean() < 0.02


@pytest.mark.parametrize(("up", "front"), [("w", "x"), ("z", "-z")])
def test_a_wrong_orientation_is_refused(up: str, front: str) -> None:
    with pytest.raises(ValueError, match="up"):
        Orientation(up, front)


def test_resizing_keeps_thin_legs_and_volume() -> None:
    grid = np.zeros((32, 32, 32), bool)
    grid[8:24, 8:24, 15] = True
    for x, y in ((8, 8), (8, 23), (23, 8), (23, 23)):
        grid[x, y, :15] = True
    small = resized(grid, 30)
    assert small.shape == (30, 30, 30)
    assert all(small[:, :, level].any() for level in range(15))
    assert small.sum() == pytest.approx(grid.sum() * (30 / 32) ** 3, rel=0.5)


def test_bits_and_mirrors() -> None:
    grids = np.random.default_rng(4).random((3, 5, 5, 5)) < 0.5
    np.testing.assert_array_equal(unpack(pack(grids), 5), grids)
    np.testing.assert_array_equal(mirrored(grids)[:, 0], grids[:, 4])
