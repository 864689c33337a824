from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from tests.training.subjects.drawing import MAN, OLD, WOMAN, check_topologies, draws, heads, meshes
from training.populations.anny import AnnyPopulation
from training.subjects.fitting import FaceMeasures, HeightMap, WrongTemplate, skin_triangles
from training.subjects.glasses import Glasses, draw_glasses, glasses_props


def _some(count: int) -> list[Glasses]:
    return [glasses for glasses in draws(draw_glasses, OLD, 4 * count) if glasses][:count]


def test_a_quarter_of_adults_wears_them_and_more_of_the_old() -> None:
    young = np.mean([glasses is not None for glasses in draws(draw_glasses, MAN, 1500)])
    old = np.mean([glasses is not None for glasses in draws(draw_glasses, OLD, 1500)])
    assert 0.15 < young < 0.25
    assert 0.35 < old < 0.5


def test_draws_vary_and_survive_json() -> None:
    worn = [glasses for glasses in draws(draw_glasses, WOMAN, 2000) if glasses]
    assert len({glasses.shape for glasses in worn}) >= 9
    assert 0.08 < np.mean([glasses.lens_opacity > 0.7 for glasses in worn]) < 0.3
    again = Glasses(**{key: tuple(value) if isinstance(value, list) else value
                       for key, value in json.loads(json.dumps(asdict(worn[0]))).items()})  # fmt: skip
    assert again == worn[0]


def test_they_rest_on_the_nose_off_eyes_and_skin(population: AnnyPopulation) -> None:
    template = population.template
    for vertices, glasses in zip(heads(population, 12), _some(12), strict=True):
        (prop,) = meshes(glasses_props(template, vertices, glasses))
        face = FaceMeasures.of(template, vertices)
        front = prop.vertices[np.unique(prop.faces[np.isin(prop.material, (0, 1, 2))])]
        for side, ids in enumerate((template.eye_right, template.eye_left)):
            eye = face.eyes[side]
            before = front[np.hypot(*(front - eye).T[:2]) < 14.0]
            assert len(before) > 0
            # Lenses stand before the eyes, no farther than opticians let them unless a nose or a cheek asks for it.
            assert before[:, 2].min() > vertices[ids, 2].max() + 4.0
            assert before[:, 2].min() < vertices[ids, 2].max() + 45.0
        near = skin_triangles(template, vertices, (-90.0, float(face.tip[1]) - 40.0, 20.0))
        skin = HeightMap(near, 2)
        inside = skin(front[:, :2].astype(np.float64)) - front[:, 2]
        assert inside.max() < 1.5
        over_nose = front[(np.abs(front[:, 0] - face.bridge[0]) < 12.0)]
        gap = over_nose[:, 2] - skin(over_nose[:, :2].astype(np.float64))
        assert gap.min() < 16.0


def test_the_arms_reach_over_the_ears(population: AnnyPopulation) -> None:
    template = population.template
    for vertices, glasses in zip(heads(population, 12), _some(12), strict=True):
        (prop,) = meshes(glasses_props(template, vertices, glasses))
        face = FaceMeasures.of(template, vertices)
        for side in (0, 1):
            seat = face.ear_seats[side, 0]
            assert np.linalg.norm(prop.vertices - seat, axis=1).min() < 6.0
            assert prop.vertices[prop.vertices[:, 0] * np.sign(seat[0]) > 0, 2].min() < face.ear_seats[side, 1, 2] + 4.0


def test_all_pairs_share_one_topology(population: AnnyPopulation) -> None:
    vertices = heads(population, 1)[0]
    check_topologies([glasses_props(population.template, vertices, glasses) for glasses in _some(12)])


def test_a_template_without_base_vertices_is_refused(population: AnnyPopulation) -> None:
    old = replace(population.template, base_ids=np.zeros(0, np.int32))
    with pytest.raises(WrongTemplate, match="make it again"):
        glasses_props(old, old.mean, _some(1)[0])
