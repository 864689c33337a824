"""Eyebrows: the numbers that describe a pair, and strands that lie on the skin and move with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Traits
from training.subjects.hair_colour import mixed, tones
from training.subjects.props import Colour, CurveProp, Prop, Surface
from training.subjects.scalp import vertex_normals
from training.subjects.strands import taper
from training.template import Template

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

# Strands of one full brow.
_FULL = 380
_POINTS = 5


@dataclass(frozen=True)
class Brows:
    """A pair of eyebrows; JSON-ready.

    colour linear RGB; grey share of strands in grey_colour; density 0..1 of strands; thickness and reach scale the
    band's height and its length towards the temple; arch mm the outer third is higher; raised mm the whole; tilt mm the
    tail is lower; gap mm the inner ends stand further apart; bridge 0..1 hair between them; length scales the strands;
    radius mm; disorder degrees of spread; shade 0..1 how much the skin below is darkened.
    """

    seed: int
    colour: Colour
    grey: float = 0.0
    grey_colour: Colour = (0.4, 0.4, 0.4)
    density: float = 0.8
    thickness: float = 1.0
    reach: float = 1.0
    arch: float = 0.0
    raised: float = 0.0
    tilt: float = 0.0
    gap: float = 0.0
    bridge: float = 0.0
    length: float = 1.0
    radius: float = 0.17
    disorder: float = 8.0
    shade: float = 0.3


def draw_brows(
    rng: np.random.Generator, traits: Traits, colour: Colour, grey: float = 0.0, grey_colour: Colour = (0.4, 0.4, 0.4)
) -> Brows:
    """Brows that go with a hair colour: mostly a little darker than fair hair, bushier in men and with age."""
    age = float(np.clip((traits.age - 18.0) / 72.0, 0.0, 1.0))
    male = 1.0 - traits.female
    plucked = rng.random() < 0.45 * traits.female
    bushy = float(np.clip(rng.normal(0.25 + 0.4 * male + 0.25 * age * male, 0.25), 0.0, 1.2))
    # Brows keep their pigment longer than the head's hair, and fair people's are seldom as fair.
    fair = float(np.mean(colour))
    dark = rng.uniform(0.35, 1.0) if fair > 0.05 else rng.uniform(0.7, 1.1)
    thinning = rng.uniform(0.4, 0.9) if traits.age > 60.0 and rng.random() < 0.4 else 1.0
    return Brows(
        seed=int(rng.integers(2**31)),
        colour=(float(dark * colour[0]), float(dark * colour[1]), float(dark * colour[2])),
        grey=float(np.clip(grey * rng.uniform(0.1, 1.0) ** 1.5, 0.0, 1.0)),
        grey_colour=(0.55 * grey_colour[0], 0.55 * grey_colour[1], 0.55 * grey_colour[2]),
        density=float(np.clip(rng.normal(0.52 + 0.12 * male + 0.35 * bushy, 0.16), 0.12, 1.3) * thinning),
        thickness=float((0.50 + 0.1 * rng.random() if plucked else 0.75 + 0.35 * bushy) * np.exp(rng.normal(0, 0.12))),
        reach=float(rng.uniform(0.82, 1.06)),
        arch=float(rng.normal(0.5 * traits.female + (0.7 if plucked else 0.0), 0.9)),
        raised=float(rng.normal(0.3 * traits.female, 1.0)),
        tilt=float(rng.normal(0.0, 1.6)),
        gap=float(rng.normal(0.5 * traits.female, 1.6)),
        bridge=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.03 + 0.08 * male else float(0.12 * rng.random() * male),
        length=float((0.8 if plucked else 0.9 + 0.25 * bushy) + 0.3 * age * male * rng.random()),
        radius=float(rng.uniform(0.11, 0.17)),
        disorder=float(rng.uniform(5.0, 9.0) + 9.0 * age * male * rng.random()),
        shade=float(rng.uniform(0.15, 0.45)),
    )


def brow_props(template: Template, vertices: Floats, brows: Brows) -> tuple[Prop, ...]:
    """Both brows on a posed head, vertices (N,3) mm; they follow the skin they are bound to."""
    rng = np.random.default_rng(brows.seed)
    root, heading, length = _layout(template, brows, rng)
    faces, weights = _bind(template, root)
    kept = weights.min(1) > -0.2
    faces, weights, heading, length = faces[kept], weights[kept], heading[kept], length[kept]
    corners = vertices[faces]
    start = np.einsum("sc,scd->sd", weights, corners)
    normal = np.einsum("sc,scd->sd", weights, vertex_normals(template, vertices)[faces])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    along = _carried(template.mean[faces], corners, heading)
    t = np.linspace(0.0, 1.0, _POINTS)[None, :, None]
    # Rising off the skin, then bending back along it and, at the end, down.
    rise = normal[:, None] * (0.25 + 1.3 * np.sin(np.pi * 0.8 * t)) * rng.uniform(0.5, 1.2, (len(start), 1, 1))
    sag = np.array([0.0, -0.10, 0.0]) * length[:, None, None] * t**2
    points = start[:, None] + along[:, None] * length[:, None, None] * t + rise + sag
    radius = taper(points.shape[:2], brows.radius * rng.uniform(0.7, 1.3, len(points)), tip=0.25)
    grey = rng.random(len(points)) < brows.grey
    dark, light = tones(brows.colour, brows.grey_colour, brows.grey)
    return tuple(
        CurveProp("brows", points[mask].astype(np.float32), radius[mask], Surface("hair", colour, roughness=0.55))
        for mask, colour in ((~grey, dark), (grey, light))
        if mask.any()
    )


def brow_cover(template: Template, brows: Brows) -> Floats:
    """How much brows darken the skin below them, per vertex (N,) 0..1."""
    spine = _spine(template, brows, np.linspace(0.0, 1.0, 15))
    points = np.concatenate([spine, spine * [-1.0, 1.0]])
    x, y, z = template.mean.T
    chosen = np.flatnonzero(template.region("skin") & (z > 40.0) & (np.abs(y - spine[:, 1].mean()) < 30.0))
    cover = np.zeros(len(template.mean), np.float32)
    across = ((x[chosen, None] - points[:, 0]) / 6.0) ** 2 + (
        (y[chosen, None] - points[:, 1]) / 3.4 / brows.thickness
    ) ** 2
    cover[chosen] = brows.shade * min(brows.density, 1.0) * np.exp(-across.min(1))
    return cover


def brow_shade(brows: Brows) -> Floats:
    """The colour (3,) linear RGB that the skin below brows is darkened to."""
    return mixed(brows.colour, brows.grey_colour, brows.grey)


def _spine(template: Template, brows: Brows, t: Floats) -> Floats:
    """The middle line of the left brow in front view, (len(t),2) mm, t 0 at the nose and 1 at the temple."""
    marks = template.mean[template.landmarks68]
    curve = 0.5 * (marks[22:27, :2] + marks[21:16:-1, :2] * [-1.0, 1.0])
    # The marks' polyline has corners; a brow has none.
    knots = np.linspace(0.0, 1.0, len(curve))
    at = t * brows.reach
    x, y = (np.polyval(np.polyfit(knots, curve[:, axis], 2), at) for axis in (0, 1))
    x = x + brows.gap * (1.0 - at) ** 2
    y = y + brows.raised + brows.arch * np.exp(-(((at - 0.62) / 0.24) ** 2)) - brows.tilt * (at - 0.35)
    return np.stack([x, y], 1)


def _layout(template: Template, brows: Brows, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Roots (S,2), headings (S,2) unit and lengths (S,) in front view on the mean head, both sides."""
    count = round(_FULL * brows.density)
    parts = []
    for side in (1.0, -1.0):
        # Thinner towards the nose: the inner end has no edge.
        t = np.clip(np.linspace(0.0, 1.0, count) ** 0.75 + rng.normal(0.0, 0.02, count), 0.0, 1.0)
        across = np.clip(rng.normal(0.0, 0.30, count), -0.6, 0.6)
        width = brows.thickness * np.interp(t, [0.0, 0.15, 0.45, 0.75, 1.0], [4.6, 7.4, 7.2, 5.0, 1.6])
        spine = _spine(template, brows, t)
        roots = spine + np.stack([0.0 * t, across * width], 1)
        angle = np.interp(t, [0.0, 0.12, 0.35, 0.65, 1.0], [66.0, 44.0, 20.0, -4.0, -26.0]) - 34.0 * across
        angle = np.radians(angle + rng.normal(0.0, brows.disorder, count))
        length = brows.length * np.interp(t, [0.0, 0.2, 0.7, 1.0], [4.5, 6.8, 7.6, 5.0]) * rng.uniform(0.7, 1.15, count)
        heading = np.stack([np.cos(angle), np.sin(angle)], 1)
        # The strands' middles, not their roots, make up the band that one sees.
        roots = roots - 0.5 * length[:, None] * heading * [0.4, 1.0]
        parts.append((roots * [side, 1.0], heading * [side, 1.0], length))
    between = round(60 * brows.bridge)
    if between:
        inner = _spine(template, brows, np.zeros(1))[0]
        x = rng.uniform(-1.0, 1.0, between) * inner[0]
        y = inner[1] + rng.normal(-1.0, 2.2, between)
        angle = np.radians(90.0 - 40.0 * x / inner[0] + rng.normal(0.0, 15.0, between))
        heading = np.stack([np.cos(angle), np.sin(angle)], 1)
        parts.append((np.stack([x, y], 1), heading, rng.uniform(3.0, 6.0, between)))
    roots, headings, lengths = (np.concatenate(values) for values in zip(*parts, strict=True))
    return roots, headings, lengths


