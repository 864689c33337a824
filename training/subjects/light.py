"""Light: worlds (HDRIs) turned, tinted and mixed, lamps beside them, and what stands behind the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Lamp:
    """An area light: azimuth and height degrees as seen from the head, irradiance at the head over the world's own.

    size m of its side; colour linear RGB.
    """

    azimuth: float
    height: float
    strength: float
    size: float
    colour: Colour


@dataclass(frozen=True)
class Light:
    """worlds two names of HDRIs, mixed by share (0: the first alone), each turned by degrees; tint linear RGB.

    lamps beside them; backdrop -1 for the world itself or a number 0..1 that picks a background picture.
    """

    worlds: tuple[str, str]
    share: float
    turns: tuple[float, float]
    tint: Colour
    lamps: tuple[Lamp, ...]
    backdrop: float


def draw_light(rng: np.random.Generator, worlds: tuple[str, ...]) -> Light:
    """Light from the named worlds. Raises ``ValueError`` when there are none."""
    if not worlds:
        raise ValueError("There is no HDRI to light with: give --hdris a folder of .exr or .hdr files.")
    first, second = (worlds[int(i)] for i in rng.integers(0, len(worlds), 2))
    # One of: the world alone; a key light; flash from the camera's side; key and rim.
    kind = rng.random()
    lamps: tuple[Lamp, ...] = ()
    if kind < 0.40:
        lamps = (_lamp(rng, rng.uniform(-100.0, 100.0), rng.uniform(-10.0, 70.0), 1.6),)
    elif kind < 0.48:
        lamps = (_lamp(rng, rng.uniform(-12.0, 12.0), rng.uniform(0.0, 20.0), 2.5),)
    elif kind < 0.60:
        azimuth = rng.uniform(-80.0, 80.0)
        lamps = (
            _lamp(rng, azimuth, rng.uniform(0.0, 60.0), 1.5),
            _lamp(rng, azimuth + 180.0 + rng.uniform(-40.0, 40.0), rng.uniform(10.0, 60.0), 2.5),
        )
    warmth = rng.normal(0.0, 0.10)
    return Light(
        worlds=(first, second),
        share=float(rng.uniform(0.2, 0.6)) if rng.random() < 0.35 else 0.0,
        turns=(float(rng.uniform(0.0, 360.0)), float(rng.uniform(0.0, 360.0))),
        tint=(float(np.exp(warmth)), float(np.exp(rng.normal(0.0, 0.02))), float(np.exp(-warmth))),
        lamps=lamps,
        backdrop=float(rng.random()) if rng.random() < 0.7 else -1.0,
    )


def _lamp(rng: np.random.Generator, azimuth: float, height: float, largest: float) -> Lamp:
    warmth = float(rng.normal(0.0, 0.12))
    return Lamp(
        azimuth=float(azimuth),
        height=float(height),
        strength=float(rng.uniform(0.25, largest)),
        size=float(np.exp(rng.uniform(np.log(0.08), np.log(0.9)))),
        colour=(float(np.exp(warmth)), 1.0, float(np.exp(-warmth))),
    )
