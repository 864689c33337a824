"""Headwear: caps, hats, beanies, scarves, bands and headphones, built on a head's own shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Traits
from training.subjects.fitting import FaceMeasures
from training.subjects.headmap import HeadMap
from training.subjects.props import Colour, Floats, MeshProp, Prop, Surface
from training.subjects.shapes import Pile, loft_faces, loft_uv, profile, sweep
from training.subjects.torso import Build, Torso
from training.template import Template

Array = NDArray[np.float64]

_COLUMNS = 72
# What people wear on their heads: chance for men, for women.
_KINDS: dict[str, tuple[float, float]] = {
    "beanie": (0.28, 0.20), "cap": (0.36, 0.14), "hat": (0.14, 0.20), "turban": (0.06, 0.08), "headband": (0.04, 0.10),
    "headphones": (0.12, 0.08), "headscarf": (0.0, 0.20),
}  # fmt: skip
_CLOTHS: tuple[Colour, ...] = (
    (0.010, 0.010, 0.012), (0.010, 0.010, 0.012), (0.035, 0.036, 0.040), (0.140, 0.140, 0.145), (0.380, 0.380, 0.380),
    (0.720, 0.715, 0.700), (0.012, 0.020, 0.055), (0.060, 0.110, 0.260), (0.330, 0.020, 0.020), (0.330, 0.250, 0.165),
    (0.055, 0.065, 0.035), (0.020, 0.110, 0.080), (0.450, 0.200, 0.030),
)  # fmt: skip
_STRAWS: tuple[Colour, ...] = ((0.55, 0.42, 0.24), (0.68, 0.58, 0.40), (0.30, 0.19, 0.09))


@dataclass(frozen=True)
class Headwear:
    """One piece. kind as listed above; colours linear RGB.

    front, side and back mm: the edge's height over the brows, the ear's root and the ear's root again; tall and thick
    mm of crown and cloth; brim mm; turned: worn back to front; slouch, cuff mm; phase of its folds; pompom; shape
    0..1 chooses within a kind.
    """

    kind: str
    colour: Colour
    second: Colour
    pattern: str
    scale: float
    roughness: float
    front: float
    side: float
    back: float
    tall: float
    thick: float
    brim: float
    turned: bool
    slouch: float
    cuff: float
    phase: float
    pompom: bool
    shape: float


def draw_headwear(rng: np.random.Generator, traits: Traits) -> Headwear | None:
    """Something on the head of one adult in sixteen; else None."""
    if rng.random() > 0.062:
        return None
    female = traits.female > 0.5
    names = list(_KINDS)
    chance = np.array([_KINDS[name][1 if female else 0] for name in names])
    if traits.age > 55:
        chance[names.index("headphones")] *= 0.3
        chance[names.index("hat")] *= 2.0
    kind = names[int(rng.choice(len(names), p=chance / chance.sum()))]
    shape = float(rng.random())
    straw = kind == "hat" and shape < 0.35
    colour = _pick(rng, _STRAWS if straw else _CLOTHS)
    second = _pick(rng, _CLOTHS)
    pattern, scale = "", 40.0
    if kind in ("beanie", "headband") and rng.random() < 0.8:
        pattern, scale = "knit", float(rng.uniform(120.0, 260.0))
        second = tuple(0.5 * channel for channel in colour)  # type: ignore[assignment]
    elif kind in ("headscarf", "turban") and rng.random() < 0.35:
        pattern, scale = str(rng.choice(["noise", "stripes"])), float(rng.uniform(15.0, 50.0))
    elif straw:
        pattern, scale = "knit", 240.0
        second = tuple(0.6 * channel for channel in colour)  # type: ignore[assignment]
    front, side, back = {
        "beanie": (rng.uniform(14, 44), rng.uniform(-22, 8), rng.uniform(-34, -8)),
        "cap": (rng.uniform(18, 36), rng.uniform(8, 18), rng.uniform(0, 14)),
        "hat": (rng.uniform(20, 42), rng.uniform(8, 18), rng.uniform(0, 12)),
        "turban": (rng.uniform(24, 44), rng.uniform(-12, 8), rng.uniform(-26, -4)),
        "headband": (rng.uniform(22, 34), rng.uniform(6, 14), rng.uniform(-4, 8)),
        "headphones": (0.0, 0.0, 0.0),
        "headscarf": (rng.uniform(20, 38), 0.0, 0.0),
    }[kind]
    return Headwear(
        kind=kind,
        colour=colour,
        second=second,
        pattern=pattern,
        scale=scale,
        roughness=float(rng.uniform(0.55, 0.95)) if kind != "headphones" else float(rng.uniform(0.25, 0.6)),
        front=float(front),
        side=float(side),
        back=float(back),
        tall=float(rng.uniform(96.0, 118.0)) if kind == "hat" else float(rng.uniform(8.0, 22.0)),
        thick=float(rng.uniform(2.5, 5.0)),
        brim=float(rng.uniform(45.0, 105.0)) if kind == "hat" else float(rng.uniform(60.0, 74.0)),
        turned=kind == "cap" and bool(rng.random() < 0.2),
        slouch=float(max(0.0, rng.normal(8.0, 16.0))),
        cuff=float(rng.uniform(45.0, 70.0)) if rng.random() < 0.65 else 0.0,
        phase=float(rng.uniform(0.0, 100.0)),
        pompom=kind == "beanie" and bool(rng.random() < 0.2),
        shape=shape,
    )


def _pick(rng: np.random.Generator, among: tuple[Colour, ...]) -> Colour:
    r, g, b = np.clip(np.array(among[int(rng.integers(0, len(among)))]) * rng.uniform(0.7, 1.2, 3), 0.004, 0.8)
    return (float(r), float(g), float(b))


def headwear_props(template: Template, vertices: Floats, headwear: Headwear, build: Build) -> tuple[Prop, ...]:
    """The piece on a head: vertices (N,3) mm of the posed template; `build` of the body that a scarf falls on.

    Raises :class:`training.subjects.fitting.WrongTemplate` where the template lacks the ears' vertices.
    """
    face = FaceMeasures.of(template, vertices)
    head = HeadMap.of(template, vertices, ears=headwear.kind in ("beanie", "turban", "headscarf"))
    cloth = Surface(
        colour=headwear.colour, second=headwear.second, pattern=headwear.pattern, scale=headwear.scale,
        roughness=headwear.roughness, sheen=0.2,
    )  # fmt: skip
    if headwear.kind == "headphones":
        return _headphones(head, face, headwear)
    if headwear.kind == "headscarf":
        return _headscarf(head, face, headwear, cloth, Torso.of(template, vertices, build))
    turn = _turns()
    edge = head.level(turn, _edge_height(template, vertices, face, headwear, turn))
    if headwear.kind == "headband":
        return (_headband(head, headwear, turn, edge, cloth),)
    if headwear.kind == "cap":
        return _cap(head, headwear, turn, edge, cloth)
    if headwear.kind == "hat":
        return _hat(head, headwear, turn, edge, cloth)
    if headwear.kind == "turban":
        return (_turban(head, headwear, turn, edge, cloth),)
    return _beanie(head, headwear, turn, edge, cloth)


def covered(template: Template, vertices: Floats, headwear: Headwear) -> NDArray[np.bool_]:
    """Mask (N,) of the scalp's vertices under the piece, whose hair does not show (headphones and bands hide none)."""
    scalp = template.region("scalp")
    if headwear.kind in ("headphones", "headband"):
        return np.zeros_like(scalp)
    if headwear.kind == "headscarf":
        return scalp
    face = FaceMeasures.of(template, vertices)
    head = HeadMap.of(template, vertices, ears=False)
    turn = _turns()
    edge = head.level(turn, _edge_height(template, vertices, face, headwear, turn))
    own_turn, own_polar = head.directions(vertices)
    limit = np.interp(own_turn % (2.0 * np.pi), np.append(turn, 2.0 * np.pi), np.append(edge, edge[0]))
    return scalp & (own_polar < limit)


