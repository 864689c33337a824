from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.populations.anny import AnnyPopulation
from training.populations.identity import Traits
from training.subjects.skin import Painter, Skin, draw_skin, oiliness

TRAITS = Traits(age=40.0, female=0.9, african=0.3, asian=0.3, caucasian=0.4)


def _skins(count: int, traits: Traits | None = None, textures: tuple[str, ...] = ()) -> list[Skin]:
    made = []
    for index in range(count):
        rng = np.random.default_rng([2, index])
        mixed = rng.dirichlet([0.45] * 3)
        chosen = traits or replace(TRAITS, african=mixed[0], asian=mixed[1], caucasian=mixed[2])
        made.append(draw_skin(rng, chosen, textures))
    return made


def test_albedo_is_skin_coloured_from_very_dark_to_very_pale(population: AnnyPopulation) -> None:
    painter, face = Painter(population.template), population.template.region("face")
    albedos = [painter.albedo(replace(skin, makeup=None)) for skin in _skins(40)]
    assert min(albedo.min() for albedo in albedos) >= 0.0
    assert max(albedo.max() for albedo in albedos) <= 1.0
    red, green, blue = np.array([np.median(albedo[face], axis=0) for albedo in albedos]).T
    assert (red > green).all()
    assert (green > blue).all()
    # Measured human skin spans about 0.05 to 0.6 in the red.
    assert red.min() < 0.2
    assert red.max() > 0.45


def test_lipstick_colours_lips_and_roots_of_hair_shade_the_skin(population: AnnyPopulation) -> None:
    template = population.template
    painter = Painter(template)
    made_up = next(skin for skin in _skins(50) if skin.makeup and skin.makeup.lips > 0.5)
    with_it = painter.albedo(made_up)
    without = painter.albedo(replace(made_up, makeup=None))
    changed = np.abs(with_it - without).sum(1)
    lips, forehead = template.landmarks68[[51, 57]], template.landmarks68[[27]]
    assert changed[lips].min() > 5 * changed[forehead].max()
    chin = np.zeros(len(template.mean), np.float32)
    chin[template.landmarks68[8]] = 0.7
    shaded = painter.albedo(made_up, [(chin, np.full(3, 0.01, np.float32))])
    assert shaded[template.landmarks68[8]].sum() < 0.6 * with_it[template.landmarks68[8]].sum()
    assert np.allclose(shaded[template.landmarks68[27]], with_it[template.landmarks68[27]])


def test_photographic_skins_fit_age_and_sex() -> None:
    names = ("old_darkskinned_male_diffuse", "young_lightskinned_female_diffuse2", "young_lightskinned_male_diffuse")
    chosen = {skin.texture for skin in _skins(60, replace(TRAITS, age=22.0), names)}
    assert chosen == {"", "young_lightskinned_female_diffuse2"}
    assert {skin.texture for skin in _skins(10)} == {""}


def test_the_nose_is_oilier_than_the_cheek(population: AnnyPopulation) -> None:
    template = population.template
    oil = oiliness(template)
    assert oil[template.landmarks68[30]] > 0.9
    assert oil[template.landmarks68[3]] < 0.1
