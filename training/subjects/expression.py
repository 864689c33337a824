"""Expressions: the 52 ARKit actions in the combinations that faces show, with the gaze that lids follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SIDED = (
    "mouthSmile", "cheekSquint", "mouthUpperUp", "mouthLowerDown", "mouthStretch", "mouthFrown", "mouthPress",
    "mouthDimple", "browDown", "browOuterUp", "eyeSquint", "eyeWide", "eyeBlink", "noseSneer",
)  # fmt: skip

_Prototypes = tuple[tuple[float, dict[str, float]], ...]

# Prototypes: (chance, actions at full strength); actions without a side are drawn for both sides.
_PROTOTYPES: _Prototypes = (
    (24, {"mouthSmile": 0.45, "mouthDimple": 0.15, "cheekSquint": 0.15}),
    (22, {"mouthSmile": 0.85, "cheekSquint": 0.55, "mouthUpperUp": 0.35, "mouthLowerDown": 0.15, "eyeSquint": 0.35}),
    (8, {"mouthSmile": 0.8, "cheekSquint": 0.7, "jawOpen": 0.45, "mouthUpperUp": 0.4, "eyeSquint": 0.5}),
    (6, {"jawOpen": 0.55, "browInnerUp": 0.7, "browOuterUp": 0.7, "eyeWide": 0.7}),
    (5, {"browDown": 0.85, "eyeSquint": 0.4, "mouthPress": 0.5, "noseSneer": 0.3}),
    (5, {"browInnerUp": 0.8, "mouthFrown": 0.7, "mouthShrugLower": 0.4}),
    (4, {"noseSneer": 0.7, "mouthUpperUp": 0.5, "browDown": 0.5, "cheekSquint": 0.4}),
    (3, {"browInnerUp": 0.8, "eyeWide": 0.7, "mouthStretch": 0.6, "jawOpen": 0.25}),
    (3, {"mouthPucker": 0.8, "mouthFunnel": 0.2}),
    (3, {"cheekPuff": 0.8, "mouthPress": 0.3}),
    (3, {"mouthRollLower": 0.6, "mouthRollUpper": 0.6, "mouthPress": 0.3}),
    (3, {"eyeSquint": 0.8, "browDown": 0.4, "cheekSquint": 0.4}),
    (2, {"mouthShrugUpper": 0.5, "mouthShrugLower": 0.6, "browInnerUp": 0.4}),
    # Visemes.
    (5, {"jawOpen": 0.45, "mouthLowerDown": 0.3, "mouthUpperUp": 0.15}),
    (4, {"jawOpen": 0.2, "mouthStretch": 0.35, "mouthSmile": 0.2, "mouthLowerDown": 0.25}),
    (4, {"jawOpen": 0.25, "mouthFunnel": 0.6, "mouthPucker": 0.3}),
    (3, {"mouthPress": 0.5, "mouthRollLower": 0.25, "mouthRollUpper": 0.25}),
    (3, {"jawOpen": 0.08, "mouthRollLower": 0.5, "mouthUpperUp": 0.2}),
)
# What people show a camera: smiles with teeth, which make a mouth a quarter wider, laughs, mouths wide open.
_SHOWN: _Prototypes = (
    (36, {"mouthSmile": 1.0, "mouthStretch": 0.4, "mouthDimple": 0.3, "mouthUpperUp": 0.55, "mouthLowerDown": 0.5,
          "jawOpen": 0.08, "cheekSquint": 0.6, "eyeSquint": 0.45}),
    (20, {"mouthSmile": 1.0, "mouthStretch": 0.5, "mouthDimple": 0.3, "mouthUpperUp": 0.7, "mouthLowerDown": 0.55,
          "jawOpen": 0.22, "cheekSquint": 0.8, "eyeSquint": 0.6}),
    (12, {"mouthSmile": 0.95, "mouthStretch": 0.4, "mouthUpperUp": 0.6, "mouthLowerDown": 0.45, "jawOpen": 0.5,
          "cheekSquint": 0.8, "eyeSquint": 0.6, "browInnerUp": 0.2}),
    (8, {"mouthSmile": 0.5, "mouthStretch": 0.7, "mouthUpperUp": 0.5, "mouthLowerDown": 0.7, "jawOpen": 0.12}),
    (8, {"jawOpen": 0.8, "mouthUpperUp": 0.35, "mouthLowerDown": 0.4, "browInnerUp": 0.4, "eyeWide": 0.3}),
    (8, {"jawOpen": 0.7, "mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthStretch": 0.5, "eyeSquint": 0.7,
         "browDown": 0.7, "noseSneer": 0.6, "cheekSquint": 0.5}),
    (8, {"jawOpen": 0.2, "mouthUpperUp": 0.45, "mouthLowerDown": 0.5}),
)  # fmt: skip
_SHOWN_SHARE = 0.45
_NEUTRAL_SHARE = 0.28
# Actions that may be added to anything, alone and weak.
_EXTRAS = (
    "jawLeft", "jawRight", "jawForward", "mouthLeft", "mouthRight", "mouthPucker", "browInnerUp", "browDownLeft",
    "browDownRight", "browOuterUpLeft", "browOuterUpRight", "mouthFrownLeft", "mouthFrownRight", "noseSneerLeft",
    "noseSneerRight", "mouthSmileLeft", "mouthSmileRight", "eyeSquintLeft", "eyeSquintRight", "mouthClose",
)  # fmt: skip


def draw_expression(rng: np.random.Generator) -> dict[str, float]:
    """Strengths 0..1 of the actions that are not at rest."""
    strengths: dict[str, float] = {}
    if rng.random() < _SHOWN_SHARE:
        _add(strengths, rng, _prototype(_SHOWN, rng), float(rng.beta(4.0, 1.3)))
        _extra(strengths, rng)
    elif rng.random() > _NEUTRAL_SHARE:
        _add(strengths, rng, _prototype(_PROTOTYPES, rng), float(rng.beta(2.2, 1.6)))
        _extra(strengths, rng)
    else:
        _add(strengths, rng, {"mouthSmile": 0.12, "browInnerUp": 0.1, "eyeSquint": 0.1}, float(rng.random()))
    if "mouthClose" in strengths:  # it closes the lips over an open jaw and means nothing without one
        strengths["jawOpen"] = max(strengths.get("jawOpen", 0.0), strengths["mouthClose"])
    _look(strengths, rng)
    _blink(strengths, rng)
    return {name: float(np.clip(value, 0.0, 1.0)) for name, value in strengths.items() if value > 1e-3}


def _prototype(among: _Prototypes, rng: np.random.Generator) -> dict[str, float]:
    chances = np.array([chance for chance, _ in among], float)
    return among[int(rng.choice(len(among), p=chances / chances.sum()))][1]


def _extra(strengths: dict[str, float], rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(0, 3))):
        name = _EXTRAS[int(rng.integers(len(_EXTRAS)))]
        strengths[name] = strengths.get(name, 0.0) + float(0.5 * rng.beta(1.2, 2.5))


def _add(strengths: dict[str, float], rng: np.random.Generator, actions: dict[str, float], amount: float) -> None:
    """Adds actions, one side stronger than the other: a little in most faces, much in some."""
    lopsided = float(np.clip(rng.normal(0.0, 0.45 if rng.random() < 0.15 else 0.08), -0.9, 0.9))
    for name, full in actions.items():
        value = full * amount * float(rng.uniform(0.75, 1.25))
        if name in _SIDED:
            strengths[f"{name}Left"] = strengths.get(f"{name}Left", 0.0) + value * (1.0 + lopsided)
            strengths[f"{name}Right"] = strengths.get(f"{name}Right", 0.0) + value * (1.0 - lopsided)
        else:
            strengths[name] = strengths.get(name, 0.0) + value


def _look(strengths: dict[str, float], rng: np.random.Generator) -> None:
    """Gaze: near the middle mostly. Lids follow it down, and open a little with it upwards."""
    spread = 0.35 if rng.random() < 0.25 else 0.14
    across, up = float(rng.normal(0.0, spread)), float(rng.normal(-0.03, 0.7 * spread))
    across, up = float(np.clip(across, -0.8, 0.8)), float(np.clip(up, -0.7, 0.6))
    inward, outward = ("Right", "Left") if across > 0 else ("Left", "Right")
    strengths[f"eyeLookOut{outward}"] = abs(across)
    strengths[f"eyeLookIn{inward}"] = abs(across)
    for side in ("Left", "Right"):
        strengths[f"eyeLook{'Up' if up > 0 else 'Down'}{side}"] = abs(up)
        if up < 0:
            strengths[f"eyeBlink{side}"] = strengths.get(f"eyeBlink{side}", 0.0) + 0.45 * -up
        else:
            strengths[f"eyeWide{side}"] = strengths.get(f"eyeWide{side}", 0.0) + 0.35 * up


def _blink(strengths: dict[str, float], rng: np.random.Generator) -> None:
    chance = rng.random()
    if chance < 0.05:  # both shut
        closed = {"Left": 1.0, "Right": 1.0}
    elif chance < 0.07:  # a wink
        closed = {("Left", "Right")[int(rng.integers(2))]: 1.0}
    elif chance < 0.22:  # half shut
        half = float(rng.uniform(0.15, 0.6))
        closed = {"Left": half, "Right": half}
    else:
        return
    for side, value in closed.items():
        strengths[f"eyeBlink{side}"] = max(strengths.get(f"eyeBlink{side}", 0.0), value)
        strengths[f"eyeWide{side}"] = 0.0


def posed_vertices(neutral: Floats, offsets: Floats, names: tuple[str, ...], expression: dict[str, float]) -> Floats:
    """Neutral vertices (N,3) mm with actions added; offsets (52,N,3) mm at full action, in the order of `names`."""
    moved = neutral.copy()
    for name, strength in expression.items():
        moved += np.float32(strength) * offsets[names.index(name)]
    return moved
