"""Glasses: outlines of frames as a few numbers, and frames built from them that rest on a given nose and ears."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Traits
from training.subjects.fitting import FaceMeasures, HeightMap, skin_triangles
from training.subjects.props import Colour, Floats, MeshProp, Prop, Surface
from training.subjects.shapes import Pile, loft_faces, profile, spline, sweep, tube, vec
from training.template import Template

Array = NDArray[np.float64]

_AROUND = 40
_RIM = profile(8, 3.0)
_ROUND = profile(8, 2.0)
_RADII = (0.06, 0.3, 0.55, 0.8, 1.0)
_CLEAR_MM = 0.6
# How far a lens stands before the cornea, as opticians fit them ("vertex distance" 12 to 14 mm).
_VERTEX_DISTANCE = 11.5


@dataclass(frozen=True)
class Glasses:
    """One pair, before it is fitted.

    shape names the outline's family; width, height mm of a lens, gap mm between the lenses; exponent of the
    superellipse; facets: how many straight sides it has instead (0 none); taper (top wider than bottom), slant (nasal
    side cut away below), lift (outer corner up), drop (a teardrop's lower end) as shares of the lens; rim_top,
    rim_bottom and depth mm the rim's thickness; bridge and double_bridge where lenses are joined; arm mm the arm's
    height; tilt degrees (bottom towards the cheeks), wrap mm the radius of the front's curve, slip mm down the nose,
    roll degrees; size a factor. pads: on wires (metal). Colours linear RGB; lens_opacity 0 clear .. 1 full tint.
    """

    shape: str
    width: float
    height: float
    gap: float
    exponent: float
    facets: int
    taper: float
    slant: float
    lift: float
    drop: float
    rim_top: float
    rim_bottom: float
    depth: float
    arm: float
    bridge: float
    double_bridge: bool
    pads: bool
    tilt: float
    wrap: float
    slip: float
    roll: float
    size: float
    frame: Colour
    second: Colour
    pattern: str
    frame_opacity: float
    metallic: float
    roughness: float
    lower: Colour
    lower_metallic: float
    lens: Colour
    lens_opacity: float
    mirror: float


# Outlines: chance, width, height (mm, or share of the width if below 3), exponent, taper, slant, lift, drop; each a
# range to draw from.
_SHAPES: dict[str, tuple[float, tuple[tuple[float, float], ...]]] = {
    "rectangular": (0.26, ((49, 56), (0.54, 0.70), (3.4, 6.0), (0.00, 0.05), (0.05, 0.16), (0.00, 0.03), (0.0, 0.0))),
    "wayfarer": (0.22, ((47, 54), (0.70, 0.82), (2.8, 4.0), (0.04, 0.09), (0.10, 0.20), (0.02, 0.08), (0.0, 0.0))),
    "round": (0.17, ((43, 51), (0.90, 1.00), (2.0, 2.3), (0.00, 0.02), (0.00, 0.05), (0.00, 0.00), (0.0, 0.02))),
    "oval": (0.10, ((46, 53), (0.62, 0.76), (2.0, 2.5), (-0.02, 0.04), (0.00, 0.08), (0.00, 0.02), (0.0, 0.02))),
    "aviator": (0.11, ((52, 58), (0.82, 0.92), (2.5, 3.0), (0.02, 0.07), (0.16, 0.26), (0.00, 0.02), (0.03, 0.08))),
    "cat-eye": (0.07, ((48, 54), (0.62, 0.78), (2.3, 3.2), (0.05, 0.12), (0.12, 0.20), (0.26, 0.46), (0.0, 0.0))),
    "hexagonal": (0.07, ((47, 53), (0.84, 0.94), (2.0, 2.0), (0.00, 0.04), (0.00, 0.06), (0.00, 0.00), (0.0, 0.0))),
}
_PLASTICS: tuple[tuple[float, Colour, Colour, str, float], ...] = (
    (0.40, (0.006, 0.006, 0.007), (0.006, 0.006, 0.007), "", 1.0),
    (0.22, (0.150, 0.060, 0.015), (0.012, 0.006, 0.003), "noise", 1.0),
    (0.08, (0.060, 0.026, 0.012), (0.060, 0.026, 0.012), "", 1.0),
    (0.08, (0.012, 0.022, 0.070), (0.012, 0.022, 0.070), "", 1.0),
    (0.05, (0.230, 0.012, 0.020), (0.230, 0.012, 0.020), "", 1.0),
    (0.04, (0.120, 0.130, 0.140), (0.120, 0.130, 0.140), "", 1.0),
    (0.06, (0.700, 0.680, 0.640), (0.700, 0.680, 0.640), "", 0.40),
    (0.03, (0.650, 0.420, 0.300), (0.650, 0.420, 0.300), "", 0.55),
    (0.02, (0.020, 0.090, 0.060), (0.020, 0.090, 0.060), "", 1.0),
    (0.02, (0.700, 0.690, 0.670), (0.700, 0.690, 0.670), "", 1.0),
)
_METALS: tuple[tuple[float, Colour], ...] = (
    (0.32, (0.560, 0.560, 0.570)), (0.26, (0.720, 0.510, 0.230)), (0.20, (0.020, 0.020, 0.022)),
    (0.14, (0.130, 0.130, 0.140)), (0.08, (0.720, 0.430, 0.330)),
)  # fmt: skip
_TINTS: tuple[tuple[float, Colour], ...] = (
    (0.50, (0.020, 0.021, 0.024)), (0.22, (0.075, 0.030, 0.012)), (0.18, (0.022, 0.036, 0.020)),
    (0.05, (0.030, 0.050, 0.160)), (0.05, (0.250, 0.060, 0.070)),
)  # fmt: skip


def draw_glasses(rng: np.random.Generator, traits: Traits) -> Glasses | None:
    """A pair of glasses for about one adult in four, two of five in old age; else None."""
    old = float(np.clip((traits.age - 40.0) / 35.0, 0.0, 1.0))
    if rng.random() > 0.19 + 0.24 * old:
        return None
    sunglasses = rng.random() < 0.16
    names = list(_SHAPES)
    chance = np.array([_SHAPES[name][0] for name in names])
    if traits.female < 0.5:
        chance[names.index("cat-eye")] *= 0.1
    if sunglasses:
        chance[names.index("aviator")] *= 3.0
        chance[names.index("wayfarer")] *= 1.8
    shape = names[int(rng.choice(len(names), p=chance / chance.sum()))]
    width, height, exponent, taper, slant, lift, drop = (float(rng.uniform(*pair)) for pair in _SHAPES[shape][1])
    if sunglasses:
        width = min(width * rng.uniform(1.02, 1.12), 60.0)
    metal = rng.random() < {"aviator": 0.85, "round": 0.6, "oval": 0.6, "rectangular": 0.4, "hexagonal": 0.8}.get(
        shape, 0.08
    )
    style = "full"
    if metal:
        style = str(rng.choice(["full", "half", "rimless"], p=[0.62, 0.2, 0.18]))
    elif shape in ("wayfarer", "rectangular", "round") and rng.random() < 0.12:
        style = "browline"
    colours = _frame(rng, metal)
    top = float(rng.uniform(0.9, 1.5) if metal else rng.uniform(2.4, 5.2))
    bottom = top * float(rng.uniform(0.75, 1.0))
    lower, lower_metallic = colours[0], 1.0 if metal else 0.0
    if style == "browline":
        top, bottom = float(rng.uniform(4.0, 5.5)), 1.1
        lower, lower_metallic = _METALS[int(rng.integers(0, 2))][1], 1.0
    elif style in ("half", "rimless"):
        bottom = 0.5
        top = top if style == "half" else 0.5
    slipped = rng.random() < 0.05 and not sunglasses
    tint = 0.0
    lens: Colour = (1.0, 1.0, 1.0)
    if sunglasses or rng.random() < 0.05:
        lens = _TINTS[int(rng.choice(len(_TINTS), p=[p for p, _ in _TINTS]))][1]
        tint = float(rng.uniform(0.75, 1.0) if sunglasses else rng.uniform(0.2, 0.55))
    return Glasses(
        shape=shape if style == "full" else style,
        width=width,
        height=height * width,
        gap=float(rng.uniform(15.0, 21.0)),
        exponent=exponent,
        facets=(6 if rng.random() < 0.7 else 8) if shape == "hexagonal" else 0,
        taper=taper,
        slant=slant,
        lift=lift,
        drop=drop,
        rim_top=top,
        rim_bottom=bottom,
        depth=float(rng.uniform(1.4, 2.2) if metal else rng.uniform(3.0, 4.4)),
        arm=float(rng.uniform(1.6, 4.0) if metal else rng.uniform(4.5, 11.0)),
        bridge=float(rng.uniform(0.12, 0.42)),
        double_bridge=shape == "aviator" and bool(rng.random() < 0.75),
        pads=metal or style == "browline",
        tilt=float(rng.uniform(4.0, 11.0)),
        wrap=float(rng.uniform(220.0, 420.0) if not sunglasses else rng.uniform(150.0, 260.0)),
        slip=float(rng.uniform(9.0, 16.0) if slipped else np.clip(rng.normal(1.5, 1.6), -1.5, 6.0)),
        roll=float(np.clip(rng.normal(0.0, 0.9), -2.5, 2.5)),
        size=float(rng.uniform(0.96, 1.04)),
        frame=colours[0],
        second=colours[1],
        pattern=colours[2],
        frame_opacity=colours[3],
        metallic=1.0 if metal else 0.0,
        roughness=float(rng.uniform(0.12, 0.4) if rng.random() < 0.8 else 0.6),
        lower=lower,
        lower_metallic=lower_metallic,
        lens=lens,
        lens_opacity=tint,
        mirror=float(rng.uniform(0.1, 0.4)) if sunglasses and rng.random() < 0.15 else 0.0,
    )


def _frame(rng: np.random.Generator, metal: bool) -> tuple[Colour, Colour, str, float]:
    if metal:
        colour = _METALS[int(rng.choice(len(_METALS), p=[p for p, _ in _METALS]))][1]
        return colour, colour, "", 1.0
    _, first, second, pattern, opacity = _PLASTICS[int(rng.choice(len(_PLASTICS), p=[p[0] for p in _PLASTICS]))]
    return first, second, pattern, opacity


def outline(glasses: Glasses) -> Array:
    """A lens's outline (40,2) mm about its centre, first axis away from the nose, anticlockwise, evenly spaced."""
    turn = np.linspace(0.0, 2.0 * np.pi, 241)[:-1]
    both = np.stack([np.cos(turn), np.sin(turn)], 1)
    u, v = (np.sign(both) * np.abs(both) ** (2.0 / glasses.exponent)).T
    if glasses.facets:
        half = np.pi / glasses.facets
        side = np.cos(half) / np.cos(turn % (2.0 * half) - half)
        u, v = both.T * (0.8 * side + 0.2) / np.array([[1.0], [np.cos(half)]])
    below, nasal = np.maximum(-v, 0.0), np.maximum(-u, 0.0)
    v = v + glasses.lift * np.maximum(u, 0.0) ** 3 * np.maximum(v + 0.4, 0.0)
    v = v - glasses.drop * below * (1.0 + u) - 0.5 * glasses.drop * below
    u = u * (1.0 + glasses.taper * v) + glasses.slant * nasal * below + glasses.slant * 0.5 * below * nasal**2
    u = u + glasses.lift * 0.4 * np.maximum(u, 0.0) ** 2 * np.maximum(v, 0.0)
    points = np.stack([u * 0.5 * glasses.width, v * 0.5 * glasses.height], 1)
    closed = np.concatenate([points, points[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    even = np.linspace(0.0, along[-1], _AROUND + 1)[:-1]
    return np.stack([np.interp(even, along, closed[:, i]) for i in (0, 1)], 1) * glasses.size


@dataclass(frozen=True)
class _Front:
    """The front's parts in its own plane: first axis left, second up, third forward; mm."""

    rims: tuple[Array, Array]
    lenses: tuple[Array, Array]
    bars: tuple[Array, Array]
    hinge: Array
    pad_wire: Array

    @property
    def checked(self) -> Array:
        """Points that must stay off the skin."""
        return np.concatenate([rim[:, 4:8].reshape(-1, 3) for rim in self.rims] + [self.bars[0].reshape(-1, 3)])


def _front(glasses: Glasses) -> _Front:
    shape = outline(glasses)
    step = np.roll(shape, -1, 0) - np.roll(shape, 1, 0)
    normal = np.stack([step[:, 1], -step[:, 0]], 1) / np.linalg.norm(step, axis=1, keepdims=True)
    share = np.clip((shape[:, 1] / (0.5 * glasses.height) + 0.25) / 0.5, 0.0, 1.0)
    half = 0.5 * (glasses.rim_bottom + (glasses.rim_top - glasses.rim_bottom) * share)
    deep = 0.5 * np.where(half < 0.3, 1.6, glasses.depth)
    centre = np.array([0.5 * (glasses.gap + glasses.width * glasses.size) + 0.25 * glasses.rim_top, 0.0])
    ring = shape[:, None] + normal[:, None] * (half[:, None, None] * (_RIM[None, :, :1] + 0.6))
    rim = np.concatenate([ring + centre, deep[:, None, None] * np.broadcast_to(_RIM[:, 1:], (_AROUND, 8, 1))], -1)
    # The base curve of a lens: 4 dioptres, a sphere of some 130 mm.
    flat = np.array(_RADII)[:, None, None] * shape
    bulge = ((shape**2).sum(-1) - (flat**2).sum(-1)) / 260.0
    lens = np.concatenate([flat + centre, bulge[..., None]], -1)

    def nasal(height: float) -> float:
        inner = shape[shape[:, 0] < 0.0]
        order = np.argsort(inner[:, 1])
        return float(np.interp(height, inner[order, 1], inner[order, 0])) + centre[0]

    def bar(height: float, arch: float, thick: float) -> Array:
        x = np.linspace(-1.0, 1.0, 9)
        level = np.stack([x * (nasal(height) + 0.3), height + arch * (1 - x**2), 0.5 * (1 - x**2) + 0.3 * x**2], 1)
        return sweep(level, np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]), _RIM, np.full((9, 2), float(thick)))

    metal = glasses.pads
    thick = 0.9 if metal and glasses.rim_top < 2.0 else 0.45 * glasses.rim_top + 0.2
    low = glasses.bridge * 0.5 * glasses.height
    main = bar(low, (2.2 if metal else 1.2), thick)
    high = 0.46 * glasses.height
    second = bar(high, 0.4, 0.8) if glasses.double_bridge else bar(low, 1.2, 0.1)
    end = int(np.argmin(np.abs(shape[:, 1] - 0.26 * glasses.height) + 10.0 * (shape[:, 0] < 0.0)))
    hinge = np.array([*(shape[end] + centre), 0.0])
    wire = np.array([nasal(-0.02 * glasses.height), -0.02 * glasses.height, -0.8])

    def mirrored(points: Array) -> Array:
        return points * [-1.0, 1.0, 1.0]

    return _Front((mirrored(rim), rim), (mirrored(lens), lens), (main, second), hinge, wire)


def glasses_props(template: Template, vertices: Floats, glasses: Glasses) -> tuple[Prop, ...]:
    """The pair on a head: vertices (N,3) mm of the posed template; one mesh of frame and lenses.

    Raises :class:`training.subjects.fitting.WrongTemplate` for another topology.
    """
    face = FaceMeasures.of(template, vertices)
    near = skin_triangles(template, vertices, (-120.0, float(face.tip[1]) - 40.0, -15.0))
    near = near[near[:, 0, 1] < face.eyes[:, 1].max() + 50.0]
    glasses = _sized(glasses, face, near)
    front = _front(glasses)
    skin = HeightMap(near[(near[:, 0, 2] > 20.0) & (np.abs(near[:, 0, 0]) < 85.0)], 2)
    place = _placed(glasses, front, template, vertices, face, skin)
    pile = Pile()
    rim_faces, lens_faces = loft_faces(_AROUND, 8, ring=True), loft_faces(len(_RADII), _AROUND)
    half = _AROUND // 2
    strip = np.stack([np.arange(half - 1), np.arange(1, half), _AROUND - 1 - np.arange(1, half),
                      _AROUND - 1 - np.arange(half - 1)], 1)  # fmt: skip
    # The outline runs anticlockwise from the outer side: rows up to the half are the rim's upper part.
    lower = np.arange(len(rim_faces)) // 8 >= half
    for side, (rim, lens) in enumerate(zip(front.rims, front.lenses, strict=True)):
        turned = slice(None) if side else slice(None, None, -1)
        pile.add(place(rim), rim_faces[~lower][:, turned], 0)
        pile.add(place(rim), rim_faces[lower][:, turned], 1)
        pile.add(place(lens), np.concatenate([lens_faces, strip])[:, turned], 2)
    for bar in front.bars:
        pile.add(place(bar), loft_faces(9, 8), 0)
    beside = near[near[:, 0, 2] < place(front.hinge)[2]]
    for side, sign in enumerate((-1.0, 1.0)):
        flip = np.array([sign, 1.0, 1.0])
        hinge = place(front.hinge * flip) * flip
        own = (beside * flip)[beside[:, 0, 0] * sign > 25.0][:, :: int(sign)]
        piece, arm = _arm(glasses, hinge, face.ear_seats[side] * flip, HeightMap(own, 0))
        pile.add(piece * flip, loft_faces(6, 8, caps=True)[:, :: int(sign)], 0)
        pile.add(arm * flip, loft_faces(20, 8, caps=True)[:, :: int(sign)], 0)
        wire, pad = _pad(glasses, place(front.pad_wire * flip) * flip, skin, sign)
        pile.add(wire * flip, loft_faces(6, 8)[:, :: int(sign)], 1)
        pile.add(pad * flip, loft_faces(7, 8)[:, :: int(sign)], 3)
    frame = Surface(
        colour=glasses.frame, second=glasses.second, pattern=glasses.pattern, scale=140.0, metallic=glasses.metallic,
        roughness=glasses.roughness, opacity=glasses.frame_opacity,
    )  # fmt: skip
    lower_rim = frame
    if glasses.lower != glasses.frame:
        lower_rim = Surface(colour=glasses.lower, metallic=glasses.lower_metallic, roughness=0.25)
    if glasses.rim_bottom <= 0.5:
        lower_rim = Surface(colour=(0.75, 0.78, 0.76), roughness=0.1, opacity=0.35)
    upper_rim = lower_rim if glasses.rim_top <= 0.5 else frame
    glass = Surface("glass", glasses.lens, 0.02, glasses.mirror, opacity=glasses.lens_opacity)
    silicone = Surface(colour=(0.75, 0.72, 0.66), roughness=0.25, opacity=0.45)
    # Rimless pairs keep the metal for bridge and arms, so these have a material of their own.
    material = pile.material.copy()
    bars = np.arange(len(material)) >= 2 * (len(rim_faces) + len(lens_faces) + len(strip))
    material[bars & (material == 0)] = 4
    return (
        MeshProp("glasses", "glasses", pile.vertices, pile.faces, (upper_rim, lower_rim, glass, silicone, frame),
                 material=material),
    )  # fmt: skip


def _sized(glasses: Glasses, face: FaceMeasures, skin: Floats) -> Glasses:
    """The pair in the size an optician would hand out: as wide as the temples beside the eyes."""
    eye = face.eyes.mean(0)
    corner = skin[:, 0]
    temple = (np.abs(corner[:, 1] - eye[1]) < 12.0) & (corner[:, 2] > eye[2] - 45.0) & (corner[:, 2] < eye[2] - 20.0)
    if not temple.any():
        return glasses
    wanted = float(np.abs(corner[temple, 0] - eye[0]).max()) + 2.0
    own = 0.5 * glasses.gap + glasses.width * glasses.size
    wider = float(np.clip(wanted / own, 0.94, 1.15))
    return replace(glasses, width=glasses.width * wider, height=glasses.height * wider**0.5, gap=glasses.gap * wider)


class _Place:
    """Carries points of the front's plane into head space: curved, tilted, rolled, moved."""

    def __init__(self, glasses: Glasses, origin: Array, tilt: float) -> None:
        self.wrap, self.origin = glasses.wrap, origin
        a, b = np.radians([tilt, glasses.roll])
        lean = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(a), -np.sin(a)], [0.0, np.sin(a), np.cos(a)]])
        roll = np.array([[np.cos(b), -np.sin(b), 0.0], [np.sin(b), np.cos(b), 0.0], [0.0, 0.0, 1.0]])
        self.turn = roll @ lean

    def __call__(self, points: Array) -> Array:
        curved = points.copy()
        curved[..., 2] -= points[..., 0] ** 2 / (2.0 * self.wrap)
        return curved @ self.turn.T + self.origin


