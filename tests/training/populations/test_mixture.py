from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from training.populations.anny import AnnyPopulation
from training.populations.identity import Identity
from training.populations.linear import LinearPopulation, no_traits
from training.populations.mixture import Mixture


@pytest.fixture(scope="module")
def mixture(population: AnnyPopulation) -> Mixture:
    scans = LinearPopulation(
        name="scans",
        mean=population.neutral,
        modes=np.ones((1, *population.neutral.shape), np.float32),
        layout=population.layout,
        trait_modes=no_traits(1),
        template=replace(population.template, expression=2.0 * population.template.expression),
    )
    return Mixture.of([population, scans], [3.0, 1.0])


def test_each_part_gets_its_share_and_makes_its_own_heads(mixture: Mixture) -> None:
    rng = np.random.default_rng(0)
    draws = [mixture.draw(rng) for _ in range(400)]
    counts = Counter(identity.population for identity in draws)
    assert counts["anny"] == pytest.approx(300, abs=30)
    for part in mixture.parts:
        identity = next(identity for identity in draws if identity.population == part.name)
        assert np.array_equal(mixture.vertices(identity), part.vertices(identity))
        assert np.array_equal(mixture.expression(identity), part.expression(identity))


def test_a_draw_depends_on_its_generator_alone(mixture: Mixture) -> None:
    assert mixture.draw(np.random.default_rng([1, 4])) == mixture.draw(np.random.default_rng([1, 4]))


def test_a_stranger_is_named(mixture: Mixture) -> None:
    identity = mixture.draw(np.random.default_rng(0))
    with pytest.raises(KeyError, match="flame is in this mixture of anny, scans"):
        mixture.vertices(Identity("flame", (0.0,), identity.traits))


def test_parts_that_do_not_fit_are_refused(mixture: Mixture) -> None:
    anny, scans = mixture.parts
    with pytest.raises(ValueError, match="different names"):
        Mixture.of([anny, anny], [1, 1])
    with pytest.raises(ValueError, match="above zero"):
        Mixture.of([anny, scans], [1, 0])
    other = replace(scans, template=replace(scans.template, landmarks_dense=scans.template.landmarks_dense[:320]))
    with pytest.raises(ValueError, match="different versions of the template"):
        Mixture.of([anny, other], [1, 1])