def _bind(template: Template, points: Floats) -> tuple[Ints, Floats]:
    """The skin triangle (S,3) before each front-view point (S,2) of the mean head, and barycentric weights (S,3)."""
    faces = template.triangles[np.repeat(template.material == 0, 2)]
    near = template.mean[:, :2]
    low, high = np.abs(points).min(0) - [8.0, 4.0], np.abs(points).max(0) + 6.0
    inside = (np.abs(near) > low).all(1) & (np.abs(near) < high).all(1)
    inside &= (near[:, 1] > 0.0) & (template.mean[:, 2] > 40.0)
    faces = faces[inside[faces].all(1)]
    corners = near[faces]
    area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    faces, corners, area = faces[area > 1e-3], corners[area > 1e-3], area[area > 1e-3]
    # Each weight is linear in the point: its value is the constant of the edge across plus the point's part.
    weights = []
    p = points.astype(np.float32)
    for k in range(3):
        b, c = corners[:, (k + 1) % 3], corners[:, (k + 2) % 3]
        edge = (c - b) / area[:, None]
        weights.append(np.outer(p[:, 1], edge[:, 0]) - np.outer(p[:, 0], edge[:, 1]) + _cross(b, c) / area)
    best = np.argmax(np.minimum(np.minimum(weights[0], weights[1]), weights[2]), axis=1)
    rows = np.arange(len(points))
    return faces[best], np.stack([part[rows, best] for part in weights], 1)


def _cross(a: Floats, b: Floats) -> Floats:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _carried(rest: Floats, posed: Floats, heading: Floats) -> Floats:
    """Front-view directions (S,2) on triangles at rest (S,3,3) as unit vectors (S,3) on the posed triangles."""
    first, second = rest[:, 1] - rest[:, 0], rest[:, 2] - rest[:, 0]
    area = _cross(first[:, :2], second[:, :2])
    u = _cross(heading, second[:, :2]) / area
    v = _cross(first[:, :2], heading) / area
    moved = u[:, None] * (posed[:, 1] - posed[:, 0]) + v[:, None] * (posed[:, 2] - posed[:, 0])
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
