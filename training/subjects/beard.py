"""Beards and moustaches: the numbers that describe one, strands on the lower face, and stubble for the painter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Traits
from training.subjects.hair_colour import mixed, tones
from training.subjects.props import Colour, CurveProp, Prop, Surface
from training.subjects.scalp import Roots, vertex_normals
from training.subjects.skull import Capsule, ear_mask
from training.subjects.strands import frizz, gather, locks, points_last, taper, unit
from training.template import Template

Floats = NDArray[np.floating]

PARTS = ("moustache", "chin", "jaw", "sideburn", "neck")


@dataclass(frozen=True)
class Beard:
    """A beard; JSON-ready. A shaved or beardless face has length 0 and stubble 0.

    style names the cut. stubble 0..1 how dark shaved or short hair leaves the skin (see :func:`beard_cover`). The five
    parts moustache, chin, jaw, sideburn and neck 0..1: how densely each grows. length mm; long mm that the chin's hair
    is longer; droop 0..1 how far the moustache hangs beside the mouth; curl mm; cheek mm the cheek's line is higher;
    radius mm at the root; patchy 0..1; colour linear RGB, grey the share of strands in grey_colour.
    """

    style: str
    seed: int
    colour: Colour
    grey: float = 0.0
    grey_colour: Colour = (0.4, 0.4, 0.4)
    stubble: float = 0.0
    moustache: float = 0.0
    chin: float = 0.0
    jaw: float = 0.0
    sideburn: float = 0.0
    neck: float = 0.0
    length: float = 0.0
    long: float = 0.0
    droop: float = 0.2
    curl: float = 0.8
    cheek: float = 0.0
    radius: float = 0.22
    patchy: float = 0.0


_STYLES: dict[str, tuple[float, float, float, float, float]] = {
    "full": (1.0, 1.0, 1.0, 0.9, 0.45),
    "no neck": (1.0, 1.0, 1.0, 0.9, 0.0),
    "goatee": (1.0, 1.0, 0.0, 0.0, 0.0),
    "chin only": (0.0, 1.0, 0.0, 0.0, 0.0),
    "moustache": (1.0, 0.0, 0.0, 0.0, 0.0),
    "sideburns": (0.0, 0.0, 0.25, 1.0, 0.0),
    "chin strap": (0.2, 0.9, 0.55, 0.9, 0.0),
}


def draw_beard(
    rng: np.random.Generator, traits: Traits, colour: Colour, grey: float = 0.0, grey_colour: Colour = (0.4, 0.4, 0.4)
) -> Beard:
    """A beard for a subject, near its hair's colour; none for most women, stubble or a beard for half of men."""
    seed = int(rng.integers(2**31))
    redder = np.array(colour) * np.exp(rng.normal([0.12, 0.0, -0.06], 0.12)) * rng.uniform(0.7, 1.1)
    tone = (float(redder[0]), float(redder[1]), float(redder[2]))
    greyer = float(np.clip(grey * rng.uniform(0.7, 1.5), 0.0, 1.0))
    # Faces between the sexes grow little; the draws of `female` stand near 0 and 1.
    grows = float(np.clip((0.55 - traits.female) / 0.3, 0.0, 1.0)) * (1.0 - 0.35 * traits.asian)
    chosen = rng.random()
    shadow = float(np.clip(rng.beta(1.3, 4.0) * grows, 0.0, 1.0))
    if chosen > 0.62 * grows:
        return Beard("none", seed, tone, greyer, grey_colour, stubble=shadow)
    if chosen < 0.20 * grows:
        heavy = float(grows * rng.uniform(0.25, 0.85))
        return Beard(
            "stubble",
            seed,
            tone,
            greyer,
            grey_colour,
            heavy,
            *_STYLES["full"],
            length=float(rng.uniform(1.0, 3.0)),
            droop=0.6,
            cheek=float(rng.normal(0.0, 3.0)),
            radius=0.12,
            patchy=float(rng.uniform(0.0, 0.5)),
        )
    style = list(_STYLES)[int(rng.choice(7, p=[0.32, 0.22, 0.17, 0.05, 0.15, 0.04, 0.05]))]
    length = float(np.clip(np.exp(rng.normal(np.log(8.0), 0.55)), 3.0, 26.0))
    flowing = style in ("full", "goatee") and rng.random() < 0.22
    return Beard(
        style,
        seed,
        tone,
        greyer,
        grey_colour,
        float(grows * rng.uniform(0.15, 0.55)),
        *_STYLES[style],
        length=length,
        long=float(rng.uniform(10.0, 60.0)) if flowing else float(rng.uniform(0.0, 5.0)),
        droop=float(rng.uniform(0.5, 0.9) if _STYLES[style][1] > 0.0 else rng.beta(1.0, 2.4)),
        curl=float(rng.uniform(0.5, 1.6) + 1.2 * traits.african),
        cheek=float(rng.normal(0.0, 4.0)),
        radius=float(rng.uniform(0.17, 0.26)),
        patchy=float(rng.beta(1.2, 3.0)),
    )


