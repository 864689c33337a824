from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from tests.training.subjects.drawing import MAN, WOMAN, check_topologies, draws, heads, meshes
from training.populations.anny import AnnyPopulation
from training.subjects.headmap import HeadMap
from training.subjects.headwear import Headwear, covered, draw_headwear, headwear_props
from training.subjects.torso import Build

_BUILD = Build(0.5, 0.4, 1.0, (0.0, 0.0, 0.0))


def _worn(count: int) -> list[Headwear]:
    return [piece for piece in draws(draw_headwear, WOMAN, count) if piece]


def test_one_adult_in_sixteen_wears_something() -> None:
    for traits in (MAN, WOMAN):
        assert 0.04 < np.mean([piece is not None for piece in draws(draw_headwear, traits, 2000)]) < 0.085
    assert {piece.kind for piece in _worn(2000)} == {
        "beanie", "cap", "hat", "turban", "headband", "headphones", "headscarf"
    }  # fmt: skip


def test_they_survive_json() -> None:
    for piece in _worn(300):
        record = json.loads(json.dumps(asdict(piece)))
        assert Headwear(**{k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}) == piece


def test_they_sit_outside_the_skull_and_leave_the_eyes_free(population: AnnyPopulation) -> None:
    template = population.template
    pieces = {piece.kind: piece for piece in _worn(1200)}
    for vertices, piece in zip(heads(population, len(pieces)), pieces.values(), strict=True):
        head = HeadMap.of(template, vertices, ears=False)
        eyes = vertices[template.landmarks68[36:48]]
        for prop in meshes(headwear_props(template, vertices, piece, _BUILD)):
            high = prop.vertices[prop.vertices[:, 1] > eyes[:, 1].max() + 25.0].astype(np.float64)
            if len(high):
                turn, polar = head.directions(high.astype(np.float32))
                assert (np.linalg.norm(high - head.middle, axis=1) - head.reach(turn, polar)).min() > -4.0
            gap = np.linalg.norm(prop.vertices[:, None, :2] - eyes[None, :, :2], axis=2)
            assert gap[prop.vertices[:, 2] > eyes[:, 2].min()].min(initial=99.0) > 8.0


def test_what_is_covered_is_the_crown_and_not_the_face(population: AnnyPopulation) -> None:
    template, vertices = population.template, heads(population, 1)[0]
    scalp = template.region("scalp")
    crown = scalp & (vertices[:, 1] > vertices[scalp, 1].max() - 15.0)
    for piece in {piece.kind: piece for piece in _worn(600)}.values():
        hidden = covered(template, vertices, piece)
        assert not hidden[~scalp].any()
        assert hidden[crown].all() == (piece.kind not in ("headphones", "headband"))


def test_equal_topologies_have_equal_faces(population: AnnyPopulation) -> None:
    vertices = heads(population, 1)[0]
    check_topologies([headwear_props(population.template, vertices, piece, _BUILD) for piece in _worn(250)])
