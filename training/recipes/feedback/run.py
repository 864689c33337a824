"""What a run of the recipe leaves in its folder, and how it answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.formation.decoder import FaceDecoder, skin_decoder
from training.formation.face_model import FaceModel
from training.recipes.feedback.config import FeedbackConfig
from training.recipes.feedback.network import FeedbackNetwork
from training.recipes.feedback.pictures import Stand, shaded
from training.recipes.runs import WeightAverage, load_checkpoint, save_checkpoint, write_atomically

RECIPE = "feedback"
CONFIG, MODEL = "config.json", "model.npz"


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
    if state.get("recipe") != RECIPE:
        raise ValueError(f"{folder} holds a run of the recipe {state.get('recipe')}, not of {RECIPE}")
    config = FeedbackConfig.from_json(json.loads(state["config"]))
    network = FeedbackNetwork(config)
    network.load_state_dict(state["average"] or state["model"])
    return Trained(config, network.eval(), reduced(FaceModel.load(folder / MODEL), config), state["step"])


def prepare_folder(output: Path, config: FeedbackConfig, model: FaceModel) -> None:
    """Writes what a run's weights need to be understood."""
    output.mkdir(parents=True, exist_ok=True)
    if not (output / MODEL).is_file():
        model.save(output / MODEL)
    write_atomically(output / CONFIG, json.dumps(config.to_json(), indent=1).encode())


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
    state: dict[str, Any] = {
        "schema": 1,
        "recipe": RECIPE,
        "config": json.dumps(config.to_json()),
        "data": data_id,
        "step": step,
        "model": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": {} if average is None else average.state,
        "average_updates": 0 if average is None else average.updates,
        "generator": torch.get_rng_state(),
    }
    save_checkpoint(output, state)


def require_same_run(state: dict[str, Any], config: FeedbackConfig, data_id: str) -> None:
    """Raises `ValueError` when the checkpoint is of another recipe, configuration or face model."""
    if state.get("recipe") != RECIPE:
        raise ValueError(f"the folder holds a run of the recipe {state.get('recipe')}: choose another one")
    before = FeedbackConfig.from_json(json.loads(state["config"]))
    # How often a run reports may change.
    free = {name: getattr(config, name) for name in ("log_every", "checkpoint_every", "validate_every")}
    if replace(before, **free) != config:
        raise ValueError("this run was begun with another configuration or number of steps: resume it with the same")
    if state["data"] != data_id:
        raise ValueError("this run was begun with another face model: resume it with the same")
