"""A head of hair: the numbers that describe one, and the strands it becomes on a subject's head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.assets.makehuman import AssetFolder
from training.assets.proxy import Proxy
from training.subjects.hair_colour import mixed, tones
from training.subjects.hair_dressing import dress, held, knotted, strays
from training.subjects.props import Colour, CurveProp, MeshProp, Prop, Surface
from training.subjects.scalp import Hairline, Roots, scalp_roots, vertex_normals
from training.subjects.skull import BROW_DOWN, Capsule, Obstacle, ear_mask
from training.subjects.strands import (
    Bend,
    cut,
    dot,
    grow,
    locks,
    points_last,
    smoothstep,
    taper,
    unit,
)
from training.template import Template

Floats = NDArray[np.floating]

# No cut: hair ends where it ends.
UNCUT = -1000.0
# Hair of this length (mm) comes out below what is worn over it.
_HANGS = 150.0
_WHORL = np.array([8.0, 126.0, -60.0])


@dataclass(frozen=True)
class Hair:
    """One head of hair in numbers; lengths mm, shares 0..1, JSON-ready.

    style is a name: ``bald``, ``asset:NAME`` (a style of an asset folder) or what the draw called it (any other word).
    seed: of what differs from strand to strand. colour and grey_colour linear RGB; grey the share of strands in
    grey_colour. shade: how much of the scalp's skin hair darkens where it grows (stubble of a shaved head included).

    Hairline: forehead, recession, peak, crown, sideburn, thinned as in :class:`Hairline`; density scales the count.
    Growth: flow ``forward`` (from the whorl), ``back``, ``parted`` (beside parting mm to the left), ``up`` (out of the
    scalp) or ``tied`` (to a knot at the height tie, tail mm long; 0: a bun); sweep -1..1 back or forward of parted
    hair; length on top and sides below it; cut height (y) at which hanging hair ends, layers mm higher for some; flip
    mm its ends turn out (in: negative); lift degrees at the root; volume mm the outermost strands float, unevenness
    0..1 of it; weight how soon it falls; lie how closely it follows the skull; tucked behind the ``left``, the
    ``right`` or ``both`` ears.
    Fringe: fringe 0 none, 1 to the brows; fringe_sweep -1..1 to the right or left; fringe_width degrees of azimuth.
    Strands: radius mm at the root; core 0..1 share of strands that are shorter and several times thicker, so that one
    does not see through the hair; lock share gathered in `locks` locks, curl mm radius and wave mm a turn, flat 0..1
    waves rather than ringlets, frizz mm strands wander, kink mm from point to point; over_ears whether hair covers the
    ears; frame mm it reaches over the cheeks.
    """

    style: str
    seed: int
    colour: Colour
    grey: float = 0.0
    grey_colour: Colour = (0.4, 0.4, 0.4)
    shade: float = 0.85
    forehead: float = 0.0
    recession: float = 0.0
    peak: float = 0.0
    crown: float = 0.0
    sideburn: float = 0.0
    thinned: float = 1.0
    density: float = 1.0
    flow: str = "forward"
    parting: float = 0.0
    sweep: float = 0.0
    length: float = 60.0
    sides: float = 60.0
    cut: float = UNCUT
    layers: float = 0.0
    flip: float = 0.0
    tie: float = 60.0
    tail: float = 0.0
    lift: float = 30.0
    volume: float = 8.0
    unevenness: float = 0.3
    weight: float = 0.3
    lie: float = 0.5
    fringe: float = 0.0
    fringe_sweep: float = 0.0
    fringe_width: float = 36.0
    radius: float = 0.32
    core: float = 0.0
    lock: float = 0.4
    locks: int = 220
    curl: float = 0.0
    wave: float = 40.0
    flat: float = 0.5
    frizz: float = 1.0
    kink: float = 0.0
    tucked: str = ""
    over_ears: bool = True
    frame: float = 4.0

    @property
    def hairline(self) -> Hairline:
        """The part of it that says where hair grows."""
        return Hairline(self.forehead, self.recession, self.peak, self.crown, self.sideburn, self.thinned)


def hair_cover(template: Template, hair: Hair) -> Floats:
    """How much hair hides or darkens the skin below it, per vertex (N,) 0..1."""
    cover = hair.hairline.density(template.mean, Capsule.of(template, template.mean), feather=4.0)
    cover = cover * template.region("skin") * ~ear_mask(template) * (template.mean[:, 1] > -70.0)
    return (hair.shade * cover).astype(np.float32)


def hair_props(
    template: Template,
    vertices: Floats,
    hair: Hair,
    assets: AssetFolder | None = None,
    covered: NDArray[np.bool_] | None = None,
) -> tuple[Prop, ...]:
    """What a renderer shows of the hair of a posed head, vertices (N,3) mm.

    assets: where styles called ``asset:NAME`` are; without it, or without that style, the hair's numbers make strands.
    covered (N,): vertices under something worn, where hair lies flat; short hair is left out there.
    """
    if hair.style == "bald" or hair.density <= 0.0:
        return ()
    name = hair.style.removeprefix("asset:")
    worn = covered is not None and bool(covered.any())
    if assets is not None and not worn and name != hair.style and name in assets.hair:
        return (_cards(assets.hair[name], vertices, hair),)
    points, radius = hair_strands(template, vertices, hair, covered)
    rng = np.random.default_rng([hair.seed, 1])
    grey = rng.random(len(points)) < hair.grey
    dark, light = tones(hair.colour, hair.grey_colour, hair.grey)
    return tuple(
        CurveProp("hair", points[mask], radius[mask], Surface("hair", colour, roughness=0.42))
        for mask, colour in ((~grey, dark), (grey, light))
        if mask.any()
    )


def _cards(proxy: Proxy, vertices: Floats, hair: Hair) -> MeshProp:
    """An asset folder's style on a posed head."""
    red, green, blue = mixed(hair.colour, hair.grey_colour, hair.grey)
    look = Surface("cards", (float(red), float(green), float(blue)), roughness=0.45, texture=proxy.texture)
    return MeshProp(f"hair {proxy.name}", "hair", proxy.fit(vertices), proxy.faces, (look,), proxy.uv)


