"""Hands: MakeHuman's, in a few stored poses, laid against a head from outside without entering it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.subjects.headmap import HeadMap
from training.subjects.props import Floats, Ints
from training.subjects.shapes import loft_faces, profile

Array = NDArray[np.float64]

POSES = ("open", "relaxed", "fist", "point", "think", "grip", "wrap", "victory")


@dataclass(frozen=True)
class StoredHands:
    """Left hands in their own axes (x away from the thumb, y along the fingers, z out of the palm, wrist at zero), mm.

    faces (F,4); poses (P,V,3) in the order of ``POSES``.
    """

    faces: Ints
    poses: Floats


@lru_cache(maxsize=1)
def stored_hands() -> StoredHands:
    """The arrays beside this module, made by ``training.subjects.bake``."""
    with np.load(Path(__file__).parent / "hand.npz", allow_pickle=False) as arrays:
        order = [list(arrays["names"]).index(name) for name in POSES]
        return StoredHands(arrays["faces"].astype(np.int32), arrays["poses"][order].astype(np.float32))


def frame(fingers: Array, palm: Array) -> Array:
    """Axes of a hand as columns (3,3): its fingers point along `fingers`, its palm looks along `palm` (made square)."""
    y = fingers / np.linalg.norm(fingers)
    z = palm - (palm @ y) * y
    z = z / np.linalg.norm(z)
    return np.stack([np.cross(y, z), y, z], axis=1)


def sleeve(hand: Array, length: float, wide: float) -> Array:
    """Rows (8,20,3) of a sleeve about the forearm of a hand (V,3) in its own axes."""

    def ring(height: float) -> tuple[Array, Array]:
        near = hand[np.abs(hand[:, 1] - height) < 14.0]
        low, high = near.min(0), near.max(0)
        return 0.5 * (low + high), 0.5 * (high - low)

    (a, small), (b, large) = ring(-60.0), ring(-190.0)
    way = np.array([0.0, 0.0, 0.02, 0.2, 0.45, 0.7, 0.9, 1.0])[:, None]
    middle = a + (b - a) * way * length / 130.0
    size = (small + (large - small) * np.minimum(way * length / 130.0, 1.2)) * wide + np.array(
        [1.0, 4.0, 5.0, 5.5, 6.0, 7.0, 8.0, 9.0]
    )[:, None]
    outline = profile(20)
    rows = np.repeat(middle[:, None], 20, axis=1)
    rows[..., 0] += size[:, :1] * outline[:, 0]
    rows[..., 2] -= size[:, 2:] * outline[:, 1]
    return rows


SLEEVE_FACES = loft_faces(8, 20)


def clear_of(head: HeadMap, points: Array, push: Array, press: float) -> Array:
    """How far (3,) to move points (V,3) along `push` until none lies more than `press` mm under the skin.

    The move may be backwards: the points end up touching.
    """
    push = push / np.linalg.norm(push)
    moved = 0.0
    lowest = float(head.middle[1]) - 150.0
    for _ in range(7):
        place = points + moved * push
        used = place[place[:, 1] > lowest]
        if len(used) == 0:
            break
        away = used - head.middle
        turn, polar = head.directions(used.astype(np.float32))
        deep = head.reach(turn, polar) - np.linalg.norm(away, axis=1) - press
        worst = int(np.argmax(deep))
        along = float(push @ away[worst] / np.linalg.norm(away[worst]))
        moved += float(deep[worst]) / max(along, 0.45)
        if abs(deep[worst]) < 0.5:
            break
    return moved * push
