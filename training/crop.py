"""The crop that training sees: many at once, as arrays. `backend/crop.py` holds the product's own reading of it.

A crop is a similarity: a square of the picture with a centre, a side and a roll. Point (u, v) of a crop of `size`
pixels lies in the picture at ``centre + R(roll) @ ((u, v) - size/2) * side/size``, R = [[cos, -sin], [sin, cos]];
pixel centres are at .5, x runs right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]

CROP_SCALE = 1.45
"""Side of the crop as a multiple of the larger side of the landmarks' box."""

# iBUG-68: the image-left eye is the subject's right one.
_RIGHT_EYE, _LEFT_EYE, _BROWS, _CHIN = slice(36, 42), slice(42, 48), slice(17, 27), 8
# Eyes nearer than this share of the box: a profile, whose eyes do not say what is upright.
_PROFILE = 0.2


@dataclass(frozen=True)
class Crops:
    """`n` crops: centre (n,2) and side (n,) in picture pixels, roll (n,) in radians."""

    centre: Floats
    side: Floats
    roll: Floats

    def linear(self, size: int) -> Floats:
        """Matrices (n,2,2) of the map from crop pixels to picture pixels."""
        return rotations(self.roll) * (self.side / size)[:, None, None]

    def to_picture(self, points: NDArray[np.floating], size: int) -> Floats:
        """Crop points (n,P,2) in pixels of a crop `size` wide -> picture pixels (n,P,2)."""
        moved: Floats = np.einsum("nij,npj->npi", self.linear(size), points - size / 2) + self.centre[:, None]
        return moved

    def to_crop(self, points: NDArray[np.floating], size: int) -> Floats:
        """Picture points (n,P,2) -> pixels (n,P,2) of a crop `size` wide."""
        inverse = np.linalg.inv(self.linear(size))
        moved: Floats = np.einsum("nij,npj->npi", inverse, points - self.centre[:, None]) + size / 2
        return moved


def crops_from_landmarks(landmarks: NDArray[np.floating], scale: float = CROP_SCALE) -> Crops:
    """Crops around iBUG-68 landmarks (n,68,2), picture pixels: upright by the eyes, a square around their box."""
    points = np.asarray(landmarks, np.float64)
    eyes = points[:, _LEFT_EYE].mean(1) - points[:, _RIGHT_EYE].mean(1)
    down = points[:, _CHIN] - points[:, _BROWS].mean(1)
    roll = _clipped_angle(eyes)
    profile = np.hypot(*eyes.T) < _PROFILE * _boxes(points, roll)[1]
    roll = np.where(profile, _clipped_angle(np.stack([down[:, 1], -down[:, 0]], 1)), roll)
    middle, extent = _boxes(points, roll)
    return Crops(middle, scale * extent, roll)


def sample(picture: Image.Image, crops: Crops, index: int, size: int) -> NDArray[np.uint8]:
    """Pixels (size,size,3) of crop `index` of an RGB picture: black outside it, antialiased when the crop shrinks."""
    oversampling = max(1, int(np.ceil(crops.side[index] / size)))
    drawn = size * oversampling
    linear = crops.linear(drawn)[index]
    start = crops.centre[index] - linear @ (drawn / 2, drawn / 2)
    affine = (linear[0, 0], linear[0, 1], start[0], linear[1, 0], linear[1, 1], start[1])
    result = picture.transform(
        (drawn, drawn), Image.Transform.AFFINE, tuple(float(n) for n in affine), Image.Resampling.BICUBIC
    )
    return np.asarray(result.reduce(oversampling) if oversampling > 1 else result)


def rotations(angles: Floats) -> Floats:
    """Matrices (n,2,2) that turn by `angles` (n,) radians, clockwise as seen (y down)."""
    cosine, sine = np.cos(angles), np.sin(angles)
    return np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)


def _clipped_angle(directions: Floats) -> Floats:
    return np.clip(np.arctan2(directions[:, 1], directions[:, 0]), -np.pi / 2, np.pi / 2)


def _boxes(points: Floats, roll: Floats) -> tuple[Floats, Floats]:
    """Middles (n,2) in the picture of the points' boxes turned by `roll`, and the boxes' larger sides (n,)."""
    turn = rotations(roll)
    upright = np.einsum("nji,npj->npi", turn, points)
    low, high = upright.min(1), upright.max(1)
    return np.einsum("nij,nj->ni", turn, (low + high) / 2), (high - low).max(1)
