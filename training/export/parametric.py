"""Writes a bundle of a run of `inverse` or `mofa`: the face model's columns, and the network that estimates them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from training.crop import CROP_SCALE
from training.export.bundle import SCHEMA, template_arrays, template_names, write_description
from training.export.folder import whole_bundle
from training.export.parametric_onnx import (
    InverseRegressor,
    MofaRegressor,
    check_network,
    set_metadata,
    with_detector,
    write_network,
)
from training.export.sliders import named_sliders
from training.export.sources import licences
from training.formation.face_model import FaceModel
from training.populations.identity import Population
from training.recipes.feedback.run import Trained as FeedbackRun
from training.recipes.inverse.run import Trained as InverseRun
from training.recipes.mofa.run import Trained as MofaRun

_TITLES = {
    "feedback": 'paper 3, Richardson et al. 2016, "3D Face Reconstruction by Learning from Synthetic Data"',
    "inverse": 'paper 4, Kim et al. 2018, "InverseFaceNet"',
    "mofa": 'paper 5, Tewari et al. 2017, "MoFA"',
}

_SEES = {
    "feedback": "A second one sees the face masked by its last answer, and that answer's shading, and corrects it.",
    "inverse": "It sees the face that landmarks outline, masked; the network that finds them is built in.",
    "mofa": "It sees the crop itself.",
}


@dataclass(frozen=True)
class Card:
    """name of the bundle; the commands that made it; the commit of the code; `population` gives sliders and licences.

    `detector` is the folder of the bundle whose landmarks a run of `feedback` or `inverse` sees by.
    """

    name: str
    commands: tuple[str, ...]
    commit: str
    population: Population | None = None
    detector: Path | None = None


def export_parametric(
    run: InverseRun | MofaRun, scores: Mapping[str, float], output: Path, card: Card
) -> dict[str, Any]:
    """Writes the folder `output`, replacing a bundle that is there; returns what stands in `bundle.json`.

    scores are shown on the model card. Raises `ValueError` when ONNX does not agree with PyTorch, the bundle is too
    large or the detector finds no landmarks; `output` is then as it was.
    """
    with whole_bundle(output, "train a smaller backbone") as folder:
        return _write(run, scores, folder, card)


def _write(run: InverseRun | MofaRun, scores: Mapping[str, float], folder: Path, card: Card) -> dict[str, Any]:
    method = "mofa" if isinstance(run, MofaRun) else "inverse"
    codes, model = run.config.codes, run.model
    path = folder / "regressor.onnx"
    known: list[dict[str, str]] = list(licences(card.population, {}))
    if isinstance(run, MofaRun):
        size, outputs, crop_scale = _mofa(run, path)
    else:
        size, outputs, crop_scale, theirs = _inverse(run, path, card.detector)
        known += [entry for entry in theirs if entry["source"] not in {one["source"] for one in known}]
    set_metadata(path, {"method": method, "crop_scale": repr(crop_scale), "size": str(size)})
    arrays = head_arrays(model)
    if card.population is not None:
        arrays |= named_sliders(model.mean, model.identity, card.population, np.random.default_rng(0)).arrays()
    with (folder / "head.npz").open("wb") as file:
        np.savez_compressed(file, **arrays)
    description = {
        "schema": SCHEMA,
        "name": card.name,
        "recipe": f"{method} {run.config.name}",
        "commit": card.commit,
        "units": "mm",
        "vertices": len(model.mean),
        "identity": codes.identity,
        "expression": len(model.actions),
        "reflectance": codes.reflectance,
        "identity_names": [f"identity{k:03d}" for k in range(codes.identity)],
        **template_names(model.template),
        "regressor": {"file": path.name, "size": size, "crop_scale": crop_scale, "outputs": outputs},
        "method": method,
        "licences": known,
    }
    (folder / "MODEL_CARD.md").write_text(model_card(run, method, scores, description, card), encoding="utf-8")
    write_description(folder, description)
    return description


def _mofa(run: MofaRun, path: Path) -> tuple[int, list[str], float]:
    network = MofaRegressor(run).eval()
    size = network.size
    write_network(network, {"image": torch.zeros(2, 3, size, size)}, path)
    images = _some_pictures(size)
    with torch.no_grad():
        found = dict(zip(network.outputs, (t.numpy() for t in network(torch.from_numpy(images))), strict=True))
    check_network(path, images, found)
    return size, list(network.outputs), run.config.crop_scale


def _inverse(run: InverseRun, path: Path, detector: Path | None) -> tuple[int, list[str], float, list[dict[str, str]]]:
    import onnxruntime

    from backend.bundle import open_bundle
    from backend.failures import Failure

    try:
        bundle = open_bundle(detector)
    except Failure as failure:
        raise ValueError(str(failure)) from failure
    # Large enough that the face has about the pixels that the network sees.
    size = bundle.size * max(1, round(run.config.size * run.config.fill * bundle.crop_scale / bundle.size))
    network = InverseRegressor(run, size).eval()
    marks = torch.from_numpy(_oval(size))
    write_network(network, {"image": torch.zeros(2, 3, size, size), "marks": marks}, path)
    with_detector(path, bundle.regressor, size)
    images = _some_pictures(size)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (seen,) = session.run(["landmarks"], {"image": images})
    with torch.no_grad():
        answer = network(torch.from_numpy(images), torch.from_numpy(seen))
    check_network(path, images, dict(zip(network.outputs, (t.numpy() for t in answer), strict=True)))
    theirs = [dict(entry) for entry in bundle.description.get("licences", [])]
    return size, [*network.outputs, "landmarks"], bundle.crop_scale, theirs


def head_arrays(model: FaceModel) -> dict[str, NDArray]:
    """The arrays of `head.npz`: the template's, with the face model's mean, columns and reflectance."""
    return template_arrays(model.template) | {
        "mean": model.mean,
        "identity": model.identity,
        "expression": model.actions,
        "reflectance_mean": model.reflectance_mean.clip(0, 1).astype(np.float32),
        "reflectance": model.reflectance,
    }


def model_card(
    run: InverseRun | MofaRun | FeedbackRun,
    method: str,
    scores: Mapping[str, float],
    description: dict[str, Any],
    card: Card,
) -> str:
    """The text of MODEL_CARD.md."""
    regressor = description["regressor"]
    table = [f"| {name} | {value:.4g} |" for name, value in scores.items()]
    rows = [
        f"| {one['source']} | {one['licence']} | {one['attribution']} | {one['url']} |"
        for one in description["licences"]
    ]
    lines = [
        f"# {card.name}",
        "",
        f"Recipe `{method}` ({_TITLES[method]}), configuration `{run.config.name}`, {run.step:,} batches.",
        f"A head of {description['vertices']:,} vertices, {description['identity']} identity and "
        f"{description['reflectance']} reflectance columns, {description['expression']} ARKit actions.",
        "",
        f"One network, {regressor['size']} pixels, tells {', '.join(regressor['outputs'])}. {_SEES[method]}",
        "ARKit weights are the ones, between 0 and 1, that move the face most nearly as the estimated expression does.",
        "",
        "## Figures",
        "",
        *(
            ["The run's last scores on held-out faces of its own:", "", "| | |", "|---|---|", *table]
            if table
            else [f"Not measured: `likeness evaluate {method}` does."]
        ),
        "",
        "## Made with",
        "",
        "```sh",
        *card.commands,
        "```",
        "",
        f"Commit {card.commit}.",
        "",
        "## Configuration",
        "",
        "```json",
        json.dumps(run.config.to_json(), indent=1),
        "```",
        "",
        "## Licences",
        "",
        "| source | licence | attribution | |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)


def _some_pictures(size: int) -> NDArray[np.float32]:
    """Pictures (3,3,size,size) of soft patches, 0..1, to compare two ways to run a network on."""
    rng = np.random.default_rng(0)
    pictures = rng.uniform(0, 1, (3, 8, 8, 3))
    made = [
        np.asarray(Image.fromarray((255 * cells).astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC))
        for cells in pictures
    ]
    return np.ascontiguousarray(np.stack(made).transpose(0, 3, 1, 2), np.float32) / np.float32(255)


def _oval(size: int) -> NDArray[np.float32]:
    """Landmarks (2,68,2) on an oval in the middle of the picture."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = size / 2 + size / (2 * CROP_SCALE) * np.stack([np.sin(turn), np.cos(turn)], 1)
    return np.stack([points, points]).astype(np.float32)
