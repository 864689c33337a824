"""All that is random about one rendered photo, drawn from (seed, index) alone, and the colours that follow from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.camera import Camera, frame, rotation_from_angles
from training.populations.identity import Identity, Population
from training.template import Template

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]

_IRIS: tuple[Colour, ...] = (
    (0.030, 0.012, 0.005), (0.065, 0.028, 0.010), (0.120, 0.060, 0.020),
    (0.110, 0.100, 0.035), (0.080, 0.150, 0.210), (0.160, 0.190, 0.200),
)  # fmt: skip
_HAIR: tuple[Colour, ...] = (
    (0.006, 0.005, 0.004), (0.014, 0.009, 0.006), (0.035, 0.018, 0.009), (0.090, 0.045, 0.018),
    (0.230, 0.140, 0.060), (0.160, 0.045, 0.015), (0.300, 0.290, 0.280), (0.550, 0.540, 0.520),
)  # fmt: skip

# Actions that faces in photos show, singly or together; (names, chance within expressive draws, largest strength).
_MOODS: tuple[tuple[tuple[str, ...], float, float], ...] = (
    (("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight"), 0.62, 0.9),
    (("mouthUpperUpLeft", "mouthUpperUpRight"), 0.22, 0.5),
    (("jawOpen",), 0.35, 0.45),
    (("mouthStretchLeft", "mouthStretchRight"), 0.12, 0.5),
    (("mouthFrownLeft", "mouthFrownRight"), 0.12, 0.6),
    (("mouthPressLeft", "mouthPressRight"), 0.15, 0.7),
    (("mouthPucker",), 0.08, 0.6),
    (("browInnerUp",), 0.22, 0.7),
    (("browOuterUpLeft", "browOuterUpRight"), 0.18, 0.7),
    (("browDownLeft", "browDownRight"), 0.22, 0.8),
    (("eyeSquintLeft", "eyeSquintRight"), 0.30, 0.9),
    (("eyeWideLeft", "eyeWideRight"), 0.12, 0.6),
    (("eyeBlinkLeft", "eyeBlinkRight"), 0.22, 0.5),
)


@dataclass(frozen=True)
class Skin:
    """melanin and haemoglobin 0..1; lip, cheek and stubble strengths 0..1; roughness; mottle the noise's strength."""

    melanin: float
    haemoglobin: float
    lips: float
    cheeks: float
    stubble: float
    roughness: float
    mottle: float


@dataclass(frozen=True)
class Hair:
    """colour linear RGB; thickness and length mm of the scalp's hair (0: shaved); brows 0..1 share of strands kept."""

    colour: Colour
    thickness: float
    length: float
    brows: float
    noise: float


@dataclass(frozen=True)
class Light:
    """world: which of Blender's HDRIs; turn degrees; strength; tint linear RGB; key light W, its azimuth/height deg."""

    world: int
    turn: float
    strength: float
    tint: Colour
    key: float
    key_azimuth: float
    key_height: float


