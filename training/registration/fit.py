"""Non-rigid registration of the template's skin to one mesh.

Coarse to fine: a similarity from the landmarks; Amberg, Romdhani & Vetter's optimal-step non-rigid ICP (2007) as
`trimesh` has it, stiff to soft with falling landmark weights; then a polish, in which points of either surface are
drawn to the other's tangent planes while the deformation stays smooth (a squared Laplacian of the displacements).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.registration.align import Similarity, fit_similarity
from training.registration.rig import Rig
from training.registration.surface import Hits, LeastSquares, Surface, border_vertices, laplacian, rows_at
from training.registration.target import Target

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Landmarks that mean the same place everywhere: not the sliding ones of the jaw's outline, nor the brows.
STEADY = (8, *range(27, 68))

# (smoothness, landmarks, normals, iterations), trimesh's units.
STEPS = ((0.02, 5.0, 0.5, 5), (0.01, 3.0, 0.5, 5), (0.005, 1.0, 0.5, 5), (0.002, 0.5, 0.5, 8))
POLISHES = 4

# A pair of points counts when the surfaces face the same way and are no farther apart than this, mm: for scans, with
# their hair and spikes, and for clean models, whose nostrils go deep.
_FACING = 0.6
SCAN_REACH_MM = 4.0
MODEL_REACH_MM = 12.0


@dataclass(frozen=True)
class Pairs:
    """Points that belong together: forward, vertices (S,) of the rig at points of the target; backward the reverse.

    ids (S,) rig vertices and hits on the target; targets (T,) target vertices and hits on the rig; lids (R,) rig
    vertices on the lids' loops with hits on the target's.
    """

    ids: Ints
    forward: Hits
    targets: Ints
    backward: Hits
    lids: Ints
    lid_rows: sparse.csr_matrix


def starting_pose(rig: Rig, target: Target) -> Similarity:
    """The similarity that carries the rig to the target's landmarks."""
    numbers = sorted(target.landmarks)
    return fit_similarity(
        rig.neutral[rig.landmarks68[numbers]], np.stack([target.landmarks[number] for number in numbers])
    )


def register(rig: Rig, target: Target, reach: float = SCAN_REACH_MM) -> tuple[Floats, Floats, Pairs]:
    """Fits the rig's skin to the target; pairs of points farther apart than `reach` mm are left out.

    Returns the similar start (U,3) mm, the fitted vertices (U,3) mm (what the target does not show follows smoothly)
    and the pairs of points at the end.
    """
    start = starting_pose(rig, target)(rig.neutral)
    coarse = _amberg(rig, target, start)
    lids, lid_rows = lid_pairs(rig, start, target)
    smooth = laplacian(start, rig.all_skin)
    surface = np.unique(rig.all_skin)
    fitted = _spread(rig, start, coarse, smooth)
    goal = Surface(target.vertices, target.triangles)
    pairs = find_pairs(rig, fitted, goal, reach, lids, lid_rows)
    for _ in range(POLISHES):
        fitted = _polish(rig, target, goal, start, smooth, surface, pairs)
        pairs = find_pairs(rig, fitted, goal, reach, lids, lid_rows)
    return start, fitted, pairs


def _amberg(rig: Rig, target: Target, start: Floats) -> Floats:
    """Skin vertices (S,3) after trimesh's non-rigid ICP."""
    import trimesh

    ids = rig.skin_ids
    source = trimesh.Trimesh(start[ids], np.searchsorted(ids, rig.skin), process=False)
    goal = trimesh.Trimesh(target.vertices, target.triangles, process=False)
    numbers = [number for number in STEADY if number in target.landmarks]
    return trimesh.registration.nricp_amberg(
        source,
        goal,
        source_landmarks=np.searchsorted(ids, rig.landmarks68[numbers]),
        target_positions=np.stack([target.landmarks[number] for number in numbers]),
        steps=[list(step) for step in STEPS],
    )


def _spread(rig: Rig, start: Floats, skin: Floats, smooth: sparse.csr_matrix) -> Floats:
    """All vertices (U,3): the skin's displacements continued smoothly into sockets and mouth."""
    ids, surface = rig.skin_ids, np.unique(rig.all_skin)
    every = sparse.identity(len(start), format="csr")
    blocks = [every[ids], 0.3 * smooth[surface], 1e-3 * every[surface]]
    moved = start.copy()
    moved[surface] += LeastSquares(blocks, surface).solve([skin - start[ids]])
    return moved