def _turns() -> Array:
    return np.linspace(0.0, 2.0 * np.pi, _COLUMNS, endpoint=False)


def _edge_height(template: Template, vertices: Floats, face: FaceMeasures, headwear: Headwear, turn: Array) -> Array:
    """Height (P,) of the lower edge at turns (P,), mm in head space."""
    brow = float(vertices[template.landmarks68[17:27], 1].mean())
    ear = float(face.ear_seats[:, 0, 1].mean())
    front, side, back = brow + headwear.front, ear + headwear.side, ear + headwear.back
    ahead = np.cos(turn)
    height = np.where(ahead > 0.0, side + (front - side) * ahead**2, side + (back - side) * ahead**2)
    if headwear.turned:
        # The gap over the closing strap, above the forehead.
        off = (turn + np.pi) % (2.0 * np.pi) - np.pi
        height = height + 38.0 * np.clip(1.0 - (off / 0.42) ** 2, 0.0, 1.0) ** 0.5
    return height


def _mesh(name: str, points: Array, surface: Surface, width: float = 0.6, height: float = 0.25) -> MeshProp:
    rows, columns = points.shape[:2]
    flat = points.reshape(-1, 3).astype(np.float32)
    return MeshProp(
        name, "headwear", flat, loft_faces(rows, columns), (surface,), loft_uv(rows, columns, width, height)
    )


