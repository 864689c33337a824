"""Distances from points to a triangle mesh, by trimesh."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Triangles with the nearest middles that a quick search tries: on face meshes one in fifty misses the nearest one.
_CANDIDATES = 8
# Points that trimesh is handed at once: its candidates are kept in memory.
_CHUNK = 20_000


@dataclass(frozen=True)
class Mesh:
    """vertices (N,3) and triangles (F,3); a scan that is a cloud of points has no triangles."""

    vertices: Floats
    triangles: NDArray[np.int64]


def read_mesh(path: Path) -> Mesh:
    """Reads an .obj or .ply file, vertices in the file's order and none merged.

    Raises `FileNotFoundError`, and `ValueError` for another ending or a file without vertices.
    """
    if path.suffix.lower() == ".obj":
        mesh = _read_obj(path)
    elif path.suffix.lower() == ".ply":
        import trimesh

        loaded: Any = trimesh.load(path, process=False)
        faces = np.asarray(getattr(loaded, "faces", np.zeros((0, 3))), np.int64)
        mesh = Mesh(np.asarray(loaded.vertices, np.float64), faces.reshape(-1, 3))
    else:
        raise ValueError(f"{path} is neither .obj nor .ply")
    if not len(mesh.vertices):
        raise ValueError(f"{path} holds no vertices")
    return mesh


def write_obj(path: Path, mesh: Mesh) -> None:
    """Writes vertices and triangles as .obj."""
    lines = [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in mesh.vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in mesh.triangles + 1]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


class Surface:
    """A mesh that is asked for its nearest points. Raises `ValueError` for one without triangles."""

    def __init__(self, vertices: NDArray[np.floating], triangles: NDArray[np.integer]) -> None:
        from scipy.spatial import cKDTree

        if not len(triangles):
            raise ValueError("a surface needs triangles")
        self.vertices = np.asarray(vertices, np.float64)
        self.triangles = np.asarray(triangles, np.int64)
        self._corners = self.vertices[self.triangles]
        self._tree = cKDTree(self._corners.mean(1))

    def near(self, points: Floats) -> Floats:
        """Points of the surface (P,3) about as near as any to `points` (P,3): for many looks in a row."""
        import trimesh

        count = min(_CANDIDATES, len(self.triangles))
        candidates = self._tree.query(points, count)[1].reshape(len(points), count)
        best = np.full(len(points), np.inf)
        found = np.empty_like(points)
        for column in candidates.T:
            closest = trimesh.triangles.closest_point(self._corners[column], points)
            distance = ((closest - points) ** 2).sum(1)
            better = distance < best
            best[better], found[better] = distance[better], closest[better]
        return found

    def distances(self, points: Floats) -> Floats:
        """Distances (P,) from points (P,3) to the nearest points of the surface."""
        import trimesh

        mesh = trimesh.Trimesh(self.vertices, self.triangles, process=False)
        parts = [
            trimesh.proximity.closest_point(mesh, points[start : start + _CHUNK])[1]
            for start in range(0, len(points), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)


def _read_obj(path: Path) -> Mesh:
    vertices: list[list[float]] = []
    triangles: list[tuple[int, int, int]] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            if not words:
                continue
            if words[0] == "v":
                vertices.append([float(word) for word in words[1:4]])
            elif words[0] == "f":
                # A corner is vertex/uv/normal; negative numbers count from the end.
                numbers = [int(word.partition("/")[0]) for word in words[1:]]
                corners = [number - 1 if number > 0 else len(vertices) + number for number in numbers]
                triangles += [(corners[0], b, c) for b, c in pairwise(corners[1:])]
    return Mesh(np.array(vertices, np.float64).reshape(-1, 3), np.array(triangles, np.int64).reshape(-1, 3))
