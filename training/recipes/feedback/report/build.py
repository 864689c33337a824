"""Builds the report: runs, errors after every iteration, the landmarks' closed form, pictures, Markdown and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.evaluation.metrics import per_vertex_error
from training.evaluation.rivals.landmarks import (
    FindCamera,
    LandmarkModel,
    affine_camera,
    fit,
    weak_perspective_camera,
    with_detector_noise,
)
from training.formation.decoder import skin_decoder
from training.formation.face_model import FaceModel
from training.formation.geometry import project
from training.recipes.feedback.config import FeedbackConfig
from training.recipes.feedback.pairs import drawn_coefficients
from training.recipes.feedback.pictures import Stand, code_of, disturbed, drawn_stand, phong
from training.recipes.feedback.report.study import FEEDBACK, ONCE, PERSPECTIVE, Study, ensure
from training.recipes.feedback.run import Trained

Floats = NDArray[np.floating]

NOISES = {"true landmarks": 0.002, "3 % noise": 0.03, "5 % noise": 0.05}
"""A detector's mean error as a share of the outer-eye distance; no fit believes in points that are exact."""

CAMERAS: dict[str, FindCamera] = {"affine": affine_camera, "weak perspective": weak_perspective_camera}

OVER_LANDMARKS, OVER_ONCE = 0.90, 0.97
_SEED, _CHUNK = 61, 64
_RIGHT_EYE, _LEFT_EYE = 36, 45


@dataclass(frozen=True)
class TestFaces:
    """Faces that no training draws: coefficients (n,m), where they stand and where that is believed, grey pictures
    (n,S,S), landmarks (n,68,2) pixels.
    """

    truth: Tensor
    stand: Stand
    believed: Stand
    pictures: Tensor
    landmarks: NDArray[np.float64]


