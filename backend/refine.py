"""Fits a head to the points that a network sees in photos of one person, each as sure as the network is of it.

The most probable identity, expressions and cameras by Levenberg and Marquardt's method: dense landmarks with their
uncertainties as in Wood et al., "3D Face Reconstruction with Dense Landmarks" (ECCV 2022), but with perspective
cameras and Gaussian priors about what the network says. What is a photo's own is eliminated from the normal equations
before what all photos share is solved for (Triggs et al., "Bundle Adjustment - A Modern Synthesis", 1999, section 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .observation import LANDMARKS, Observation, PointModel, Priors
from .pose import Camera, Pose, fit_pose, linearised, posed, robust_weights

Floats = NDArray[np.float64]

STEPS: Final = 6
CONVERGED: Final = 0.1
"""A step that makes the head no more than so much more probable (twice the logarithm) is the last."""

_POSE = 7  # rotation vector, translation, zoom
_TRIES = 4
_PASSES = 4  # in which actions that would leave the box are set to its bounds
_DAMPING = 1e-4
_LEAST_SPREAD = 1e-4
_ROUNDING = 1e-9
_LEAST_SQUARE = 1.0  # the sigmas themselves explain that much: only what is beyond is odd


@dataclass(frozen=True)
class Refined:
    """The most probable head: `identity` (K,) with its posterior `covariance` (K, K), zeros where it is held.

    For each photo `expressions` (V, E) 0..1, `poses`, None where the photo has none, and `alone` (V, K, K), the
    covariance that identity would have by this photo only. `steps` says how many were taken.
    """

    identity: Floats
    covariance: Floats
    alone: Floats
    expressions: Floats
    poses: tuple[Pose | None, ...]
    steps: int


def refine(model: PointModel, views: Sequence[Observation], priors: Priors, steps: int = STEPS) -> Refined:
    """The most probable head by `views`, one or more photos of one person.

    Starts from the network's expressions, what its identities make probable together, and `fit_pose`; that is also the
    answer for photos that cannot be used. Residuals are reweighted as in `fit_pose`. Expressions stay within 0..1 by an
    active set: those at a bound that the gradient points beyond are held for a step, those that a step would take out
    of the box go to its bound, and the step is solved for again without them.
    """
    identity = priors.pooled([view.identity for view in views], [view.weight for view in views])
    expressions = np.array([np.clip(v.expression, 0.0, 1.0) for v in views], np.float64)
    heads = [model.points(identity, expression)[:LANDMARKS] for expression in expressions]
    # The focal length is left to the fit: with another's face, the landmarks alone can mistake it by far.
    begun = [
        fit_pose(view.places[:LANDMARKS], points, view.focal, view.size) if view.usable else None
        for view, points in zip(views, heads, strict=True)
    ]
    known = [(index, pose) for index, pose in enumerate(begun) if pose is not None]
    poses = [
        None if pose is not None else fit_pose(view.places[:LANDMARKS], points, view.focal, view.size, view.spread)
        for pose, view, points in zip(begun, views, heads, strict=True)
    ]
    if not known:
        covariances = _covariances(priors.identity_precision, identity, [None] * len(views))
        return Refined(identity, *covariances, expressions, tuple(poses), 0)
    used = [index for index, _ in known]
    fit = _Fit(model, [views[index] for index in used], priors, identity, expressions[used])
    cameras = tuple(Camera(pose.rotation, pose.translation, pose.focal) for _, pose in known)
    state, normals, taken = fit.run(_State(identity, expressions[used], cameras), steps)
    told: list[_Normal | None] = [None] * len(views)
    for index, normal in zip(used, normals, strict=False):
        told[index] = normal
    for index, expression, camera in zip(used, state.expressions, state.cameras, strict=True):
        points = model.points(state.identity, expression)[:LANDMARKS]
        poses[index], expressions[index] = posed(camera, points, views[index].seen[:LANDMARKS]), expression
    covariances = _covariances(priors.identity_precision, identity, told)
    return Refined(state.identity, *covariances, expressions, tuple(poses), taken)


@dataclass(frozen=True)
class _State:
    """Identity (K,), and for each photo its expression (V, E) and camera."""

    identity: Floats
    expressions: Floats
    cameras: tuple[Camera, ...]


class _Normal(NamedTuple):
    """A photo's share of the normal equations, with S shared unknowns and M of its own.

    `shared` (S, S), `mixed` (S, M), `own` (M, M), `shared_gradient` (S,), `own_gradient` (M,).
    """

    shared: Floats
    mixed: Floats
    own: Floats
    shared_gradient: Floats
    own_gradient: Floats

    def fixed(self, index: NDArray[np.intp], moves: Floats, damping: float = 0.0) -> _Normal:
        """With the own unknowns at `index` (F,) moving by `moves` (F,), whatever the others do."""
        shared_gradient = self.shared_gradient + self.mixed[:, index] @ moves
        own_gradient = self.own_gradient + self.own[:, index] @ moves
        mixed, own = self.mixed.copy(), self.own.copy()
        own[index], own[:, index], mixed[:, index] = 0.0, 0.0, 0.0
        own[index, index], own_gradient[index] = 1.0, -(1.0 + damping) * moves
        return _Normal(self.shared, mixed, own, shared_gradient, own_gradient)

    def eliminated(self, damping: float) -> Floats:
        """The own unknowns (M, S + 1) by the shared ones and, last, by their gradient."""
        own = self.own + damping * np.diag(np.diag(self.own))
        solved: Floats = np.linalg.solve(own, np.column_stack([self.mixed.T, self.own_gradient]))
        return solved


def _covariances(precision: Floats | None, identity: Floats, told: Sequence[_Normal | None]) -> tuple[Floats, Floats]:
    """Identity's posterior covariance (K, K) by all photos and (V, K, K) by each alone."""
    if precision is None:
        return np.zeros((len(identity), len(identity))), np.zeros((len(told), len(identity), len(identity)))
    each = [0.0 if n is None else n.shared - n.mixed @ n.eliminated(0.0)[:, :-1] for n in told]
    alone = np.array([np.linalg.inv(precision + one) for one in each])
    return alone[0] if len(told) == 1 else np.linalg.inv(precision + sum(each)), alone


