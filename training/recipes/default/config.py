"""Complete configurations of the recipe `default`; each function returns one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from training.augmentation import Augmentation
from training.crop import CROP_SCALE
from training.recipes.configs import from_record
from training.recipes.joint.config import NetworkConfig, ScheduleConfig


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses' sum; each may be off (0) in an ablation.

    identity: mean squared distance of the face's vertices after alignment, mm^2, plus `whole` times that of all of the
    head's; or, with `plain`, squared differences of the coefficients alone. expression: squared differences of the 52
    actions in units of their standard deviations, plus `moved` times the mean squared distance, mm^2, of the vertices.
    points: negative log-likelihood of a Gaussian whose standard deviation the network says (Wood et al. 2022, eq. 1),
    or, with `even`, of one that is the same for all. reflectance, illumination, distance: squared differences in
    standard deviations.
    """

    identity: float = 1.0
    whole: float = 0.05
    plain: bool = False
    expression: float = 2.0
    moved: float = 0.5
    points: float = 4.0
    even: bool = False
    reflectance: float = 0.05
    illumination: float = 0.05
    distance: float = 0.1


@dataclass(frozen=True)
class CorrectionConfig:
    """How points are corrected by what is seen around the 68 landmarks: `neurons` (0: not at all) that see `each`
    numbers of every landmark, which are made of `channels` of each of two maps at nine places, `reach` (a share of the
    crop) about it.
    """

    neurons: int = 0
    each: int = 12
    channels: int = 16
    reach: float = 1 / 32


@dataclass(frozen=True)
class DefaultConfig:
    """One run: colour pictures of `size` pixels; the trunk is `network`, `expression` the neurons of that head, which
    reads `local` channels (0: none) of each of two maps at the 68 landmarks.

    `reshape` = (probability, degrees) of pictures bent to other heads' shapes (`training.recipes.joint.reshape`), which
    are up to `further` further from the mean than the population's: people are more different than its samples.
    `held_out` is the share of the identities for validation and calibration. `bfloat16` trains in that precision on
    processors that have it.
    """

    name: str
    network: NetworkConfig
    losses: LossConfig
    schedule: ScheduleConfig
    augmentation: Augmentation
    size: int = 128
    expression: int = 256
    local: int = 24
    correction: CorrectionConfig = CorrectionConfig()
    crop_scale: float = CROP_SCALE
    reshape: tuple[float, float] = (0.5, 60.0)
    further: float = 0.0
    held_out: float = 0.04
    bfloat16: bool = True
    seed: int = 0
    log_every: int = 20
    checkpoint_every: int = 250
    validate_every: int = 1000

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; `from_json` undoes it."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> DefaultConfig:
        """The configuration that `record` describes."""
        return from_record(DefaultConfig, record)


def shipped() -> DefaultConfig:
    """What the product's bundle is trained with: from the weights of a bundle of `joint`, all heads at once."""
    return DefaultConfig(
        name="shipped",
        network=NetworkConfig(
            "residual",
            widths=(32, 64, 128, 256),
            depths=(1, 1, 2, 2),
            reduced=96,
            features=512,
            dropout=0.15,
            reflectance=8,
        ),
        losses=LossConfig(),
        correction=CorrectionConfig(256),
        further=0.5,
        schedule=ScheduleConfig(
            "adamw",
            rate=6e-4,
            weight_decay=0.02,
            steps=10_000,
            batch_size=64,
            warmup=200,
            final=0.01,
            ema=0.998,
            early=(0.0, 0),
        ),
        # More than the renders' own variety: photos differ from them in light and in what cameras do to them.
        augmentation=Augmentation(
            colour=1.6,
            grey=0.15,
            blur=0.3,
            downscale=0.25,
            noise=0.4,
            jpeg=0.35,
            occlusion=0.4,
            light=0.5,
            sharpen=0.25,
        ),
    )


def tiny() -> DefaultConfig:
    """A minute on one core: for tests and for trying things out."""
    base = shipped()
    return replace(
        base,
        name="tiny",
        network=replace(base.network, widths=(8, 16, 32), depths=(1, 1, 1), reduced=16, features=64, reflectance=2),
        schedule=replace(base.schedule, steps=40, batch_size=16, warmup=10, ema=0.9, early=(0.0, 0)),
        size=32,
        expression=32,
        local=4,
        correction=CorrectionConfig(16, 4, 4),
        reshape=(0.0, 0.0),
        held_out=0.2,
        bfloat16=False,
        log_every=1,
        checkpoint_every=20,
        validate_every=20,
    )


CONFIGURATIONS: dict[str, Callable[[], DefaultConfig]] = {"shipped": shipped, "tiny": tiny}
