from __future__ import annotations

from training.hair import HairShell
from training.populations.anny import AnnyPopulation


def test_hair_grows_outside_the_head_and_leaves_the_face_free(population: AnnyPopulation) -> None:
    template = population.template
    shell = HairShell.of(template)
    hair = shell.vertices(template.mean, 20.0, 120.0, 3.0)
    assert hair.shape == (shell.count, 3)
    crown = template.mean[shell.scalp, 1].max()
    assert crown + 5.0 < hair[:, 1].max() < crown + 40.0
    # Nothing hangs in front of the cheeks.
    in_front = hair[hair[:, 2] > 55.0]
    assert in_front[:, 1].min() > template.mean[template.landmarks68[27], 1]


def test_a_shaved_head_has_none(population: AnnyPopulation) -> None:
    shell = HairShell.of(population.template)
    assert not shell.vertices(population.template.mean, 0.0, 100.0, 1.0).any()
