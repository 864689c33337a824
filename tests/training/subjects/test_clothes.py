from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from tests.training.subjects.drawing import MAN, WOMAN, check_topologies, draws, heads, meshes
from training.populations.anny import AnnyPopulation
from training.subjects.clothes import Clothes, beneath, clothes_props, draw_clothes
from training.subjects.torso import Build, Torso

_SKIN = (0.6, 0.4, 0.3)


def _all(count: int) -> list[Clothes]:
    return [clothes for traits in (MAN, WOMAN) for clothes in draws(draw_clothes, traits, count) if clothes]


def test_everybody_is_dressed_in_many_ways() -> None:
    outfits = _all(400)
    assert len(outfits) == 800
    assert len({clothes.kind for clothes in outfits}) == 9
    assert any(clothes.tie for clothes in outfits)
    turns = np.array([clothes.build.turn for clothes in outfits])
    assert np.abs(turns[:, 0]).max() <= 25.0
    assert np.abs(turns[:, 1]).max() <= 8.0


def test_they_survive_json() -> None:
    for clothes in _all(20):
        record = json.loads(json.dumps(asdict(clothes)))
        assert record["kind"] == clothes.kind
        assert tuple(record["build"]["turn"]) == clothes.build.turn


def test_they_close_around_the_neck(population: AnnyPopulation) -> None:
    template = population.template
    edges = np.concatenate([template.quads[:, [i, (i + 1) % 4]] for i in range(4)])
    pairs, counts = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    open_edge = np.unique(pairs[counts == 1])
    loop = open_edge[template.mean[open_edge, 1] < -110.0]
    for vertices, clothes in zip(heads(population, 12), _all(6), strict=True):
        skin, *_ = meshes(clothes_props(template, vertices, clothes, _SKIN))
        assert skin.segment == "skin"
        # Every vertex of the neck's open end has the body's skin right beside it.
        apart = np.linalg.norm(vertices[loop, None] - skin.vertices[None], axis=2).min(1)
        assert apart.max() < 6.0
        assert skin.vertices[:, 1].min() < vertices[loop, 1].min() - 60.0


def test_cloth_stays_outside_the_body(population: AnnyPopulation) -> None:
    template = population.template
    for vertices, clothes in zip(heads(population, 10), _all(5), strict=True):
        torso = Torso.of(template, vertices, clothes.build)
        points, normals = torso.points[13:].reshape(-1, 3), torso.normals[13:].reshape(-1, 3)
        for prop in meshes(clothes_props(template, vertices, clothes, _SKIN)):
            if not prop.topology.startswith("clothes"):
                continue
            body = prop.vertices[13 * 96 :: 7]
            near = np.argmin(np.linalg.norm(body[:, None] - points[None], axis=2), axis=1)
            assert ((body - points[near]) * normals[near]).sum(1).min() > -2.0


def test_the_neck_stays_the_subjects_own(population: AnnyPopulation) -> None:
    template, vertices = population.template, heads(population, 1)[0]
    still = Torso.of(template, vertices, Build(0.5, 0.5, 1.0, (0.0, 0.0, 0.0)))
    turned = Torso.of(template, vertices, Build(0.5, 0.5, 1.0, (25.0, 8.0, 5.0)))
    assert np.allclose(still.points[:12], turned.points[:12])
    assert np.linalg.norm(still.points[-1] - turned.points[-1], axis=1).min() > 5.0


def test_nothing_stands_off_the_neck_beneath_a_scarf() -> None:
    for clothes in _all(30):
        assert beneath(clothes).kind not in ("coat", "hoodie", "jacket", "shirt", "turtleneck")


def test_equal_topologies_have_equal_faces(population: AnnyPopulation) -> None:
    vertices = heads(population, 1)[0]
    check_topologies([clothes_props(population.template, vertices, clothes, _SKIN) for clothes in _all(12)])