def _placed(
    glasses: Glasses, front: _Front, template: Template, vertices: Floats, face: FaceMeasures, skin: HeightMap
) -> _Place:
    """The first tilt with which cheeks do not push the glasses far off the nose, pushed forward as far as needed."""
    cornea = max(vertices[template.eye_left, 2].max(), vertices[template.eye_right, 2].max())
    lashes = vertices[template.region("lashes"), 2].max()
    lens_z = max(cornea + _VERTEX_DISTANCE, lashes + 1.5)
    centre = 0.5 * face.eyes.sum(0)
    x = 0.5 * (centre[0] + face.bridge[0])
    y = centre[1] - 0.06 * glasses.height - glasses.slip
    best = None
    for tilt in (glasses.tilt, 0.4 * glasses.tilt, -3.0):
        place = _Place(glasses, np.array([x, y, 0.0]), tilt)
        points = place(front.checked)
        gap = skin(points[:, :2]) - points[:, 2] + _CLEAR_MM
        high = points[:, 1] > y - 0.1 * glasses.height
        over_eye = place(np.array([0.5 * (glasses.gap + glasses.width), 0.1 * glasses.height, 0.0]))
        wanted = max(gap[high].max(), lens_z - over_eye[2])
        excess = max(gap[~high].max() - wanted, 0.0)
        if best is None or excess < best[0]:
            place.origin = np.array([x, y, wanted + excess])
            best = (excess, place)
        if excess < 2.0:
            break
    assert best is not None
    return best[1]


