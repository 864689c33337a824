from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.recipes.components.agreement import Views, disagreement, varied, views_of  # noqa: E402
from training.recipes.components.config import StageConfig, ViewsConfig  # noqa: E402
from training.recipes.components.data import Pairs  # noqa: E402

CONFIG = ViewsConfig(StageConfig(1), StageConfig(1), shift=2, tone=0.5)


def pairs(owner: list[int]) -> Pairs:
    """Pictures of four things, blank."""
    return Pairs(
        kind="objects",
        images=np.full((len(owner), 8, 8), 255, np.uint8),
        owner=np.array(owner),
        azimuths=np.zeros(len(owner), np.float32),
        shapes=np.zeros((4, 2, 2, 2), bool),
        kinds=np.full(4, "stool"),
        names=np.arange(4).astype(str),
    )


def test_views_are_of_one_thing_and_none_comes_twice_before_all_have_come() -> None:
    views = views_of(pairs([2, 0, 2, -1, 0, 2, 3, 1]), np.array([0, 2, 3]))
    assert isinstance(views, Views)
    assert views.things.tolist() == [0, 2, 3]
    drawn = views.draw(np.array([1, 0, 2]), 3, np.random.default_rng(0))
    assert sorted(drawn[0]) == [0, 2, 5]
    assert set(drawn[1]) == {1, 4}
    assert drawn[2].tolist() == [6, 6, 6]


def test_codes_should_agree_and_yet_differ() -> None:
    generator = torch.Generator().manual_seed(0)
    things = torch.randn(200, 1, 6, generator=generator)
    noise = torch.randn(200, 3, 6, generator=generator)
    good = float(disagreement(things + 0.1 * noise))
    assert good < 1.5
    assert float(disagreement(things + noise)) > good + 5  # views that do not agree
    assert float(disagreement(0.1 * noise)) > good + 5  # things that do not differ
    assert float(disagreement(things[..., :1] + 0.1 * noise)) > good + 2  # numbers that say the same


def test_pictures_move_and_darken_but_white_stays() -> None:
    images = torch.ones(20, 1, 8, 8)
    assert torch.equal(varied(images, CONFIG, np.random.default_rng(0)), images)
    images[:, :, 3:5, 3:5] = 0.6
    found = varied(images, CONFIG, np.random.default_rng(0))
    assert torch.equal(found, varied(images, CONFIG, np.random.default_rng(0)))
    dark = 1 - found
    assert ((dark > 1e-6).sum((1, 2, 3)) == 4).all()
    assert dark.amax((1, 2, 3)).min() >= 0.4 * np.exp(-0.5) - 1e-6
    assert dark.amax((1, 2, 3)).max() <= 0.4 * np.exp(0.5) + 1e-6
    assert len({tuple(place.tolist()) for place in dark.flatten(1) > 1e-6}) > 5
    still = replace(CONFIG, shift=0, tone=0.0)
    assert torch.allclose(varied(images, still, np.random.default_rng(0)), images)
