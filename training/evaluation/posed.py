"""Heads with expression and pose as the renderer knew them, by the samples' names: for scoring, never for training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Identity, Population, Traits
from training.shards import read_shard, shard_paths

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PosedHead:
    """vertices (N,3) mm in head space with expression; the camera's rotation (3,3), translation (3,) mm, focal px.

    landmarks68 (68,2) px of the picture, `size` px its side; yaw degrees.
    """

    vertices: Floats
    rotation: Floats
    translation: Floats
    focal: float
    landmarks68: Floats
    size: int
    yaw: float


def read_posed(folder: Path, keys: Iterable[str], population: Population | None = None) -> dict[str, PosedHead]:
    """The heads of the samples named in `keys`.

    Expressions are the identity's own where its population is given, else the template's, which are the mean of the
    populations'. Raises `FileNotFoundError` when the folder holds no rendered faces, `ValueError` when samples have no
    expressions or cameras.
    """
    shards = shard_paths(folder)
    if not shards or not (folder / "template.npz").is_file():
        raise FileNotFoundError(f"{folder} holds no rendered faces: make some with `likeness render --output {folder}`")
    with np.load(folder / "template.npz", allow_pickle=False) as arrays:
        actions = arrays["expression"]
    wanted, found = set(keys), {}
    for shard in shards:
        for sample in read_shard(shard):
            if sample.key not in wanted:
                continue
            missing = {"vertices", "expression", "rotation", "translation", "focal"} - set(sample.arrays)
            if missing:
                raise ValueError(f"sample {sample.key} lacks {', '.join(sorted(missing))}: render the faces anew")
            arrays = sample.arrays
            moved = _actions(sample.parameters, population, actions)
            posed = arrays["vertices"] + np.tensordot(arrays["expression"], moved, 1)
            found[sample.key] = PosedHead(
                vertices=posed.astype(np.float32),
                rotation=arrays["rotation"],
                translation=arrays["translation"],
                focal=float(arrays["focal"]),
                landmarks68=arrays["landmarks68"],
                size=int(sample.parameters["resolution"]),
                yaw=float(sample.parameters["yaw"]),
            )
    return found


def _actions(parameters: dict[str, Any], population: Population | None, actions: Floats) -> Floats:
    if population is None:
        return actions
    record = parameters["identity"]
    identity = Identity(record["population"], tuple(record["coefficients"]), Traits(**record["traits"]))
    try:
        return population.expression(identity)
    except KeyError as error:
        raise ValueError(f"{error.args[0]} Name the populations that the faces were rendered with.") from error
