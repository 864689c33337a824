from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from tests.training.subjects.drawing import MAN, check_topologies, draws, heads, meshes
from training.camera import frame, rotation_from_angles
from training.populations.anny import AnnyPopulation
from training.subjects.headmap import HeadMap
from training.subjects.occluder import Occluder, draw_occluder, occluder_props
from training.subjects.torso import Build

_BUILD = Build(0.5, 0.4, 1.0, (0.0, 0.0, 0.0))
_SKIN = (0.6, 0.4, 0.3)


def _some(count: int) -> list[Occluder]:
    return [piece for piece in draws(draw_occluder, MAN, count) if piece]


def test_one_adult_in_twelve_has_one() -> None:
    assert 0.06 < np.mean([piece is not None for piece in draws(draw_occluder, MAN, 2000)]) < 0.11
    pieces = _some(2500)
    assert len({piece.kind for piece in pieces}) == 9
    assert len({piece.place for piece in pieces}) == 11


def test_they_survive_json() -> None:
    for piece in _some(300):
        record = json.loads(json.dumps(asdict(piece)))
        assert Occluder(**{k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}) == piece


def test_hands_come_from_the_far_side_of_a_turned_head() -> None:
    sides = [draw_occluder(np.random.default_rng([3, index]), MAN, 60.0) for index in range(1500)]
    assert np.mean([piece.side for piece in sides if piece]) < -0.5


def test_hands_touch_the_face_without_entering_it(population: AnnyPopulation) -> None:
    template = population.template
    pieces = {piece.place: piece for piece in _some(2500) if piece.kind == "hand" and piece.place != "beside"}
    assert len(pieces) == 7
    for vertices, piece in zip(heads(population, 7), pieces.values(), strict=True):
        hand = meshes(occluder_props(template, vertices, piece, _BUILD, _SKIN))[0].vertices
        head = HeadMap.of(template, vertices, ears=True)
        near = hand[hand[:, 1] > head.middle[1] - 150.0]
        turn, polar = head.directions(near)
        gap = np.linalg.norm(near - head.middle, axis=1) - head.reach(turn, polar)
        assert gap.min() > -8.0
        assert gap.min() < 6.0


def test_most_of_the_face_stays_free(population: AnnyPopulation) -> None:
    template, vertices = population.template, heads(population, 1)[0]
    camera = frame(vertices[template.landmarks68].astype(np.float64), rotation_from_angles(0.0, 0.0, 0.0), 900.0, 48,
                   0.6, np.zeros(2))  # fmt: skip
    face = camera.project(vertices[template.region("face")]).astype(int)
    cells = set(map(tuple, face))
    hidden: dict[str, float] = {}
    for piece in {(piece.kind, piece.place): piece for piece in _some(1500)}.values():
        taken: set[tuple[int, ...]] = set()
        for prop in meshes(occluder_props(template, vertices, piece, _BUILD, _SKIN)):
            corners = prop.vertices[prop.faces[:, [0, 1, 2, 3, 0, 1]]]
            spread = np.concatenate([corners[:, :4], 0.5 * (corners[:, :4] + corners[:, 1:5]),
                                     0.5 * (corners[:, :4] + corners[:, 2:6])], 1)  # fmt: skip
            taken |= set(map(tuple, camera.project(spread.reshape(-1, 3)).astype(int)))
        hidden[f"{piece.kind} {piece.place}"] = len(cells & taken) / len(cells)
    assert np.mean(list(hidden.values())) < 0.25
    # A surgical mask hides all below the eyes: nothing else hides as much.
    assert hidden.pop("mask ") < 0.6
    assert max(hidden.values()) < 0.45


def test_equal_topologies_have_equal_faces(population: AnnyPopulation) -> None:
    vertices = heads(population, 1)[0]
    check_topologies([occluder_props(population.template, vertices, piece, _BUILD, _SKIN) for piece in _some(240)])
