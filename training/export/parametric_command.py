"""What `likeness export` does with a run of `feedback`, `inverse` or `mofa`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_RECIPES = ("feedback", "inverse", "mofa")
_SCORES = ("geometric", "photometric", "landmarks", "overlap", *(f"iteration_{k}" for k in range(4)))


def is_parametric(folder: Path) -> bool:
    """Whether a run of `feedback`, `inverse` or `mofa` lies in the folder."""
    return _recipe(folder) in _RECIPES


def export_run(args: argparse.Namespace) -> dict[str, Any]:
    """Writes the bundle. Raises `ValueError` when the run or a population is wrong, `OSError` when they are missing."""
    from training.export.bundle import commit
    from training.export.feedback import export_feedback
    from training.export.parametric import Card, export_parametric
    from training.populations.files import load_populations
    from training.recipes.feedback import run as feedback
    from training.recipes.inverse import run as inverse
    from training.recipes.mofa import run as mofa
    from training.recipes.runs import read_log

    recipe = _recipe(args.checkpoint)
    trained: Any = {"feedback": feedback, "inverse": inverse, "mofa": mofa}[recipe].load_run(args.checkpoint)
    judged = [line for line in read_log(args.checkpoint) if line.keys() & {"photometric", "iteration_0"}]
    scores = {name: judged[-1][name] for name in _SCORES if name in judged[-1]} if judged else {}
    card = Card(
        name=args.name if args.name != "likeness-joint" else f"likeness-{recipe}",
        commands=tuple(args.made_with or _commands(args, recipe, trained.config.name, trained.step)),
        commit=commit(),
        population=load_populations(args.population) if args.population else None,
        detector=args.detector,
    )
    return (export_feedback if recipe == "feedback" else export_parametric)(trained, scores, args.output, card)


def _recipe(folder: Path) -> str:
    from training.recipes.runs import CHECKPOINT, load_checkpoint

    if not (folder / CHECKPOINT).is_file():
        return ""
    return str(load_checkpoint(folder).get("recipe", ""))


def _commands(args: argparse.Namespace, recipe: str, config: str, steps: int) -> list[str]:
    populations = " ".join(f"{Path(spec).name}" for spec in args.population) or "POPULATION"
    photos = "" if recipe == "feedback" else " --data PHOTOS"
    train = f"likeness train {recipe} --config {config} --steps {steps} --populations {populations}{photos}"
    sliders = "".join(f" --population {Path(spec).name}" for spec in args.population)
    return [
        f"{train} --output runs/{recipe}",
        f"likeness export --checkpoint runs/{recipe} --output bundles/{recipe}{sliders}",
    ]