def _shell(edge: Array, rows: int) -> Array:
    """Polar angles (rows,P) from the edge up to the crown."""
    return edge * np.linspace(1.0, 0.0, rows)[:, None] + 0.012


def _beanie(head: HeadMap, headwear: Headwear, turn: Array, edge: Array, cloth: Surface) -> tuple[Prop, ...]:
    t, p = headwear.thick, headwear.phase
    polar = _shell(edge, 22)
    # Cloth spans the hollows of what it covers.
    reach = _spanned(head.reach(np.broadcast_to(turn, polar.shape), polar))
    share = np.linspace(0.0, 1.0, 22)[:, None]
    loose = 1.5 + (6.0 + 0.5 * headwear.tall) * np.sin(np.pi * np.clip(share * 0.75, 0.0, 1.0)) ** 1.5
    wrinkles = np.sin(3.0 * turn + p + 6.0 * share) + 0.6 * np.sin(7.0 * turn - p + 9.0 * share)
    distance = reach + t + loose + 0.9 * wrinkles * share * (1.0 - 0.6 * share)
    points = head.point(np.broadcast_to(turn, polar.shape), polar, distance)
    slack = headwear.slouch * np.clip(share - 0.45, 0.0, 1.0)[..., None] ** 1.2
    points = points + slack * np.array([0.25 * np.sin(p), 1.0, -1.1])
    inside = head.point(turn, edge - 0.03, reach[0] + 0.8)
    rows = [inside[None], head.point(turn, edge + 0.004, reach[0] + 0.5 * t)[None]]
    if headwear.cuff:
        cuff = edge - np.linspace(0.0, headwear.cuff / 105.0, 6)[:, None]
        around = np.broadcast_to(turn, cuff.shape)
        lift = np.array([1.0, 1.25, 1.4, 1.4, 1.25, 0.9])[:, None]
        base = _spanned(head.reach(around, cuff))
        rows.append(head.point(around, cuff, base + t + 4.5 * lift))
        tucked = polar < cuff[-1] + 0.02
        rows.append(np.where(tucked[..., None], points, head.point(around[:1], cuff[-1:], base[-1:] + t + 1.0)))
    else:
        band = edge - np.linspace(0.0, 0.05, 6)[:, None]
        around = np.broadcast_to(turn, band.shape)
        rows.append(head.point(around, band, _spanned(head.reach(around, band)) + t + 1.0))
        rows.append(points)
    props: list[Prop] = [_mesh("beanie", np.concatenate(rows), cloth)]
    if headwear.pompom:
        rows_, columns = 9, 14
        polar_ = np.linspace(0.1, np.pi - 0.1, rows_)[:, None]
        around_ = np.linspace(0.0, 2.0 * np.pi, columns, endpoint=False)[None]
        bumps = 1.0 + 0.10 * np.sin(5.0 * around_ + 7.0 * polar_ + p) * np.sin(4.0 * polar_)
        ball = (
            27.0
            * bumps[..., None]
            * np.stack(
                [np.sin(polar_) * np.cos(around_), np.cos(polar_) + 0.0 * around_, np.sin(polar_) * np.sin(around_)], -1
            )
        )
        wool = Surface(colour=headwear.second, second=headwear.colour, pattern="noise", scale=200.0, roughness=1.0)
        props.append(_mesh("pompom", ball + points[-1].mean(0) + 16.0 * head.axes[1], wool, 0.2, 0.1))
    return tuple(props)


