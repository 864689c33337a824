"""A photo, and what a bundle's network says of one face in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .crop import Crop, crop_from_box, crop_from_keypoints, crop_from_landmarks, sample
from .decode import Picture
from .failures import Failure
from .localise import Face
from .observation import Observation
from .pose import EXIF_SPREAD, FOCAL_SPREAD, focal_length
from .regress import Estimate, Regressor

Floats = NDArray[np.floating[Any]]
Box = tuple[float, float, float, float]

FARTHEST: Final = 0.5
"""A second look whose crop lies farther from the first than this share of its side, or differs more than twofold in
size, is of landmarks that the network did not find."""


@dataclass(frozen=True)
class Photo:
    """A face in a picture: `box` (x, y, width, height) pixels of the upright photo is where it is.

    `estimate` is what the network says of the `crop`, `size` pixels wide, `landmarks` (68, 2) in pixels of the photo.
    `seconds` is how long each stage took; later stages add theirs.
    """

    picture: Picture
    box: Box
    crop: Crop
    size: int
    estimate: Estimate
    landmarks: Floats | None
    seconds: dict[str, float]

    @property
    def focal(self) -> tuple[float, float]:
        """The expected focal length in pixels, and the standard deviation of its logarithm."""
        told = self.picture.focal_35mm
        return focal_length(self.picture.size, told), FOCAL_SPREAD if told is None else EXIF_SPREAD

    @property
    def point_spread(self) -> float | None:
        """Geometric mean of the standard deviations of the points, as a share of the crop's side; None without."""
        sigma = self.estimate.sigma
        if sigma is None or not np.all(sigma > 0):
            return None
        return float(np.exp(np.mean(np.log(sigma, dtype=np.float64)))) / self.size

    def observation(self, sigma_scale: float, weight: float) -> Observation | None:
        """What the fit goes by, the network's sigmas times `sigma_scale`; None where the network does not tell it."""
        estimate = self.estimate
        if estimate.landmarks is None or estimate.expression is None or self.point_spread is None:
            return None
        assert estimate.sigma is not None
        points = [estimate.landmarks] if estimate.dense is None else [estimate.landmarks, estimate.dense]
        places = self.crop.to_picture(np.concatenate(points), self.size)
        sigma = estimate.sigma * (sigma_scale * self.crop.side / self.size)
        if len(sigma) != len(places):
            return None
        identity, expression = estimate.identity, estimate.expression
        return Observation(places, sigma, identity, expression, self.picture.size, *self.focal, weight)


def looked(picture: Picture, crop: Crop, regressor: Regressor) -> tuple[Crop, Estimate]:
    """The crop and what the network says of it. Raises Failure `regressor_failed`."""
    return crop, regressor.run(sample(picture.image, crop, regressor.size, picture.reduction))


def second_look(
    picture: Picture, crop: Crop, estimate: Estimate, regressor: Regressor, crop_scale: float
) -> tuple[Crop, Estimate]:
    """Crop again where the network itself put the landmarks; stay with the first look where that is absurd.

    Raises Failure `regressor_failed`.
    """
    assert estimate.landmarks is not None
    try:
        second = crop_from_landmarks(crop.to_picture(estimate.landmarks, regressor.size), crop_scale)
    except ValueError:
        return crop, estimate
    away = np.hypot(second.centre[0] - crop.centre[0], second.centre[1] - crop.centre[1])
    if away > FARTHEST * crop.side or not 0.5 < second.side / crop.side < 2:
        return crop, estimate
    return looked(picture, second, regressor)


def first_crop(face: Face, crop_scale: float) -> Crop:
    """About where the network wants to look at a face that was found. Raises Failure `face_none`."""
    try:
        return crop_from_keypoints(face.keypoints, face.centre, crop_scale)
    except ValueError as error:
        raise Failure("face_none") from error


def drawn_crop(box: Box, size: tuple[int, int], crop_scale: float) -> Crop:
    """The same for a box that somebody has drawn on a photo of `size`. Raises Failure `box_outside`."""
    x, y, width, height = box
    if x >= size[0] or y >= size[1] or x + width <= 0 or y + height <= 0:
        raise Failure("box_outside")
    try:
        return crop_from_box(box, crop_scale)
    except ValueError as error:
        raise Failure("box_outside") from error
