"""Eyes and teeth: their colours. Gaze belongs to the expression, for lids follow it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

# Dark brown, brown, light brown, hazel, green, grey, blue, pale blue; linear RGB.
_IRIS: tuple[Colour, ...] = (
    (0.022, 0.010, 0.005), (0.055, 0.024, 0.009), (0.130, 0.065, 0.022), (0.120, 0.090, 0.030),
    (0.085, 0.110, 0.045), (0.140, 0.155, 0.150), (0.080, 0.150, 0.230), (0.160, 0.230, 0.300),
)  # fmt: skip


@dataclass(frozen=True)
class Eyes:
    """iris linear RGB; ring 0..1 darkness of the iris's rim; pupil its radius over the iris's; sclera and teeth RGB."""

    iris: Colour
    ring: float
    pupil: float
    sclera: Colour
    teeth: Colour


def draw_eyes(rng: np.random.Generator, melanin: float, age: float) -> Eyes:
    """Light irises go with pale skin; age in years yellows sclera and teeth."""
    light = melanin < 0.3 and rng.random() < 0.62
    base = np.array(_IRIS[int(rng.integers(2, 8)) if light else int(rng.integers(0, 3))])
    iris = np.clip(base * np.exp(rng.normal(0.0, 0.2)) * np.exp(rng.normal(0.0, 0.08, 3)), 0.003, 0.6)
    old = (age - 18.0) / 72.0
    white = float(rng.uniform(0.50, 0.72))
    yellow = float(np.clip(0.10 * rng.random() + 0.10 * old, 0.0, 0.3))
    red = float(rng.uniform(0.0, 0.12))
    sclera = (white, white * (1.0 - red), white * (1.0 - red - yellow))
    tooth, stain = float(rng.uniform(0.5, 0.8)), float(rng.uniform(0.05, 0.25) + 0.15 * old)
    return Eyes(
        iris=(float(iris[0]), float(iris[1]), float(iris[2])),
        ring=float(rng.uniform(0.2, 0.9)),
        pupil=float(rng.uniform(0.28, 0.55)),
        sclera=sclera,
        teeth=(tooth, tooth * (1.0 - 0.35 * stain), tooth * (1.0 - stain)),
    )
