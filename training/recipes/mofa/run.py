"""What a run of the recipe leaves in its folder, and how that is read back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.formation.code import Code, concatenate
from training.formation.face_model import FaceModel
from training.recipes.mofa.config import MofaConfig
from training.recipes.mofa.encoder import MofaEncoder, Usual, usual_camera
from training.recipes.mofa.pictures import Pictures
from training.recipes.runs import WeightAverage, load_checkpoint, save_checkpoint, write_atomically

CONFIG, MODEL = "config.json", "model.npz"
_CHUNK = 64


@dataclass(frozen=True)
class Trained:
    """A run read back: averaged weights, the face model and camera that they speak of, and how far the run had got."""

    config: MofaConfig
    encoder: MofaEncoder
    model: FaceModel
    camera: Usual
    step: int
    seconds: float

    def codes(self, pictures: Pictures, indices: NDArray[np.intp]) -> Code:
        """The codes of pictures."""
        return codes_of(self.encoder, pictures, indices)


@torch.no_grad()
def codes_of(encoder: MofaEncoder, pictures: Pictures, indices: NDArray[np.intp]) -> Code:
    """The codes that the encoder gives pictures."""
    encoder.eval()
    parts = [
        encoder(as_input(pictures.images(indices[start : start + _CHUNK]))) for start in range(0, len(indices), _CHUNK)
    ]
    return concatenate(parts)


def as_input(images: Tensor) -> Tensor:
    """Images 0..1 as networks take them."""
    return images - 0.5


def load_run(folder: Path) -> Trained:
    """Reads a run's last checkpoint. Raises `FileNotFoundError` without one, `ValueError` for another recipe's."""
    state = load_checkpoint(folder)
    if state.get("recipe") != "mofa":
        raise ValueError(f"{folder} holds a run of the recipe {state.get('recipe')}, not of mofa")
    config = MofaConfig.from_json(json.loads(state["config"]))
    codes = config.codes
    model = FaceModel.load(folder / MODEL).reduced(codes.identity, codes.expression, codes.reflectance)
    camera = usual_camera(config, model)
    encoder = MofaEncoder(config, camera)
    encoder.load_state_dict(state["average"] or state["model"])
    return Trained(config, encoder.eval(), model, camera, state["step"], state["seconds"])


def prepare_folder(output: Path, config: MofaConfig, model: FaceModel) -> None:
    """Writes what a run's weights need to be understood."""
    output.mkdir(parents=True, exist_ok=True)
    if not (output / MODEL).is_file():
        model.save(output / MODEL)
    write_atomically(output / CONFIG, json.dumps(config.to_json(), indent=1).encode())


def save_run(
    output: Path,
    config: MofaConfig,
    data_id: str,
    encoder: MofaEncoder,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage | None,
    step: int,
    seconds: float,
) -> None:
    """Writes the checkpoint of a run at `step`, after `seconds` of training in all."""
    state: dict[str, Any] = {
        "schema": 1,
        "recipe": "mofa",
        "config": json.dumps(config.to_json()),
        "data": data_id,
        "step": step,
        "seconds": seconds,
        "model": encoder.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": {} if average is None else average.state,
        "average_updates": 0 if average is None else average.updates,
        "generator": torch.get_rng_state(),
    }
    save_checkpoint(output, state)


def require_same_run(state: dict[str, Any], config: MofaConfig, data_id: str) -> None:
    """Raises `ValueError` when the checkpoint is of another recipe, configuration, or of other pictures."""
    if state.get("recipe") != "mofa":
        raise ValueError(f"the folder holds a run of the recipe {state.get('recipe')}: choose another one")
    before = MofaConfig.from_json(json.loads(state["config"]))
    # How often a run reports, and what it keeps in memory, may change.
    names = ("log_every", "checkpoint_every", "validate_every", "memory")
    if replace(before, **{name: getattr(config, name) for name in names}) != config:
        raise ValueError("this run was begun with another configuration or number of steps: resume it with the same")
    if state["data"] != data_id:
        raise ValueError("this run was begun with another face model or other pictures: resume it with the same")
