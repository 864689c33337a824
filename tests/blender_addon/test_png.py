from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from blender_addon import png


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_another_reader_sees_the_same_pixels(channels: int, mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11, channels), dtype=np.uint8)
    with Image.open(io.BytesIO(png.encode(pixels))) as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)


@pytest.mark.parametrize("pixels", [np.zeros((2, 2, 5), np.uint8), np.zeros((2, 0, 3), np.uint8), np.zeros((2, 2, 3))])
def test_what_png_cannot_hold(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="PNG"):
        png.encode(pixels)
