"""Writes a bundle of a run of `feedback`: the face model's columns, landmarks, and the network that corrects itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.export.bundle import SCHEMA, template_names, write_description
from training.export.folder import whole_bundle
from training.export.parametric import Card, head_arrays, model_card
from training.export.parametric_onnx import ActionWeights, Exported, set_metadata, write_network
from training.export.sliders import named_sliders
from training.export.sources import licences
from training.recipes.feedback.network import CHANNELS
from training.recipes.feedback.run import Trained

REFLECTANCE = 8
"""Columns of skin that a bundle carries for whoever wants to paint by them; the method estimates none."""

_FILE = "feedback.onnx"
_TOLERANCE = 1e-3


class FeedbackStep(Exported):
    """Pictures (B,2,S,S) and coefficients so far (B,m) -> better ones (B,m), and their ARKit weights (B,52)."""

    outputs = ("after", "weights")

    def __init__(self, run: Trained) -> None:
        super().__init__()
        self.network, self.size, self.count = run.network, run.config.size, run.config.identity
        self.actions = ActionWeights(run.model)

    def forward(self, pictures: Tensor, before: Tensor) -> tuple[Tensor, ...]:
        """One iteration."""
        after = self.network(pictures, before)
        return after, self.actions(after[:, self.count :])


def export_feedback(run: Trained, scores: Mapping[str, float], output: Path, card: Card) -> dict[str, Any]:
    """Writes the folder `output`, replacing a bundle that is there; returns what stands in `bundle.json`.

    scores are shown on the model card. Raises `ValueError` when ONNX does not agree with PyTorch, the bundle is too
    large or the detector finds no landmarks; `output` is then as it was.
    """
    with whole_bundle(output, "train a smaller network") as folder:
        return _write(run, scores, folder, card)


def _write(run: Trained, scores: Mapping[str, float], folder: Path, card: Card) -> dict[str, Any]:
    from backend.bundle import open_bundle
    from backend.failures import Failure

    try:
        detector = open_bundle(card.detector)
    except Failure as failure:
        raise ValueError(str(failure)) from failure
    config = run.config
    model = run.model.reduced(config.identity, config.expression, min(REFLECTANCE, config.reflectance))
    landmarks_alone(detector.regressor, folder / "regressor.onnx")
    size = {"method": "feedback", "crop_scale": repr(detector.crop_scale), "size": str(detector.size)}
    set_metadata(folder / "regressor.onnx", size)
    step = FeedbackStep(run).eval()
    pictures, before = torch.rand(2, CHANNELS, config.size, config.size), torch.randn(2, config.count)
    write_network(step, {"pictures": pictures, "before": before}, folder / _FILE)
    _check(step, folder / _FILE, pictures, before)
    arrays = head_arrays(model) | {"feedback_expression": model.expression}
    if card.population is not None:
        arrays |= named_sliders(model.mean, model.identity, card.population, np.random.default_rng(0)).arrays()
    with (folder / "head.npz").open("wb") as file:
        np.savez_compressed(file, **arrays)
    known: list[dict[str, str]] = list(licences(card.population, {}))
    theirs = [dict(entry) for entry in detector.description.get("licences", [])]
    known += [entry for entry in theirs if entry["source"] not in {one["source"] for one in known}]
    description = {
        "schema": SCHEMA,
        "name": card.name,
        "recipe": f"feedback {config.name}",
        "commit": card.commit,
        "units": "mm",
        "vertices": len(model.mean),
        "identity": config.identity,
        "expression": len(model.actions),
        "reflectance": len(model.reflectance),
        "identity_names": [f"identity{k:03d}" for k in range(config.identity)],
        **template_names(model.template),
        "regressor": {
            "file": "regressor.onnx",
            "size": detector.size,
            "crop_scale": detector.crop_scale,
            "outputs": ["landmarks"],
        },
        "feedback": {
            "file": _FILE,
            "size": config.size,
            "fill": config.fill,
            "iterations": config.iterations,
            "distance": float(np.sqrt(np.prod(config.faces.distance))),
        },
        "method": "feedback",
        "licences": known,
    }
    (folder / "MODEL_CARD.md").write_text(model_card(run, "feedback", scores, description, card), encoding="utf-8")
    write_description(folder, description)
    return description


def landmarks_alone(network: bytes, path: Path) -> None:
    """Writes what of a bundle's network leads to its landmarks. Raises `ValueError` when it tells none."""
    import onnx
    from onnx.utils import Extractor

    model = onnx.load_from_string(network)
    if "landmarks" not in {output.name for output in model.graph.output}:
        raise ValueError("this bundle finds no landmarks: name one that does with --detector")
    onnx.save(Extractor(model).extract_model(["image"], ["landmarks"]), str(path))


def _check(step: FeedbackStep, path: Path, pictures: Tensor, before: Tensor) -> None:
    import onnxruntime

    with torch.no_grad():
        expected = [one.numpy() for one in step(pictures, before)]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(list(step.outputs), {"pictures": pictures.numpy(), "before": before.numpy()})
    apart = max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))
    if not apart <= _TOLERANCE:
        raise ValueError(f"ONNX and PyTorch differ by {apart:.2g} (at most {_TOLERANCE}); nothing written")