def hair_strands(
    template: Template, vertices: Floats, hair: Hair, covered: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Strands (S,P,3) mm on a posed head and their radii (S,P); covered (N,) as in :func:`hair_props`."""
    rng = np.random.default_rng(hair.seed)
    roots = scalp_roots(template, hair.hairline, round(3400 * hair.density), rng)
    under = np.zeros(len(roots.rest), bool)
    worn = covered is not None and bool(covered.any())
    if covered is not None and worn:
        hair = _pressed(hair)
        under = roots.on(covered[:, None].astype(np.float64))[:, 0] > 0.5
        if max(hair.length, hair.sides) < _HANGS or hair.flow == "tied":
            roots, under = roots.keep(~under), under[~under]
    if not len(roots.rest):
        return np.zeros((0, 2, 3), np.float32), np.zeros((0, 2), np.float32)
    azimuth, down = Capsule.of(template, template.mean).place(roots.rest)
    depth = hair.hairline.depth(azimuth, down)
    normals = unit(roots.on(vertex_normals(template, vertices)).T)
    obstacle = Obstacle.of(template, vertices, ears=hair.over_ears)
    start = roots.on(vertices).T
    count = start.shape[1]
    side = np.where(roots.rest[:, 0] + rng.normal(0.0, 1.0, count) > hair.parting, 1.0, -1.0)
    low = smoothstep(down, 92.0, 140.0)
    fringe = _fringe(hair, azimuth, down, depth, rng)
    flow = _flow(hair, roots, side, low, azimuth, depth)
    combed = np.stack([0.9 * hair.fringe_sweep + roots.rest[:, 0] / 90.0, np.full(count, -0.9), np.full(count, 0.5)])
    flow = np.where(fringe, combed, flow)
    flow = unit(flow - dot(flow, normals) * normals) + rng.normal(0.0, 0.10, flow.shape)
    lift = np.radians(hair.lift) * rng.uniform(0.7, 1.3, count) * np.where(fringe, 0.8, 1.0 - 0.5 * low)
    length = (hair.length + (hair.sides - hair.length) * smoothstep(down, 85.0, 150.0)) * rng.uniform(0.82, 1.12, count)
    reach = 1.2 * np.maximum(BROW_DOWN - down, 15.0) * hair.fringe * rng.uniform(0.85, 1.1, count)
    length = np.where(fringe, reach, length)
    inner = (np.arange(count) < hair.core * count) & ~fringe
    length = length * np.where(inner, 0.72, 1.0)
    # Rows at the hairline are thin; strands from further up lie over those from below.
    layer = (1.0 - np.exp(np.maximum(depth, 0.0) / -22.0)) * (0.25 + 0.75 * rng.random(count))
    uneven = 1.0 + hair.unevenness * _waves(roots.rest, rng)
    length = length * (1.0 + 0.25 * hair.unevenness * _waves(roots.rest, rng))
    bend = Bend(
        direction=unit(np.cos(lift) * flow + np.sin(lift) * normals),
        length=length,
        hover=0.8 + hair.volume * layer * uneven * (1.0 - 0.35 * low) * np.where(fringe, 0.6, 1.0) * ~under,
        weight=hair.weight * np.where(fringe, 0.5, 1.0),
        lie=np.full(count, hair.lie),
    )
    steps = _points_of(hair)
    if hair.flow == "tied":
        knot = np.array([0.0, hair.tie, _back_of(vertices, hair.tie) - 5.0])
        bend = _drawn_to(knot, bend, start, fringe)
    points = grow(start, bend, obstacle, steps)
    if hair.cut > UNCUT:
        ahead = np.exp(-((azimuth / 0.9) ** 2))
        shorter = hair.layers * (0.65 * rng.random(count) + 0.35 * ahead)
        # Locks end where they end: a cut as level as a ruler makes a helmet.
        ragged = rng.normal(0.0, 4.0 + 0.12 * hair.layers, count)[
            locks(roots.rest.T, (side > 0).astype(int), min(160, count))
        ]
        points = cut(points, hair.cut + shorter + ragged + rng.normal(0.0, 5.0, count))
    lain = points
    points = dress(points, roots, side, fringe, hair, obstacle, vertices[template.landmarks68], rng)
    if hair.flow == "parted":
        lost = strays(points, fringe, hair, obstacle.capsule)
        if lost.mean() < 0.012:  # more are no strays but a sweep of hair
            points, lain, inner = points[:, ~lost], lain[:, ~lost], inner[~lost]
    if covered is not None and worn:
        points = held(lain, points, obstacle, vertices[covered])
    radius = hair.radius * rng.uniform(0.75, 1.25, len(inner)) * np.where(inner, 4.0, 1.0)
    if hair.flow == "tied":
        tail = knotted(knot, hair.tail, obstacle, steps, rng)
        points = np.concatenate([points, tail], axis=1)
        radius = np.concatenate([radius, np.full(tail.shape[1], 1.2 * hair.radius)])
    return points_last(points), taper(points.shape[1:], radius)


def _points_of(hair: Hair) -> int:
    """Points a strand needs: for its length, and three for each turn of a curl."""
    longest = max(hair.length, hair.sides)
    turns = min(longest, 300.0) / hair.wave if hair.curl > 0.0 else 0.0
    kinks = longest / 6.0 if hair.kink > 0.0 else 0.0
    plain = 4.0 + longest / 15.0 if longest < 90.0 else 8.0 + longest / 80.0
    return int(np.clip(max(plain, 3.2 * turns, kinks), 4, 18))


def _pressed(hair: Hair) -> Hair:
    """Hair as a hat leaves it: flat, and combed down."""
    flow = "forward" if hair.flow in ("up", "back") else hair.flow
    return replace(hair, flow=flow, lift=min(hair.lift, 15.0), volume=min(hair.volume, 5.0), lie=max(hair.lie, 0.9))


def _drawn_to(knot: Floats, bend: Bend, start: Floats, fringe: NDArray[np.bool_]) -> Bend:
    """Growth towards a knot at the back of the head, but for the fringe."""
    rest = knot[:, None] - start
    length = np.where(fringe, bend.length, 1.35 * np.sqrt(dot(rest, rest)))
    return replace(bend, length=length, goal=knot, drawn=~fringe)


def _flow(hair: Hair, roots: Roots, side: Floats, low: Floats, azimuth: Floats, depth: Floats) -> Floats:
    """Where hair at the roots heads, (3,S), before it is laid along the skin."""
    rest, none = roots.rest.T, np.zeros(len(roots.rest))
    if hair.flow == "forward":
        top = unit(rest - _WHORL[:, None])
        lower = np.stack([none, none - 1.0, none + 0.25])
    elif hair.flow == "parted":
        # The first rows behind the forehead are combed back, or they would fall across it.
        back = hair.sweep - 0.7 * np.exp(np.maximum(depth, 0.0) / -14.0)
        top = np.stack([side * (0.6 + 0.4 * np.exp(np.abs(rest[0] - hair.parting) / -60.0)), none - 0.2, back])
        lower = np.stack([none, none - 1.0, none + 0.35 * hair.sweep - 0.1])
    else:
        top = np.stack([rest[0] / 160.0 + 0.4 * hair.fringe_sweep, none, none - 1.0])
        lower = np.stack([none, none - (0.7 if hair.flow == "back" else 0.3), none - 0.7])
    # At the nape there is only down.
    behind = smoothstep(np.abs(azimuth), 1.7, 2.3)
    lower = lower * (1.0 - behind) + np.stack([none, none - 1.0, none]) * behind
    return top * (1.0 - low) + lower * low


def _fringe(hair: Hair, azimuth: Floats, down: Floats, depth: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which roots belong to the fringe."""
    if hair.fringe <= 0.0:
        return np.zeros(len(azimuth), bool)
    edge = np.radians(hair.fringe_width) + rng.normal(0.0, 0.06, len(azimuth))
    return (np.abs(azimuth) < edge) & (depth < 34.0 + rng.normal(0.0, 4.0, len(azimuth))) & (down < 120.0)


def _waves(rest: Floats, rng: np.random.Generator) -> Floats:
    """A smooth field, some -1..1, over points (S,3): unlike on every head."""
    waves = rng.normal(0.0, 0.035, (3, 6))
    return np.sin(rest @ waves + rng.uniform(0.0, 2.0 * np.pi, 6)).mean(1) * 1.6


def _back_of(vertices: Floats, height: float) -> float:
    """z (mm) of the back of the head at a height."""
    near = (np.abs(vertices[:, 0]) < 25.0) & (np.abs(vertices[:, 1] - height) < 22.0)
    return float(vertices[near, 2].min()) if near.any() else -100.0
