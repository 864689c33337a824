from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np

from training.populations.identity import Traits
from training.subjects.beard import Beard, beard_cover, beard_props, draw_beard

FULL = Beard("full", 3, (0.03, 0.02, 0.01), stubble=0.3, moustache=1, chin=1, jaw=1, sideburn=0.9, neck=0.4, length=8.0)


def strands(template, vertices, beard: Beard) -> np.ndarray:
    return np.concatenate([prop.points for prop in beard_props(template, vertices, beard)])


def test_a_full_beard_covers_lip_chin_and_jaw_and_no_lips(population):
    template, head = population.template, population.template.mean
    roots = strands(template, head, FULL)[:, 0]
    marks = head[template.landmarks68]
    chin, lip = head[template.chin_front], 0.5 * (marks[33] + marks[51])
    for place in (chin + np.array([0.0, 6.0, 0.0]), lip + np.array([7.0, 0.0, 0.0]), marks[12], marks[4]):
        assert np.linalg.norm(roots - place, axis=1).min() < 8.0
    assert np.quantile(roots[:, 1], 0.995) < marks[17:27, 1].mean()
    lips = head[template.region("lips")]
    mouth = (np.abs(roots[:, 0]) < 15.0) & (roots[:, 1] < marks[51, 1] - 4.0) & (roots[:, 1] > marks[57, 1] + 4.0)
    assert not (mouth & (np.linalg.norm(roots[:, None] - lips, axis=2).min(1) < 2.0)).any()


def test_a_beard_goes_with_the_jaw(population):
    template, head = population.template, population.template.mean
    names = [str(name) for name in template.expression_names]
    action = template.expression[names.index("jawOpen")] * np.float32(0.6)
    goatee = replace(FULL, moustache=0.0, jaw=0.0, sideburn=0.0, neck=0.0)
    dropped = (strands(template, head + action, goatee) - strands(template, head, goatee))[:, 0, 1]
    chin = action[template.landmarks68[8], 1]
    assert chin < -3.0
    assert abs(np.median(dropped) - chin) < 0.35 * abs(chin)


def test_a_shaved_face_has_no_strands_and_stubble_darkens_where_a_beard_would_grow(population):
    template, head = population.template, population.template.mean
    shaved = Beard("none", 3, (0.03, 0.02, 0.01), stubble=0.6)
    assert beard_props(template, head, shaved) == ()
    cover = beard_cover(template, shaved)
    assert 0.4 < cover.max() <= 0.61
    assert not cover[template.region("lips") | template.region("eyes") | template.region("scalp")].max() > 0.3
    assert not beard_cover(template, replace(shaved, stubble=0.0)).any()


def test_longer_beards_hang_lower_and_patchy_ones_are_thinner(population):
    template, head = population.template, population.template.mean
    short = strands(template, head, FULL)
    assert strands(template, head, replace(FULL, long=50.0))[..., 1].min() < short[..., 1].min() - 25.0
    assert len(strands(template, head, replace(FULL, patchy=1.0))) < 0.9 * len(short)


def test_men_grow_beards_and_women_do_not():
    def draws(female: float) -> list[Beard]:
        traits = Traits(40.0, female, 0.3, 0.2, 0.5)
        return [draw_beard(np.random.default_rng(seed), traits, (0.03, 0.02, 0.01)) for seed in range(300)]

    men, women = draws(0.1), draws(0.9)
    assert 90 < sum(beard.length > 0.0 for beard in men) < 220
    assert not any(beard.length > 0.0 or beard.stubble > 0.0 for beard in women)
    assert len({beard.style for beard in men}) > 6
    assert json.loads(json.dumps(asdict(men[0])))["style"] == men[0].style
