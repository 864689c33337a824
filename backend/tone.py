"""How bright skin is: the reflectance estimate's mean tone, corrected by what the photo shows.

No photo tells skin from light, but not every pair of them is as likely: skin that looks bright seldom is dark, and the
white of the eye, which is much the same in everybody, stands beside it in the same light. Both are read linearly, in
logarithms, by weights that were fitted to rendered people whose skin is known (`likeness fit-tone`) and that the
bundle's description keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .failures import Failure

Floats = NDArray[np.floating[Any]]

EYES: Final = (slice(36, 42), slice(42, 48))
"""Outlines of the eyes among the 68 landmarks."""

WHITER: Final = 70.0
"""Per cent of an eye's pixels that are darker than what counts as its white."""

FEWEST_PIXELS: Final = 6.0
"""Area of an eye in the photo, in pixels, below which it shows no white."""

FEWEST_POINTS: Final = 20

FACING: Final = 0.5
"""Cosine of the angle between skin and sight from which on skin is looked at."""

LARGEST: Final = 0.8
"""Logarithm of the largest correction: more than twice as bright or dark is for no linear reading to say."""

GREY: Final = 0.02
"""Logarithm by which the channels of skin differ less in photos without colour."""

FLOOR: Final = 2e-3
"""Least linear light that is told apart from none."""

_FINE = 4  # an eye's outline is filled at so many times the photo's pixels


@dataclass(frozen=True)
class Sighting:
    """Logarithms (3,) of linear RGB: the `estimate`'s mean skin, the photo's median `skin`, the eyes' `white`."""

    estimate: NDArray[np.float64]
    skin: NDArray[np.float64]
    white: NDArray[np.float64] | None

    def numbers(self) -> NDArray[np.float64]:
        """What the weights multiply, (10,), or (7,) where no white is seen; the last is 1."""
        parts = [self.estimate, self.skin]
        if self.white is not None:
            parts.append(self.white - self.skin)
        return np.concatenate([*parts, [1.0]])


@dataclass(frozen=True)
class Tone:
    """Weights (10, 3) for photos that show the eyes' white, (7, 3) for those that do not."""

    with_white: NDArray[np.float64]
    without: NDArray[np.float64]

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Tone | None:
        """What a bundle's description says; None where it says nothing. Raises Failure: `bundle_damaged`."""
        entry = description.get("tone")
        if entry is None:
            return None
        try:
            found = cls(*(np.array(entry[name], np.float64) for name in ("with_white", "without")))
        except (KeyError, TypeError, ValueError) as error:
            raise Failure("bundle_damaged", name="bundle.json", reason="its tone is not two tables") from error
        if found.with_white.shape != (10, 3) or found.without.shape != (7, 3) or not found._finite():
            raise Failure("bundle_damaged", name="bundle.json", reason="its tone is not 10 x 3 and 7 x 3 numbers")
        return found

    def to_json(self) -> dict[str, Any]:
        """What `of` reads."""
        return {"with_white": np.round(self.with_white, 6).tolist(), "without": np.round(self.without, 6).tolist()}

    def correction(self, sighting: Sighting) -> NDArray[np.float64]:
        """Logarithms (3,) of what the estimate's tone is to be multiplied by.

        A photo without colour corrects brightness alone: it would seem to show skin under blue light.
        """
        weights = self.without if sighting.white is None else self.with_white
        change = sighting.numbers() @ weights
        if np.ptp(sighting.skin) < GREY:
            change = np.full(3, change.mean())
        limited: NDArray[np.float64] = np.clip(change, -LARGEST, LARGEST)
        return limited

    def _finite(self) -> bool:
        return bool(np.isfinite(self.with_white).all() and np.isfinite(self.without).all())


def eye_white(picture: NDArray[np.float32], landmarks: Floats) -> NDArray[np.float64] | None:
    """Logarithms (3,) of the eyes' white in a photo (H, W, 3) of linear RGB with landmarks (68, 2) in its pixels."""
    height, width = picture.shape[:2]
    found = []
    for eye in EYES:
        outline = np.asarray(landmarks, np.float64)[eye]
        low = np.floor(outline.min(0)).astype(int).clip(0)
        high = np.minimum(np.ceil(outline.max(0)).astype(int) + 1, (width, height))
        if (high <= low).any():
            continue
        side_x, side_y = (high - low) * _FINE
        mask = Image.new("L", (int(side_x), int(side_y)))
        ImageDraw.Draw(mask).polygon([tuple(point) for point in ((outline - low) * _FINE).tolist()], fill=1)
        rows, columns = np.nonzero(np.asarray(mask))
        if len(rows) < FEWEST_PIXELS * _FINE**2:
            continue
        colours = picture[rows // _FINE + low[1], columns // _FINE + low[0]]
        bright = colours.mean(1)
        found.append(colours[bright >= np.percentile(bright, WHITER)])
    if not found:
        return None
    white: NDArray[np.float64] = np.log(np.maximum(np.concatenate(found), FLOOR)).mean(0, dtype=np.float64)
    return white


def sighting(
    picture: NDArray[np.float32], colours: Floats, facing: Floats, model: Floats, landmarks: Floats
) -> Sighting | None:
    """What a photo shows of plain skin, whose points (P,) have these `colours` (P, 3) in it, turn to the camera by
    `facing` (P,), and have the albedo `model` (P, 3) by the estimate; None where it shows too little.
    """
    near = np.asarray(facing) > FACING
    if near.sum() < FEWEST_POINTS:
        return None
    skin = np.median(np.log(np.maximum(np.asarray(colours, np.float64)[near], FLOOR)), axis=0)
    estimate = np.log(np.maximum(np.asarray(model, np.float64), FLOOR)).mean(0)
    return Sighting(estimate, skin, eye_white(picture, landmarks))
