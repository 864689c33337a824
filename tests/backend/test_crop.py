from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from backend.crop import CROP_SCALE, Crop, crop_from_keypoints, crop_from_landmarks, sample

WIDTH, HEIGHT = 300, 220
CROPS = [
    Crop((150.3, 110.7), 100.4),
    Crop((150.3, 110.7), 100.4, 0.3),
    Crop((140.1, 99.9), 40.2, -0.7),
    Crop((140.1, 99.9), 30.0, 0.0),
    Crop((150.0, 110.0), 150.0, 1.2),
]


def colour(points: np.ndarray) -> np.ndarray:
    """A smooth picture, by its formula."""
    x, y = points[..., 0], points[..., 1]
    return np.stack([127 + 100 * np.sin(x / 40) * np.cos(y / 50), 127 + 100 * np.cos(x / 60), 60 + 0.5 * y], -1)


def grid(width: int, height: int) -> np.ndarray:
    """Pixel centres (height, width, 2)."""
    return np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)


def smooth_picture(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    return Image.fromarray(np.round(colour(grid(width, height))).astype(np.uint8))


def face(yaw: float = 0.0) -> np.ndarray:
    """68 points of a rough face of 2 x 2 units, the depth of a half ball, seen from `yaw`."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, 17)
    points = np.zeros((68, 2))
    points[:17] = np.stack([np.sin(turn), np.cos(turn)], 1)
    points[17:27] = np.stack([np.linspace(-0.7, 0.7, 10), np.full(10, -0.6)], 1)
    points[27:36] = np.stack([np.linspace(-0.05, 0.05, 9), np.linspace(-0.3, 0.2, 9)], 1)
    points[36:42], points[42:48] = (-0.4, -0.3), (0.4, -0.3)
    points[48:] = np.stack([np.linspace(-0.3, 0.3, 20), np.full(20, 0.55)], 1)
    depth = np.sqrt(np.maximum(1 - points[:, 0] ** 2, 0))
    return np.stack([points[:, 0] * np.cos(yaw) + depth * np.sin(yaw), points[:, 1]], 1)


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("size", [64, 128])
def test_points_go_to_the_crop_and_back(crop: Crop, size: int) -> None:
    points = np.random.default_rng(0).uniform(-50, 300, (20, 2))
    assert np.allclose(crop.to_picture(crop.to_crop(points, size), size), points)


def test_the_mapping_is_the_documented_one() -> None:
    crop = Crop((100.0, 50.0), 20.0, np.pi / 2)
    assert np.allclose(crop.to_picture([[5, 5]], 10), [[100, 50]])
    assert np.allclose(crop.to_picture([[10, 5]], 10), [[100, 60]])
    assert np.allclose(crop.to_picture([[5, 10]], 10), [[90, 50]])


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("size", [48, 128])
def test_pixels_are_those_of_the_mapping(crop: Crop, size: int) -> None:
    points = crop.to_picture(grid(size, size), size)
    expected = colour(points)
    difference = sample(smooth_picture(), crop, size).astype(float) - expected
    assert np.abs(difference).mean() < 0.8
    # How far the pixels seem moved against the formula, in picture pixels.
    for axis in (0, 1):
        slope = (colour(points + 0.01 * np.eye(2)[axis]) - expected) / 0.01
        centred = difference - difference.mean((0, 1))
        assert abs(np.sum(centred * slope) / np.sum(slope**2)) < 0.05


@pytest.mark.parametrize("roll", [0.0, 0.4])
@pytest.mark.parametrize("reduction", [2, 4])
def test_a_picture_decoded_at_a_fraction_gives_the_same_crop(roll: float, reduction: int) -> None:
    picture = smooth_picture()
    crop = Crop((150.3, 110.7), 128.0, roll)
    whole = sample(picture, crop, 32)
    part = sample(picture.reduce(reduction), crop, 32, reduction)
    assert np.abs(whole.astype(float) - part).mean() < 1.0


@pytest.mark.parametrize("roll", [0.0, 0.5])
def test_outside_the_picture_is_black(roll: float) -> None:
    white = Image.new("RGB", (100, 100), (255, 255, 255))
    pixels = sample(white, Crop((0.0, 50.0), 60.0, roll), 60)
    assert (pixels[30, :25] == 0).all()
    assert (pixels[30, 35:] == 255).all()


@pytest.mark.parametrize("roll", [0.0, 0.5])
def test_a_crop_beside_the_picture_is_all_black(roll: float) -> None:
    assert not sample(smooth_picture(), Crop((-500.0, -500.0), 100.0, roll), 32).any()


@pytest.mark.parametrize("roll", [0.0, 0.3])
def test_shrinking_averages(roll: float) -> None:
    checks = Image.fromarray((np.indices((400, 400)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")
    pixels = sample(checks, Crop((200.0, 200.0), 250.0, roll), 50).astype(float)
    assert np.abs(pixels - 127.5).max() < 12


@pytest.mark.parametrize("roll", [0.0, 0.5, -0.7, np.pi / 2])
def test_landmarks_define_an_upright_crop_around_their_box(roll: float) -> None:
    rotation = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    points = face() * 30 @ rotation.T + (200, 100)
    crop = crop_from_landmarks(points)
    assert crop.roll == pytest.approx(roll)
    assert crop.side == pytest.approx(CROP_SCALE * 60)
    upright = crop.to_crop(points, 100)
    low, high = upright.min(0), upright.max(0)
    assert np.allclose((low + high) / 2, 50)
    assert max(high - low) == pytest.approx(100 / CROP_SCALE)


@pytest.mark.parametrize("roll", [0.0, 0.4, -0.4])
def test_a_profile_is_upright_by_brows_and_chin(roll: float) -> None:
    rotation = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    profile = face(yaw=np.pi / 2)
    profile[17:27, 0] = profile[8, 0]  # brows straight above the chin
    profile[42:48] = profile[36:42] + np.array([0.01, 0.08])  # eyes almost together: their line says nothing
    assert crop_from_landmarks(profile * 30 @ rotation.T).roll == pytest.approx(roll, abs=1e-6)


def test_an_upside_down_face_is_turned_by_no_more_than_a_right_angle() -> None:
    assert abs(crop_from_landmarks(-face() + [0, 0.01]).roll) <= np.pi / 2


@pytest.mark.parametrize("points", [np.zeros((68, 2)), np.full((68, 2), np.nan), np.zeros((5, 2))])
def test_landmarks_that_say_nothing_are_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="landmarks"):
        crop_from_landmarks(points)


@pytest.mark.parametrize("roll", [0.0, 0.6, -1.2])
def test_key_points_define_a_crop_that_turns_and_grows_with_them(roll: float) -> None:
    keypoints = np.array([[-16.0, 0], [16, 0], [0, 18], [0, 36], [-38, 8], [38, 8]])
    rotation = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    plain = crop_from_keypoints(keypoints, (0, 20))
    turned = crop_from_keypoints(2 * keypoints @ rotation.T, 2 * rotation @ (0, 20))
    assert turned.roll == pytest.approx(roll)
    assert turned.side == pytest.approx(2 * plain.side)
    assert np.allclose(turned.centre, 2 * rotation @ plain.centre)


def test_key_points_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="key points"):
        crop_from_keypoints(np.ones((6, 2)), (1, 1))
