"""A face in the photo at a fixed scale, beside its coarse geometry: what the network for detail sees, and what its
answer means.

The photo is divided by the shading of the coarse geometry under light that is estimated (`light.py`), and by what is
left of it that is broad, which is reflectance: Richardson et al. 2016, section 7, after Or-El et al. 2015. The answer
is a height over the coarse surface for each pixel; how its differences between pixels tilt the surface follows from
where the pixels' rays meet the surface's tangent plane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .light import fit_light, shading
from .raster import NOTHING, rasterise, vertex_normals
from .texture import LUMINANCE, View

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

PIXEL_MM: Final = 0.5
"""What a pixel shows of the face, in the middle of its depth."""

LARGEST: Final = 640
"""Pixels of a side at most: faces so near that they would be larger are looked at from a little farther."""

BROAD_MM: Final = 8.0
"""Standard deviation of the blur that tells what is reflectance or light rather than relief."""

STEP: Final = 8
"""Sides are multiples of this: the network halves them three times."""

CHANNELS: Final = ("red", "green", "blue", "along_x", "along_y", "x", "y", "z", "bright", "skin")
"""What the network sees of each pixel: logarithms of the detail of three colours, in tenths; by how much that of light
changes with the height's slope to the right and down; the normal in camera axes; the logarithm of shading to its
mean; and whether the coarse face is there."""

_SAMPLES = 20_000
_TILT = 0.05
_DARK = 0.004  # linear light that an 8-bit picture tells apart from none


@dataclass(frozen=True)
class Closeup:
    """A piece of the photo of h x w pixels; all arrays are of its pixels, vectors in camera axes (x right, y down).

    `scale` pixels of it make one of the photo, whose point `corner` (x, y) is its upper left corner. `channels` (C, h,
    w) as `CHANNELS`; `present` (h, w) where the coarse face is seen; `depth` mm; `normals` (h, w, 3); `right` and
    `down` (h, w, 3): the surface's gradient, mm per mm, for a height that grows by 1 mm a pixel to the right, or down.
    `share` (h, w) 0..1 of the relief that is wanted. `light` (9, 3) is in camera axes.
    """

    corner: tuple[float, float]
    scale: float
    channels: NDArray[np.float32]
    present: NDArray[np.bool_]
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]
    right: NDArray[np.float32]
    down: NDArray[np.float32]
    share: NDArray[np.float32]
    light: NDArray[np.float64]

    def places(self, pixels: Floats) -> NDArray[np.float64]:
        """Pixels of the photo (K, 2) -> where they are here (K, 2), centres at .5."""
        moved: NDArray[np.float64] = (np.asarray(pixels, np.float64) - self.corner) * self.scale
        return moved

    def tilt(self, height: Floats) -> NDArray[np.float32]:
        """The gradient (h, w, 3) along the surface of a height (h, w) mm; the normal becomes normals - gradient."""
        down, right = np.gradient(np.asarray(height, np.float32))
        tilted: NDArray[np.float32] = right[..., None] * self.right + down[..., None] * self.down
        return tilted


def look_closely(
    view: View,
    vertices: Floats,
    triangles: Ints,
    model: Floats,
    wanted: Floats,
    shift: Floats | None = None,
    like: Closeup | None = None,
) -> Closeup | None:
    """The face as the photo shows it; None where it shows nothing of it.

    `vertices` (V, 3) mm with the photo's expression, `triangles` (F, 3), `model` (V, 3) linear albedo, `wanted` (V,)
    how much each vertex may have of relief, 0 beyond the face, `shift` (V, 2) pixels from where the view projects a
    vertex to where the photo shows it. The piece of the photo is the face's, or that of another closeup it is to be
    `like`.
    """
    seen = view.project(vertices)
    if shift is not None:
        seen[:, :2] += shift
    normals = vertex_normals(vertices, triangles) @ np.asarray(view.rotation).T
    face = np.flatnonzero((np.asarray(wanted) > 0) & (seen[:, 2] > 1.0))
    placed = _placed(view, seen[face]) if len(face) else None
    if placed is None:
        return None
    corner, scale, (width, height) = placed
    if like is not None:
        corner, scale, (height, width) = like.corner, like.scale, like.present.shape
    pixels = np.concatenate([(seen[:, :2] - corner) * scale, seen[:, 2:]], 1)
    raster = rasterise(pixels, triangles, (width, height))
    values = np.concatenate([normals, model, np.asarray(wanted)[:, None], seen[:, 2:]], 1)
    drawn = raster.interpolate(triangles, values)
    share, depth = drawn[..., 6], drawn[..., 7]
    present = (raster.triangle != NOTHING) & (share > 0)
    if not present.any():
        return None
    normal = drawn[..., :3] / np.maximum(np.linalg.norm(drawn[..., :3], axis=2, keepdims=True), 1e-6)
    rays = _rays(view, corner, scale, (width, height))
    normal, right, down = _tangents(normal, rays, depth, view.focal * scale)
    nothing, dark = np.zeros((0, height, width), np.float32), np.zeros((9, 3))
    bare = Closeup(corner, scale, nothing, present, depth, normal, right, down, share * present, dark)
    return with_picture(bare, _resampled(view.picture, corner, scale, (width, height)), drawn[..., 3:6])


def with_picture(look: Closeup, picture: NDArray[np.float32], albedo: Floats) -> Closeup:
    """The same geometry, seen in a picture (h, w, 3), linear RGB, of about that albedo (h, w, 3)."""
    present, facing = look.present, -look.normals[..., 2]
    # Broad things are told from what is surely skin: not lips, lids, brows, nor what turns away.
    sure = look.share * np.clip((facing - 0.2) / 0.3, 0.0, 1.0)
    light = _light(picture[present], albedo[present], look.normals[present], sure[present])
    channels = _channels(picture, look.normals, look.right, look.down, light, present, sure)
    return replace(look, channels=channels, light=light)


def _placed(view: View, seen: Floats) -> tuple[tuple[float, float], float, tuple[int, int]] | None:
    """Corner, scale and size of a piece around vertices that are `seen` (K, 3), as far as it is in the photo."""
    limit = np.array(view.picture.shape[1::-1], np.float64)
    low, high = np.clip(seen[:, :2].min(0), 0, limit), np.clip(seen[:, :2].max(0), 0, limit)
    if (high - low).min() < 2.0:
        return None
    scale = float(np.median(seen[:, 2])) / view.focal / PIXEL_MM
    scale = min(scale, LARGEST / float((high - low).max()))
    width, height = (int(np.ceil(extent * scale / STEP)) * STEP for extent in high - low)
    return (float(low[0]), float(low[1])), scale, (width, height)


def _rays(view: View, corner: tuple[float, float], scale: float, size: tuple[int, int]) -> NDArray[np.float32]:
    """Where each pixel looks (h, w, 3), z = 1."""
    middle = np.array(view.picture.shape[1::-1]) / 2.0
    x = (corner[0] + (np.arange(size[0]) + 0.5) / scale - middle[0]) / view.focal
    y = (corner[1] + (np.arange(size[1]) + 0.5) / scale - middle[1]) / view.focal
    rays = np.ones((size[1], size[0], 3), np.float32)
    rays[..., 0], rays[..., 1] = x, y[:, None]
    return rays


def _tangents(
    normal: NDArray[np.float32], rays: NDArray[np.float32], depth: NDArray[np.float32], focal: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Normals, and the surface's gradients for a height of 1 mm a pixel to the right, and down (h, w, 3) each.

    A pixel further, the ray meets the tangent plane `a` (or `b`) away; the gradients are the dual vectors of these two.
    What hardly faces the camera is taken as a little less turned, so that they stay finite.
    """
    length = np.linalg.norm(rays, axis=2, keepdims=True)
    facing = (normal * rays).sum(2, keepdims=True) / length
    normal = normal + np.minimum(0.0, -0.15 - facing) * rays / length
    normal = normal / np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-6)
    along = np.minimum((normal * rays).sum(2, keepdims=True), -0.1)
    unit = depth[..., None] / np.float32(focal)
    first = -rays * normal[..., :1] / along
    second = -rays * normal[..., 1:2] / along
    first[..., 0] += 1.0
    second[..., 1] += 1.0
    first, second = first * unit, second * unit
    aa, ab, bb = ((one * other).sum(2) for one, other in ((first, first), (first, second), (second, second)))
    determinant = np.maximum(aa * bb - ab * ab, 1e-6)[..., None]
    right = (bb[..., None] * first - ab[..., None] * second) / determinant
    down = (aa[..., None] * second - ab[..., None] * first) / determinant
    return normal.astype(np.float32), right.astype(np.float32), down.astype(np.float32)


