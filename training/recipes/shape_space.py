"""Heads as the vectors that an autoencoder sees, and back: centred, weighted, and if wanted in a rotated subspace.

Vertices (N,3) mm become ``x = U^T (sqrt(w) * (vertices - mean) / unit)``, flattened. With orthonormal U (or none),
squared distances between vectors are the weighted squared distances between heads, so that a loss in this space is
the loss on vertices, at a fraction of its cost when U spans what the heads differ in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.dataset import mirror_vertices

Floats = NDArray[np.float32]

_CHUNK = 512
# Heads that the principal directions are found on: many more than there are directions.
_SAMPLE = 2000


@dataclass(frozen=True)
class ShapeSpace:
    """mean (N,3) mm; weights (N,) of the vertices; unit in mm; rotation (3N,D) with orthonormal columns, or None."""

    mean: Floats
    weights: Floats
    unit: float
    rotation: Floats | None

    @property
    def dimensions(self) -> int:
        """Length D of a vector."""
        return self.mean.size if self.rotation is None else self.rotation.shape[1]

    def vectors(self, vertices: Floats) -> Floats:
        """Heads (n,N,3) mm -> vectors (n,D)."""
        scale = np.sqrt(self.weights)[:, None] / np.float32(self.unit)
        parts = []
        for start in range(0, len(vertices), _CHUNK):
            flat = ((vertices[start : start + _CHUNK] - self.mean) * scale).reshape(-1, self.mean.size)
            parts.append(flat if self.rotation is None else flat @ self.rotation)
        return np.concatenate(parts).astype(np.float32)

    def columns(self, vectors: Floats) -> Floats:
        """Differences (n,D) in this space -> differences (n,N,3) in mm; linear."""
        flat = vectors if self.rotation is None else vectors @ self.rotation.T
        scale = np.float32(self.unit) / np.sqrt(self.weights)[:, None]
        columns: Floats = flat.reshape(-1, len(self.mean), 3) * scale
        return columns

    def state(self) -> dict[str, NDArray]:
        """Plain arrays for a checkpoint; `from_state` undoes it."""
        rotation = np.zeros((0, 0), np.float32) if self.rotation is None else self.rotation
        return {"mean": self.mean, "weights": self.weights, "unit": np.array(self.unit), "rotation": rotation}

    @staticmethod
    def from_state(state: dict[str, NDArray]) -> ShapeSpace:
        """The space that `state` described."""
        rotation = state["rotation"] if state["rotation"].size else None
        return ShapeSpace(state["mean"], state["weights"], float(state["unit"]), rotation)


def mean_head(vertices: Floats, mirror: NDArray[np.integer], chosen: NDArray[np.intp] | None = None) -> Floats:
    """Mean (N,3) of heads (n,N,3), or the `chosen`, and their mirror images: what the mean-face control returns."""
    chosen = np.arange(len(vertices)) if chosen is None else chosen
    total = np.zeros(vertices.shape[1:])
    for start in range(0, len(chosen), _CHUNK):
        total += vertices[chosen[start : start + _CHUNK]].sum(0, dtype=np.float64)
    mean = (total / len(chosen)).astype(np.float32)
    return (mean + mirror_vertices(mean, mirror)) / 2


def make_shape_space(
    vertices: Floats,
    mirror: NDArray[np.integer],
    weights: Floats,
    unit: float,
    dimensions: int | None,
    rng: np.random.Generator,
    chosen: NDArray[np.intp] | None = None,
) -> ShapeSpace:
    """The space of heads (n,N,3) mm, or the `chosen` ones, and their mirror images.

    With `dimensions`, it is that of their principal directions.
    """
    chosen = np.arange(len(vertices)) if chosen is None else chosen
    space = ShapeSpace(mean_head(vertices, mirror, chosen), weights.astype(np.float32), unit, None)
    if dimensions is None:
        return space
    rotation = principal_directions(space, vertices, mirror, dimensions, rng, chosen)
    return ShapeSpace(space.mean, space.weights, unit, rotation)


def principal_directions(
    space: ShapeSpace,
    vertices: Floats,
    mirror: NDArray[np.integer],
    count: int,
    rng: np.random.Generator,
    chosen: NDArray[np.intp] | None = None,
) -> Floats:
    """Orthonormal (3N,count): leading directions of heads (n,N,3), or the `chosen` ones, and of their mirror images.

    The largest comes first. By randomised subspace iteration on a sample of the heads (Halko, Martinsson & Tropp
    2011, algorithm 4.4); fewer where the sample does not span so many. The space must have no subspace.
    """
    chosen = np.arange(len(vertices)) if chosen is None else chosen
    taken = chosen[np.sort(rng.permutation(len(chosen))[:_SAMPLE])]
    count = min(count, 2 * len(taken) - 1, space.mean.size)
    basis = rng.standard_normal((space.mean.size, count), dtype=np.float32)
    for last in (False, True):
        product = np.zeros_like(basis)
        for start in range(0, len(taken), _CHUNK):
            chunk = vertices[taken[start : start + _CHUNK]]
            for heads in (chunk, mirror_vertices(chunk, mirror)):
                flat = space.vectors(heads)
                product += flat.T @ (flat @ basis)
        if last:
            within = basis.T @ product
            values, turn = np.linalg.eigh((within + within.T).astype(np.float64) / 2)
            product = product @ turn[:, np.argsort(values)[::-1]].astype(np.float32)
        basis = np.linalg.qr(product)[0]
    return np.ascontiguousarray(basis)


def similarity_tangent(points: Floats) -> Floats:
    """Orthonormal basis (3P,7) of how a similarity moves `points` (P,3) to first order: what alignment takes away."""
    centred = points.astype(np.float64) - points.mean(0)
    moves = [np.broadcast_to(axis, centred.shape) for axis in np.eye(3)]
    moves += [np.cross(axis, centred) for axis in np.eye(3)] + [centred]
    return np.linalg.qr(np.stack([move.reshape(-1) for move in moves], 1))[0].astype(np.float32)


def alignment_free_metric(space: ShapeSpace, region: NDArray[np.integer]) -> Floats:
    """Matrix A (D,D) such that ``||A v||^2`` is a difference's mean squared distance (mm^2) over `region`.

    What a similarity of the region explains, to first order about the mean head, is left out. Raises `ValueError`
    for a space of more than 4,096 dimensions, where the matrix would not pay.
    """
    if space.rotation is None or space.dimensions > 4096:
        raise ValueError("losses on vertices need a shape space with a subspace")
    columns = space.columns(np.eye(space.dimensions, dtype=np.float32))
    return distance_metric(columns[:, region], similarity_tangent(space.mean[region]))


def distance_metric(columns: Floats, left_out: Floats | None = None) -> Floats:
    """Matrix A (D,D) such that ``||A c||^2`` is the mean squared distance (mm^2) of points moved by c @ columns.

    columns (D,P,3) mm; what the orthonormal `left_out` (3P,T) explains of it does not count.
    """
    free = columns.reshape(len(columns), -1)
    if left_out is not None:
        free = free - (free @ left_out) @ left_out.T
    values, vectors = np.linalg.eigh((free @ free.T).astype(np.float64) / columns.shape[1])
    return (np.sqrt(np.maximum(values, 0))[:, None] * vectors.T).astype(np.float32)
