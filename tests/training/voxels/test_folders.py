from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.voxels.test_files import CUBE
from training.voxels.binvox import write_binvox
from training.voxels.faults import BadShapeFile
from training.voxels.folders import ShapeReader, find_shapes
from training.voxels.packed import write_packed


def test_modelnets_folders(tmp_path: Path) -> None:
    for name in ("chair/train/chair_0001.off", "chair/test/chair_0890.off", "desk/train/desk_0001.off"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("OFF" + CUBE)
    (tmp_path / "chair/test/chair_0890.off").write_text("OFF490 518 0\n")
    sources = find_shapes(tmp_path, ("chair",))
    assert [(s.name, s.split) for s in sources] == [("chair/chair_0890", "test"), ("chair/chair_0001", "train")]
    reader = ShapeReader(12)
    with pytest.raises(BadShapeFile, match=r"chair_0890\.off"):
        reader.read(sources[0])
    shape = reader.read(sources[1])
    assert shape.kind == "chair"
    assert shape.grid.all()
    assert shape.mesh is not None


def test_packed_files_and_their_empty_grids(tmp_path: Path) -> None:
    grids = np.zeros((3, 12, 12, 12), bool)
    grids[1, 2:9, 3:9, 4:9] = True
    grids[1, 4:7, 5:7, 6:7] = False  # a cavity, which is filled
    grids[2, :, :, 0] = True
    write_packed(tmp_path / "chair.npy.gz", grids)
    sources = find_shapes(tmp_path)
    reader = ShapeReader(12)
    with pytest.raises(BadShapeFile, match=r"chair\.npy\.gz: chair/0000 is empty"):
        reader.read(sources[0])
    assert reader.read(sources[1]).grid.sum() == 7 * 6 * 5
    assert ShapeReader(6, fill=False).read(sources[2]).grid[:, :, 0].all()


def test_a_cut_off_packed_file_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    write_packed(tmp_path / "chair.npy.gz", np.ones((2, 6, 6, 6), bool))
    write_packed(tmp_path / "monitor.npy.gz", np.ones((2, 6, 6, 6), bool))
    whole = (tmp_path / "chair.npy.gz").read_bytes()
    (tmp_path / "chair.npy.gz").write_bytes(whole[: len(whole) // 2])
    broken, *others = find_shapes(tmp_path)
    reader = ShapeReader(6)
    with pytest.raises(BadShapeFile, match=r"chair\.npy\.gz: the file is damaged or cut off"):
        reader.read(broken)
    assert [reader.read(source).name for source in others] == ["monitor/0000", "monitor/0001"]


def test_shapenets_folders(tmp_path: Path) -> None:
    path = tmp_path / "03001627" / "abc" / "models" / "model_normalized.solid.binvox"
    path.parent.mkdir(parents=True)
    grid = np.zeros((10, 10, 10), bool)
    grid[:, 9, :] = True  # the top, where y is up
    write_binvox(path, grid)
    (source,) = find_shapes(tmp_path)
    assert (source.name, source.kind) == ("chair/abc", "chair")
    assert ShapeReader(10).read(source).grid[:, :, 9].all()


def test_an_empty_folder_says_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"CLASS\.npy\.gz"):
        find_shapes(tmp_path)
