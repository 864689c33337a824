"""The skin's texture space: which point of the head every texel is. It depends on the template alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .raster import NOTHING, rasterise

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]

BORDER: Final = 4
"""Texels that pictures go on beyond the skin's islands."""


@dataclass(frozen=True)
class Atlas:
    """A square texture of `side` texels, its first row at the top (v = 1).

    Of its K texels on skin: `texel` (K,) the flat index; `corners` (K, 3) vertices and `weights` (K, 3) of the point;
    `mirrored` (K,) which of the K shows the mirrored point, -1 where none does. `edges` (E, 2) are the skin's edges.
    `border` (M,) are flat indices of texels around the islands, and `inner` (M,) which of the K is next to each.
    """

    side: int
    texel: NDArray[np.int64]
    corners: NDArray[np.int32]
    weights: NDArray[np.float32]
    mirrored: NDArray[np.int64]
    edges: NDArray[np.int64]
    border: NDArray[np.int64]
    inner: NDArray[np.int64]

    def part(self, chosen: Ints) -> Atlas:
        """Only the `chosen` of the K texels, for what is computed of them alone; they have no mirror images."""
        nothing = np.zeros(0, np.int64)
        alone = np.full(len(chosen), -1, np.int64)
        picked = self.texel[chosen], self.corners[chosen], self.weights[chosen]
        return Atlas(self.side, *picked, alone, self.edges, nothing, nothing)

    def interpolate(self, values: Floats) -> NDArray[np.float32]:
        """Values (V, C) of the vertices -> (K, C)."""
        picked = np.asarray(values, np.float32)[self.corners]
        mixed: NDArray[np.float32] = np.einsum("kc,kcd->kd", self.weights, picked)
        return mixed

    def gather(self, values: Floats, trust: Floats, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means (count, C) at the vertices of texels' values (K, C) weighted by `trust` (K,), and the weights' sums."""
        share = (self.weights * trust[:, None]).ravel()
        ids = self.corners.ravel()
        total = np.bincount(ids, share, count).astype(np.float64)
        sums = [np.bincount(ids, share * np.repeat(column, 3), count) for column in np.asarray(values, np.float64).T]
        return np.stack(sums, 1) / np.maximum(total, 1e-12)[:, None], total

    def image(self, values: NDArray[Any]) -> NDArray[Any]:
        """Texels' values (K, C) as a picture (side, side, C): they go on a little around the islands, so that filtering
        finds no edge there; zero elsewhere.
        """
        picture = np.zeros((self.side * self.side, values.shape[1]), values.dtype)
        picture[self.texel] = values
        picture[self.border] = values[self.inner]
        return picture.reshape(self.side, self.side, -1)


def make_atlas(quads: Ints, uv: Floats, skin: NDArray[np.bool_], mirror: Ints, side: int) -> Atlas:
    """The atlas of the quads (Q, 4) that are `skin` (Q,), with uv (Q, 4, 2); `mirror` (N,) is the vertex across."""
    faces, places = np.asarray(quads)[skin], np.asarray(uv, np.float64)[skin]
    points = np.concatenate([places.reshape(-1, 2) * (side, -side) + (0, side), np.zeros((4 * len(faces), 1))], 1)
    halves = np.array([[0, 1, 2], [0, 2, 3]])
    triangles = (4 * np.arange(len(faces))[:, None, None] + halves).reshape(-1, 3)
    raster = rasterise(points, triangles, (side, side), both_sides=True)
    texel = np.flatnonzero(raster.triangle.ravel() != NOTHING)
    triangle = raster.triangle.ravel()[texel]
    weights = raster.weights.reshape(-1, 3)[texel]
    corners = faces[triangle // 2][np.arange(len(texel))[:, None], halves[triangle % 2]]

    across = mirrored_quads(faces, mirror)
    other = across[triangle // 2]
    position = _positions(faces[other], mirror[corners])
    found = (other >= 0) & (position >= 0).all(1)
    there = places[np.maximum(other, 0)[:, None], np.maximum(position, 0)]
    at = np.floor((weights[..., None] * there).sum(1) * (side, -side) + (0, side)).astype(np.int64).clip(0, side - 1)
    number = np.full(side * side, -1)
    number[texel] = np.arange(len(texel))
    mirrored = np.where(found, number[at[:, 1] * side + at[:, 0]], -1)
    edges = np.sort(np.concatenate([faces[:, [k, (k + 1) % 4]] for k in range(4)]), 1)
    edges = np.unique(edges, axis=0).astype(np.int64)
    return Atlas(side, texel, corners.astype(np.int32), weights, mirrored, edges, *_around(number.reshape(side, side)))


def _around(number: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Texels at most `BORDER` from an island, and the number of a texel next to each; `number` (S, S) is -1 outside."""
    grown = number.copy()
    for _ in range(BORDER):
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            grown = np.where(grown < 0, np.roll(grown, step, axis), grown)
    border = np.flatnonzero((number < 0) & (grown >= 0))
    return border, grown.ravel()[border]


def mirrored_quads(faces: Ints, mirror: Ints) -> NDArray[np.int64]:
    """Which quad (Q,) has the mirrored corners of each; -1 where none has."""
    known = {tuple(sorted(face)): number for number, face in enumerate(faces.tolist())}
    return np.array([known.get(tuple(sorted(face)), -1) for face in mirror[faces].tolist()])


def _positions(quads: Ints, corners: Ints) -> NDArray[np.int64]:
    """Where in its quad (K, 4) each of three corners (K, 3) is; -1 where it is not."""
    same = quads[:, None, :] == corners[:, :, None]
    return np.where(same.any(2), same.argmax(2), -1)
