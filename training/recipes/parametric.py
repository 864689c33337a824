"""What the recipes on a parametric face model share: the model, the detector, the photos, the run's folder."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from training.formation.face_model import FaceModel
from training.recipes.photos import BundleFinder, Photos, gathered
from training.recipes.runs import load_checkpoint, require_recipe, write_atomically

CONFIG, MODEL, PHOTOS = "config.json", "model.npz", "photos.npz"


def face_model(args: argparse.Namespace, kept: Path) -> FaceModel:
    """The face model in the file `kept`, the one that is named, or one made from the populations (and kept).

    Raises `ValueError` when nothing says which.
    """
    if args.model is not None:
        return FaceModel.load(args.model)
    if kept.is_file():
        return FaceModel.load(kept)
    if not args.populations:
        raise ValueError("name population files with --populations, or a face model with --model")
    from training.formation.fit import FitSizes, fit_face_model
    from training.populations.files import load_populations

    population = load_populations(args.populations)
    model = fit_face_model(population, FitSizes(heads=args.heads), np.random.default_rng(0))
    kept.parent.mkdir(parents=True, exist_ok=True)
    model.save(kept)
    return model


def photos_of(args: argparse.Namespace, size: int, fill: float, output: Path) -> Photos:
    """The photos of the folder `args.data`, found once and kept in the folder of the run."""
    photos = gathered(output / PHOTOS, args.data, lambda: BundleFinder(args.detector), size, fill, args.limit)
    left_out = ", ".join(f"{count} {reason}" for reason, count in photos.skipped.items())
    print(f"{args.data}: {len(photos)} faces" + (f"; left out: {left_out}" if left_out else ""))  # noqa: T201
    return photos


def configuration(
    args: argparse.Namespace,
    known: dict[str, Callable[[], Any]],
    read: Callable[[dict[str, Any]], Any],
    changed: Callable[[Any, str], Any],
) -> Any:
    """The configuration that the options name, or that of the run which goes on. Raises `ValueError`."""
    if args.hours or args.start:
        raise ValueError(f"{args.recipe} takes --steps, not --hours or --start")
    if args.resume:
        state = load_checkpoint(args.output)
        require_recipe(state, args.recipe, args.output)
        return read(json.loads(state["config"]))
    if (args.output / "checkpoint.pt").exists():
        raise ValueError(f"{args.output} holds a run: add --resume to go on with it, or choose another folder")
    if args.config not in known:
        raise ValueError(f"{args.recipe} has no configuration {args.config}; it has {', '.join(known)}")
    config = known[args.config]()
    for change in args.set:
        config = changed(config, change)
    return config.with_steps(args.steps) if args.steps else config


def prepare_folder(output: Path, config: dict[str, Any], model: FaceModel) -> None:
    """Writes what the weights of a run need to be understood: its configuration and its face model."""
    output.mkdir(parents=True, exist_ok=True)
    if not (output / MODEL).is_file():
        model.save(output / MODEL)
    write_atomically(output / CONFIG, json.dumps(config, indent=1).encode())
