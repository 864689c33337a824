"""Drawing a head of hair: a cut by age, sex and ancestry, then its numbers within what that cut allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from training.populations.identity import Traits
from training.subjects.hair_colour import draw_hair_colour
from training.subjects.hairdo import Hair, hair_cover, hair_props

__all__ = ["CUTS", "Hair", "draw_hair", "hair_cover", "hair_props"]

Numbers = dict[str, float | int | str | bool]
Draw = Callable[[np.random.Generator], Numbers]


def _crop(rng: np.random.Generator) -> Numbers:
    top = rng.uniform(18.0, 48.0)
    return {
        "flow": "forward", "length": top, "sides": rng.uniform(6.0, min(top, 26.0)), "volume": rng.uniform(4.0, 10.0),
        "lift": rng.uniform(28.0, 55.0), "weight": rng.uniform(0.1, 0.3), "lie": rng.uniform(0.4, 0.75),
        "lock": rng.uniform(0.2, 0.6), "locks": int(rng.integers(200, 500)), "frizz": rng.uniform(0.5, 2.5),
        "fringe": rng.uniform(0.4, 0.9) if rng.random() < 0.4 else 0.0, "fringe_sweep": rng.normal(0.0, 0.5),
        "over_ears": False, "radius": rng.uniform(0.28, 0.36), "density": 1.15,
    }  # fmt: skip


def _buzz(rng: np.random.Generator) -> Numbers:
    length = rng.uniform(2.5, 9.0)
    return {
        "flow": "forward", "length": length, "sides": length * rng.uniform(0.5, 1.0), "volume": 1.0,
        "lift": rng.uniform(35.0, 60.0), "weight": 0.1, "lie": 0.2, "lock": 0.1, "frizz": 0.5, "over_ears": False,
        "radius": rng.uniform(0.20, 0.28), "density": 1.5, "shade": rng.uniform(0.7, 0.9),
    }  # fmt: skip


def _side_part(rng: np.random.Generator) -> Numbers:
    top = rng.uniform(50.0, 95.0)
    return {
        "flow": "parted", "parting": rng.choice([-1.0, 1.0]) * rng.uniform(18.0, 36.0), "sweep": rng.uniform(-0.5, 0.2),
        "length": top, "sides": rng.uniform(10.0, 40.0), "volume": rng.uniform(8.0, 20.0),
        "lift": rng.uniform(20.0, 45.0), "weight": rng.uniform(0.15, 0.3), "lie": rng.uniform(0.65, 0.9),
        "lock": rng.uniform(0.3, 0.7), "locks": int(rng.integers(120, 300)), "frizz": rng.uniform(0.4, 1.6),
        "over_ears": False, "radius": rng.uniform(0.28, 0.36),
    }  # fmt: skip


def _quiff(rng: np.random.Generator) -> Numbers:
    return {
        "flow": "back", "length": rng.uniform(45.0, 90.0), "sides": rng.uniform(6.0, 28.0),
        "volume": rng.uniform(8.0, 26.0), "lift": rng.uniform(35.0, 72.0), "weight": rng.uniform(0.1, 0.25),
        "lie": rng.uniform(0.5, 0.85), "lock": rng.uniform(0.4, 0.8), "locks": int(rng.integers(100, 260)),
        "frizz": rng.uniform(0.4, 1.8), "over_ears": False, "fringe_sweep": rng.normal(0.0, 0.5),
        "radius": rng.uniform(0.28, 0.36),
    }  # fmt: skip


def _bob(rng: np.random.Generator) -> Numbers:
    return _fringed(rng, 0.35) | _tucked(rng, 0.3) | {
        "flow": "parted", "parting": rng.normal(0.0, 16.0), "sweep": rng.uniform(-0.4, 0.1),
        "length": 270.0, "sides": 230.0, "cut": rng.uniform(-110.0, -35.0), "layers": rng.uniform(0.0, 45.0),
        "flip": rng.normal(-8.0, 9.0), "volume": rng.uniform(8.0, 20.0), "unevenness": rng.uniform(0.2, 0.7),
        "lift": rng.uniform(12.0, 30.0), "weight": rng.uniform(0.45, 0.8), "lie": rng.uniform(0.8, 0.95),
        "lock": rng.uniform(0.05, 0.4), "locks": int(rng.integers(120, 300)), "frizz": rng.uniform(0.5, 2.5),
        "frame": rng.normal(4.0, 5.0), "radius": rng.uniform(0.34, 0.42),
    }  # fmt: skip


def _long(rng: np.random.Generator) -> Numbers:
    bend = {"curl": rng.uniform(1.5, 4.0), "wave": rng.uniform(90.0, 170.0), "flat": 0.6} if rng.random() < 0.6 else {}
    return _bob(rng) | bend | {
        "length": 420.0, "sides": 380.0, "cut": rng.uniform(-300.0, -125.0), "layers": rng.uniform(10.0, 110.0),
        "flip": rng.normal(0.0, 8.0), "frame": rng.normal(3.0, 6.0), "radius": rng.uniform(0.38, 0.48),
        "volume": rng.uniform(6.0, 18.0),
    }  # fmt: skip


def _wavy(rng: np.random.Generator) -> Numbers:
    return (_long(rng) if rng.random() < 0.65 else _bob(rng)) | {
        "curl": rng.uniform(3.0, 8.0), "wave": rng.uniform(45.0, 95.0), "flat": rng.uniform(0.4, 0.8),
        "lock": rng.uniform(0.55, 0.85), "locks": int(rng.integers(90, 220)), "volume": rng.uniform(12.0, 24.0),
        "frizz": rng.uniform(1.0, 3.5), "density": 0.85, "radius": rng.uniform(0.42, 0.52),
    }  # fmt: skip


def _curly(rng: np.random.Generator) -> Numbers:
    return {
        "flow": "parted", "parting": rng.normal(0.0, 16.0), "sweep": rng.uniform(-0.3, 0.3),
        "length": 300.0, "sides": 260.0, "cut": rng.uniform(-190.0, -20.0), "layers": rng.uniform(20.0, 90.0),
        "volume": rng.uniform(20.0, 42.0), "unevenness": rng.uniform(0.3, 0.8),
        "lift": rng.uniform(30.0, 55.0), "weight": rng.uniform(0.3, 0.55), "lie": rng.uniform(0.7, 0.9),
        "lock": rng.uniform(0.7, 0.9), "locks": int(rng.integers(180, 380)), "curl": rng.uniform(4.0, 10.0),
        "wave": rng.uniform(22.0, 42.0), "flat": rng.uniform(0.0, 0.3), "frizz": rng.uniform(2.0, 5.0),
        "radius": rng.uniform(0.42, 0.54), "frame": rng.normal(6.0, 5.0), "core": 0.15,
        "density": 0.75,
    }  # fmt: skip


def _short_curls(rng: np.random.Generator) -> Numbers:
    top = rng.uniform(25.0, 60.0)
    return {
        "flow": "forward", "length": top, "sides": top * rng.uniform(0.3, 0.9), "volume": rng.uniform(8.0, 22.0),
        "lift": rng.uniform(50.0, 80.0), "weight": rng.uniform(0.05, 0.2), "lie": rng.uniform(0.2, 0.5),
        "lock": rng.uniform(0.6, 0.85), "locks": int(rng.integers(220, 450)), "curl": rng.uniform(3.0, 6.0),
        "wave": rng.uniform(14.0, 28.0), "flat": 0.1, "frizz": rng.uniform(1.5, 4.0), "over_ears": False, "core": 0.2,
        "radius": rng.uniform(0.32, 0.42),
    }  # fmt: skip


def _afro(rng: np.random.Generator) -> Numbers:
    length = float(np.exp(rng.uniform(np.log(8.0), np.log(75.0))))
    return {
        "flow": "up", "length": length, "sides": length * rng.uniform(0.35, 1.0), "volume": 0.8 * length, "lift": 80.0,
        "unevenness": rng.uniform(0.1, 0.6), "weight": 0.02, "lie": 0.0, "lock": rng.uniform(0.1, 0.5),
        "locks": int(rng.integers(300, 700)), "kink": rng.uniform(1.2, 2.2) + 0.02 * length, "core": 0.3,
        "frizz": 1.0 + 0.10 * length, "over_ears": False, "radius": 0.38 + 0.002 * length,
        "density": 1.2 + 0.008 * length,
    }  # fmt: skip


def _locs(rng: np.random.Generator) -> Numbers:
    cut = rng.uniform(-260.0, 10.0)
    return {
        "flow": "parted" if rng.random() < 0.6 else "back", "parting": rng.normal(0.0, 18.0),
        "sweep": rng.uniform(-0.8, 0.1), "length": 380.0, "sides": 330.0, "cut": cut, "volume": rng.uniform(8.0, 18.0),
        "lift": rng.uniform(25.0, 50.0), "weight": 0.6, "lie": 0.85, "lock": 0.0, "frizz": rng.uniform(3.0, 6.0),
        "radius": rng.uniform(1.7, 3.2), "density": rng.uniform(0.09, 0.16), "frame": rng.normal(3.0, 4.0),
    }  # fmt: skip


def _tied(rng: np.random.Generator) -> Numbers:
    return _fringed(rng, 0.2) | {
        "flow": "tied", "tie": rng.uniform(10.0, 120.0), "tail": rng.uniform(120.0, 320.0) * (rng.random() < 0.55),
        "length": 150.0, "sides": 150.0, "volume": rng.uniform(1.5, 6.0), "lift": 10.0, "lie": 0.95,
        "lock": rng.uniform(0.1, 0.4), "frizz": rng.uniform(0.3, 1.2), "over_ears": False, "shade": 0.9,
    }  # fmt: skip


def _fringed(rng: np.random.Generator, chance: float) -> Numbers:
    if rng.random() > chance:
        return {}
    return {
        "fringe": rng.uniform(0.6, 1.1), "fringe_sweep": rng.normal(0.0, 0.5), "fringe_width": rng.uniform(28.0, 46.0),
    }  # fmt: skip


def _tucked(rng: np.random.Generator, chance: float) -> Numbers:
    if rng.random() > chance:
        return {}
    return {"tucked": ("left", "right", "both")[int(rng.integers(3))], "over_ears": False}


CUTS: dict[str, Draw] = {
    "crop": _crop, "buzz": _buzz, "side part": _side_part, "quiff": _quiff, "bob": _bob, "long": _long, "wavy": _wavy,
    "curly": _curly, "short curls": _short_curls, "afro": _afro, "locs": _locs, "tied": _tied,
}  # fmt: skip


def draw_hair(rng: np.random.Generator, traits: Traits, styles: Sequence[str] = ()) -> Hair:
    """A head of hair that goes with a subject; `styles` names those of an asset folder that may be drawn as well."""
    chances = _chances(traits)
    names = list(chances)
    weights = np.array([chances[name] for name in names])
    cut = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    colour, grey, grey_colour = draw_hair_colour(rng, traits)
    seed = int(rng.integers(2**31))
    bald, line = _draw_hairline(rng, traits)
    from_assets = len(styles) > 0 and rng.random() < 0.10 and cut not in ("buzz", "afro", "locs")
    style = f"asset:{styles[int(rng.integers(len(styles)))]}" if from_assets else cut
    numbers = CUTS[cut](rng)
    if bald or (rng.random() < 0.05 * (1.0 - traits.female) + 0.004):
        style, shade = "bald", float(rng.uniform(0.0, 0.55))
        numbers = {"shade": shade, "density": 0.0}
    plain = {
        k: v if isinstance(v, str) else (bool(v) if isinstance(v, bool | np.bool_) else v) for k, v in numbers.items()
    }
    values = {k: float(v) if isinstance(v, np.floating | float) else v for k, v in plain.items()}
    return Hair(style=style, seed=seed, colour=colour, grey=grey, grey_colour=grey_colour, **(line | values))  # type: ignore[arg-type]


def _chances(traits: Traits) -> dict[str, float]:
    female, african, asian = traits.female, traits.african, traits.asian
    male = 1.0 - female
    straight = 1.0 - african
    old = float(np.clip((traits.age - 50.0) / 30.0, 0.0, 1.0))
    return {
        "crop": 1.3 * male * (0.35 + straight) + 0.18 * female,
        "buzz": 0.45 * male + 0.9 * male * african + 0.03 * female + 0.12 * female * african,
        "side part": 0.85 * male * straight + 0.14 * female * (1.0 + 2.0 * old),
        "quiff": 0.75 * male * straight + 0.08 * female,
        "bob": female * straight * (0.75 + 0.5 * old) + 0.07 * male * straight,
        "long": female * straight * (1.3 - 0.8 * old) + 0.10 * male * straight,
        "wavy": female * (0.95 - 0.3 * old) * (0.2 + 0.9 * (1.0 - asian)) + 0.12 * male,
        "curly": female * (0.25 + 0.9 * african) * (1.0 - 0.6 * asian) + 0.08 * male,
        "short curls": (0.30 + 0.35 * african) * (1.0 - 0.7 * asian) * (0.8 * male + 0.45 * female * (1.0 + old)),
        "afro": 1.25 * african**1.5,
        "locs": 0.75 * african**1.5,
        "tied": 0.85 * female + 0.05 * male,
    }


def _draw_hairline(rng: np.random.Generator, traits: Traits) -> tuple[bool, Numbers]:
    """Whether the head is shaved for baldness, and the hairline's numbers."""
    male = 1.0 - traits.female
    age = traits.age
    # Androgenetic loss: about half of men by fifty, seldom and mild in women.
    loss = float(np.clip(rng.normal((age - 25.0) / 60.0, 0.30) * male, 0.0, 1.0))
    recession = float(np.clip(1.3 * loss - 0.05 + rng.normal(0.0, 0.06), 0.0, 1.0)) if loss > 0.05 else 0.0
    crown = float(np.clip((loss - 0.42) * 1.9 + rng.normal(0.0, 0.08), 0.0, 1.0)) if loss > 0.42 else 0.0
    shaved = crown > 0.3 and rng.random() < 0.35
    return shaved, {
        "forehead": float(rng.normal(0.0, 4.5)),
        "recession": max(recession, float(0.18 * male * rng.random())),
        "peak": float(rng.uniform(4.0, 11.0)) if rng.random() < 0.18 else float(rng.normal(0.0, 1.5)),
        "crown": crown,
        "sideburn": float(rng.normal(6.0 * male - 10.0 * traits.female, 6.0)),
        "thinned": float(rng.uniform(0.75, 1.0)),
    }
