"""Clothes: what is worn on neck, shoulders and chest, cut from the torso's surface so that it always meets the neck."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Traits
from training.subjects.props import Colour, Floats, MeshProp, Prop, Surface
from training.subjects.shapes import loft_faces, loft_uv, profile
from training.subjects.torso import Build, Torso
from training.template import Template

Array = NDArray[np.float64]

_COLUMNS = 96
_EDGE_ROWS, _BODY_ROWS = 11, 24
_FLOOR = 400.0

# What people wear in photos: chance for men, for women.
_KINDS: dict[str, tuple[float, float]] = {
    "t-shirt": (0.24, 0.16), "sweater": (0.12, 0.13), "v-neck": (0.06, 0.14), "turtleneck": (0.03, 0.07),
    "shirt": (0.22, 0.12), "jacket": (0.17, 0.11), "hoodie": (0.09, 0.06), "coat": (0.05, 0.05), "bare": (0.02, 0.16),
}  # fmt: skip
_MUTED: tuple[Colour, ...] = (
    (0.010, 0.010, 0.012), (0.010, 0.010, 0.012), (0.035, 0.036, 0.040), (0.140, 0.140, 0.145), (0.380, 0.380, 0.380),
    (0.720, 0.715, 0.700), (0.720, 0.715, 0.700), (0.012, 0.020, 0.055), (0.012, 0.020, 0.055), (0.060, 0.110, 0.210),
    (0.110, 0.075, 0.045), (0.330, 0.250, 0.165), (0.055, 0.065, 0.035), (0.110, 0.012, 0.018),
)  # fmt: skip
_SHIRTS: tuple[Colour, ...] = (
    (0.760, 0.760, 0.750), (0.760, 0.760, 0.750), (0.420, 0.560, 0.750), (0.620, 0.700, 0.800), (0.750, 0.560, 0.600),
    (0.012, 0.012, 0.014), (0.030, 0.050, 0.110),
)  # fmt: skip


@dataclass(frozen=True)
class Clothes:
    """One outfit. kind from the list above; build of the body; colours linear RGB with a pattern.

    neck and depth mm: how far below the neck's end the neckline runs all round, and its further drop in front;
    collar mm its height; thick mm the cloth's distance from the skin; folds mm and phase their waves. under: the
    colour worn beneath (jacket, coat); tie: its colour or None; straps of a bare top: None or mm width.
    """

    kind: str
    build: Build
    colour: Colour
    second: Colour
    pattern: str
    scale: float
    roughness: float
    sheen: float
    trim: Colour
    under: Colour
    tie: Colour | None
    neck: float
    depth: float
    collar: float
    thick: float
    folds: float
    phase: float
    straps: float


def draw_clothes(rng: np.random.Generator, traits: Traits) -> Clothes:
    """An outfit; everybody wears one."""
    female = traits.female > 0.5
    names = list(_KINDS)
    chance = np.array([_KINDS[name][1 if female else 0] for name in names])
    if traits.age > 55:
        chance[names.index("hoodie")] *= 0.3
        chance[names.index("bare")] *= 0.3
    kind = names[int(rng.choice(len(names), p=chance / chance.sum()))]
    colour, second, pattern, scale = _cloth(rng, kind)
    low, high = {
        "t-shirt": (3.0, 13.0), "sweater": (-4.0, 10.0), "v-neck": (4.0, 16.0), "turtleneck": (0.0, 0.0),
        "shirt": (-3.0, 2.0), "jacket": (-2.0, 3.0), "hoodie": (0.0, 8.0), "coat": (0.0, 4.0), "bare": (90.0, 150.0),
    }[kind]  # fmt: skip
    deep, deepest = {"t-shirt": (2.0, 22.0), "v-neck": (45.0, 110.0), "shirt": (0.0, 0.0), "sweater": (0.0, 12.0)}.get(
        kind, (0.0, 0.0)
    )
    open_collar = kind == "shirt" and rng.random() < 0.6
    suit = kind == "jacket" and rng.random() < 0.7
    tie = None
    if (kind == "shirt" and not open_collar and not female and rng.random() < 0.5) or (
        suit and not female and rng.random() < 0.65
    ):
        tie = _tint(rng, _MUTED, 0.7)
    return Clothes(
        kind=kind,
        build=Build(
            female=float(np.clip(traits.female, 0.0, 1.0)),
            heavy=float(np.clip(rng.beta(2.0, 2.4) + 0.1, 0.0, 1.0)),
            shoulders=float(np.clip(rng.normal(0.97, 0.04), 0.86, 1.06)),
            turn=(
                float(np.clip(rng.normal(0.0, 9.0), -25.0, 25.0)),
                float(np.clip(rng.normal(0.0, 3.0), -8.0, 8.0)),
                float(np.clip(rng.normal(0.0, 2.0), -6.0, 6.0)),
            ),
        ),
        colour=colour,
        second=second,
        pattern=pattern,
        scale=scale,
        roughness=float(rng.uniform(0.6, 0.95)),
        sheen=float(rng.uniform(0.0, 0.4)),
        trim=colour if rng.random() < 0.85 else _tint(rng, _MUTED, 0.4),
        under=_tint(rng, _SHIRTS, 0.15) if suit else _tint(rng, _MUTED, 0.3),
        tie=tie,
        neck=float(rng.uniform(low, high)),
        depth=float(rng.uniform(35.0, 95.0)) if open_collar else float(rng.uniform(deep, deepest)),
        collar={
            "shirt": float(rng.uniform(26.0, 34.0)),
            "jacket": float(rng.uniform(26.0, 34.0)) if suit else 0.0,
            "turtleneck": float(rng.uniform(34.0, 52.0)),
            "coat": float(rng.uniform(36.0, 58.0)),
        }.get(kind, 0.0),
        thick=float(
            {"sweater": rng.uniform(3.5, 6.0), "hoodie": rng.uniform(4.0, 7.0), "coat": rng.uniform(9.0, 15.0)}.get(
                kind, rng.uniform(2.0, 3.5)
            )
        ),
        folds=float(rng.uniform(0.6, 3.0)),
        phase=float(rng.uniform(0.0, 100.0)),
        straps=float(rng.choice([0.0, 6.0, 28.0], p=[0.25, 0.4, 0.35])) if kind == "bare" else 0.0,
    )


def beneath(clothes: Clothes) -> Clothes:
    """The same outfit without what stands off the neck, for under a scarf."""
    if clothes.kind in ("t-shirt", "v-neck", "sweater", "bare"):
        return clothes
    return replace(clothes, kind="t-shirt", collar=0.0, depth=0.0, neck=8.0, tie=None, thick=min(clothes.thick, 4.0))


def _tint(rng: np.random.Generator, among: tuple[Colour, ...], bright: float) -> Colour:
    if rng.random() < bright * 0.6:
        saturated = rng.beta(1.2, 1.6, 3) * rng.uniform(0.15, 0.9)
        return (float(saturated[0]), float(saturated[1]), float(saturated[2]))
    base = np.array(among[int(rng.integers(0, len(among)))]) * rng.uniform(0.75, 1.15, 3)
    r, g, b = np.clip(base, 0.004, 0.8)
    return (float(r), float(g), float(b))


def _cloth(rng: np.random.Generator, kind: str) -> tuple[Colour, Colour, str, float]:
    colour = _tint(rng, _SHIRTS, 0.3) if kind == "shirt" else _tint(rng, _MUTED, 0.45)
    second = _tint(rng, _MUTED, 0.3)
    chance = rng.random()
    if kind in ("sweater", "turtleneck") and chance < 0.7:
        r, g, b = (0.55 * channel for channel in colour)
        return colour, (r, g, b), "knit", float(rng.uniform(150.0, 300.0))
    if kind in ("t-shirt", "sweater", "v-neck") and chance < 0.25:
        return colour, second, "stripes", float(rng.uniform(15.0, 60.0))
    if kind == "shirt" and chance < 0.35:
        return colour, second, "checks" if chance < 0.2 else "stripes", float(rng.uniform(30.0, 110.0))
    if kind in ("v-neck", "bare", "shirt") and chance < 0.5:
        return colour, second, "noise", float(rng.uniform(15.0, 70.0))
    return colour, colour, "", 40.0


def clothes_props(template: Template, vertices: Floats, clothes: Clothes, skin: Colour) -> tuple[Prop, ...]:
    """The outfit on a subject: vertices (N,3) mm of the posed template; `skin` what bare skin looks like, linear RGB.

    Raises :class:`training.subjects.fitting.WrongTemplate` where the template lacks the neck's vertices.
    """
    torso = Torso.of(template, vertices, clothes.build)
    cloth = Surface(
        colour=clothes.colour, second=clothes.second, pattern=clothes.pattern, scale=clothes.scale,
        roughness=clothes.roughness, sheen=clothes.sheen,
    )  # fmt: skip
    trim = cloth if clothes.trim == clothes.colour else Surface(colour=clothes.trim, roughness=clothes.roughness)
    inner = Surface(colour=clothes.under, roughness=0.8)
    props = [_bare_skin(torso, clothes, skin)]
    if clothes.kind == "jacket":
        props.append(_garment(torso, clothes, inner, inner, flat=True))
        props += _jacket(torso, clothes, cloth)
        if clothes.collar:
            props.append(_shirt_collar(torso, clothes, inner))
    else:
        props.append(_garment(torso, clothes, cloth, trim))
    if clothes.kind == "shirt":
        props += [_shirt_collar(torso, clothes, cloth), _placket(torso, clothes, cloth)]
    if clothes.kind == "hoodie":
        props += _hood(torso, clothes, cloth)
    if clothes.kind == "coat":
        props.append(_zip(torso, clothes))
    if clothes.straps:
        props.append(_straps(torso, clothes, cloth))
    if clothes.tie is not None:
        props.append(_tie(torso, clothes, clothes.tie))
    return tuple(props)


def _turns() -> Array:
    return np.linspace(0.0, 2.0 * np.pi, _COLUMNS, endpoint=False)


def _front(turn: Array) -> Array:
    """Angles measured from the front, -pi..pi."""
    return (turn + np.pi) % (2.0 * np.pi) - np.pi


def _bare_skin(torso: Torso, clothes: Clothes, skin: Colour) -> MeshProp:
    """The body's own skin, beginning just under the neck's and sinking away where cloth covers it."""
    turn = _turns()
    along = np.array([-14.0, -7.0, -2.0, 0.0, 2.0, 6.0, *np.linspace(12.0, 250.0, 20)])[:, None]
    out = np.interp(along, [-14.0, -7.0, -2.0, 0.0, 3.0], [-2.5, -1.2, -0.3, -0.1, 0.0])
    covered = along - _neckline(clothes, turn) - 12.0
    points = torso.at(turn[None], along, out - np.clip(0.35 * covered, 0.0, 12.0))
    surface = Surface(colour=skin, roughness=0.5)
    return MeshProp("shoulders", "skin", _flat(points), loft_faces(len(along), _COLUMNS), (surface,))


def _neckline(clothes: Clothes, turn: Array) -> Array:
    """How far below the neck's end the neckline runs at angles from the front (...,), mm."""
    ahead = np.abs(_front(turn))
    if clothes.kind in ("v-neck", "shirt"):
        wide = 1.15 if clothes.kind == "v-neck" else 0.95
        drop = np.maximum(1.0 - ahead / wide, 0.0) ** 1.05
    else:
        drop = np.exp(-((ahead / 0.8) ** 2))
    return clothes.neck + clothes.depth * drop