def _spanned(reach: Array) -> Array:
    """Distances (R,P) smoothed upwards: never less than they are, with hollows filled."""
    for _ in range(3):
        mean = (np.roll(reach, 2, 1) + np.roll(reach, 1, 1) + reach + np.roll(reach, -1, 1) + np.roll(reach, -2, 1)) / 5
        reach = np.maximum(reach, mean)
    return reach


def _turban(head: HeadMap, headwear: Headwear, turn: Array, edge: Array, cloth: Surface) -> MeshProp:
    t, p = headwear.thick, headwear.phase
    share = np.linspace(0.0, 1.0, 34)[:, None]
    polar = edge * (1.0 - share) + 0.02
    around = np.broadcast_to(turn, polar.shape)
    reach = _spanned(head.reach(around, polar))
    # Wraps run obliquely and cross over the forehead.
    wraps = np.abs(np.sin(16.0 * share + 1.6 * np.abs(np.sin(0.5 * turn + 0.2 * np.sin(p)))))
    volume = 6.0 + (14.0 + headwear.tall) * np.sin(np.pi * np.clip(0.15 + 0.8 * share, 0.0, 1.0)) ** 0.8
    points = head.point(around, polar, reach + t + volume * (0.86 + 0.14 * wraps) + 2.4 * wraps)
    inside = np.stack([head.at(turn, edge - 0.03, 0.8), head.at(turn, edge + 0.015, 3.0)])
    return _mesh("turban", np.concatenate([inside, points]), cloth)


def _headband(head: HeadMap, headwear: Headwear, turn: Array, edge: Array, cloth: Surface) -> MeshProp:
    height = (20.0 + 28.0 * headwear.shape) / 100.0
    section = profile(12, 3.0)
    polar = edge - 0.5 * height * (1.0 - section[:, :1])
    out = headwear.thick * (0.5 + 0.5 * section[:, 1:]) + 0.4
    return _mesh("headband", head.at(np.broadcast_to(turn, polar.shape), polar, out)[::-1], cloth, 0.6, 0.05)


def _cap(head: HeadMap, headwear: Headwear, turn: Array, edge: Array, cloth: Surface) -> tuple[Prop, ...]:
    t = headwear.thick
    facing = np.pi if headwear.turned else 0.0
    share = np.linspace(0.0, 1.0, 20)[:, None]
    polar = _shell(edge, 20)
    around = np.broadcast_to(turn, polar.shape)
    ahead = np.cos(turn - facing)
    # A stiff front panel stands up from the forehead; seams part the crown in six.
    stiff = headwear.tall * np.clip(ahead, 0.0, 1.0) ** 0.7 * np.sin(np.pi * np.clip(share / 0.9, 0.0, 1.0)) ** 0.9
    seams = -0.9 * np.exp(-((((turn * 6.0 / (2.0 * np.pi) + 0.5) % 1.0 - 0.5) / 0.03) ** 2)) * np.sin(np.pi * share)
    out = t + 2.0 + 5.0 * np.sin(np.pi * share) + stiff + seams
    crown = head.point(around, polar, _spanned(head.reach(around, polar)) + out)
    inside = np.stack([head.at(turn, edge - 0.08, 0.5), head.at(turn, edge, 0.5), head.at(turn, edge + 0.01, 0.6 * t)])
    whole = _mesh("cap", np.concatenate([inside, crown]), cloth)
    return whole, *_cap_brim(head, headwear, turn, edge, cloth, facing), _cap_button(head, crown, headwear)


