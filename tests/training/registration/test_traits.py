from __future__ import annotations

import numpy as np
import pytest

from training.populations.anny import AnnyPopulation
from training.populations.linear import TRAITS, LinearPopulation, no_traits
from training.registration.traits import TraitReader


def test_a_mode_that_makes_women_of_men_is_known_as_such(
    population: AnnyPopulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.registration.traits.DRAWS", 250)
    reader = TraitReader.of(population)

    def used(gender: float, asian: float) -> np.ndarray:
        from training.populations.anny import PHENOTYPES, phenotype_weights

        values = dict.fromkeys(PHENOTYPES, 0.5) | {"gender": gender, "age": 0.75}
        values |= {"african": 0.1, "asian": asian, "caucasian": 0.9 - asian}
        weights = phenotype_weights(tuple(values[name] for name in PHENOTYPES), population.phenotype_mask)
        return population.neutral + (weights @ population.phenotype_offsets).reshape(-1, 3)

    middle = used(0.5, 0.45)
    modes = np.stack([used(1.0, 0.45) - used(0.0, 0.45), used(0.5, 0.8) - used(0.5, 0.1)]).astype(np.float32)
    linear = LinearPopulation("two", middle, modes, population.layout, population.template, no_traits(2))
    found = reader.modes(linear)
    assert np.abs(np.linalg.norm(found, axis=1) - 1.0).max() < 1e-5
    female, asian, caucasian = (found[TRAITS.index(name)] for name in ("female", "asian", "caucasian"))
    assert female[0] > 0.9
    assert asian[1] > 0.8 and caucasian[1] < -0.8
