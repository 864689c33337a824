"""Which runs the report compares, and training those that are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from training.formation.face_model import FaceModel
from training.recipes.backbones import BackboneConfig
from training.recipes.mofa.config import MofaConfig, paper, shipped, tiny, trial, vgg
from training.recipes.mofa.pictures import Pictures
from training.recipes.mofa.run import Trained, load_run
from training.recipes.mofa.train import train
from training.recipes.reports import train_missing

UNSUPERVISED, SURROGATE, PHOTOS = "unsupervised", "landmarks", "photos"
TITLES = {
    UNSUPERVISED: "{encoder}, pictures alone",
    SURROGATE: "{encoder}, with the landmark surrogate",
    "alexnet": "{encoder}, pictures alone",
    "vgg": "{encoder}, pictures alone",
    PHOTOS: "{encoder}, photos alone",
}


@dataclass(frozen=True)
class Study:
    """configs by the runs' keys; scenes that are held out; pictures shown; batches and width of the learned decoders.

    `rivals` 0 leaves the learned decoders out.
    """

    configs: dict[str, MofaConfig]
    held_out: int = 400
    samples: int = 6
    rivals: int = 6_000
    width: float = 1.0


def full() -> Study:
    """The paper's: AlexNet and VGG-Face's network at 240 pixels, 200,000 batches of 5. Days on a CPU."""
    return Study(_compared(paper(), {"vgg": vgg()}), rivals=200_000)


def product() -> Study:
    """The network that the product takes, at 240 pixels."""
    return Study(_compared(shipped(), {}), rivals=0)


def quick() -> Study:
    """Everything at 96 pixels, AlexNet at a quarter of its width and VGG at an eighth."""
    base = trial()
    others = {
        "alexnet": replace(base, backbone=BackboneConfig("alexnet", width=0.25)),
        "vgg": replace(base, backbone=BackboneConfig("vgg", width=0.125)),
    }
    return Study(_compared(base, others), rivals=base.steps // 2, width=0.5)


def brief() -> Study:
    """Figure 10 and the surrogate at 64 pixels with a small network."""
    base = trial()
    base = replace(
        base,
        backbone=replace(base.backbone, widths=(16, 32, 64, 96), depths=(1, 1, 1, 1), features=256),
        schedule=replace(base.schedule, rate=1e-3, steps=4_000),
        scenes=replace(base.scenes, count=8_000),
        size=64,
        checkpoint_every=100,
        validate_every=500,
    )
    return Study(_compared(base, {}), held_out=200, rivals=1_000, width=0.25)


def small() -> Study:
    """Everything once, in seconds: for tests."""
    others = {"vgg": replace(tiny(), backbone=BackboneConfig("vgg", width=0.05))}
    return Study(_compared(tiny(), others), held_out=6, samples=2, rivals=4, width=0.1)


STUDIES: dict[str, Callable[[], Study]] = {
    "quick": quick,
    "product": product,
    "full": full,
    "brief": brief,
    "small": small,
}


def title(key: str, config: MofaConfig) -> str:
    """The row's name."""
    names = {"alexnet": "AlexNet", "resnet": "ResNet", "fast": "the network for CPUs", "vgg": "VGG-Face's network"}
    encoder = names[config.backbone.kind]
    if config.backbone.width != 1.0:
        encoder += f" x {config.backbone.width:g}"
    text = TITLES[key].format(encoder=encoder)
    return text[0].upper() + text[1:]


def ensure(
    name: str,
    config: MofaConfig,
    model: FaceModel,
    pictures: Pictures,
    held_out: Pictures,
    folder: Path,
    progress: bool = True,
) -> Trained:
    """The run of this name, trained where `folder` does not hold it whole; one that was cut short goes on.

    Raises `ValueError` when a run there is of another configuration or other data.
    """
    path = folder / name
    train_missing(path, config.steps, partial(train, config, model, pictures, held_out, path, progress=progress))
    return load_run(path)


def _compared(base: MofaConfig, others: dict[str, MofaConfig]) -> dict[str, MofaConfig]:
    surrogate = replace(base, losses=replace(base.losses, landmarks=1.0))
    configs = {UNSUPERVISED: base, SURROGATE: surrogate} | others
    return {name: replace(config, name=name) for name, config in configs.items()}