def _cap_brim(
    head: HeadMap, headwear: Headwear, turn: Array, edge: Array, cloth: Surface, facing: float
) -> tuple[Prop, ...]:
    across = np.linspace(-1.0, 1.0, 33)
    around = facing + 1.12 * across
    wrapped = around % (2.0 * np.pi)
    polar = np.interp(wrapped, np.append(turn, 2.0 * np.pi), np.append(edge, edge[0]))
    root = head.at(wrapped, polar - 0.02, headwear.thick + 1.5)
    ahead = np.array([np.sin(facing), 0.0, np.cos(facing)])
    left = np.array([np.cos(facing), 0.0, -np.sin(facing)])
    middle = root[16]
    length = headwear.brim * np.sqrt(np.clip(1.0 - 0.80 * across**2, 0.0, 1.0))
    length = length * np.clip((1.0 - across**2) * 5.0, 0.0, 1.0)
    half = float(np.abs((root - middle) @ left).max())
    way = np.linspace(0.0, 1.0, 9)[:, None]
    curve = 10.0 + 26.0 * headwear.shape
    side = (root - middle) @ left
    drop = curve * ((side / half) ** 2) * way + way * length * 0.24
    lower = root + (way * length)[..., None] * ahead - drop[..., None] * np.array([0.0, 1.0, 0.0])
    lower = lower - (1.0 - way)[..., None] * 0.0
    plate = np.concatenate([lower + np.array([0.0, 1.3, 0.0]), lower[::-1] - np.array([0.0, 1.3, 0.0])])
    faces = loft_faces(18, 33, around=False)
    brim = Surface(colour=headwear.second if headwear.phase % 4.0 < 1.0 else headwear.colour, roughness=0.8)
    props: list[Prop] = [MeshProp("cap brim", "headwear", plate.reshape(-1, 3).astype(np.float32), faces, (brim,))]
    if headwear.turned:
        span = np.linspace(-0.55, 0.55, 20)
        low = np.interp(np.full(20, 0.62), turn, edge)
        section = np.array([0.09, 0.085, 0.0, -0.085, -0.09])[:, None] * 1.0
        strap = head.at(
            np.broadcast_to(span, (5, 20)), low - 0.06 + section, np.array([0.5, 3.0, 3.5, 3.0, 0.5])[:, None]
        )
        props.append(
            MeshProp("cap strap", "headwear", strap.reshape(-1, 3).astype(np.float32),
                     loft_faces(5, 20, around=False), (cloth,))
        )  # fmt: skip
    return tuple(props)


def _cap_button(head: HeadMap, crown: Array, headwear: Headwear) -> Prop:
    ring = profile(10)
    size, lift = np.array([8.0, 8.0, 5.5, 1.0]), np.array([-3.0, 1.5, 3.5, 4.2])
    flat = size[:, None, None] * (ring[:, :1] * head.axes[0] + ring[:, 1:] * head.axes[2])
    points = crown[-1].mean(0) + flat + lift[:, None, None] * head.axes[1]
    return _mesh("cap button", points, Surface(colour=headwear.colour, roughness=0.8), 0.05, 0.01)


def _hat(head: HeadMap, headwear: Headwear, turn: Array, edge: Array, cloth: Surface) -> tuple[Prop, ...]:
    bucket = headwear.shape > 0.72
    base = head.at(turn, edge, headwear.thick)
    centre = base.mean(0)
    up = head.axes[1]
    flat = base - centre
    flat = flat - (flat @ up)[:, None] * up
    rise = (base - centre) @ up
    # The crown must clear the head's top.
    tall = max(headwear.tall, float((head.at(turn[:1], np.array([0.05]), 0.0) - centre)[0] @ up) + 10.0)
    rows = np.array([-0.02, 0.0, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0, 0.99, 0.97, 0.96])
    wide = np.array([0.97, 1.0, 0.99, 0.97, 0.94, 0.90, 0.84, 0.74, 0.5, 0.25, 0.01])
    if bucket:
        wide = np.array([0.97, 1.0, 0.98, 0.95, 0.91, 0.88, 0.84, 0.76, 0.5, 0.25, 0.01])
    pinch = 0.0 if bucket else 17.0
    dent = pinch * np.exp(-(((np.cos(turn) - 0.72) / 0.3) ** 2))
    crown = centre + flat * wide[:, None, None] + (rows[:, None, None] * tall + (1 - rows.clip(0, 1))[:, None, None]
            * rise[:, None]) * up  # fmt: skip
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    crown = crown - np.clip(rows * 1.4 - 0.5, 0.0, 0.75)[:, None, None] * dent[:, None] * flat / length
    valley = 0.0 if bucket else 15.0
    inner = np.clip(0.8 - wide, 0.0, 0.8)[:, None, None] / 0.8
    crown = crown - valley * inner * np.exp(-((flat @ head.axes[0] / 45.0) ** 2))[:, None] * up
    crown = np.concatenate([crown[:1], head.outside(crown[1:], 2.5, 25.0)])
    outward = flat / length
    share = np.linspace(0.0, 1.0, 10)[:, None, None]
    brim = headwear.brim * (0.75 if bucket else 1.0)
    wave = np.cos(2.0 * turn + 0.4 * np.sin(headwear.phase)) * (0.10 + 0.20 * headwear.shape) * brim
    if bucket:
        fall = -0.62 * brim * share
    else:
        fall = share**1.5 * (-0.10 * brim - wave[:, None] * 0.5 - 0.12 * brim * np.cos(turn)[:, None])
    plate = centre + rise[:, None] * up + flat + outward * share * brim * (0.8 if bucket else 1.0) + fall * up
    both = np.concatenate([plate + 1.2 * up, plate[::-1] - 1.2 * up])
    band_rows = np.array([0.0, 0.01, 0.26, 0.27])[:, None, None]
    band_out = np.array([0.5, 2.2, 1.8, 0.2])[:, None, None]
    band = centre + flat * np.interp(band_rows, rows[:8], wide[:8]) + outward * band_out
    band = band + (band_rows * tall + (1.0 - band_rows) * rise[:, None]) * up
    ribbon = Surface(colour=headwear.second, roughness=0.5) if not bucket else cloth
    return (
        _mesh("hat crown", crown, cloth, 0.6, 0.2),
        _mesh("hat brim", both, cloth, 0.6, 0.2),
        _mesh("hat band", band, ribbon, 0.6, 0.03),
    )