def _edge(clothes: Clothes) -> tuple[Array, Array, int]:
    """The neckline's section: way (mm, from the neckline) and distance from the skin (11,), and rows of trim."""
    t, c = clothes.thick, clothes.collar
    if clothes.kind == "turtleneck":
        along = [-0.3 * c, -0.8 * c, -c, -1.02 * c, -c, -0.85 * c, -0.55 * c, -0.25 * c, -0.2 * c, -0.24 * c, 0.0]
        out = [0.6, 1.2, 2.2, 3.6, 5.4, 6.4, 6.8, 6.6, 5.6, 4.0, 3.2]
        return np.array(along), np.array(out), 9
    if clothes.kind == "coat":
        along = [-0.1 * c, -0.6 * c, -0.95 * c, -1.02 * c, -c, -0.85 * c, -0.6 * c, -0.4 * c, -0.2 * c, 0.0, 8.0]
        out = [3.0, 6.0, 8.0, 10.0, 12.0, 13.5, 13.5, 14.0, 14.0, 12.0, t]
        return np.array(along), np.array(out), 0
    band = 20.0 if clothes.kind in ("sweater", "hoodie") else 14.0
    rib = 0.7 if clothes.kind in ("t-shirt", "sweater", "hoodie") else 0.0
    along = [6.0, 1.0, -0.6, -1.0, -0.4, 1.0, 0.4 * band, band - 1.5, band, band + 1.5, band + 6.0]
    out = [-0.6, 0.2, 0.5 * t, 0.8 * t, t + 0.6 * rib, t + rib, t + rib, t + rib, t, t, t]
    return np.array(along), np.array(out), 7 if rib else 0


