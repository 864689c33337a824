"""The recipe with each of its parts off, one at a time: short runs on the same faces, measured on others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from training.augmentation import Augmentation
from training.dataset import FaceSet
from training.recipes.default.config import CorrectionConfig, DefaultConfig, shipped
from training.recipes.default.data import prepare
from training.recipes.default.run import load_run
from training.recipes.default.train import train, validate
from training.recipes.runs import CHECKPOINT, write_atomically

SCORES = "scores.json"
SIZE = 64
"""Pictures of all runs have so many pixels, where a batch costs half of what it does at full size."""


@dataclass(frozen=True)
class Part:
    """What is off, which paper or idea it stands for, and the configuration without it; `fresh` begins from nothing."""

    name: str
    without: Callable[[DefaultConfig], DefaultConfig] = lambda config: config
    fresh: bool = False


def _losses(**changes: object) -> Callable[[DefaultConfig], DefaultConfig]:
    return lambda config: replace(config, losses=replace(config.losses, **changes))  # type: ignore[arg-type]


PARTS = (
    Part("nothing off"),
    Part("weights of the bundle of joint (from nothing)", fresh=True),
    Part("distances of vertices (squared coefficients in their place)", _losses(plain=True, identity=0.05, moved=0.0)),
    Part("the landmarks' own sigma (one for all)", _losses(even=True)),
    Part("landmarks", _losses(points=0.0)),
    Part("maps at the landmarks", lambda config: replace(config, local=0)),
    Part("points corrected by what is about them", lambda config: replace(config, correction=CorrectionConfig())),
    Part("heads further from the mean", lambda config: replace(config, further=0.0)),
    Part("heads that were never rendered", lambda config: replace(config, reshape=(0.0, 0.0))),
    Part("augmentation beyond crops and mirrors", lambda config: replace(config, augmentation=_crops_only())),
)


def _crops_only() -> Augmentation:
    usual = Augmentation()
    return replace(Augmentation.none(), centre=usual.centre, scale=usual.scale, roll=usual.roll, flip=usual.flip)


def ablation(
    faces: FaceSet,
    test: FaceSet,
    bundle: Path,
    output: Path,
    steps: int,
    progress: bool = True,
    base: DefaultConfig | None = None,
) -> list[tuple[str, dict[str, float]]]:
    """Each part's name and the figures, on `test` people, of the run without it.

    Runs that are finished are not run again. Neither these runs nor the bundle's own training must have seen `test`.
    """
    found = []
    base = base or shipped()
    size = min(SIZE, base.size)
    for number, part in enumerate(PARTS):
        schedule = replace(base.schedule, steps=steps, early=(1.0, size), warmup=min(100, steps // 4))
        config = part.without(replace(base, schedule=schedule, held_out=0.0))
        folder = output / f"{number:02d}"
        if not (folder / SCORES).is_file():
            resume = (folder / CHECKPOINT).is_file()
            train(config, faces, folder, bundle, resume=resume, progress=progress, fresh=part.fresh)
            run = load_run(folder)
            known = prepare(test, run.basis, run.known, run.config)
            # As large as they were in training: a network that has only seen small pictures is lost in large ones.
            seen = replace(run.config, size=size)
            scores = validate(seen, run.network, known, run.basis, np.arange(len(test)))
            write_atomically(folder / SCORES, json.dumps(scores).encode())
        found.append((part.name, json.loads((folder / SCORES).read_text(encoding="utf-8"))))
    return found


def table(found: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    """As Markdown."""
    lines = [
        "| off | face, of the mean head's error | landmarks, % of the crop | actions' correlation | in sigma |",
        "|---|---|---|---|---|",
    ]
    for name, scores in found:
        lines.append(
            f"| {name} | {scores['of_control']:.3f} | {scores['landmarks_percent']:.2f} | {scores['expression']:.2f} "
            f"| {100 * scores['within_sigma']:.0f} % |"
        )
    return "\n".join(lines)
