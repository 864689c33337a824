"""Which triangle each pixel shows: by NVIDIA Warp where it is installed (CPU and CUDA), else in PyTorch.

Both go over triangles and keep the nearest at each pixel centre; triangles that look away are left out. Nothing here
has gradients: `training.formation.picture` takes them through the corners of the triangles that are found.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import torch
from torch import Tensor

Engine = Literal["auto", "warp", "torch"]

NOTHING = -1


def rasterise(points: Tensor, triangles: Tensor, size: int, engine: Engine = "auto") -> Tensor:
    """Triangles (B,size,size) int64 seen at pixel centres, -1 where there is none.

    points (B,V,3) are pixels (x right, y down) and depth mm, in front of the camera; triangles (F,3) have their corners
    anticlockwise seen from outside the surface. Raises `ImportError` for an engine that is not installed.
    """
    points = points.detach()
    if engine == "torch" or (engine == "auto" and not warp_is_installed()):
        return torch.stack([_rasterise_in_torch(each, triangles, size) for each in points])
    from training.formation.warp_raster import rasterise_in_warp

    return rasterise_in_warp(points, triangles, size)


@cache
def warp_is_installed() -> bool:
    """Whether NVIDIA Warp can be imported."""
    try:
        import warp  # noqa: F401
    except ImportError:
        return False
    return True


def _rasterise_in_torch(points: Tensor, triangles: Tensor, size: int) -> Tensor:
    corners = points[triangles].double()
    xy, depth = corners[..., :2], corners[..., 2]
    area = _edges(xy[:, 0], xy[:, 1], xy[:, 2])
    low = torch.ceil(xy.amin(1) - 0.5).clamp(min=0).long()
    high = torch.floor(xy.amax(1) - 0.5).clamp(max=size - 1).long()
    extent = high - low + 1
    chosen = ((area < 0) & (extent > 0).all(1) & (depth > 0).all(1)).nonzero()[:, 0]
    low, extent = low[chosen], extent[chosen]
    # Every pixel of every triangle's box, as one list.
    count = extent.prod(1)
    which = torch.repeat_interleave(torch.arange(len(chosen), device=points.device), count)
    place = torch.arange(len(which), device=points.device) - (count.cumsum(0) - count)[which]
    x, y = low[which, 0] + place % extent[which, 0], low[which, 1] + place // extent[which, 0]
    pixel = torch.stack([x, y], 1) + 0.5
    a, b, c = (xy[chosen[which], i] for i in range(3))
    weights = torch.stack([_edges(b, c, pixel), _edges(c, a, pixel), _edges(a, b, pixel)], 1)
    covered = (weights <= 0).all(1).nonzero()[:, 0]
    triangle = chosen[which[covered]]
    at = y[covered] * size + x[covered]
    near = area[triangle] / (weights[covered] / depth[triangle]).sum(1)
    nearest = torch.full((size * size,), torch.inf, dtype=torch.float64, device=points.device)
    nearest.scatter_reduce_(0, at, near, "amin")
    found = torch.full((size * size,), NOTHING, device=points.device)
    first = near <= nearest[at]
    found.scatter_reduce_(0, at[first], triangle[first], "amax")
    return found.reshape(size, size)


def _edges(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Twice the signed area of a, b, c (…,2): negative where they go round anticlockwise with y down."""
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
