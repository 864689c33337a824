"""Hair made up: gathered in locks, curled, kept off the face, held under what is worn, knotted behind the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.subjects.scalp import Roots
from training.subjects.skull import BROW_DOWN, Capsule, Obstacle
from training.subjects.strands import Bend, clear, curl, frizz, gather, grow, locks, smoothstep, unit

if TYPE_CHECKING:
    from training.subjects.hairdo import Hair

Floats = NDArray[np.floating]


def dress(
    points: Floats,
    roots: Roots,
    side: Floats,
    fringe: NDArray[np.bool_],
    hair: Hair,
    obstacle: Obstacle,
    landmarks: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Locks, curls, frizz, and hair kept off the face."""
    count = points.shape[1]
    lock = locks(roots.rest.T, (side > 0) * (hair.flow == "parted") + 2 * fringe, min(hair.locks, count))
    loose = rng.random(count) < 0.05
    strength = np.where(loose, 0.2, hair.lock) * (rng.uniform(0.6, 1.0, count) if hair.curl == 0.0 else 1.0)
    points = gather(points, lock, strength)
    if hair.curl > 0.0:
        outward = obstacle.capsule.polar(points)[3]
        size = hair.curl * np.where(loose, 1.3, rng.uniform(0.7, 1.3, count)[lock])
        wave = hair.wave * rng.uniform(0.75, 1.25, count)[lock]
        phase = rng.uniform(0.0, 2.0 * np.pi, count)[lock] + rng.normal(0.0, 0.35, count)
        points = curl(points, outward, size, wave, phase, hair.flat)
    if hair.flip != 0.0:
        turn = smoothstep(np.linspace(0.0, 1.0, points.shape[2]), 0.55, 1.0) * hair.flip
        points = points + turn * obstacle.capsule.polar(points)[3] * rng.uniform(0.6, 1.2, (count, 1))
    if hair.kink > 0.0:
        kinks = hair.kink * rng.standard_normal(points.shape, np.float32)
        kinks[:, :, 0] = 0.0
        points = points + kinks
    points = frizz(points, hair.frizz * np.where(loose, 2.5, 1.0), rng)
    if hair.flow != "tied":
        way = side if hair.flow == "parted" else np.where(points[0].mean(1) > 0.0, 1.0, -1.0)
        points = _off_the_face(points, way, fringe, hair, landmarks, rng)
    return clear(points, obstacle)


def _off_the_face(
    points: Floats, way: Floats, fringe: NDArray[np.bool_], hair: Hair, landmarks: Floats, rng: np.random.Generator
) -> Floats:
    """Hanging hair moved beside the face, to the left (way 1) or right (-1) of its outline, but for `frame` mm."""
    left, right = landmarks[16:8:-1], landmarks[0:8]
    order = np.argsort(left[:, 1])
    wide = 0.5 * (left[order, 0] - right[order, 0])
    x, y, z = points
    limit = np.interp(y, left[order, 1], wide, left=0.0) + rng.normal(-hair.frame, 2.5, (points.shape[1], 1))
    brow = float(landmarks[17:27, 1].mean())
    inside = smoothstep(-y, -brow - 28.0, -brow + 2.0) * smoothstep(z, -5.0, 25.0) * ~fringe[:, None]
    moved = points.copy()
    moved[0] += way[:, None] * np.maximum(limit - way[:, None] * x, 0.0) * inside
    tucked = {"": way == 0.0, "left": way > 0.0, "right": way < 0.0, "both": way != 0.0}[hair.tucked]
    if tucked.any():
        # Behind the ear: back from where the ear begins.
        behind = smoothstep(-y, -62.0, -28.0) * (tucked & ~fringe)[:, None]
        moved[2] -= behind * np.maximum(z + 26.0 + np.abs(rng.normal(0.0, 4.0, (points.shape[1], 1))), 0.0)
    moved[:, :, 0] = points[:, :, 0]
    return moved


def strays(points: Floats, fringe: NDArray[np.bool_], hair: Hair, capsule: Capsule) -> NDArray[np.bool_]:
    """Single strands (S,) that lie across the bare forehead: seen as lines drawn on it."""
    lost = (points[2] > 45.0).any(1) & ~fringe
    azimuth, down, _, _ = capsule.polar(points[:, lost, 1:])
    bare = (hair.hairline.depth(azimuth, down) < -14.0) & (down < BROW_DOWN) & (np.abs(azimuth) < 0.75)
    lost[lost] = bare.any(1)
    return lost


def held(lain: Floats, dressed: Floats, obstacle: Obstacle, covered: Floats) -> Floats:
    """Strands (3,S,P) that are dressed only below what is worn over the vertices (C,3), and lie flat under it."""
    bins = 24
    azimuth, down = obstacle.capsule.place(covered)
    edge = np.zeros(bins)
    np.maximum.at(edge, ((azimuth / (2.0 * np.pi) + 0.5) * bins).astype(int) % bins, down)
    azimuth, down, distance, out = obstacle.capsule.polar(lain)
    middle = ((np.arange(bins) + 0.5) / bins - 0.5) * 2.0 * np.pi
    free = smoothstep(down - np.interp(azimuth, middle[edge > 0], edge[edge > 0], period=2.0 * np.pi), -2.0, 16.0)
    flat = lain - np.maximum(distance - obstacle.reach(azimuth, down) - 2.0, 0.0) * out
    return flat + free * (dressed - flat)


def knotted(knot: Floats, tail: float, obstacle: Obstacle, steps: int, rng: np.random.Generator) -> Floats:
    """What hair does behind its knot (3,): a tail of a length (mm), or a bun (0); strands (3,S,steps) mm."""
    if tail > 0.0:
        count = 420
        ring = rng.normal(0.0, 5.0, (2, count))
        start = knot[:, None] + np.stack([ring[0], ring[1], np.zeros(count)])
        heading = np.stack([0.04 * ring[0], 0.35 + 0.05 * ring[1], np.full(count, -1.0)])
        bend = Bend(
            direction=unit(heading + rng.normal(0.0, 0.12, (3, count))),
            length=tail * rng.uniform(0.8, 1.1, count),
            hover=rng.uniform(3.0, 22.0, count),
            weight=np.full(count, 0.75),
            lie=np.zeros(count),
        )
        return grow(start, bend, obstacle, steps)
    count, size = 380, rng.uniform(20.0, 32.0)
    # Hair wound about a ball: each strand a tilted turn of it.
    turn = np.linspace(0.0, 1.0, steps) * rng.uniform(2.5, 4.5, count)[:, None] + rng.uniform(0.0, 6.28, count)[:, None]
    tilt = rng.normal(0.0, 0.9, count)[:, None]
    ball = size * rng.uniform(0.86, 1.0, count)[:, None]
    away = np.stack([np.cos(turn) * np.cos(tilt), np.sin(turn) * np.cos(tilt), np.sin(tilt) + 0.0 * turn])
    return (knot - [0.0, 0.0, 0.7 * size])[:, None, None] + ball * away
