"""Occluders: a hand, what it holds, a mask, a scarf, or something before the face; never more than a third of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Traits
from training.subjects.fitting import FaceMeasures, HeightMap, skin_triangles
from training.subjects.hands import POSES, SLEEVE_FACES, clear_of, frame, sleeve, stored_hands
from training.subjects.headmap import HeadMap
from training.subjects.props import Colour, Floats, Ints, MeshProp, Prop, Surface
from training.subjects.shapes import Pile, loft_faces, loft_uv, profile, spline, tube, unit, vec
from training.subjects.torso import Build, Torso
from training.template import Template

Array = NDArray[np.float64]

_KINDS: dict[str, float] = {
    "hand": 0.40, "mask": 0.13, "phone": 0.11, "mug": 0.08, "microphone": 0.08, "scarf": 0.08, "cloth": 0.03,
    "card": 0.05, "blob": 0.04,
}  # fmt: skip


@dataclass(frozen=True)
class _Grasp:
    """Where a left hand goes: on the subject's left, mirrored for the right.

    poses to choose from; point: which of the hand's points (its own axes, mm) comes to `target` (x, y, z mm from the
    face's mark of that name); fingers and palm directions; push away from the face.
    """

    poses: tuple[str, ...]
    point: tuple[float, float, float]
    mark: str
    target: tuple[float, float, float]
    fingers: tuple[float, float, float]
    palm: tuple[float, float, float]
    push: tuple[float, float, float]


_GRASPS: dict[str, _Grasp] = {
    "cheek": _Grasp(
        ("open", "relaxed"), (0, 70, 10), "mouth", (60, 22, -35),
        (-0.10, 0.86, -0.50), (-0.95, -0.1, -0.3), (1.0, -0.1, 0.35),
    ),
    "jaw": _Grasp(
        ("fist", "relaxed"), (0, 100, 15), "mouth", (48, -22, -30),
        (-0.35, 0.80, -0.48), (-0.85, -0.3, 0.3), (0.8, -0.6, 0.35),
    ),
    "chin": _Grasp(
        ("think",), (-22, 95, 30), "chin", (6, -4, 2), (-0.50, 0.72, -0.42), (-0.55, -0.1, -0.8), (0.1, -0.8, 0.7)
    ),
    "mouth": _Grasp(
        ("open", "relaxed"), (0, 100, 10), "mouth", (8, -8, 10),
        (-0.86, 0.42, -0.30), (-0.2, -0.1, -0.97), (0.0, -0.1, 1.0),
    ),
    "forehead": _Grasp(
        ("open", "relaxed"), (0, 120, 10), "brow", (30, 30, 0),
        (-0.80, 0.55, -0.25), (-0.35, -0.35, -0.85), (0.45, 0.15, 1.0),
    ),
    "eye": _Grasp(
        ("relaxed", "point"), (-30, 135, 20), "eye", (4, -2, 8),
        (-0.72, 0.58, -0.38), (-0.3, -0.35, -0.85), (0.2, -0.1, 1.0),
    ),
    "temple": _Grasp(
        ("point", "think"), (-28, 150, 5), "eye", (30, 16, -30),
        (-0.45, 0.80, -0.40), (-0.75, -0.25, -0.5), (1.0, 0.1, 0.3),
    ),
    "beside": _Grasp(
        ("open", "victory", "point", "fist"), (0, 90, 0), "mouth", (112, 10, 10),
        (0.1, 0.97, -0.2), (0.1, 0.1, 1.0), (0.0, 0.0, 0.0),
    ),
}  # fmt: skip
_PLACES: dict[str, float] = {
    "cheek": 0.20, "jaw": 0.14, "chin": 0.22, "mouth": 0.12, "forehead": 0.08, "eye": 0.05, "temple": 0.09,
    "beside": 0.10,
}  # fmt: skip


@dataclass(frozen=True)
class Occluder:
    """One occluder. kind as listed above; place of a hand or, for a phone, ``ear`` or ``front``; pose of the hand.

    side +1 left, -1 right; shift (3,) mm and turn (3,) degrees off the usual place; colours linear RGB; sleeve: its
    colour, or None for a bare arm; size a factor; level 0..1: how high over the face; phase of folds.
    """

    kind: str
    place: str
    pose: str
    side: int
    shift: tuple[float, float, float]
    turn: tuple[float, float, float]
    colour: Colour
    second: Colour
    pattern: str
    scale: float
    roughness: float
    metallic: float
    sleeve: Colour | None
    size: float
    level: float
    phase: float


def draw_occluder(rng: np.random.Generator, traits: Traits, yaw: float = 0.0) -> Occluder | None:
    """Something before the face of one adult in twelve; else None.

    yaw: the head's, degrees, positive towards the subject's right; of a head turned away, what is seen is rather left
    free: a hand comes from the far side.
    """
    if rng.random() > 0.082:
        return None
    names = list(_KINDS)
    chance = np.array([_KINDS[name] for name in names])
    if traits.age > 60:
        chance[names.index("phone")] *= 0.5
    kind = names[int(rng.choice(len(names), p=chance / chance.sum()))]
    place, pose = "", {"phone": "grip", "mug": "wrap", "microphone": "fist"}.get(kind, "")
    if kind == "hand":
        places = list(_PLACES)
        place = places[int(rng.choice(len(places), p=np.array(list(_PLACES.values()))))]
        choices = _GRASPS[place].poses
        pose = choices[int(rng.integers(0, len(choices)))]
    elif kind == "phone":
        place = "ear" if rng.random() < 0.6 else "front"
    colour = _colour(rng, kind)
    pattern = ""
    if kind in ("scarf", "cloth", "card") and rng.random() < 0.5:
        pattern = str(rng.choice(["knit", "stripes", "checks"])) if kind == "scarf" else "noise"
    spread = 6.0 if kind in ("hand", "cloth", "card", "blob") else 2.5
    jitter = rng.normal(0.0, 1.0, 6) * [spread, spread, 0.5 * spread, 7.0, 7.0, 7.0]
    return Occluder(
        kind=kind,
        place=place,
        pose=pose,
        side=_side(rng, yaw),
        shift=(float(jitter[0]), float(jitter[1]), float(abs(jitter[2]))),
        turn=(float(jitter[3]), float(jitter[4]), float(jitter[5])),
        colour=colour,
        second=_colour(rng, "cloth"),
        pattern=pattern,
        scale=float(rng.uniform(20.0, 120.0)),
        roughness=float(rng.uniform(0.2, 0.5) if kind in ("phone", "mug", "microphone") else rng.uniform(0.6, 0.95)),
        metallic=float(kind == "microphone" or (kind == "phone" and rng.random() < 0.4)),
        sleeve=_colour(rng, "cloth") if rng.random() < 0.6 else None,
        size=float(rng.uniform(0.9, 1.05) * (0.97 if traits.female > 0.5 else 1.04)),
        level=float(rng.random()),
        phase=float(rng.uniform(0.0, 100.0)),
    )


def _side(rng: np.random.Generator, yaw: float) -> int:
    far = -1 if yaw > 0.0 else 1
    return far if rng.random() < 0.5 + 0.4 * min(abs(yaw) / 30.0, 1.0) else -far


def _colour(rng: np.random.Generator, kind: str) -> Colour:
    if kind == "mask":
        usual: tuple[Colour, ...] = (
            (0.32, 0.56, 0.72), (0.32, 0.56, 0.72), (0.78, 0.78, 0.77), (0.012, 0.012, 0.014), (0.55, 0.60, 0.62),
        )  # fmt: skip
        return usual[int(rng.integers(0, len(usual)))]
    grey = float(rng.uniform(0.01, 0.75) ** 1.4)
    if kind in ("phone", "microphone") or rng.random() < 0.45:
        return (grey, grey, grey)
    r, g, b = rng.beta(1.1, 1.9, 3) * 0.8
    return (float(r), float(g), float(b))


def occluder_props(
    template: Template, vertices: Floats, occluder: Occluder, build: Build, skin: Colour
) -> tuple[Prop, ...]:
    """The occluder before a head: vertices (N,3) mm of the posed template; `skin` the colour of the subject's hands.

    Raises :class:`training.subjects.fitting.WrongTemplate` where the template lacks the vertices it is bound to.
    """
    face = FaceMeasures.of(template, vertices)
    if occluder.kind == "mask":
        return (_mask(template, vertices, face, occluder),)
    head = HeadMap.of(template, vertices, ears=True)
    if occluder.kind == "scarf":
        return (_scarf(head, face, occluder, Torso.of(template, vertices, build)),)
    if occluder.kind in ("cloth", "card", "blob"):
        return (_thing(head, face, occluder),)
    brows = vertices[template.landmarks68[17:27]].mean(0).astype(np.float64)
    return _hand(head, face, brows, occluder, skin)


def _surface(occluder: Occluder) -> Surface:
    return Surface(
        colour=occluder.colour, second=occluder.second, pattern=occluder.pattern, scale=occluder.scale,
        roughness=occluder.roughness, metallic=occluder.metallic,
    )  # fmt: skip


def _turned(degrees: tuple[float, float, float]) -> Array:
    a, b, c = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _hand(head: HeadMap, face: FaceMeasures, brows: Array, occluder: Occluder, skin: Colour) -> tuple[Prop, ...]:
    """A hand, alone or with what it holds, built for the left side and mirrored for the right."""
    stored = stored_hands()
    hand = occluder.size * stored.poses[POSES.index(occluder.pose)].astype(np.float64)
    held, held_faces, held_material = _held(occluder)
    axes, point, target, push = _hold(face, brows, occluder)
    axes = _turned(occluder.turn) @ axes
    flip = vec(float(occluder.side), 1.0, 1.0)

    def place(points: Array) -> Array:
        return ((points - point) @ axes.T + target) * flip

    everything = np.concatenate([hand[::2], held[::2]])
    if np.any(push):
        move = clear_of(head, place(everything), push * flip, 2.5 if occluder.kind == "hand" else 0.5)
    else:
        move = np.zeros(3)
    turned = slice(None) if occluder.side > 0 else slice(None, None, -1)
    smooth = Surface(colour=skin, roughness=0.5)
    props: list[Prop] = [
        MeshProp(f"hand {occluder.side}", "occluder", _flat(place(hand) + move), stored.faces[:, turned], (smooth,))
    ]
    if occluder.sleeve is not None:
        rows = sleeve(hand, 300.0, 1.12)
        cloth = Surface(colour=occluder.sleeve, roughness=0.85)
        name = f"sleeve {occluder.side}"
        props.append(MeshProp(name, "occluder", _flat(place(rows) + move), SLEEVE_FACES[:, turned], (cloth,)))
    if len(held):
        dark = Surface(colour=(0.008, 0.008, 0.010), roughness=0.12)
        if occluder.kind == "mug":
            dark = Surface(colour=(0.7, 0.68, 0.64), roughness=0.3)
        if occluder.kind == "microphone":
            dark = Surface(colour=(0.12, 0.12, 0.12), second=(0.01, 0.01, 0.01), pattern="checks", scale=500.0,
                           roughness=0.4, metallic=1.0)  # fmt: skip
        name = f"{occluder.kind} {occluder.side}"
        props.append(
            MeshProp(name, "occluder", _flat(place(held) + move), held_faces[:, turned], (_surface(occluder), dark),
                     material=held_material)
        )  # fmt: skip
    return tuple(props)


def _hold(face: FaceMeasures, brows: Array, occluder: Occluder) -> tuple[Array, Array, Array, Array]:
    """Axes of the hand (3,3), the point of it (3,) that goes to a target (3,) on the left, and the push (3,)."""
    side = occluder.side
    eye = face.eyes[1 if side > 0 else 0]
    marks = {"mouth": face.mouth, "chin": face.chin, "brow": brows, "eye": eye, "tip": face.tip}
    shift = np.array(occluder.shift)
    if occluder.kind == "hand":
        grasp = _GRASPS[occluder.place]
        target = marks[grasp.mark] * [side, 1.0, 1.0] + np.array(grasp.target) + shift
        axes = frame(np.array(grasp.fingers), np.array(grasp.palm))
        return axes, occluder.size * np.array(grasp.point), target, np.array(grasp.push)
    if occluder.kind == "phone" and occluder.place == "ear":
        ear = face.ear_seats[1 if side > 0 else 0, 0] * [side, 1.0, 1.0]
        axes = frame(vec(-0.05, 0.86, -0.42), vec(-1.0, -0.05, -0.25))
        return axes, vec(4.0, 92.0, 26.0), ear + vec(8.0, -45.0, 22.0) + shift, vec(1.0, 0.0, 0.25)
    if occluder.kind == "phone":
        axes = frame(vec(-0.55, 0.80, -0.20), vec(-0.1, 0.05, -1.0))
        low = face.mouth + vec(30.0, -60.0 + 25.0 * occluder.level, 120.0)
        return axes, vec(4.0, 92.0, 26.0), low * [side, 1.0, 1.0] * [side, 1.0, 1.0] + shift, np.zeros(3)
    tilt = 0.30 + 0.25 * occluder.level
    up = unit(vec(-0.05, 1.0, -tilt)) if occluder.kind == "mug" else unit(vec(-0.10, 0.72, -0.66))
    across = unit(np.cross(up, vec(0.0, 0.0, 1.0)))
    palm = unit(-0.75 * vec(1.0, 0.0, 0.0) - 0.65 * np.cross(across, up) * np.sign(np.cross(across, up)[2]))
    palm = unit(palm - (palm @ up) * up)
    axes = np.stack([-up, np.cross(palm, -up), palm], axis=1)
    if occluder.kind == "mug":
        return axes, vec(-44.0, 74.0, 20.0), face.mouth + vec(0.0, -4.0, 6.0) + shift, vec(0.0, -0.25, 1.0)
    return axes, vec(-80.0, 72.0, 26.0), face.mouth + vec(0.0, -10.0, 30.0) + shift, vec(0.0, -0.3, 1.0)


def _held(occluder: Occluder) -> tuple[Array, Ints, Ints]:
    """What the hand holds, in the hand's axes: points (V,3), faces (F,4), materials (F,)."""
    pile = Pile()
    ring = profile(24)
    if occluder.kind == "phone":
        slab = profile(24, 7.0) * [36.5, 76.0]
        depth = np.array([-4.2, -4.2, -3.4, 3.4, 4.2, 4.2])
        scale = np.array([0.02, 0.965, 1.0, 1.0, 0.965, 0.02])
        lean = np.radians(24.0)
        flat = slab @ np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
        points = np.concatenate([scale[:, None, None] * flat, np.repeat(depth[:, None, None], 24, 1)], -1)
        faces = loft_faces(6, 24)
        pile.add(points + vec(4.0, 92.0, 24.0), faces[:-24])
        pile.add(points + vec(4.0, 92.0, 24.0), faces[-24:], 1)
        lens = np.array([[7.0, 0.2], [7.0, 2.0], [5.5, 2.0], [0.3, 1.6]])
        for x, y in ((-22.0, 60.0), (-22.0, 42.0)):
            spot = np.array([x, y]) @ np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
            row = np.concatenate([lens[:, :1, None] * ring, -4.0 - np.repeat(lens[:, 1:, None], 24, 1)], -1)
            pile.add(row + vec(spot[0] + 4.0, spot[1] + 92.0, 24.0), loft_faces(4, 24)[:, ::-1], 1)
    elif occluder.kind == "mug":
        wide, tall = 38.0 + 4.0 * np.sin(occluder.phase), 48.0
        rows = np.array([[-tall + 5, 0.02], [-tall + 5, 0.9], [tall, 0.93], [tall + 1, 0.965], [tall, 1.0],
                         [0.0, 1.0], [-tall + 3, 0.98], [-tall, 0.93], [-tall, 0.02]])  # fmt: skip
        cup = np.zeros((9, 24, 3))
        cup[..., 0] = -rows[:, :1]
        cup[..., 1], cup[..., 2] = wide * rows[:, 1:] * ring[:, 0], wide * rows[:, 1:] * ring[:, 1]
        middle = vec(4.0, 66.0, 12.0 + wide)
        pile.add(cup + middle, loft_faces(9, 24)[: 24 * 2], 1)
        pile.add(cup + middle, loft_faces(9, 24)[24 * 2 :], 0)
        bow = np.linspace(-1.1, 1.1, 12)
        path = np.stack([28.0 * np.sin(bow) + 6.0, np.zeros(12), wide - 3.0 + 26.0 * (np.cos(bow) - 0.35)], 1)
        pile.add(tube(path, 4.5, hint=vec(0.0, 1.0, 0.0)) + middle, loft_faces(12, 8), 0)
    elif occluder.kind == "microphone":
        way = np.array([-60.0, -59.0, -20.0, 45.0, 60.0, 61.0, 66.0, 80.0, 96.0, 106.0, 110.0])
        wide = np.array([0.3, 10.0, 11.0, 14.0, 17.0, 23.0, 25.0, 25.0, 19.0, 10.0, 0.3])
        rod = np.zeros((11, 24, 3))
        rod[..., 0] = -way[:, None] + 10.0
        rod[..., 1], rod[..., 2] = wide[:, None] * ring[:, 0], wide[:, None] * ring[:, 1]
        faces = loft_faces(11, 24)
        pile.add(rod + vec(0.0, 74.0, 26.0), faces[: 24 * 5])
        pile.add(rod + vec(0.0, 74.0, 26.0), faces[24 * 5 :], 1)
    else:
        return np.zeros((0, 3)), np.zeros((0, 4), np.int32), np.zeros(0, np.int32)
    return pile.vertices.astype(np.float64), pile.faces, pile.material


