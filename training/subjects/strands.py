"""Strands as arrays (S,P,3): how they bend over a head, hang, are cut, gather in locks, curl and taper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.subjects.skull import Obstacle

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

_DOWN = np.array([0.0, -1.0, 0.0], np.float32)


@dataclass(frozen=True)
class Bend:
    """How strands grow. All arrays are per strand (S,) or (S,3); lengths mm.

    direction (S,3) unit, at the root; length; hover the height over the skin that a strand settles at; weight 0..1 how
    soon it falls; lie 0..1 how closely it follows the skull; goal (3,) a point that strands are drawn to along the
    skull, or None.
    """

    direction: Floats
    length: Floats
    hover: Floats
    weight: Floats
    lie: Floats
    goal: Floats | None = None


def grow(roots: Floats, bend: Bend, obstacle: Obstacle, count: int) -> Floats:
    """Strands (S,count,3) mm from roots (S,3): stepwise, turned by weight and by the head that they meet."""
    capsule = obstacle.capsule
    points = np.empty((len(roots), count, 3), np.float32)
    here, heading = roots.astype(np.float32), bend.direction.astype(np.float32)
    step = (bend.length / (count - 1)).astype(np.float32)[:, None]
    fall = bend.weight.astype(np.float32)[:, None] * step / 30.0
    points[:, 0] = here
    run = np.zeros_like(step)
    for k in range(1, count):
        out = capsule.outward(here).astype(np.float32)
        azimuth, down, distance = capsule.coordinates(here)
        height = (distance - obstacle.reach(azimuth, down))[:, None]
        run = run + step
        hover = bend.hover[:, None] * (1.0 - np.exp(-run / 14.0))
        if bend.goal is not None:
            rest = bend.goal - here
            far = np.linalg.norm(rest, axis=1, keepdims=True)
            heading = rest / np.maximum(far, 1e-3)
            step = np.minimum(step, far / (count - k))
        heading = heading + fall * _DOWN
        climb = (heading * out).sum(1, keepdims=True)
        along = heading - climb * out
        wanted = (hover - height) / np.maximum(step, 1e-3)
        # Over the dome hair keeps to the skull's curve; below it hangs, and the head only holds it off.
        dome = 1.0 / (1.0 + np.exp(np.clip((down[:, None] - 140.0) / 8.0, -30.0, 30.0)))
        lie = bend.lie[:, None] * dome
        climb = climb * (1.0 - lie) + np.clip(wanted, -0.7, 0.7) * lie
        climb = np.where(height < hover, np.maximum(climb, np.clip(wanted, 0.0, 1.0)), climb)
        heading = along + climb * out
        heading = heading / np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-6)
        here = here + heading * step
        points[:, k] = here
    return points


def clear(points: Floats, obstacle: Obstacle, gap: float = 0.6) -> Floats:
    """Points (S,P,3) with all but the first of each strand at least `gap` mm over the head."""
    azimuth, down, distance = obstacle.capsule.coordinates(points)
    short = np.maximum(obstacle.reach(azimuth, down) + gap - distance, 0.0)
    short[:, 0] = 0.0
    return points + short[..., None] * obstacle.capsule.outward(points)


def cut(points: Floats, height: Floats) -> Floats:
    """Strands that end where they first fall below a height (S,) mm; the same number of points as before."""
    below = points[..., 1] < height[:, None]
    below[:, :2] = False
    first = np.argmax(below, axis=1)
    hit = below.any(1)
    rows = np.arange(len(points))
    before, after = points[rows, np.maximum(first - 1, 0), 1], points[rows, first, 1]
    share = np.clip((before - height) / np.maximum(before - after, 1e-3), 0.0, 1.0)
    end = np.where(hit, first - 1 + share, points.shape[1] - 1.0)
    return resample(points, end)


def resample(points: Floats, end: Floats) -> Floats:
    """Strands shortened to end at a fractional index (S,) of theirs, points spread anew."""
    count = points.shape[1]
    place = end[:, None] * np.linspace(0.0, 1.0, count)
    low = np.minimum(place.astype(np.intp), count - 2)
    share = (place - low)[..., None].astype(np.float32)
    rows = np.arange(len(points))[:, None]
    return points[rows, low] * (1.0 - share) + points[rows, low + 1] * share


def locks(rest: Floats, groups: Ints, count: int) -> Ints:
    """For each root (S,3) its lock's middle strand (S,), one of the first `count` and of its own group."""
    middle = rest[:count].astype(np.float32)
    here = rest.astype(np.float32)
    near = (middle**2).sum(1) - 2.0 * here @ middle.T
    if groups.any():
        near = near + np.float32(1e4) * (groups[:, None] != groups[None, :count])
    return np.argmin(near, axis=1)


def gather(points: Floats, lock: Ints, strength: Floats) -> Floats:
    """Strands drawn towards their lock's middle strand, by a strength (S,) or () at the tip that fades to the root."""
    t = np.linspace(0.0, 1.0, points.shape[1], dtype=np.float32)
    pull = np.asarray(strength, np.float32).reshape(-1, 1, 1) * (t * t * (3.0 - 2.0 * t))[:, None]
    # Not the very same line: a share of the distance stays, or a lock would look like one thick hair.
    return points + pull * (points[lock] - points)


def arc_length(points: Floats) -> Floats:
    """Length (S,P) mm along each strand up to each point."""
    steps = np.linalg.norm(np.diff(points, axis=1), axis=2)
    return np.concatenate([np.zeros((len(points), 1), steps.dtype), np.cumsum(steps, axis=1)], axis=1)


def curl(points: Floats, outward: Floats, size: Floats, wave: Floats, phase: Floats, flat: float) -> Floats:
    """Strands wound into curls: size (S,) mm radius, wave (S,) mm a turn, phase (S,) radians.

    outward (S,P,3) unit vectors away from the head; flat 0..1 flattens the helix to a wave beside the head.
    """
    along = np.gradient(points, axis=1)
    side = np.cross(along, outward)
    side = side / np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-6)
    run = arc_length(points)
    angle = 2.0 * np.pi * run / wave[:, None] + phase[:, None]
    grown = size[:, None] * (1.0 - np.exp(-run / 25.0))
    turn = (np.cos(angle) - np.cos(phase)[:, None])[..., None] * side
    return points + grown[..., None] * (turn + (1.0 - flat) * np.sin(angle)[..., None] * outward)


def frizz(points: Floats, size: Floats, rng: np.random.Generator) -> Floats:
    """Strands that wander: a random walk of size (S,) mm at the tip, none at the root."""
    count = points.shape[1]
    walk = np.cumsum(rng.standard_normal(points.shape, np.float32), axis=1)
    walk -= walk[:, :1]
    return points + walk * (size[:, None, None] / np.sqrt(count)).astype(np.float32)


def taper(shape: tuple[int, ...], root: Floats, tip: float = 0.35) -> Floats:
    """Radii (S,P) mm: full for most of the strand, `tip` of it at the end."""
    t = np.linspace(0.0, 1.0, shape[1])
    return (np.asarray(root).reshape(-1, 1) * (1.0 - (1.0 - tip) * t**2)).astype(np.float32)
