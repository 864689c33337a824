"""Which landmarks one can see in a rendered picture, from the depth that was rendered with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.camera import Camera

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

# A surface this much nearer than the landmark hides it; less is the mesh's own roughness, brow hairs, lashes' roots.
_TOLERANCE_MM = 1.5
# Shares of a pixel's width, and of the depth the surface gains over a pixel, that are tolerated besides: surfaces bend.
_OF_PIXEL, _OF_SLOPE = 0.5, 0.5


class LandmarkSight:
    """Tells of some vertices of a mesh whether a camera sees them.

    vertices (M,) their ids, each as often as one likes; triangles (F,3) the mesh's.
    """

    def __init__(self, vertices: NDArray[np.integer], triangles: NDArray[np.integer]) -> None:
        self.vertices, self._back = np.unique(vertices, return_inverse=True)
        touching = triangles[np.isin(triangles, self.vertices).any(1)]
        order = np.full(int(triangles.max()) + 1, -1)
        order[self.vertices] = np.arange(len(self.vertices))
        self._triangles = touching
        self._corners = order[touching]  # (T,3) which landmark each corner is, or -1

    def visible(self, points: Floats, camera: Camera, depth: Floats) -> Flags:
        """Flags (M,): in the picture, facing the camera, and nothing in front.

        points (N,3) mm all vertices in head space; depth (H,W) mm along the camera's z at pixel centres, infinite
        where the camera sees nothing. Among the four pixels about a landmark, weighed bilinearly, those whose surface
        is nearer than the landmark's tangent plane count against it, those on the plane for it; beyond a silhouette
        the pixels are farther and count for nothing.
        """
        seen = np.asarray(points, np.float64) @ camera.rotation.T + camera.translation
        normals = self._normals(seen)
        at = seen[self.vertices]
        pixel = camera.focal * at[:, :2] / at[:, 2:] + camera.size / 2.0
        inside = (at[:, 2] > 0.0) & (pixel >= 0.0).all(1) & (pixel < camera.size).all(1)
        facing = (normals * at).sum(1) < 0.0
        shown, hidden = np.zeros(len(at)), np.zeros(len(at))
        corner = np.floor(pixel - 0.5)
        share = pixel - 0.5 - corner
        height, width = depth.shape
        plane = (normals * at).sum(1)
        for right in (0, 1):
            for down in (0, 1):
                column, row = corner[:, 0] + right, corner[:, 1] + down
                weight = np.abs(1 - right - share[:, 0]) * np.abs(1 - down - share[:, 1])
                ray = np.stack([column, row], 1) + 0.5 - camera.size / 2.0
                slope = (normals * np.column_stack([ray / camera.focal, np.ones(len(at))])).sum(1)
                expected = np.where(slope < -1e-3, plane / np.minimum(slope, -1e-3), at[:, 2])
                found = depth[
                    np.clip(np.nan_to_num(row), 0, height - 1).astype(int),
                    np.clip(np.nan_to_num(column), 0, width - 1).astype(int),
                ]
                tolerance = _TOLERANCE_MM + _OF_PIXEL * at[:, 2] / camera.focal + _OF_SLOPE * abs(expected - at[:, 2])
                hidden += weight * (found < expected - tolerance)
                shown += weight * (np.abs(found - expected) <= tolerance)
        return np.asarray(inside & facing & (shown > hidden))[self._back]

    def _normals(self, points: Floats) -> NDArray[np.float64]:
        """Outward normals (M,3) at the landmarks, not of unit length; points (N,3)."""
        corners = points[self._triangles]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = np.zeros((len(self.vertices), 3))
        for corner in self._corners.T:
            mine = corner >= 0
            np.add.at(normals, corner[mine], across[mine])
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
