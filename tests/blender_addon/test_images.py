from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from blender_addon.failures import Failure

bpy = pytest.importorskip("bpy")

from blender_addon import images  # noqa: E402  needs bpy


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_a_file_keeps_its_bytes(scene: Any, picture: Path) -> None:
    assert images.read(bpy.data.images.load(str(picture))).encoded() == picture.read_bytes()


def test_a_packed_file_keeps_its_bytes_after_the_file_has_gone(scene: Any, picture: Path) -> None:
    image, data = bpy.data.images.load(str(picture)), picture.read_bytes()
    image.pack()
    picture.unlink()
    assert images.read(image).encoded() == data


def test_a_painted_image_is_sent_with_its_paint(scene: Any, picture: Path) -> None:
    image = bpy.data.images.load(str(picture))
    painted = np.tile(np.float32([1.0, 0.5, 0.0, 1.0]), (6, 8, 1))
    painted[0] = [0.0, 0.0, 1.0, 1.0]  # Blender's first row is the lowest
    image.pixels.foreach_set(painted.ravel())
    image.update()
    got = decoded(images.read(image).encoded())
    assert got.shape == (6, 8, 3)
    assert got[-1, 0].tolist() == [0, 0, 255]
    assert np.abs(got[0, 0].astype(int) - [255, 128, 0]).max() <= 1


def test_a_float_image_is_encoded_for_the_eye(scene: Any) -> None:
    image = bpy.data.images.new("float", 4, 3, float_buffer=True)
    image.pixels.foreach_set(np.tile(np.float32([0.2158605, 0.2158605, 0.2158605, 1.0]), 12))
    got = decoded(images.read(image).encoded())
    assert got.shape == (3, 4, 3)
    assert np.abs(got.astype(int) - 128).max() <= 1


def test_transparency_is_kept(scene: Any) -> None:
    image = bpy.data.images.new("clear", 4, 3, alpha=True)
    image.pixels.foreach_set(np.tile(np.float32([1.0, 1.0, 1.0, 0.0]), 12))
    assert decoded(images.read(image).encoded()).shape == (3, 4, 4)


def test_a_file_that_has_gone(scene: Any, picture: Path) -> None:
    image = bpy.data.images.load(str(picture))
    picture.unlink()
    with pytest.raises(Failure) as caught:
        images.read(image)
    assert caught.value.code == "photo_missing"


def test_an_image_without_pixels(scene: Any) -> None:
    image = bpy.data.images.new("none", 4, 4)
    image.source = "SEQUENCE"
    with pytest.raises(Failure) as caught:
        images.read(image)
    assert caught.value.code == "photo_no_pixels"
