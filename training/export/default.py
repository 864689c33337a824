"""Writes a bundle of a run of `default`: the head it began with, its network, and how far that is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.dataset import FaceSet, split
from training.evaluation.product.measure import measure, people
from training.evaluation.product.table import tables
from training.export.bundle import commit, plain_crops, write_description
from training.export.calibration import Photos, calibrate
from training.export.default_card import CardNumbers, card
from training.export.default_onnx import OUTPUTS, DefaultRegressor, write_default
from training.export.folder import whole_bundle
from training.export.onnx_regressor import check_onnx
from training.recipes.default.data import face_weights
from training.recipes.default.run import Trained


@dataclass(frozen=True)
class DefaultOptions:
    """name of the bundle and the commands (lines) that made it, the oldest first.

    `calibration` are rendered people that neither this run nor the one it began with has seen; without them those are
    taken that this run held out. `photos` are further unseen people, several pictures of each. `test` are others, for
    the figures of the model card.
    """

    name: str
    commands: tuple[str, ...]
    calibration: FaceSet | None = None
    test: Path | None = None
    photos: Photos | None = None


def export_default(
    run: Trained, faces: FaceSet, output: Path, options: DefaultOptions, progress: bool = True
) -> dict[str, Any]:
    """Writes the folder `output`, replacing a bundle that is there; returns what stands in `bundle.json`.

    `faces` are the run's data. Raises `ValueError` when ONNX does not agree with PyTorch, there are no faces to
    calibrate on, or the bundle is too large; `output` is then as it was.
    """
    unseen = options.calibration
    if unseen is None:
        held = split(len(faces), run.config.held_out, np.random.default_rng([run.config.seed, 2]))[1]
        unseen = faces.subset(held)
    if not len(unseen):
        raise ValueError("this run held out no faces to calibrate on: name others with --calibration")
    with whole_bundle(output, "train a smaller network") as folder:
        size, crop_scale = run.config.size, run.config.crop_scale
        regressor = DefaultRegressor(run, faces.template, face_weights(faces)).eval()
        metadata = {"method": "default", "crop_scale": repr(crop_scale), "size": str(size)}
        write_default(regressor, folder / "regressor.onnx", metadata)
        crops = plain_crops(unseen, size, crop_scale)
        differences = check_onnx(regressor, folder / "regressor.onnx", crops, run.basis.identity)
        points = {name: faces.template[name].astype(np.int32) for name in ("landmarks68", "landmarks_dense")}
        arrays = run.arrays | points
        description = {
            **{key: value for key, value in run.description.items() if key not in ("files", "feedback")},
            "name": options.name,
            "recipe": f"default {run.config.name}",
            "points": 68 + len(faces.template["landmarks_dense"]),
            "commit": commit(),
            "regressor": {
                "file": "regressor.onnx", "size": size, "crop_scale": crop_scale, "outputs": list(OUTPUTS),
            },
            "method": "default",
        }  # fmt: skip
        (folder / "MODEL_CARD.md").write_text("", encoding="utf-8")
        _write(folder, arrays, description)
        found = calibrate(folder, unseen, options.photos, progress)
        description = {**description, "refine": found.record()}
        _write(folder, {**arrays, **found.arrays()}, description)
        table = "" if options.test is None else _measured(folder, options.test)
        schedule = run.config.schedule
        numbers = CardNumbers(
            differences, len(faces), len(unseen), run.step, schedule.batch_size, options.commands, table
        )
        (folder / "MODEL_CARD.md").write_text(card(description, found, numbers), encoding="utf-8")
        write_description(folder, description)
    return description


def _write(folder: Path, arrays: Mapping[str, NDArray], description: dict[str, Any]) -> None:
    with (folder / "head.npz").open("wb") as file:
        np.savez_compressed(file, **arrays)
    write_description(folder, description)


def _measured(folder: Path, test: Path) -> str:
    from backend.pipeline import Reconstructor

    reconstructor = Reconstructor.open(folder)
    rows = measure(reconstructor, list(people(test)))
    return tables(rows, reconstructor.bundle.description["expression_names"])
