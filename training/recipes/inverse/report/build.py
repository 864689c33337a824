"""Builds the report: runs, scores, the table as Markdown and JSON, and the pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.evaluation.inverse import Scores, Truth, known_truth, score
from training.evaluation.posed import read_posed
from training.evaluation.timing import milliseconds
from training.formation.decoder import skin_decoder
from training.formation.face_model import FaceModel
from training.populations.identity import Population
from training.recipes.inverse.config import InverseConfig
from training.recipes.inverse.corpus import draw_first, picture_of, to_pixels
from training.recipes.inverse.network import InverseNetwork
from training.recipes.inverse.report.study import BRED, MODEL_SPACE, PLAIN, RESTORED, Study, ensure, title
from training.recipes.inverse.run import Trained, answers
from training.recipes.inverse.target import shifted_set
from training.recipes.inverse.train import Judge, masked_photos, photo_masks
from training.recipes.photos import FaceFinder, Photos, gathered
from training.recipes.runs import read_log

_SEED = 41
OVERLAP, MILLISECONDS = 0.93, 25.0


@dataclass(frozen=True)
class Inputs:
    """The face model; photos to breed towards and rendered faces to score on, None for sets of the model's making.

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
class Sets:
    """Photos to breed towards, and unseen ones with the truth for scoring; all of one size of pictures."""

    target: Photos
    test: Photos
    truth: Truth


def build(
    study: Study, inputs: Inputs, folder: Path, runs: Path | None = None, progress: bool = True
) -> dict[str, Any]:
    """Writes report.md, report.json and the pictures into `folder`; returns the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {config.size: config for config in study.configs.values()}
    sets = {size: make_sets(study, inputs, config, folder, progress) for size, config in sizes.items()}
    judges = {name: judge(config, inputs.model, sets[config.size]) for name, config in study.configs.items()}
    photos = {size: part.target for size, part in sets.items()}
    trained = ensure(study, inputs.model, photos, runs or folder / "runs", judges, progress)
    rows, shown = [], {}
    for name, run in trained.items():
        part = sets[run.config.size]
        theta = run.answers(masked_photos(part.test))
        shown[name] = theta
        target = _scored(run, part.test, theta, part.truth)
        rows.append(
            {
                "run": name,
                "title": title(name, run.config),
                "steps": run.step,
                "hours": run.seconds / 3600,
                "milliseconds": milliseconds(run.network, run.config.size),
                "target": target.summary(),
                "drawn": held_out_scores(study, run).summary(),
                "rounds": _rounds((runs or folder / "runs") / name),
            }
        )
    some = next(iter(sets.values()))
    figures: dict[str, Any] = {
        "rows": rows,
        "bars": bars(rows),
        "target": inputs.photos.name if inputs.photos else "drawn, shifted",
        "test": inputs.test.name if inputs.test else "drawn, shifted",
        "faces": {"target": len(some.target), "test": len(some.test), "held_out": study.held_out},
        "skipped": {"target": dict(some.target.skipped), "test": dict(some.test.skipped)},
        "sizes": sorted(sizes),
    }
    from training.recipes.inverse.report.pictures import draw_report
    from training.recipes.inverse.report.text import markdown

    (folder / "report.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draw_report(study, trained, sets, shown, figures, folder)
    (folder / "report.md").write_text(markdown(figures), encoding="utf-8")
    return figures


def make_sets(study: Study, inputs: Inputs, config: InverseConfig, folder: Path, progress: bool = True) -> Sets:
    """The photos of the study, found once and kept in `folder`."""
    rng = np.random.default_rng([_SEED, 1])
    sizes = config.codes.identity, config.codes.expression, config.codes.reflectance
    model = inputs.model.reduced(*sizes)
    if inputs.photos is None:
        target, _ = shifted_set(config, model, rng, study.target)
    else:
        target = _gathered(inputs, inputs.photos, config, folder / f"target-{config.size}.npz", progress)
    if inputs.test is None:
        # Drawn apart: what breeding is towards says nothing of who is scored.
        return Sets(target, *shifted_set(config, model, np.random.default_rng([_SEED, 3]), study.test))
    test = _gathered(inputs, inputs.test, config, folder / f"test-{config.size}.npz", progress)
    known = read_posed(inputs.test, test.names, inputs.population)
    heads = [known[str(name)] for name in test.names]
    truth = Truth(np.stack([head.vertices for head in heads]), np.stack([head.rotation for head in heads]))
    return Sets(target, test, truth)


def _gathered(inputs: Inputs, source: Path, config: InverseConfig, path: Path, progress: bool) -> Photos:
    return gathered(path, source, inputs.the_finder, config.size, config.fill, inputs.limit, progress)


def judge(config: InverseConfig, model: FaceModel, sets: Sets) -> Judge:
    """Scores on the test faces, for the end of every round."""
    sizes = config.codes.identity, config.codes.expression, config.codes.reflectance
    reduced, masked, masks = model.reduced(*sizes), masked_photos(sets.test), photo_masks(sets.test)

    def scores(network: InverseNetwork) -> dict[str, float]:
        found = score(config, reduced, masked, masks, answers(network, masked), sets.truth).summary()
        return {name: values["mean"] for name, values in found.items()}

    return scores


def held_out_scores(study: Study, run: Trained) -> Scores:
    """Scores on drawn faces that no corpus has."""
    config = run.config
    drawn = draw_first(config, run.model, np.random.default_rng([_SEED, 2]), study.held_out)
    decoder = skin_decoder(run.model)
    pictures = picture_of(decoder, config, torch.from_numpy(drawn.theta), torch.from_numpy(drawn.distance))
    masked, masks = to_pixels(pictures), pictures.covered.numpy()
    truth = known_truth(config, run.model, drawn.theta)
    return score(config, run.model, masked, masks, run.answers(masked), truth)


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What must be true, each with its figure, its limit and whether it is met."""
    by_name = {row["run"]: row for row in rows}
    found: list[dict[str, Any]] = []

    def compare(better: str, worse: str) -> None:
        for kind, sign in (("photometric", 1), ("geometric", 1), ("overlap", -1)):
            ours, theirs = (by_name[name]["target"][kind]["mean"] for name in (better, worse))
            met = sign * ours < sign * theirs
            found.append({"bar": f"{kind}: {better} better than {worse}", "figure": ours, "limit": theirs, "met": met})

    compare(MODEL_SPACE, PLAIN)
    for bred in (BRED, RESTORED):
        compare(bred, MODEL_SPACE)
        compare(bred, PLAIN)
    best = max(by_name[name]["drawn"]["overlap"]["mean"] for name in (MODEL_SPACE, BRED, RESTORED))
    found.append({"bar": "overlap on held-out drawn faces", "figure": best, "limit": OVERLAP, "met": best >= OVERLAP})
    overlap = by_name[RESTORED]["target"]["overlap"]["mean"]
    found.append({"bar": "overlap on test faces", "figure": overlap, "limit": OVERLAP, "met": overlap >= OVERLAP})
    took = by_name[RESTORED]["milliseconds"]
    found.append({"bar": "ms per image", "figure": took, "limit": MILLISECONDS, "met": took <= MILLISECONDS})
    return found


def _scored(run: Trained, photos: Photos, theta: NDArray[np.float32], truth: Truth) -> Scores:
    return score(run.config, run.model, masked_photos(photos), photo_masks(photos), theta, truth)


def _rounds(folder: Path) -> list[dict[str, Any]]:
    return [line for line in read_log(folder) if "photometric" in line]
