"""What the fit goes by: the points that a network finds in a photo, how a head's coefficients move them, and priors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .bundle import Bundle

Floats = NDArray[np.floating[Any]]

LANDMARKS: Final = 68
DENSE: Final = "landmarks_dense"
"""The array of `head.npz` with the dense points' vertex ids (D,)."""


@dataclass(frozen=True)
class PointModel:
    """The P points of a bundle's head that its network finds: the 68 landmarks, then the dense ones.

    `mean` (P, 3) mm; `columns` (P, 3, K + E) mm say how identity's K coefficients and the expression's E move them.
    """

    mean: NDArray[np.float64]
    columns: NDArray[np.float32]
    identity_count: int

    @classmethod
    def of(cls, bundle: Bundle) -> PointModel:
        """The points of `bundle`; the landmarks alone where it has no dense ones."""
        ids = np.concatenate([bundle.landmarks68, bundle.arrays.get(DENSE, np.zeros(0, np.int32))])
        columns = np.concatenate([bundle.identity[:, ids], bundle.expression[:, ids]])
        columns = np.ascontiguousarray(columns.transpose(1, 2, 0))
        return cls(bundle.mean[ids].astype(np.float64), columns, len(bundle.identity))

    def points(self, identity: Floats, expression: Floats) -> NDArray[np.float64]:
        """Coefficients (K,) and (E,) -> points (P, 3) mm."""
        coefficients = np.concatenate([identity, expression]).astype(np.float32)
        rows = self.columns.reshape(-1, len(coefficients))
        moved: NDArray[np.float64] = self.mean + (rows @ coefficients).reshape(-1, 3)
        return moved


@dataclass(frozen=True)
class Observation:
    """What a network says of one photo of `size` (width, height) pixels.

    `places` (P, 2) of the points and `sigma` (P,), the standard deviation of each of their coordinates, in pixels of
    the photo; `identity` (K,); `expression` (E,) 0..1; `focal` pixels and `spread` as `pose.fit_pose` takes them;
    `weight` says how much this photo's identity counts among several.
    """

    places: Floats
    sigma: Floats
    identity: Floats
    expression: Floats
    size: tuple[int, int]
    focal: float
    spread: float
    weight: float = 1.0

    @property
    def seen(self) -> NDArray[np.float64]:
        """The points (P, 2) relative to the photo's middle."""
        middle: NDArray[np.float64] = np.asarray(self.places, np.float64) - np.asarray(self.size) / 2
        return middle

    @property
    def usable(self) -> bool:
        """Whether every number is one, and every sigma positive."""
        values = (self.places, self.sigma, self.identity, self.expression)
        return all(bool(np.isfinite(value).all()) for value in values) and bool(np.min(self.sigma) > 0)


@dataclass(frozen=True)
class Priors:
    """How far the network's answers may be wrong.

    `identity_precision` (K, K) is the inverse of the covariance of its identity's error, None where identity is held;
    `expression_sd` (E,) are the standard deviations of its expression's; `correlation`, 1 or more, says how much the
    points' errors hang together: n of them tell as much as n / `correlation` independent ones. `agreement` (K,), 0..1,
    is the correlation between what it says of different photos of one person, None where that is not known.
    """

    identity_precision: NDArray[np.float64] | None
    expression_sd: NDArray[np.float64]
    correlation: float = 1.0
    agreement: NDArray[np.float64] | None = None

    def pooled(self, identities: Sequence[Floats], weights: Sequence[float]) -> NDArray[np.float64]:
        """The identity (K,) that several photos' (V, K) of one person make probable, by their weights (V,).

        A network answers with less than it sees, as it cannot tell what is its own error: what it says of one photo is
        about the mean of the heads that it could be. A mean of photos has less of that error, and is made larger by as
        much as its variance has become less (the best linear estimate). It is what a fit to the photos' points begins
        with, and is not for heads that have been fitted, or will not be: there the plain mean is nearer.
        """
        shares = np.asarray(weights, np.float64) / np.sum(weights)
        mean: NDArray[np.float64] = shares @ np.asarray(identities, np.float64)
        alone = float(shares @ shares)
        return mean if self.agreement is None else mean / (alone + (1.0 - alone) * self.agreement)

    @classmethod
    def of(
        cls,
        identity_error: Floats | None,
        expression_sd: Floats,
        correlation: float = 1.0,
        agreement: Floats | None = None,
    ) -> Priors:
        """From identity's covariance (K, K) or standard deviations (K,); None or zeros hold it.

        Raises ValueError for what is no covariance, negative or infinite deviations, a correlation below 1 and an
        agreement that is not above 0 and at most 1.
        """
        if agreement is not None:
            agreement = np.asarray(agreement, np.float64)
            if not np.all((agreement > 0) & (agreement <= 1)):
                raise ValueError("the photos' agreement is not between 0 and 1")
        spread = np.asarray(expression_sd, np.float64)
        if not (np.isfinite(spread).all() and np.all(spread >= 0)):
            raise ValueError("the expression's standard deviations are negative or not finite")
        if not 1 <= correlation < np.inf:
            raise ValueError("the correlation is below 1 or not finite")
        if identity_error is None or not np.any(identity_error):
            return cls(None, spread, correlation, agreement)
        error = np.asarray(identity_error, np.float64)
        covariance = np.diag(error**2) if error.ndim == 1 else error
        if not np.allclose(covariance, covariance.T, rtol=1e-3, atol=1e-6 * float(np.max(np.diag(covariance)))):
            raise ValueError("identity's covariance is not symmetric or not finite")
        try:
            np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError as reason:
            raise ValueError("identity's covariance is not positive definite") from reason
        return cls(np.linalg.inv((covariance + covariance.T) / 2), spread, correlation, agreement)
