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

UNSUPERVISED, SHORT, SURROGATE, PHOTOS = "unsupervised", "short", "landmarks", "photos"
TITLES = {
    UNSUPERVISED: "{encoder}, pictures alone",
    SHORT: "{encoder}, pictures alone",
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
    """Everything at 96 pixels; what is compared for less long, AlexNet at a quarter of its width, VGG at an eighth."""
    base, brief = trial(), trial().with_steps(2_000)
    configs = {
        UNSUPERVISED: base,
        SHORT: brief,
        SURROGATE: _with_landmarks(brief),
        "alexnet": replace(brief, backbone=BackboneConfig("alexnet", width=0.25)),
        "vgg": replace(brief, backbone=BackboneConfig("vgg", width=0.125)),
    }
    return Study(_named(configs), rivals=3_000, width=0.5)


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
    return _named({UNSUPERVISED: base, SURROGATE: _with_landmarks(base)} | others)


def _with_landmarks(config: MofaConfig) -> MofaConfig:
    """With the paper's weight; where losses are in the background's units, a squared pixel less than a colour's."""
    weight = 1e-4 if config.losses.background else 1.0
    return replace(config, losses=replace(config.losses, landmarks=weight))


def _named(configs: dict[str, MofaConfig]) -> dict[str, MofaConfig]:
    return {name: replace(config, name=name) for name, config in configs.items()}
