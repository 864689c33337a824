from __future__ import annotations

import numpy as np

from training.populations.actions import fitted_actions
from training.populations.anny import AnnyPopulation

UPPER, LOWER = [43, 44], [47, 46]


def test_blinks_fit_the_eyes_opening_and_leave_the_rest(population: AnnyPopulation) -> None:
    template = population.template
    names = [str(name) for name in template.expression_names]
    marks = template.landmarks68
    wide = template.mean.copy()
    lid = np.abs(wide - wide[marks[UPPER]].mean(0)).max(1) < 8.0
    wide[lid & (wide[:, 1] > wide[marks[[42, 45]], 1].mean())] += np.float32([0.0, 3.0, 0.0])
    actions = fitted_actions(template, wide)
    blink, right = names.index("eyeBlinkLeft"), names.index("eyeBlinkRight")

    def opening(head: np.ndarray) -> float:
        return float((head[marks[UPPER], 1] - head[marks[LOWER], 1]).mean())

    assert opening(wide) > opening(template.mean) + 2.0
    assert opening(wide + actions[blink]) < opening(wide + template.expression[blink]) - 1.5
    others = [row for row in range(52) if row not in (blink, right)]
    assert np.array_equal(actions[others], template.expression[others])


def test_closed_lids_lie_above_the_eyeball(population: AnnyPopulation) -> None:
    rng = np.random.default_rng(2)
    template = population.template
    names = [str(name) for name in template.expression_names]
    for _ in range(3):
        neutral = population.vertices(population.draw(rng))
        blink = fitted_actions(template, neutral)[names.index("eyeBlinkRight")]
        eye = neutral[template.eye_right]
        front, back = eye[-2], eye[-1]
        centre = back + (front - back) / 2.03
        lid = template.region("skin") & (np.linalg.norm(blink, axis=1) > 1.0)
        away = np.linalg.norm((neutral + blink)[lid] - centre, axis=1)
        assert away.min() > np.linalg.norm(eye - centre, axis=1).max() + 0.2
