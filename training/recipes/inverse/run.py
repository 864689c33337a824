"""What a run of the recipe leaves in its folder, and how that is read back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.formation.face_model import FaceModel
from training.recipes.inverse.config import InverseConfig
from training.recipes.inverse.corpus import Drawn, as_input
from training.recipes.inverse.network import InverseNetwork
from training.recipes.parametric import MODEL
from training.recipes.photos import Photos
from training.recipes.runs import WeightAverage, load_checkpoint, require_recipe, save_state

_CHUNK = 64


@dataclass(frozen=True)
class Trained:
    """A run read back: averaged weights, the face model that they speak of, and how far the run had got."""

    config: InverseConfig
    network: InverseNetwork
    model: FaceModel
    step: int
    seconds: float

    def answers(self, masked: NDArray[np.uint8]) -> NDArray[np.float32]:
        """theta (n,m) for masked pictures (n,S,S,3)."""
        return answers(self.network, masked)


@torch.no_grad()
def answers(network: InverseNetwork, masked: NDArray[np.uint8]) -> NDArray[np.float32]:
    """theta (n,m) for masked pictures (n,S,S,3)."""
    network.eval()
    parts = [network(as_input(masked[start : start + _CHUNK])).numpy() for start in range(0, len(masked), _CHUNK)]
    return np.concatenate(parts)


def fingerprint(model: FaceModel, photos: Photos | None) -> str:
    """Identifies the face model and the photos, so that a run goes on with what it began with."""
    digest = hashlib.sha256(np.ascontiguousarray(model.identity[:2]).tobytes())
    digest.update(np.ascontiguousarray(model.reflectance_mean).tobytes())
    if photos is not None:
        digest.update("\n".join(photos.names).encode())
        digest.update(np.ascontiguousarray(photos.landmarks).tobytes())
    return digest.hexdigest()


def load_run(folder: Path) -> Trained:
    """Reads a run's last checkpoint. Raises `FileNotFoundError` without one, `ValueError` for another recipe's."""
    state = load_checkpoint(folder)
    require_recipe(state, "inverse", folder)
    config = InverseConfig.from_json(json.loads(state["config"]))
    network = InverseNetwork(config)
    network.load_state_dict(state["average"] or state["model"])
    codes = config.codes
    model = FaceModel.load(folder / MODEL).reduced(codes.identity, codes.expression, codes.reflectance)
    return Trained(config, network.eval(), model, state["step"], state["seconds"])


def save_run(
    output: Path,
    config: InverseConfig,
    data_id: str,
    network: InverseNetwork,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage | None,
    step: int,
    seconds: float,
) -> None:
    """Writes the checkpoint of a run at `step`, after `seconds` of training in all."""
    save_state(output, "inverse", config.to_json(), data_id, step, network, optimiser, average, seconds=seconds)


def save_bred(path: Path, drawn: Drawn) -> None:
    """Writes a bred corpus' codes."""
    part = path.with_name(path.name + ".partial")
    with part.open("wb") as file:
        np.savez(file, theta=drawn.theta, distance=drawn.distance)
    part.replace(path)


def load_bred(path: Path) -> Drawn:
    """Reads what `save_bred` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return Drawn(arrays["theta"], arrays["distance"])
