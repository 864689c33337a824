"""The face's skin as a mesh fine enough to carry relief: every quad a grid, on the triangles that the product draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.raster import vertex_normals
from training.detail.relief import Relief, map_places
from training.template import MATERIALS, Template

Floats = NDArray[np.floating]

SPACING = 0.45
"""mm between vertices, at most, on the mean head."""

FEATURE_MM = (2.5, 7.0)
"""Nearer than the first number to eyes, lips or the face's border there is no relief; beyond the second, all of it."""


@dataclass(frozen=True)
class Raised:
    """points (K,3) mm and unit normals (K,3) of the fine vertices, and their tint (K,3), a factor of the albedo."""

    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    tint: NDArray[np.float32]


class FineMesh:
    """K fine vertices: corners (K,3) and weights (K,3) of the template's; quads (G,4) of them, uv (G,4,2).

    covered (Q,) says which quads of the template it takes the place of.
    """

    def __init__(self, template: Template, spacing: float = SPACING) -> None:
        self._template = template
        face = template.region("face")
        self.covered = (template.material == MATERIALS.index("skin")) & face[template.quads].all(1)
        corners, weights, quads, uvs, first = [], [], [], [], 0
        for quad, uv in zip(template.quads[self.covered], template.uv[self.covered], strict=True):
            place = template.mean[quad]
            longest = float(np.linalg.norm(place - np.roll(place, 1, 0), axis=1).max())
            count = max(1, int(np.ceil(longest / spacing)))
            by = _grid(count)
            corners.append(np.broadcast_to(quad, (len(by), 4)))
            weights.append(by)
            cells = first + _cells(count)
            quads.append(cells)
            uvs.append((by @ uv)[cells - first])
            first += len(by)
        self._corners, self._weights = np.concatenate(corners), np.concatenate(weights).astype(np.float32)
        self.quads, self.uv = np.concatenate(quads), np.concatenate(uvs).astype(np.float32)
        self._places = map_places(template.mean)
        self._mask = relief_mask(template)
        # By vertex and not by grid, so that neighbouring grids meet.
        self._fine_places = self.interpolate(self._places)
        self._fine_mask = self.interpolate(self._mask[:, None])[:, 0]

    def interpolate(self, values: Floats) -> NDArray[np.float64]:
        """Values (N,C) of the template's vertices -> (K,C)."""
        return np.einsum("kc,kcd->kd", self._weights, np.asarray(values, np.float64)[self._corners])

    def raised(self, vertices: Floats, relief: Relief) -> Raised:
        """A head's (N,3) face with relief on it.

        The normal of a surface moved by h along its normal n is n - grad h, but for terms of h times curvature.
        """
        normals = vertex_normals(vertices, self._template.triangles)
        gradients = _place_gradients(vertices, self._template.triangles, self._places, normals)
        height, slopes, tint = relief.sample(self._fine_places)
        # The mask is broad: its own slope is a hundredth, but makes the surface whole.
        mask = self._fine_mask
        mask_gradient = _place_gradients(vertices, self._template.triangles, self._mask[:, None], normals)[:, 0]
        normal = self.interpolate(normals)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        across = self.interpolate(gradients.reshape(len(vertices), 6)).reshape(-1, 2, 3)
        slope = mask[:, None] * np.einsum("kc,kcd->kd", slopes, across) + height[:, None] * self.interpolate(
            mask_gradient
        )
        slope -= (slope * normal).sum(1, keepdims=True) * normal
        tilted = normal - slope
        tilted /= np.linalg.norm(tilted, axis=1, keepdims=True)
        points = self.interpolate(vertices) + (height * mask)[:, None] * normal
        return Raised(points.astype(np.float32), tilted.astype(np.float32), tint.astype(np.float32))


def relief_mask(template: Template) -> NDArray[np.float64]:
    """Where skin may have relief (N,), 0..1: on the face, not at its border, eyes and lips."""
    face = template.region("face")
    others = [name for name in ("lips", "eyes", "mouth") if name in template.region_names]
    apart = np.any([~face, *(template.region(name) for name in others)], axis=0)
    distance, _ = _nearest(template.mean[apart], template.mean)
    t = np.clip((distance - FEATURE_MM[0]) / (FEATURE_MM[1] - FEATURE_MM[0]), 0.0, 1.0)
    return face * t * t * (3.0 - 2.0 * t)


def _nearest(known: Floats, asked: Floats) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from scipy.spatial import cKDTree

    distance, index = cKDTree(known).query(asked)
    return distance, index


def _grid(count: int) -> NDArray[np.float64]:
    """Weights ((count+1)^2,4) of a quad's corners, linear on its triangles 012 and 023."""
    u, v = np.meshgrid(np.linspace(0.0, 1.0, count + 1), np.linspace(0.0, 1.0, count + 1))
    u, v = u.ravel(), v.ravel()
    lower = u >= v
    first = np.stack([1 - u, u - v, v, 0 * u], 1)
    second = np.stack([1 - v, 0 * u, u, v - u], 1)
    return np.where(lower[:, None], first, second)


def _cells(count: int) -> NDArray[np.int64]:
    at = np.arange(count)[:, None] * (count + 1) + np.arange(count)[None]
    return np.stack([at, at + 1, at + count + 2, at + count + 1], -1).reshape(-1, 4)


def _place_gradients(
    vertices: Floats, triangles: NDArray[np.integer], values: Floats, normals: Floats
) -> NDArray[np.float64]:
    """Gradients (N,C,3), per mm along the surface, of values (N,C): means of the triangles' by area."""
    a, b, c = (np.asarray(vertices, np.float64)[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    double = np.linalg.norm(normal, axis=1)
    unit = normal / np.maximum(double, 1e-9)[:, None]
    # grad f = sum over corners of f_i (n x opposite edge) / (2 area); times the area, halved, to weigh it.
    total = np.zeros((len(vertices), values.shape[1], 3))
    weight = np.bincount(triangles.ravel(), np.repeat(double, 3), len(vertices))
    edges = (np.cross(unit, c - b), np.cross(unit, a - c), np.cross(unit, b - a))
    gradient = sum(values[triangles[:, k], :, None] * edges[k][:, None, :] for k in range(3))
    for k in range(3):
        np.add.at(total, triangles[:, k], gradient)
    total /= np.maximum(weight, 1e-9)[:, None, None]
    along = np.einsum("ncd,nd->nc", total, normals)
    return total - along[..., None] * normals[:, None, :]