def _mask(template: Template, vertices: Floats, face: FaceMeasures, occluder: Occluder) -> MeshProp:
    """A surgical mask: what spans nose, cheeks and chin, with pleats, and loops about the ears."""
    near = skin_triangles(template, vertices, (-90.0, float(face.chin[1]) - 30.0, 0.0))
    near = near[near[:, 0, 1] < face.eyes[:, 1].mean() + 10.0]
    skin = HeightMap(near, 2)
    columns, rows = 29, 20
    across = np.linspace(-1.0, 1.0, columns)
    middle = 0.5 * (face.bridge[0] + face.chin[0])
    half = 57.0 + 2.0 * np.sin(occluder.phase)
    top = face.tip[1] + 12.0 + 8.0 * occluder.level - 17.0 * np.abs(across) ** 1.4
    low = face.chin[1] - 4.0 + 24.0 * np.abs(across) ** 1.6
    share = np.linspace(0.0, 1.0, rows)[:, None]
    y = top + (low - top) * share
    x = middle + half * across * (1.0 - 0.06 * np.abs(2.0 * share - 1.0))
    z = skin(np.stack([x.ravel(), y.ravel()], 1)).reshape(rows, columns)
    z = np.where(np.isfinite(z), z, np.nanmin(np.where(np.isfinite(z), z, np.nan)))
    # Cloth spans what is hollow, along and across; at its rim it lies on the skin.
    tent = _envelope(_envelope(z, x[0]).T, -y[:, columns // 2]).T
    rim = np.minimum.outer(np.sin(np.pi * np.linspace(0.0, 1.0, rows)), np.ones(columns))
    ease = np.clip(rim * 3.0, 0.0, 1.0) * np.clip((1.0 - np.abs(across)) * 5.0, 0.0, 1.0)
    pleats = 1.6 * ((share * 5.0) % 1.0 - 0.5) * ((share > 0.2) & (share < 0.85))
    z = z + ease * (tent - z) + 1.5 + 2.0 * ease + ease * pleats
    points = np.stack([x, y, z], -1)
    # Under the chin the lower edge turns back.
    under = points[-1] + np.stack([0.0 * across, -6.0 + 3.0 * across**2, -16.0 + 8.0 * across**2], 1)
    head = HeadMap.of(template, vertices, ears=False)
    points = head.outside(np.concatenate([points, under[None]]), 1.0)
    pile = Pile()
    pile.add(points, loft_faces(rows + 1, columns, around=False)[:, ::-1])
    for side, column in ((0, 0), (1, -1)):
        sign = -1.0 if side == 0 else 1.0
        seats = face.ear_seats[side] + sign * vec(2.0, 0.0, 0.0)
        lobe = seats[3] + vec(sign * 4.0, -14.0, 10.0)
        way = np.stack([points[1, column], 0.5 * (points[1, column] + seats[0]) + vec(sign * 3.0, 4.0, 0.0), seats[0],
                        seats[1], seats[2], seats[3], lobe, points[-4, column]])  # fmt: skip
        path = head.outside(spline(way, 28), 1.2)
        pile.add(tube(path, 1.3, 6), loft_faces(28, 6), 1)
    cloth = Surface(colour=occluder.colour, roughness=0.9)
    loops = Surface(colour=(0.75, 0.75, 0.74) if sum(occluder.colour) > 0.1 else (0.02, 0.02, 0.02), roughness=0.9)
    return MeshProp("mask", "occluder", pile.vertices, pile.faces, (cloth, loops), material=pile.material)


def _envelope(values: Array, places: Array) -> Array:
    """The least concave function over values (R,C) along their rows, at places (C,) in ascending order."""
    best = values.copy()
    count = len(places)
    for i in range(count - 2):
        for k in range(i + 2, count):
            share = (places[i + 1 : k] - places[i]) / (places[k] - places[i])
            line = values[:, i : i + 1] * (1.0 - share) + values[:, k : k + 1] * share
            best[:, i + 1 : k] = np.maximum(best[:, i + 1 : k], line)
    return best


def _scarf(head: HeadMap, face: FaceMeasures, occluder: Occluder, torso: Torso) -> MeshProp:
    """A scarf wound about the neck and drawn up over chin or mouth."""
    columns, rows = 80, 22
    turn = np.linspace(0.0, 2.0 * np.pi, columns, endpoint=False)
    ahead = 0.5 + 0.5 * np.cos(turn)
    high = face.chin[1] + 8.0 + occluder.level * (face.tip[1] - 16.0 - face.chin[1] - 8.0)
    nape = torso.at(np.array([np.pi]), np.array([-55.0]), 0.0)[0, 1]
    y = nape + (high - nape) * ahead**1.5 + 3.0 * np.sin(2.0 * turn + occluder.phase)
    # The top edge: an oval about head and chin, then off the skin.
    front, back, wide = face.chin[2] + 16.0, -95.0, 74.0
    rim = np.stack([wide * np.sin(turn), y, 0.5 * (front + back) + 0.5 * (front - back) * np.cos(turn)], 1)
    low = torso.at(turn, np.full(columns, 55.0), 22.0)
    share = np.linspace(0.0, 1.0, rows)[:, None]
    path = rim + share[..., None] * (low - rim)
    bulge = np.sin(np.pi * share) ** 0.7
    p = occluder.phase
    folds = np.abs(np.sin(np.pi * 3.2 * share + 0.9 * np.sin(turn + p) + 0.3 * np.sin(3.0 * turn - p)))
    flat = np.stack([np.sin(turn), 0.0 * turn, np.cos(turn)], 1)
    path = path + (10.0 * bulge + 9.0 * folds * bulge)[..., None] * flat
    away = path - head.middle
    far = np.linalg.norm(away, axis=-1)
    around, polar = head.directions(path.reshape(-1, 3).astype(np.float32))
    reach = head.reach(around, polar).reshape(far.shape)
    needed = np.where(path[..., 1] > face.chin[1] - 45.0, reach + 4.0 + 6.0 * folds * bulge, 0.0)
    for _ in range(3):
        needed = np.maximum(needed, (np.roll(needed, 1, 1) + np.roll(needed, -1, 1)) / 2.0)
    path = head.middle + away * (np.maximum(far, needed) / far)[..., None]
    inside = path[:1] - 5.0 * flat - vec(0.0, 9.0, 0.0)
    points = np.concatenate([inside, path[:1] - 2.0 * flat + vec(0.0, 2.0, 0.0), path])
    return MeshProp("scarf", "occluder", _flat(points), loft_faces(rows + 2, columns), (_surface(occluder),),
                    loft_uv(rows + 2, columns, 0.6, 0.2))  # fmt: skip


def _thing(head: HeadMap, face: FaceMeasures, occluder: Occluder) -> MeshProp:
    """A strip of cloth, a card (a book, a sheet of paper) or a blob at the face's rim or below the nose."""
    side, level = float(occluder.side), occluder.level
    turn = _turned(occluder.turn)
    shift = np.array(occluder.shift)
    if occluder.kind == "blob":
        rows, columns = 12, 18
        polar = np.linspace(0.03, np.pi - 0.03, rows)[:, None]
        around = np.linspace(0.0, 2.0 * np.pi, columns, endpoint=False)[None]
        bumps = 1.0 + 0.14 * np.sin(3.0 * around + occluder.phase) * np.sin(2.0 * polar + occluder.phase)
        radius = np.array([26.0, 22.0, 18.0]) * (0.7 + 0.7 * (occluder.phase % 1.0))
        ball = np.stack(
            [np.sin(polar) * np.cos(around), np.cos(polar) + 0.0 * around, -np.sin(polar) * np.sin(around)], -1
        )
        angle = 2.0 * np.pi * level
        place = vec(0.0, face.tip[1] + 10.0, face.tip[2] - 20.0) + vec(62.0 * np.sin(angle), 82.0 * np.cos(angle), 10.0)
        points = (ball * bumps[..., None] * radius) @ turn.T + place + shift
        points = points + clear_of(head, points.reshape(-1, 3), vec(0.0, 0.0, 1.0), 0.0)
        return _thing_prop("blob", points, occluder, around=True)
    if occluder.kind == "card":
        rows, columns = 8, 10
        u, v = np.meshgrid(np.linspace(-1.0, 1.0, columns), np.linspace(1.0, -1.0, rows))
        half = vec(70.0 + 40.0 * (occluder.phase % 1.0), 60.0, 0.0)
        sheet = np.stack([half[0] * u, half[1] * v, -6.0 * u**2 * (occluder.phase % 2.0)], -1) @ turn.T
        top = face.chin[1] + 12.0 + level * (face.tip[1] - 8.0 - face.chin[1] - 12.0)
        place = vec(0.3 * shift[0], top - 60.0, face.tip[2] + 25.0)
        points = sheet + place + vec(0.0, 0.0, abs(shift[2]))
        back = points - turn[:, 2] * 2.0
        return _thing_prop("card", np.concatenate([points, back[::-1]]), occluder, around=False)
    rows, columns = 30, 7
    way = np.linspace(0.0, 1.0, rows)[:, None]
    across = np.linspace(-1.0, 1.0, columns)[None]
    wide = 8.0 + 12.0 * (occluder.phase % 1.0)
    p = occluder.phase
    x = side * (30.0 + 26.0 * level) + 16.0 * np.sin(3.0 * way + p) * way + wide * across * (1.0 - 0.3 * way)
    y = face.eyes[0, 1] + 85.0 - 260.0 * way
    z = face.tip[2] - 25.0 + 8.0 * np.sin(5.0 * way + p) + 3.0 * np.sin(2.2 * across + 7.0 * way + p)
    points = np.stack(np.broadcast_arrays(x, y, z), -1)
    face_part = points[points[..., 1] > face.chin[1] - 20.0]
    points = points + clear_of(head, face_part, vec(0.0, 0.0, 1.0), -1.0) * vec(0.0, 0.0, 1.0)
    return _thing_prop("cloth", points, occluder, around=False)


def _thing_prop(name: str, points: Array, occluder: Occluder, *, around: bool) -> MeshProp:
    rows, columns = points.shape[:2]
    return MeshProp(name, "occluder", _flat(points), loft_faces(rows, columns, around=around), (_surface(occluder),))


def _flat(points: Array) -> Floats:
    return points.reshape(-1, 3).astype(np.float32)
