from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.registration.models.ict import LANDMARKS_68, VERTICES, is_ict, read_ict
from training.registration.models.model import BadModel

RNG = np.random.default_rng(0)
MEAN = RNG.normal(size=(VERTICES, 3)).round(4)
IDENTITY = RNG.normal(size=(2, VERTICES, 3)).round(4)
NAMES = ["browInnerUp_L", "browInnerUp_R", "eyeBlink_L", "jawOpen"]
EXPRESSION = RNG.normal(size=(4, VERTICES, 3)).round(4)
FACES = np.array([[0, 1, 2, 3], [4, 5, 6, -1], [11247, 11248, 11249, 11250], [20000, 20001, 20002, -1]])


def write_packed(path: Path) -> Path:
    np.savez(
        path, mean=MEAN, identity=IDENTITY.astype(np.float16), expression=EXPRESSION.astype(np.float16),
        expression_names=np.array(NAMES), faces=FACES, landmarks68=np.array(LANDMARKS_68),
    )  # fmt: skip
    return path


def write_folder(folder: Path) -> Path:
    folder.mkdir()
    faces = "".join("f " + " ".join(f"{i + 1}/{i + 1}" for i in face if i >= 0) + "\n" for face in FACES)

    def write(name: str, vertices: np.ndarray) -> None:
        points = "".join(f"v {x:.4f} {y:.4f} {z:.4f}\n" for x, y, z in vertices)
        (folder / f"{name}.obj").write_text(f"# ICT FaceKit\n{points}{faces}")

    write("generic_neutral_mesh", MEAN)
    for number, offsets in enumerate(IDENTITY):
        write(f"identity{number:03d}", MEAN + offsets)
    for name, offsets in zip(NAMES, EXPRESSION, strict=True):
        write(name, MEAN + offsets)
    return folder


@pytest.mark.parametrize("layout", ["packed", "folder"])
def test_both_layouts_hold_the_same(tmp_path: Path, layout: str) -> None:
    path = write_packed(tmp_path / "ict.npz") if layout == "packed" else write_folder(tmp_path / "FaceXModel")
    assert is_ict(path)
    model = read_ict(path)
    assert np.abs(model.mean - MEAN).max() < 1e-6
    assert np.abs(model.modes - IDENTITY).max() < 3e-3
    assert sorted(model.expression) == ["browInnerUp", "eyeBlinkLeft", "jawOpen"]
    assert np.abs(model.expression["browInnerUp"] - EXPRESSION[0] - EXPRESSION[1]).max() < 6e-3
    # Sockets, teeth and eyes are no skin.
    assert sorted(map(sorted, model.triangles.tolist())) == [[0, 1, 2], [0, 2, 3], [4, 5, 6]]
    assert np.array_equal(model.landmarks[30], model.mean[LANDMARKS_68[30]])
    assert (model.unit, model.licence) == ("cm", "MIT")


def test_an_incomplete_download_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "FaceXModel")
    assert is_ict(tmp_path)
    (folder / "identity001.obj").write_text("v 0 0 0\n")
    with pytest.raises(BadModel, match=r"identity001.obj has 1 vertices"):
        read_ict(tmp_path)
    for path in folder.glob("identity*.obj"):
        path.unlink()
    with pytest.raises(BadModel, match="is the download complete"):
        read_ict(tmp_path)
