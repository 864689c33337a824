"""Chairs, tables and monitors by rule: shapes that nobody else has rights in, as many as wanted.

A design is a list of solids in metres, z up, front towards -y. Drawing knows no grids; `occupancy` turns a design into
one of any resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.voxels.grid import Grid

Rng = np.random.Generator
Floats = NDArray[np.floating]

KINDS = ("chair", "table", "monitor")
_CHUNK = 400_000
# Half of the least thickness, in voxels: no point of a bar is farther from the middle of some voxel beside it.
_THINNEST = 0.72


@dataclass(frozen=True)
class Block:
    """A box around `centre` with half sides `half` (3,) m, leaning back by `lean` degrees about its lower edge.

    Seen from above its outline is a superellipse of `power` (2 an ellipse, large a rectangle); `bend` m is how far its
    middle is pushed back, as chair backs are curved; `taper` the share of its width that is lost towards its back.
    """

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    lean: float = 0.0
    power: float = 40.0
    bend: float = 0.0
    taper: float = 0.0

    def contains(self, points: Floats, least: float = 0.0) -> NDArray[np.bool_]:
        """Which of points (n,3) lie inside, where no half side is less than `least` m."""
        x, y, z = (points - np.array(self.centre)).T
        wide, deep, high = (max(side, least) for side in self.half)
        angle = np.radians(self.lean)
        z = z + high
        y, z = y * np.cos(angle) - z * np.sin(angle), z * np.cos(angle) + y * np.sin(angle)
        y = y - self.bend * (1.0 - np.square(np.clip(x / wide, -1, 1)))
        across = np.abs(x) / (wide * (1.0 - self.taper * np.clip((y + deep) / (2 * deep), 0, 1)))
        outline = across**self.power + np.abs(y / deep) ** self.power
        inside: NDArray[np.bool_] = (outline <= 1.0) & (z >= 0.0) & (z <= 2 * high)
        return inside

    def box(self) -> tuple[Floats, Floats]:
        """Corners of a box that holds it."""
        reach = np.array(self.half) + np.array([0.0, abs(self.bend), 0.0])
        rise = 2 * self.half[2] * abs(np.sin(np.radians(self.lean)))
        return np.array(self.centre) - reach - [0, 0, rise], np.array(self.centre) + reach + [0, rise, rise]


@dataclass(frozen=True)
class Rod:
    """A bar of `radius` m from `start` to `end`, round or square."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radius: float
    round: bool = True

    def contains(self, points: Floats, least: float = 0.0) -> NDArray[np.bool_]:
        """Which of points (n,3) lie inside, where the radius is no less than `least` m."""
        radius = max(self.radius, least)
        start, end = np.array(self.start), np.array(self.end)
        axis = end - start
        length = float(np.linalg.norm(axis))
        along = np.clip((points - start) @ (axis / length**2), 0, 1)
        away = points - start - along[:, None] * axis
        inside: NDArray[np.bool_]
        inside = np.linalg.norm(away, axis=1) <= radius if self.round else np.abs(away).max(1) <= radius
        return inside

    def box(self) -> tuple[Floats, Floats]:
        """Corners of a box that holds it."""
        ends = np.array([self.start, self.end])
        return ends.min(0) - self.radius, ends.max(0) + self.radius


Solid = Block | Rod


def design(kind: str, rng: Rng) -> list[Solid]:
    """One thing of a kind of `KINDS`. Raises `ValueError` for another kind."""
    if kind == "chair":
        return _chair(rng)
    if kind == "table":
        return _table(rng)
    if kind == "monitor":
        return _monitor(rng)
    raise ValueError(f"there is no rule for {kind}; there are rules for {', '.join(KINDS)}")


def occupancy(solids: list[Solid], resolution: int) -> Grid:
    """Grid (R,R,R) of a design: its longest side fills the grid, its middle is the grid's middle.

    What is thinner than a voxel is as thick as one, so that nothing falls to pieces.
    """
    boxes = [solid.box() for solid in solids]
    coarse = _inside(solids, np.min([b[0] for b in boxes], 0), np.max([b[1] for b in boxes], 0), 48)
    low, high = coarse
    side = float((high - low).max())
    start = (low + high) / 2 - side / 2
    ticks = (np.arange(resolution) + 0.5) / resolution * side
    points = np.stack(np.meshgrid(*(start[axis] + ticks for axis in range(3)), indexing="ij"), -1).reshape(-1, 3)
    return _contains(solids, points, _THINNEST * side / resolution).reshape((resolution,) * 3)


