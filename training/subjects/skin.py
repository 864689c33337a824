"""Skin: its drawn numbers and the per-vertex albedo that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Traits
from training.template import Template

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]

_LIPSTICKS: tuple[Colour, ...] = (
    (0.42, 0.02, 0.03), (0.30, 0.02, 0.06), (0.55, 0.10, 0.12), (0.45, 0.12, 0.16), (0.25, 0.06, 0.05),
)  # fmt: skip
_EYESHADOWS: tuple[Colour, ...] = ((0.10, 0.06, 0.05), (0.05, 0.05, 0.07), (0.25, 0.12, 0.14), (0.08, 0.10, 0.16))


@dataclass(frozen=True)
class MakeUp:
    """lipstick and eyeshadow linear RGB with strengths 0..1; blush 0..1."""

    lipstick: Colour
    lips: float
    eyeshadow: Colour
    eyes: float
    blush: float


@dataclass(frozen=True)
class Skin:
    """What the skin looks like; all strengths 0..1.

    melanin and haemoglobin concentrations 0..1; lips, cheeks and sockets how much redder or darker those are;
    roughness and specular of the principled shader; subsurface its weight; mottle, freckles, pores and creases the
    strengths of the detail maps, detail their offset; shine the oil of forehead and nose; texture the name of a
    photographic skin ("" none), contrast its strength.
    """

    melanin: float
    haemoglobin: float
    lips: float
    cheeks: float
    sockets: float
    roughness: float
    specular: float
    subsurface: float
    mottle: float
    freckles: float
    pores: float
    shine: float
    detail: tuple[float, float]
    makeup: MakeUp | None
    texture: str
    contrast: float


def draw_skin(rng: np.random.Generator, traits: Traits, textures: tuple[str, ...] = ()) -> Skin:
    """Skin that goes with ancestry, age and sex; `textures` are names of photographic skins to choose from."""
    spread = rng.normal(0.0, 0.11)
    melanin = float(np.clip(0.10 + 0.62 * traits.african + 0.12 * traits.asian + spread, 0.01, 1.0))
    age = (traits.age - 18.0) / 72.0
    makeup = None
    if traits.female > 0.5 and rng.random() < 0.45:
        makeup = MakeUp(
            lipstick=_LIPSTICKS[int(rng.integers(len(_LIPSTICKS)))],
            lips=float(rng.uniform(0.1, 0.85)),
            eyeshadow=_EYESHADOWS[int(rng.integers(len(_EYESHADOWS)))],
            eyes=float(rng.beta(1.2, 3.0)),
            blush=float(rng.beta(1.5, 2.5)),
        )
    freckled = rng.random() < (0.25 if melanin < 0.25 else 0.06)
    textured = bool(textures) and rng.random() < 0.75
    return Skin(
        melanin=melanin,
        haemoglobin=float(rng.uniform(0.15, 0.9)),
        lips=float(rng.uniform(0.2, 1.0)),
        cheeks=float(rng.uniform(0.0, 0.8)),
        sockets=float(rng.beta(1.5, 2.5) + 0.3 * age),
        roughness=float(rng.uniform(0.42, 0.68)),
        specular=float(rng.uniform(0.25, 0.55)),
        subsurface=float(rng.uniform(0.6, 1.0)),
        mottle=float(rng.uniform(0.15, 0.7) + 0.4 * age),
        freckles=float(rng.uniform(0.3, 1.0)) if freckled else 0.0,
        pores=float(rng.uniform(0.2, 1.0)),
        shine=float(rng.beta(1.5, 2.5)),
        detail=(float(rng.random()), float(rng.random())),
        makeup=makeup,
        texture=_choose(rng, textures, traits) if textured else "",
        contrast=float(rng.uniform(0.6, 1.1)),
    )


def _choose(rng: np.random.Generator, textures: tuple[str, ...], traits: Traits) -> str:
    """A texture whose name's words (MakeHuman's: young, old, female, african ...) fit the traits, else any."""
    ages = [("young", 35.0), ("middleage", 58.0), ("old", 200.0)]
    age = next(word for word, limit in ages if traits.age + rng.normal(0.0, 6.0) < limit)
    sex = "female" if traits.female > 0.5 else "male"
    fitting = [name for name in textures if age in name and f"_{sex}" in f"_{name}".replace("-", "_")]
    candidates = fitting or list(textures)
    return candidates[int(rng.integers(len(candidates)))]


class Painter:
    """Per-vertex albedo: Beer-Lambert-like melanin and haemoglobin, lips, cheeks, sockets, make-up."""

    def __init__(self, template: Template) -> None:
        mean, marks = template.mean, template.landmarks68
        self.lips = _feather(template, "lips")
        self.skin = template.region("skin")
        self.ears = _feather(template, "ears")
        x, y, z = mean.T
        cheek = np.stack([np.abs(x) - 42.0, y - (mean[marks[30], 1] + 2.0)], 1) / [17.0, 15.0]
        self.cheeks = np.exp(-(cheek**2).sum(1)) * (z > 40.0)
        nose = (mean - mean[marks[30]]) / [13.0, 12.0, 14.0]
        self.nose = np.exp(-(nose**2).sum(1))
        eyes = [mean[marks[a:b]].mean(0) for a, b in ((36, 42), (42, 48))]
        self.sockets = _near(mean, eyes, (17.0, 10.0, 25.0))
        lids = [eye + np.array([0.0, 6.0, 0.0]) for eye in eyes]
        self.lids = _near(mean, lids, (15.0, 5.5, 25.0))

    def albedo(self, skin: Skin, covers: Sequence[tuple[Floats, Floats]] = ()) -> Floats:
        """Linear RGB albedo (N,3), 0..1; vertices that are not skin get the same formula and are not used.

        covers darken the skin where hair grows: shares (N,) 0..1 and colours (3,) linear RGB.
        """
        makeup = skin.makeup
        blush = makeup.blush if makeup else 0.0
        # A photographic skin brings lips, cheeks and sockets of its own.
        own = 0.35 if skin.texture else 1.0
        blood = 0.25 + 0.55 * skin.haemoglobin + 0.5 * (own * skin.cheeks + blush) * self.cheeks
        blood = blood + own * (0.3 * skin.cheeks * self.nose + 0.35 * self.ears + 1.3 * skin.lips * self.lips)
        pigment = np.full(len(blood), 0.12 + 2.6 * skin.melanin**1.2) * (1.0 + 0.25 * own * skin.sockets * self.sockets)
        pigment = pigment * (1.0 - 0.35 * own * self.lips)
        absorption = np.outer(pigment, [0.72, 1.0, 1.28]) + np.outer(blood, [0.045, 0.42, 0.34])
        albedo = np.array([0.77, 0.60, 0.48]) * np.exp(-absorption)
        if makeup:
            for paint, share in (
                (makeup.lipstick, makeup.lips * self.lips),
                (makeup.eyeshadow, makeup.eyes * self.lids),
            ):
                albedo = albedo * (1.0 - share[:, None]) + np.array(paint) * share[:, None]
        for share, colour in covers:
            root = 0.35 * np.asarray(colour) + 0.02
            albedo = albedo * (1.0 - share[:, None]) + root * share[:, None]
        return albedo.astype(np.float32)


def _near(points: Floats, centres: list[NDArray[np.floating]], radii: tuple[float, float, float]) -> Floats:
    """1 at a centre, falling off over radii mm; (N,)."""
    return np.max([np.exp(-(((points - centre) / radii) ** 2).sum(1)) for centre in centres], axis=0)


def _feather(template: Template, region: str, rounds: int = 1) -> Floats:
    """A region's mask (N,) blurred over the mesh's edges."""
    values = template.region(region).astype(np.float64)
    edges = np.concatenate([template.quads[:, [i, (i + 1) % 4]] for i in range(4)])
    degree = np.bincount(edges.ravel(), minlength=len(values)).astype(np.float64)
    for _ in range(rounds):
        total = np.bincount(edges[:, 0], values[edges[:, 1]], len(values))
        total += np.bincount(edges[:, 1], values[edges[:, 0]], len(values))
        values = 0.5 * values + 0.5 * total / np.maximum(degree, 1.0)
    return values.astype(np.float32)


def oiliness(template: Template) -> Floats:
    """Where skin is oily, (N,) 0..1: forehead, nose, chin."""
    mean, marks = template.mean, template.landmarks68
    brow = mean[marks[21:23]].mean(0) + np.array([0.0, 18.0, 0.0], np.float32)
    places = ((brow, (28.0, 16.0, 30.0)), (mean[marks[30]], (12.0, 22.0, 20.0)), (mean[marks[8]], (12.0, 10.0, 25.0)))
    return np.max([_near(mean, [centre], radii) for centre, radii in places], axis=0).astype(np.float32)