def _garment(torso: Torso, clothes: Clothes, cloth: Surface, trim: Surface, flat: bool = False) -> MeshProp:
    turn = _turns()
    along_edge, out_edge, trimmed = _edge(clothes)
    start = _neckline(clothes, turn)
    share = np.linspace(0.0, 1.0, _BODY_ROWS + 1)[1:, None] ** 1.25
    first = start + along_edge[-1]
    along = np.concatenate([start + along_edge[:, None], first + share * (_FLOOR - first)])
    thick = np.concatenate([np.tile(out_edge[:, None], (1, _COLUMNS)), np.full((_BODY_ROWS, _COLUMNS), clothes.thick)])
    far = np.clip((along - first) / 90.0, 0.0, 1.0)
    far[:_EDGE_ROWS] = 0.0
    out = thick + far * (2.0 + (0.0 if flat else 1.0) * _folds(clothes, turn, along))
    if clothes.kind == "coat":
        rows = np.abs(np.sin((along - first) * np.pi / 62.0)) ** 0.6
        out = out + np.where(along > first, 6.0 * (rows - 0.6) * np.clip((along - first) / 20.0, 0.0, 1.0), 0.0)
    points = torso.at(turn[None], along, np.where(along > first, np.maximum(out, 1.5), out))
    faces = loft_faces(_EDGE_ROWS + _BODY_ROWS, _COLUMNS)
    material = (np.arange(len(faces)) < trimmed * _COLUMNS).astype(np.int32)
    name = f"clothes {trimmed}"
    uv = loft_uv(_EDGE_ROWS + _BODY_ROWS, _COLUMNS, 0.8, 0.5)
    return MeshProp(name, "clothes", _flat(points), faces, (cloth, trim), uv, material)