@dataclass(frozen=True)
class SubjectParams:
    """One photo's random numbers; JSON-ready through :meth:`to_json`."""

    seed: int
    index: int
    identity: Identity
    expression: dict[str, float]
    skin: Skin
    iris: Colour
    hair: Hair
    clothes: Colour
    light: Light
    yaw: float
    pitch: float
    roll: float
    distance: float
    fill: float
    shift: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dicts."""
        return asdict(self)


def draw_subject(population: Population, seed: int, index: int) -> SubjectParams:
    """Sample ``index`` of the set ``seed``: depends on nothing else."""
    rng = np.random.default_rng([seed, index])
    identity = population.draw(rng)
    african, asian = identity.traits.african, identity.traits.asian
    age = (identity.traits.age - 18.0) / 72.0
    female = identity.traits.female > 0.5
    melanin = float(np.clip(0.10 + 0.62 * african + 0.12 * asian + rng.normal(0.0, 0.11), 0.01, 1.0))
    # Pale skins carry the fair hair and the light eyes.
    fair = melanin < 0.3 and rng.random() < 0.6
    hair_index = int(rng.integers(2, 6)) if fair else int(rng.integers(0, 3))
    if rng.random() < 1.2 * age - 0.25:
        hair_index = int(rng.integers(6, 8))
    turned = rng.random() < 0.25
    yaw = float(rng.uniform(-90.0, 90.0) if turned else np.clip(rng.normal(0.0, 18.0), -60.0, 60.0))
    long_hair = rng.random() < (0.65 if female else 0.08)
    shaved = rng.random() < (0.06 if female else 0.30)
    return SubjectParams(
        seed=seed,
        index=index,
        identity=identity,
        expression=_draw_expression(rng),
        skin=Skin(
            melanin=melanin,
            haemoglobin=float(rng.uniform(0.15, 0.9)),
            lips=float(rng.uniform(0.2, 1.0)),
            cheeks=float(rng.uniform(0.0, 0.8)),
            stubble=0.0 if female else float(max(0.0, rng.normal(0.15, 0.3))),
            roughness=float(rng.uniform(0.34, 0.62)),
            mottle=float(rng.uniform(0.02, 0.16)),
        ),
        iris=_IRIS[int(rng.integers(2, 6)) if fair else int(rng.integers(0, 3))],
        hair=Hair(
            colour=_HAIR[hair_index],
            thickness=0.0 if shaved else float(rng.uniform(4.0, 34.0)),
            length=float(rng.uniform(60.0, 240.0)) if long_hair and not shaved else 0.0,
            brows=float(rng.uniform(0.25, 1.0)),
            noise=float(rng.uniform(0.0, 100.0)),
        ),
        clothes=(float(rng.beta(1, 2.5)), float(rng.beta(1, 2.5)), float(rng.beta(1, 2.5))),
        light=Light(
            world=int(rng.integers(0, 8)),
            turn=float(rng.uniform(0.0, 360.0)),
            strength=float(np.exp(rng.normal(0.0, 0.35))),
            tint=(float(rng.uniform(0.85, 1.15)), 1.0, float(rng.uniform(0.8, 1.2))),
            key=float(rng.uniform(1.0, 8.0)) if rng.random() < 0.5 else 0.0,
            key_azimuth=float(rng.uniform(-100.0, 100.0)),
            key_height=float(rng.uniform(-10.0, 70.0)),
        ),
        yaw=yaw,
        pitch=float(np.clip(rng.normal(0.0, 9.0), -35.0, 35.0)),
        roll=float(np.clip(rng.normal(0.0, 7.0), -30.0, 30.0)),
        distance=float(np.exp(rng.uniform(np.log(380.0), np.log(2600.0)))),
        fill=float(rng.uniform(0.54, 0.68)),
        shift=(float(rng.normal(0.0, 0.025)), float(rng.normal(0.02, 0.025))),
    )


def _draw_expression(rng: np.random.Generator) -> dict[str, float]:
    expression: dict[str, float] = {}
    if rng.random() < 0.5:
        for names, chance, largest in _MOODS:
            if rng.random() < chance:
                strength = largest * rng.beta(1.5, 1.8)
                for name in names:
                    expression[name] = float(np.clip(strength * rng.uniform(0.8, 1.2), 0.0, 1.0))
    elif rng.random() < 0.5:
        strength = float(0.25 * rng.random())
        expression = {"mouthSmileLeft": strength, "mouthSmileRight": strength}
    across, up = rng.normal(0.0, 1.0, 2) * [0.18, 0.10]
    pairs = {"eyeLookOutLeft": across, "eyeLookInRight": across} if across > 0 else {
        "eyeLookInLeft": -across, "eyeLookOutRight": -across
    }  # fmt: skip
    for name, value in pairs.items():
        expression[name] = float(value)
    for side in ("Left", "Right"):
        expression[f"eyeLookUp{side}" if up > 0 else f"eyeLookDown{side}"] = float(abs(up))
    return expression


def posed_vertices(template: Template, neutral: Floats, expression: dict[str, float]) -> Floats:
    """Neutral vertices (N,3) with facial actions added, mm."""
    names = [str(name) for name in template.expression_names]
    moved = neutral.copy()
    for name, strength in expression.items():
        moved += np.float32(strength) * template.expression[names.index(name)]
    return moved


def subject_camera(template: Template, vertices: Floats, subject: SubjectParams, size: int) -> Camera:
    """The camera that frames the subject's 68 points; vertices (N,3) with expression."""
    rotation = rotation_from_angles(subject.yaw, subject.pitch, subject.roll)
    points = vertices[template.landmarks68].astype(np.float64)
    return frame(points, rotation, subject.distance, size, subject.fill, np.array(subject.shift))


