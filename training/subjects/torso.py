"""The body below the head: MakeHuman's neck and shoulders, joined to a subject's own neck, as a surface to dress."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.subjects.fitting import vertex_ids
from training.subjects.props import Floats
from training.subjects.shapes import rotation, unit
from training.template import Template

Array = NDArray[np.float64]

# Over this length below the neck's end the body passes from the subject's neck to the stored one, mm.
_BLEND_MM = 75.0
# Over this length the body's turn against the head builds up, mm.
_TURN_MM = 110.0
# Keeps columns apart in one ascending list of ways, mm.
_APART = 1e5
_PIVOT = np.array([0.0, -110.0, -45.0])


@dataclass(frozen=True)
class _Stored:
    neck_ids: NDArray[np.int32]
    neck_weights: Floats
    bodies: Floats


@lru_cache(maxsize=1)
def _stored() -> _Stored:
    with np.load(Path(__file__).parent / "torso.npz", allow_pickle=False) as arrays:
        return _Stored(arrays["neck_ids"], arrays["neck_weights"], arrays["bodies"].astype(np.float32))


@dataclass(frozen=True)
class Build:
    """What the body is like: female and heavy 0..1, shoulders a factor, and its turn against the head in degrees."""

    female: float
    heavy: float
    shoulders: float
    turn: tuple[float, float, float]


@dataclass(frozen=True)
class Torso:
    """Skin from under the jaw to the chest as a grid: points and unit normals (R,C,3), mm.

    Columns run about the neck from the front to the subject's left. along (R,C) is the way down from the neck's end
    (negative on the neck), mm. table (C*R,6) and ways (C*R,) hold the same column by column, for looking up.
    """

    points: Array
    normals: Array
    along: Array
    table: Array
    ways: Array

    @staticmethod
    def of(template: Template, vertices: Floats, build: Build) -> Torso:
        """The body of a subject with posed template vertices (N,3) mm.

        Raises :class:`training.subjects.fitting.WrongTemplate` where the template lacks the neck's vertices.
        """
        stored = _stored()
        ids = vertex_ids(template, stored.neck_ids)
        neck = (vertices[ids] * stored.neck_weights[..., None]).sum(2).astype(np.float64)
        share = np.array([build.female * (1 - build.heavy), build.female * build.heavy,
                          (1 - build.female) * (1 - build.heavy), (1 - build.female) * build.heavy])  # fmt: skip
        body = np.tensordot(share, stored.bodies, 1).astype(np.float64)
        end = neck[-1]
        body += end.mean(0) - body[0].mean(0)
        way = _lengths(body)
        body[..., 0] *= 1.0 + (build.shoulders - 1.0) * np.clip(way / 120.0, 0.0, 1.0)
        body += (end - body[0]) * np.exp(-((way / _BLEND_MM) ** 2))[..., None]
        turned = (body - _PIVOT) @ rotation(*build.turn).T + _PIVOT
        share_turned = np.clip(way / _TURN_MM, 0.0, 1.0)[..., None]
        share_turned = share_turned * share_turned * (3.0 - 2.0 * share_turned)
        body += share_turned * (turned - body)
        points = np.concatenate([neck, body[1:]])
        along = _lengths(points)
        along -= along[len(neck) - 1]
        down = np.gradient(points, axis=0)
        around = np.roll(points, -1, 1) - np.roll(points, 1, 1)
        normals = unit(np.cross(down, around))
        table = np.concatenate([points, normals], -1).transpose(1, 0, 2).reshape(-1, 6)
        ways = (along + _APART * np.arange(along.shape[1])).T.ravel()
        return Torso(points, normals, along, table, ways)

    def at(self, turn: Array, along: Array, out: Array | float) -> Array:
        """Points (...,3) at angles `turn` (radians) about the neck, `along` mm below its end, `out` mm off the skin."""
        turn, along, out = np.broadcast_arrays(turn, along, np.asarray(out, np.float64))
        rows, columns = self.along.shape
        place = (turn.ravel() / (2.0 * np.pi) * columns) % columns
        left = np.floor(place + 1e-9).astype(np.int64)
        between = np.maximum(place - left, 0.0)
        total = self._column(left % columns, along.ravel(), rows)
        if between.max() > 1e-6:
            total += between[:, None] * (self._column((left + 1) % columns, along.ravel(), rows) - total)
        normal = total[:, 3:] / np.sqrt((total[:, 3:] ** 2).sum(1, keepdims=True))
        return (total[:, :3] + out.reshape(-1, 1) * normal).reshape(*turn.shape, 3)

    def _column(self, column: NDArray[np.int64], along: Array, rows: int) -> Array:
        """Points with normals (P,6) on columns (P,) of the grid."""
        wanted = along + _APART * column
        after = np.clip(np.searchsorted(self.ways, wanted), column * rows + 1, column * rows + rows - 1)
        before = self.ways[after - 1]
        part = np.clip((wanted - before) / (self.ways[after] - before), -0.5, 1.0)
        first = self.table[after - 1]
        return first + part[:, None] * (self.table[after] - first)

    def radius(self, along: Array) -> Array:
        """Mean distance from the axis at `along` mm below the neck's end, mm: turns angles into lengths."""
        flat = self.points - self.points.mean(1, keepdims=True)
        return np.interp(along, self.along.mean(1), np.hypot(flat[..., 0], flat[..., 2]).mean(1))


def _lengths(grid: Array) -> Array:
    steps = np.linalg.norm(np.diff(grid, axis=0), axis=-1)
    return np.concatenate([np.zeros((1, grid.shape[1])), np.cumsum(steps, axis=0)])
