"""What a run of the recipe leaves in its folder, and how that is read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.formation.code import Code, concatenate
from training.formation.face_model import FaceModel
from training.recipes.mofa.config import MofaConfig
from training.recipes.mofa.encoder import MofaEncoder, Usual, usual_camera
from training.recipes.mofa.pictures import Pictures
from training.recipes.parametric import MODEL
from training.recipes.runs import WeightAverage, load_checkpoint, require_recipe, save_state

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
    require_recipe(state, "mofa", folder)
    config = MofaConfig.from_json(json.loads(state["config"]))
    codes = config.codes
    model = FaceModel.load(folder / MODEL).reduced(codes.identity, codes.expression, codes.reflectance)
    camera = usual_camera(config, model)
    encoder = MofaEncoder(config, camera)
    encoder.load_state_dict(state["average"] or state["model"])
    return Trained(config, encoder.eval(), model, camera, state["step"], state["seconds"])


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
    save_state(output, "mofa", config.to_json(), data_id, step, encoder, optimiser, average, seconds=seconds)
