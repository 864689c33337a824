"""The product and the training cut the same square out of a photo, though they share no code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from backend import crop as product
from training import crop as training

PORTRAIT = Path(__file__).resolve().parents[2] / "docs" / "samples" / "eileen_collins.jpg"
FACE = np.array([223.0, 120.0])


def faces(count: int) -> np.ndarray:
    """(count, 68, 2) ellipsoids of points seen from anywhere, profiles and upside down among them."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(68, 3))
    directions[:, 2] = np.abs(directions[:, 2])
    model = directions / np.linalg.norm(directions, axis=1, keepdims=True) * (0.8, 1.0, 0.9)
    model[17:27], model[8] = (0.0, -0.5, 0.8), (0.0, 1.0, 0.3)
    model[36:42], model[42:48] = (-0.35, -0.3, 0.7), (0.35, -0.3, 0.7)
    seen = np.empty((count, 68, 2))
    for index in range(count):
        yaw, roll = rng.uniform(-np.pi / 2, np.pi / 2), rng.uniform(-np.pi, np.pi)
        x = model[:, 0] * np.cos(yaw) + model[:, 2] * np.sin(yaw)
        turned = np.stack(
            [x * np.cos(roll) - model[:, 1] * np.sin(roll), x * np.sin(roll) + model[:, 1] * np.cos(roll)], 1
        )
        seen[index] = turned * rng.uniform(20, 90) + FACE + rng.normal(0, 20, 2)
    return seen


def test_landmarks_define_the_same_crop() -> None:
    points = faces(200)
    theirs = training.crops_from_landmarks(points, 1.3)
    profiles = 0
    for index, landmarks in enumerate(points):
        ours = product.crop_from_landmarks(landmarks, 1.3)
        assert np.allclose(ours.centre, theirs.centre[index])
        assert ours.side == pytest.approx(theirs.side[index])
        assert ours.roll == pytest.approx(theirs.roll[index])
        eyes = landmarks[42:48].mean(axis=0) - landmarks[36:42].mean(axis=0)
        profiles += bool(np.hypot(*eyes) < 0.2 * ours.side / 1.3)
    assert profiles > 10


def test_points_go_to_the_same_place() -> None:
    crops = training.crops_from_landmarks(faces(20))
    points = np.random.default_rng(1).uniform(0, 128, (20, 30, 2))
    theirs = crops.to_picture(points, 128)
    for index in range(20):
        crop = product.Crop(tuple(crops.centre[index]), crops.side[index], crops.roll[index])
        assert np.allclose(crop.to_picture(points[index], 128), theirs[index])


@pytest.mark.parametrize("size", [64, 128, 192])
def test_pixels_are_nearly_the_same(size: int) -> None:
    photo = Image.open(PORTRAIT).convert("RGB")
    crops = training.crops_from_landmarks(faces(12))
    for index in range(12):
        crop = product.Crop(tuple(crops.centre[index]), crops.side[index], crops.roll[index])
        # Blurred, so that a difference is one of place and not of the filters that shrink.
        soft = photo.filter(ImageFilter.GaussianBlur(float(crop.side / size)))
        ours = product.sample(soft, crop, size).astype(float)
        theirs = training.sample(soft, crops, index, size).astype(float)
        pixel = crop.side / size
        beside = product.Crop((crop.centre[0] + pixel, crop.centre[1] + pixel), crop.side, crop.roll)
        one_pixel_off = product.sample(soft, beside, size).astype(float)
        assert np.abs(ours - theirs).mean() <= 0.4 * np.abs(ours - one_pixel_off).mean()
        assert abs((ours - theirs).mean()) < 1.0