@dataclass(frozen=True)
class _Fit:
    """The problem: `identity` (K,) and `expressions` (V, E) are what the priors are about."""

    model: PointModel
    views: Sequence[Observation]
    priors: Priors
    identity: Floats
    expressions: Floats

    def run(self, state: _State, steps: int) -> tuple[_State, list[_Normal], int]:
        """The best state, the last normal equations, and how many steps were taken."""
        damping, taken, normals = _DAMPING, 0, list[_Normal]()
        for _ in range(steps):
            weights = self.weights(state)
            normals = [self.normal(index, state, weights[index]) for index in range(len(self.views))]
            cost, gained = self.cost(state, weights), 0.0
            for _ in range(_TRIES):
                try:
                    moved = self.moved(state, normals, damping)
                except np.linalg.LinAlgError:
                    break
                gained = cost - self.cost(moved, weights)
                if gained > 0:
                    state, damping, taken = moved, max(damping / 10, _DAMPING / 100), taken + 1
                    break
                damping *= 30
            if not gained > CONVERGED:
                break
        return state, normals, taken

    def residuals(self, index: int, state: _State) -> Floats | None:
        """Projected minus seen over sigma (P, 2); None where a point is behind the camera."""
        view, camera = self.views[index], state.cameras[index]
        points = self.model.points(state.identity, state.expressions[index])
        placed = points @ camera.rotation.T + camera.translation
        if not placed[:, 2].min() > 0:
            return None
        found: Floats = (camera.focal * placed[:, :2] / placed[:, 2:] - view.seen) / view.sigma[:, None]
        return found

    def weights(self, state: _State) -> list[Floats]:
        """What each point of each photo counts, (P,)."""
        found = [self.residuals(index, state) for index in range(len(self.views))]
        return [
            np.zeros(len(self.model.mean))
            if one is None
            else robust_weights(one, _LEAST_SQUARE) / self.priors.correlation
            for one in found
        ]

    def cost(self, state: _State, weights: list[Floats]) -> float:
        """Minus twice the logarithm of the state's probability, but for a constant."""
        total = 0.0
        for index, (view, camera) in enumerate(zip(self.views, state.cameras, strict=True)):
            residuals = self.residuals(index, state)
            if residuals is None:
                return np.inf
            total += float(weights[index] @ np.sum(residuals**2, axis=1))
            total += float(self._own_precision(view) @ self._own_offset(index, state, camera) ** 2)
        if self.priors.identity_precision is not None:
            offset = state.identity - self.identity
            total += float(offset @ self.priors.identity_precision @ offset)
        return total

    def _own_precision(self, view: Observation) -> Floats:
        """Precision (M,) of the priors on what is a photo's own: expression, and of the pose only the focal length."""
        spreads = np.maximum([*self.priors.expression_sd, view.spread], _LEAST_SPREAD)
        return np.concatenate([spreads[:-1] ** -2, np.zeros(_POSE - 1), spreads[-1:] ** -2])

    def _own_offset(self, index: int, state: _State, camera: Camera) -> Floats:
        """How far (M,) what is a photo's own is from what the priors are about."""
        zoom = np.log(camera.focal / self.views[index].focal)
        return np.concatenate([state.expressions[index] - self.expressions[index], np.zeros(_POSE - 1), [zoom]])

    def normal(self, index: int, state: _State, weights: Floats) -> _Normal:
        """The photo's normal equations with its own priors; what the gradient pushes out of the box is held."""
        view, camera, expression = self.views[index], state.cameras[index], state.expressions[index]
        shared = 0 if self.priors.identity_precision is None else len(state.identity)
        scale = np.sqrt(weights) / view.sigma
        jacobian, projected = self.jacobian(state, index, scale)
        residuals = ((projected - view.seen) * scale[:, None]).reshape(-1).astype(np.float32)
        whole = (jacobian.T @ jacobian).astype(np.float64)
        gradient = (jacobian.T @ residuals).astype(np.float64)
        precision = self._own_precision(view)
        own, mixed = whole[shared:, shared:] + np.diag(precision), whole[:shared, shared:]
        own_gradient = gradient[shared:] + precision * self._own_offset(index, state, camera)
        slope = own_gradient[: len(expression)]
        low, high = expression < _ROUNDING, expression > 1 - _ROUNDING
        held = np.flatnonzero((low & (slope > 0)) | (high & (slope < 0)))
        normal = _Normal(whole[:shared, :shared], mixed, own, gradient[:shared], own_gradient)
        return normal.fixed(held, np.zeros(len(held)))

    def jacobian(self, state: _State, index: int, scale: Floats) -> tuple[NDArray[np.float32], Floats]:
        """Derivatives (2P, S + E + 7) of the projected points, x and y in turn, each times its point's `scale` (P,), by
        identity where that is free, expression, rotation vector, translation and zoom; and the projected points (P, 2).
        """
        camera = state.cameras[index]
        first = self.model.identity_count if self.priors.identity_precision is None else 0
        columns = self.model.columns[:, :, first:]
        projected, by_camera, by_pose = linearised(camera, self.model.points(state.identity, state.expressions[index]))
        by_point = ((by_camera @ camera.rotation) * scale[:, None, None]).astype(np.float32)
        jacobian = np.empty((len(scale), 2, columns.shape[2] + _POSE), np.float32)
        np.matmul(by_point, columns, out=jacobian[:, :, :-_POSE])
        jacobian[:, :, -_POSE:] = by_pose * scale[:, None, None]
        return jacobian.reshape(2 * len(scale), -1), projected

    def moved(self, state: _State, normals: list[_Normal], damping: float) -> _State:
        """One step on, within the box. Raises `LinAlgError`."""
        for _ in range(_PASSES):
            step, own_steps = self.step(state, normals, damping)
            wanted = state.expressions + own_steps[:, :-_POSE]
            expressions = np.clip(wanted, 0.0, 1.0)
            outside = np.abs(wanted - expressions) > _ROUNDING
            if not outside.any():
                break
            ways = expressions - state.expressions
            normals = [
                normal.fixed(np.flatnonzero(out), way[out], damping)
                for normal, out, way in zip(normals, outside, ways, strict=True)
            ]
        cameras = tuple(camera.moved(own[-_POSE:]) for camera, own in zip(state.cameras, own_steps, strict=True))
        return _State(state.identity + step, expressions, cameras)

    def step(self, state: _State, normals: list[_Normal], damping: float) -> tuple[Floats, Floats]:
        """How identity (K,) moves and what is each photo's own (V, E + 7). Raises `LinAlgError`."""
        solved = [normal.eliminated(damping) for normal in normals]
        precision = self.priors.identity_precision
        if precision is None:
            return np.zeros(len(state.identity)), np.array([-own[:, -1] for own in solved])
        matrix = precision + sum(normal.shared for normal in normals)
        matrix += damping * np.diag(np.diag(matrix))
        gradient = precision @ (state.identity - self.identity)
        for normal, own in zip(normals, solved, strict=True):
            matrix -= normal.mixed @ own[:, :-1]
            gradient += normal.shared_gradient - normal.mixed @ own[:, -1]
        step = np.linalg.solve(matrix, -gradient)
        return step, np.array([-(own[:, -1] + own[:, :-1] @ step) for own in solved])