class Painter:
    """Per-vertex albedo from a subject's skin: Beer-Lambert-like melanin and haemoglobin, lips, cheeks, stubble."""

    def __init__(self, template: Template) -> None:
        mean, marks = template.mean, template.landmarks68
        self.lips = _feather(template, "lips")
        self.scalp = _feather(template, "scalp", 3)
        self.skin = template.region("skin")
        self.ears = _feather(template, "ears")
        mouth = mean[marks[48:68]].mean(0)
        chin = mean[marks[8]]
        x, y, z = mean.T
        cheek = np.stack([np.abs(x) - 42.0, y - (mean[marks[30], 1] + 2.0)], 1) / [17.0, 15.0]
        self.cheeks = np.exp(-(cheek**2).sum(1)) * (z > 40.0)
        nose = (mean - mean[marks[30]]) / [13.0, 12.0, 14.0]
        self.nose = np.exp(-(nose**2).sum(1))
        # Beard: below the nose and along the jaw, not on the lips, fading towards the ears and the neck.
        below = 1.0 / (1.0 + np.exp((y - (mouth[1] + 11.0 + 0.35 * np.maximum(np.abs(x) - 28.0, 0.0))) / 2.5))
        above = 1.0 / (1.0 + np.exp(-(y - (chin[1] - 32.0)) / 6.0))
        self.beard = below * above * (z > 5.0) * (1.0 - self.lips)
        sockets = [(mean - mean[marks[a:b]].mean(0)) / [17.0, 10.0, 25.0] for a, b in ((36, 42), (42, 48))]
        self.sockets = np.maximum(*(np.exp(-(socket**2).sum(1)) for socket in sockets))

    def albedo(self, subject: SubjectParams) -> Floats:
        """Linear RGB albedo (N,3), 0..1; vertices that are not skin get the same formula and are not used."""
        skin = subject.skin
        blood = 0.25 + 0.55 * skin.haemoglobin + 0.5 * skin.cheeks * (self.cheeks + 0.6 * self.nose) + 0.35 * self.ears
        blood = blood + 1.3 * skin.lips * self.lips
        pigment = np.full(len(blood), 0.12 + 2.6 * skin.melanin**1.2) * (1.0 + 0.12 * self.sockets)
        pigment = pigment * (1.0 - 0.35 * self.lips)
        absorption = np.outer(pigment, [0.66, 1.0, 1.4]) + np.outer(blood, [0.045, 0.42, 0.34])
        albedo = np.array([0.74, 0.62, 0.54]) * np.exp(-absorption)
        shade = np.clip(skin.stubble, 0.0, 0.9) * self.beard
        shade = np.maximum(shade, self.scalp * (0.35 if subject.hair.thickness == 0.0 else 0.8))
        hair = 0.35 * np.array(subject.hair.colour) + 0.02
        return (albedo * (1.0 - shade[:, None]) + hair * shade[:, None]).astype(np.float32)


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