def _folds(clothes: Clothes, turn: Array, along: Array) -> Array:
    """Waves of cloth, mm: long ones that fall from the shoulders and shorter ones across."""
    p = clothes.phase
    waves = np.sin(5.0 * turn + 0.012 * along + p) + 0.7 * np.sin(9.0 * turn - 0.021 * along + 2.3 * p)
    waves = waves + 0.5 * np.sin(14.0 * turn + 0.035 * along + 0.7 * p)
    return clothes.folds * (waves + 0.6 * np.sin(0.055 * along + 3.0 * np.sin(2.0 * turn + p)))


def _shirt_collar(torso: Torso, clothes: Clothes, cloth: Surface) -> MeshProp:
    """Stand and fall of a shirt's collar, open in front."""
    height = clothes.collar
    closed = clothes.depth < 10.0
    gap = 0.03 if closed else 0.16
    u = np.linspace(0.0, 1.0, 65)
    ease = u - 0.10 * np.sin(4.0 * np.pi * u) / 2.0
    turn = gap + ease * (2.0 * np.pi - 2.0 * gap)
    ahead = np.abs(_front(turn))
    base = _neckline(clothes, turn) if clothes.kind == "shirt" else np.full(65, clothes.neck)
    # The stand is lower in front; the fall's points reach out and down.
    tall = height * (0.72 + 0.28 * np.clip(ahead / 2.2, 0.0, 1.0)) * (1.0 if closed else 0.9)
    point = np.exp(-((ahead / 0.42) ** 2))
    fall = tall + 6.0 + 26.0 * point
    share = np.array([0.0, 0.35, 0.75, 0.97, 1.03, 1.0, 0.8, 0.4, 0.0, -0.02])
    out = np.array([2.2, 2.8, 3.4, 4.0, 5.2, 6.6, 7.6, 8.6, 9.2, 8.0])[:, None] + (0.0 if closed else 1.5)
    top = base - tall
    along = np.where(np.arange(10)[:, None] < 5, base - share[:, None] * tall, top + (1.0 - share[:, None]) * fall)
    outward = np.clip(np.arange(10)[:, None] - 4.0, 0.0, 4.0) / 4.0
    slide = (0.30 if closed else 0.36) * point * outward * np.sign(_front(turn))
    out = out + 3.0 * outward * (1.0 - point)
    points = torso.at(turn + slide, along, np.broadcast_to(out, along.shape))
    return MeshProp("shirt collar", "clothes", _flat(points), _open(10, 65), (cloth,), _open_uv(10, 65, 0.4, 0.08))


