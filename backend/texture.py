"""The skin's texture from one photo: projected, light taken out, hidden parts completed.

What the photo shows of the skin is divided by the shading that nine spherical harmonics make of the head's normals.
What it does not show is taken from the other side of the face, and where that is hidden too, from the reflectance model
with the photo's tone: the ratio of what was seen to the model is carried on smoothly over the mesh, so that nothing
ends at a line (Richardson et al. 2016, section 8, completes with the model alone).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .atlas import Atlas
from .light import fit_light, shading
from .raster import NOTHING, rasterise, vertex_normals

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

SEEN, MIRRORED, INVENTED = 255, 128, 0
"""What the map of origins says of a texel."""

GRAZING: Final = (0.15, 0.55)
"""Cosines of the angle between skin and sight below which a texel is not trusted, and above which it is."""

HIDDEN_MM: Final = 3.0
"""Skin this far behind what the picture shows is hidden."""

WORKING: Final = 640
"""Pixels of the larger side of the head at which visibility is decided."""

ODD: Final = (0.9, 1.6)
"""Logarithms of the ratio to the model: from the first on a colour is doubted, beyond the second it is not skin."""

EVENNESS: Final = 0.7
"""Share of broad differences from the model that is put down to light: cast shadows, and lamps that are near."""

_REACH = 6.0
"""How far tone is carried over the mesh, in edges, against how well it was seen."""


@dataclass(frozen=True)
class View:
    """A photo in linear RGB (H, W, 3) and how the head stands in it: head space mm -> camera space -> pixels."""

    picture: NDArray[np.float32]
    rotation: Floats
    translation: Floats
    focal: float

    def project(self, points: Floats) -> NDArray[np.float64]:
        """Points (V, 3) in head space -> pixels and depth (V, 3)."""
        seen = np.asarray(points, np.float64) @ np.asarray(self.rotation).T + self.translation
        middle = np.array(self.picture.shape[1::-1]) / 2
        return np.concatenate([self.focal * seen[:, :2] / seen[:, 2:] + middle, seen[:, 2:]], 1)

    def directions(self, points: Floats) -> NDArray[np.float64]:
        """Unit vectors (V, 3) in head space from points to the camera."""
        away = -np.asarray(self.rotation).T @ self.translation - points
        unit: NDArray[np.float64] = away / np.linalg.norm(away, axis=1, keepdims=True)
        return unit


@dataclass(frozen=True)
class Texture:
    """`albedo` (K, 3) linear RGB and `origin` (K,) of the atlas' texels; `light` (9, 3) that was taken out.

    `projected` (K, 3) is the photo as it is, `trust` (K,) how well each texel was seen, 0..1.
    """

    albedo: NDArray[np.float32]
    origin: NDArray[np.uint8]
    light: NDArray[np.float64]
    projected: NDArray[np.float32]
    trust: NDArray[np.float32]


def make_texture(atlas: Atlas, view: View, vertices: Floats, triangles: Ints, model: Floats, face: Floats) -> Texture:
    """The texture of a head as it stands in the photo.

    `vertices` (V, 3) mm with the photo's expression, `triangles` (F, 3) of all that hides skin, `model` (V, 3) linear
    albedo to go by, `face` (V,) which vertices the light is measured on.
    """
    normals = vertex_normals(vertices, triangles)
    normal = atlas.interpolate(normals)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    point = atlas.interpolate(vertices)
    place = view.project(point)
    facing = (normal * view.directions(point)).sum(1)
    trust = _visible(view, vertices, triangles, place, facing)
    projected = _sampled(view.picture, place[:, :2])
    albedo = np.maximum(atlas.interpolate(model), 1e-3)
    on_face = atlas.interpolate(np.asarray(face, np.float32)[:, None])[:, 0] * trust
    chosen = np.flatnonzero(on_face > 0.3)
    chosen = chosen[:: max(1, len(chosen) // 20_000)]
    light = fit_light(projected[chosen], albedo[chosen], normal[chosen], on_face[chosen])
    bright = shading(light, normal)
    middle = np.maximum((bright[chosen] if len(chosen) else bright).mean(0), 1e-4)
    trust = trust * _step(bright.mean(1) / middle.mean(), 0.08, 0.3)
    ratio = np.log(np.maximum(projected, 1e-3) / (albedo * np.maximum(bright, 0.08 * middle)))
    trust = trust * (1.0 - _step(np.abs(ratio).max(1), *ODD))
    return _completed(atlas, albedo, ratio, trust, len(vertices), light, projected)


def _completed(
    atlas: Atlas, model: Floats, ratio: Floats, trust: Floats, count: int, light: Floats, projected: Floats
) -> Texture:
    broad, weight = atlas.gather(ratio, trust, count)
    tone = atlas.interpolate(spread(broad, weight, atlas.edges))
    # Broad differences between photo and model are more often light than skin.
    level = (trust[:, None] * ratio).sum(0) / max(trust.sum(), 1e-9)
    kept = ratio - EVENNESS * (tone - level)
    tone = level + (1.0 - EVENNESS) * (tone - level)
    other = np.where(atlas.mirrored >= 0, atlas.mirrored, 0)
    mirrored_trust = np.where(atlas.mirrored >= 0, trust[other], 0.0) * (1.0 - trust)
    detail = trust[:, None] * (kept - tone) + mirrored_trust[:, None] * (kept - tone)[other]
    albedo = np.clip(model * np.exp(tone + detail), 0.0, 1.0)
    origin = np.where(trust >= 0.5, SEEN, np.where(mirrored_trust >= 0.25, MIRRORED, INVENTED))
    return Texture(
        albedo.astype(np.float32),
        origin.astype(np.uint8),
        np.asarray(light, np.float64),
        projected.astype(np.float32),
        trust.astype(np.float32),
    )


def spread(values: Floats, weight: Floats, edges: Ints, steps: int = 80) -> NDArray[np.float64]:
    """Smooth values (V, C) near those that have weight (V,), carried on over the mesh where there is none.

    The minimum of sum w |x - values|^2 + reach^2 sum over edges |x_a - x_b|^2 + a little |x|^2, by conjugate gradients.
    """
    weight = np.asarray(weight, np.float64)
    weight = weight / max(weight.max(), 1e-12)
    a, b = edges.T
    degree = np.bincount(edges.ravel(), minlength=len(weight))
    diagonal = weight + _REACH**2 * degree + 1e-4

    def apply(x: NDArray[np.float64]) -> NDArray[np.float64]:
        neighbours = np.stack(
            [np.bincount(a, x[b, k], len(x)) + np.bincount(b, x[a, k], len(x)) for k in range(x.shape[1])], 1
        )
        applied: NDArray[np.float64] = diagonal[:, None] * x - _REACH**2 * neighbours
        return applied

    level = (weight[:, None] * values).sum(0) / max(weight.sum(), 1e-12)
    x = np.zeros((len(weight), np.asarray(values).shape[1]))
    residual = weight[:, None] * (values - level)
    search = residual / diagonal[:, None]
    size = (residual * search).sum(0)
    for _ in range(steps):
        ahead = apply(search)
        length = size / np.maximum((search * ahead).sum(0), 1e-30)
        x += length * search
        residual = residual - length * ahead
        conditioned = residual / diagonal[:, None]
        fresh = (residual * conditioned).sum(0)
        search = conditioned + fresh / np.maximum(size, 1e-30) * search
        size = fresh
    carried: NDArray[np.float64] = x + level
    return carried


def _visible(view: View, vertices: Floats, triangles: Ints, place: Floats, facing: Floats) -> NDArray[np.float64]:
    """How well each texel can be seen, 0..1: before the camera, in the picture, facing it, and not behind anything."""
    seen = view.project(vertices)
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    scale = WORKING / max(float((high - low).max()), 1.0)
    size = tuple(int(np.ceil(extent * scale)) + 1 for extent in high - low)
    points = np.concatenate([(seen[:, :2] - low) * scale, seen[:, 2:]], 1)
    raster = rasterise(points, triangles, (size[0], size[1]))
    depth = np.where(raster.triangle == NOTHING, np.inf, raster.interpolate(triangles, seen[:, 2:])[..., 0])
    at = np.floor((place[:, :2] - low) * scale).astype(np.int64)
    at = at.clip(0, np.array(size) - 1)
    behind = place[:, 2] - depth[at[:, 1], at[:, 0]]
    height, width = view.picture.shape[:2]
    margin = np.minimum(place[:, :2], np.array([width, height]) - place[:, :2]).min(1)
    inside = _step(margin, 0.0, 0.01 * max(width, height))
    return _step(facing, *GRAZING) * (1.0 - _step(behind, 0.5 * HIDDEN_MM, HIDDEN_MM)) * inside


def _sampled(picture: NDArray[np.float32], places: Floats) -> NDArray[np.float32]:
    """Bilinear samples (K, C) of a picture (H, W, C) at pixels (K, 2), centres at .5; borders go on."""
    height, width = picture.shape[:2]
    at = np.asarray(places) - 0.5
    corner = np.floor(at).astype(np.int64)
    share = (at - corner).astype(np.float32)
    x0, x1 = (np.clip(corner[:, 0] + k, 0, width - 1) for k in (0, 1))
    y0, y1 = (np.clip(corner[:, 1] + k, 0, height - 1) for k in (0, 1))
    right, down = share[:, :1], share[:, 1:]
    top = picture[y0, x0] * (1 - right) + picture[y0, x1] * right
    bottom = picture[y1, x0] * (1 - right) + picture[y1, x1] * right
    mixed: NDArray[np.float32] = top * (1 - down) + bottom * down
    return mixed


def _step(values: Floats, low: float, high: float) -> NDArray[np.float64]:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((np.asarray(values, np.float64) - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
