"""What a run of the recipe leaves in its folder, and how that is read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.dataset import FaceSet
from training.recipes.joint.autoencoder import Autoencoder
from training.recipes.joint.config import JointConfig
from training.recipes.joint.data import Reflectance, fit_reflectance, prepare_space
from training.recipes.joint.network import make_network
from training.recipes.runs import WeightAverage, load_checkpoint, save_state, write_atomically
from training.recipes.shape_space import ShapeSpace

SPACE = "space.npz"
CONFIG = "config.json"


class JointModel(nn.Module):
    """Autoencoder and CNN, trained at once (paper, section IV.D)."""

    def __init__(self, config: JointConfig, dimensions: int, points: int) -> None:
        super().__init__()
        self.autoencoder = Autoencoder(dimensions, config.neurons, config.hidden)
        self.network = make_network(config.network, 1 if config.grey else 3, config.size, config.neurons, points)


@dataclass(frozen=True)
class Trained:
    """A run read back: averaged weights, what they speak of, and the fingerprint of its data."""

    config: JointConfig
    model: JointModel
    space: ShapeSpace
    reflectance: Reflectance | None
    step: int
    data: str


def load_run(folder: Path) -> Trained:
    """Reads a run's last checkpoint. Raises `FileNotFoundError` when there is none."""
    state = load_checkpoint(folder)
    folder = folder if folder.is_dir() else folder.parent
    config = JointConfig.from_json(json.loads(state["config"]))
    with np.load(folder / SPACE, allow_pickle=False) as arrays:
        stored = {name: arrays[name] for name in arrays.files}
    space = ShapeSpace.from_state(stored)
    reflectance = Reflectance(stored["albedo"], stored["albedo_columns"]) if "albedo" in stored else None
    model = JointModel(config, space.dimensions, state["points"])
    model.load_state_dict(state["average"] or state["model"])
    return Trained(config, model.eval(), space, reflectance, state["step"], state["data"])


def steps_of_run(folder: Path) -> int:
    """The planned number of steps of the run in `folder`. Raises `FileNotFoundError` when there is none."""
    return JointConfig.from_json(json.loads(load_checkpoint(folder)["config"])).schedule.steps


@torch.no_grad()
def take_over(model: JointModel, learned: dict[str, torch.Tensor]) -> None:
    """Copies what another run learned into a model, part by part.

    A layer that has more inputs here keeps to the old ones at first; what is new here stays as it is.
    """
    for name, mine in model.state_dict().items():
        theirs = learned.get(name)
        if theirs is None or theirs.ndim != mine.ndim:
            continue
        if theirs.shape == mine.shape:
            mine.copy_(theirs)
        elif theirs.shape[0] == mine.shape[0] and mine.ndim == 2 and theirs.shape[1] < mine.shape[1]:
            mine.zero_()
            mine[:, : theirs.shape[1]] = theirs


def prepare_run(
    config: JointConfig, faces: FaceSet, training: NDArray[np.intp], output: Path, known: Path | None
) -> tuple[ShapeSpace, Reflectance | None]:
    """Shape space and reflectance, made from the faces at `training`, or those of the `known` run."""
    count = config.network.reflectance
    if known is not None:
        with np.load(known / SPACE, allow_pickle=False) as arrays:
            stored = {name: arrays[name] for name in arrays.files}
        if known != output:
            write_atomically(output / SPACE, (known / SPACE).read_bytes())
            write_atomically(output / CONFIG, json.dumps(config.to_json(), indent=1).encode())
        known_albedo = Reflectance(stored["albedo"], stored["albedo_columns"]) if count and "albedo" in stored else None
        return ShapeSpace.from_state(stored), known_albedo
    space, reflectance = prepare_space(faces, training, config), None
    state: dict[str, Any] = {}
    if count and faces.reflectance is not None:
        reflectance = fit_reflectance(faces.reflectance[training], count, np.random.default_rng([config.seed, 4]))
        state = {"albedo": reflectance.mean, "albedo_columns": reflectance.columns}
    temporary = output / (SPACE + ".partial")
    with temporary.open("wb") as file:
        np.savez(file, **space.state(), **state)
    temporary.replace(output / SPACE)
    write_atomically(output / CONFIG, json.dumps(config.to_json(), indent=1).encode())
    return space, reflectance


def save_run(
    output: Path,
    config: JointConfig,
    data_id: str,
    model: JointModel,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage | None,
    step: int,
) -> None:
    """Writes the checkpoint of a run at `step`."""
    network = model.network
    points = network.points.maps.out_channels if hasattr(network, "points") else 0
    save_state(output, "joint", config.to_json(), data_id, step, model, optimiser, average, points=points)
