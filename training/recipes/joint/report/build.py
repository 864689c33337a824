"""Trains what is missing, measures every method on the same faces, and writes report.md, report.json and pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from training.crop import crops_from_landmarks, sample
from training.dataset import FaceSet, split
from training.evaluation.drawing import style
from training.evaluation.regressor import Bundle
from training.recipes.joint.finish import finish
from training.recipes.joint.report import pictures, text
from training.recipes.joint.report.answers import (
    DETECTORS,
    Measured,
    bundle_heads,
    closed_form,
    heads_of,
    make_ruler,
    vectors_of,
)
from training.recipes.joint.report.basis import (
    angles_between,
    chosen_numbers,
    explained,
    learned_basis,
    principal_basis,
    projection_errors,
    truncated_errors,
)
from training.recipes.joint.report.study import PAPER, TITLES, Study, ensure
from training.recipes.joint.run import Trained
from training.recipes.runs import read_log
from training.recipes.shape_space import Floats

# Middles and half widths of the bins of angles.
_BINS = tuple((float(angle), 7.5) for angle in range(0, 91, 15))
_SHOWN = 256


@dataclass(frozen=True)
class Inputs:
    """training and test faces; poses further faces for the pose curve alone; the product's bundle, if there is one.

    runs is the folder of the study's runs, shipped that of the shipped one if it is elsewhere.
    """

    training: FaceSet
    test: FaceSet
    poses: FaceSet | None
    bundle: Bundle | None
    runs: Path
    shipped: Path | None


def build(study: Study, inputs: Inputs, output: Path, progress: bool = True) -> dict[str, Any]:
    """Writes the report into the folder `output` and returns what stands in report.json.

    Raises `ValueError` when a run or the bundle is of another template or of other data.
    """
    output.mkdir(parents=True, exist_ok=True)
    runs = ensure(study, inputs.training, inputs.runs, inputs.shipped, progress)
    test = inputs.test.subset(np.arange(min(study.faces, len(inputs.test))))
    mean = runs["shipped"].space.mean
    finished, trials = _finished(runs, inputs.training, progress)

    ruler = make_ruler(test, mean, study.samples)
    methods: dict[str, Measured] = {}
    bar = tqdm(total=len(finished) + len(DETECTORS) + 1, desc="measuring", disable=not progress)
    for name, share, heads in closed_form(inputs.training, test, runs["shipped"].config.neurons):
        title = "closed form, true landmarks" if share == 0 else f"closed form, {100 * share:g} % noise"
        methods[f"closed_{name}"] = ruler.measure(f"({name}) {title}", heads)
        bar.update()
    for name, run in finished.items():
        heads = heads_of(run, vectors_of(run, test))
        methods[name] = ruler.measure(TITLES[name], heads)
        bar.update()
    if inputs.bundle is not None:
        heads, marks = bundle_heads(inputs.bundle, test)
        methods["bundle"] = ruler.measure("the bundle, as the product runs it", heads, marks)
    methods["mean"] = ruler.measure("mean face", np.broadcast_to(mean, test.vertices.shape))
    bar.close()

    posed = test if inputs.poses is None else inputs.poses
    curves = {title: bins for title, bins in _pose_curves(study, inputs, finished, methods, posed).items() if bins}
    bases = {
        name: _basis_figures(study, runs[name], finished[name], inputs.training, test)
        for name in ("paper_joint", "trial_joint", "shipped")
    }
    few = {
        name: angles_between(*_both_bases(runs[name], inputs.training), (study.configs[name].neurons,))
        for name in ("few_joint", "few_fixed")
    }
    figures: dict[str, Any] = {
        "faces": {"training": len(inputs.training), "test": len(test), "poses": len(posed)},
        "runs": {name: _run_record(run, study, name) for name, run in runs.items()},
        "methods": {name: _record(method, study) for name, method in methods.items()},
        "trials": trials,
        "pose": curves,
        "bases": bases,
        "few": few,
    }
    figures["bars"] = text.bars(figures)
    with style():
        _draw(output, study, inputs, methods, figures, test, mean)
    (output / "report.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (output / "report.md").write_text(text.markdown(figures), encoding="utf-8")
    return figures


def _finished(runs: dict[str, Trained], faces: FaceSet, progress: bool) -> tuple[dict[str, Trained], dict[str, Any]]:
    """Runs with encoder and last layer solved, but for the paper's, which stay as trained; and what solving changed."""
    finished, record = {}, {}
    for name, run in runs.items():
        if name in PAPER:
            finished[name] = run
            continue
        done = finish(run, faces, progress=progress)
        finished[name] = done.run
        record[name] = {"strength": done.strength, "before": done.before, "after": (done.errors or {})[done.strength]}
    return finished, record


def _record(method: Measured, study: Study) -> dict[str, Any]:
    errors = method.errors
    record = {"title": method.title, **errors.summary(np.ones(len(errors.yaw), bool))}
    frontal = np.abs(errors.yaw) <= 40.0
    if frontal.any():
        record["within_40"] = errors.summary(frontal)
    record["named"] = [round(float(value), 4) for value in errors.squared[: study.named]]
    record["normal_map_mean"] = float(method.angles.mean())
    return record