def _headphones(head: HeadMap, face: FaceMeasures, headwear: Headwear) -> tuple[Prop, ...]:
    pile = Pile()
    ears = face.ear_seats[:, 0] + np.array([0.0, -22.0, -6.0])
    span = np.linspace(-1.0, 1.0, 25)
    high = float(head.point(np.zeros(1), np.zeros(1), head.reach(np.zeros(1), np.zeros(1)))[0, 1]) + 10.0
    wide = max(abs(float(ears[0, 0])), abs(float(ears[1, 0]))) + 16.0
    turn = 0.5 * np.pi * span
    middle = ears.mean(0)
    x = wide * np.sin(turn) ** 1 * (1.0 + 0.05 * np.cos(turn))
    y = middle[1] + 18.0 + (high - middle[1] - 18.0) * np.abs(np.cos(turn)) ** 0.75
    z = middle[2] - 4.0 * np.cos(turn)
    path = np.stack([x + middle[0], y, z], 1)
    size = np.stack([np.full(25, 3.0 + 2.5 * headwear.shape), 9.0 + 7.0 * np.cos(turn) ** 2], 1)
    band = sweep(path, path - middle, np.array([0.0, 0.0, 1.0]), profile(8, 3.0), size)
    pile.add(band, loft_faces(25, 8, caps=True), 0)
    ring = profile(20, 2.3) * np.array([32.0, 38.0])
    for ear, sign in zip(ears, (-1.0, 1.0), strict=True):
        out = np.array([-5.0, -2.0, 4.0, 9.0, 10.0, 12.0, 26.0, 30.0, 31.0])
        scale = np.array([0.72, 0.96, 1.02, 0.98, 0.90, 0.96, 0.92, 0.78, 0.03])
        cup = np.zeros((9, 20, 3))
        cup[..., 0] = ear[0] + sign * (out[:, None] + 4.0)
        cup[..., 1] = ear[1] + scale[:, None] * ring[:, 1]
        cup[..., 2] = ear[2] + scale[:, None] * ring[:, 0] * -sign
        faces = loft_faces(9, 20)
        pile.add(cup, faces[: 4 * 20], 1)
        pile.add(cup, faces[4 * 20 :], 0)
    shell = Surface(colour=headwear.colour, roughness=headwear.roughness)
    pads = Surface(colour=(0.012, 0.012, 0.013) if headwear.phase % 5 > 1 else (0.3, 0.24, 0.18), roughness=0.6)
    return (MeshProp("headphones", "headwear", pile.vertices, pile.faces, (shell, pads), material=pile.material),)


