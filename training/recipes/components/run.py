"""What a run leaves in its folder, how it is read back, and how it answers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.recipes.components.config import ComponentsConfig
from training.recipes.components.data import Indices, Pairs, Space
from training.recipes.components.framework import Framework
from training.recipes.runs import load_checkpoint, write_atomically

CONFIG, SPACE, WEIGHTS = "config.json", "space.json", "weights.pt"
_CHUNK = 128


@dataclass(frozen=True)
class Trained:
    """A finished run: its configuration, its weights, what its shapes mean, and the fingerprint of its data."""

    config: ComponentsConfig
    framework: Framework
    space: Space
    data: str

    @torch.no_grad()
    def vectors(self, pairs: Pairs, pictures: Indices) -> NDArray[np.float32]:
        """Estimated shape vectors (m,p) of pictures."""
        parts = []
        for start in range(0, len(pictures), _CHUNK):
            parts.append(self.framework(pairs.pictures(pictures[start : start + _CHUNK])).numpy())
        return np.concatenate(parts)


def write_run(folder: Path, config: ComponentsConfig, space: Space) -> None:
    """Writes what the weights need to be understood."""
    write_atomically(folder / CONFIG, json.dumps(config.to_json(), indent=1).encode())
    write_atomically(folder / SPACE, json.dumps(asdict(space)).encode())


def read_config(folder: Path) -> ComponentsConfig:
    """The configuration of the run in a folder.

    Raises `FileNotFoundError` when there is none, `ValueError` when it is of another recipe.
    """
    state = load_checkpoint(folder)
    if state.get("recipe") != "components":
        raise ValueError(f"{folder} holds a run of another recipe than components: choose another folder")
    return ComponentsConfig.from_json(json.loads(state["config"]))


def write_weights(folder: Path, trained: Trained) -> None:
    """Writes the finished framework."""
    part = folder / (WEIGHTS + ".partial")
    torch.save({"schema": 1, "data": trained.data, "framework": trained.framework.state_dict()}, part)
    part.replace(folder / WEIGHTS)


def is_run(folder: Path) -> bool:
    """Whether a finished run of this recipe lies in the folder."""
    return (folder / WEIGHTS).is_file() and (folder / SPACE).is_file()


def load_run(folder: Path) -> Trained:
    """Reads a finished run. Raises `FileNotFoundError` when there is none."""
    if not is_run(folder):
        raise FileNotFoundError(f"{folder} holds no finished run of `components`: train it first, or --resume it")
    config = ComponentsConfig.from_json(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    record: dict[str, Any] = json.loads((folder / SPACE).read_text(encoding="utf-8"))
    space = Space(record["kind"], tuple(record["shape"]), tuple(record["low"]), tuple(record["span"]))
    state = torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True)
    framework = Framework(config, space.length)
    framework.load_state_dict(state["framework"])
    return Trained(config, framework.eval(), space, state["data"])
