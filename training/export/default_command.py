"""What `likeness export` does with a run of `default`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.export.calibration import Photos


def is_default(folder: Path) -> bool:
    """Whether a run of `default` lies in the folder."""
    from training.recipes.runs import CHECKPOINT, load_checkpoint

    return (folder / CHECKPOINT).is_file() and load_checkpoint(folder).get("recipe") == "default"


def export_run(args: argparse.Namespace) -> dict[str, Any]:
    """Writes the bundle. Raises `ValueError` when run or data are wrong, `OSError` when they cannot be read."""
    from training.dataset import read_faces, read_sets
    from training.export.default import DefaultOptions, export_default
    from training.recipes.default.data import fingerprint
    from training.recipes.default.run import load_run

    trained = load_run(args.checkpoint)
    faces = read_sets([args.data, *args.more], args.limit)
    if fingerprint(faces, trained.basis) != trained.data:
        raise ValueError(f"{args.data} is not what {args.checkpoint} was trained on (check --limit)")
    name = args.name if args.name != "likeness-joint" else "likeness-default"
    commands = tuple(args.made_with or _commands(trained.config.name, trained.step))
    calibration = read_faces(args.calibration) if args.calibration else None
    options = DefaultOptions(name, commands, calibration, args.test, _photos(args.photos))
    return export_default(trained, faces, args.output, options)


def _photos(folder: Path | None) -> Photos | None:
    """Raises `ValueError` for a folder with one picture of each person."""
    from training.dataset import read_faces
    from training.export.calibration import Photos
    from training.shards import read_info

    if folder is None:
        return None
    each = read_info(folder).photos
    if each < 2:
        raise ValueError(f"{folder} has one picture of each person: render it with `likeness render --photos 4`")
    return Photos(read_faces(folder), each)


def _commands(config: str, steps: int) -> list[str]:
    return [
        "# a bundle of the recipe joint, as its own card tells, in bundles/joint",
        f"likeness train default --config {config} --data data/train --bundle bundles/joint --output runs/default "
        f"--steps {steps}",
        "likeness export --checkpoint runs/default --data data/train --calibration data/calibration "
        "--test data/test --output bundles/default",
    ]
