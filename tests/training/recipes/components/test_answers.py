from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.recipes.components.test_agreement import pairs  # noqa: E402
from training.recipes.components.answers import mean_answers  # noqa: E402


def test_a_thing_is_answered_with_the_mean_over_its_pictures_and_the_teachers() -> None:
    asked = pairs([0, 1, -1, 0, -1, 0])
    images = asked.images.copy()
    images[:, 0, 0] = [0, 51, 102, 153, 204, 255]
    asked = replace(asked, images=images)

    def left(images: torch.Tensor) -> torch.Tensor:
        return images[:, :, 0, 0].repeat(1, 2)

    def lower(images: torch.Tensor) -> torch.Tensor:
        return left(images) - 0.2

    found = mean_answers(asked, np.array([0, 1, 2, 3, 4]), [left, lower], mirror=True)
    assert found.plain[:, 1].tolist() == pytest.approx([0.2, 0.1, 0.3, 0.2, 0.7])
    assert found.mirrored[:, 0].tolist() == pytest.approx([0.9] * 5)
    codes = found.codes(np.array([2, 1]), np.array([False, True]))
    assert codes[:, 0].tolist() == pytest.approx([0.3, 0.9])
    assert torch.equal(mean_answers(asked, np.array([1]), [left], mirror=False).mirrored, torch.full((1, 2), 0.2))