def _arm(glasses: Glasses, hinge: Array, seat: Array, side: HeightMap) -> tuple[Array, Array]:
    """End piece (6,8,3) and arm (20,8,3) of the left side; hinge (3,), seat (4,3), how far the skin reaches beside."""
    thin = 0.5 if glasses.pads else 1.3
    tall = 0.5 * glasses.arm
    back = hinge + vec(2.0, 0.0, -7.0)
    over = seat[0] + vec(thin + 0.4, min(tall, 2.5) + 0.6, 0.0)
    share = np.linspace(0.0, 1.0, 8)[:, None]
    straight = back + (over - back) * share
    height = np.array([-0.6 * tall, 0.0, 0.6 * tall])[:, None, None] * [0.0, 1.0]
    needed = side((straight[:, [2, 1]] + height).reshape(-1, 2)).reshape(3, 8).max(0) + thin + 0.5
    missing = np.maximum(needed - straight[:, 0], 0.0)
    # A springy arm bows outwards as a whole; what it lacks at the hinge, the end piece makes up for.
    back[0] += max(missing[0], missing[1])
    straight[:, 0] += max(missing[0], missing[1]) * (1.0 - share[:, 0])
    bow = np.sin(np.pi * share[:, 0]) ** 0.7
    inner = slice(1, -1)
    straight[:, 0] += bow * np.maximum((needed - straight[:, 0])[inner] / bow[inner], 0.0).max(initial=0.0)
    hook = seat[1:] + vec(thin + 0.5, 0.0, 0.0)
    hook[-1] = hook[1] + 0.6 * (hook[2] - hook[1])
    path = spline(np.concatenate([straight[[0, 2, 4, 6]], over[None], hook]), 20)
    along = np.linspace(0.0, 1.0, 20)
    size = np.stack([np.full(20, thin), tall + (min(tall, 2.2) - tall) * np.clip(along / 0.55, 0.0, 1.0)], 1)
    size[along > 0.72] = size[along > 0.72] * [1.1, 1.0] + ([0.5, 0.6] if glasses.pads else [0.0, 0.0])
    size[-1] *= 0.6
    up = np.array([0.0, 1.0, 0.0])
    arm = sweep(path, np.array([1.0, 0.0, 0.0]), up, _RIM, size)
    corner = np.stack(
        [hinge + vec(-0.5, 0.0, 0.0), hinge + vec(1.0, 0.0, -0.3), 0.5 * (hinge + back) + vec(1.6, 0.0, 1.8), back]
    )
    piece_path = spline(corner, 6)
    piece_size = np.stack([np.full(6, thin), np.full(6, min(tall, 4.5))], 1)
    piece = sweep(piece_path, np.array([0.7, 0.0, 0.7]), up, _RIM, piece_size)
    return piece, arm


