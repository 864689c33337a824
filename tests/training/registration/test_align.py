from __future__ import annotations

import numpy as np
import pytest

from training.registration.align import fit_similarity, guess_unit

POINTS = np.random.default_rng(0).normal(0.0, 50.0, (20, 3))


def test_a_similarity_is_found_again() -> None:
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    moved = 0.1 * POINTS @ turn.T + [1.0, 2.0, 3.0]
    found = fit_similarity(POINTS, moved)
    assert found.scale == pytest.approx(0.1)
    assert np.abs(found(POINTS) - moved).max() < 1e-9
    assert np.abs(found.vectors(POINTS) - 0.1 * POINTS @ turn.T).max() < 1e-9
    fixed = fit_similarity(POINTS, moved, scale=1.0)
    assert np.abs(fixed.rotation - turn).max() < 1e-9


def test_too_little_to_go_by_is_refused() -> None:
    with pytest.raises(ValueError, match="three points"):
        fit_similarity(POINTS[:2], POINTS[:2])
    line = np.outer(np.arange(5.0), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="on a line"):
        fit_similarity(line, line)


@pytest.mark.parametrize(
    ("unit", "factor"), [("mm", 1.0), ("cm", 0.1), ("m", 0.001), ("um", 1000.0), ("inch", 1 / 25.4)]
)
def test_the_unit_is_known_by_an_adults_size(unit: str, factor: float) -> None:
    assert guess_unit(1.1 * factor * POINTS, POINTS) == unit


def test_no_unit_fits_a_giant() -> None:
    assert guess_unit(3.0 * POINTS, POINTS) is None