def _open(rows: int, columns: int) -> NDArray[np.int32]:
    return loft_faces(rows, columns, around=False)


def _open_uv(rows: int, columns: int, width: float, height: float) -> Floats:
    full = loft_uv(rows, columns - 1, width, height)
    return full


def _placket(torso: Torso, clothes: Clothes, cloth: Surface) -> MeshProp:
    """The strip that carries the buttons, and five buttons."""
    start = clothes.neck + clothes.depth - 2.0
    along = np.linspace(start, _FLOOR - 20.0, 24)
    across = np.array([-15.0, -14.0, 0.0, 14.0, 15.0])
    rise = np.array([0.0, 1.6, 1.9, 1.6, 0.0])
    spread = clothes.thick + 2.0 * np.clip((along - start) / 90.0, 0.0, 1.0) + 0.4
    strip = _beside(torso, along[:, None], across[None], spread[:, None] + rise)
    buttons = []
    ring = profile(8)
    for place in start + 12.0 + 82.0 * np.arange(4):
        level = float(np.interp(place, along, spread)) + 2.0
        for size, lift in ((5.2, 0.0), (5.2, 1.4), (4.2, 1.9), (1.0, 1.6)):
            buttons.append(_beside(torso, place + size * ring[:, 1], size * ring[:, 0], level + lift))
    faces = [loft_faces(24, 5, around=False)]
    faces += [loft_faces(4, 8) + 120 + 32 * i for i in range(4)]
    material = np.concatenate([np.zeros(len(faces[0])), np.ones(sum(len(f) for f in faces[1:]))]).astype(np.int32)
    points = np.concatenate([strip.reshape(-1, 3), np.stack(buttons).reshape(-1, 3)])
    button = Surface(colour=(0.7, 0.69, 0.66) if sum(clothes.colour) > 0.3 else (0.02, 0.02, 0.02), roughness=0.3)
    return MeshProp("placket", "clothes", _flat(points), np.concatenate(faces), (cloth, button), material=material)


def _beside(torso: Torso, along: Array, across: Array, out: Array | float) -> Array:
    """Points beside the front's middle: `across` mm to the left at `along`."""
    along, across = np.broadcast_arrays(along, across)
    return torso.at(across / torso.radius(along), along, out)


def _tie(torso: Torso, clothes: Clothes, colour: Colour) -> MeshProp:
    start = clothes.neck - 0.45 * clothes.collar
    rows = np.array([0.0, 2.0, 10.0, 24.0, 33.0, 36.0, 38.0, 60.0, 110.0, 180.0, 260.0, 340.0])
    half = np.array([13.0, 15.0, 15.5, 12.0, 9.0, 7.5, 9.0, 14.0, 20.0, 26.0, 32.0, 37.0])
    out = np.array([4.0, 9.0, 11.0, 12.0, 11.0, 9.0, 8.5, 9.5, 10.5, 11.5, 12.0, 12.0]) + clothes.thick
    section = np.array([-1.0, -0.9, -0.4, 0.4, 0.9, 1.0])
    lift = np.array([-5.0, -1.0, 0.0, 0.0, -1.0, -5.0])
    points = _beside(torso, (start + rows)[:, None], half[:, None] * section, out[:, None] + lift)
    stripe = clothes.phase % 3.0 < 1.0
    second: Colour = (0.5, 0.5, 0.52) if sum(colour) < 0.6 else (0.03, 0.03, 0.06)
    silk = Surface(colour=colour, second=second, pattern="stripes" if stripe else "", scale=45.0, roughness=0.4)
    return MeshProp("tie", "clothes", _flat(points), _open(12, 6), (silk,), _open_uv(12, 6, 0.06, 0.35))


