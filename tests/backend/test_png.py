from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

from backend.png import deep_png


def test_greys_are_read_back_to_the_last_bit() -> None:
    values = np.random.default_rng(0).integers(0, 65536, (7, 5)).astype(np.uint16)
    with Image.open(BytesIO(deep_png(values))) as image:
        assert np.array_equal(np.asarray(image), values)


def test_colours_keep_sixteen_bits() -> None:
    values = np.random.default_rng(1).integers(0, 65536, (4, 6, 3)).astype(np.uint16)
    data = deep_png(values)
    with Image.open(BytesIO(data)) as image:  # Pillow keeps the upper eight
        assert image.size == (6, 4) and np.abs(np.asarray(image).astype(int) - (values >> 8)).max() <= 1
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    rows = np.frombuffer(zlib.decompress(data[start : start + length]), np.uint8).reshape(4, 1 + 6 * 6)
    assert set(rows[:, 0]) == {2}
    back = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(4, 6, 3, 2)
    assert np.array_equal(back[..., 0].astype(int) * 256 + back[..., 1], values)
