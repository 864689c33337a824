"""The geometries' mean squared distance (paper, eq. 3), without making the geometries."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.formation.face_model import FaceModel
from training.recipes.feedback.config import FeedbackConfig


def geometry_metric(model: FaceModel, config: FeedbackConfig) -> Tensor:
    """Matrix (m,m) that turns a difference of coefficients into one whose squared length is the mean squared distance.

    In mm^2, over the face's vertices, identity and expression together: R of the columns' QR decomposition.
    """
    face = model.region("face")
    columns = np.concatenate([model.identity[: config.identity], model.expression[: config.expression]])
    flat = columns[:, face].reshape(len(columns), -1).astype(np.float64)
    factor: NDArray[np.float64] = np.asarray(np.linalg.qr(flat.T / np.sqrt(len(face)), mode="r"))
    return torch.from_numpy(factor.astype(np.float32))


def geometry_loss(found: Tensor, truth: Tensor, metric: Tensor) -> Tensor:
    """Mean over the batch of |A x - A y|^2 per vertex, mm^2."""
    return ((found - truth) @ metric.T).square().sum(1).mean()