def _headscarf(head: HeadMap, face: FaceMeasures, headwear: Headwear, cloth: Surface, torso: Torso) -> tuple[Prop, ...]:
    p = headwear.phase
    # Columns run about the face from the forehead; rows from the face's rim over the head to the back.
    count = 80
    angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    half = 62.0 + 3.0 * np.sin(p)
    top = 0.5 * (face.eyes[0, 1] + face.eyes[1, 1]) + 32.0 + headwear.front
    low = face.chin[1] - 6.0
    middle_y, tall = 0.5 * (top + low), 0.5 * (top - low)
    x = 0.5 * (face.eyes[0, 0] + face.eyes[1, 0]) + half * np.sin(angle) * (1.0 - 0.12 * np.cos(angle + np.pi))
    y = middle_y + tall * np.cos(angle)
    z = np.interp(y, [low, face.mouth[1], face.eyes[0, 1], top], [face.chin[2] - 26.0, 22.0, 18.0, 40.0])
    rim = np.stack([x, y, z], 1)
    rim_turn, rim_polar = head.directions(rim.astype(np.float32))
    away = rim - head.middle
    reach = head.reach(rim_turn, rim_polar)
    need = np.maximum(reach + 2.5, np.linalg.norm(away, axis=1) * (y < face.mouth[1]))
    rim = head.middle + need[:, None] * away / np.linalg.norm(away, axis=1, keepdims=True)
    # Each column sweeps from its place on the rim to the back of the head, opposite the face.
    pole = np.array([0.0, 0.30, -0.954])
    start = (rim - head.middle) / np.linalg.norm(rim - head.middle, axis=1, keepdims=True)
    share = np.linspace(0.0, 1.0, 22)[:, None]
    bend = np.arccos(np.clip(start @ pole, -1.0, 1.0))
    way = (np.sin((1.0 - share) * bend)[..., None] * start + np.sin(share * bend)[..., None] * pole) / np.sin(bend)[
        :, None
    ]
    turn, polar = head.directions(way.reshape(-1, 3).astype(np.float32) + head.middle)
    turn, polar = turn.reshape(way.shape[:2]), polar.reshape(way.shape[:2])
    reach = head.reach(turn, polar)
    # Loosely wound cloth bridges what stands out, the ears above all.
    for _ in range(14):
        padded = np.pad(reach, ((1, 1), (0, 0)), mode="edge")
        mean = (np.roll(reach, 1, 1) + np.roll(reach, -1, 1) + padded[:-2] + padded[2:]) / 4.0
        reach = np.maximum(reach, mean - 0.1)
    folds = np.sin(9.0 * angle + 5.0 * share + p) + 0.7 * np.sin(15.0 * angle - 7.0 * share + 2.0 * p)
    knot = 16.0 * headwear.shape * np.clip((share - 0.5) * 3.0, 0.0, 1.0) ** 2
    out = 3.0 + 8.0 * np.clip(share * 4.0, 0.0, 1.0) + 2.2 * folds * np.sin(np.pi * share**0.7) + knot
    dome = head.middle + (reach + out)[..., None] * way
    first = np.linalg.norm(rim - head.middle, axis=1)
    dome[0] = rim
    near = np.exp(-share * 10.0)[..., None]
    dome = dome * (1.0 - near) + near * (head.middle + (first[:, None] + out[..., :, None] - 3.0) * way)
    inside = head.middle + (first - 1.8)[:, None] * start
    hood = _mesh("headscarf", np.concatenate([inside[None], dome]), cloth, 0.6, 0.3)
    # What is wound about the neck and falls on the chest.
    turns = np.linspace(0.0, 2.0 * np.pi, 72, endpoint=False)
    along = np.concatenate([[-46.0, -62.0, -66.0], np.linspace(-58.0, 95.0, 16) + 0.0])[:, None]
    ahead = np.cos(turns)
    along = np.where(along > 20.0, 20.0 + (along - 20.0) * (1.15 + 0.85 * np.clip(ahead, 0.0, 1.0)), along)
    wraps = np.abs(np.sin(0.055 * along + 1.3 * np.sin(turns + p) + p))
    width = np.interp(along, [-66.0, -50.0, 0.0, 60.0, 180.0], [12.0, 18.0, 24.0, 18.0, 15.0])
    width = np.concatenate([np.array([4.0, 8.0, 12.0])[:, None] + 0.0 * turns, width[3:] + 7.0 * wraps[3:]])
    drape = _mesh("headscarf drape", torso.at(turns[None], along, width), cloth, 0.6, 0.2)
    return hood, drape
