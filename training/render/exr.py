"""Reads the OpenEXR files that Blender writes for us; Blender's own Python carries no reader that always is there.

Single-part, uncompressed scan lines only (the OpenEXR file layout, openexr.com/en/latest/OpenEXRFileLayout.html), which
is what :mod:`training.render.engine` asks Blender for.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"v/1\x01"
_MULTI_PART_OR_DEEP = 0x1A00  # bits of the version field: tiled, deep, multi-part
_FLOAT, _HALF = 2, 1


class BadExr(ValueError):
    """A file that is no complete, uncompressed, single-part OpenEXR file."""


def read_exr(path: Path) -> dict[str, NDArray[np.float32]]:
    """Channels by name (``LAYER.PASS.CHANNEL``), each (H,W) float32, first row on top. Raises :class:`BadExr`."""
    data = path.read_bytes()
    try:
        return _read(data)
    except (struct.error, ValueError, KeyError, IndexError) as error:
        raise BadExr(f"{path} cannot be read ({error}): was the disk full?") from error


def _read(data: bytes) -> dict[str, NDArray[np.float32]]:
    if data[:4] != _MAGIC or struct.unpack_from("<I", data, 4)[0] & _MULTI_PART_OR_DEEP:
        raise ValueError("not a single-part scan-line OpenEXR file")
    attributes: dict[str, bytes] = {}
    at = 8
    while data[at] != 0:
        name, at = _text(data, at)
        _, at = _text(data, at)
        (size,) = struct.unpack_from("<i", data, at)
        attributes[name] = data[at + 4 : at + 4 + size]
        at += 4 + size
    if attributes["compression"] != b"\0":
        raise ValueError("compressed")
    channels = _channels(attributes["channels"])
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    first = at + 1 + 8 * height  # behind the header's end comes the table of lines, 8 bytes each
    line = 8 + width * sum(4 if kind == _FLOAT else 2 for _, kind in channels)
    if len(data) < first + line * height:
        raise ValueError("cut short")
    lines = np.frombuffer(data, np.uint8, line * height, first).reshape(height, line)
    read: dict[str, NDArray[np.float32]] = {}
    start = 8
    for name, kind in channels:
        stored = np.dtype("<f4") if kind == _FLOAT else np.dtype("<f2")
        stop = start + width * stored.itemsize
        read[name] = np.ascontiguousarray(lines[:, start:stop]).view(stored).astype(np.float32)
        start = stop
    return read


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def _channels(listed: bytes) -> list[tuple[str, int]]:
    channels = []
    at = 0
    while listed[at] != 0:
        name, at = _text(listed, at)
        (kind,) = struct.unpack_from("<i", listed, at)
        if kind not in (_FLOAT, _HALF):
            raise ValueError(f"channel {name} is of a kind that Blender does not write")
        channels.append((name, kind))
        at += 16
    return channels
