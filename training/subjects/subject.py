"""All that is random about one rendered photo, drawn from (seed, index) alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from training.populations.identity import Identity, Population
from training.subjects.beard import Beard, draw_beard
from training.subjects.brows import Brows, draw_brows
from training.subjects.clothes import Clothes, draw_clothes
from training.subjects.expression import draw_expression
from training.subjects.eyes import Eyes, draw_eyes
from training.subjects.glasses import Glasses, draw_glasses
from training.subjects.hair import Hair, draw_hair
from training.subjects.headwear import Headwear, draw_headwear
from training.subjects.light import Light, draw_light
from training.subjects.occluder import Occluder, draw_occluder
from training.subjects.skin import Skin, draw_skin
from training.subjects.view import View, draw_view

_PARTS = 16


@dataclass(frozen=True)
class Stock:
    """Names of what draws may choose from beside what is made by rule: HDRIs, photographic skins, hair styles."""

    worlds: tuple[str, ...]
    skins: tuple[str, ...] = ()
    hair_styles: tuple[str, ...] = ()


@dataclass(frozen=True)
class SubjectParams:
    """One photo's random numbers; JSON-ready through :meth:`to_json`. What a subject does not have is None."""

    seed: int
    index: int
    identity: Identity
    expression: dict[str, float]
    skin: Skin
    eyes: Eyes
    brows: Brows
    hair: Hair
    beard: Beard
    glasses: Glasses | None
    headwear: Headwear | None
    occluder: Occluder | None
    clothes: Clothes
    light: Light
    view: View

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dicts."""
        return asdict(self)


def draw_subject(
    population: Population, stock: Stock, seed: int, index: int, photos: int = 1, yaws: tuple[float, ...] = ()
) -> SubjectParams:
    """Sample ``index`` of the set ``seed``: depends on these and on what there is to draw from, nothing else.

    Each part has a generator of its own, so that a change in how one part is drawn leaves the others as they were.
    Every ``photos`` in a row show one person: head, skin, eyes, brows, hair and beard are the same. With ``yaws``,
    degrees, the photos take theirs from there in turn.
    """
    who = np.random.default_rng([seed, index // photos]).spawn(_PARTS)
    then = who if photos == 1 else np.random.default_rng([seed, index, photos]).spawn(_PARTS)
    identity = population.draw(who[0])
    traits = identity.traits
    skin = draw_skin(who[1], traits, stock.skins)
    hair = draw_hair(who[2], traits, stock.hair_styles)
    view = draw_view(then[3])
    if yaws:
        view = replace(view, yaw=float(yaws[index % len(yaws)]))
    roots = hair.colour, hair.grey, hair.grey_colour
    return SubjectParams(
        seed=seed,
        index=index,
        identity=identity,
        expression=draw_expression(then[4]),
        skin=skin,
        eyes=draw_eyes(who[5], skin.melanin, traits.age),
        hair=hair,
        brows=draw_brows(who[6], traits, *roots),
        beard=draw_beard(who[7], traits, *roots),
        glasses=draw_glasses(then[8], traits),
        headwear=draw_headwear(then[9], traits),
        occluder=draw_occluder(then[10], traits, view.yaw),
        clothes=draw_clothes(then[11], traits),
        light=draw_light(then[12], stock.worlds),
        view=view,
    )
