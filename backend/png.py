"""PNG files of 16 bits a channel, which Pillow does not write in colour: eight bits are half a degree of a normal."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_GREY, _RGB = 0, 2


def deep_png(values: NDArray[np.uint16]) -> bytes:
    """A PNG file of (H, W) or (H, W, 3) values (ISO/IEC 15948)."""
    height, width = values.shape[:2]
    rows = np.ascontiguousarray(values, ">u2").reshape(height, -1).view(np.uint8)
    # Each row is told by its difference from the one above: most of a map of relief is even.
    differences = np.zeros((height, rows.shape[1] + 1), np.uint8)
    differences[:, 0] = 2
    differences[0, 1:] = rows[0]
    differences[1:, 1:] = rows[1:] - rows[:-1]
    header = struct.pack(">IIBBBBB", width, height, 16, _GREY if values.ndim == 2 else _RGB, 0, 0, 0)
    body = zlib.compress(differences.tobytes(), 1)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
