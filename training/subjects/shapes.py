"""Lofts: rows of points joined by quads, from which the props are made. All faces are known before any point is."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.subjects.props import Ints

Array = NDArray[np.float64]


def vec(x: float, y: float, z: float) -> Array:
    """A point or an offset (3,), mm."""
    return np.array([x, y, z], np.float64)


@lru_cache(maxsize=64)
def _loft_faces(rows: int, columns: int, around: bool, ring: bool, caps: bool) -> Ints:
    a = np.arange(rows * columns).reshape(rows, columns)
    grid = np.concatenate([a, a[:1]]) if ring else a
    grid = np.concatenate([grid, grid[:, :1]], axis=1) if around else grid
    quads = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], -1).reshape(-1, 4)
    parts = [quads]
    if caps and not ring:
        # A cap is a strip of quads between the two halves of the last ring.
        half = columns // 2
        i = np.arange(half - 1)
        strip = np.stack([i, columns - 1 - i, columns - 2 - i, i + 1], 1)
        parts += [a[0][strip], a[-1][strip[:, ::-1]]]
    faces = np.concatenate(parts).astype(np.int32)
    faces.setflags(write=False)
    return faces


def loft_faces(rows: int, columns: int, *, around: bool = True, ring: bool = False, caps: bool = False) -> Ints:
    """Quads (F,4) of a grid of points, row by row; `around` closes each row, `ring` joins the last row to the first.

    Faces look outwards when rows follow each other along a direction about which the columns turn clockwise, seen
    along that direction; ``caps`` closes both ends of rows that are closed (an even number of columns).
    """
    return _loft_faces(rows, columns, around, ring, caps)


def loft_uv(rows: int, columns: int, width: float = 1.0, height: float = 1.0) -> NDArray[np.float32]:
    """UV (F,4,2) of ``loft_faces`` without caps or ring, closed around: u along the row 0..width, v 0..height."""
    u = np.arange(columns + 1) / columns * width
    v = np.arange(rows) / max(rows - 1, 1) * height
    grid = np.stack(np.broadcast_arrays(u[None], v[:, None]), -1)
    corners = [grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]]
    return np.stack(corners, 2).reshape(-1, 4, 2).astype(np.float32)


def profile(columns: int, exponent: float = 2.0) -> Array:
    """A superellipse's outline (K,2) within -1..1: 2 a circle, larger ones boxes with rounded corners."""
    turn = (np.arange(columns) + 0.5) * 2.0 * np.pi / columns
    both = np.stack([np.cos(turn), np.sin(turn)], 1)
    return np.sign(both) * np.abs(both) ** (2.0 / exponent)


def unit(vectors: Array) -> Array:
    """Vectors (...,3) at length one; zero stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def sweep(path: Array, side: Array, across: Array, outline: Array, size: Array) -> Array:
    """Rows (P,K,3) of an outline (K,2) carried along a path (P,3).

    The outline's first axis lies along `side` (P,3) or (3,), its second along `across`; both are made perpendicular to
    the path. size (P,2) half thickness along the two, mm.
    """
    ahead = unit(np.gradient(path, axis=0))
    one = np.broadcast_to(side, path.shape)
    one = unit(one - (one * ahead).sum(-1, keepdims=True) * ahead)
    two = np.cross(ahead, one)
    two = two * np.sign((two * across).sum(-1, keepdims=True) + 1e-12)
    first = outline[None, :, :1] * size[:, None, :1] * one[:, None]
    return path[:, None] + first + outline[None, :, 1:] * size[:, None, 1:] * two[:, None]


def tube(path: Array, radius: Array | float, columns: int = 8, hint: Array | None = None) -> Array:
    """Rows (P,K,3) of circles about a path (P,3)."""
    across = np.array([0.0, 0.0, 1.0]) if hint is None else hint
    size = np.broadcast_to(np.asarray(radius, np.float64).reshape(-1, 1), (len(path), 2))
    return sweep(path, np.cross(unit(np.gradient(path, axis=0)), across), across, profile(columns), size)


def spline(points: Array, count: int) -> Array:
    """``count`` points on the Catmull-Rom spline through points (P,D), ends included, evenly in the parameter."""
    padded = np.concatenate([2.0 * points[:1] - points[1:2], points, 2.0 * points[-1:] - points[-2:-1]])
    place = np.linspace(0.0, len(points) - 1.0, count)
    i = np.minimum(place.astype(int), len(points) - 2)
    t = (place - i)[:, None]
    a, b, c, d = (padded[i + k] for k in range(4))
    return 0.5 * (2.0 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """A turn (3,3) in head space by degrees: roll about z, then pitch about x (nose up), then yaw about y (left)."""
    y, p, r = np.radians([yaw, -pitch, roll])
    about_y = np.array([[np.cos(y), 0.0, np.sin(y)], [0.0, 1.0, 0.0], [-np.sin(y), 0.0, np.cos(y)]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(p), -np.sin(p)], [0.0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0.0], [np.sin(r), np.cos(r), 0.0], [0.0, 0.0, 1.0]])
    return about_y @ about_x @ about_z


class Pile:
    """Several lofts gathered into one mesh: points, faces and the material of each."""

    def __init__(self) -> None:
        self._points: list[Array] = []
        self._faces: list[Ints] = []
        self._material: list[Ints] = []
        self._count = 0

    def add(self, points: Array, faces: Ints, material: int = 0) -> None:
        """Points (...,3) in the order that faces (F,4) count them."""
        flat = points.reshape(-1, 3)
        self._points.append(flat)
        self._faces.append(np.where(faces >= 0, faces + self._count, -1).astype(np.int32))
        self._material.append(np.full(len(faces), material, np.int32))
        self._count += len(flat)

    @property
    def vertices(self) -> NDArray[np.float32]:
        """(V,3) mm."""
        return np.concatenate(self._points).astype(np.float32)

    @property
    def faces(self) -> Ints:
        """(F,4), -1 pads triangles."""
        return np.concatenate(self._faces)

    @property
    def material(self) -> Ints:
        """(F,) index into the prop's surfaces."""
        return np.concatenate(self._material)
