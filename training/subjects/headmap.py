"""A head seen from its middle: how far its skin reaches in every direction, for what is worn on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.subjects.fitting import STREWN
from training.subjects.props import Floats
from training.subjects.shapes import unit
from training.template import Template

Array = NDArray[np.float64]

_ROWS, _COLUMNS = 45, 90
# Up the head and a little back: hats sit square to this axis.
_TILT_DEGREES = 10.0


@dataclass(frozen=True)
class HeadMap:
    """Distances (45,90) mm from `middle` (3,) by polar angle from the crown and by the turn from the front.

    axes (3,3) are left, crown and front. The turn grows to the subject's left.
    """

    middle: Array
    axes: Array
    distance: Array

    @staticmethod
    def of(template: Template, vertices: Floats, *, ears: bool) -> HeadMap:
        """The map of a posed head (N,3) mm, with or without the ears that stand off it."""
        marks = vertices[template.landmarks68]
        eyes = 0.5 * (marks[36:42].mean(0) + marks[42:48].mean(0))
        scalp = vertices[template.region("scalp")]
        depth = 0.5 * (scalp[:, 2].max() + scalp[:, 2].min())
        middle = np.array([eyes[0], eyes[1] + 12.0, depth - 4.0], np.float64)
        tilt = np.radians(_TILT_DEGREES)
        crown = np.array([0.0, np.cos(tilt), -np.sin(tilt)])
        axes = np.stack([[1.0, 0.0, 0.0], crown, np.cross([1.0, 0.0, 0.0], crown)])
        skin = template.region("skin") & (template.mean[:, 1] > -140.0)
        if not ears:
            skin = skin & ~standing_ears(template)
        triangles = template.triangles[skin[template.triangles].all(1)]
        # Scalp and neck are made of large triangles, the face's are smaller than the map's cells.
        large = (template.region("scalp") | template.region("neck"))[triangles[:, 0]]
        strewn = (vertices[triangles[large]].transpose(2, 0, 1) @ STREWN.T.astype(np.float32)).reshape(3, -1).T
        points = np.concatenate([strewn, vertices[triangles[~large]].mean(1), vertices[skin]])
        away = (points - middle.astype(np.float32)) @ axes.T.astype(np.float32)
        distance = np.linalg.norm(away, axis=1)
        row = np.arccos(np.clip(away[:, 1] / distance, -1.0, 1.0)) * (_ROWS / np.pi)
        column = np.arctan2(away[:, 0], away[:, 2]) * (_COLUMNS / (2.0 * np.pi))
        flat = np.clip(row.astype(int), 0, _ROWS - 1) * _COLUMNS + np.floor(column).astype(int) % _COLUMNS
        grid = np.zeros(_ROWS * _COLUMNS)
        np.maximum.at(grid, flat, distance)
        return HeadMap(middle, axes, _filled(grid.reshape(_ROWS, _COLUMNS)))

    def reach(self, turn: Array, polar: Array) -> Array:
        """Distance of the skin, mm, at turns and polar angles (radians, any one shape)."""
        column = turn * (_COLUMNS / (2.0 * np.pi)) - 0.5
        row = np.clip(polar * (_ROWS / np.pi) - 0.5, 0.0, _ROWS - 1.001)
        left, upper = np.floor(column).astype(np.int64), row.astype(np.int64)
        u, v = column - left, row - upper
        a, b = left % _COLUMNS, (left + 1) % _COLUMNS
        grid = self.distance
        top = grid[upper, a] * (1.0 - u) + grid[upper, b] * u
        low = grid[upper + 1, a] * (1.0 - u) + grid[upper + 1, b] * u
        return top * (1.0 - v) + low * v

    def point(self, turn: Array, polar: Array, distance: Array) -> Array:
        """Points (...,3) mm at a distance from the middle."""
        flat = np.sin(polar)
        away = np.stack([np.sin(turn) * flat, np.cos(polar) * np.ones_like(turn), np.cos(turn) * flat], -1)
        return self.middle + (distance[..., None] * away) @ self.axes

    def at(self, turn: Array, polar: Array, out: Array | float) -> Array:
        """Points (...,3) `out` mm off the skin."""
        turn, polar = np.broadcast_arrays(turn, polar)
        return self.point(turn, polar, self.reach(turn, polar) + out)

    def outside(self, points: Array, gap: float, most: float = 12.0) -> Array:
        """Points (...,3) moved away from the middle, by `most` mm at most, until they are `gap` mm off the skin."""
        away = points - self.middle
        far = np.linalg.norm(away, axis=-1)
        turn, polar = self.directions(points.reshape(-1, 3).astype(np.float32))
        wanted = self.reach(turn, polar).reshape(far.shape) + gap
        return self.middle + away * (np.clip(wanted, far, far + most) / far)[..., None]

    def level(self, turn: Array, height: Array) -> Array:
        """Polar angles (P,) at which the skin is at a height (P,), mm in head space, at turns (P,)."""
        polar = np.linspace(0.15, 2.4, 46)
        points = self.at(turn[:, None], polar[None], 0.0)[..., 1]
        points = np.minimum.accumulate(points, axis=1)
        return np.array([np.interp(-h, -column, polar) for h, column in zip(height, points, strict=True)])

    def directions(self, vertices: Floats) -> tuple[Array, Array]:
        """Turn and polar angle (V,) of points (V,3)."""
        away = unit((vertices.astype(np.float64) - self.middle) @ self.axes.T)
        return np.arctan2(away[:, 0], away[:, 2]), np.arccos(np.clip(away[:, 1], -1.0, 1.0))


def standing_ears(template: Template) -> NDArray[np.bool_]:
    """Mask (N,) of the ears that stand off the head (the template's region `ears` holds the skin about them too)."""
    x, y, z = template.mean.T
    return template.region("ears") & (((z + 13.0) / 19.0) ** 2 + (y / 31.0) ** 2 < 1.0) & (np.abs(x) > 50.0)


def _filled(grid: Array) -> Array:
    for _ in range(40):
        empty = grid == 0.0
        if not empty.any():
            break
        padded = np.pad(grid, ((1, 1), (0, 0)))
        near = np.stack([padded[:-2], padded[2:], np.roll(grid, 1, 1), np.roll(grid, -1, 1)])
        count = (near > 0.0).sum(0)
        grid = np.where(empty & (count > 0), near.sum(0) / np.maximum(count, 1), grid)
    return grid
