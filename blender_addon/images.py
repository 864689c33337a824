"""Photos that lie in Blender as image datablocks: on disk, packed, generated or painted on."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from . import photo
from .failures import Failure
from .photo import Photo

LARGEST_SIDE = 16384


def read(image: bpy.types.Image) -> Photo:
    """The photo in `image`: a file's own bytes where it has them unchanged, its pixels otherwise.

    Raises Failure: `photo_missing`, `photo_unreadable`, `photo_empty`, `photo_too_large`, `photo_no_pixels`.
    """
    if image.source == "FILE" and not image.is_dirty:
        if image.packed_file is not None:
            return photo.from_bytes(image.name, image.packed_file.data)
        return photo.read(Path(bpy.path.abspath(image.filepath, library=image.library)))
    return Photo(image.name, pixels=pixels(image))


def upright(path: Path) -> bpy.types.Image | None:
    """The photo in the file `path` as an image datablock that stands upright; None where Blender cannot read it.

    Blender shows pictures as they are stored; where the file's EXIF says that they are to be turned, the image gets
    turned pixels of its own and is packed.
    """
    try:
        turn = photo.orientation(photo.read(path).data)
        image = bpy.data.images.load(str(path), check_existing=turn == 1)
    except (Failure, RuntimeError):
        return None
    if turn == 1:
        return image
    try:
        return _turned(image, turn)
    finally:
        bpy.data.images.remove(image)


def upright_copy(image: bpy.types.Image) -> bpy.types.Image | None:
    """As `upright`, of an image datablock; None where it stands upright already, or cannot be read."""
    try:
        turn = photo.orientation(read(image).data)
    except Failure:
        return None
    return None if turn == 1 else _turned(image, turn)


def _turned(image: bpy.types.Image, turn: int) -> bpy.types.Image | None:
    try:
        return from_pixels(image.name, photo.upright(pixels(image), turn))
    except Failure:
        return None


def from_pixels(name: str, values: NDArray[np.uint8]) -> bpy.types.Image:
    """A packed image of `values` (height, width, 1 to 4), sRGB, the top row first."""
    height, width, channels = values.shape
    grid = np.ones((height, width, 4), np.float32)
    colours = values[::-1].astype(np.float32) / 255.0
    grid[..., :3] = colours[..., :3] if channels > 2 else colours[..., :1]
    if channels in (2, 4):
        grid[..., 3] = colours[..., -1]
    image = bpy.data.images.new(name, width, height, alpha=channels in (2, 4))
    image.pixels.foreach_set(grid.ravel())
    image.pack()
    return image


def pixels(image: bpy.types.Image) -> NDArray[np.uint8]:
    """(height, width, 1 to 4) sRGB values, the top row first; opaque alpha is left out.

    Raises Failure: `photo_too_large`, `photo_no_pixels`.
    """
    width, height = image.size
    channels = image.channels
    if max(width, height) > LARGEST_SIDE:
        raise Failure("photo_too_large", name=image.name, limit=f"{LARGEST_SIDE} pixels")
    values = np.zeros(len(image.pixels), np.float32)
    if values.size == 0 or values.size != width * height * channels:
        raise Failure("photo_no_pixels", name=image.name)
    image.pixels.foreach_get(values)
    grid = values.reshape(height, width, channels)[::-1]
    colours = channels - 1 if channels in (2, 4) else channels
    if image.is_float:  # linear, where bytes are encoded already
        grid = np.concatenate([encoded(grid[..., :colours]), grid[..., colours:]], axis=2)
    if channels in (2, 4) and (grid[..., -1] >= 1.0).all():
        grid = grid[..., :colours]
    return np.rint(np.clip(grid, 0.0, 1.0) * 255.0).astype(np.uint8)


def encoded(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light (any shape) to sRGB values, both 0..1 (IEC 61966-2-1)."""
    linear = np.clip(linear, 0.0, 1.0)
    values = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return values.astype(np.float32)


def packed(name: str, data: bytes, side: int) -> bpy.types.Image:
    """A picture of `side` x `side` pixels inside the file, from the bytes of an image file."""
    image = bpy.data.images.new(name, side, side)
    image.source = "FILE"
    image.pack(data=data, data_len=len(data))
    return image
