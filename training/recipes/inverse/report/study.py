"""Which runs the report compares (paper, Table 1), and training those that are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from training.formation.face_model import FaceModel
from training.recipes.backbones import BackboneConfig
from training.recipes.inverse.config import BreedConfig, InverseConfig, paper, resnet, shipped, tiny, trial
from training.recipes.inverse.run import Trained, load_run
from training.recipes.inverse.train import Judge, train
from training.recipes.photos import Photos
from training.recipes.reports import train_missing

PLAIN, MODEL_SPACE, BRED, RESTORED = "plain", "model_space", "bred", "restore"
TITLES = {
    PLAIN: "{backbone}",
    MODEL_SPACE: "+ model-space loss",
    BRED: "+ breeding (= InverseFaceNet)",
    RESTORED: "+ breeding that restores variance",
    "resnet": "ResNet + model-space loss",
    "alexnet": "AlexNet + model-space loss",
    "optimiser": "+ model-space loss, {optimiser}",
}


@dataclass(frozen=True)
class Study:
    """configs by the runs' keys; how many drawn faces are held out, how many pictures show, and the unshifted sets."""

    configs: dict[str, InverseConfig]
    held_out: int = 400
    samples: int = 8
    target: int = 2_000
    test: int = 400


def full() -> Study:
    """The paper's: AlexNet and ResNet-101 at 240 pixels, 75,000 and 150,000 batches of 32. Days on a CPU."""
    return Study(_compared(paper(), {"resnet": resnet()}), target=20_000, test=2_000)


def product() -> Study:
    """The same three steps with the network that the product takes, at 240 pixels."""
    return Study(_compared(shipped(), {}), target=4_000)


def quick() -> Study:
    """Everything at 64 pixels with a small network, AlexNet and ResNet at a quarter of their widths: an hour."""
    base = trial()
    backbone = replace(base.backbone, widths=(16, 32, 64, 96), depths=(1, 1, 1, 1), features=256)
    breed = BreedConfig(first=5_000, rounds=5, steps=1_000)
    corpus = replace(base.corpus, count=16_000)
    base = replace(base, backbone=backbone, breed=breed, corpus=corpus, size=64)
    plain = replace(base, breed=None, schedule=replace(base.schedule, steps=base.steps))
    adadelta = replace(plain.schedule, optimiser="adadelta", rate=1.0, weight_decay=0.001, ema=0.998)
    others = {
        "alexnet": replace(plain, backbone=BackboneConfig("alexnet", width=0.25, bfloat16=True)),
        "resnet": replace(plain, backbone=BackboneConfig("resnet", width=0.25, depths=(2, 2, 2, 2), bfloat16=True)),
        "optimiser": replace(plain, schedule=adadelta),
    }
    return Study(_compared(base, others), target=3_000)


def small() -> Study:
    """Everything once, in seconds: for tests."""
    base = tiny()
    others = {
        "alexnet": replace(base, breed=None, backbone=BackboneConfig("alexnet", width=0.05), size=64),
        "optimiser": replace(base, breed=None, schedule=replace(base.schedule, optimiser="adadelta", rate=1.0)),
    }
    return Study(_compared(base, others), held_out=6, samples=2, target=8, test=4)


STUDIES: dict[str, Callable[[], Study]] = {
    "quick": quick,
    "product": product,
    "full": full,
    "small": small,
}


def title(key: str, config: InverseConfig) -> str:
    """The row's name."""
    names = {"alexnet": "AlexNet", "resnet": "ResNet", "fast": "the network for CPUs", "vgg": "VGG"}
    backbone = names[config.backbone.kind]
    if config.backbone.width != 1.0:
        backbone += f" x {config.backbone.width:g}"
    optimiser = {"adadelta": "ADADELTA", "adamw": "AdamW"}[config.schedule.optimiser]
    text = TITLES[key].format(backbone=backbone, optimiser=optimiser)
    return text[0].upper() + text[1:]


def ensure(
    study: Study,
    model: FaceModel,
    photos: dict[int, Photos],
    folder: Path,
    judges: dict[str, Judge] | None = None,
    progress: bool = True,
) -> dict[str, Trained]:
    """Every run of the study, trained where `folder` does not hold it whole; photos by the pictures' size.

    A run that was cut short goes on. Raises `ValueError` when a run there is of another configuration or other data.
    """
    runs = {}
    for name, config in study.configs.items():
        path = folder / name
        target = photos[config.size] if config.breed is not None else None
        judge = judges.get(name) if judges else None
        train_missing(path, config.steps, partial(train, config, model, target, path, progress=progress, judge=judge))
        runs[name] = load_run(path)
    return runs


def _compared(base: InverseConfig, others: dict[str, InverseConfig]) -> dict[str, InverseConfig]:
    """The paper's three steps from `base` and breeding that restores variance, all for as many batches; others beside
    them.
    """
    assert base.breed is not None
    schedule = replace(base.schedule, steps=base.steps)
    plain = replace(base, breed=None, schedule=schedule, loss=replace(base.loss, space="numbers"))
    configs = {PLAIN: plain, MODEL_SPACE: replace(plain, loss=base.loss)}
    for name, restore in ((BRED, False), (RESTORED, True)):
        configs[name] = replace(base, schedule=schedule, breed=replace(base.breed, restore=restore))
    return {name: replace(config, name=name) for name, config in (configs | others).items()}
