"""From what the network says of photos to heads: posed before the cameras and, where the bundle tells how, refined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .bundle import Bundle
from .observation import Observation, PointModel
from .photo import Photo
from .pose import Pose, fit_pose
from .refine import Refined, refine
from .regress import Estimate
from .uncertainty import Uncertainty


@dataclass(frozen=True)
class Head:
    """A photo's head: its coefficients, its pose, and how much the photo counts among several (`weight`).

    `sigma` (N,) mm is how far its vertices may be off, `personalisation` (0..1) how much of it is this person's own.
    """

    estimate: Estimate
    pose: Pose | None
    weight: float
    sigma: NDArray[np.float32] | None = None
    personalisation: float | None = None


class Heads:
    """How a bundle's heads are fitted to photos."""

    def __init__(self, bundle: Bundle) -> None:
        """Raises Failure `bundle_damaged`."""
        self._bundle = bundle
        self._uncertainty = Uncertainty.of(bundle)
        self._points = None if self._uncertainty is None else PointModel.of(bundle)

    def observations(self, photos: Sequence[Photo]) -> list[Observation] | None:
        """What `fitted` can refine by; None where bundle or network do not tell enough."""
        if self._points is None or self._uncertainty is None:
            return None
        scale, count = self._uncertainty.sigma_scale, len(self._points.mean)
        found = [photo.observation(scale, weight) for photo, weight in zip(photos, _weights(photos), strict=True)]
        known = [one for one in found if one is not None and len(one.places) == count]
        return known if len(known) == len(photos) else None

    def fitted(self, photos: Sequence[Photo], observations: Sequence[Observation] | None) -> list[Head]:
        """The head of each photo, of one person, whose identity they share; refined where there are `observations`."""
        weights = _weights(photos)
        if observations is None:
            return self._measured(photos, self._posed(photos, weights), None)
        assert self._points is not None and self._uncertainty is not None
        found = refine(self._points, observations, self._uncertainty.priors)
        identity = found.identity.astype(np.float32)
        heads = [
            Head(replace(photo.estimate, identity=identity, expression=expression.astype(np.float32)), pose, weight)
            for photo, expression, pose, weight in zip(photos, found.expressions, found.poses, weights, strict=True)
        ]
        return self._measured(photos, heads, found)

    def _posed(self, photos: Sequence[Photo], weights: Sequence[float]) -> list[Head]:
        identity = mean([photo.estimate.identity for photo in photos], weights)
        heads = []
        for photo, weight in zip(photos, weights, strict=True):
            estimate, pose, (focal, spread) = replace(photo.estimate, identity=identity), None, photo.focal
            if photo.landmarks is not None:
                points = self._bundle.landmarks(estimate.identity, estimate.expression)
                pose = fit_pose(photo.landmarks, points, focal, photo.picture.size, spread)
            heads.append(Head(estimate, pose, weight))
        return heads

    def _measured(self, photos: Sequence[Photo], heads: list[Head], found: Refined | None) -> list[Head]:
        """With how far they may be off: as little as the surest photo's alone, and less by what the others add."""
        if self._uncertainty is None:
            return heads
        spreads = [photo.point_spread for photo in photos]
        surest = int(np.argmin([np.inf if spread is None else spread for spread in spreads]))
        narrowed = 1.0 if found is None else self._uncertainty.narrowing(found.covariance, found.alone[surest])
        sigma = self._uncertainty.sigma(spreads[surest], narrowed)
        return [replace(head, sigma=sigma, personalisation=self._uncertainty.personalisation(sigma)) for head in heads]


def mean(values: Sequence[NDArray[np.float32]], weights: Sequence[float]) -> NDArray[np.float32]:
    """The photos' mean by their weights; exactly the value of a single one."""
    if len(values) == 1:
        return values[0]
    return np.asarray(np.average(np.asarray(values, np.float64), axis=0, weights=weights), np.float32)


def _weights(photos: Sequence[Photo]) -> list[float]:
    """The photos' precision by the network's own sigmas; alike where it tells none of one."""
    spreads = [photo.point_spread for photo in photos]
    known = [spread for spread in spreads if spread is not None]
    return [1.0] * len(spreads) if len(known) < len(spreads) else [spread**-2 for spread in known]
