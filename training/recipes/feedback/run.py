"""What a run of the recipe leaves in its folder, and how it answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.formation.decoder import FaceDecoder, skin_decoder
from training.formation.face_model import FaceModel
from training.recipes.feedback.config import FeedbackConfig
from training.recipes.feedback.network import FeedbackNetwork
from training.recipes.feedback.pictures import Stand, shaded
from training.recipes.parametric import MODEL
from training.recipes.runs import WeightAverage, load_checkpoint, require_recipe, save_state

RECIPE = "feedback"


@dataclass(frozen=True)
class Trained:
    """A run read back: averaged weights, the face model that they speak of, and how far the run had got."""

    config: FeedbackConfig
    network: FeedbackNetwork
    model: FaceModel
    step: int

    def answers(self, faces: Tensor, stand: Stand) -> list[Tensor]:
        """Coefficients (n,m) after 0, 1, 2, ... iterations, for faces in grey (n,S,S) that stand before the camera."""
        return iterate(self.network, skin_decoder(self.model), self.config, faces, stand)


@torch.no_grad()
def iterate(
    network: FeedbackNetwork, decoder: FaceDecoder, config: FeedbackConfig, faces: Tensor, stand: Stand
) -> list[Tensor]:
    """Coefficients (n,m), beginning with the mean head's; mask and shading are drawn anew each time (section 5.1)."""
    network.eval()
    found = [faces.new_zeros(len(faces), config.count)]
    for _ in range(config.iterations):
        shading, mask = shaded(decoder, found[-1], stand, config)
        found.append(network(torch.stack([faces * mask, shading], 1), found[-1]))
    return found


def reduced(model: FaceModel, config: FeedbackConfig) -> FaceModel:
    """The model with the configuration's columns alone."""
    return model.reduced(config.identity, config.expression, config.reflectance)


def fingerprint(model: FaceModel) -> str:
    """Identifies the face model, so that a run goes on with what it began with."""
    digest = hashlib.sha256(np.ascontiguousarray(model.identity[:2]).tobytes())
    digest.update(np.ascontiguousarray(model.reflectance_mean).tobytes())
    return digest.hexdigest()


def load_run(folder: Path) -> Trained:
    """Reads a run's last checkpoint. Raises `FileNotFoundError` without one, `ValueError` for another recipe's."""
    state = load_checkpoint(folder)
    require_recipe(state, RECIPE, folder)
    config = FeedbackConfig.from_json(json.loads(state["config"]))
    network = FeedbackNetwork(config)
    network.load_state_dict(state["average"] or state["model"])
    return Trained(config, network.eval(), reduced(FaceModel.load(folder / MODEL), config), state["step"])


def save_run(
    output: Path,
    config: FeedbackConfig,
    data_id: str,
    network: FeedbackNetwork,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage | None,
    step: int,
) -> None:
    """Writes the checkpoint of a run at `step`."""
    save_state(output, RECIPE, config.to_json(), data_id, step, network, optimiser, average)
