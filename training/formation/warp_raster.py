# mypy: ignore-errors
"""The rasteriser's kernels in NVIDIA Warp (Apache-2.0): one thread a triangle, compiled for the CPU or for CUDA.

No `from __future__ import annotations` here: Warp reads the kernels' annotations as they stand.
"""

import torch
import warp as wp

wp.config.quiet = True
wp.init()
wp.set_module_options({"enable_backward": False})

# A pixel's nearest triangle is found again by its depth: as near as this counts as the same.
_SAME = wp.constant(1.000001)
_FAR = 3.0e38


@wp.func
def _edge(a: wp.vec3, b: wp.vec3, x: float, y: float):
    return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])


@wp.kernel
def _draw(
    points: wp.array(dtype=wp.vec3, ndim=2),
    triangles: wp.array(dtype=wp.vec3i),
    depth: wp.array(dtype=float, ndim=3),
    found: wp.array(dtype=int, ndim=3),
    naming: int,
):
    face, number = wp.tid()
    corners = triangles[number]
    a = points[face, corners[0]]
    b = points[face, corners[1]]
    c = points[face, corners[2]]
    area = _edge(a, b, c[0], c[1])
    if area >= 0.0 or a[2] <= 0.0 or b[2] <= 0.0 or c[2] <= 0.0:
        return
    size = depth.shape[1]
    left = wp.max(int(wp.ceil(wp.min(wp.min(a[0], b[0]), c[0]) - 0.5)), 0)
    right = wp.min(int(wp.floor(wp.max(wp.max(a[0], b[0]), c[0]) - 0.5)), size - 1)
    top = wp.max(int(wp.ceil(wp.min(wp.min(a[1], b[1]), c[1]) - 0.5)), 0)
    bottom = wp.min(int(wp.floor(wp.max(wp.max(a[1], b[1]), c[1]) - 0.5)), size - 1)
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            x = float(column) + 0.5
            y = float(row) + 0.5
            u = _edge(b, c, x, y)
            v = _edge(c, a, x, y)
            w = _edge(a, b, x, y)
            if u <= 0.0 and v <= 0.0 and w <= 0.0:
                near = area / (u / a[2] + v / b[2] + w / c[2])
                if naming == 0:
                    wp.atomic_min(depth, face, row, column, near)
                elif near <= depth[face, row, column] * _SAME:
                    wp.atomic_max(found, face, row, column, number)


def rasterise_in_warp(points: torch.Tensor, triangles: torch.Tensor, size: int) -> torch.Tensor:
    """As :func:`training.formation.raster.rasterise`, on the points' device."""
    count = len(points)
    device = points.device
    seen = wp.from_torch(points.float().contiguous(), dtype=wp.vec3)
    corners = wp.from_torch(triangles.to(torch.int32).contiguous(), dtype=wp.vec3i)
    depth = torch.full((count, size, size), _FAR, device=device)
    found = torch.full((count, size, size), -1, dtype=torch.int32, device=device)
    where = wp.device_from_torch(device)
    # First how near the nearest triangle is, then which one it is: no atomic of two values at once is needed.
    for naming in (0, 1):
        inputs = [seen, corners, wp.from_torch(depth), wp.from_torch(found), naming]
        wp.launch(_draw, (count, len(triangles)), inputs=inputs, device=where)
    return found.long()
