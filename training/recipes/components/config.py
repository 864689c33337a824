"""Complete configurations of the recipe `components`; each function returns one.

Table 1 of the paper, for pictures of 32 x 32 pixels:

              objects, 30^3 voxels                  faces, point clouds
              linear  non-linear     convolutional  linear  non-linear     convolutional
    encoder   1024-60 1024-100-60    3x3: 1-32-16   1024-60 1024-100-60    3x3: 1-32-16
    mapping   60-100-400             1x3: 100, 400  60-100-98              1x3: 100, 98
    decoder   400-p   400-800-p      3x3x3: 32-16   98-p    98-200-p       none

p is 27,000 for objects; for faces theirs is 160,470 (53,490 points) and ours three times the template's vertices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from training.recipes.configs import from_record

Kind = Literal["objects", "heads"]


@dataclass(frozen=True)
class EncoderConfig:
    """Picture -> code of `code` numbers.

    linear: the first principal components. feedforward: layers of `widths`. convolutional: 3 x 3 convolutions of
    `widths` maps, each halved, and a layer to the code (the paper does not say how its maps become the 60 numbers that
    its mapping takes). alexnet: Krizhevsky et al. 2012, at 227 x 227. residual: the project's own compact network of
    `widths`. timm: the network `model` of the library timm, with its ImageNet weights where `weights` says so.
    """

    kind: Literal["linear", "feedforward", "convolutional", "alexnet", "residual", "timm"]
    code: int = 60
    widths: tuple[int, ...] = ()
    model: str = ""
    weights: bool = True


@dataclass(frozen=True)
class MappingConfig:
    """Code of the picture -> code of the shape. linear is solved by least squares; `hidden` neurons between else.

    convolutional: `hidden` filters of 1 x 3 over the code, then a layer; feedforward: one hidden layer or more. `skip`
    adds the linear mapping beside the neurons, from which training then starts. kernel: ridge regression with Gaussian
    kernels about at most `hidden` labelled codes, solved too; for few labels. `beside` such a mapping stand neurons of
    these widths, trained on answers (`ViewsConfig`), and the mapping is the mean of both.
    """

    kind: Literal["linear", "feedforward", "convolutional", "kernel"]
    hidden: tuple[int, ...] = (100,)
    skip: bool = False
    dropout: float = 0.0
    beside: tuple[int, ...] = ()


@dataclass(frozen=True)
class DecoderConfig:
    """Code of `code` numbers -> shape.

    linear: principal components of the shapes. feedforward: a hidden layer of `widths`, and the same on the way in.
    convolutional: 3 x 3 x 3 convolutions of `widths` maps, each after a doubling; for objects alone.
    """

    kind: Literal["linear", "feedforward", "convolutional"]
    code: int
    widths: tuple[int, ...] = ()


@dataclass(frozen=True)
class StageConfig:
    """One stage of the training: AdamW's rate over `steps` batches, risen to in a twentieth, then half a cosine."""

    steps: int
    rate: float = 1e-3
    batch_size: int = 40
    weight_decay: float = 0.0


@dataclass(frozen=True)
class ViewsConfig:
    """Pre-training that knows which pictures show the same thing, though of none its shape.

    agreement: a second encoder learns codes in which `views` pictures of each of `batch_size` things agree, behind an
    expander to `expanded` numbers; pictures are moved by up to `shift` pixels, their darkness by a factor of up to
    exp(`tone`). answers: what both encoders answer to unlabelled pictures, each through a kernel mapping of at most
    `centres` centres, averaged over the pictures of a thing, is taught to the second and to the mapping's neurons. The
    stage `mapping` then begins at the codes that came of it.
    """

    agreement: StageConfig
    answers: StageConfig
    views: int = 4
    expanded: int = 256
    shift: int = 1
    tone: float = 0.2
    centres: int = 1500


@dataclass(frozen=True)
class ComponentsConfig:
    """One run. `size` is the side of the grey pictures, in pixels.

    Stages: `images` trains the encoder on pictures without shapes, `shapes` the decoder on shapes without pictures,
    `mapping` what lies between on labelled pairs, `all` everything on them. `pretrained` False leaves out all but the
    last, from random weights. `labelled` is the share of the training pairs whose shape may be seen. `mirror` adds
    mirrored pictures with mirrored shapes. `held_out` and `test` are shares of the things; `validate` that of the
    labelled things on which the best state is chosen. `views` adds pre-training on views of one thing.
    """

    name: str
    kind: Kind
    encoder: EncoderConfig
    mapping: MappingConfig
    decoder: DecoderConfig
    images: StageConfig
    shapes: StageConfig
    between: StageConfig
    all: StageConfig
    size: int = 32
    pretrained: bool = True
    views: ViewsConfig | None = None
    labelled: float = 1.0
    mirror: bool = False
    test: float = 0.15
    validate: float = 0.1
    seed: int = 0
    validate_every: int = 100
    checkpoint_every: int = 500

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; `from_json` undoes it."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> ComponentsConfig:
        """The configuration that `record` describes."""
        return from_record(ComponentsConfig, record)


