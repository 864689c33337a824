from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np

from training.populations.identity import Traits
from training.subjects.brows import Brows, brow_cover, brow_props, draw_brows

BROWN = (0.05, 0.03, 0.015)
PLAIN = Brows(seed=4, colour=BROWN)


def strands(template, vertices, brows: Brows) -> np.ndarray:
    return np.concatenate([prop.points for prop in brow_props(template, vertices, brows)])


def test_brows_lie_on_the_skin_along_their_landmarks(population):
    template, head = population.template, population.template.mean
    points = strands(template, head, PLAIN)
    skin = head[template.region("face")]
    gaps = np.linalg.norm(points[::7, :, None] - skin, axis=3).min(2)
    assert gaps.max() < 8.0
    for marks, side in ((head[template.landmarks68[22:27]], 1.0), (head[template.landmarks68[17:22]], -1.0)):
        middle = points[points[:, 0, 0] * side > 0].mean(1)
        for mark in marks[1:-1]:
            near = middle[np.abs(middle[:, 0] - mark[0]) < 5.0]
            assert abs(np.median(near[:, 1]) - mark[1]) < 3.0


def test_brows_follow_expressions(population):
    template, head = population.template, population.template.mean
    names = [str(name) for name in template.expression_names]
    action = template.expression[names.index("browInnerUp")]
    still, raised = strands(template, head, PLAIN), strands(template, head + action, PLAIN)
    lifted = (raised - still)[..., 1].mean(1)
    inner = np.abs(still[:, 0, 0]) < 22.0
    mark = action[template.landmarks68[[21, 22]], 1].mean()
    assert mark > 1.0
    assert abs(np.median(lifted[inner]) - mark) < 0.4 * mark


def test_numbers_of_brows_do_what_they_say(population):
    template, head = population.template, population.template.mean
    plain = strands(template, head, PLAIN)
    assert len(strands(template, head, replace(PLAIN, density=0.3))) < 0.5 * len(plain)
    joined = strands(template, head, replace(PLAIN, bridge=1.0))
    assert (np.abs(joined[:, 0, 0]) < 6.0).sum() > 10 > (np.abs(plain[:, 0, 0]) < 6.0).sum()
    thick = strands(template, head, replace(PLAIN, thickness=1.6))
    assert thick[:, 0, 1].std() > plain[:, 0, 1].std()
    cover = brow_cover(template, PLAIN)
    assert 0.1 < cover.max() <= 1.0
    assert not cover[~template.region("skin")].any()


def test_draws_are_json_and_bushier_in_men():
    def draws(female: float) -> list[Brows]:
        traits = Traits(40.0, female, 0.3, 0.3, 0.4)
        return [draw_brows(np.random.default_rng(seed), traits, BROWN) for seed in range(200)]

    men, women = draws(0.05), draws(0.95)
    assert np.mean([b.thickness for b in men]) > 1.15 * np.mean([b.thickness for b in women])
    assert json.loads(json.dumps(asdict(men[0])))["seed"] == men[0].seed
