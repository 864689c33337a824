"""Training pairs: a face, and a geometry somewhere between a random one and the truth (section 6.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.formation.decoder import FaceDecoder
from training.recipes.feedback.config import FeedbackConfig
from training.recipes.feedback.pictures import disturbed, drawn_stand, phong, shaded


@dataclass(frozen=True)
class Pairs:
    """pictures (B,2,S,S): the face masked by the geometry so far, and its shading; before and truth (B,m)."""

    pictures: Tensor
    before: Tensor
    truth: Tensor


def drawn_coefficients(config: FeedbackConfig, count: int, rng: np.random.Generator) -> Tensor:
    """Random geometries (count,m)."""
    drawn = rng.standard_normal((count, config.count)).astype(np.float32)
    drawn[:, config.identity :] *= config.faces.expression
    return torch.from_numpy(drawn)


def draw_pairs(decoder: FaceDecoder, config: FeedbackConfig, count: int, rng: np.random.Generator) -> Pairs:
    """Pairs of drawn faces, shaded by Phong's model."""
    truth, other = drawn_coefficients(config, count, rng), drawn_coefficients(config, count, rng)
    other[torch.from_numpy(rng.random(count) < config.mean)] = 0.0
    between = torch.from_numpy(rng.random((count, 1)).astype(np.float32))
    at_mean = (other == 0).all(1, keepdim=True)
    before = torch.where(at_mean, other, other + between * (truth - other))
    stand, believed = disturbed(drawn_stand(decoder, truth, config, rng), config, rng)
    reflectance = torch.from_numpy(rng.standard_normal((count, config.reflectance)).astype(np.float32))
    faces = phong(decoder, truth, reflectance, stand, config, rng)
    shading, mask = shaded(decoder, before, believed, config)
    return Pairs(torch.stack([faces * mask, shading], 1), before, truth)