def _jacket(torso: Torso, clothes: Clothes, cloth: Surface) -> list[MeshProp]:
    """A jacket open in a V, and its collar and lapels."""
    buttoned = 235.0

    def opening(along: Array) -> Array:
        """Angle from the front's middle at which the jacket begins."""
        half = 62.0 * np.clip(1.0 - along / buttoned, 0.0, 1.2) ** 0.85 + 3.0 - 6.0 * (along > buttoned)
        return half / torso.radius(along)

    along: Array = np.concatenate([[-4.0, -5.0, -3.0], np.linspace(2.0, _FLOOR, 24)])
    first: Array = opening(along)[:, None]
    u = np.linspace(0.0, 1.0, 73)
    turn = first + u * (2.0 * np.pi - 2.0 * first)
    ahead = np.abs(_front(turn))
    # In front the jacket's top edge follows its opening; at the back it lies on the shirt's collar.
    thick = np.concatenate([[4.0, 7.0, 9.0], np.full(24, 9.5)])[:, None]
    rise = np.clip(along / 60.0, 0.0, 1.0)[:, None]
    out = thick + rise * (2.0 + 0.8 * _folds(clothes, turn, along[:, None] * np.ones_like(turn)))
    out = out - 5.0 * np.clip(1.0 - np.abs(turn - first) * 30.0, 0.0, 1.0) * (ahead < 1.2)
    shell = torso.at(turn, along[:, None] + np.zeros_like(turn), out)
    coat = MeshProp("jacket", "clothes", _flat(shell), _open(27, 73), (cloth,), _open_uv(27, 73, 0.9, 0.4))
    # The edge from the button up the left side, round the back of the neck, and down the right side.
    count, back = 44, 41
    rise_along = np.linspace(buttoned, 6.0, count)
    side = opening(rise_along)
    end = float(side[-1])
    around = np.linspace(end, 2.0 * np.pi - end, back + 2)[1:-1]
    path_turn = np.concatenate([side, around, 2.0 * np.pi - side[::-1]])
    around_along = np.interp(np.abs(_front(around)), [end, end + 0.5], [6.0, -6.0])
    path_along = np.concatenate([rise_along, around_along, rise_along[::-1]])
    radius = torso.radius(path_along)
    flat = np.stack([path_turn * radius, path_along], 1)
    flat[:, 0] = np.where(path_turn > np.pi, (path_turn - 2.0 * np.pi) * radius, flat[:, 0])
    step = np.gradient(path_along), np.gradient(np.unwrap(path_turn)) * radius
    outward = np.stack([-step[0], step[1]], 1)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    share = np.linspace(0.0, 1.0, count)
    lapel = 84.0 * np.interp(share, [0.0, 0.3, 0.62, 0.66, 0.70, 0.74, 1.0], [0.02, 0.5, 1.0, 0.98, 0.42, 0.62, 0.58])
    width = np.concatenate([lapel, np.full(back, 0.58 * 84.0), lapel[::-1]])
    across = np.array([-0.02, 0.0, 0.05, 0.3, 0.65, 0.97, 1.0])[:, None]
    lift = np.array([0.5, 2.5, 4.0, 4.6, 4.2, 3.4, 0.5])[:, None]
    turn2 = path_turn + across * width * outward[:, 0] / radius
    along2 = path_along + across * width * outward[:, 1]
    stand = (
        np.concatenate([np.zeros(count), np.full(back, 5.0), np.zeros(count)])
        * np.array([1, 1, 1, 0.8, 0.4, 0, 0])[:, None]
    )
    out2 = 11.5 + lift + stand
    lapels = torso.at(turn2, along2, out2)
    columns = len(path_turn)
    collar = MeshProp("lapels", "clothes", _flat(lapels), _open(7, columns), (cloth,), _open_uv(7, columns, 0.8, 0.06))
    return [coat, collar]