def _resampled(
    picture: NDArray[np.float32], corner: tuple[float, float], scale: float, size: tuple[int, int]
) -> NDArray[np.float32]:
    """A piece (h, w, 3) of a picture, averaged where its pixels are larger; its borders go on."""
    height, width = picture.shape[:2]
    box = corner[0], corner[1], corner[0] + size[0] / scale, corner[1] + size[1] / scale
    left, top = int(np.floor(box[0])), int(np.floor(box[1]))
    right, bottom = int(np.ceil(box[2])) + 1, int(np.ceil(box[3])) + 1
    rows, columns = np.arange(top, bottom).clip(0, height - 1), np.arange(left, right).clip(0, width - 1)
    part = picture[rows[:, None], columns[None]]
    inner = box[0] - left, box[1] - top, box[2] - left, box[3] - top
    planes = [
        Image.fromarray(np.ascontiguousarray(part[..., k])).resize(size, Image.Resampling.BICUBIC, box=inner)
        for k in range(3)
    ]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], 2)


def _light(colours: Floats, albedo: Floats, normals: Floats, sure: Floats) -> NDArray[np.float64]:
    chosen = np.flatnonzero(sure > 0.5)
    chosen = chosen[:: max(1, len(chosen) // _SAMPLES)]
    return fit_light(colours[chosen], np.maximum(albedo[chosen], 1e-3), normals[chosen], np.asarray(sure)[chosen])


def _channels(
    picture: NDArray[np.float32],
    normal: NDArray[np.float32],
    right: NDArray[np.float32],
    down: NDArray[np.float32],
    light: NDArray[np.float64],
    present: NDArray[np.bool_],
    sure: Floats,
) -> NDArray[np.float32]:
    grey = np.asarray(light @ LUMINANCE)[:, None]
    at = np.flatnonzero(present)
    here = normal.reshape(-1, 3)[at]
    bright = shading(grey, here)[:, 0]
    mean = max(float(bright.mean()), 1e-4)
    floor = 0.08 * mean

    def tilted(gradient: NDArray[np.float32]) -> Floats:
        # Per mm and mm, not per pixel.
        turned = here - _TILT * PIXEL_MM * gradient.reshape(-1, 3)[at]
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
        change: Floats = (shading(grey, turned)[:, 0] - bright) / (_TILT * np.maximum(bright, floor))
        return change

    filled = np.zeros((len(CHANNELS), *present.shape), np.float32)
    flat = filled.reshape(len(CHANNELS), -1)
    shone = np.log(np.maximum(bright, floor))
    ratio = np.zeros((*present.shape, 3), np.float32)
    ratio.reshape(-1, 3)[at] = np.log(np.maximum(picture.reshape(-1, 3)[at], _DARK)) - shone[:, None]
    weight = np.asarray(sure, np.float32) + np.float32(1e-3) * present
    broad = blurred(np.concatenate([ratio * weight[..., None], weight[..., None]], 2), BROAD_MM / PIXEL_MM)
    detail = ratio - broad[..., :3] / np.maximum(broad[..., 3:], 1e-6)
    flat[:3, at] = 10.0 * np.clip(detail.reshape(-1, 3)[at].T, -1.0, 1.0)
    flat[3, at], flat[4, at] = np.clip(tilted(right), -3.0, 3.0), np.clip(tilted(down), -3.0, 3.0)
    flat[5:8, at] = here.T
    flat[8, at] = np.clip(shone - np.log(mean), -2.0, 2.0)
    flat[9, at] = 1.0
    return filled


def blurred(values: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """A blur (h, w, C) by three boxes, which is nearly Gaussian; what is outside counts as zero."""
    half = max(1, round((np.sqrt(4.0 * deviation**2 + 1.0) - 1.0) / 2.0))
    for _ in range(3):
        for axis in (0, 1):
            padding = [(half + 1, half) if k == axis else (0, 0) for k in range(3)]
            total = np.cumsum(np.pad(values, padding), axis=axis, dtype=np.float64)
            count = values.shape[axis]
            upper = np.take(total, np.arange(2 * half + 1, 2 * half + 1 + count), axis)
            lower = np.take(total, np.arange(count), axis)
            values = ((upper - lower) / (2 * half + 1)).astype(np.float32)
    return values
