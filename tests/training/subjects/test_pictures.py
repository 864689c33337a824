from __future__ import annotations

import numpy as np

from training.subjects.pictures import backdrop, noise, skin_detail


def test_backdrops_differ_and_are_light() -> None:
    pictures = [backdrop(np.random.default_rng([5, index]), 48) for index in range(30)]
    assert all(picture.shape == (48, 48, 3) for picture in pictures)
    assert all(np.isfinite(picture).all() and picture.min() >= 0.0 for picture in pictures)
    assert np.std([picture.mean() for picture in pictures]) > 0.1
    assert np.array_equal(backdrop(np.random.default_rng([5, 3]), 48), pictures[3])


def test_detail_tiles() -> None:
    field = noise(np.random.default_rng(0), 64, (4, 8))
    inside = np.abs(np.diff(field, axis=0)).max()
    assert np.abs(field[0] - field[-1]).max() <= 1.5 * inside
    detail = skin_detail(np.random.default_rng(0), 128)
    assert detail.shape == (128, 128, 3)
    assert abs(detail[..., 0].mean() - 0.5) < 0.05
