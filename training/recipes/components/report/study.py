"""What the report tries: the forms of Table 1, the shares of labels, and how long each run is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from training.recipes.components.config import (
    MAPPINGS,
    ComponentsConfig,
    DecoderConfig,
    EncoderConfig,
    Kind,
    StageConfig,
    ViewsConfig,
    few,
    paper,
    shipped,
    tiny,
)

SHARES = (0.01, 0.05, 0.25, 1.0)


@dataclass(frozen=True)
class Study:
    """`effort` multiplies the number of batches of every stage; `seeds` runs of each share of labels; `alexnet` and
    `modern` whether those two encoders take part; `limit` things of each folder at most.
    """

    name: str
    effort: float = 1.0
    shares: tuple[float, ...] = SHARES
    seeds: int = 2
    alexnet: bool = True
    modern: bool = True
    small: bool = False
    limit: int | None = None


FULL = Study("full")
QUICK = Study("quick", effort=0.4, seeds=1, alexnet=False)
SMALL = Study("small", effort=0.2, shares=(0.25, 1.0), seeds=1, alexnet=False, modern=False, small=True)
STUDIES = {study.name: study for study in (FULL, QUICK, SMALL)}


def forms(study: Study, kind: Kind) -> dict[str, ComponentsConfig]:
    """Rows of the table of forms: encoder - mapping - decoder, as Figure 9 abbreviates them."""
    if study.small:
        base = scaled(tiny(kind), study.effort)
        linear = replace(
            base, encoder=EncoderConfig("linear", code=12), decoder=DecoderConfig("linear", 8), all=StageConfig(0)
        )
        return {
            "Lin - FF - Lin, mapping alone": linear,
            "Conv - FF - FF" if kind == "objects" else "Conv - FF - Lin": base,
        }
    rows = {
        "Lin - FF - Lin, mapping alone": replace(paper(kind, "linear", form="linear"), all=StageConfig(0)),
        "Lin - FF - Lin": paper(kind, "linear", form="linear"),
        "FF - FF - Lin": paper(kind, "feedforward", form="linear"),
        "Conv - FF - Lin": paper(kind, form="linear"),
        "Conv - Conv - Lin": paper(kind, mapping="convolutional", form="linear"),
        "Conv - FF - FF": paper(kind, form="feedforward"),
    }
    if kind == "objects":
        rows["Conv - FF - Conv"] = paper(kind, form="convolutional")
    if study.alexnet:
        alexnet = paper(kind, "alexnet", form="linear")
        short = StageConfig(60, 1e-4, 16)
        rows["AlexNet from scratch - FF - Lin"] = replace(
            alexnet, images=StageConfig(0), all=replace(short, steps=240), between=replace(alexnet.between, steps=300)
        )
    if study.modern:
        rows["Residual - FF - Lin, 64 px"] = replace(shipped(kind), decoder=paper(kind, form="linear").decoder)
    return {title: scaled(config, study.effort) for title, config in rows.items()}


def share_config(study: Study, kind: Kind, share: float, pretrained: bool, seed: int) -> ComponentsConfig:
    """The run of a share of labels: encoder and decoder of one form for all, mirrored pairs for all.

    What is pre-trained has codes between which a kernel mapping is solved; from scratch there are none, and the paper's
    neurons are trained, at a higher rate and for as many batches as all stages of the pre-trained run together.
    """
    base = few(kind)
    if study.small:
        views = ViewsConfig(agreement=StageConfig(100, 3e-3, 16), answers=StageConfig(100, 2e-3, 16))
        base = replace(tiny(kind), mapping=base.mapping, mirror=True, views=views)
    base = scaled(replace(base, labelled=share, seed=seed, pretrained=pretrained, name=f"{share:.0%}"), study.effort)
    if pretrained or base.views is None:
        return base
    stages = (base.images, base.views.agreement, base.shapes, base.views.answers, base.all)
    steps = sum(stage.steps for stage in stages)
    mapping = MAPPINGS["feedforward"]
    return replace(base, views=None, mapping=mapping, all=replace(base.all, rate=1e-3, steps=steps))


def scaled(config: ComponentsConfig, effort: float) -> ComponentsConfig:
    """The configuration with `effort` times as many batches in each stage."""
    if effort == 1.0:
        return config

    def shorter(stage: StageConfig) -> StageConfig:
        return replace(stage, steps=round(stage.steps * effort))

    if config.views is not None:
        views = config.views
        config = replace(
            config, views=replace(views, agreement=shorter(views.agreement), answers=shorter(views.answers))
        )
    return replace(
        config,
        images=shorter(config.images),
        shapes=shorter(config.shapes),
        between=shorter(config.between),
        all=shorter(config.all),
    )
