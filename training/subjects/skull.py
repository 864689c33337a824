"""A head seen as a capsule: where hair may grow on it, and how far out hair must stay.

A point has an azimuth about the vertical axis (0 at the face, +-pi at the back, positive to the subject's left), a way
down from the crown in millimetres, and a distance from the axis. Above the axis' upper end the way down is an angle
times a radius, below it is plain height: domed on top, a cylinder from there on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.template import Template

Floats = NDArray[np.floating]

# The capsule's radius: a nominal skull. It only scales the way down on the dome.
RADIUS = 85.0
EQUATOR = RADIUS * np.pi / 2.0
# Way down (mm) of the brows: how far a full fringe reaches.
BROW_DOWN = 131.0

_COLUMNS = 96
_ROW_MM = 5.0
_ROWS = 76  # down to 250 mm below the equator


@dataclass(frozen=True)
class Capsule:
    """The axis through a head: its upper end's height and how far forward it stands, mm of head space."""

    height: float
    forward: float

    @staticmethod
    def of(template: Template, vertices: Floats) -> Capsule:
        """The axis of a head with the template's topology, vertices (N,3) mm."""
        top = vertices[template.region("scalp")]
        return Capsule(0.29 * float(top[:, 1].max()), 0.5 * float(top[:, 2].max() + top[:, 2].min()))

    def polar(self, points: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Azimuth (radians), way down (mm), distance from the axis (mm) and the unit vector away from it.

        Points are (3,...), axes first; the vectors come likewise.
        """
        x, y, z = points[0], points[1] - np.float32(self.height), points[2] - np.float32(self.forward)
        flat, above = np.sqrt(x * x + z * z), np.maximum(y, np.float32(0.0))
        down = np.float32(RADIUS) * np.arctan2(flat, above) - np.minimum(y, np.float32(0.0))
        distance = np.sqrt(flat * flat + above * above)
        out = np.stack([x, above, z]) / np.maximum(distance, np.float32(1e-6))
        return np.arctan2(x, z), down, distance, out

    def place(self, points: Floats) -> tuple[Floats, Floats]:
        """Azimuth (radians) and way down (mm) of points (...,3)."""
        azimuth, down, _, _ = self.polar(np.moveaxis(points, -1, 0))
        return azimuth, down


@dataclass(frozen=True)
class Obstacle:
    """How far a head and the shoulders below it reach out from the capsule's axis: a map over azimuth and way down.

    distance (rows, columns + 2) mm, the first and last column repeated at the other end.
    """

    capsule: Capsule
    distance: Floats

    @staticmethod
    def of(template: Template, vertices: Floats, *, ears: bool) -> Obstacle:
        """The map of a posed head, vertices (N,3) mm; `ears` says whether hair must stay outside the ears too."""
        capsule = Capsule.of(template, vertices)
        skin = template.region("skin")
        quads = template.quads[skin[template.quads].all(1)]
        if not ears:
            quads = quads[~ear_mask(template)[quads].any(1)]
        coarse = template.region("scalp")[quads].any(1)
        axes = np.ascontiguousarray(vertices.T, np.float32)
        parts = [_inside(axes[:, quads[coarse]], 4), _inside(axes[:, quads[~coarse]], 2)]
        azimuth, down, distance, _ = capsule.polar(np.concatenate(parts, axis=1))
        grid = np.zeros((_ROWS, _COLUMNS))
        column = ((azimuth / (2.0 * np.pi) + 0.5) * _COLUMNS).astype(int) % _COLUMNS
        row = np.clip((down / _ROW_MM).astype(int), 0, _ROWS - 1)
        np.maximum.at(grid, (row, column), distance)
        grid = _filled(np.maximum(grid, _shoulders(capsule)))
        return Obstacle(capsule, np.pad(_smooth(grid), ((0, 0), (1, 1)), mode="wrap").astype(np.float32))

    def reach(self, azimuth: Floats, down: Floats) -> Floats:
        """Distance of the surface from the axis, mm, at azimuths and ways down of one shape."""
        # The map has one more column at either end, so that interpolation crosses the back of the head.
        column = azimuth * np.float32(_COLUMNS / (2.0 * np.pi)) + np.float32(0.5 * _COLUMNS + 0.5)
        row = np.clip(down / np.float32(_ROW_MM) - np.float32(0.5), 0.0, _ROWS - 1.001)
        c, r = column.astype(np.intp), row.astype(np.intp)
        u, v = (column - c).astype(np.float32), (row - r).astype(np.float32)
        wide = _COLUMNS + 2
        flat, first = self.distance.ravel(), r * wide + c
        upper, lower = flat[first], flat[first + wide]
        upper = upper + (flat[first + 1] - upper) * u
        lower = lower + (flat[first + wide + 1] - lower) * u
        return upper + (lower - upper) * v


def ear_mask(template: Template) -> NDArray[np.bool_]:
    """Mask (N,) of the ears that stand off the head, their hollows included.

    The template's region `ears` holds the skin about them too, and lacks the hollows.
    """
    x, y, z = template.mean.T
    whole = ((z + 13.0) / 19.0) ** 2 + (y / 31.0) ** 2 < 1.0
    hollow = ((z + 12.0) / 13.0) ** 2 + ((y - 2.0) / 18.0) ** 2 < 1.0
    return ((template.region("ears") & whole) | (template.region("skin") & hollow)) & (np.abs(x) > 50.0)


def _inside(corners: Floats, count: int) -> Floats:
    """Points (3,Q*count*count) spread over quads (3,Q,4)."""
    t = (np.arange(count, dtype=np.float32) + np.float32(0.5)) / count
    u, v = (side.ravel() for side in np.meshgrid(t, t))
    weights = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v])
    return (corners @ weights).reshape(3, -1)


def _filled(grid: Floats) -> Floats:
    """Empty cells take the largest neighbour until none is empty."""
    for _ in range(40):
        empty = grid < 1.0
        if not empty.any():
            break
        up, down = np.roll(grid, 1, 0), np.roll(grid, -1, 0)
        up[0], down[-1] = 0.0, 0.0
        near = np.maximum.reduce([up, down, np.roll(grid, 1, 1), np.roll(grid, -1, 1)])
        grid = np.where(empty, near, grid)
    return grid


def _shoulders(capsule: Capsule) -> Floats:
    """What neck and shoulders reach, below the head: an ellipse at each height; zero above."""
    height = capsule.height - (np.arange(_ROWS) + 0.5) * _ROW_MM + EQUATOR
    azimuth = ((np.arange(_COLUMNS) + 0.5) / _COLUMNS - 0.5) * 2.0 * np.pi
    knots = [-330.0, -185.0, -155.0, -140.0, -126.0, -112.0, -111.9]
    wide = np.interp(height, knots, [220.0, 205.0, 160.0, 104.0, 66.0, 48.0, 0.0])[:, None]
    deep = np.interp(height, knots, [115.0, 98.0, 82.0, 70.0, 58.0, 46.0, 0.0])[:, None]
    inverse = (np.sin(azimuth) / np.maximum(wide, 1e-3)) ** 2 + (np.cos(azimuth) / np.maximum(deep, 1e-3)) ** 2
    return 1.0 / np.sqrt(inverse)


def _smooth(grid: Floats) -> Floats:
    """One pass of a three-cell mean each way; what juts out keeps most of its height."""
    across = (np.roll(grid, 1, 1) + 2.0 * grid + np.roll(grid, -1, 1)) / 4.0
    padded = np.pad(across, ((1, 1), (0, 0)), mode="edge")
    return np.maximum((padded[:-2] + 2.0 * across + padded[2:]) / 4.0, grid - 1.0)
