"""Files of shapes: read right, or refused with the file's name."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from training.voxels.binvox import read_binvox, write_binvox
from training.voxels.faults import BadShapeFile
from training.voxels.off import read_off
from training.voxels.packed import read_packed, write_packed

CUBE = """8 6 0
0 0 0\n1 0 0\n1 1 0\n0 1 0\n0 0 1\n1 0 1\n1 1 1\n0 1 1
4 0 3 2 1\n4 4 5 6 7\n4 0 1 5 4\n4 2 3 7 6\n4 1 2 6 5\n4 0 4 7 3
"""


@pytest.mark.parametrize(
    "text",
    [
        "OFF\n" + CUBE,
        "OFF" + CUBE,  # ModelNet's fused header
        "# a comment\nOFF # another\n\n" + CUBE.replace("0 0 0\n", "\n0 0 0 # corner\n", 1),
        "COFF\n" + CUBE.replace("1 1 1\n", "1 1 1 255 0 0 255\n"),
        "off\n" + CUBE.replace("4 0 3 2 1", "4 0 3 2 1 0.5 0.5 0.5"),
    ],
    ids=["plain", "fused", "comments", "colours", "face colours"],
)
def test_a_cube_is_read_in_every_form(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cube.off"
    path.write_text(text)
    vertices, triangles = read_off(path)
    assert vertices.shape == (8, 3)
    assert triangles.shape == (12, 3)
    corners = vertices[triangles]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("PLY\n8 6 0\n", "OFF"),
        ("OFF\n0 0 0\n", "the mesh is empty"),
        ("OFF\n" + CUBE[:40], "ends after"),
        ("OFF\n" + CUBE[:78], "of 6 faces|of its 4 corners"),
        ("OFF\n" + CUBE.replace("4 0 3 2 1", "4 0 3 2 9"), "names vertex 9"),
        ("OFF\n" + CUBE.replace("4 0 3 2 1", "4 0 -3 2 1"), "names vertex -3"),
        ("OFF\n" + CUBE.replace("1 1 1\n", "1 nan 1\n"), "finite"),
        ("OFF\n" + CUBE.replace("1 1 1\n", "1 x 1\n"), "three numbers"),
        ("OFF\n" + CUBE.replace("4 0 3 2 1", "4 0 3"), "names 2 of its 4 corners"),
        ("OFF490 518 0\n", "ends after 0 of 490 vertices"),
    ],
)
def test_a_broken_off_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "chair_0007.off"
    path.write_text(text)
    with pytest.raises(BadShapeFile, match=reason) as caught:
        read_off(path)
    assert str(path) in str(caught.value)


def test_packed_grids_come_back_and_cut_off_ones_do_not(tmp_path: Path) -> None:
    grids = np.random.default_rng(1).random((5, 8, 8, 8)) < 0.3
    path = tmp_path / "chair.npy.gz"
    write_packed(path, grids)
    np.testing.assert_array_equal(read_packed(path), grids)
    whole = path.read_bytes()
    for length in (0, 1, 7, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:length])
        with pytest.raises(BadShapeFile, match=r"chair\.npy\.gz"):
            read_packed(path)


def test_the_published_layout_is_read(tmp_path: Path) -> None:
    grids = (np.random.default_rng(2).random((3, 1, 6, 6, 6)) < 0.5).astype(np.float64)
    path = tmp_path / "monitor.npy.gz"
    with gzip.open(path, "wb") as file:
        np.save(file, grids)
    np.testing.assert_array_equal(read_packed(path), grids[:, 0] > 0)


def test_an_array_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.npy.gz"
    with gzip.open(path, "wb") as file:
        np.save(file, np.zeros((3, 4, 5)))
    with pytest.raises(BadShapeFile, match="3 x 4 x 5"):
        read_packed(path)


def test_binvox_comes_back_in_the_meshs_axes(tmp_path: Path) -> None:
    grid = np.zeros((7, 7, 7), bool)
    grid[1, 2, 3:6] = grid[4, 5, 6] = True
    path = tmp_path / "model.binvox"
    write_binvox(path, grid)
    np.testing.assert_array_equal(read_binvox(path), grid)


@pytest.mark.parametrize(("start", "end"), [(0, 20), (0, -4), (1, None)])
def test_a_damaged_binvox_file_is_named(tmp_path: Path, start: int, end: int | None) -> None:
    path = tmp_path / "model.binvox"
    write_binvox(path, np.random.default_rng(3).random((6, 6, 6)) < 0.5)
    path.write_bytes(path.read_bytes()[start:end])
    with pytest.raises(BadShapeFile, match=r"model\.binvox"):
        read_binvox(path)
