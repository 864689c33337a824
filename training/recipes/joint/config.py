"""Complete configurations of the recipe `joint`; each function returns one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from training.augmentation import Augmentation
from training.crop import CROP_SCALE
from training.recipes.configs import from_record


@dataclass(frozen=True)
class NetworkConfig:
    """What estimates the representation from the picture.

    kind "paper" is three convolutions (5 x 5, halved each time) of `widths` and two feed-forward layers of `features`
    and the representation's length, with `dropout` between. kind "residual" is a residual network of `widths` and
    `depths` whose last maps, reduced to `reduced` channels, and whose landmarks lead to the representation through
    `features` neurons; it also estimates landmarks, from maps merged to `merged` channels (0: the last width but one),
    and `reflectance` coefficients.
    """

    kind: Literal["paper", "residual"]
    widths: tuple[int, ...]
    depths: tuple[int, ...] = ()
    reduced: int = 0
    merged: int = 0
    features: int = 512
    dropout: float = 0.0
    reflectance: int = 0


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses' sum.

    j1: reconstruction (paper, eq. 3). j2: agreement of the picture's representation with the head's (eq. 4), measured
    in the representation ("latent", the paper's own) or as the vertices' distance that it makes ("vertices": mm over
    the face region after alignment, and `whole` times as much over all vertices). `j2_to_encoder` scales what J2 says
    to autoencoder and basis: 1 is the paper's joint training, 0 two independent networks. landmarks, dense: mean
    absolute distance in shares of the crop; reflectance: squared difference of unit-variance coefficients.
    """

    j1: float = 1.0
    j2: float = 1.0
    j2_space: Literal["latent", "vertices"] = "latent"
    whole: float = 0.0
    j2_to_encoder: float = 1.0
    landmarks: float = 0.0
    dense: float = 0.0
    reflectance: float = 0.0


@dataclass(frozen=True)
class ScheduleConfig:
    """Optimiser ("adam" with the weight decay in the gradient, or "adamw"), its rate over `steps`, and averaging.

    The rate rises over `warmup` steps and falls as a cosine to `final` times itself; `warmup` 0 and `final` 1 keep it
    fixed. `ema` is the decay of the weights' average that is evaluated and exported; 0 takes the weights themselves.
    `early` = (share, size): that share of the steps, the first ones, sees crops of that many pixels, which cost less.
    """

    optimiser: Literal["adam", "adamw"]
    rate: float
    weight_decay: float
    steps: int
    batch_size: int
    warmup: int = 0
    final: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    ema: float = 0.0
    early: tuple[float, int] = (0.0, 0)


@dataclass(frozen=True)
class JointConfig:
    """One run: pictures of `size` pixels, grey or not, and heads as `neurons` numbers.

    `subspace` is the number of principal directions that heads are given in, None for the plain vectors; vertices
    outside the face region weigh `outside`; the squared length of a vector is the head's weighted mean squared distance
    from the mean in mm^2, or, with `first_loss`, lengths are such that J1 begins there. `posed` = (share of each
    batch, degrees turned beyond); `held_out` is the share of the identities for validation. `hidden` are widths of
    further encoder layers.

    `basis` says where the basis comes from: "joint" is the paper's way, J1 and J2 at once; "first" two stages, J1 alone
    for `first_steps` steps and then, with the autoencoder held, J2; "fixed" principal components that no loss moves.
    `reshape` = (probability, degrees) of pictures bent to other heads' shapes (`training.recipes.joint.reshape`).
    """

    name: str
    network: NetworkConfig
    losses: LossConfig
    schedule: ScheduleConfig
    augmentation: Augmentation
    size: int
    grey: bool
    neurons: int = 280
    basis: Literal["joint", "first", "fixed"] = "joint"
    first_steps: int = 0
    hidden: tuple[int, ...] = ()
    principal_start: bool = False
    subspace: int | None = None
    first_loss: float | None = None
    outside: float = 1.0
    posed: tuple[float, float] | None = None
    held_out: float = 0.04
    crop_scale: float = CROP_SCALE
    reshape: tuple[float, float] = (0.0, 0.0)
    seed: int = 0
    log_every: int = 20
    checkpoint_every: int = 500
    validate_every: int = 1000

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; `from_json` undoes it."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> JointConfig:
        """The configuration that `record` describes."""
        return from_record(JointConfig, record)


def paper() -> JointConfig:
    """Kamyab & Azimifar's own: section IV.D and V.H. Lengths are such that the loss starts as high as theirs, at 1845.

    The paper does not give the layers' widths. Its framework was Caffe, whose example for 32 x 32 pictures
    (`cifar10_quick`) is three 5 x 5 convolutions of 32, 32 and 64 maps and two feed-forward layers: those are taken,
    with more neurons between them, since 280 numbers come out and not 10.
    """
    return JointConfig(
        name="paper",
        network=NetworkConfig("paper", widths=(32, 32, 64), features=512, dropout=0.6),
        losses=LossConfig(),
        schedule=ScheduleConfig("adam", rate=10e-6, weight_decay=5e-4, steps=50_000, batch_size=60),
        augmentation=Augmentation.none(),
        size=32,
        grey=True,
        neurons=280,
        first_loss=1845.0,
        posed=(0.2, 30.0),
    )


def shipped() -> JointConfig:
    """What the product's bundle is trained with: the same two losses, colour, 128 pixels, a modern network."""
    return JointConfig(
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
        losses=LossConfig(
            j1=10.0, j2=1.0, j2_space="vertices", whole=0.05, landmarks=50.0, dense=50.0, reflectance=0.05
        ),
        schedule=ScheduleConfig(
            "adamw",
            rate=1.5e-3,
            weight_decay=0.02,
            steps=4_500,
            batch_size=64,
            warmup=150,
            final=0.01,
            ema=0.998,
            early=(0.5, 64),
        ),
        augmentation=Augmentation(),
        size=128,
        grey=False,
        neurons=280,
        principal_start=True,
        subspace=512,
        outside=0.2,
        reshape=(0.5, 60.0),
    )


def tiny() -> JointConfig:
    """A minute on one core: for tests and for trying things out."""
    base = shipped()
    return replace(
        base,
        name="tiny",
        network=replace(base.network, widths=(8, 16, 32), depths=(1, 1, 1), reduced=16, features=64, reflectance=2),
        losses=replace(base.losses, j1=1.0),
        schedule=replace(base.schedule, steps=60, batch_size=16, warmup=10, ema=0.9, early=(0.0, 0)),
        reshape=(0.0, 0.0),
        size=32,
        neurons=8,
        subspace=24,
        held_out=0.2,
        log_every=1,
        checkpoint_every=20,
        validate_every=30,
    )


CONFIGURATIONS: dict[str, Callable[[], JointConfig]] = {"shipped": shipped, "paper": paper, "tiny": tiny}
