"""Strands as arrays: how they bend over a head, hang, are cut, gather in locks, curl and taper.

Axes come first here, (3,S,P) for S strands of P points: numpy is several times quicker at it than at (S,P,3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.subjects.skull import Obstacle

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


@dataclass(frozen=True)
class Bend:
    """How strands grow; per strand (S,) or (3,S), lengths mm.

    direction (3,S) unit, at the root; length; hover the height over the skin that a strand settles at; weight 0..1 how
    soon it falls; lie 0..1 how closely it follows the skull; goal (3,) a point that the strands of a mask `drawn` (S,)
    are drawn to along the skull, or None.
    """

    direction: Floats
    length: Floats
    hover: Floats
    weight: Floats
    lie: Floats
    goal: Floats | None = None
    drawn: NDArray[np.bool_] | None = None


def dot(a: Floats, b: Floats) -> Floats:
    """Inner product along the first axis, of size three."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(a: Floats) -> Floats:
    """Vectors along the first axis scaled to length one."""
    return a / np.maximum(np.sqrt(dot(a, a)), 1e-6)


def smoothstep(values: Floats, low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def grow(roots: Floats, bend: Bend, obstacle: Obstacle, count: int) -> Floats:
    """Strands (3,S,count) mm from roots (3,S): stepwise, turned by weight and by the head that they meet."""
    capsule = obstacle.capsule
    points = np.empty((3, roots.shape[1], count), np.float32)
    here, heading = roots.astype(np.float32), bend.direction.astype(np.float32)
    hover_end, lie_all = bend.hover.astype(np.float32), bend.lie.astype(np.float32)
    # Short steps first: near the root a strand turns most.
    stages = np.diff(np.linspace(0.0, 1.0, count) ** 1.4)
    length, weight = bend.length.astype(np.float32), bend.weight.astype(np.float32)
    points[:, :, 0] = here
    run = np.zeros_like(length)
    for k in range(1, count):
        step = length * np.float32(stages[k - 1])
        azimuth, down, distance, out = capsule.polar(here)
        height = distance - obstacle.reach(azimuth, down)
        run = run + step
        hover = hover_end * (1.0 - np.exp(run / np.float32(-14.0)))
        if bend.goal is not None and bend.drawn is not None:
            rest = bend.goal.astype(np.float32)[:, None] - here
            far = np.sqrt(dot(rest, rest))
            heading = np.where(bend.drawn, rest / np.maximum(far, np.float32(1e-3)), heading)
            step = np.where(bend.drawn, np.minimum(step, far / (count - k)), step)
        heading = heading.copy()
        heading[1] -= weight * step / np.float32(30.0)
        climb = dot(heading, out)
        along = heading - climb * out
        wanted = (hover - height) / np.maximum(step, np.float32(1e-3))
        # Over the dome hair keeps to the skull's curve; below it hangs, and the head only holds it off.
        lie = lie_all * (1.0 - smoothstep(down, 122.0, 158.0))
        # A step along the tangent ends above a round head.
        inward = np.clip(wanted - step / np.float32(160.0), -0.7, 0.7)
        climb = climb * (1.0 - lie) + inward * lie
        climb = np.where(height < hover, np.maximum(climb, np.clip(wanted, 0.0, 1.0)), climb)
        heading = unit(along + climb * out)
        here = here + heading * step
        points[:, :, k] = here
    return points


def clear(points: Floats, obstacle: Obstacle, gap: float = 0.6) -> Floats:
    """Points (3,S,P) with all but the first of each strand at least `gap` mm over the head."""
    azimuth, down, distance, out = obstacle.capsule.polar(points)
    short = np.maximum(obstacle.reach(azimuth, down) + np.float32(gap) - distance, 0.0)
    short[:, 0] = 0.0
    return points + short * out


def cut(points: Floats, height: Floats) -> Floats:
    """Strands (3,S,P) that end where they first fall below a height (S,) mm; the same number of points as before."""
    y = points[1]
    below = y < height[:, None]
    below[:, :2] = False
    first = np.argmax(below, axis=1)
    hit = below.any(1)
    rows = np.arange(len(y))
    before, after = y[rows, np.maximum(first - 1, 0)], y[rows, first]
    share = np.clip((before - height) / np.maximum(before - after, 1e-3), 0.0, 1.0)
    return resample(points, np.where(hit, first - 1 + share, y.shape[1] - 1.0))


def resample(points: Floats, end: Floats) -> Floats:
    """Strands (3,S,P) shortened to end at a fractional index (S,) of theirs, points spread anew."""
    size, count = points.shape[1:]
    place = end[:, None] * np.linspace(0.0, 1.0, count)
    low = np.minimum(place.astype(np.intp), count - 2)
    share = (place - low).astype(np.float32)
    flat = points.reshape(3, -1)
    index = low + np.arange(size)[:, None] * count
    return flat[:, index] * (1.0 - share) + flat[:, index + 1] * share


def locks(rest: Floats, groups: Ints, count: int) -> Ints:
    """For each root (3,S) its lock's middle strand (S,), one of the first `count` and of its own group."""
    middle, here = rest[:, :count].astype(np.float32), rest.astype(np.float32)
    near = dot(middle, middle) - 2.0 * here.T @ middle
    if groups.any():
        near = near + np.float32(1e5) * (groups[:, None] != groups[None, :count])
    return np.argmin(near, axis=1)


def gather(points: Floats, lock: Ints, strength: Floats) -> Floats:
    """Strands (3,S,P) drawn to their lock's middle strand, by a strength (S,) or () at the tip, fading to the root."""
    t = np.linspace(0.0, 1.0, points.shape[2], dtype=np.float32)
    pull = np.asarray(strength, np.float32).reshape(-1, 1) * (t * t * (3.0 - 2.0 * t))
    return points + pull * (points[:, lock] - points)


def arc_length(points: Floats) -> Floats:
    """Length (S,P) mm along each strand up to each point."""
    steps = np.diff(points, axis=2)
    lengths = np.zeros(points.shape[1:], np.float32)
    np.cumsum(np.sqrt(dot(steps, steps)), axis=1, out=lengths[:, 1:])
    return lengths


def curl(points: Floats, outward: Floats, size: Floats, wave: Floats, phase: Floats, flat: float) -> Floats:
    """Strands (3,S,P) wound into curls: size (S,) mm radius, wave (S,) mm a turn, phase (S,) radians.

    outward (3,S,P) unit vectors away from the head; flat 0..1 flattens the helix to a wave beside the head.
    """
    along = np.empty_like(points)
    along[:, :, 1:-1] = points[:, :, 2:] - points[:, :, :-2]
    along[:, :, 0], along[:, :, -1] = points[:, :, 1] - points[:, :, 0], points[:, :, -1] - points[:, :, -2]
    (a, b, c), (x, y, z) = along, outward
    side = unit(np.stack([b * z - c * y, c * x - a * z, a * y - b * x]))
    run = arc_length(points)
    size, wave, phase = (part.astype(np.float32)[:, None] for part in (size, wave, phase))
    angle = np.float32(2.0 * np.pi) * run / wave + phase
    grown = size * (1.0 - np.exp(run / np.float32(-25.0)))
    bent = points + grown * (np.cos(angle) - np.cos(phase)) * side
    return bent + grown * np.float32(1.0 - flat) * np.sin(angle) * outward


def frizz(points: Floats, size: Floats, rng: np.random.Generator) -> Floats:
    """Strands (3,S,P) that wander: a random walk of size (S,) mm at the tip, none at the root."""
    count = points.shape[2]
    walk = rng.standard_normal(points.shape, np.float32)
    walk[:, :, 0] = 0.0
    np.cumsum(walk, axis=2, out=walk)
    return points + walk * (size / np.sqrt(count)).astype(np.float32)[:, None]


def taper(shape: tuple[int, ...], root: Floats, tip: float = 0.35) -> Floats:
    """Radii (S,P) mm: full for most of the strand, `tip` of it at the end."""
    t = np.linspace(0.0, 1.0, shape[1])
    return (np.asarray(root).reshape(-1, 1) * (1.0 - (1.0 - tip) * t**2)).astype(np.float32)


def points_last(points: Floats) -> Floats:
    """(3,S,P) -> (S,P,3) float32, as props have them."""
    return np.ascontiguousarray(np.moveaxis(points, 0, -1), np.float32)
