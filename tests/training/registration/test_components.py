from __future__ import annotations

import numpy as np
import pytest

from training.registration.align import fit_similarity
from training.registration.components import centred, principal_modes

MEAN = np.random.default_rng(0).normal(0.0, 40.0, (300, 3))


def test_modes_have_one_standard_deviation_and_the_largest_comes_first() -> None:
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(2, 300, 3))
    weights = rng.normal(size=(60, 2)) * [3.0, 0.5]
    mean, modes, parts = principal_modes(MEAN + np.tensordot(weights, directions, 1), most=10, share=0.9999)
    assert len(modes) == 2
    assert parts.sum() == pytest.approx(1.0)
    spread = np.linalg.norm(modes.reshape(2, -1), axis=1) / np.linalg.norm(directions.reshape(2, -1), axis=1)
    assert spread == pytest.approx(weights.std(0, ddof=1), rel=0.1)
    assert np.abs(mean - MEAN - np.tensordot(weights.mean(0), directions, 1)).max() < 1e-9


def test_places_and_turns_are_taken_out_but_not_size() -> None:
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    heads = np.stack([MEAN, MEAN @ turn.T + 5.0, 1.1 * MEAN - 9.0])
    moved = centred(heads, np.arange(300))
    assert np.abs(moved[0] - moved[1]).max() < 1e-6
    assert fit_similarity(moved[0], moved[2]).scale == pytest.approx(1.1)


def test_two_heads_are_no_population() -> None:
    with pytest.raises(ValueError, match="2 heads are too few"):
        principal_modes(np.stack([MEAN, MEAN]), 10, 0.99)