def stage_of(config: ComponentsConfig, name: str) -> StageConfig:
    """The stage called `name`, of the run itself or of its pre-training on views."""
    found: StageConfig = getattr(config.views if name in ("agreement", "answers") else config, name)
    return found


ENCODERS = {
    "linear": EncoderConfig("linear"),
    "feedforward": EncoderConfig("feedforward", widths=(100,)),
    "convolutional": EncoderConfig("convolutional", widths=(32, 16)),
    "alexnet": EncoderConfig("alexnet"),
    "residual": EncoderConfig("residual", code=256, widths=(32, 64, 128)),
}
MAPPINGS = {
    "linear": MappingConfig("linear"),
    "feedforward": MappingConfig("feedforward"),
    "convolutional": MappingConfig("convolutional"),
    "kernel": MappingConfig("kernel", (1500,)),
}
_CODES = {"objects": 400, "heads": 98}
_HIDDEN = {"objects": 800, "heads": 200}


def decoder(kind: Kind, form: str) -> DecoderConfig:
    """The decoder of Table 1 in one of its forms. Raises `ValueError` for a form that the table does not have."""
    if form == "linear":
        return DecoderConfig("linear", _CODES[kind])
    if form == "feedforward":
        return DecoderConfig("feedforward", _CODES[kind], (_HIDDEN[kind],))
    if form == "convolutional" and kind == "objects":
        return DecoderConfig("convolutional", _CODES[kind], (32, 16))
    raise ValueError(f"there is no {form} decoder for {kind}")


def paper(kind: Kind, encoder: str = "convolutional", mapping: str = "feedforward", form: str = "") -> ComponentsConfig:
    """A column of Table 1, or a mixture of columns; by default the ones that the paper ends with.

    The paper trains each part for 1000 epochs at 0.001 and as long at 0.00001. Here the rate falls along a cosine, over
    about a tenth as many batches, and the best state on held-out pairs is kept.
    """
    return ComponentsConfig(
        name="paper",
        kind=kind,
        encoder=ENCODERS[encoder],
        mapping=MAPPINGS[mapping],
        decoder=decoder(kind, form or ("feedforward" if kind == "objects" else "linear")),
        images=StageConfig(4000, 1e-3, 64),
        shapes=StageConfig(1500, 1e-3, 40),
        between=StageConfig(3000, 2e-3, 128, 1e-3),
        all=StageConfig(1500, 5e-4, 40, 1e-2),
        size=227 if encoder == "alexnet" else 32,
    )


def shipped(kind: Kind) -> ComponentsConfig:
    """What does best here: a residual encoder at 64 pixels, mirrored pairs, a convolutional decoder for objects."""
    base = paper(kind, "residual", "feedforward", "convolutional" if kind == "objects" else "linear")
    return replace(
        base,
        name="shipped",
        size=64,
        mirror=kind == "objects",
        mapping=MappingConfig("feedforward", (512,), skip=True, dropout=0.1),
        decoder=replace(base.decoder, code=128 if kind == "objects" else 98, widths=base.decoder.widths),
        images=StageConfig(3000, 1e-3, 64),
        shapes=StageConfig(3000, 1e-3, 32),
        all=StageConfig(4000, 1e-3, 64, 2e-2),
    )


def few(kind: Kind) -> ComponentsConfig:
    """What does best here where labels are few: the paper's small networks, pre-trained on views of one thing too."""
    views = ViewsConfig(
        agreement=StageConfig(4000, 3e-3, 48, 1e-4),
        answers=StageConfig(5000, 2e-3, 128, 1e-3),
        views=4 if kind == "objects" else 3,
    )
    mapping = MappingConfig("kernel", (1500,), beside=(100,))
    return replace(paper(kind, form="linear"), name="few", mapping=mapping, mirror=True, labelled=0.05, views=views)


def tiny(kind: Kind) -> ComponentsConfig:
    """Seconds on one core: for tests and for trying things out."""
    base = paper(kind)
    return replace(
        base,
        name="tiny",
        encoder=EncoderConfig("convolutional", code=12, widths=(8, 8)),
        mapping=MappingConfig("feedforward", (24,)),
        decoder=DecoderConfig("feedforward" if kind == "objects" else "linear", 8, (16,) if kind == "objects" else ()),
        images=StageConfig(100, 3e-3, 16),
        shapes=StageConfig(200, 5e-3, 16),
        between=StageConfig(200, 3e-3, 32),
        all=StageConfig(200, 2e-3, 16),
        size=16,
        test=0.25,
        validate=0.2,
        validate_every=20,
        checkpoint_every=40,
    )


CONFIGURATIONS: dict[str, Callable[[Kind], ComponentsConfig]] = {
    "shipped": shipped,
    "paper": paper,
    "few": few,
    "tiny": tiny,
}
