from __future__ import annotations

import numpy as np
import pytest

from backend.raster import NOTHING, rasterise, vertex_normals

# Two triangles that go round anticlockwise, seen from outside with y down; the second is nearer and smaller.
POINTS = np.array([[0, 0, 10], [0, 8, 10], [8, 0, 10], [1, 1, 5], [1, 4, 5], [4, 1, 5]], float)
TRIANGLES = np.array([[0, 1, 2], [3, 4, 5]])


def test_the_nearer_triangle_hides_the_other() -> None:
    raster = rasterise(POINTS, TRIANGLES, (8, 8))
    assert raster.triangle[1, 1] == 1
    assert raster.triangle[0, 0] == 0
    assert raster.triangle[7, 7] == NOTHING
    reversed_order = rasterise(POINTS, TRIANGLES[::-1], (8, 8))
    assert reversed_order.triangle[1, 1] == 0 and reversed_order.triangle[0, 0] == 1


def test_values_are_interpolated_at_pixel_centres() -> None:
    raster = rasterise(POINTS, TRIANGLES[:1], (8, 8))
    places = raster.interpolate(TRIANGLES, POINTS[:, :2])
    rows, columns = np.nonzero(raster.triangle != NOTHING)
    assert len(rows) == 36
    np.testing.assert_allclose(places[rows, columns], np.stack([columns, rows], 1) + 0.5, atol=1e-5)
    np.testing.assert_allclose(raster.weights[rows, columns].sum(1), 1.0, atol=1e-6)
    assert not raster.weights[raster.triangle == NOTHING].any()


def test_what_looks_away_is_left_out() -> None:
    behind = TRIANGLES[:, ::-1]
    assert (rasterise(POINTS, behind, (8, 8)).triangle == NOTHING).all()
    assert (rasterise(POINTS, behind, (8, 8), both_sides=True).triangle != NOTHING).sum() == 36


def test_neighbours_leave_no_gap_and_large_lists_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    line = np.linspace(0, 16, 9)
    grid = np.stack([*np.meshgrid(line, line), np.ones((9, 9))], -1).reshape(-1, 3)
    corner = (np.arange(8)[:, None] * 9 + np.arange(8)).ravel()
    quads = np.stack([corner, corner + 9, corner + 10, corner + 1], 1)
    triangles = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    whole = rasterise(grid, triangles, (16, 16))
    assert (whole.triangle != NOTHING).all()
    monkeypatch.setattr("backend.raster._AT_ONCE", 20)
    np.testing.assert_array_equal(rasterise(grid, triangles, (16, 16)).triangle, whole.triangle)


def test_nothing_to_draw() -> None:
    assert (rasterise(POINTS - 100.0, TRIANGLES, (4, 3)).triangle == NOTHING).all()


def test_normals_point_out() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    normals = vertex_normals(corners, tetrahedron)
    assert ((normals * (corners - corners.mean(0))).sum(1) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)
    np.testing.assert_array_equal(vertex_normals(np.zeros((5, 3)), tetrahedron)[4], (0, 0, 1))
