from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.evaluation.metrics import per_vertex_error
from training.populations.anny import PHENOTYPES, AnnyPopulation, phenotype_weights


def heads(population: AnnyPopulation, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([population.vertices(population.draw(rng)) for _ in range(count)])


def test_a_draw_depends_on_its_generator_alone(population: AnnyPopulation) -> None:
    first = population.draw(np.random.default_rng([3, 1]))
    assert population.draw(np.random.default_rng([3, 1])) == first
    assert population.draw(np.random.default_rng([3, 2])) != first


def test_heads_have_the_sizes_of_adults(population: AnnyPopulation) -> None:
    # Farkas 1994, both sexes together: nasion to menton about 117 mm, bizygomatic about 135, between pupils 63.
    template, many = population.template, heads(population, 120)
    marks = many[:, template.landmarks68]
    height = np.linalg.norm(marks[:, 8] - marks[:, 27], axis=1)
    width = marks[:, 16, 0] - marks[:, 0, 0]
    pupils = np.linalg.norm(many[:, template.eye_left].mean(1) - many[:, template.eye_right].mean(1), axis=1)
    assert height.mean() == pytest.approx(117, abs=6)
    assert width.mean() == pytest.approx(138, abs=7)
    assert pupils.mean() == pytest.approx(63, abs=2)
    assert 4 < height.std() < 12
    assert 2 < pupils.std() < 6


def test_heads_differ_from_each_other_and_are_only_mildly_asymmetric(population: AnnyPopulation) -> None:
    template, many = population.template, heads(population, 40)
    face = template.region("face")
    away = [per_vertex_error(many.mean(0)[face], head[face]).mean() for head in many]
    assert 1.5 < np.mean(away) < 4.0
    skew = [np.linalg.norm(h[template.mirror] * [-1, 1, 1] - h, axis=1)[face].mean() for h in many]
    assert 0.1 < np.mean(skew) < 1.5


def test_weights_are_those_of_anny(population: AnnyPopulation) -> None:
    torch = pytest.importorskip("torch")
    from anny.models.phenotype import make_phenotype_anchors, phenotype_blendshape_weights

    identity = population.draw(np.random.default_rng(5))
    theirs = phenotype_blendshape_weights(
        torch.tensor([identity.coefficients[: len(PHENOTYPES)]], dtype=torch.float64),
        list(PHENOTYPES),
        make_phenotype_anchors(torch.float64),
        torch.tensor(population.phenotype_mask, dtype=torch.float64),
        extrapolate=False,
    )[0].numpy()
    assert (
        np.abs(phenotype_weights(identity.coefficients[: len(PHENOTYPES)], population.phenotype_mask) - theirs).max()
        < 1e-6
    )


def test_it_is_the_same_when_read_from_its_file(population: AnnyPopulation, tmp_path: Path) -> None:
    population.save(tmp_path / "population.npz")
    again = AnnyPopulation.load(tmp_path / "population.npz")
    assert np.array_equal(heads(again, 2), heads(population, 2))
    assert np.array_equal(again.template.quads, population.template.quads)
