"""The model-space loss (paper, eq. 6-8) and the plain one that it is compared with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.formation.code import ILLUMINATION
from training.formation.face_model import FaceModel
from training.recipes.inverse.config import InverseConfig


def loss_weights(config: InverseConfig, model: FaceModel) -> Tensor:
    """The diagonal (m,) of Sigma: what a difference of each number is multiplied by before it is squared (eq. 8).

    A column's deviation is its root mean square over the face's vertices, so that the loss is about how far vertices
    and colours are off. The plain loss weighs all numbers alike.
    """
    loss, total = config.loss, config.codes.total
    if loss.space == "numbers":
        return torch.ones(total)
    identity, expression, reflectance = model.deviations()
    parts = [
        np.full(3, loss.rotation),
        loss.identity * identity[: config.codes.identity] / loss.unit,
        loss.expression * expression[: config.codes.expression] / loss.unit,
        loss.reflectance * reflectance[: config.codes.reflectance],
        np.full(ILLUMINATION, loss.illumination),
    ]
    weights = torch.from_numpy(np.concatenate(parts).astype(np.float32))
    if len(weights) != total:
        raise ValueError(f"the face model has columns for {len(weights)} numbers and the codes {total}")
    return weights


def parameter_loss(theta: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Mean over the batch of ``|Sigma (p - theta)|^2`` (eq. 6, 7), divided by the trace of Sigma^T Sigma.

    The division changes no minimum: it makes both losses of about one size, so that one rate suits both.
    """
    return ((theta - truth) * weights).square().sum(1).mean() / weights.square().sum()
