"""What the template is fitted to: one mesh in head space with its landmarks and, where it has them, eye openings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.registration.surface import border_loops

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A hole is an eye's when its middle is this near, mm, to the middle of the eye's landmarks.
_EYE_REACH_MM = 12.0
# How many rings of vertices around such a hole are looked at, and how thick a lid's margin is.
_RINGS = 8
_LID_MM = 1.5


class BadScan(ValueError):
    """A mesh that cannot be registered; the message says why and what to do."""


@dataclass(frozen=True)
class Target:
    """vertices (V,3) mm in head space, triangles (F,3) wound outwards, landmarks: iBUG number -> (3,) mm.

    openings: for ``left`` and ``right`` eye, where the mesh has a hole there, two loops of vertices, each in order: the
    hole's narrowest, where the lids meet the eyeball, and the lids' front edge.
    """

    vertices: Floats
    triangles: Ints
    landmarks: dict[int, Floats]
    openings: dict[str, tuple[Ints, Ints]] = field(default_factory=dict)

    @staticmethod
    def of(vertices: Floats, triangles: Ints, landmarks: dict[int, Floats]) -> Target:
        """With openings found at the eyes' landmarks."""
        openings = {}
        for side, numbers in (("right", range(36, 42)), ("left", range(42, 48))):
            marks = [landmarks[number] for number in numbers if number in landmarks]
            if len(marks) >= 2:
                loop = _opening(vertices, triangles, np.mean(marks, axis=0))
                if loop is not None:
                    openings[side] = loop
        return Target(vertices, triangles, landmarks, openings)


def clean_mesh(vertices: Floats, triangles: Ints, landmarks: Floats) -> Ints:
    """The triangles to use of a mesh: the part with the landmarks (n,3), no slivers, one side outwards.

    Raises :class:`BadScan` for an empty mesh, one with non-finite points, or edges that more than two triangles share
    beyond a few.
    """
    if len(vertices) < 100 or len(triangles) < 100:
        raise BadScan(f"the mesh is empty or nearly so ({len(vertices)} vertices, {len(triangles)} triangles)")
    if not np.isfinite(vertices[np.unique(triangles)]).all():
        raise BadScan("the mesh has coordinates that are not numbers: export it again")
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    triangles = triangles[area > 1e-10 * area.max()]
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    _, uses = np.unique(edges, axis=0, return_counts=True)
    share = float((uses > 2).mean())
    if share > 0.01:
        raise BadScan(
            f"the mesh is non-manifold: {share:.0%} of its edges have more than two triangles. Clean it first, for "
            "example with Blender's Mesh > Clean Up > Merge by Distance and Delete Loose"
        )
    triangles = triangles[_component(vertices, triangles, landmarks)[triangles].all(1)]
    return triangles if _points_outwards(vertices, triangles, landmarks) else triangles[:, ::-1]


def components(vertices: Floats, triangles: Ints) -> Ints:
    """Label (V,) of the connected part each vertex is in; vertices at one place (UV and normal seams) are in one."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    _, place = np.unique(np.round(vertices / np.ptp(vertices, axis=0).max(), 6), axis=0, return_inverse=True)
    welded = place.ravel()[triangles]
    count = int(place.max()) + 1
    pairs = np.concatenate([welded[:, [0, 1]], welded[:, [1, 2]]])
    graph = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    labels: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels[place.ravel()]


def _component(vertices: Floats, triangles: Ints, landmarks: Floats) -> NDArray[np.bool_]:
    """Mask (V,) of the connected part nearest to most landmarks (eyeballs and teeth are often parts of their own)."""
    from scipy.spatial import cKDTree

    label, used = components(vertices, triangles), np.unique(triangles)
    votes = np.bincount(label[used[cKDTree(vertices[used]).query(landmarks)[1]]])
    mask = np.zeros(len(vertices), bool)
    mask[used] = label[used] == votes.argmax()
    return mask


def _points_outwards(vertices: Floats, triangles: Ints, landmarks: Floats) -> bool:
    """Whether the faces around the landmarks look away from the mesh's middle."""
    from scipy.spatial import cKDTree

    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    near = np.unique(cKDTree(corners.mean(1)).query(landmarks, k=min(20, len(corners)))[1])
    # Seen from behind the face: half a face's size behind its landmarks' plane.
    middle = landmarks.mean(0)
    axis = np.linalg.svd(landmarks - middle)[2][2]
    inside = vertices[np.unique(triangles)].mean(0) - middle
    size = np.ptp(landmarks, axis=0).max()
    depth = inside @ axis
    behind = middle + np.sign(depth if abs(depth) > 1e-3 * size else 1.0) * 0.5 * size * axis
    return bool(((corners[near].mean(1) - behind) * normals[near]).sum() > 0.0)


def _opening(vertices: Floats, triangles: Ints, middle: Floats) -> tuple[Ints, Ints] | None:
    loops = [loop for loop in border_loops(triangles) if len(loop) >= 10]
    loops = [loop for loop in loops if np.linalg.norm((vertices[loop].mean(0) - middle)[:2]) < _EYE_REACH_MM]
    loops = [loop for loop in loops if np.ptp(vertices[loop, 0]) < 45.0]
    if not loops:
        return None
    rings = _rings(vertices, triangles, min(loops, key=lambda loop: _distance(vertices[loop].mean(0), middle)))
    narrowest = int(np.argmin([_seen_area(vertices[ring]) for ring in rings]))
    outer = rings[narrowest + 1 :]
    rises = [_distance(vertices[ring].mean(0), vertices[rings[narrowest]].mean(0)) for ring in outer]
    widths = [np.sqrt(_seen_area(vertices[ring])) for ring in (rings[narrowest], *outer)]
    edge = next((i for i, ring in enumerate(outer) if widths[i + 1] - widths[0] + rises[i] > _LID_MM), None)
    return None if edge is None else (rings[narrowest], outer[edge])


def _rings(vertices: Floats, triangles: Ints, loop: Ints) -> list[Ints]:
    """Rings of vertices from a border loop into the mesh, each ordered by the angle about its middle."""
    rings, seen, ring = [], set(loop.tolist()), loop
    for _ in range(_RINGS):
        away = vertices[ring] - vertices[ring].mean(0)
        rings.append(ring[np.argsort(np.arctan2(away[:, 1], away[:, 0]))])
        near = np.unique(triangles[np.isin(triangles, ring).any(1)])
        ring = near[~np.isin(near, list(seen))]
        if len(ring) < 6:
            break
        seen |= set(ring.tolist())
    return rings


def _seen_area(ring: Floats) -> float:
    """What an ordered ring (n,3) encloses as seen from in front, mm^2."""
    x, y = ring[:, 0], ring[:, 1]
    return 0.5 * abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()))


def _distance(a: Floats, b: Floats) -> float:
    return float(np.linalg.norm(a - b))
