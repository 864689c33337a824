"""A photo on its way to the backend: the bytes of a file, or pixels still to be encoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import png
from .failures import Failure

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
LARGEST_BYTES = 256 * 1024 * 1024
_EXIF_ORIENTATION = 0x0112
_SHORT = 3


@dataclass(frozen=True)
class Photo:
    """Either `data`, an image file's own bytes (EXIF included), or `pixels` (height, width, 1 to 4) uint8."""

    name: str
    data: bytes = b""
    pixels: NDArray[np.uint8] | None = None

    def encoded(self) -> bytes:
        """The bytes of an image file."""
        return self.data if self.pixels is None else png.encode(self.pixels)


def read(path: Path) -> Photo:
    """The photo in the file `path`. Raises Failure: `photo_missing`, `photo_unreadable`, `photo_empty`,
    `photo_too_large`."""
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise Failure("photo_too_large", name=path.name, limit=f"{LARGEST_BYTES // 1024**2} MB")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise Failure("photo_missing", name=path.name) from error
    except OSError as error:
        raise Failure("photo_unreadable", name=path.name, reason=error.strerror or error) from error
    return from_bytes(path.name, data)


def in_folder(folder: Path) -> tuple[Path, ...]:
    """The photos that lie directly in `folder`, by name. Raises Failure: `photos_none`, `photo_unreadable`."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    except OSError as error:
        raise Failure("photo_unreadable", name=folder.name, reason=error.strerror or error) from error
    if not found:
        raise Failure("photos_none", name=folder.name)
    return tuple(found)


def from_bytes(name: str, data: bytes) -> Photo:
    """The photo in `data`. Raises Failure: `photo_empty`."""
    if not data:
        raise Failure("photo_empty", name=name)
    return Photo(name, data)


def orientation(data: bytes) -> int:
    """How a JPEG file's picture is turned: the EXIF value 1 to 8 (CIPA DC-008, tag 274), 1 where none is given."""
    at = 2
    if data[:2] != b"\xff\xd8":
        return 1
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return _tiff_orientation(data[at + 10 : at + 2 + length])
        if marker == 0xDA or length < 2:
            return 1
        at += 2 + length
    return 1


def upright(pixels: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """`pixels` (height, width, C), top first, turned as the EXIF orientation `turn` says."""
    if turn in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _tiff_orientation(data: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", data, start + 2 + 12 * index)
            if tag == _EXIF_ORIENTATION and kind == _SHORT and 1 <= value <= 8:
                return int(value)
    except struct.error:
        return 1  # a torn EXIF block turns nothing
    return 1
