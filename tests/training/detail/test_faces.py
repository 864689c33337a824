from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.detail.faces import DetailDataError, DetailFace, face_path, list_faces, open_folder, read_face, write_face


def face() -> DetailFace:
    with io.BytesIO() as file:
        Image.fromarray(np.full((6, 4, 3), 120, np.uint8)).save(file, "JPEG")
        picture = file.getvalue()
    normals = np.tile(np.array([0.0, 0.6, -0.8], np.float32), (6, 4, 1))
    return DetailFace(
        picture=picture, offset=(3, 1), size=10, seg=np.ones((6, 4), np.uint8), normals=normals, with_pores=normals,
        vertices=np.zeros((5, 3), np.float32), albedo=np.full((5, 3), 0.5, np.float32), rotation=np.eye(3),
        translation=np.array([0.0, 0.0, 500.0]), focal=400.0, kind="lines", parameters={"seed": 1},
    )  # fmt: skip


def test_a_face_comes_back(tmp_path: Path) -> None:
    path = face_path(tmp_path, 3)
    write_face(path, face())
    assert list_faces(tmp_path) == (path,)
    back = read_face(path)
    assert (back.kind, back.offset, back.size, back.focal, back.parameters) == ("lines", (3, 1), 10, 400.0, {"seed": 1})
    np.testing.assert_allclose(back.normals, face().normals, atol=1e-4)
    image = back.image()
    assert image.shape == (10, 10, 3) and not image[0].any() and abs(int(image[1, 3, 0]) - 120) < 4


def test_what_is_no_face_is_named(tmp_path: Path) -> None:
    path = face_path(tmp_path, 0)
    path.write_bytes(b"nothing")
    with pytest.raises(DetailDataError, match="face-000000"):
        read_face(path)
    with pytest.raises(DetailDataError, match="render some"):
        list_faces(tmp_path / "empty")


def test_a_folder_keeps_its_settings(tmp_path: Path) -> None:
    open_folder(tmp_path / "set", {"seed": 1, "samples": 4})
    open_folder(tmp_path / "set", {"seed": 1, "samples": 4})
    with pytest.raises(DetailDataError, match="another samples"):
        open_folder(tmp_path / "set", {"seed": 1, "samples": 8})
