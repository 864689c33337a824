"""What a bundle says of how far its network may be wrong: in what the fit starts from, and vertex by vertex."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bundle import DESCRIPTION, HEAD, Bundle
from .failures import Failure
from .observation import Priors

Floats = NDArray[np.floating[Any]]

HELD, FREE = "held", "free"


@dataclass(frozen=True)
class Uncertainty:
    """`refine` of `bundle.json`, and the arrays of `head.npz` that belong to it.

    `priors` are those of the fit, and the network's sigmas are to be multiplied by `sigma_scale`. `vertex_sigma` (N,)
    mm is how far each vertex is off on the average, and `curve` (a, b) how that depends on a photo, None where the
    bundle does not tell. `face` (N,) says which vertices are the face's, None where the bundle does not; `gram` (K, K)
    mm2 are the products of identity's columns there, without what a similarity of the face explains.
    """

    priors: Priors
    sigma_scale: float
    vertex_sigma: Floats | None
    curve: tuple[float, float] | None
    face: NDArray[np.bool_] | None
    gram: Floats

    @classmethod
    def of(cls, bundle: Bundle) -> Uncertainty | None:
        """What `bundle` says; None where it says nothing. Raises Failure `bundle_damaged` where it makes no sense."""
        entry = bundle.description.get("refine")
        if entry is None:
            return None
        if not isinstance(entry, dict):
            raise _damaged(DESCRIPTION, "its refine is of the wrong kind")
        correlation, sigma_scale = _number(entry, "correlation"), _number(entry, "sigma_scale", 1.0)
        if sigma_scale <= 0:
            raise _damaged(DESCRIPTION, "its refine.sigma_scale is not positive")
        expression_sd = _numbers(entry, "expression_sd", len(bundle.expression))
        mode = entry.get("identity")
        if mode not in (HELD, FREE):
            raise _damaged(DESCRIPTION, f"its refine.identity is neither {HELD} nor {FREE}")
        error, count = bundle.arrays.get("identity_error"), len(bundle.identity)
        if mode == FREE and (error is None or error.shape != (count, count) or not np.any(error)):
            raise _damaged(HEAD, f"it has no identity_error {(count, count)}")
        agreement = bundle.arrays.get("identity_agreement")
        if agreement is not None and agreement.shape != (count,):
            raise _damaged(HEAD, "its identity_agreement is no number for each of identity's")
        try:
            priors = Priors.of(error if mode == FREE else None, np.array(expression_sd), correlation, agreement)
        except ValueError as reason:
            raise _damaged(DESCRIPTION, f"its refine makes no sense: {reason}") from reason
        vertex_sigma = bundle.arrays.get("vertex_sigma")
        if vertex_sigma is not None and (vertex_sigma.shape != (len(bundle.mean),) or not _plausible(vertex_sigma)):
            raise _damaged(HEAD, "its vertex_sigma is no length for each vertex")
        curve = None if entry.get("uncertainty") is None else _numbers(entry, "uncertainty", 2)
        face = _face(bundle)
        chosen = np.ones(len(bundle.mean), bool) if face is None else face
        flat = bundle.identity[:, chosen].reshape(count, -1).astype(np.float64)
        # Where a head lies and how large it is no photo tells, and sigma does not count it either.
        moves = _similarities(bundle.mean[chosen])
        flat -= (flat @ moves) @ moves.T
        return cls(
            priors, sigma_scale, vertex_sigma, None if curve is None else (curve[0], curve[1]), face, flat @ flat.T
        )

    def sigma(self, point_spread: float | None, narrowed: float = 1.0) -> NDArray[np.float32] | None:
        """How far (N,) each vertex may be off, mm, in a photo whose points are off by `point_spread` of the crop.

        `narrowed` is what `narrowing` says of the photos together. None where bundle or network do not tell.
        """
        if self.vertex_sigma is None or self.curve is None or point_spread is None:
            return None
        factor = math.exp(self.curve[0] + self.curve[1] * math.log(point_spread))
        return np.asarray(self.vertex_sigma * (narrowed * factor), np.float32)

    def narrowing(self, together: Floats, alone: Floats) -> float:
        """By what the face's standard deviation shrinks where identity's covariance is `together` (K, K) instead of
        `alone` (K, K); 1 where identity is held.
        """
        before = float(np.sum(alone * self.gram))
        return math.sqrt(max(float(np.sum(together * self.gram)), 0.0) / before) if before > 0 else 1.0

    def personalisation(self, sigma: Floats | None) -> float | None:
        """The share (0..1) of the population's variance of the face that is known of this one: 1 - the squares of
        `sigma` (N,) over those of identity's columns. None where there is no sigma, or no face in the bundle.
        """
        population = float(np.trace(self.gram))
        if sigma is None or self.face is None or population <= 0:
            return None
        return float(np.clip(1.0 - np.sum(np.square(sigma[self.face], dtype=np.float64)) / population, 0.0, 1.0))


def _similarities(points: Floats) -> NDArray[np.float64]:
    """Orthonormal (3P, 7): how turns, shifts and growth move `points` (P, 3), to first order."""
    centred = np.asarray(points, np.float64) - np.mean(points, axis=0, dtype=np.float64)
    axes = np.eye(3)
    moves = [np.broadcast_to(axis, centred.shape) for axis in axes] + [np.cross(axis, centred) for axis in axes]
    basis: NDArray[np.float64] = np.linalg.qr(np.stack([move.reshape(-1) for move in (*moves, centred)], axis=1))[0]
    return basis


def _face(bundle: Bundle) -> NDArray[np.bool_] | None:
    names = list(bundle.description.get("region_names", ()))
    if "face" not in names or "regions" not in bundle.arrays:
        return None
    return np.asarray(bundle.arrays["regions"][names.index("face")], bool)


def _plausible(lengths: Floats) -> bool:
    return bool(np.isfinite(lengths).all()) and bool(np.all(lengths >= 0))


def _number(entry: Mapping[str, Any], key: str, default: float | None = None) -> float:
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _damaged(DESCRIPTION, f"its refine.{key} is no number")
    return float(value)


def _numbers(entry: Mapping[str, Any], key: str, count: int) -> list[float]:
    values = entry.get(key)
    if not isinstance(values, list) or len(values) != count:
        raise _damaged(DESCRIPTION, f"its refine.{key} is no list of {count}")
    return [_number({key: value}, key) for value in values]


def _damaged(name: str, reason: str) -> Failure:
    return Failure("bundle_damaged", name=name, reason=reason)