def beard_cover(template: Template, beard: Beard) -> Floats:
    """How much beard or its shadow darkens the skin, per vertex (N,) 0..1."""
    parts = _parts(template, template.mean, beard)
    everywhere = np.maximum.reduce([parts[name] for name in PARTS])
    grown = np.maximum.reduce([parts[name] * getattr(beard, name) for name in PARTS])
    cover = np.maximum(beard.stubble * everywhere, (0.65 if beard.length > 3.0 else 0.25) * grown)
    return (cover * _beardable(template)).astype(np.float32)


def beard_shade(beard: Beard) -> Floats:
    """The colour (3,) linear RGB that the skin below a beard is darkened to."""
    return mixed(beard.colour, beard.grey_colour, beard.grey)


def beard_props(template: Template, vertices: Floats, beard: Beard) -> tuple[Prop, ...]:
    """The beard's strands on a posed head, vertices (N,3) mm; nothing for a shaved face."""
    if beard.length <= 0.0:
        return ()
    rng = np.random.default_rng(beard.seed)
    faces = template.triangles[np.repeat(template.material == 0, 2)]
    parts = _parts(template, template.mean, beard)
    grown = np.maximum.reduce([parts[name] * getattr(beard, name) for name in PARTS])
    faces = faces[(grown * _beardable(template))[faces].max(1) > 0.02]
    if not len(faces):
        return ()
    roots = Roots.scatter(template, faces, 5200)
    shares = _parts(template, roots.rest, beard)
    density = np.maximum.reduce([shares[name] * getattr(beard, name) for name in PARTS])
    density = density * roots.on(_beardable(template)[:, None].astype(np.float64))[:, 0]
    density = density * (1.0 - beard.patchy * _patches(roots.rest, rng) * (shares["jaw"] > 0.3))
    roots = roots.keep(rng.random(len(density)) < density)
    if not len(roots.rest):
        return ()
    shares = _parts(template, roots.rest, beard)
    points = _strands(template, vertices, beard, roots, shares, rng)
    radius = taper(points.shape[:2], beard.radius * rng.uniform(0.7, 1.3, len(points)))
    grey = rng.random(len(points)) < np.clip(beard.grey * (0.7 + 0.6 * shares["chin"]), 0.0, 1.0)
    dark, light = tones(beard.colour, beard.grey_colour, beard.grey)
    return tuple(
        CurveProp("beard", points[mask], radius[mask], Surface("hair", colour, roughness=0.5))
        for mask, colour in ((~grey, dark), (grey, light))
        if mask.any()
    )


def _strands(
    template: Template,
    vertices: Floats,
    beard: Beard,
    roots: Roots,
    shares: dict[str, Floats],
    rng: np.random.Generator,
) -> Floats:
    start = roots.on(vertices)
    normals = roots.on(vertex_normals(template, vertices))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    x = roots.rest[:, 0]
    moustache, chin = shares["moustache"], shares["chin"]
    flow = np.stack([0.012 * x + moustache * np.clip(x / 9.0, -1.3, 1.3), np.full(len(x), -1.0), 0.1 * chin], 1)
    flow -= (flow * normals).sum(1, keepdims=True) * normals
    flow /= np.maximum(np.linalg.norm(flow, axis=1, keepdims=True), 1e-6)
    length = beard.length * np.where(moustache > 0.5, np.minimum(1.0, 11.0 / beard.length), 1.0)
    length = length * (1.0 - 0.55 * shares["sideburn"]) * (1.0 - 0.4 * shares["neck"]) + beard.long * chin**2
    length = length * rng.uniform(0.65, 1.1, len(x))
    lift = np.radians(np.where(moustache > 0.5, 24.0, 38.0)) * rng.uniform(0.6, 1.4, len(x))
    heading = np.cos(lift)[:, None] * flow + np.sin(lift)[:, None] * normals + rng.normal(0.0, 0.16, flow.shape)
    count = 5 if beard.length + beard.long < 14.0 else 8
    heading, flow, step = heading.T, flow.T, length / (count - 1)
    points = np.empty((3, len(start), count), np.float32)
    points[:, :, 0] = start.T
    turn = (0.35 * flow + np.array([[0.0], [-0.25], [0.0]])) * np.minimum(step / 4.0, 0.6)
    for k in range(1, count):
        heading = unit(heading + turn)
        points[:, :, k] = points[:, :, k - 1] + step * heading
    lock = locks(roots.rest.T, np.zeros(len(start), int), min(160, len(start)))
    points = gather(points, lock, np.array(0.25))
    return points_last(frizz(points, beard.curl * np.minimum(1.0, length / 8.0), rng))


