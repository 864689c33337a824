"""Designs as meshes, for rendering: the same solids that `procedural.occupancy` fills."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.voxels.procedural import Block, Rod, Solid

Points = NDArray[np.float64]
Faces = NDArray[np.int64]

_OUTLINE = 40
_ROUND = 10


def mesh(solids: list[Solid]) -> tuple[Points, Faces]:
    """Points (V,3) m and faces (F,4), -1 pads triangles; solids overlap as they do in the design."""
    points, faces, count = [], [], 0
    for solid in solids:
        lower, upper = _block(solid) if isinstance(solid, Block) else _rod(solid)
        corners, sides = _prism(lower, upper)
        points.append(corners)
        faces.append(np.where(sides >= 0, sides + count, -1))
        count += len(corners)
    return np.concatenate(points), np.concatenate(faces)


def _block(block: Block) -> tuple[Points, Points]:
    """Outlines (n,3) of the lower and the upper side, counter-clockwise seen from above."""
    angle = np.arange(_OUTLINE) * 2 * np.pi / _OUTLINE + np.pi / _OUTLINE
    unit = np.stack([np.cos(angle), np.sin(angle)], 1)
    unit /= (np.abs(unit) ** block.power).sum(1, keepdims=True) ** (1 / block.power)
    wide, deep, high = block.half
    y = unit[:, 1] * deep
    x = unit[:, 0] * wide * (1 - block.taper * (unit[:, 1] + 1) / 2)
    y = y + block.bend * (1 - np.square(np.clip(x / wide, -1, 1)))
    lean = np.radians(block.lean)
    sides = []
    for z in (0.0, 2 * high):
        leaned = np.stack([x, y * np.cos(lean) + z * np.sin(lean), z * np.cos(lean) - y * np.sin(lean) - high], 1)
        sides.append(leaned + np.array(block.centre))
    return sides[0], sides[1]


def _rod(rod: Rod) -> tuple[Points, Points]:
    start, end = np.array(rod.start), np.array(rod.end)
    axis = (end - start) / np.linalg.norm(end - start)
    main = int(np.abs(axis).argmax())
    first, second = (np.eye(3)[(main + step) % 3] for step in (1, 2))
    if rod.round:
        first = np.cross(np.eye(3)[(main + 1) % 3], axis)
        first /= np.linalg.norm(first)
        second = np.cross(axis, first)
    count = _ROUND if rod.round else 4
    angle = np.arange(count) * 2 * np.pi / count + np.pi / count
    radius = rod.radius if rod.round else rod.radius * np.sqrt(2)
    ring = radius * (np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second)
    if np.dot(np.cross(first, second), axis) < 0:
        ring = ring[::-1]
    return start + ring - axis * rod.radius, end + ring + axis * rod.radius


def _prism(lower: Points, upper: Points) -> tuple[Points, Faces]:
    count = len(lower)
    here, there = np.arange(count), (np.arange(count) + 1) % count
    middle = np.full(count, 2 * count)
    none = np.full(count, -1)
    faces = [
        np.stack([here, there, there + count, here + count], 1),
        np.stack([there, here, middle, none], 1),
        np.stack([here + count, there + count, middle + 1, none], 1),
    ]
    return np.concatenate([lower, upper, [lower.mean(0)], [upper.mean(0)]]), np.concatenate(faces)
