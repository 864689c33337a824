"""Triangle surfaces as linear algebra: Laplacians, points on triangles as sparse rows, borders, closest points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CANDIDATES = 12


def laplacian(vertices: Floats, triangles: Ints) -> sparse.csr_matrix:
    """Cotangent Laplacian (V,V), rows divided by their weights' sum, so it measures the unevenness of a field.

    Pinkall & Polthier 1993; negative weights (of obtuse triangles) are lifted to a small positive one.
    """
    count = len(vertices)
    rows, columns, weights = [], [], []
    for i in range(3):
        a, b, c = triangles[:, i], triangles[:, (i + 1) % 3], triangles[:, (i + 2) % 3]
        u, v = vertices[a] - vertices[c], vertices[b] - vertices[c]
        cotangent = (u * v).sum(1) / np.maximum(np.linalg.norm(np.cross(u, v), axis=1), 1e-9)
        rows.append(a)
        columns.append(b)
        weights.append(np.clip(cotangent, 0.05, 5.0))
    one_way = sparse.csr_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count)
    )
    edges = one_way + one_way.T
    total = np.asarray(edges.sum(1)).ravel()
    return sparse.identity(count, format="csr") - sparse.diags(1.0 / np.maximum(total, 1e-9)) @ edges


def rows_at(triangles: Ints, weights: Floats, count: int) -> sparse.csr_matrix:
    """Matrix (n,count) that takes vertices to points: corners (n,c) with weights (n,c)."""
    rows = np.repeat(np.arange(len(triangles)), triangles.shape[1])
    return sparse.csr_matrix((weights.ravel(), (rows, triangles.ravel())), shape=(len(triangles), count))


class LeastSquares:
    """min |A x - b| over the columns `unknown`, A the blocks (n_i,U) stacked; factorised once, asked often."""

    def __init__(self, blocks: list[sparse.csr_matrix], unknown: Ints) -> None:
        self.matrix = sparse.vstack(blocks, format="csr")[:, unknown]
        normal = (self.matrix.T @ self.matrix).tocsc()
        options = {"SymmetricMode": True}
        self.factor = splu(normal, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)

    def solve(self, values: list[Floats]) -> Floats:
        """x (len(unknown),...) for the values (n_i,...) of the first blocks; those of the others are zero."""
        given = np.concatenate(values)
        return self.factor.solve(self.matrix[: len(given)].T @ given)


def border_vertices(triangles: Ints) -> Ints:
    """Vertices on edges that only one triangle has."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, uses = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[uses == 1])


def border_loops(triangles: Ints) -> list[Ints]:
    """The closed loops of border edges, each in order; loops that cross themselves are left out."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    _, inverse, uses = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    follow: dict[int, int] = {}
    twice: set[int] = set()
    for a, b in edges[uses[inverse.ravel()] == 1].tolist():
        if a in follow:
            twice.add(a)
        follow[a] = b
    loops = []
    while follow:
        start, at = next(iter(follow.items()))
        loop = [start]
        del follow[start]
        while at != start and at in follow:
            loop.append(at)
            at = follow.pop(at)
        if at == start and not twice & set(loop):
            loops.append(np.array(loop))
    return loops


@dataclass(frozen=True)
class Hits:
    """Points on a surface: corners (n,3) vertex ids with weights (n,3), points and normals (n,3), distance (n,) mm."""

    corners: Ints
    weights: Floats
    points: Floats
    normals: Floats
    distance: Floats

    def take(self, mask: NDArray[np.bool_]) -> Hits:
        """Some of them."""
        return Hits(self.corners[mask], self.weights[mask], self.points[mask], self.normals[mask], self.distance[mask])


class Surface:
    """A triangle mesh to ask for closest points; vertices (V,3), triangles (F,3)."""

    def __init__(self, vertices: Floats, triangles: Ints) -> None:
        from scipy.spatial import cKDTree

        self.vertices, self.triangles = vertices, triangles
        self.normals = vertex_normals(vertices, triangles)
        self._corners = vertices[triangles]
        self._tree = cKDTree(self._corners.mean(1))

    def closest(self, points: Floats) -> Hits:
        """The closest points to points (n,3), among the triangles whose middles are nearest.

        trimesh's exact search takes ten times as long; of a hundred points one gets a triangle beside the closest.
        """
        import trimesh

        count = min(_CANDIDATES, len(self.triangles))
        candidates = self._tree.query(points, count)[1].reshape(len(points), count)
        best = np.full(len(points), np.inf)
        nearest, hit = np.empty_like(points), np.zeros(len(points), np.int64)
        for column in candidates.T:
            found = trimesh.triangles.closest_point(self._corners[column], points)
            distance = np.linalg.norm(found - points, axis=1)
            better = distance < best
            best[better], nearest[better], hit[better] = distance[better], found[better], column[better]
        corners = self.triangles[hit]
        weights = trimesh.triangles.points_to_barycentric(self._corners[hit], nearest)
        weights = np.clip(np.nan_to_num(weights, nan=1.0 / 3.0), 0.0, 1.0)
        weights /= weights.sum(1, keepdims=True)
        normals = (self.normals[corners] * weights[..., None]).sum(1)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        return Hits(corners, weights, nearest, normals, best)


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """Unit normals (V,3), triangles weighted by area; zero where no triangle is."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for i in range(3):
        np.add.at(normals, triangles[:, i], faces)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