def _beardable(template: Template) -> Floats:
    """1 where the skin can carry a beard, 0 elsewhere, per vertex (N,)."""
    return (template.region("skin") & ~template.region("lips") & ~ear_mask(template)).astype(np.float64)


def _parts(template: Template, rest: Floats, beard: Beard) -> dict[str, Floats]:
    """The shares 0..1 that points (...,3) of the mean head belong to each part of a beard."""
    marks = template.mean[template.landmarks68]
    nose, lip, under, chin = marks[33, 1], marks[51, 1], marks[57, 1], template.mean[template.chin_front, 1]
    corner = float(abs(marks[[48, 54], 0]).mean())
    turn, _ = Capsule.of(template, template.mean).place(rest)
    turn = np.degrees(np.abs(turn))
    x, y, z = np.abs(rest[..., 0]), rest[..., 1], rest[..., 2]
    front = _soft(z - 15.0, 5.0)
    # Above the lip, from the nostrils' wings to beside the mouth's corners, where it turns down.
    top = np.interp(
        x, [0.0, 8.0, 15.0, corner + 3.0, corner + 14.0], [nose - 2.5, nose - 3.5, nose - 6.0, lip - 3.0, under]
    )
    bottom = np.interp(x, [0.0, corner - 4.0, corner, corner + 14.0], [lip - 3.0, lip - 10.0, under - 4.0, under - 6.0])
    moustache = _soft(top - y, 1.2) * _soft(y - bottom, 2.0) * _soft(corner - 3.0 + 10.0 * beard.droop - x, 1.8) * front
    below = under - 4.0
    goatee = _soft(below - y, 2.2) * _soft(corner + 1.0 - x + 0.1 * (below - y), 2.5) * _soft(z - 38.0, 6.0)
    patch = _soft(5.5 - x, 1.5) * _soft(under - 0.5 - y, 1.0) * _soft(y - below + 6.0, 2.0) * front
    beside = _soft(x - corner - 1.0, 1.2) * _soft(corner + 9.0 - x, 1.8) * front
    beside = beside * _soft(lip - 6.0 - y, 2.0) * _soft(y - below + 4.0, 3.0)
    chin_part = np.maximum.reduce([goatee, 0.8 * patch, beside * (beard.moustache > 0.5)])
    line = np.interp(turn, [18.0, 30.0, 42.0, 52.0, 60.0, 68.0, 80.0], [-52.0, -46.0, -34.0, -20.0, -2.0, 14.0, 24.0])
    behind = _soft(np.interp(y, [-70.0, -30.0, 0.0], [98.0, 84.0, 82.0]) - turn, 2.0)
    edge = np.interp(turn, [0.0, 45.0, 80.0], [chin - 1.0, chin + 14.0, chin + 42.0])
    cheek = _soft(line + beard.cheek - y, 3.0) * behind * _soft(x - corner - 4.0, 3.0)
    jaw = cheek * _soft(y - edge + 4.0, 3.0)
    neck = _soft(edge - y, 4.0) * _soft(y - edge + 24.0, 5.0) * behind * _soft(z - 0.0, 6.0)
    burn = _soft(turn - 63.0, 1.8) * _soft(80.0 - turn, 1.5) * _soft(y + 34.0, 4.0) * _soft(36.0 - y, 5.0)
    return {"moustache": moustache, "chin": chin_part, "jaw": jaw, "sideburn": burn, "neck": neck}


def _soft(distance: Floats, feather: float) -> Floats:
    """0..1 across an edge, by the signed distance (mm) to it."""
    return 1.0 / (1.0 + np.exp(-np.clip(distance / (0.5 * feather), -30.0, 30.0)))


def _patches(rest: Floats, rng: np.random.Generator) -> Floats:
    """A smooth field 0..1 over points (S,3), high where hair is missing."""
    waves = np.sin(rest @ rng.normal(0.0, 0.12, (3, 5)) + rng.uniform(0.0, 6.28, 5)).mean(1)
    return np.clip(0.35 + 1.2 * waves, 0.0, 1.0)
