"""Writes a bundle: everything that the product needs of a trained run."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from training.crop import crops_from_landmarks, sample
from training.dataset import FaceSet
from training.export.folder import whole_bundle
from training.export.linear_basis import LinearBasis, linear_basis
from training.export.model_card import CardFacts, model_card
from training.export.neck import tidy_border
from training.export.onnx_regressor import Regressor, check_onnx, write_onnx
from training.export.sliders import named_sliders
from training.export.sources import licences, people
from training.populations.identity import Population
from training.recipes.joint.data import Reflectance, fit_reflectance, prepare_faces
from training.recipes.joint.run import Trained

SCHEMA = 1
_CHECKED = 32


@dataclass(frozen=True)
class ExportOptions:
    """name of the bundle; smallest share of the variance for a column to be kept, and the most of them.

    `population` is what the faces were drawn from; without it the bundle has no named sliders. `dataset` is the
    faces' dataset.json.
    """

    name: str
    smallest_share: float = 2e-5
    most_columns: int | None = None
    population: Population | None = None
    dataset: Mapping[str, Any] = field(default_factory=dict)


def export_bundle(
    run: Trained, faces: FaceSet, test: FaceSet | None, output: Path, options: ExportOptions, facts: CardFacts
) -> dict[str, Any]:
    """Writes the folder `output`, replacing a bundle that is there; returns what stands in `bundle.json`.

    `faces` are the run's training data, `test` unseen people for the figures of the model card. Everything is
    written and checked in a temporary folder beside it first. Raises `ValueError` when ONNX does not agree with
    PyTorch or the bundle is too large; `output` is then as it was.
    """
    with whole_bundle(output, "keep fewer columns") as folder:
        return _write(run, faces, test, folder, options, facts)


def _write(
    run: Trained, faces: FaceSet, test: FaceSet | None, folder: Path, options: ExportOptions, facts: CardFacts
) -> dict[str, Any]:
    known = prepare_faces(faces, run.space, None)
    with torch.no_grad():
        codes = run.model.autoencoder.encoder(torch.from_numpy(np.concatenate([known.vectors, known.mirrored]))).numpy()
    decoder = run.space.columns(run.model.autoencoder.basis.detach().numpy().T)
    basis = linear_basis(codes, decoder, options.smallest_share, options.most_columns)
    reflectance = run.reflectance
    if reflectance is None and faces.reflectance is not None:
        reflectance = fit_reflectance(faces.reflectance, 8, np.random.default_rng(0))
    regressor = Regressor(run, basis, faces.template["mirror"]).eval()
    metadata = {"method": "joint", "crop_scale": repr(run.config.crop_scale), "size": str(run.config.size)}
    write_onnx(regressor, folder / "regressor.onnx", metadata)
    crops = plain_crops(faces if test is None else test, run.config.size, run.config.crop_scale)
    differences = check_onnx(regressor, folder / "regressor.onnx", crops, basis.columns)
    arrays = head_arrays(run, faces.template, basis, reflectance)
    if options.population is not None:
        sliders = named_sliders(run.space.mean, basis.columns, options.population, np.random.default_rng(0))
        arrays |= sliders.arrays()
    with (folder / "head.npz").open("wb") as file:
        np.savez_compressed(file, **arrays)
    description = {
        "schema": SCHEMA,
        "name": options.name,
        "recipe": f"joint {run.config.name}",
        "commit": commit(),
        "units": "mm",
        "vertices": len(run.space.mean),
        "identity": len(basis.columns),
        "expression": len(faces.template["expression"]),
        "reflectance": 0 if reflectance is None else len(reflectance.columns),
        "identity_names": [f"identity{k:03d}" for k in range(len(basis.columns))],
        **template_names(faces.template),
        "regressor": {
            "file": "regressor.onnx",
            "size": run.config.size,
            "crop_scale": run.config.crop_scale,
            "outputs": regressor.outputs,
        },
        "method": "joint",
        "licences": list(licences(options.population, options.dataset)),
    }
    (folder / "MODEL_CARD.md").write_text("", encoding="utf-8")
    write_description(folder, description)
    figures = None
    if test is not None:
        from training.evaluation.heads import evaluate, report
        from training.evaluation.regressor import load_bundle

        figures = report(evaluate(load_bundle(folder), test))
    card = model_card(run, faces, basis, differences, figures, description, facts, people(options.population))
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    write_description(folder, description)
    return description


_NAMES = ("expression_names", "material_names", "region_names")


def head_arrays(
    run: Trained, template: dict[str, NDArray], basis: LinearBasis, reflectance: Reflectance | None
) -> dict[str, NDArray]:
    """The arrays of `head.npz`: the template's, with the training mean, the learned columns and the reflectance."""
    arrays = template_arrays(template)
    arrays["mean"] = run.space.mean
    arrays["identity"] = basis.columns
    if reflectance is not None:
        arrays["reflectance_mean"] = reflectance.mean.clip(0, 1).astype(np.float32)
        arrays["reflectance"] = reflectance.columns.astype(np.float32)
    return arrays


def template_names(template: Mapping[str, NDArray]) -> dict[str, list[str]]:
    """A template's names as `bundle.json` has them."""
    return {key: [str(name) for name in template[key]] for key in _NAMES}


def template_arrays(template: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """A template's arrays as `head.npz` has them: plain types, a tidy neck, without the names of `bundle.json`."""
    arrays = {name: _plain(np.asarray(array)) for name, array in template.items() if name not in _NAMES}
    regions = [str(name) for name in template["region_names"]]
    if "neck" in regions:
        # The template of older datasets ends in steps at the neck; today's has nothing that sticks out.
        in_neck = template["regions"][regions.index("neck")]
        keep = tidy_border(template["quads"], in_neck[template["quads"]].any(1))
        for name in ("quads", "uv", "material"):
            arrays[name] = arrays[name][keep]
        arrays["triangles"] = arrays["triangles"].reshape(-1, 2, 3)[keep].reshape(-1, 3)
    return arrays


def write_description(folder: Path, description: dict[str, Any]) -> None:
    """Writes `bundle.json` with the sha256 of every other file in the folder."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "bundle.json"
    }
    text = json.dumps({**description, "files": files}, indent=1, ensure_ascii=False)
    (folder / "bundle.json").write_text(text + "\n", encoding="utf-8")


def _plain(array: NDArray) -> NDArray:
    if array.dtype == bool:
        return array
    return array.astype(np.float32 if np.issubdtype(array.dtype, np.floating) else np.int32)


def plain_crops(faces: FaceSet, size: int, crop_scale: float) -> NDArray[np.uint8]:
    """Plain crops (n,size,size,3) of the first few faces, to compare two ways to run a network on."""
    crops = crops_from_landmarks(faces.landmarks68[:_CHECKED], crop_scale)
    pictures = faces.images[:_CHECKED]
    return np.stack([sample(Image.fromarray(picture), crops, i, size) for i, picture in enumerate(pictures)])


def commit() -> str:
    """The commit of the code that runs; "unknown" outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
