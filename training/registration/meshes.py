"""Mesh files as arrays, vertices in the file's own order: .obj here, .ply, .stl, .glb and others by ``trimesh``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.registration.target import BadScan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MESH_ENDINGS = (".obj", ".ply", ".stl", ".glb", ".gltf", ".off")


def read_mesh(path: Path) -> tuple[Floats, Ints]:
    """Vertices (V,3) and triangles (F,3). Raises :class:`BadScan` when the file holds no mesh."""
    try:
        if path.suffix.lower() == ".obj":
            return _read_obj(path)
        return _read_other(path)
    except (OSError, ValueError, IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise BadScan(f"the file cannot be read as a mesh ({error})") from error


def _read_obj(path: Path) -> tuple[Floats, Ints]:
    # Not by trimesh, which splits vertices at UV seams: models and scans in correspondence need the file's order.
    points: list[str] = []
    triangles: list[tuple[int, int, int]] = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("v "):
                points.append(" ".join(line.split()[1:4]))
            elif line.startswith("f "):
                ids = [int(word.partition("/")[0]) for word in line.split()[1:]]
                # Negative numbers count back from the last vertex.
                ids = [number - 1 if number > 0 else len(points) + number for number in ids]
                triangles += [(ids[0], ids[i], ids[i + 1]) for i in range(1, len(ids) - 1)]
    if not points:
        raise BadScan("the file has no vertices")
    vertices = np.array([[float(word) for word in point.split()] for point in points])
    return vertices, np.array(triangles, np.int64).reshape(-1, 3)


def _read_other(path: Path) -> tuple[Floats, Ints]:
    import trimesh

    mesh = trimesh.load(path, process=False, force="mesh")
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.vertices):
        raise BadScan("the file has no vertices")
    vertices, triangles = np.array(mesh.vertices, np.float64), np.array(mesh.faces, np.int64)
    if path.suffix.lower() == ".stl":
        # .stl repeats each corner for each triangle.
        vertices, back = np.unique(vertices, axis=0, return_inverse=True)
        triangles = back.ravel()[triangles]
        apart = (triangles != np.roll(triangles, 1, axis=1)).all(1)
        triangles = triangles[apart]
    return vertices, triangles
