"""Complete configurations of the recipe `mofa`; each function returns one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from training.crop import CROP_SCALE
from training.formation.code import CodeSizes
from training.recipes.backbones import BackboneConfig
from training.recipes.configs import from_record


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses (paper, eq. 7-10), for pictures of 240 pixels whatever the pictures' own size.

    photometric, landmarks (0 or 1: the optional surrogate), regulariser, and within that reflectance and expression.
    `blur` is the share of the steps over which the pictures that the loss looks at go from blurred by `blur_pixels` (of
    240) to sharp: photometric losses see no further than the picture's gradients reach. The paper starts from a network
    that knows faces and needs none.

    `background` is 0 for the paper's photometric loss, a mean over the face's vertices; else every pixel that the
    head's skin and eyes cover counts, against this misfit of one that they leave to the background (Schonborn et al.
    2015: without it a head shrinks to where it fits), or against `doubt` times the mean misfit of the head itself where
    that is more. `box` holds the landmarks' box in the detector's: beyond `slack` shares of the picture its weight is
    paid for each share; `depth` holds the distance, which deviates by 8 %. `centre` holds a batch's mean
    head at the model's mean, seen from the front, lest all heads turn the same wrong way.
    """

    photometric: float = 1.92
    landmarks: float = 0.0
    regulariser: float = 2.9e-5
    reflectance: float = 1.7e-3
    expression: float = 0.8
    blur: float = 0.0
    blur_pixels: float = 12.0
    background: float = 0.0
    doubt: float = 0.0
    depth: float = 0.0
    box: float = 0.0
    slack: float = 0.07
    centre: float = 0.0


@dataclass(frozen=True)
class RateConfig:
    """The learning rate of each group of numbers, as a factor of the schedule's (paper, section 7)."""

    rotation: float = 1.0
    identity: float = 1.0
    expression: float = 1.0
    reflectance: float = 1.0
    illumination: float = 1.0
    across: float = 1.0
    depth: float = 0.005


@dataclass(frozen=True)
class DescentConfig:
    """How each picture finds its own numbers (`training.recipes.mofa.descent`): `steps` of Adam at `rate`, in the end
    at `final` of it. 0 steps: gradients go through the encoder, as in the paper.
    """

    steps: int = 0
    rate: float = 0.03
    final: float = 0.3


@dataclass(frozen=True)
class ScheduleConfig:
    """Optimiser and rate over `steps` batches, as in the recipe `inverse`."""

    optimiser: Literal["adadelta", "adamw"] = "adamw"
    rate: float = 1e-3
    weight_decay: float = 0.01
    steps: int = 200_000
    batch_size: int = 5
    warmup: int = 500
    final: float = 0.05
    ema: float = 0.0


@dataclass(frozen=True)
class ScenesConfig:
    """Pictures of the model's own making, with background: what the paper's figure 10 trains and measures on.

    count; pitch, yaw and roll: the most degrees; spreads of identity, expression and reflectance in deviations; light
    uniform within `light`, its channels apart by `tint`, the first coefficient within `ambient`; `shift` and `scale`:
    how far the face is off the middle and off the usual size, as shares, as if a detector had cut the picture.
    """

    count: int = 100_000
    pitch: float = 20.0
    yaw: float = 40.0
    roll: float = 15.0
    identity: float = 1.0
    expression: float = 1.0
    reflectance: float = 1.0
    ambient: tuple[float, float] = (0.6, 1.1)
    light: float = 0.2
    tint: float = 0.05
    shift: float = 0.05
    scale: float = 0.08


@dataclass(frozen=True)
class MofaConfig:
    """One run. Pictures have `size` pixels and show faces as a localiser cuts them: `crop_scale` landmark boxes wide.

    The camera is `distance` mm from a face that fills the picture as usual; `ambient` is the light that every face
    begins with.
    """

    name: str
    backbone: BackboneConfig
    losses: LossConfig = LossConfig()
    rates: RateConfig = RateConfig()
    descent: DescentConfig = DescentConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    scenes: ScenesConfig = ScenesConfig()
    codes: CodeSizes = field(default_factory=lambda: CodeSizes(80, 64, 80))
    size: int = 240
    crop_scale: float = CROP_SCALE
    distance: float = 800.0
    ambient: float = 0.7
    held_out: int = 200
    seed: int = 0
    memory: float = 3e9
    log_every: int = 50
    checkpoint_every: int = 1_000
    validate_every: int = 1_000

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; `from_json` undoes it."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> MofaConfig:
        """The configuration that `record` describes."""
        return from_record(MofaConfig, record)

    @property
    def steps(self) -> int:
        """Batches of the whole run."""
        return self.schedule.steps

    def with_steps(self, steps: int) -> MofaConfig:
        """As many batches in all."""
        return replace(
            self, schedule=replace(self.schedule, steps=steps, warmup=min(self.schedule.warmup, steps // 10))
        )


def paper() -> MofaConfig:
    """Section 7: AlexNet, ADADELTA, 200,000 batches of 5 pictures of 240 pixels, no landmarks."""
    return MofaConfig(
        name="paper",
        backbone=BackboneConfig("alexnet", dropout=0.5),
        schedule=ScheduleConfig("adadelta", rate=0.1, weight_decay=0.0, warmup=0, final=1.0),
    )


def vgg() -> MofaConfig:
    """The paper's other encoder."""
    return replace(paper(), name="vgg", backbone=BackboneConfig("vgg", dropout=0.5))


def shipped() -> MofaConfig:
    """What the product takes: a network for CPUs, a modern optimiser, a blurred start, pixels against a background,
    and pictures that find their own numbers.
    """
    return MofaConfig(
        name="shipped",
        backbone=BackboneConfig("fast", bfloat16=True),
        losses=LossConfig(
            photometric=2.86,
            regulariser=5e-4,
            reflectance=0.3,
            blur=0.5,
            blur_pixels=24.0,
            background=0.1,
            doubt=1.5,
            depth=0.003,
            box=2.0,
            centre=0.3,
        ),
        rates=RateConfig(depth=1.0),
        descent=DescentConfig(steps=2, rate=0.06),
        schedule=ScheduleConfig(rate=1e-3, steps=20_000, batch_size=16, ema=0.99),
        scenes=ScenesConfig(count=40_000),
        memory=8e9,
    )


def trial() -> MofaConfig:
    """`shipped` at 96 pixels with fewer pictures: what the tables' quick study compares."""
    config = shipped()
    return replace(
        config,
        name="trial",
        schedule=replace(config.schedule, steps=8_000, warmup=200),
        scenes=replace(config.scenes, count=12_000),
        size=96,
        checkpoint_every=250,
        validate_every=250,
    )


def tiny() -> MofaConfig:
    """Seconds: for tests."""
    config = trial()
    return replace(
        config,
        name="tiny",
        backbone=replace(config.backbone, widths=(8, 12, 16), depths=(1, 1, 1), features=32, bfloat16=False),
        schedule=replace(config.schedule, steps=6, batch_size=4, warmup=2, ema=0.5),
        scenes=replace(config.scenes, count=16),
        codes=CodeSizes(6, 5, 3),
        size=32,
        held_out=4,
        log_every=1,
        checkpoint_every=2,
        validate_every=3,
    )


CONFIGURATIONS: dict[str, Callable[[], MofaConfig]] = {
    "shipped": shipped,
    "paper": paper,
    "vgg": vgg,
    "trial": trial,
    "tiny": tiny,
}
