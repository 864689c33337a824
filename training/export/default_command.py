"""What `likeness export` does with a run of `default`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def is_default(folder: Path) -> bool:
    """Whether a run of `default` lies in the folder."""
    from training.recipes.runs import CHECKPOINT, load_checkpoint

    return (folder / CHECKPOINT).is_file() and load_checkpoint(folder).get("recipe") == "default"


def export_run(args: argparse.Namespace) -> dict[str, Any]:
    """Writes the bundle. Raises `ValueError` when run or data are wrong, `OSError` when they cannot be read."""
    from training.dataset import read_faces
    from training.export.default import DefaultOptions, export_default
    from training.recipes.default.data import fingerprint
    from training.recipes.default.run import load_run

    trained = load_run(args.checkpoint)
    faces = read_faces(args.data, args.limit)
    if fingerprint(faces, trained.basis) != trained.data:
        raise ValueError(f"{args.data} is not what {args.checkpoint} was trained on (check --limit)")
    name = args.name if args.name != "likeness-joint" else "likeness-default"
    commands = tuple(args.made_with or _commands(trained.config.name, trained.step))
    calibration = read_faces(args.calibration) if args.calibration else None
    return export_default(trained, faces, args.output, DefaultOptions(name, commands, calibration, args.test))


def _commands(config: str, steps: int) -> list[str]:
    return [
        "# a bundle of the recipe joint, as its own card tells, in bundles/joint",
        f"likeness train default --config {config} --data data/train --bundle bundles/joint --output runs/default "
        f"--steps {steps}",
        "likeness export --checkpoint runs/default --data data/train --calibration data/calibration "
        "--test data/test --output bundles/default",
    ]