def find_pairs(rig: Rig, fitted: Floats, goal: Surface, reach: float, lids: Ints, lid_rows: sparse.csr_matrix) -> Pairs:
    """The pairs of points of rig (fitted, (U,3)) and target that count."""
    own = Surface(fitted, rig.skin)
    ids = rig.open_skin_ids
    forward = goal.closest(fitted[ids])
    border = np.zeros(len(goal.vertices), bool)
    border[border_vertices(goal.triangles)] = True
    good = (forward.normals * own.normals[ids]).sum(1) > _FACING
    good &= (forward.distance < reach) & ~border[forward.corners].any(1)
    shown = np.unique(goal.triangles)
    backward = own.closest(goal.vertices[shown])
    closed = np.ones(len(fitted), bool)
    closed[ids] = False
    closed[border_vertices(rig.skin)] = True
    fine = (backward.normals * goal.normals[shown]).sum(1) > _FACING
    fine &= (backward.distance < reach) & ~closed[backward.corners].any(1)
    return Pairs(ids[good], forward.take(good), shown[fine], backward.take(fine), lids, lid_rows)


def _polish(
    rig: Rig, target: Target, goal: Surface, start: Floats, smooth: sparse.csr_matrix, surface: Ints, pairs: Pairs
) -> Floats:
    """One step: least squares for all vertices at once, points drawn to tangent planes."""
    count = len(start)
    every = sparse.identity(count, format="csr")
    back = rows_at(pairs.backward.corners, pairs.backward.weights, count)
    own_points, goal_points = every[pairs.ids], target.vertices[pairs.targets]
    there, here = pairs.forward.normals, pairs.backward.normals
    numbers = [number for number in STEADY if number in target.landmarks]
    marks = np.stack([target.landmarks[number] for number in numbers])
    blocks = [
        _along(own_points, there),
        0.6 * _along(back, here),
        _threefold(0.1 * own_points),
        _threefold(smooth[surface]),
        _threefold(1e-3 * every[surface]),
        _threefold(0.3 * every[rig.landmarks68[numbers]]),
        _threefold(1.5 * every[pairs.lids]),
    ]
    values = [
        (there * pairs.forward.points).sum(1),
        0.6 * (here * goal_points).sum(1),
        0.1 * pairs.forward.points.T.ravel(),
        (smooth[surface] @ start).T.ravel(),
        1e-3 * start[surface].T.ravel(),
        0.3 * marks.T.ravel(),
        1.5 * (pairs.lid_rows @ target.vertices).T.ravel(),
    ]
    unknown = np.concatenate([surface + axis * count for axis in range(3)])
    solved = LeastSquares(blocks, unknown).solve(values)
    fitted = start.copy()
    fitted[surface] = solved.reshape(3, -1).T
    return fitted


def _along(rows: sparse.csr_matrix, normals: Floats) -> sparse.csr_matrix:
    """Rows (n,U) as rows (n,3U) that measure along normals (n,3)."""
    return sparse.hstack([sparse.diags(normals[:, axis]) @ rows for axis in range(3)], format="csr")


def _threefold(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    return sparse.kron(sparse.identity(3), rows, format="csr")


def lid_pairs(rig: Rig, start: Floats, target: Target) -> tuple[Ints, sparse.csr_matrix]:
    """The lids' loops matched with the target's eye openings by their length between the corners.

    Returns rig vertices (R,) and a matrix (R,V) that takes the target's vertices to where they belong.
    """
    ids, rows = [], []
    for side, own_loops in zip(("left", "right"), rig.lids, strict=True):
        for loop, opening in zip(own_loops, target.openings.get(side, ()), strict=False):
            ids.append(loop)
            rows.append(_matched(start[loop], target.vertices, opening))
    if not ids:
        return np.zeros(0, np.int64), sparse.csr_matrix((0, len(target.vertices)))
    return np.concatenate(ids), sparse.vstack(rows, format="csr")


def _matched(own_points: Floats, vertices: Floats, opening: Ints) -> sparse.csr_matrix:
    """Rows (R,V): for each point of the own loop (R,3) the place as far along the opening's."""
    own, theirs = _along_lids(own_points), _along_lids(vertices[opening])
    order = np.argsort(theirs)
    place = np.searchsorted(theirs[order], own) % len(opening)
    after, before = order[place], order[place - 1]
    span = (theirs[after] - theirs[before]) % 2.0
    share = np.divide((own - theirs[before]) % 2.0, span, out=np.zeros_like(own), where=span > 1e-12)
    corners = np.stack([opening[before], opening[after]], 1)
    return rows_at(corners, np.stack([1.0 - share, share], 1), len(vertices))


def _along_lids(points: Floats) -> Floats:
    """Where on a closed loop (n,3) each point is: 0..1 from the corner with least x along the upper lid, 1..2 back."""
    start, turn = int(np.argmin(points[:, 0])), int(np.argmax(points[:, 0]))
    ahead = np.roll(np.arange(len(points)), -start)
    first = ahead[: (turn - start) % len(points) + 1]
    second = np.append(ahead[(turn - start) % len(points) :], start)
    upper, lower = (
        (first, second[::-1]) if points[first, 1].mean() > points[second, 1].mean() else (second[::-1], first)
    )
    place = np.zeros(len(points))
    for side, path in ((0, upper), (1, lower)):
        length = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points[path], axis=0), axis=1)))
        length /= length[-1]
        inner = slice(1, -1) if side else slice(None)
        place[path[inner]] = (2.0 - length if side else length)[inner]
    return place
