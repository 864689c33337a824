from __future__ import annotations

import numpy as np
import pytest

from training.subjects.light import draw_light


def test_light_comes_from_the_given_worlds_and_at_most_two_lamps() -> None:
    draws = [draw_light(np.random.default_rng([4, index]), ("city", "forest")) for index in range(200)]
    assert {name for light in draws for name in light.worlds} == {"city", "forest"}
    assert {len(light.lamps) for light in draws} == {0, 1, 2}
    assert 0.5 < np.mean([light.backdrop >= 0.0 for light in draws]) < 0.9


def test_without_worlds_it_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="--hdris"):
        draw_light(np.random.default_rng(0), ())
