"""The eye as a picture in its radial UV, for formats that carry images and no shader nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FIBRES = 90
_PUPIL = (3.0, 3.0, 3.0)
_LIMBUS = (20.0, 17.0, 15.0)
_WHITE = (226.0, 221.0, 215.0)
_CORNER = (206.0, 170.0, 160.0)


def paint(side: int, iris: tuple[float, float, float], iris_radius: float, pupil_radius: float) -> NDArray[np.uint8]:
    """(side, side, 3) sRGB values, the top row first: pupil at the middle, the back of the eye at radius 0.5.

    `iris` is an sRGB colour 0..255; the radii are in UV. The fibres are the same for the same arguments.
    """
    y, x = (np.indices((side, side)) + 0.5) / side - 0.5
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    share = radius / iris_radius
    fibres = _fibres(angle, share, np.random.default_rng(_FIBRES))
    colour = np.array(iris) * (0.55 + 0.9 * fibres)[..., None]
    colour = _mix(colour, _LIMBUS, 0.85 * _step(share, 0.72, 1.02))
    colour = _mix(colour, _PUPIL, 1.0 - _step(radius, 0.92 * pupil_radius, 1.08 * pupil_radius))
    white = _mix(np.broadcast_to(_WHITE, (side, side, 3)), _CORNER, _step(radius, 0.10, 0.26))
    outside = _step(share, 0.93, 1.09)[..., None]
    return np.rint(np.clip(colour * (1.0 - outside) + white * outside, 0.0, 255.0)).astype(np.uint8)


def _fibres(angle: Floats, share: Floats, rng: np.random.Generator) -> Floats:
    """0..1: waves around the pupil that bend a little on their way out."""
    waves = np.zeros_like(angle)
    for count in rng.integers(9, _FIBRES, 14):
        bend, phase = rng.uniform(-1.5, 1.5), rng.uniform(0.0, 2.0 * np.pi)
        waves += np.sin(count * angle + bend * np.minimum(share, 1.0) + phase)
    return 0.5 + 0.5 * np.tanh(waves / 3.5)


def _step(value: Floats, low: float, high: float) -> Floats:
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _mix(colour: Floats, other: tuple[float, float, float], amount: Floats) -> Floats:
    return colour * (1.0 - amount[..., None]) + np.array(other) * amount[..., None]
