"""Complete configurations of the recipe `feedback`; each function returns one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from training.recipes.configs import from_record

FAR_MM = 100_000.0
"""A camera so far away sees parallel rays: weak perspective."""


@dataclass(frozen=True)
class FacesConfig:
    """What pictures are drawn of (paper, sections 4 and 6.1).

    Identity and reflectance are normal, expression normal with deviation `expression`; rotation normal with deviations
    in degrees about the camera's x, y and z axes. Phong's constants (ambient, diffuse, specular) are normal about
    `phong` with the deviation `spread`, the light comes from all directions in front. distance: the camera's, mm,
    uniform in its logarithm. The picture's frame is off by `jitter` of its side, normal, in place and size, and the
    pose that geometry is shown in by `pose` degrees: no landmark detector is exact.
    """

    rotation: tuple[float, float, float] = (10.0, 20.0, 8.0)
    expression: float = 1.0
    phong: tuple[float, float, float] = (0.5, 0.7, 0.05)
    spread: float = 0.1
    shininess: float = 10.0
    distance: tuple[float, float] = (FAR_MM, FAR_MM)
    jitter: float = 0.0
    pose: float = 0.0


@dataclass(frozen=True)
class ScheduleConfig:
    """Adam, at a fixed rate where `final` is 1, else falling as a cosine to `final` times itself after `warmup`."""

    rate: float = 1e-3
    weight_decay: float = 0.0
    steps: int = 20_000
    batch_size: int = 32
    warmup: int = 0
    final: float = 1.0
    ema: float = 0.0


@dataclass(frozen=True)
class FeedbackConfig:
    """One run. Pictures have `size` pixels, of which the landmarks' box fills `fill`.

    The network has `blocks` blocks of each of `widths` (paper, figure 4); `bfloat16` trains in that precision,
    faster, on processors that have it.

    `identity` and `expression` are numbers of coefficients. The geometry that a pair begins with lies between the truth
    and a random one; in the share `mean` of the pairs it is the mean head, with which a run begins. `iterations` are
    what is done at run time.
    """

    name: str
    size: int = 200
    fill: float = 0.75
    identity: int = 128
    expression: int = 64
    reflectance: int = 80
    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: int = 2
    bfloat16: bool = False
    mean: float = 0.0
    iterations: int = 3
    faces: FacesConfig = FacesConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    seed: int = 0
    log_every: int = 50
    checkpoint_every: int = 500
    validate_every: int = 1_000

    @property
    def count(self) -> int:
        """Coefficients in all."""
        return self.identity + self.expression

    def with_steps(self, steps: int) -> FeedbackConfig:
        """The configuration with another number of batches."""
        return replace(self, schedule=replace(self.schedule, steps=steps))

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; `from_json` undoes it."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> FeedbackConfig:
        """The configuration that `record` describes."""
        return from_record(FeedbackConfig, record)


def paper() -> FeedbackConfig:
    """Section 5 and 6: 200 x 200 pixels, figure 4's network, weak perspective, Adam at a fixed rate."""
    return FeedbackConfig("paper")


def shipped() -> FeedbackConfig:
    """Half the pixels and half the width, for two cores; frames and poses as a detector gives them."""
    return FeedbackConfig(
        "shipped",
        size=104,
        widths=(24, 48, 96, 192),
        bfloat16=True,
        mean=0.3,
        faces=FacesConfig(jitter=0.02, pose=2.0),
        schedule=ScheduleConfig(rate=1.5e-3, weight_decay=0.01, warmup=200, final=0.02, ema=0.998),
    )


def perspective() -> FeedbackConfig:
    """As `shipped`, seen from 0.35 to 2.6 m (section 9 compares the two)."""
    base = shipped()
    return replace(base, name="perspective", faces=replace(base.faces, distance=(350.0, 2600.0)))


def tiny() -> FeedbackConfig:
    """Seconds on one core: for tests."""
    return FeedbackConfig(
        "tiny",
        size=40,
        identity=3,
        expression=2,
        reflectance=2,
        widths=(8, 12, 16),
        blocks=1,
        mean=0.3,
        schedule=ScheduleConfig(rate=3e-3, steps=40, batch_size=8),
        log_every=10,
        checkpoint_every=20,
        validate_every=40,
    )


CONFIGURATIONS: dict[str, Callable[[], FeedbackConfig]] = {
    "paper": paper,
    "shipped": shipped,
    "perspective": perspective,
    "tiny": tiny,
}