def _hood(torso: Torso, clothes: Clothes, cloth: Surface) -> list[MeshProp]:
    """A hood lying on the back, and its strings."""
    gap = 0.16
    u = np.linspace(0.0, 1.0, 65)
    turn = gap + u * (2.0 * np.pi - 2.0 * gap)
    ahead = np.abs(_front(turn))
    size = 0.30 + 0.70 / (1.0 + np.exp(-(ahead - 1.5) * 2.6))
    along = np.array([10.0, -14.0, -34.0, -42.0, -36.0, -12.0, 24.0, 56.0, 74.0, 70.0])[:, None]
    out = np.array([1.5, 4.0, 11.0, 20.0, 32.0, 42.0, 42.0, 30.0, 14.0, 3.0])[:, None]
    wave = 1.0 + 0.10 * np.sin(3.0 * turn + clothes.phase) + 0.06 * np.sin(7.0 * turn - 2.0 * clothes.phase)
    drop = clothes.neck + 26.0 * np.exp(-((ahead / 0.5) ** 2))
    points = torso.at(turn, along * size * wave + drop, out * size * wave + 1.0)
    hood = MeshProp("hood", "clothes", _flat(points), _open(10, 65), (cloth,), _open_uv(10, 65, 0.7, 0.2))
    strings = []
    length = 70.0 + 60.0 * (np.sin(clothes.phase) * 0.5 + 0.5)
    ring = profile(6)
    for side in (-1.0, 1.0):
        way = np.linspace(0.0, length, 10)
        x = side * (19.0 + 4.0 * np.sin(way * 0.03 + clothes.phase))
        middle = clothes.neck + 26.0 + way
        strings.append(
            _beside(torso, middle[:, None], x[:, None] + 2.2 * ring[:, 0], clothes.thick + 6.0 + 2.2 * ring[:, 1])
        )
    faces = np.concatenate([loft_faces(10, 6), loft_faces(10, 6) + 60])
    cord = Surface(colour=clothes.trim if clothes.trim != clothes.colour else (0.6, 0.6, 0.58), roughness=0.8)
    return [hood, MeshProp("hood strings", "clothes", _flat(np.stack(strings)), faces, (cord,))]


def _zip(torso: Torso, clothes: Clothes) -> MeshProp:
    along = np.linspace(-clothes.collar, _FLOOR - 20.0, 30)
    spread = np.interp(
        along, [-clothes.collar, 0.0, 12.0, 60.0], [12.5, 13.5, clothes.thick + 1.0, clothes.thick + 5.0]
    )
    across = np.array([-4.0, -3.5, 0.0, 3.5, 4.0])
    lift = np.array([-1.0, 0.8, 1.2, 0.8, -1.0]) + 1.0
    points = _beside(torso, along[:, None], across[None], spread[:, None] + lift)
    metal = Surface(colour=(0.08, 0.08, 0.085), roughness=0.35, metallic=1.0)
    return MeshProp("zip", "clothes", _flat(points), _open(30, 5), (metal,))


def _straps(torso: Torso, clothes: Clothes, cloth: Surface) -> MeshProp:
    half = 0.5 * clothes.straps
    pieces = []
    for side in (-1.0, 1.0):
        u = np.linspace(0.0, 1.0, 30)
        turn = side * (0.62 + u * 1.75)
        top = np.sin(np.pi * u) ** 0.6
        along = (clothes.neck + 8.0) * (1.0 - top) + 26.0 * top
        across = np.array([-1.0, -0.95, 0.0, 0.95, 1.0])
        lift = np.array([0.0, 1.2, 1.5, 1.2, 0.0])
        radius = torso.radius(along)
        pieces.append(torso.at(turn[:, None] + half * across / radius[:, None], along[:, None], lift))
    faces = np.concatenate([_open(30, 5), _open(30, 5)[:, ::-1] + 150])
    return MeshProp("straps", "clothes", _flat(np.stack(pieces)), faces, (cloth,))


def _flat(points: Array) -> Floats:
    return points.reshape(-1, 3).astype(np.float32)
