"""Which runs the report compares, and training those that are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from training.formation.face_model import FaceModel
from training.recipes.feedback.config import FeedbackConfig, paper, perspective, shipped, tiny
from training.recipes.feedback.run import Trained, load_run
from training.recipes.feedback.train import train
from training.recipes.reports import train_missing

FEEDBACK, ONCE, PERSPECTIVE = "feedback", "once", "perspective"


@dataclass(frozen=True)
class Study:
    """configs by the runs' keys; faces measured, and how many of them pictures show."""

    configs: dict[str, FeedbackConfig]
    faces: int = 400
    samples: int = 5


def full() -> Study:
    """The paper's network at 200 pixels. Days on a CPU."""
    return Study(_compared(paper(), replace(paper(), faces=perspective().faces)))


def product() -> Study:
    """The configuration for two cores, at its full length: some hours."""
    return Study(_compared(shipped(), perspective()))


def quick() -> Study:
    """Two thirds of the pixels and of the width: an hour on two cores."""

    def shortened(config: FeedbackConfig) -> FeedbackConfig:
        return replace(config, size=72, widths=(16, 32, 64, 128)).with_steps(6_000)

    return Study(_compared(shortened(shipped()), shortened(perspective())))


def small() -> Study:
    """Everything once, in seconds: for tests."""
    near = replace(tiny(), faces=perspective().faces)
    return Study(_compared(tiny(), near), faces=6, samples=2)


STUDIES: dict[str, Callable[[], Study]] = {"quick": quick, "product": product, "full": full, "small": small}


def ensure(study: Study, model: FaceModel, folder: Path, progress: bool = True) -> dict[str, Trained]:
    """Every run of the study, trained where `folder` does not hold it whole; one that was cut short goes on.

    Raises `ValueError` when a run there is of another configuration or face model.
    """
    runs = {}
    for name, config in study.configs.items():
        path = folder / name
        train_missing(path, config.schedule.steps, partial(train, config, model, path, progress=progress))
        runs[name] = load_run(path)
    return runs


def _compared(base: FeedbackConfig, near: FeedbackConfig) -> dict[str, FeedbackConfig]:
    """The recipe, a network that is only ever shown the mean head and answers once, and the recipe for near cameras."""
    configs = {FEEDBACK: base, ONCE: replace(base, mean=1.0, iterations=1), PERSPECTIVE: near}
    return {name: replace(config, name=name) for name, config in configs.items()}
