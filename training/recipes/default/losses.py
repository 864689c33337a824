"""What the heads are told, each in its own measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.dataset import FaceSet
from training.recipes.default.config import LossConfig
from training.recipes.default.data import Basis, Batch, Standard, face_weights
from training.recipes.default.network import Estimate
from training.recipes.shape_space import distance_metric, similarity_tangent


@dataclass(frozen=True)
class Metrics:
    """Matrices whose products with coefficients have the lengths of what vertices move by, mm.

    face (K,K) on the face after alignment and head (K,K) on all vertices, of identity; moved (52,52) of expression
    on the face; spread (52,) of the actions.
    """

    face: Tensor
    head: Tensor
    moved: Tensor
    spread: Tensor

    def to(self, device: torch.device) -> Metrics:
        """The same where the network is."""
        return Metrics(*(tensor.to(device) for tensor in (self.face, self.head, self.moved, self.spread)))


def make_metrics(basis: Basis, faces: FaceSet, known: Standard) -> Metrics:
    """Of a basis; `faces` say what the face is."""
    region = faces.region("face")
    weights = np.sqrt(face_weights(faces) / face_weights(faces).mean())[:, None]
    return Metrics(
        face=torch.from_numpy(distance_metric(basis.identity[:, region], similarity_tangent(basis.mean[region]))),
        head=torch.from_numpy(distance_metric(basis.identity * weights)),
        moved=torch.from_numpy(distance_metric(basis.expression[:, region])),
        spread=torch.from_numpy(known.expression_spread),
    )


def losses(config: LossConfig, found: Estimate, batch: Batch, metrics: Metrics) -> dict[str, Tensor]:
    """Every loss by name, weighted as `config` says; the sum of them is what is learned from."""
    apart = found.identity - batch.identity
    if config.plain:
        identity = apart.square().sum(1).mean()
    else:
        face = (apart @ metrics.face.T).square().sum(1).mean()
        identity = face + config.whole * (apart @ metrics.head.T).square().sum(1).mean()
    acted = found.expression - batch.expression
    moved = (acted @ metrics.moved.T).square().sum(1).mean()
    expression = (acted / metrics.spread).square().mean() + config.moved * moved
    return {
        "identity": config.identity * identity,
        "expression": config.expression * expression,
        "points": config.points * _unlikelihood(config, found, batch),
        "reflectance": config.reflectance * (found.reflectance - batch.reflectance).square().mean(),
        "illumination": config.illumination * (found.illumination - batch.illumination).square().mean(),
        "distance": config.distance * (found.distance - batch.distance).square().mean(),
    }


def _unlikelihood(config: LossConfig, found: Estimate, batch: Batch) -> Tensor:
    """Mean over visible points of log sigma^2 + |difference|^2 / (2 sigma^2) (Wood et al. 2022, eq. 1)."""
    squared = (found.points - batch.points).square().sum(2)
    sigma = torch.full_like(found.sigma, _EVEN) if config.even else found.sigma
    each = (2 * sigma.log() + squared / (2 * sigma.square())) * batch.visible
    return each.sum() / batch.visible.sum().clamp(min=1)


_EVEN = 0.015
