"""Parts of the template that are built rather than taken: eyeballs, brows, lashes. Each follows the base mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.makehuman import BaseMesh

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

# Polar angles of the eyeball's rings, degrees from the optical axis: pupil edge at 9, limbus at 26.
_RINGS = (4.5, 9.0, 14.0, 20.0, 26.0, 33.0, 42.0, 52.0, 65.0, 80.0, 95.0, 115.0, 140.0, 165.0)
_SEGMENTS = 24


@dataclass(frozen=True)
class EyeBall:
    """An eyeball (V vertices) that takes place, size and turn of the base mesh's eye helper.

    base_ids (H,) the helper's vertices, rest (H,3) mm their neutral positions about their centre, directions (V,3) mm.
    """

    base_ids: Ints
    rest: Floats
    directions: Floats
    quads: Ints
    uv: Floats
    material: str = "eye"

    @property
    def count(self) -> int:
        """Number of vertices."""
        return len(self.directions)


def place_eye_ball(helper: Floats, rest: Floats, directions: Floats) -> Floats:
    """Eyeball vertices (V,3) mm: ``directions`` under the similarity that carries ``rest`` to ``helper`` (both (H,3)).

    The rotation is Kabsch's, the scale Umeyama's (1991, eq. 40 and 42).
    """
    centre = helper.mean(0)
    u, scale, vt = np.linalg.svd((helper - centre).T @ rest)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    size = (scale * np.diag(flip)).sum() / (rest**2).sum()
    return (centre + size * directions @ (u @ flip @ vt).T).astype(np.float32)


def eye_ball(base: BaseMesh, side: str) -> EyeBall:
    """The eyeball of one side, ``left`` or ``right``; the right one mirrors the left vertex by vertex."""
    ids = np.unique(base.group_faces(f"helper-{side[0]}-eye"))
    rest = base.vertices[ids] - base.vertices[ids].mean(0)
    radius = float(np.linalg.norm(rest, axis=1).mean())
    theta = np.radians(np.array(_RINGS))[:, None]
    phi = (np.arange(_SEGMENTS) * 2.0 * np.pi / _SEGMENTS)[None]
    # A cornea rises a little over the sphere; it must stay under the lids.
    height = radius * (1.0 + 0.03 * np.exp(-((np.degrees(theta) / 18.0) ** 2)))
    ring = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0.0 * phi], -1)
    points = (height[..., None] * ring).reshape(-1, 3)
    points = np.concatenate([points, [[0.0, 0.0, radius * 1.03]], [[0.0, 0.0, -radius]]])
    front, back = len(points) - 2, len(points) - 1
    first = np.arange(0, _SEGMENTS, 2)
    last = (len(_RINGS) - 1) * _SEGMENTS
    caps = [
        np.stack([np.full(len(first), front), first, first + 1, (first + 2) % _SEGMENTS], 1),
        np.stack([np.full(len(first), back), last + (first + 2) % _SEGMENTS, last + first + 1, last + first], 1),
    ]
    rows = []
    for ring_index in range(len(_RINGS) - 1):
        a = ring_index * _SEGMENTS + np.arange(_SEGMENTS)
        b = ring_index * _SEGMENTS + (np.arange(_SEGMENTS) + 1) % _SEGMENTS
        rows.append(np.stack([a, a + _SEGMENTS, b + _SEGMENTS, b], 1))
    quads = np.concatenate([*caps, *rows])
    polar = np.append(np.repeat(np.array(_RINGS), _SEGMENTS), [0.0, 180.0]) / 180.0 * 0.5
    around = np.append(np.tile(phi[0], len(_RINGS)), [0.0, 0.0])
    uv = 0.5 + polar[:, None] * np.stack([np.cos(around), np.sin(around)], 1)
    if side == "right":
        points = points * [-1.0, 1.0, 1.0]
        quads = quads[:, ::-1]
    return EyeBall(ids, rest, points.astype(np.float32), quads, uv[quads].astype(np.float32))


@dataclass(frozen=True)
class Strands:
    """Hairs as tapered quads, each vertex bound to a triangle of the base mesh.

    base_ids (V,3) the triangle, weights (V,3), offset (V,3) mm from it; mirror (V,) within the part.
    """

    base_ids: Ints
    weights: Floats
    offset: Floats
    quads: Ints
    uv: Floats
    mirror: Ints
    material: str

    @property
    def count(self) -> int:
        """Number of vertices."""
        return len(self.weights)


def brow_strands(base: BaseMesh, landmarks: tuple[int, ...], count: int = 220) -> Strands:
    """Both brows: strands along the iBUG brow points, fanning from up (nose side) to out and down (temple side)."""
    rng = np.random.default_rng(20)
    curve = base.vertices[list(landmarks[22:27])]
    t = np.sort(rng.random(count)) * 1.0
    across = rng.random(count) - 0.5
    knots = np.linspace(0.0, 1.0, len(curve))
    spine = np.stack([np.interp(t, knots, curve[:, axis]) for axis in range(3)], 1)
    width = np.interp(t, [0.0, 0.12, 0.6, 1.0], [6.5, 8.0, 6.0, 1.8])
    roots = spine + across[:, None] * width[:, None] * [0.0, 1.0, 0.0]
    # Degrees from outward: hairs near the nose stand up, those at the temple lie down; lower ones stand more.
    angle = np.radians(np.interp(t, [0.0, 0.15, 0.5, 1.0], [78.0, 45.0, 16.0, -20.0]) - 22.0 * across)
    angle += np.radians(rng.normal(0.0, 7.0, count))
    length = np.interp(t, [0.0, 0.2, 0.7, 1.0], [5.5, 8.0, 8.0, 5.0]) * rng.uniform(0.75, 1.15, count)
    tips = roots + length[:, None] * np.stack([np.cos(angle), np.sin(angle), 0.0 * angle], 1)
    side = np.stack([-np.sin(angle), np.cos(angle), 0.0 * angle], 1)
    corners = np.stack([roots - 0.32 * side, roots + 0.32 * side, tips + 0.05 * side, tips - 0.05 * side], 1)
    height = np.tile([0.15, 0.15, 1.0, 1.0], count)
    return _bind(base, corners.reshape(-1, 3), height, base.faces("head"), "brow", drop_to_skin=True)


def lash_strands(base: BaseMesh, upper: int = 70, lower: int = 40) -> Strands:
    """Both eyes' lashes, rooted on the lids' front edges."""
    rng = np.random.default_rng(21)
    points = base.vertices[lid_rings(base, "L")[_LID_EDGE]]
    inner, outer = int(np.argmin(points[:, 0])), int(np.argmax(points[:, 0]))
    first, second = sorted((inner, outer))
    one, two = points[first : second + 1], np.concatenate([points[second:], points[: first + 1]])
    if one[0, 0] > one[-1, 0]:
        one = one[::-1]
    if two[0, 0] > two[-1, 0]:
        two = two[::-1]
    top, bottom = (one, two) if one[:, 1].mean() > two[:, 1].mean() else (two, one)
    corners = []
    for curve, count, size, lift in ((top, upper, 8.0, 0.45), (bottom, lower, 4.5, -0.75)):
        t = np.linspace(0.14, 0.985, count) + rng.normal(0.0, 0.003, count)
        knots = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1)))
        roots = np.stack([np.interp(t, knots / knots[-1], curve[:, axis]) for axis in range(3)], 1)
        fan = np.stack([(t - 0.42) * 1.1, np.full(count, lift), np.full(count, 1.0)], 1)
        fan /= np.linalg.norm(fan, axis=1, keepdims=True)
        length = size * np.interp(t, [0.0, 0.5, 0.85, 1.0], [0.45, 0.85, 1.0, 0.8]) * rng.uniform(0.8, 1.1, count)
        tips = roots + length[:, None] * fan + [0.0, 1.6 * np.sign(lift), 0.0]
        side = np.array([1.0, 0.0, 0.0])
        corners.append(np.stack([roots - 0.16 * side, roots + 0.16 * side, tips + 0.03 * side, tips - 0.03 * side], 1))
    all_corners = np.concatenate(corners)
    # Bound by the root alone, so that a lash turns with the lid and does not stretch over the eye.
    return _bind(base, all_corners.reshape(-1, 3), None, base.faces("head"), "lash", drop_to_skin=False)


# Which ring of vertices around an eye, counted from the socket, is the lids' front edge.
_LID_EDGE = 3


def lid_rings(base: BaseMesh, side: str, count: int = _LID_EDGE + 1) -> Ints:
    """Rings (count,R) of vertices around an eye, in step: from where lids and socket meet, over the lid's thickness.

    The first is the closed loop where the lids meet the eyeball; ``side`` is ``L`` or ``R``.
    """
    faces = base.faces("head")
    edges = _edges(faces)
    near: dict[int, list[int]] = {}
    for a, b in edges & _edges(base.faces(f"eye_cavity.{side}")):
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    loop, previous = [min(near)], -1
    while len(loop) < len(near):
        ahead = next(vertex for vertex in near[loop[-1]] if vertex != previous)
        previous = loop[-1]
        loop.append(ahead)
    beside: dict[int, list[int]] = {}
    for a, b in edges:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    rings, seen = [loop], set(loop)
    while len(rings) < count:
        # Between quads in rings each vertex has one neighbour farther out.
        rings.append([next(v for v in beside[vertex] if v not in seen) for vertex in rings[-1]])
        seen |= set(rings[-1])
    return np.array(rings)


def _edges(faces: Ints) -> set[tuple[int, int]]:
    pairs = np.sort(np.concatenate([faces[:, [i, (i + 1) % 4]] for i in range(4)]), axis=1)
    return {(int(a), int(b)) for a, b in pairs}


def _bind(
    base: BaseMesh, points: Floats, height: Floats | None, faces: Ints, material: str, *, drop_to_skin: bool
) -> Strands:
    """Binds left-side strand corners (4S,3) to the nearest skin triangle and adds the mirrored right side."""
    import trimesh

    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    triangles = triangles[(base.vertices[triangles].mean(1) * [1, 0, 1]).max(1) > 5.0]
    mesh = trimesh.Trimesh(base.vertices, triangles, process=False)
    anchors = points if drop_to_skin else np.repeat(points.reshape(-1, 4, 3)[:, :2].mean(1), 4, axis=0)
    on_skin, _, hit = trimesh.proximity.closest_point(mesh, anchors)
    corners = mesh.triangles[hit]
    weights = trimesh.triangles.points_to_barycentric(corners, on_skin)
    if height is not None:
        points = on_skin + height[:, None] * mesh.face_normals[hit]
    offset = points - on_skin
    ids = triangles[hit]
    count = len(points)
    quads = np.arange(count).reshape(-1, 4)
    uv = np.tile(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], np.float32), (2 * len(quads), 1, 1))
    return Strands(
        base_ids=np.concatenate([ids, base.mirror[ids]]),
        weights=np.concatenate([weights, weights]).astype(np.float32),
        offset=np.concatenate([offset, offset * [-1.0, 1.0, 1.0]]).astype(np.float32),
        quads=np.concatenate([quads, (quads + count)[:, ::-1]]),
        uv=uv,
        mirror=np.concatenate([np.arange(count) + count, np.arange(count)]),
        material=material,
    )