def _run_record(run: Trained, study: Study, name: str) -> dict[str, Any]:
    known = study.configs[name]
    return {"title": TITLES[name], "steps": run.step, "config": run.config.to_json(), "as_planned": run.config == known}


def _pose_curves(
    study: Study, inputs: Inputs, finished: dict[str, Trained], methods: dict[str, Measured], faces: FaceSet
) -> dict[str, pictures.Bins]:
    """Errors by angle of the methods that Fig. 6 shows."""
    if inputs.poses is not None:
        mean = finished["shipped"].space.mean
        ruler = make_ruler(faces, mean, 0)
        methods = {
            name: ruler.measure(TITLES[name], heads_of(run, vectors_of(run, faces)))
            for name, run in finished.items()
            if name in ("shipped", *PAPER)
        }
        for name, share, heads in closed_form(inputs.training, faces, finished["shipped"].config.neurons):
            title = "true landmarks" if share == 0 else f"{100 * share:g} % noise"
            methods[f"closed_{name}"] = ruler.measure(f"({name}) closed form, {title}", heads)
    shown = ("shipped", "paper_joint", "paper_fixed", "paper_first", "closed_i", "closed_iii")
    return {methods[name].title: _bins(methods[name], study.posed) for name in shown if name in methods}


def _bins(method: Measured, least: int) -> pictures.Bins:
    found = []
    yaw = np.abs(method.errors.yaw)
    for angle, half in _BINS:
        inside = (yaw >= angle - half) & (yaw < angle + half)
        if inside.sum() < least:
            continue
        ours, control = method.errors.similarity[inside], method.errors.similarity_control[inside]
        found.append(
            {
                "angle": angle,
                "faces": int(inside.sum()),
                "error": float(ours.mean()),
                "spread": float(ours.std() / np.sqrt(inside.sum())),
                "ratio": float(ours.mean() / control.mean()),
            }
        )
    return found


def _both_bases(run: Trained, faces: FaceSet) -> tuple[Any, Any]:
    training, _ = split(len(faces), run.config.held_out, np.random.default_rng([run.config.seed, 2]))
    return learned_basis(run, faces, training), principal_basis(run, faces, training)


def _basis_figures(study: Study, run: Trained, finished: Trained, faces: FaceSet, test: FaceSet) -> dict[str, Any]:
    """What is said of a run's basis: angles to PCA's, variance of test heads, errors of projections and of answers."""
    _, held_out = split(len(faces), run.config.held_out, np.random.default_rng([run.config.seed, 2]))
    learned, principal = _both_bases(run, faces)
    chosen = test.subset(np.arange(min(_SHOWN, len(test))))
    vectors = run.space.vectors(chosen.vertices)
    unseen = faces.subset(held_out[:_SHOWN])
    return {
        "title": TITLES.get(run.config.name, run.config.name),
        "angles": angles_between(learned, principal, study.columns),
        "explained": {
            "learned": explained(learned, vectors, study.columns),
            "pca": explained(principal, vectors, study.columns),
        },
        "projection": {
            "learned": projection_errors(run, learned, chosen, study.columns),
            "pca": projection_errors(run, principal, chosen, study.columns),
        },
        "pictures": truncated_errors(run, learned, vectors_of(finished, chosen), chosen, study.columns),
        "numbers": chosen_numbers(learned, vectors_of(finished, unseen), run.space.vectors(unseen.vertices)),
    }


def _draw(
    output: Path,
    study: Study,
    inputs: Inputs,
    methods: dict[str, Measured],
    figures: dict[str, Any],
    test: FaceSet,
    mean: Floats,
) -> None:
    template = test.template
    best = "bundle" if "bundle" in methods else "shipped"
    pictures.pose_curves(output / "pose.png", figures["pose"])
    shown = [methods[name] for name in ("paper_joint", "paper_fixed", "closed_i", "shipped", "mean")]
    pictures.error_maps(output / "maps.png", shown, template, mean)
    crops = crops_from_landmarks(test.landmarks68[: study.samples])
    seen = np.stack([sample(_image(test, i), crops, i, 160) for i in range(study.samples)])
    truths = test.vertices[: study.samples]
    against = [methods["closed_iii"], methods["paper_joint"], methods[best]]
    pictures.sample_faces(output / "faces.png", seen, truths, against, template)
    bases = {record["title"]: record for record in figures["bases"].values()}
    pictures.basis_charts(output / "basis.png", bases)
    pictures.known_columns(output / "columns.png", {title: record["numbers"] for title, record in bases.items()})
    logs = {TITLES[name]: read_log(inputs.runs / name) for name in PAPER}
    pictures.training_curves(output / "training.png", logs)


def _image(faces: FaceSet, index: int) -> Any:
    from PIL import Image

    return Image.fromarray(faces.images[index])
