from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from training.crop import Crops, crops_from_landmarks, sample


def _face(roll: float, centre: tuple[float, float] = (60.0, 50.0), height: float = 40.0) -> np.ndarray:
    """68 points on an ellipse but for eyes, brows and chin, which say what is upright."""
    around = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.stack([0.4 * height * np.cos(around), 0.5 * height * np.sin(around)], 1)
    points[36:42], points[42:48] = [-0.2 * height, -0.1 * height], [0.2 * height, -0.1 * height]
    points[17:27], points[8] = [0, -0.5 * height], [0, 0.5 * height]
    points[0], points[16] = [-0.4 * height, 0], [0.4 * height, 0]
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return points @ turn.T + centre


@pytest.mark.parametrize("roll", [0.0, 0.4, -0.9])
def test_the_crop_stands_upright_around_the_face(roll: float) -> None:
    crops = crops_from_landmarks(_face(roll)[None], scale=1.5)
    assert crops.roll[0] == pytest.approx(roll, abs=1e-6)
    assert crops.side[0] == pytest.approx(60.0, rel=1e-3)
    np.testing.assert_allclose(crops.centre[0], (60, 50), atol=1e-3)


def test_a_profile_is_upright_by_brows_and_chin() -> None:
    points = _face(0.3)
    points[36:48] = points[36]
    assert crops_from_landmarks(points[None]).roll[0] == pytest.approx(0.3, abs=1e-6)


def test_points_come_back_from_the_crop() -> None:
    crops = Crops(np.array([[30.0, 40.0]]), np.array([50.0]), np.array([0.3]))
    points = np.random.default_rng(0).uniform(0, 80, (1, 5, 2))
    np.testing.assert_allclose(crops.to_picture(crops.to_crop(points, 64), 64), points)


def test_the_middle_of_the_crop_shows_what_lies_at_its_centre() -> None:
    picture = np.zeros((80, 80, 3), np.uint8)
    picture[30:34, 50:54] = 255
    crops = Crops(np.array([[52.0, 32.0]]), np.array([32.0]), np.array([0.7]))
    pixels = sample(Image.fromarray(picture), crops, 0, 16)
    bright = pixels[..., 0].astype(float)
    rows, columns = np.indices(bright.shape) + 0.5
    assert (bright * rows).sum() / bright.sum() == pytest.approx(8.0, abs=0.1)
    assert (bright * columns).sum() / bright.sum() == pytest.approx(8.0, abs=0.1)


def test_outside_the_picture_it_is_black() -> None:
    white = Image.new("RGB", (20, 20), (255, 255, 255))
    pixels = sample(white, Crops(np.array([[0.0, 10.0]]), np.array([16.0]), np.zeros(1)), 0, 16)
    assert pixels[:, :6].max() == 0
    assert pixels[:, 10:].min() == 255
