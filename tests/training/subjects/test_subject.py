from __future__ import annotations

import json

import numpy as np

from training.populations.anny import AnnyPopulation
from training.subjects.subject import Stock, SubjectParams, draw_subject

STOCK = Stock(worlds=("city", "forest"))


def _many(population: AnnyPopulation, count: int) -> list[SubjectParams]:
    return [draw_subject(population, STOCK, 11, index) for index in range(count)]


def test_a_subject_depends_on_seed_and_index_alone(population: AnnyPopulation) -> None:
    assert draw_subject(population, STOCK, 4, 7) == draw_subject(population, STOCK, 4, 7)
    assert draw_subject(population, STOCK, 4, 7) != draw_subject(population, STOCK, 4, 8)
    assert draw_subject(population, STOCK, 5, 7) != draw_subject(population, STOCK, 4, 7)


def test_its_parameters_survive_json(population: AnnyPopulation) -> None:
    for subject in _many(population, 30):
        record = subject.to_json()
        assert json.loads(json.dumps(record))["view"]["yaw"] == subject.view.yaw


def test_subjects_cover_what_people_are(population: AnnyPopulation) -> None:
    many = _many(population, 300)
    melanin = [subject.skin.melanin for subject in many]
    assert np.percentile(melanin, 10) < 0.2
    assert np.percentile(melanin, 90) > 0.6
    assert min(subject.identity.traits.age for subject in many) < 25
    assert max(subject.identity.traits.age for subject in many) > 70
    assert 0.1 < np.mean([subject.glasses is not None for subject in many]) < 0.45
    assert 0.05 < np.mean([subject.beard.length > 0.0 for subject in many]) < 0.4
    assert len({subject.hair.style for subject in many}) > 8


def test_photos_of_one_person_share_what_belongs_to_the_person(population: AnnyPopulation) -> None:
    first, second, other = (draw_subject(population, STOCK, 4, index, 2, (0.0, 30.0)) for index in (6, 7, 8))
    for name in ("identity", "skin", "eyes", "brows", "hair", "beard"):
        assert getattr(first, name) == getattr(second, name)
    assert first.expression != second.expression and first.light != second.light
    assert (first.view.yaw, second.view.yaw, other.view.yaw) == (0.0, 30.0, 0.0)
    assert first.identity != other.identity
