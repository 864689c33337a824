"""Which runs the report compares, and training those that are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from training.dataset import FaceSet
from training.recipes.joint.config import JointConfig, paper, shipped, tiny
from training.recipes.joint.run import Trained, load_run
from training.recipes.joint.train import train
from training.recipes.reports import train_missing

# What the paper compares, by the key of a run's folder.
PAPER = ("paper_joint", "paper_fixed", "paper_first")
TITLES = {
    "paper_joint": "joint, the paper's network",
    "paper_fixed": "CNN on a fixed PCA basis, the paper's network",
    "paper_first": "two stages, the paper's network",
    "trial_joint": "joint",
    "trial_j1": "joint, J1 x 10",
    "trial_first": "two stages",
    "trial_fixed": "fixed PCA basis, loss on vertices",
    "trial_coefficients": "fixed PCA basis, loss on coefficients",
    "trial_deep": "joint, encoder 512-256 deep",
    "few_joint": "joint, few columns",
    "few_fixed": "fixed PCA basis, few columns",
    "shipped": "joint, the shipped configuration",
}


@dataclass(frozen=True)
class Study:
    """configs by the runs' keys; columns that errors are drawn over; faces measured, and how many of them by name.

    `samples` is how many faces pictures show, `posed` the least number of faces in a bin of angles.
    """

    configs: dict[str, JointConfig]
    columns: tuple[int, ...]
    faces: int = 400
    named: int = 10
    samples: int = 4
    posed: int = 5


def full() -> Study:
    """The report's own: the paper's three runs at full length, trials at 64 pixels, the shipped configuration."""
    return Study(
        _configs(paper(), trial(), few=20) | {"shipped": shipped()},
        columns=(10, 20, 30, 40, 60, 80, 100, 150, 200, 280),
    )


def quick() -> Study:
    """As `full` with a tenth of the paper's steps at ten times its rate, and trials half as long.

    The paper's runs take heads by 512 principal directions: what those leave out is far below what 280 columns do, and
    a step costs a quarter.
    """
    base, short = replace(paper(), subspace=512), trial()
    schedule = replace(base.schedule, steps=5_000, rate=10e-5)
    halved = replace(short, schedule=replace(short.schedule, steps=short.schedule.steps // 2))
    return replace(full(), configs=_configs(replace(base, schedule=schedule), halved, few=20) | {"shipped": shipped()})


def small() -> Study:
    """Everything once, in a minute on one core: for tests."""
    base, short = paper(), tiny()
    schedule = replace(base.schedule, steps=30, batch_size=10, rate=1e-4)
    little = replace(base, schedule=schedule, neurons=6, log_every=10, held_out=0.2, checkpoint_every=15)
    short = replace(
        short, schedule=replace(short.schedule, steps=12, batch_size=8), log_every=4, reshape=(0.5, 60.0), neurons=6
    )
    configs = _configs(little, short, few=2) | {"shipped": replace(short, name="shipped")}
    return Study(configs, columns=(1, 2, 4, 6), faces=24, named=4, samples=2, posed=1)


STUDIES: dict[str, Callable[[], Study]] = {"full": full, "quick": quick, "small": small}


def trial() -> JointConfig:
    """The shipped configuration made small: 64 pixels, half the width, a few minutes of training."""
    base = shipped()
    return replace(
        base,
        name="trial",
        network=replace(base.network, widths=(16, 32, 64, 128), reduced=48, features=256),
        losses=replace(base.losses, j1=1.0),
        schedule=replace(base.schedule, steps=2_000, warmup=100, early=(0.0, 0)),
        size=64,
        validate_every=1_000,
    )


def _configs(paper_like: JointConfig, short: JointConfig, few: int) -> dict[str, JointConfig]:
    # A stage of its own for the autoencoder, on top of the CNN's steps: it costs little, and is not to be stinted.
    first = paper_like.schedule.steps
    two = replace(paper_like.schedule, steps=2 * first)
    early = short.schedule.steps // 4
    short_two = replace(short.schedule, steps=short.schedule.steps + early)
    losses = short.losses
    scarce = replace(short, neurons=few)
    configs = {
        "paper_joint": paper_like,
        "paper_fixed": replace(paper_like, basis="fixed"),
        "paper_first": replace(paper_like, basis="first", first_steps=first, schedule=two),
        "trial_joint": short,
        "trial_j1": replace(short, losses=replace(losses, j1=10.0 * losses.j1)),
        "trial_first": replace(short, basis="first", first_steps=early, schedule=short_two),
        "trial_fixed": replace(short, basis="fixed"),
        "trial_coefficients": replace(short, basis="fixed", losses=replace(losses, j2=0.02, j2_space="latent")),
        "trial_deep": replace(short, hidden=(512, 256), principal_start=False),
        "few_joint": scarce,
        "few_fixed": replace(scarce, basis="fixed"),
    }
    return {name: replace(config, name=name) for name, config in configs.items()}


def ensure(study: Study, faces: FaceSet, folder: Path, given: Path | None, progress: bool = True) -> dict[str, Trained]:
    """Every run of the study, trained where `folder` does not hold it whole; `given` stands in for the shipped one.

    A run that was cut short goes on. Raises `ValueError` when a run there is of another configuration or other data.
    """
    runs = {}
    for name, config in study.configs.items():
        path = folder / name
        if name == "shipped" and given is not None:
            runs[name] = load_run(given)
            continue
        train_missing(path, config.schedule.steps, partial(train, config, faces, path, progress=progress))
        runs[name] = load_run(path)
    return runs