def build(
    study: Study, model: FaceModel, folder: Path, runs: Path | None = None, progress: bool = True
) -> dict[str, Any]:
    """Writes report.md, report.json and the pictures into `folder`; returns the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    trained = ensure(study, model, runs or folder / "runs", progress)
    far = draw_faces(trained[FEEDBACK], study.faces)
    near = draw_faces(trained[PERSPECTIVE], study.faces)
    answers = {name: run.answers(far.pictures, far.believed) for name, run in trained.items()}
    measure = Measure(trained[FEEDBACK])
    figures: dict[str, Any] = {
        "faces": study.faces,
        "size": trained[FEEDBACK].config.size,
        "steps": trained[FEEDBACK].step,
        "iterations": [measure.errors(found, far.truth) for found in answers[FEEDBACK]],
        "once": measure.errors(answers[ONCE][-1], far.truth),
        "landmarks": {
            f"{camera} camera, {name}": measure.errors(landmark_fits(trained[FEEDBACK], far, share, find), far.truth)
            for camera, find in CAMERAS.items()
            for name, share in NOISES.items()
        },
        "cameras": {
            name: {
                "far": measure.errors(answers[name][-1], far.truth),
                "near": measure.errors(trained[name].answers(near.pictures, near.believed)[-1], near.truth),
            }
            for name in (FEEDBACK, PERSPECTIVE)
        },
        "distance": list(trained[PERSPECTIVE].config.faces.distance),
    }
    figures["bars"] = bars(figures)
    from training.recipes.feedback.report.pictures import draw_report
    from training.recipes.feedback.report.text import markdown

    (folder / "report.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draw_report(study, trained[FEEDBACK], far, answers[FEEDBACK], figures, folder)
    (folder / "report.md").write_text(markdown(figures), encoding="utf-8")
    return figures


def draw_faces(run: Trained, count: int) -> TestFaces:
    """Test faces as the run's configuration draws faces."""
    config, decoder = run.config, skin_decoder(run.model)
    rng = np.random.default_rng(_SEED)
    truth = drawn_coefficients(config, count, rng)
    stand, believed = disturbed(drawn_stand(decoder, truth, config, rng), config, rng)
    skin = torch.from_numpy(rng.standard_normal((count, config.reflectance)).astype(np.float32))
    pictures, landmarks = [], []
    for some in np.array_split(np.arange(count), -(-count // _CHUNK)):
        part = Stand(stand.rotation[some], stand.translation[some], stand.focal[some])
        pictures.append(phong(decoder, truth[some], skin[some], part, config, rng))
        turned = decoder.turned_landmarks(code_of(truth[some], part, config))
        seen = project(turned + part.translation[:, None], part.focal, config.size)
        landmarks.append(seen.double().numpy())
    return TestFaces(truth, stand, believed, torch.cat(pictures), np.concatenate(landmarks))


def landmark_fits(run: Trained, faces: TestFaces, share: float, find: FindCamera) -> Tensor:
    """Coefficients (n,m) by Aldrian and Smith's closed form from landmarks with a detector's noise."""
    model, config = run.model, run.config
    marks = model.template["landmarks68"]
    columns = np.concatenate([model.identity[: config.identity], model.expression[: config.expression]])[:, marks]
    # The faces are in the model's span: it explains landmarks wholly.
    known = LandmarkModel(model.mean[marks].astype(float), columns.astype(float), np.zeros(len(marks)))
    between = faces.landmarks[:, _LEFT_EYE] - faces.landmarks[:, _RIGHT_EYE]
    # Eyes of a turned face are near each other in the picture; a detector does not get better by that.
    upright = known.mean[_LEFT_EYE] - known.mean[_RIGHT_EYE]
    scale = (faces.stand.focal / faces.stand.translation[:, 2]).double().numpy()
    size = np.maximum(np.linalg.norm(between, axis=1), scale * np.linalg.norm(upright))
    pixels, deviation = with_detector_noise(faces.landmarks, size, share, np.random.default_rng([_SEED, 1]))
    found = [fit(known, one, float(noise), find) for one, noise in zip(pixels, deviation, strict=True)]
    return torch.from_numpy(np.stack(found).astype(np.float32))


class Measure:
    """Errors of coefficients, and of the mean head for the same faces."""

    def __init__(self, run: Trained) -> None:
        self.model, self.config = run.model, run.config
        self.face = run.model.region("face")

    def errors(self, found: Tensor, truth: Tensor) -> dict[str, float]:
        """Mean distance over the face, mm, after similarity alignment, and as a share of the mean head's."""
        ours = [per_vertex_error(a, b).mean() for a, b in zip(self._heads(found), self._heads(truth), strict=True)]
        mean = self.model.mean[self.face]
        control = [per_vertex_error(mean, b).mean() for b in self._heads(truth)]
        return {"mm": float(np.mean(ours)), "of_control": float(np.mean(ours) / np.mean(control))}

    def _heads(self, coefficients: Tensor) -> NDArray[np.float32]:
        identity, expression = coefficients.numpy()[:, : self.config.identity], coefficients.numpy()
        return self.model.vertices(identity, expression[:, self.config.identity :])[:, self.face]


def bars(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """What must be true, each with its figure, its limit and whether it is met."""
    errors = [one["mm"] for one in figures["iterations"]]
    once = figures["once"]["mm"]
    noisy = min(one["mm"] for name, one in figures["landmarks"].items() if name.endswith("3 % noise"))
    rows = [
        (f"error after iteration {k} as a share of that before", errors[k] / errors[k - 1], 1.0)
        for k in range(1, len(errors))
    ]
    rows.append(("the last iteration against landmarks with 3 % noise", errors[-1] / noisy, OVER_LANDMARKS))
    rows.append(("the last iteration against a network that answers once", errors[-1] / once, OVER_ONCE))
    return [{"bar": name, "figure": value, "limit": limit, "met": value <= limit} for name, value, limit in rows]


def shown(faces: TestFaces, chosen: NDArray[np.intp]) -> TestFaces:
    """Some of the faces."""

    def some(stand: Stand) -> Stand:
        return Stand(stand.rotation[chosen], stand.translation[chosen], stand.focal[chosen])

    part = replace(faces, truth=faces.truth[chosen], stand=some(faces.stand), believed=some(faces.believed))
    return replace(part, pictures=faces.pictures[chosen], landmarks=faces.landmarks[chosen])


def head(model: FaceModel, config: FeedbackConfig, coefficients: Tensor) -> NDArray[np.float32]:
    """The head (N,3) mm of coefficients (m,)."""
    numbers = coefficients.numpy()
    return model.vertices(numbers[: config.identity], numbers[config.identity :])
