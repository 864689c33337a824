"""What a run of the recipe leaves in its folder, and how that is read back."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.recipes.default.config import DefaultConfig
from training.recipes.default.data import Basis, Standard
from training.recipes.default.network import DefaultNetwork
from training.recipes.runs import load_checkpoint, require_recipe, write_atomically

HEAD, DESCRIPTION, CONFIG = "head.npz", "bundle.json", "config.json"


@dataclass(frozen=True)
class Trained:
    """A run read back: averaged weights, what its numbers mean, and what the bundle said that it began with.

    `arrays` are all of head.npz, `description` all of bundle.json of that bundle.
    """

    config: DefaultConfig
    network: DefaultNetwork
    basis: Basis
    known: Standard
    arrays: dict[str, NDArray]
    description: dict[str, object]
    step: int
    data: str


def take_bundle(bundle: Path, output: Path) -> None:
    """Copies what says what the numbers mean into the folder of a run. Raises `FileNotFoundError` for no bundle."""
    for name in (HEAD, DESCRIPTION):
        if not (bundle / name).is_file():
            raise FileNotFoundError(f"{bundle} is no bundle: it has no {name}")
        shutil.copyfile(bundle / name, output / f"{name}.partial")
        (output / f"{name}.partial").replace(output / name)


def read_arrays(folder: Path) -> dict[str, NDArray]:
    """The arrays of the folder's head.npz."""
    with np.load(folder / HEAD, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def make_network(config: DefaultConfig, basis: Basis, points: int) -> DefaultNetwork:
    """A new network for heads of `basis` with `points` landmarks."""
    return DefaultNetwork(config, len(basis.identity), len(basis.expression), points)


def write_config(config: DefaultConfig, output: Path) -> None:
    """Writes the configuration where people look for it."""
    write_atomically(output / CONFIG, json.dumps(config.to_json(), indent=1).encode())


def load_run(folder: Path) -> Trained:
    """Reads a run's last checkpoint. Raises `FileNotFoundError` when there is none, `ValueError` for another recipe."""
    state = load_checkpoint(folder)
    folder = folder if folder.is_dir() else folder.parent
    require_recipe(state, "default", folder)
    config = DefaultConfig.from_json(json.loads(state["config"]))
    arrays = read_arrays(folder)
    basis = Basis.of(arrays)
    network = make_network(config, basis, state["points"])
    network.load_state_dict(state["average"] or state["model"])
    known = Standard.from_state(state["standard"])
    description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    return Trained(config, network.eval(), basis, known, arrays, description, state["step"], state["data"])
