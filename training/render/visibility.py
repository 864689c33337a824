"""Which landmarks one can see in a rendered picture, from the depth that was rendered with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.camera import Camera

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

# A surface this much nearer than the skin about the landmark hides it; less are brow hairs and the roots of lashes.
_TOLERANCE_MM = 2.0
# Share of a pixel's width that is tolerated besides: surfaces bend within it.
_OF_PIXEL = 0.5
# The skin is followed from the landmark to a pixel's centre no farther in depth than this; mm.
_REACH_MM = 12.0


class LandmarkSight:
    """Tells of some vertices of a mesh whether a camera sees them.

    vertices (M,) their ids, each as often as one likes; triangles (F,3) the mesh's.
    """

    def __init__(self, vertices: NDArray[np.integer], triangles: NDArray[np.integer]) -> None:
        self.vertices, self._back = np.unique(vertices, return_inverse=True)
        order = np.full(int(triangles.max()) + 1, -1)
        order[self.vertices] = np.arange(len(self.vertices))
        # One row for each triangle at each landmark, those of a landmark together.
        face, corner = np.nonzero(order[triangles] >= 0)
        landmark = order[triangles[face, corner]]
        sort = np.argsort(landmark, kind="stable")
        self._landmark, self._faces = landmark[sort], triangles[face[sort]]
        self._starts = np.searchsorted(self._landmark, np.arange(len(self.vertices)))

    def visible(self, points: Floats, camera: Camera, depth: Floats) -> Flags:
        """Flags (M,): in the picture, on a triangle that faces the camera, and nothing in front.

        points (N,3) mm all vertices in head space; depth (H,W) mm along the camera's z at pixel centres, infinite
        where the camera sees nothing. The skin's depth at the four pixels about a landmark follows from the planes of
        the triangles there that face the camera. Pixels, weighed bilinearly, that show something nearer than all of
        them count against the landmark, those within their range for it; where the picture shows something farther
        the landmark is at a silhouette, and the pixel counts for nothing.
        """
        seen = np.asarray(points, np.float64) @ camera.rotation.T + camera.translation
        at = seen[self.vertices]
        pixel = camera.focal * at[:, :2] / at[:, 2:] + camera.size / 2.0
        inside = (at[:, 2] > 0.0) & (pixel >= 0.0).all(1) & (pixel < camera.size).all(1)
        first, second, third = seen[self._faces].transpose(1, 0, 2)
        normals = np.cross(second - first, third - first)
        plane = (normals * at[self._landmark]).sum(1)
        facing = plane < 0.0
        corner = np.floor(np.where(inside[:, None], pixel, 0.5) - 0.5)
        share = pixel - 0.5 - corner
        shown, hidden = np.zeros(len(at)), np.zeros(len(at))
        tolerance = _TOLERANCE_MM + _OF_PIXEL * at[:, 2] / camera.focal
        for right in (0, 1):
            for down in (0, 1):
                place = corner + np.array([right, down])
                weight = np.abs(1 - right - share[:, 0]) * np.abs(1 - down - share[:, 1])
                ray = np.column_stack([(place + 0.5 - camera.size / 2.0) / camera.focal, np.ones(len(at))])
                slope = (normals * ray[self._landmark]).sum(1)
                expected = np.where(slope < 0.0, plane / np.minimum(slope, -1e-9), np.inf)
                offset = np.clip(expected - at[self._landmark, 2], -_REACH_MM, _REACH_MM)
                near = at[:, 2] + np.minimum.reduceat(np.where(facing, offset, 0.0), self._starts)
                far = at[:, 2] + np.maximum.reduceat(np.where(facing, offset, 0.0), self._starts)
                column, row = np.clip(place, 0, np.array(depth.shape[::-1]) - 1).astype(int).T
                found = depth[row, column]
                hidden += weight * (found < near - tolerance)
                shown += weight * ((found >= near - tolerance) & (found <= far + tolerance))
        visible = inside & np.logical_or.reduceat(facing, self._starts) & (shown > hidden)
        return np.asarray(visible)[self._back]
