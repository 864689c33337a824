"""Complete configurations of the recipe `inverse`; each function returns one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from training.formation.code import CodeSizes
from training.recipes.backbones import BackboneConfig
from training.recipes.configs import from_record


@dataclass(frozen=True)
class CorpusConfig:
    """What the first corpus is drawn from (paper, section 5); each group is independent of the others.

    count of faces; tilt and roll: the most degrees about the camera's x and y axes, and about its z axis; shape and
    reflectance are normal, expression uniform within `expression` and the first one moved by `opening`; light uniform
    within `light`, the first coefficient within `ambient`, all channels alike; distance: the camera's, mm, uniform in
    its logarithm; `landmark_noise` moves the points that frame and mask a face, as a share of the picture.

    The paper's expressions are within 12 with an opening of 4.8. Its columns are smaller: ours have unit variance over
    the blend shapes they are made of, and 12 of them tear the mouth; a third shows what the paper's figure 3 shows.
    """

    count: int = 200_000
    tilt: float = 40.0
    roll: float = 15.0
    expression: float = 4.0
    opening: float = 1.6
    light: float = 0.2
    ambient: tuple[float, float] = (0.6, 1.2)
    distance: tuple[float, float] = (800.0, 800.0)
    landmark_noise: float = 0.0


@dataclass(frozen=True)
class BreedConfig:
    """Algorithm 1: `first` steps on the first corpus, then `rounds` of `steps` on what was bred (paper, section 7).

    Every found code is perturbed `copies` times: rotation uniform within degrees, the others normal with these
    deviations. `keep` is the share of each bred corpus that is drawn as the first one was: 0 in the paper.

    A network answers with the mean of what it holds possible, so its answers vary less than people do, and each corpus
    less than the one before. `restore` draws anew what it could not tell: identity and reflectance get as much noise as
    brings each column back to the unit variance that the model's columns have by construction.
    """

    first: int = 15_000
    rounds: int = 8
    steps: int = 7_500
    copies: int = 2
    rotation: float = 5.0
    identity: float = 0.05
    reflectance: float = 0.2
    expression: float = 0.1
    illumination: float = 0.02
    keep: float = 0.0
    restore: bool = False

    @property
    def total(self) -> int:
        """Steps of all rounds."""
        return self.first + self.rounds * self.steps


@dataclass(frozen=True)
class LossConfig:
    """`space` "model" is the paper's loss (eq. 6-8), "numbers" the plain squared distance of the codes.

    Weights are those of rotation (radians), identity, expression, reflectance and illumination; lengths count in `unit`
    mm. The paper does not say in which unit its deviations are: in centimetres the five parts are of one magnitude once
    the pose is found.
    """

    space: Literal["model", "numbers"] = "model"
    rotation: float = 400.0
    identity: float = 50.0
    expression: float = 50.0
    reflectance: float = 100.0
    illumination: float = 20.0
    unit: float = 10.0


@dataclass(frozen=True)
class ScheduleConfig:
    """Optimiser, its rate and how it falls, over `steps` batches.

    "adadelta" keeps its rate (the paper's); "adamw" rises over `warmup` steps and falls as a cosine to `final` times
    itself over all steps, the bred ones with them. `ema` averages the weights that are judged, bred with and exported.
    """

    optimiser: Literal["adadelta", "adamw"] = "adamw"
    rate: float = 1e-3
    weight_decay: float = 0.02
    steps: int = 75_000
    batch_size: int = 32
    warmup: int = 500
    final: float = 0.02
    ema: float = 0.0


@dataclass(frozen=True)
class InverseConfig:
    """One run. Pictures have `size` pixels and the landmarks' box fills `fill` of them; `breed` None trains plainly.

    `memory` are the bytes that rasterised pictures may take: as long as they fit, a face is drawn once.
    """

    name: str
    backbone: BackboneConfig
    loss: LossConfig = LossConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    corpus: CorpusConfig = CorpusConfig()
    breed: BreedConfig | None = None
    codes: CodeSizes = field(default_factory=CodeSizes)
    size: int = 240
    fill: float = 0.95
    seed: int = 0
    memory: float = 3e9
    log_every: int = 50
    checkpoint_every: int = 1_000

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; `from_json` undoes it."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> InverseConfig:
        """The configuration that `record` describes."""
        return from_record(InverseConfig, record)

    @property
    def steps(self) -> int:
        """Batches of the whole run."""
        return self.schedule.steps if self.breed is None else self.breed.total

    def with_steps(self, steps: int) -> InverseConfig:
        """As many batches in all; breeding's rounds are shortened in proportion."""
        schedule = replace(self.schedule, steps=steps, warmup=min(self.schedule.warmup, steps // 10))
        if self.breed is None:
            return replace(self, schedule=schedule)
        each = round(steps * self.breed.steps / self.breed.total)
        breed = replace(self.breed, steps=each, first=steps - self.breed.rounds * each)
        return replace(self, schedule=schedule, breed=breed)


def paper() -> InverseConfig:
    """Section 6 and 7: AlexNet, ADADELTA, 15,000 + 8 x 7,500 batches of 32."""
    return InverseConfig(
        name="paper",
        backbone=BackboneConfig("alexnet", dropout=0.5),
        schedule=ScheduleConfig("adadelta", rate=0.01, weight_decay=0.001, steps=75_000, warmup=0, final=1.0),
        breed=BreedConfig(),
    )


def resnet() -> InverseConfig:
    """The paper's other backbone, for twice as long, without breeding."""
    schedule = replace(paper().schedule, steps=150_000)
    config = replace(paper(), name="resnet", schedule=schedule, breed=None)
    return replace(config, backbone=BackboneConfig("resnet", depths=(3, 4, 23, 3)))


def shipped() -> InverseConfig:
    """What the product takes: a network for CPUs, a modern optimiser, landmarks as a detector finds them."""
    return InverseConfig(
        name="shipped",
        backbone=BackboneConfig("fast", dropout=0.1, bfloat16=True),
        schedule=ScheduleConfig(steps=20_000, ema=0.998),
        corpus=CorpusConfig(count=60_000, distance=(450.0, 1800.0), landmark_noise=0.008),
        breed=BreedConfig(first=4_000, rounds=8, steps=2_000, restore=True),
        memory=6e9,
    )


def trial() -> InverseConfig:
    """`shipped` at 96 pixels with fewer faces: some 20 minutes on two cores."""
    config = shipped()
    return replace(
        config,
        name="trial",
        corpus=replace(config.corpus, count=24_000),
        schedule=replace(config.schedule, steps=8_000, warmup=200),
        breed=BreedConfig(first=2_000, rounds=6, steps=1_000, restore=True),
        size=96,
    )


def tiny() -> InverseConfig:
    """Seconds: for tests."""
    config = trial()
    return replace(
        config,
        name="tiny",
        backbone=replace(config.backbone, widths=(8, 12, 16), depths=(1, 1, 1), features=32, bfloat16=False),
        corpus=replace(config.corpus, count=24),
        schedule=replace(config.schedule, steps=6, batch_size=4, warmup=2, ema=0.5),
        breed=BreedConfig(first=2, rounds=2, steps=2),
        codes=CodeSizes(6, 5, 3),
        size=32,
        log_every=1,
        checkpoint_every=2,
    )


CONFIGURATIONS: dict[str, Callable[[], InverseConfig]] = {
    "shipped": shipped,
    "paper": paper,
    "resnet": resnet,
    "trial": trial,
    "tiny": tiny,
}
