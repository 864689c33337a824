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

ODD: Final = (2.2, 3.6)
"""Distances (Mahalanobis) from the skin's usual ratio to the model: from the first on a colour is doubted, beyond the
second it is not skin but hair, cloth, or something in the way."""

GLARING: Final = (0.5, 0.9)
"""Logarithms of how much greener and bluer than usual something is: skin and its features are darker, if anything, and
what is that much brighter is teeth, the white of an eye, or a highlight."""

LONE: Final = (0.55, 0.9)
"""Shares of skin around a texel: below the first it is not trusted, whatever its own colour."""

HUE: Final = (0.12, 0.5)
"""Logarithms of how much redder, greener or bluer a detail gets at most, on plain skin and on features."""

LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])
"""Of linear sRGB (IEC 61966-2-1)."""

BRIGHTER: Final = 0.2
"""Logarithm of how much brighter than its surroundings a detail gets at most: what is more is a highlight."""

DARKER: Final = (0.35, 2.5)
"""Logarithms of how much darker a detail gets at most, on plain skin and on brows, lashes, nostrils and lips."""

_SPREAD_FLOOR = 0.12
"""Least standard deviation of the ratio's logarithm: an even skin is no reason to doubt a freckle."""

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
class Regions:
    """How much each vertex (V,) is of a part of the head, 0..1.

    `face`: light is measured there. `plain`: hair seldom hides it, so that it shows how skin looks in this photo.
    `features`: brows, eyes, nostrils and lips, which may be darker than skin. `covered`: hair covers it, whatever the
    photo shows.
    """

    face: Floats
    plain: Floats
    features: Floats
    covered: Floats

    @classmethod
    def bare(cls, face: Floats) -> Regions:
        """A face (V,) without features and hair."""
        nothing = np.zeros(len(face))
        return cls(face, face, nothing, nothing)


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


