"""Colours of hair from its two melanins, by ancestry and age; grey, white and dyed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Traits
from training.subjects.props import Colour

# Absorption of eumelanin and pheomelanin in linear RGB (d'Eon et al. 2011, "An Energy-Conserving Hair Reflectance
# Model", as Blender's own hair shader has them).
_EUMELANIN = np.array([0.506, 0.841, 1.653])
_PHEOMELANIN = np.array([0.343, 0.733, 1.924])
# The colour that many scatterings among fibres of that absorption give: Chiang et al. 2016, "A Practical and
# Controllable Hair and Fur Model", section 4.2, at azimuthal roughness 0.3.
_SCATTER = 5.969 - 0.215 * 0.3 + 2.532 * 0.3**2 - 10.73 * 0.3**3 + 5.574 * 0.3**4 + 0.245 * 0.3**5
# What the cuticle turns back before any pigment; black hair is never blacker.
_UNTINTED = np.array([0.0060, 0.0057, 0.0055])

# Names with eumelanin and pheomelanin amounts.
NATURAL: dict[str, tuple[float, float]] = {
    "black": (1.35, 0.10),
    "dark brown": (0.95, 0.12),
    "brown": (0.52, 0.12),
    "light brown": (0.27, 0.09),
    "dark blond": (0.145, 0.055),
    "blond": (0.070, 0.035),
    "platinum": (0.022, 0.010),
    "auburn": (0.30, 0.50),
    "red": (0.075, 0.36),
    "ginger": (0.030, 0.20),
}
_DYES: tuple[Colour, ...] = (
    (0.55, 0.50, 0.42), (0.30, 0.015, 0.02), (0.10, 0.02, 0.16), (0.45, 0.10, 0.22), (0.02, 0.06, 0.22),
    (0.02, 0.13, 0.11), (0.28, 0.06, 0.02), (0.60, 0.25, 0.32),
)  # fmt: skip


def melanin_colour(eumelanin: float, pheomelanin: float) -> Colour:
    """Linear RGB of a head of hair with these amounts of pigment."""
    absorption = eumelanin * _EUMELANIN + pheomelanin * _PHEOMELANIN
    red, green, blue = _UNTINTED + np.exp(-_SCATTER * np.sqrt(absorption))
    return float(red), float(green), float(blue)


def draw_hair_colour(rng: np.random.Generator, traits: Traits) -> tuple[Colour, float, Colour]:
    """A subject's hair colour, the share of its strands that are grey, and the grey's colour."""
    fair = float(np.clip(traits.caucasian - 0.5 * traits.african - 0.35 * traits.asian, 0.0, 1.0))
    chances = {
        "black": 0.55 + 1.5 * (traits.african + traits.asian),
        "dark brown": 0.9,
        "brown": 0.25 + 1.0 * fair,
        "light brown": 0.05 + 0.75 * fair,
        "dark blond": 0.02 + 0.6 * fair,
        "blond": 0.01 + 0.42 * fair,
        "platinum": 0.005 + 0.12 * fair,
        "auburn": 0.02 + 0.16 * fair,
        "red": 0.005 + 0.14 * fair,
        "ginger": 0.10 * fair,
    }
    weights = np.array(list(chances.values()))
    name = list(chances)[int(rng.choice(len(weights), p=weights / weights.sum()))]
    vary = np.exp(rng.normal(0.0, 0.22, 2))
    dark = melanin_colour(NATURAL[name][0] * vary[0], NATURAL[name][1] * vary[1])
    # Half of people have some grey at fifty; few keep their colour past eighty. Women dye it more often.
    grey = float(np.clip((traits.age - rng.normal(52.0, 11.0)) / 24.0, 0.0, 1.0))
    if grey > 0.05 and rng.random() < 0.10 + 0.45 * traits.female:
        grey = 0.0
        if rng.random() < 0.5:
            dark = melanin_colour(0.20 * vary[0], 0.12 * vary[1])
    white = rng.uniform(0.28, 0.75)
    tint = rng.uniform(0.0, 0.18)
    grey_colour = (float(white), float(white * (1.0 - 0.45 * tint)), float(white * (1.0 - tint)))
    if rng.random() < 0.035 and traits.age < 55.0:
        dark = _DYES[int(rng.integers(len(_DYES)))]
    return dark, grey**0.8, grey_colour


def mixed(colour: Colour, grey_colour: Colour, share: float) -> NDArray[np.floating]:
    """The mean colour (3,) of hair of which a share is grey."""
    return np.array(colour) * (1.0 - share) + np.array(grey_colour) * share


def tones(colour: Colour, grey_colour: Colour, share: float) -> tuple[Colour, Colour]:
    """The colours of the dark and of the grey strands, when each strand stands for many hairs of both kinds."""
    mean = mixed(colour, grey_colour, share)
    dark, light = 0.45 * np.array(colour) + 0.55 * mean, 0.45 * np.array(grey_colour) + 0.55 * mean
    return (float(dark[0]), float(dark[1]), float(dark[2])), (float(light[0]), float(light[1]), float(light[2]))