def _inside(solids: list[Solid], low: Floats, high: Floats, steps: int) -> tuple[Floats, Floats]:
    """The extent of what is really inside, since boxes of leaning parts are generous."""
    axes = [np.linspace(low[axis], high[axis], steps) for axis in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    found = points[_contains(solids, points, 0.0)]
    margin = (high - low) / steps / 2
    return found.min(0) - margin, found.max(0) + margin


def _contains(solids: list[Solid], points: Floats, least: float) -> NDArray[np.bool_]:
    inside = np.zeros(len(points), bool)
    for solid in solids:
        low, high = solid.box()
        near = np.flatnonzero(((points >= low - least) & (points <= high + least)).all(1) & ~inside)
        for start in range(0, len(near), _CHUNK):
            part = near[start : start + _CHUNK]
            inside[part] = solid.contains(points[part], least)
    return inside


def _chair(rng: Rng) -> list[Solid]:
    wide, deep = rng.uniform(0.19, 0.3), rng.uniform(0.19, 0.28)
    height, thick = rng.uniform(0.36, 0.5), rng.uniform(0.012, 0.06) * (2 if rng.random() < 0.25 else 1)
    power = float(rng.choice([2.0, 4.0, 8.0, 40.0], p=[0.1, 0.2, 0.3, 0.4]))
    solids: list[Solid] = [Block((0, 0, height - thick), (wide, deep, thick), power=power)]
    under = height - 2 * thick
    inner = _reach(power)
    solids += _support(rng, inner * wide, inner * deep, under)
    armchair = rng.random() < 0.12
    if armchair:
        solids.append(Block((0, 0, under / 2 + 0.03), (wide, deep, under / 2 - 0.03)))
    if rng.random() < 0.9:
        solids += _back(rng, inner * wide, inner * deep, height)
        if armchair or rng.random() < 0.35:
            solids += _arms(rng, inner * wide, inner * deep, height, armchair)
    return solids


def _reach(power: float) -> float:
    """How far out a square may reach, as a share of the half sides, and still lie under a plate of this outline."""
    return float(min(1.0, 0.5 ** (1.0 / power) * 1.05))


def _support(rng: Rng, wide: float, deep: float, under: float) -> list[Solid]:
    """What holds a seat or a table top of half sides `wide` and `deep` whose lower side is `under` m high."""
    style = rng.choice(["legs", "pedestal", "sled", "panels"], p=[0.6, 0.2, 0.12, 0.08])
    radius = rng.uniform(0.011, 0.026)
    if style == "pedestal":
        foot = rng.uniform(0.6, 1.1) * max(wide, deep)
        solids: list[Solid] = [Rod((0, 0, 0.02), (0, 0, under), rng.uniform(0.018, 0.045))]
        if rng.random() < 0.5:
            return [*solids, Block((0, 0, 0.015), (foot, foot, 0.015), power=2.0)]
        count = int(rng.integers(4, 6))
        turn = rng.uniform(0, 2 * np.pi / count)
        for arm in np.arange(count) * 2 * np.pi / count + turn:
            tip = (foot * float(np.cos(arm)), foot * float(np.sin(arm)), 0.025)
            solids.append(Rod((0, 0, 0.06), tip, 0.018))
        return solids
    if style == "panels":
        return [Block((side * (wide - 0.02), 0, under / 2), (0.02, deep, under / 2)) for side in (-1, 1)]
    square = bool(rng.random() < 0.5)
    inset, splay = rng.uniform(0.82, 0.97), rng.uniform(0, 0.05)
    corners = [(x, y) for x in (-1, 1) for y in (-1, 1)]
    feet = {(x, y): (x * (wide * inset + splay), y * (deep * inset + splay), radius) for x, y in corners}
    tops = {(x, y): (x * wide * inset, y * deep * inset, under) for x, y in corners}
    if style == "sled":
        solids = []
        for x in (-1, 1):
            solids.append(Rod(feet[x, -1], feet[x, 1], radius, not square))
            solids += [
                Rod(feet[x, y], tops[x, y], radius, not square) for y in ((-1,) if rng.random() < 0.4 else (-1, 1))
            ]
        return solids
    solids = [Rod(feet[key], tops[key], radius, not square) for key in corners]
    if rng.random() < 0.4:
        level = rng.uniform(0.15, 0.6)
        between = {key: tuple(np.array(feet[key]) * (1 - level) + np.array(tops[key]) * level) for key in corners}
        pairs = [((-1, -1), (-1, 1)), ((1, -1), (1, 1)), ((-1, 1), (1, 1)), ((-1, -1), (1, -1))]
        for first, second in pairs[: int(rng.integers(2, 5))]:
            solids.append(Rod(between[first], between[second], 0.7 * radius))
    return solids


def _back(rng: Rng, wide: float, deep: float, height: float) -> list[Solid]:
    tall, lean = rng.uniform(0.15, 0.33), rng.uniform(0, 16)
    half = rng.uniform(0.8, 1.0) * wide
    thick = rng.uniform(0.01, 0.03)
    bend = rng.uniform(0, 0.05) if rng.random() < 0.5 else 0.0
    place = deep - thick
    shift = float(np.tan(np.radians(lean)))
    style = rng.choice(["panel", "floating", "upright", "level"], p=[0.35, 0.25, 0.2, 0.2])
    if style == "panel":
        return [Block((0, place, height + tall), (half, thick, tall), lean, bend=bend)]

    def at(level: float) -> tuple[float, float]:
        return place + 2 * tall * level * shift, height + 2 * tall * level

    posts: list[Solid] = [
        Rod((side * half, place, height - 0.03), (side * half, *at(1.0)), rng.uniform(0.012, 0.022)) for side in (-1, 1)
    ]
    if style == "floating":
        share = rng.uniform(0.3, 0.6)
        y, z = at(1 - share)
        return [*posts, Block((0, y, z + tall * share), (half, thick, tall * share), lean, bend=bend)]
    top = Rod((-half, *at(1.0)), (half, *at(1.0)), 0.022)
    if style == "upright":
        count = int(rng.integers(2, 7))
        places = np.linspace(-half, half, count + 2)[1:-1]
        slats = [Rod((float(x), place, height - 0.02), (float(x), *at(1.0)), 0.013) for x in places]
        return [*posts, top, *slats]
    rungs = [
        Rod((-half, *at(float(n))), (half, *at(float(n))), 0.018) for n in np.linspace(0.25, 1, int(rng.integers(2, 5)))
    ]
    return [*posts, *rungs]


def _arms(rng: Rng, wide: float, deep: float, height: float, full: bool) -> list[Solid]:
    level = height + rng.uniform(0.14, 0.24)
    if full:
        thick = rng.uniform(0.03, 0.07)
        return [
            Block((side * (wide + thick), 0, level / 2 + 0.02), (thick, deep, level / 2 - 0.02)) for side in (-1, 1)
        ]
    solids: list[Solid] = []
    front = rng.uniform(0.4, 0.95) * deep
    for side in (-1, 1):
        x = side * (wide + 0.005)
        solids += [
            Rod((x, -front, level), (x, deep, level), rng.uniform(0.014, 0.025), bool(rng.random() < 0.5)),
            Rod((x, -front, height - 0.03), (x, -front, level), 0.014),
        ]
    return solids


def _table(rng: Rng) -> list[Solid]:
    wide = rng.uniform(0.3, 0.9)
    deep = wide * rng.uniform(0.5, 1.0)
    height, thick = rng.uniform(0.35, 0.78), rng.uniform(0.012, 0.035)
    power = float(rng.choice([2.0, 6.0, 40.0], p=[0.25, 0.15, 0.6]))
    solids: list[Solid] = [Block((0, 0, height - thick), (wide, deep, thick), power=power)]
    inner = _reach(power)
    solids += _support(rng, inner * wide, inner * deep, height - 2 * thick)
    if rng.random() < 0.25:
        solids.append(Block((0, 0, rng.uniform(0.2, 0.6) * height), (inner * wide, inner * deep, 0.014)))
    return solids


def _monitor(rng: Rng) -> list[Solid]:
    wide = rng.uniform(0.2, 0.36)
    tall = wide / rng.choice([1.25, 1.33, 1.6, 1.78, 2.3])
    tilt = max(0.0, rng.uniform(-8, 10))
    if rng.random() < 0.15:  # a tube
        deep = rng.uniform(0.14, 0.24)
        foot = rng.uniform(0.02, 0.06)
        return [
            Block((0, 0, 2 * foot + tall), (wide, deep, tall), tilt, taper=rng.uniform(0.2, 0.5)),
            Block((0, 0, foot), (0.5 * wide, 0.7 * deep, foot)),
        ]
    thick, lift = rng.uniform(0.009, 0.03), rng.uniform(0.03, 0.14)
    solids: list[Solid] = [Block((0, 0, lift + tall), (wide, thick, tall), tilt)]
    behind = thick + rng.uniform(0.0, 0.012)
    if rng.random() < 0.4:
        solids.append(Block((0, thick + 0.012, lift + tall), (0.5 * wide, 0.014, 0.5 * tall), tilt))
    neck = rng.uniform(0.015, 0.05)
    solids.append(Block((0, behind, (lift + 0.8 * tall) / 2), (neck, 0.014, (lift + 0.8 * tall) / 2)))
    foot = rng.uniform(0.4, 0.8) * wide
    power = float(rng.choice([2.0, 6.0, 40.0]))
    if rng.random() < 0.25:
        for side in (-1, 1):
            solids.append(Rod((0, behind, 0.012), (side * foot, -0.6 * foot, 0.012), 0.014))
    else:
        solids.append(Block((0, 0.3 * behind, 0.01), (foot, rng.uniform(0.5, 0.8) * foot, 0.01), power=power))
    return solids