def make_texture(
    atlas: Atlas,
    view: View,
    vertices: Floats,
    triangles: Ints,
    model: Floats,
    regions: Regions,
    shift: Floats | None = None,
) -> Texture:
    """The texture of a head as it stands in the photo.

    `vertices` (V, 3) mm with the photo's expression, `triangles` (F, 3) of all that hides skin, `model` (V, 3) linear
    albedo to go by, `shift` (V, 2) pixels from where the view projects a vertex to where the photo shows it.
    """
    normals = vertex_normals(vertices, triangles)
    bare = 1.0 - np.asarray(regions.covered, np.float64)
    # Most of the texels show the back of the head, where there is nothing to look at.
    turned = (normals * view.directions(vertices)).sum(1) > 0
    part = np.flatnonzero((turned & (bare > 0))[atlas.corners].any(1))
    seen = atlas.part(part)
    normal = seen.interpolate(normals)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    point = seen.interpolate(vertices)
    place = view.project(point)
    facing = (normal * view.directions(point)).sum(1)
    trust = _visible(view, vertices, triangles, place, facing) * _values(seen, bare)
    if shift is not None:
        place[:, :2] += seen.interpolate(shift)
    projected = sampled(view.picture, place[:, :2])
    albedo = np.maximum(seen.interpolate(model), 1e-3)
    on_face = _values(seen, regions.face) * trust
    chosen = np.flatnonzero(on_face > 0.3)
    chosen = chosen[:: max(1, len(chosen) // 20_000)]
    light = fit_light(projected[chosen], albedo[chosen], normal[chosen], on_face[chosen])
    light = _one_colour(light, normal[chosen] if len(chosen) else normals)
    bright = shading(light, normal)
    middle = np.maximum(shading(light, normal[chosen] if len(chosen) else normals).mean(0), 1e-4)
    trust = trust * _step(bright.mean(1) / middle.mean(), 0.08, 0.3)
    ratio = np.log(np.maximum(projected, 1e-3) / (albedo * np.maximum(bright, 0.08 * middle)))
    feature = _values(seen, regions.features)
    sure = _values(seen, regions.plain) * trust * (1.0 - feature)
    alike = _alike(ratio, sure, feature)
    # How bright skin is on the whole no photo tells: that is the model's to say.
    usual = np.flatnonzero(sure * alike > 0.3)
    ratio = ratio - (np.median(ratio[usual], axis=0) if len(usual) else 0.0)
    around, weight = seen.gather(alike[:, None], trust, len(vertices))
    around = np.where(weight > 0, around[:, 0], 0.0)
    start = np.asarray(regions.plain) > 0.5
    around[~_joined((around > LONE[0]) | (start & (around > 0)), start, atlas.edges)] = 0.0
    around = np.minimum(around, _beside(around, atlas.edges))
    trust = trust * alike * _step(_values(seen, around), *LONE)
    return _completed(atlas, part, model, ratio, trust, len(vertices), light, projected, feature)


def _values(atlas: Atlas, values: NDArray[Any]) -> NDArray[np.float32]:
    """One value of each vertex (V,) -> of each texel (K,)."""
    return atlas.interpolate(np.asarray(values, np.float32)[:, None])[:, 0]


def _one_colour(light: Floats, normals: Floats) -> NDArray[np.float64]:
    """Light (9, 3) of the same mean colour at `normals` (K, 3), that colour the same from everywhere.

    A channel that the photo clips, or hardly has, says nothing about directions; what it seems to say turns skin blue
    or orange once it is divided out.
    """
    mean = shading(light, normals).mean(0)
    grey = light @ LUMINANCE
    even: NDArray[np.float64] = grey[:, None] * mean / max(float(mean @ LUMINANCE), 1e-6)
    return even


def _alike(ratio: Floats, sure: Floats, feature: Floats | float) -> NDArray[np.float64]:
    """How far each texel's colour is one that skin can have (K,), 0..1, from its ratio's logarithm (K, 3).

    What is usual is learned where skin is `sure` (K,); a `feature` may be as dark as it likes.
    """
    chosen = np.flatnonzero(sure > 0.3)
    if len(chosen) == 0:
        return np.ones(len(ratio))
    sample = np.asarray(ratio, np.float64)[chosen[:: max(1, len(chosen) // 20_000)]]
    kept = sample
    middle, inverse = np.median(sample, axis=0), np.eye(3)
    for _ in range(4):
        centred = kept - middle
        covariance = centred.T @ centred / len(kept) + _SPREAD_FLOOR**2 * np.eye(3)
        inverse = np.linalg.inv(covariance)
        near = np.einsum("kc,cd,kd->k", sample - middle, inverse, sample - middle) < ODD[1] ** 2
        kept = sample[near] if near.sum() > 10 else kept
        middle = kept.mean(0)
    away = ratio - middle
    distance = np.sqrt(np.einsum("kc,cd,kd->k", away, inverse, away))
    alike = np.maximum(1.0 - _step(distance, *ODD), feature)
    tamed: NDArray[np.float64] = alike * (1.0 - _step(away[:, 1:].min(1), *GLARING))
    return tamed


def _beside(values: Floats, edges: Ints) -> NDArray[np.float64]:
    """The mean of each vertex' neighbours (V,)."""
    a, b = edges.T
    count = np.bincount(edges.ravel(), minlength=len(values))
    total = np.bincount(a, values[b], len(values)) + np.bincount(b, values[a], len(values))
    mean: NDArray[np.float64] = total / np.maximum(count, 1)
    return mean


def _joined(skin: NDArray[np.bool_], start: NDArray[np.bool_], edges: Ints) -> NDArray[np.bool_]:
    """Which vertices (V,) that look like `skin` are joined by such to those at the `start`: a fringe as fair as the
    skin is not.
    """
    reached = skin & start
    inside = edges[skin[edges].all(1)]
    while True:
        near = reached[inside].any(1)
        fresh = np.zeros_like(reached)
        fresh[inside[near].ravel()] = True
        if not (fresh & ~reached).any():
            return reached
        reached |= fresh


def _completed(
    atlas: Atlas,
    part: Ints,
    model: Floats,
    ratio: Floats,
    trust: Floats,
    count: int,
    light: Floats,
    projected: Floats,
    feature: Floats,
) -> Texture:
    """The whole texture from what the texels `part` show: `ratio` to the model, `trust`, `projected`, `feature`."""
    broad, weight = atlas.part(part).gather(ratio, trust, count)
    tone = atlas.interpolate(spread(broad, weight, atlas.edges))
    # Broad differences between photo and model are more often light than skin, those of hue nearly always.
    detail, whole_trust = np.zeros_like(tone), np.zeros(len(tone), np.float32)
    detail[part] = _tamed(ratio - tone[part], feature)
    whole_trust[part] = trust
    changed = np.float32(1.0 - EVENNESS) * tone.mean(1, keepdims=True) + whole_trust[:, None] * detail
    # The other side's texels may be missing here, and be hidden there.
    across = np.flatnonzero((atlas.mirrored >= 0) & (whole_trust < 1) & (whole_trust[atlas.mirrored] > 0))
    share = whole_trust[atlas.mirrored[across]] * (1.0 - whole_trust[across])
    changed[across] += share[:, None] * detail[atlas.mirrored[across]]
    origin = np.full(len(tone), INVENTED, np.uint8)
    origin[across[share >= 0.25]] = MIRRORED
    origin[whole_trust >= 0.5] = SEEN
    photo = np.zeros_like(tone)
    photo[part] = projected
    albedo = np.maximum(atlas.interpolate(model), 1e-3) * np.exp(changed)
    return Texture(np.clip(albedo, 0.0, 1.0), origin, np.asarray(light, np.float64), photo, whole_trust)


def _tamed(detail: Floats, feature: Floats) -> NDArray[np.float64]:
    """Logarithms of detail (K, 3), bent to what skin can be: little brighter, and dark or of another hue only where a
    `feature` (K,) is.
    """
    grey = detail.mean(1, keepdims=True)
    down, hue = (low + (high - low) * feature[:, None] for low, high in (DARKER, HUE))
    lightness = np.where(grey > 0, BRIGHTER * np.tanh(grey / BRIGHTER), down * np.tanh(grey / down))
    tamed: NDArray[np.float64] = lightness + hue * np.tanh((detail - grey) / hue)
    return tamed


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


def sampled(picture: NDArray[np.float32], places: Floats) -> NDArray[np.float32]:
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
