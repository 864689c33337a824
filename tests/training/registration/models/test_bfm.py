from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.registration.models.bfm import read_bfm
from training.registration.models.model import BadModel

COUNT, MODES = 40, 3
RNG = np.random.default_rng(0)
MEAN = RNG.normal(0.0, 60.0, (COUNT, 3))
BASIS = np.linalg.qr(RNG.normal(size=(3 * COUNT, MODES)))[0]
SIGMA = np.array([300.0, 100.0, 20.0])
TRIANGLES = np.arange(COUNT - COUNT % 3).reshape(-1, 3)
MARKS = {"center.nose.tip": 3, "right.eye.corner_outer": 5, "left.eye.corner_outer": 7, "right.lips.corner": 9,
         "left.lips.corner": 11, "left.ear.tragus.tip": 13}  # fmt: skip


def test_2009_in_its_layout(tmp_path: Path) -> None:
    io = pytest.importorskip("scipy.io")
    path = tmp_path / "01_MorphableModel.mat"
    content = {
        "shapeMU": (1000.0 * MEAN).reshape(-1, 1).astype(np.float32),
        "shapePC": BASIS.astype(np.float32),
        "shapeEV": (1000.0 * SIGMA).reshape(-1, 1).astype(np.float32),
        "texMU": np.zeros((3 * COUNT, 1), np.float32),
        "tl": (TRIANGLES + 1).astype(np.float64),
    }
    io.savemat(path, content)
    with pytest.raises(BadModel, match=r"40 vertices instead of 53490: give its landmarks with --landmarks"):
        read_bfm(path)
    model = read_bfm(path, {number: number for number in range(8)})
    assert model.unit == "um"
    assert np.abs(model.mean - 1000.0 * MEAN).max() < 0.1
    assert np.array_equal(model.triangles, TRIANGLES)
    assert np.abs(model.modes[1].ravel() - 1000.0 * SIGMA[1] * BASIS[:, 1]).max() < 0.1
    assert np.array_equal(model.landmarks[5], model.mean[5])


@pytest.mark.parametrize(
    ("name", "known_as"), [("model2017-1_bfm_nomouth.h5", "bfm2017"), ("model2019_bfm.h5", "bfm2019")]
)
def test_2017_and_2019_in_their_layout(tmp_path: Path, name: str, known_as: str) -> None:
    h5py = pytest.importorskip("h5py")
    marks = [{"id": mark, "coordinates": MEAN[vertex].tolist()} for mark, vertex in MARKS.items()]
    with h5py.File(tmp_path / name, "w") as file:
        file["shape/model/mean"] = MEAN.ravel().astype(np.float32)
        file["shape/model/pcaBasis"] = BASIS.astype(np.float32)
        file["shape/model/pcaVariance"] = (SIGMA**2).astype(np.float32)
        file["shape/representer/points"] = MEAN.T.astype(np.float32)
        file["shape/representer/cells"] = TRIANGLES.T.astype(np.int32)
        file["metadata/landmarks/json"] = json.dumps(marks)
    model = read_bfm(tmp_path / name)
    assert (model.name, model.unit) == (known_as, "mm")
    assert np.abs(model.mean - MEAN).max() < 1e-3
    assert np.array_equal(model.triangles, TRIANGLES)
    assert np.abs(model.modes[0].ravel() - SIGMA[0] * BASIS[:, 0]).max() < 1e-3
    assert sorted(model.landmarks) == [30, 36, 45, 48, 54]
    assert np.abs(model.landmarks[36] - MEAN[5]).max() < 1e-6


def test_other_files_are_refused(tmp_path: Path) -> None:
    io = pytest.importorskip("scipy.io")
    io.savemat(tmp_path / "other.mat", {"a": np.zeros(3)})
    with pytest.raises(BadModel, match="has no 'shapeMU'"):
        read_bfm(tmp_path / "other.mat")
    (tmp_path / "torn.h5").write_bytes(b"\x89HDF")
    with pytest.raises(BadModel, match="cannot be read"):
        read_bfm(tmp_path / "torn.h5")
