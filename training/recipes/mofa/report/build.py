"""Builds the report: runs, scores, the tables as Markdown and JSON, and the pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.evaluation.alignment import aligned
from training.evaluation.inverse import Truth, rms, turn_between
from training.evaluation.mofa import mean_posed_error, score
from training.evaluation.posed import read_posed
from training.evaluation.timing import milliseconds
from training.formation.code import Code
from training.formation.decoder import face_decoder, head_decoder
from training.formation.face_model import FaceModel
from training.formation.geometry import rotation_matrices
from training.formation.picture import draw
from training.populations.identity import Population
from training.recipes.mofa.config import MofaConfig
from training.recipes.mofa.pictures import PhotoPictures, Scenes, see
from training.recipes.mofa.report.study import PHOTOS, UNSUPERVISED, Study, ensure, title
from training.recipes.mofa.rivals import (
    ConvAutoencoder,
    LearnedDecoder,
    colour_distance,
    train_autoencoder,
    train_decoder,
)
from training.recipes.mofa.run import Trained
from training.recipes.photos import FaceFinder, Photos, gathered
from training.recipes.runs import read_log

_SEED = 51
DROP, OVERLAP, MILLISECONDS = 1 / 3, 0.93, 25.0
SCORES = ("geometric", "photometric", "landmarks")


@dataclass(frozen=True)
class Inputs:
    """The face model; photos to learn from besides, and rendered faces to score that on; None leaves photos out.

    finder finds faces in both; population tells the rendered faces' own expressions; limit is on photos.
    """

    model: FaceModel
    photos: Path | None = None
    test: Path | None = None
    finder: FaceFinder | None = None
    population: Population | None = None
    limit: int | None = None

    def the_finder(self) -> FaceFinder:
        """Raises `ValueError` when there is none."""
        if self.finder is None:
            raise ValueError("photos need a detector: name a bundle that finds landmarks")
        return self.finder


@dataclass(frozen=True)
class Compared:
    """Pictures (n,3,S,S) of held-out scenes by how they were made: the input, by the model, by learned decoders.

    `covered` (n,S,S) is what of the true face the model's picture covers: there all are measured.
    """

    pictures: dict[str, Tensor]
    covered: Tensor


def build(
    study: Study, inputs: Inputs, folder: Path, runs: Path | None = None, progress: bool = True
) -> dict[str, Any]:
    """Writes report.md, report.json and the pictures into `folder`; returns the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = runs or folder / "runs"
    rows, trained, sets = [], {}, dict[str, tuple[Scenes, Scenes]]()
    known: dict[str, tuple[Scenes, Scenes]] = {}
    for name, config in study.configs.items():
        # Runs that differ in the network alone see the same scenes.
        key = repr((config.scenes, config.size, config.codes, config.crop_scale, config.distance))
        if key not in known:
            known[key] = make_scenes(study, config, inputs.model, folder)
        sets[name] = known[key]
        run = ensure(name, config, inputs.model, *sets[name], runs, progress)
        trained[name] = run
        rows.append(_row(name, run, sets[name][1], runs / name))
    decoders, compared = None, None
    if study.rivals:
        decoders, compared = compare_decoders(study, trained[UNSUPERVISED], *sets[UNSUPERVISED], progress)
    photos = None
    if inputs.photos is not None:
        photos = learn_photos(study, inputs, folder, runs, progress)
    figures: dict[str, Any] = {
        "rows": rows,
        "bars": bars(rows),
        "decoders": decoders,
        "photos": photos,
        "held_out": study.held_out,
        "scenes": study.configs[UNSUPERVISED].scenes.count,
        "size": study.configs[UNSUPERVISED].size,
    }
    from training.recipes.mofa.report.pictures import draw_report
    from training.recipes.mofa.report.text import markdown

    (folder / "report.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draw_report(study, trained[UNSUPERVISED], sets[UNSUPERVISED][1], rows, compared, folder)
    (folder / "report.md").write_text(markdown(figures), encoding="utf-8")
    return figures


def make_scenes(study: Study, config: MofaConfig, model: FaceModel, spill: Path) -> tuple[Scenes, Scenes]:
    """Scenes to learn from, and others to score on."""
    codes = config.codes
    model = model.reduced(codes.identity, codes.expression, codes.reflectance)
    decoder = head_decoder(model)
    return (
        Scenes(config, model, decoder, _SEED, config.scenes.count, spill),
        Scenes(config, model, decoder, _SEED + 1, study.held_out, spill),
    )


def _row(name: str, run: Trained, unseen: Scenes, folder: Path) -> dict[str, Any]:
    everything = np.arange(len(unseen))
    curve = [line for line in read_log(folder) if "geometric" in line]
    scores = score(
        face_decoder(run.model), run.codes(unseen, everything), run.camera.focal, unseen.images(everything),
        truth=unseen.code,
    )  # fmt: skip
    return {
        "run": name,
        "title": title(name, run.config),
        "steps": run.step,
        "hours": run.seconds / 3600,
        "milliseconds": milliseconds(_Flat(run.encoder), run.config.size),
        "before": {kind: curve[0][kind] for kind in SCORES},
        "after": scores.summary(),
        "curve": curve,
    }


class _Flat(nn.Module):
    """An encoder whose answer is a tuple of tensors, for timing."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code = self.encoder(images)
        return code.vector(), code.translation


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What must be true, each with its figure, its limit and whether it is met."""
    row = next(row for row in rows if row["run"] == UNSUPERVISED)
    share = row["after"]["geometric"] / row["before"]["geometric"]
    overlap, took = row["after"]["overlap"], row["milliseconds"]
    return [
        {"bar": "geometric error as a share of the start", "figure": share, "limit": DROP, "met": share <= DROP},
        {"bar": "overlap on held-out scenes", "figure": overlap, "limit": OVERLAP, "met": overlap >= OVERLAP},
        {"bar": "ms per image", "figure": took, "limit": MILLISECONDS, "met": took <= MILLISECONDS},
    ]


def compare_decoders(
    study: Study, run: Trained, scenes: Scenes, unseen: Scenes, progress: bool = True
) -> tuple[dict[str, dict[str, float]], Compared]:
    """The model-based decoder against learned ones, on unseen scenes: colours, and how edges differ."""
    batch_size, seed = run.config.schedule.batch_size, run.config.seed
    learned = [scenes, study.width, study.rivals, batch_size, seed, progress]
    autoencoder, decoder = train_autoencoder(*learned), train_decoder(*learned)  # type: ignore[arg-type]
    compared = decoded(run, unseen, autoencoder, decoder)
    truth = compared.pictures["input"]
    figures = {
        name: {
            "colour": _over(colour_distance(picture, truth), compared.covered),
            "edges": _over(_edge_distance(picture, truth), compared.covered),
        }
        for name, picture in compared.pictures.items()
        if name != "input"
    }
    return figures, compared


@torch.no_grad()
def decoded(run: Trained, unseen: Scenes, autoencoder: ConvAutoencoder, decoder: LearnedDecoder) -> Compared:
    """Unseen scenes as each way gives them back."""
    everything = np.arange(len(unseen))
    images, code = unseen.images(everything), run.codes(unseen, everything)
    face = face_decoder(run.model)
    estimate = _drawn(face, code, run)
    truth = _drawn(face, unseen.code, run)
    pictures = {
        "input": images,
        "model-based": estimate.images,
        "convolutional autoencoder": autoencoder(images).clamp(0, 1),
        "learned decoder, the encoder's codes": decoder(code).clamp(0, 1),
        "learned decoder, true codes": decoder(unseen.code).clamp(0, 1),
    }
    return Compared(pictures, estimate.covered & truth.covered)


def _drawn(face: Any, code: Code, run: Trained) -> Any:
    surface = face.surface(code)
    return draw(face, surface, see(face, code, run.camera, run.config.size), run.config.size)


def _over(values: Tensor, mask: Tensor) -> float:
    return float((values * mask).sum() / mask.sum().clamp(min=1))


def _edge_distance(one: Tensor, other: Tensor) -> Tensor:
    """How much the differences of neighbouring pixels differ (B,S,S)."""
    across = (one.diff(dim=3) - other.diff(dim=3)).abs().mean(1)
    down = (one.diff(dim=2) - other.diff(dim=2)).abs().mean(1)
    return nn.functional.pad(across, (0, 1)) + nn.functional.pad(down, (0, 0, 0, 1))


def learn_photos(study: Study, inputs: Inputs, folder: Path, runs: Path, progress: bool = True) -> dict[str, Any]:
    """The same encoder trained on photos instead of scenes, before and after, scored on rendered test faces."""
    assert inputs.photos is not None
    base = study.configs[UNSUPERVISED]
    config = replace(base, name=PHOTOS)
    photos = _gathered(inputs, inputs.photos, config, folder / f"photos-{config.size}.npz", progress)
    figures: dict[str, Any] = {"photos": len(photos), "skipped": dict(photos.skipped), "source": inputs.photos.name}
    test = photos.subset(slice(0, config.held_out))
    learning = photos.subset(slice(config.held_out, None)) if inputs.test is None else photos
    if inputs.test is not None:
        test = _gathered(inputs, inputs.test, config, folder / f"test-{config.size}.npz", progress)
    run = ensure(PHOTOS, config, inputs.model, PhotoPictures(learning), PhotoPictures(test), runs, progress)
    curve = [line for line in read_log(runs / PHOTOS) if "photometric" in line]
    names = ("photometric", "landmarks")
    figures |= {"before": {n: curve[0][n] for n in names}, "after": {n: curve[-1][n] for n in names}}
    if inputs.test is not None:
        known = read_posed(inputs.test, test.names, inputs.population)
        heads = [known[str(name)] for name in test.names]
        truth = Truth(np.stack([head.vertices for head in heads]), np.stack([head.rotation for head in heads]))
        code = run.codes(PhotoPictures(test), np.arange(len(test)))
        nothing = {name: torch.zeros_like(getattr(code, name)) for name in ("rotation", "identity", "expression")}
        start = replace(code, **nothing)
        figures["after"] |= head_errors(run, code, truth)
        figures["before"] |= head_errors(run, start, truth)
    return figures


def head_errors(run: Trained, code: Code, truth: Truth) -> dict[str, float]:
    """Mean distance with the rotation counted, and root mean square after similarity alignment, mm; degrees."""
    face, rotations = run.model.region("face"), rotation_matrices(code.rotation).numpy()
    heads = run.model.vertices(code.identity.numpy(), code.expression.numpy())[:, face]
    posed, shape, degrees = [], [], []
    for head, rotation, true, turn in zip(heads, rotations, truth.heads[:, face], truth.rotations, strict=True):
        posed.append(mean_posed_error(head @ rotation.T, true @ turn.T))
        shape.append(rms(np.linalg.norm(aligned(head, true) - true, axis=1)))
        degrees.append(turn_between(rotation, turn))
    return {"geometric": float(np.mean(posed)), "shape": float(np.mean(shape)), "degrees": float(np.mean(degrees))}


def _gathered(inputs: Inputs, source: Path, config: MofaConfig, path: Path, progress: bool) -> Photos:
    return gathered(path, source, inputs.the_finder, config.size, 1 / config.crop_scale, inputs.limit, progress)
