from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from training.registration.models.flame import is_flame, read_flame
from training.registration.models.model import BadModel

RNG = np.random.default_rng(0)


def grid(width: int, at: float) -> tuple[np.ndarray, np.ndarray]:
    """A sheet of width x width vertices, m, and its triangles."""
    x, y = np.meshgrid(np.linspace(-0.05, 0.05, width) + at, np.linspace(-0.05, 0.05, width))
    ids = np.arange(width * width).reshape(width, width)
    a, b, c, d = (part.ravel() for part in (ids[:-1, :-1], ids[:-1, 1:], ids[1:, 1:], ids[1:, :-1]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return np.stack([x.ravel(), y.ravel(), 0.1 * x.ravel() ** 2], 1), triangles


FACE, EYE_LEFT, EYE_RIGHT = grid(9, 0.0), grid(5, 0.5), grid(5, -0.5)
MEAN = np.concatenate([FACE[0], EYE_LEFT[0], EYE_RIGHT[0]])
TRIANGLES = np.concatenate([FACE[1], EYE_LEFT[1] + 81, EYE_RIGHT[1] + 106])
SHAPES = RNG.normal(size=(len(MEAN), 3, 310))
CORNERS = RNG.integers(0, len(FACE[1]), 51)
WEIGHTS = RNG.dirichlet([1.0, 1.0, 1.0], 51)


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> type:
    """A class that pickles as chumpy's arrays do; gone again before anything is read."""

    class Ch:
        def __init__(self, x: np.ndarray) -> None:
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    module = types.ModuleType("chumpy.ch")
    module.Ch = Ch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return Ch


def write_embedding(folder: Path) -> None:
    found = {"lmk_face_idx": CORNERS, "lmk_b_coords": WEIGHTS}
    (folder / "flame_static_embedding.pkl").write_bytes(pickle.dumps(found, protocol=2))


@pytest.mark.parametrize("ending", ["npz", "pkl"])
def test_both_files_hold_the_same(tmp_path: Path, ending: str, chumpy: type, monkeypatch: pytest.MonkeyPatch) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    path = tmp_path / f"generic_model.{ending}"
    if ending == "npz":
        np.savez(
            path, v_template=MEAN, f=TRIANGLES.astype(np.uint32), shapedirs=SHAPES, bs_style=np.array("lbs", object)
        )
    else:
        content = {
            "v_template": chumpy(MEAN),
            "f": TRIANGLES.astype(np.uint32),
            "shapedirs": chumpy(np.asfortranarray(SHAPES)),
            "J_regressor": sparse.csc_matrix(np.eye(5)),
            "kintree_table": np.array([[2**32 - 1, 0], [0, 1]]),
            "bs_style": "lbs",
            "weights": np.float64(0.5),
        }
        path.write_bytes(pickle.dumps(content, protocol=2))
    write_embedding(tmp_path)
    monkeypatch.delitem(sys.modules, "chumpy.ch")
    assert is_flame(path)
    model = read_flame(path)
    assert np.array_equal(model.mean, MEAN)
    assert model.modes.shape == (300, len(MEAN), 3)
    assert np.abs(model.modes[7] - SHAPES[:, :, 7]).max() < 1e-6
    assert len(model.triangles) == len(FACE[1])
    assert model.parts.left_eye.tolist() == list(range(81, 106))
    assert model.parts.right_eye.tolist() == list(range(106, 131))
    assert sorted(model.landmarks) == list(range(17, 68))
    expected = (MEAN[FACE[1][CORNERS[3]]] * WEIGHTS[3][:, None]).sum(0)
    assert np.abs(model.landmarks[20] - expected).max() < 1e-9
    assert model.unit == "m"


def test_the_68_of_an_object_array_are_read_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "flame2023.npz", v_template=MEAN, f=TRIANGLES, shapedirs=SHAPES)
    corners, weights = np.resize(CORNERS, (1, 68)), np.resize(WEIGHTS, (1, 68, 3))
    found = {"full_lmk_faces_idx": corners, "full_lmk_bary_coords": weights, "static_lmk_faces_idx": CORNERS}
    np.save(tmp_path / "landmark_embedding.npy", np.array(found, object), allow_pickle=True)
    assert sorted(read_flame(tmp_path / "flame2023.npz").landmarks) == list(range(68))


def test_landmarks_can_be_given_and_their_lack_is_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "flame.npz", v_template=MEAN, f=TRIANGLES, shapedirs=SHAPES)
    with pytest.raises(BadModel, match=r"no landmarks: put FLAME's flame_static_embedding.pkl"):
        read_flame(tmp_path / "flame.npz")
    model = read_flame(tmp_path / "flame.npz", {number: number for number in range(30, 40)})
    assert sorted(model.landmarks) == list(range(30, 40))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"v_template": MEAN}, protocol=2))
    with pytest.raises(BadModel, match="has no 'f'"):
        read_flame(tmp_path / "a.pkl")
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(MEAN, protocol=2)[:200])
    with pytest.raises(BadModel, match="cannot be read as FLAME"):
        read_flame(tmp_path / "b.pkl")
