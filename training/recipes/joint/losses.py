"""J1 and J2 (paper, eq. 3-5), and what is learned beside them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.recipes.joint.autoencoder import Autoencoder
from training.recipes.joint.config import LossConfig
from training.recipes.joint.network import Estimate


@dataclass(frozen=True)
class Batch:
    """images (B,C,S,S) 0..1; vectors (B,D) heads in the shape space; points (B,P,2) as `Estimate` has them.

    visible (B,P) tells which points count (the first 68 are the iBUG ones); reflectance (B,R) unit-variance.
    """

    images: Tensor
    vectors: Tensor
    points: Tensor
    visible: Tensor
    reflectance: Tensor | None


def losses(
    config: LossConfig,
    autoencoder: Autoencoder,
    estimate: Estimate,
    batch: Batch,
    metric: Tensor | None,
    held: bool = False,
) -> dict[str, Tensor]:
    """Every loss by name, unweighted. `metric` (D,D) is `alignment_free_metric` where J2 is measured on vertices.

    Where the autoencoder is `held`, no loss moves it.
    """
    with torch.set_grad_enabled(torch.is_grad_enabled() and not held):
        code, reconstruction = autoencoder(batch.vectors)
    found = {
        "j1": ((batch.vectors - reconstruction) ** 2).sum(1).mean(),
        "j2": _agreement(config, autoencoder, estimate.code, code, metric, 0.0 if held else config.j2_to_encoder),
    }
    if estimate.points is not None:
        distance = (estimate.points - batch.points).abs().sum(2) * batch.visible
        found["landmarks"] = distance[:, :68].mean()
        if distance.shape[1] > 68:
            found["dense"] = distance[:, 68:].sum() / batch.visible[:, 68:].sum().clamp(min=1)
    if estimate.reflectance is not None and batch.reflectance is not None:
        found["reflectance"] = ((estimate.reflectance - batch.reflectance) ** 2).mean()
    return found


def first_stage(autoencoder: Autoencoder, vectors: Tensor) -> dict[str, Tensor]:
    """J1 alone, for vectors (B,D)."""
    return {"j1": ((vectors - autoencoder(vectors)[1]) ** 2).sum(1).mean()}


def total(config: LossConfig, found: dict[str, Tensor]) -> Tensor:
    """The weighted sum."""
    return torch.stack([getattr(config, name) * value for name, value in found.items()]).sum()


def _agreement(
    config: LossConfig,
    autoencoder: Autoencoder,
    estimated: Tensor,
    code: Tensor,
    metric: Tensor | None,
    share: float,
) -> Tensor:
    code = _scale_gradient(code, share)
    if config.j2_space == "latent":
        return ((code - estimated) ** 2).sum(1).mean()
    if metric is None:
        raise ValueError("J2 on vertices needs a metric")
    basis = _scale_gradient(autoencoder.basis, share)
    difference = (code - estimated) @ basis.T
    face = (difference @ metric.T).square().sum(1)
    return face.mean() + config.whole * difference.square().sum(1).mean()


def _scale_gradient(tensor: Tensor, share: float) -> Tensor:
    return tensor.detach() if share == 0 else tensor * share + tensor.detach() * (1 - share)
