"""From a target's vertices to the rig's: one linear map, made once, that positions, modes and expressions go through.

Skin follows the pairs of points that registration found, in both directions, so that the coarser surface lies through
the finer one and not inside it. Eyes and teeth move as wholes, with the target's own eyes and teeth where it has them,
or the skin near them where not. Sockets follow the eyes, the mouth's inside follows the teeth, and what is left
continues smoothly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.registration.align import Similarity, fit_similarity
from training.registration.fit import Pairs
from training.registration.rig import Rig
from training.registration.surface import LeastSquares, laplacian, rows_at

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Edge = Callable[[Floats], np.floating]

_FORWARD, _BACKWARD, _LIDS, _FOLLOW, _SMOOTH = 0.5, 1.0, 1.5, 0.15, 0.25
# Keeps what nothing else holds from running away with growing distance.
_STAY = 0.01
# The lids' loops lie this far above the eyeball, mm.
_LID_GAP_MM = 0.1
# The eyeball's radius that makes the iris 12.1 mm across, and how far the pupil is above the opening's middle.
_EYE_MM = 13.8
_PUPIL_RISE_MM = 0.8
# Landmarks about the upper and the lower jaw, iBUG numbers.
_UPPER_JAW, _LOWER_JAW = (31, 33, 35, 48, 50, 51, 52, 54), (6, 8, 10, 48, 54, 56, 57, 58)


def _nothing() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class Parts:
    """Vertices of the target that are no skin, by index; empty where it has none."""

    left_eye: Ints = field(default_factory=_nothing)
    right_eye: Ints = field(default_factory=_nothing)
    upper_teeth: Ints = field(default_factory=_nothing)
    lower_teeth: Ints = field(default_factory=_nothing)


def motion_of(points: Floats, offsets: Floats, *, turning: bool = True) -> Floats:
    """The small similarity (7,k) that best explains offsets (n,3,k) of points (n,3): turn, growth, shift.

    offset = w x p + s p + t is linear in (w, s, t), so that it carries modes as well as it carries heads.
    """
    rows = _motion_rows(points)
    motion = np.zeros((7, offsets.shape[2]))
    free = slice(0 if turning else 3, 7)
    motion[free] = np.linalg.lstsq(rows[:, free], offsets.reshape(3 * len(points), -1), rcond=None)[0]
    return motion


def moved_by(motion: Floats, points: Floats) -> Floats:
    """Offsets (n,3,k) of points (n,3) under motions (7,k)."""
    return (_motion_rows(points) @ motion).reshape(len(points), 3, -1)


def _motion_rows(points: Floats) -> Floats:
    (x, y, z), zero, one = points.T, np.zeros(len(points)), np.ones(len(points))
    rows = [[zero, z, -y, x, one, zero, zero], [-z, zero, x, y, zero, one, zero], [y, -x, zero, z, zero, zero, one]]
    return np.stack([np.stack(row, 1) for row in rows], 1).reshape(-1, 7)


class Carrier:
    """The linear map for one registered target.

    target (V,3) mm its vertices, start (U,3) the rig similar to it, fitted (U,3) the registered rig, pairs theirs.
    `vertices` (U,3) mm is the finished rig on the target.
    """

    def __init__(
        self, rig: Rig, target: Floats, start: Floats, fitted: Floats, pairs: Pairs, parts: Parts | None = None
    ) -> None:
        self.rig, self.target, self.pairs = rig, target, pairs
        self.parts = parts or Parts()
        self.eye_ids = (self.parts.left_eye, self.parts.right_eye)
        self.surface = np.unique(rig.all_skin)
        every = sparse.identity(len(fitted), format="csr")
        self.followers = np.concatenate([*rig.sockets, rig.mouth])
        self.own_rows = [
            _FORWARD * every[pairs.ids],
            _BACKWARD * rows_at(pairs.backward.corners, pairs.backward.weights, len(fitted)),
            _LIDS * every[pairs.lids],
            _FOLLOW * every[self.followers],
        ]
        self.target_rows = [
            _FORWARD * rows_at(pairs.forward.corners, pairs.forward.weights, len(target)),
            _BACKWARD * sparse.identity(len(target), format="csr")[pairs.targets],
            _LIDS * pairs.lid_rows,
        ]
        smooth = laplacian(fitted, rig.all_skin)[self.surface]
        self.solver = LeastSquares([*self.own_rows, _SMOOTH * smooth, _STAY * every[self.surface]], self.surface)
        self.vertices = self._place(start, fitted)

    def identity(self, offsets: Floats) -> Floats:
        """Offsets (V,3,k) of the target's vertices between neutral heads -> offsets (U,3,k) of the rig's."""
        rig, neutral = self.rig, self.vertices
        eyes = [self._eye_motion(side, offsets) for side in (0, 1)]
        upper = self._tooth_motion(self.parts.upper_teeth, _UPPER_JAW, offsets)
        lower = self._tooth_motion(self.parts.lower_teeth, _LOWER_JAW, offsets)
        moved = self._with_skin(offsets, [moved_by(eyes[i], neutral[rig.sockets[i]]) for i in (0, 1)], upper, lower)
        for i in (0, 1):
            moved[rig.eyes[i]] = moved_by(eyes[i], neutral[rig.eyes[i]])
        return moved

    def expression(self, offsets: Floats) -> Floats:
        """Offsets (V,3,k) of the target's vertices in facial actions at full -> offsets (U,3,k) of the rig's.

        Eyeballs stay.
        """
        rig, count = self.rig, offsets.shape[2]
        still = [np.zeros((len(ids), 3, count)) for ids in rig.sockets]
        upper, lower = (
            motion_of(self.target[ids], offsets[ids]) if len(ids) else np.zeros((7, count))
            for ids in (self.parts.upper_teeth, self.parts.lower_teeth)
        )
        return self._with_skin(offsets, still, upper, lower)

    def _with_skin(self, offsets: Floats, sockets: list[Floats], upper: Floats, lower: Floats) -> Floats:
        rig, neutral = self.rig, self.vertices
        share = rig.jaw_share[:, None, None]
        mouth = (1.0 - share) * moved_by(upper, neutral[rig.mouth]) + share * moved_by(lower, neutral[rig.mouth])
        wanted = [(rows @ offsets.reshape(len(offsets), -1)) for rows in self.target_rows]
        wanted.append(_FOLLOW * np.concatenate([*sockets, mouth]).reshape(len(self.followers), -1))
        moved = np.zeros((*neutral.shape, offsets.shape[2]))
        moved[self.surface] = self.solver.solve(wanted).reshape(len(self.surface), 3, -1)
        for ids, motion in ((rig.upper_teeth, upper), (rig.lower_teeth, lower), (rig.tongue, lower)):
            moved[ids] = moved_by(motion, neutral[ids])
        return moved

    def _eye_motion(self, side: int, offsets: Floats) -> Floats:
        ids = self.eye_ids[side]
        if len(ids):
            return motion_of(self.target[ids], offsets[ids])
        # The lids' middle: without a hole for the eye, the eye's landmarks.
        return motion_of(*self._near(range(42, 48) if side == 0 else range(36, 42), offsets), turning=False)

    def _tooth_motion(self, ids: Ints, landmarks: tuple[int, ...], offsets: Floats) -> Floats:
        if len(ids):
            return motion_of(self.target[ids], offsets[ids])
        return motion_of(*self._near(landmarks, offsets))

    def _near(self, landmarks: range | tuple[int, ...], offsets: Floats) -> tuple[Floats, Floats]:
        """Skin vertices (n,3) of the rig within a finger's breadth of landmarks, and offsets (n,3,k) there."""
        pairs = self.pairs
        marks = self.vertices[self.rig.landmarks68[list(landmarks)]]
        points = pairs.forward.points
        near = np.linalg.norm(points[:, None] - marks[None], axis=2).min(1) < 9.0
        if near.sum() < 4:
            return self.target, offsets
        corners, weights = pairs.forward.corners[near], pairs.forward.weights[near]
        return points[near], (offsets[corners] * weights[..., None, None]).sum(1)

    def _place(self, start: Floats, fitted: Floats) -> Floats:
        """The finished rig (U,3): skin through the target's, then eyes, sockets, teeth and mouth in their places."""
        rig = self.rig
        self.vertices = fitted
        upper = self._placed_teeth(rig.upper_teeth, self.parts.upper_teeth, _UPPER_JAW, start, fitted, np.min)
        lower = self._placed_teeth(rig.lower_teeth, self.parts.lower_teeth, _LOWER_JAW, start, fitted, np.max)
        eyes = [self._placed_eye(side, start, fitted) for side in (0, 1)]
        share = rig.jaw_share[:, None]
        mouth = (1.0 - share) * upper(start[rig.mouth]) + share * lower(start[rig.mouth])
        sockets = [eyes[i](start[rig.sockets[i]]) for i in (0, 1)]
        wanted = [rows @ self.target for rows in self.target_rows]
        wanted.append(_FOLLOW * np.concatenate([*sockets, mouth]))
        missing = [goal - rows @ fitted for goal, rows in zip(wanted, self.own_rows, strict=True)]
        placed = fitted.copy()
        placed[self.surface] += self.solver.solve(missing)
        for ids, change in ((rig.upper_teeth, upper), (rig.lower_teeth, lower), (rig.tongue, lower)):
            placed[ids] = change(start[ids])
        for i in (0, 1):
            placed[rig.eyes[i]] = eyes[i](start[rig.eyes[i]])
        return placed

    def _placed_teeth(
        self, own: Ints, theirs: Ints, landmarks: tuple[int, ...], start: Floats, fitted: Floats, edge: _Edge
    ) -> Similarity:
        """Where a row of teeth goes: onto the target's row by width, front and biting edge, or along with the lips."""
        if not len(theirs):
            marks = self.rig.landmarks68[list(landmarks)]
            return fit_similarity(start[marks], fitted[marks])
        (width, place), (goal_width, goal) = (
            _row_of_teeth(points, edge) for points in (start[own], self.target[theirs])
        )
        scale = goal_width / width
        return Similarity(scale, np.eye(3), goal - scale * place)

    def _placed_eye(self, side: int, start: Floats, fitted: Floats) -> Similarity:
        """Where an eyeball goes: the middle a little above the opening's, and as deep as the lids' inner edges lie.

        Its size is an eye's, whatever the target's: the iris grows with it.
        """
        own = start[self.rig.eyes[side]]
        middle = own.mean(0)
        scale = _EYE_MM / float(np.linalg.norm(own - middle, axis=1).mean())
        loop = self.rig.lids[side][0]
        lid, theirs = fitted[loop], self.eye_ids[side]
        expected = eye_centre(self.target[theirs]) if len(theirs) else middle + (lid - start[loop]).mean(0)
        expected[1] = (lid[:, 1].min() + lid[:, 1].max()) / 2.0 + _PUPIL_RISE_MM
        hold = np.diag([6.0, 6.0, 0.15])
        centre = expected
        for _ in range(40):
            away = lid - centre
            distance = np.linalg.norm(away, axis=1)
            gap = distance - _EYE_MM - _LID_GAP_MM
            # A lid inside the eyeball is worse than one above it.
            weight = np.where(gap < 0.0, 4.0, 1.0)
            rows = np.concatenate([-weight[:, None] * away / distance[:, None], hold])
            values = np.concatenate([-weight * gap, hold @ (expected - centre)])
            centre = centre + np.linalg.lstsq(rows, values, rcond=None)[0]
        return Similarity(scale, np.eye(3), centre - scale * middle)


def eye_centre(points: Floats) -> Floats:
    """Centre (3,) of the sphere nearest to an eyeball's points (n,3)."""
    rows = np.concatenate([2.0 * points, np.ones((len(points), 1))], axis=1)
    return np.linalg.lstsq(rows, (points**2).sum(1), rcond=None)[0][:3]


def _row_of_teeth(points: Floats, edge: _Edge) -> tuple[float, Floats]:
    """Width of a row (n,3) and the middle of its front teeth's biting edge (3,)."""
    front = points[points[:, 2] > points[:, 2].max() - 8.0]
    middle = (points[:, 0].min() + points[:, 0].max()) / 2.0
    return float(np.ptp(points[:, 0])), np.array([middle, edge(front[:, 1]), points[:, 2].max()])
