from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from blender_addon import photo
from blender_addon.failures import Failure

_ORIENTATION = 0x0112


def test_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"whatever it holds")
    assert photo.read(path).encoded() == b"whatever it holds"


@pytest.mark.parametrize(("make", "code"), [(lambda p: None, "photo_missing"), (Path.touch, "photo_empty")])
def test_a_file_that_cannot_be_sent(tmp_path: Path, make: object, code: str) -> None:
    path = tmp_path / "a.jpg"
    assert callable(make)
    make(path)
    with pytest.raises(Failure) as caught:
        photo.read(path)
    assert caught.value.code == code
    assert "a.jpg" in str(caught.value)


def test_a_folder_is_not_a_photo(tmp_path: Path) -> None:
    with pytest.raises(Failure):
        photo.read(tmp_path)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_photo_is_put_upright_as_others_do(turn: int) -> None:
    pixels = np.random.default_rng(turn).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[_ORIENTATION] = turn
    file = io.BytesIO()
    image.save(file, "jpeg", exif=exif)
    assert photo.orientation(file.getvalue()) == turn
    with Image.open(file) as stored:
        raw = np.asarray(stored)
        np.testing.assert_array_equal(photo.upright(raw, turn), np.asarray(ImageOps.exif_transpose(stored)))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\x00\x10Exif\0\0II*\0\xff\xff\xff\x7f", b"GIF89a"]
)
def test_files_without_orientation(data: bytes) -> None:
    assert photo.orientation(data) == 1
