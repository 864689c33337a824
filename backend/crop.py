"""The square that a network sees: where it lies in the picture, and its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

CROP_SCALE = 1.45
"""Side of the crop as a multiple of the larger side of the landmarks' box, where a bundle does not say another."""

_RIGHT_EYE, _LEFT_EYE, _BROWS, _CHIN = slice(36, 42), slice(42, 48), slice(17, 27), 8
_PROFILE = 0.2
_REDUCING_GAP = 2.0

# The landmarks' box from the localiser's six key points and box, measured on 165 photos whose 68 points are known:
# its larger side is 2.95 (standard deviation 0.17) times the key points' root mean square distance from their mean,
# its middle lies 0.064 (0.045) of that side below the localiser's box's; the eyes' roll is
# off by a standard deviation of 2.3 degrees.
# The second look makes up for what is left.
_SIDE_PER_SPREAD, _DOWN_PER_SIDE = 2.95, 0.064


@dataclass(frozen=True)
class Crop:
    """A square of the picture, turned by `roll`.

    `centre` (x, y) and `side` are in pixels of the picture (pixel centres at .5, y down), `roll` in radians, positive
    when the face leans clockwise as seen. Point (u, v) of the crop of `size` pixels lies in the picture at
    `centre + R(roll) @ ((u, v) - size/2) * side/size`, R = [[cos, -sin], [sin, cos]].
    """

    centre: tuple[float, float]
    side: float
    roll: float = 0.0

    def to_picture(self, points: ArrayLike, size: float) -> NDArray[np.float64]:
        """Crop points (..., 2) in pixels of a crop `size` wide -> picture pixels (..., 2)."""
        linear = _rotation(self.roll) * (self.side / size)
        moved: NDArray[np.float64] = (np.asarray(points, np.float64) - size / 2) @ linear.T + self.centre
        return moved

    def to_crop(self, points: ArrayLike, size: float) -> NDArray[np.float64]:
        """Picture points (..., 2) -> pixels (..., 2) of a crop `size` wide; undoes `to_picture`."""
        linear = _rotation(-self.roll) * (size / self.side)
        moved: NDArray[np.float64] = (np.asarray(points, np.float64) - self.centre) @ linear.T + size / 2
        return moved


def crop_from_landmarks(landmarks: ArrayLike, crop_scale: float = CROP_SCALE) -> Crop:
    """The crop that 68 landmarks (68, 2), iBUG order, picture pixels, define: upright by the eyes, around their box.

    In profile, where the eyes are less than a fifth of the box apart, the line from the brows to the chin says what
    is upright. `crop_scale` is the crop's side as a multiple of the larger side of the box.
    Raises `ValueError` when the points are not finite or all in one place.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise ValueError("68 finite landmarks are needed")
    eyes = points[_LEFT_EYE].mean(axis=0) - points[_RIGHT_EYE].mean(axis=0)
    roll = _clipped_angle(eyes)
    middle, extent = _box(points, roll)
    if np.hypot(*eyes) < _PROFILE * extent:
        down = points[_CHIN] - points[_BROWS].mean(axis=0)
        roll = _clipped_angle(np.array([down[1], -down[0]]))
        middle, extent = _box(points, roll)
    if extent <= 0:
        raise ValueError("the landmarks lie all in one place")
    return Crop((float(middle[0]), float(middle[1])), crop_scale * extent, roll)


def crop_from_keypoints(keypoints: ArrayLike, middle: ArrayLike, crop_scale: float = CROP_SCALE) -> Crop:
    """About the crop that the landmarks would define, for a first look before there are any.

    `keypoints` (6, 2) as `localise.Face` orders them and `middle` (2,) of the localiser's box, picture pixels.
    Raises `ValueError` when the key points are not finite or all in one place.
    """
    points = np.asarray(keypoints, np.float64)
    spread = float(np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1))))
    if not np.isfinite(spread) or spread <= 0:
        raise ValueError("the key points lie all in one place")
    right, left = points[:2]
    roll = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    side = _SIDE_PER_SPREAD * spread
    centre = np.asarray(middle, np.float64) + _rotation(roll) @ (0, _DOWN_PER_SIDE * side)
    return Crop((float(centre[0]), float(centre[1])), crop_scale * side, roll)


def crop_from_box(box: tuple[float, float, float, float], crop_scale: float = CROP_SCALE) -> Crop:
    """The crop around a box (x, y, width, height) that somebody has drawn from the brows to the chin, picture pixels.

    Raises `ValueError` when the box is not finite or has no area.
    """
    x, y, width, height = box
    if not np.isfinite(box).all() or min(width, height) <= 0:
        raise ValueError("the box has no area")
    return Crop((x + width / 2, y + height / 2), crop_scale * max(width, height))


def sample(image: Image.Image, crop: Crop, size: int, reduction: int = 1) -> NDArray[np.uint8]:
    """The crop's pixels: (size, size, 3) uint8, black outside the picture, antialiased when the crop shrinks.

    `image` is RGB. When it was decoded at one `reduction`-th of the picture's size, the crop still speaks of the
    picture's own pixels.
    """
    scale = crop.side / size / reduction
    corners = crop.to_picture([[0, 0], [size, 0], [0, size], [size, size]], size) / reduction
    low, high = corners.min(axis=0), corners.max(axis=0)
    if crop.roll == 0 and scale > 1:
        left, top, right, bottom = *(int(n) for n in np.floor(low)), *(int(n) for n in np.ceil(high))
        window = image.crop((left, top, right, bottom))
        box = (float(low[0]) - left, float(low[1]) - top, float(high[0]) - left, float(high[1]) - top)
        return np.asarray(window.resize((size, size), Image.Resampling.BICUBIC, box, reducing_gap=_REDUCING_GAP))
    margin = 3 * max(scale, 1.0)
    left, top = (max(int(n), 0) for n in np.floor(low - margin))
    right, bottom = (min(int(n), limit) for n, limit in zip(np.ceil(high + margin), image.size, strict=True))
    if right <= left or bottom <= top:
        return np.zeros((size, size, 3), np.uint8)
    # Shrinking filters, turning does not: so the picture is first brought to the crop's scale, then turned.
    shrunk = [max(round(length / max(scale, 1.0)), 1) for length in (right - left, bottom - top)]
    source = image.resize(
        (shrunk[0], shrunk[1]), Image.Resampling.BICUBIC, (left, top, right, bottom), reducing_gap=_REDUCING_GAP
    )
    per_pixel = np.array([right - left, bottom - top]) / shrunk
    linear = _rotation(crop.roll) * (crop.side / size / reduction) / per_pixel[:, None]
    start = (np.asarray(crop.centre) / reduction - (left, top)) / per_pixel - linear @ (size / 2, size / 2)
    affine = tuple(float(n) for n in (*linear[0], start[0], *linear[1], start[1]))
    return np.asarray(source.transform((size, size), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC))


def _rotation(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _clipped_angle(direction: NDArray[np.float64]) -> float:
    angle = np.arctan2(direction[1], direction[0])
    return float(np.clip(angle, -np.pi / 2, np.pi / 2))


def _box(points: NDArray[np.float64], roll: float) -> tuple[NDArray[np.float64], float]:
    """Middle (2,) of the points' box in the picture, and the box's larger side, the box turned by `roll`."""
    upright = points @ _rotation(roll)
    low, high = upright.min(axis=0), upright.max(axis=0)
    middle: NDArray[np.float64] = _rotation(roll) @ ((low + high) / 2)
    return middle, float(np.max(high - low))
