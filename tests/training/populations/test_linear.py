from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.populations.anny import AnnyPopulation
from training.populations.linear import LinearPopulation

# Heads of the first mode look female, nothing else is known.
TRAIT_MODES = np.zeros((5, 2), np.float32)
TRAIT_MODES[0, 0] = 1.0


@pytest.fixture(scope="module")
def linear(population: AnnyPopulation) -> LinearPopulation:
    """A head that grows in its first mode and moves nothing in its second."""
    growth = 0.03 * (population.neutral - population.neutral[population.layout.tragi].mean(0))
    modes = np.stack([growth, 0.0 * growth])
    return LinearPopulation(
        "scans", population.neutral, modes, population.layout, population.template, TRAIT_MODES, "made up", "CC0"
    )


def test_eyes_brows_and_lashes_follow_the_modes(linear: LinearPopulation) -> None:
    template, identity = linear.template, linear.draw(np.random.default_rng(1))
    head = linear.vertices(identity)
    factor = 1.0 + 0.03 * identity.coefficients[0]
    assert np.abs(factor - 1.0) > 0.005
    for name in ("skin", "eyes", "teeth"):
        part = template.region(name)
        assert np.abs(head[part] - factor * template.mean[part]).max() < 0.5
    # Hairs keep their own size, but root on the skin.
    roots = np.flatnonzero(template.region("brows")).reshape(-1, 4)[:, :2]
    assert np.abs(head[roots] - factor * template.mean[roots]).max() < 0.1


def test_draws_stay_within_what_is_plausible_and_differ(linear: LinearPopulation) -> None:
    rng = np.random.default_rng(0)
    draws = [linear.draw(rng) for _ in range(400)]
    values = np.array([identity.coefficients for identity in draws])
    assert np.abs(values).max() <= 2.5
    assert 0.6 < values.std() < 1.1
    women = [identity.traits.female > 0.5 for identity in draws]
    assert 0.4 < np.mean(women) < 0.6
    ages = [identity.traits.age for identity in draws]
    assert 18 <= min(ages) < 25 and 60 < max(ages) <= 90
    assert all(identity.population == "scans" for identity in draws)
    assert np.corrcoef(values[:, 0], women)[0, 1] > 0.5
    assert abs(np.corrcoef(values[:, 1], women)[0, 1]) < 0.15
    shares = np.array([[d.traits.african, d.traits.asian, d.traits.caucasian] for d in draws])
    assert np.abs(shares.sum(1) - 1.0).max() < 1e-9
    assert np.abs(shares.mean(0) - 1.0 / 3.0).max() < 0.06


def test_it_is_the_same_when_read_from_its_file(linear: LinearPopulation, tmp_path: Path) -> None:
    linear.save(tmp_path / "scans.npz")
    again = LinearPopulation.load(tmp_path / "scans.npz")
    identity = again.draw(np.random.default_rng(3))
    assert identity == linear.draw(np.random.default_rng(3))
    assert np.array_equal(again.vertices(identity), linear.vertices(identity))
    assert np.array_equal(again.expression(identity), linear.expression(identity))
    assert np.array_equal(again.trait_modes, TRAIT_MODES)
    assert (again.name, again.source, again.licence) == ("scans", "made up", "CC0")
    assert [path.name for path in tmp_path.iterdir()] == ["scans.npz"]