def _pad(glasses: Glasses, start: Array, skin: HeightMap, sign: float) -> tuple[Array, Array]:
    """Wire (6,8,3) and pad (7,8,3) of the left side; for frames without pads both shrink into the rim."""
    rows = np.linspace(-1.0, 1.0, 7)
    if not glasses.pads:
        return np.tile(start, (6, 8, 1)), np.tile(start, (7, 8, 1))
    # Find where the side of the nose is as far back as a pad stands: between the ridge and the rim.
    x = np.linspace(4.0, 13.0, 10)
    y = start[1] - 2.0
    depth = skin(np.stack([sign * x, np.full(10, y)], 1))
    wanted = start[2] - 6.5
    at = int(np.argmin(np.abs(depth - wanted) + 0.3 * np.abs(x - 8.0)))
    slope = np.array(
        [1.0, 0.0, max(0.3, -((np.gradient(depth, x)[at]) ** -1) if np.gradient(depth, x)[at] < -0.1 else 3)]
    )
    normal = slope / np.linalg.norm(slope)
    centre = np.array([x[at], y, depth[at]]) + 1.2 * normal
    path = centre + np.array([0.05, 1.0, -0.1]) * rows[:, None] * 6.0
    round_ = np.sqrt(np.maximum(1.0 - rows**2, 0.02))
    pad = sweep(path, normal, np.array([0.0, 0.0, 1.0]), _ROUND, np.stack([1.0 * round_, 3.4 * round_], 1))
    bend = np.stack([start, start + vec(-0.8, 0.5, -3.0), centre + 2.5 * normal + vec(0.0, 0.5, 0.5), centre])
    return tube(spline(bend, 6), 0.45), pad
