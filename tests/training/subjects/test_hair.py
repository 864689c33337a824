from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from training.assets.proxy import Proxy
from training.populations.identity import Traits
from training.subjects.hair import CUTS, Hair, draw_hair, hair_cover, hair_props
from training.subjects.hair_colour import NATURAL, melanin_colour
from training.subjects.props import CurveProp, MeshProp
from training.subjects.skull import Obstacle

YOUNG_WOMAN = Traits(age=25.0, female=0.95, african=0.1, asian=0.1, caucasian=0.8)
OLD_MAN = Traits(age=80.0, female=0.05, african=0.1, asian=0.1, caucasian=0.8)


def cut(name: str, seed: int = 3, **numbers) -> Hair:
    drawn = CUTS[name](np.random.default_rng(seed)) | numbers
    return Hair(style=name, seed=seed, colour=(0.03, 0.02, 0.01), **drawn)


def strands(template, vertices, hair, **given) -> np.ndarray:
    return np.concatenate([prop.points for prop in hair_props(template, vertices, hair, **given)])


@pytest.mark.parametrize("name", CUTS)
def test_hair_grows_from_the_scalp_and_stays_outside_the_head(population, name):
    template, head = population.template, population.template.mean
    points = strands(template, head, cut(name, fringe=0.0, tail=0.0))
    assert np.isfinite(points).all()
    assert len(points) > 200
    scalp = head[template.region("scalp") | template.region("ears")]
    loose = name == "tied"  # a bun is wound about nothing
    grown = points[: len(points) - 380] if loose else points
    near = np.linalg.norm(grown[::40, None, 0] - scalp[None], axis=2).min(1)
    assert near.max() < 40.0
    obstacle = Obstacle.of(template, head, ears=False)
    azimuth, down, distance, _ = obstacle.capsule.polar(np.moveaxis(grown[:, 1:], -1, 0))
    assert np.mean(distance - obstacle.reach(azimuth, down) < -4.0) < 0.005


@pytest.mark.parametrize("name", ["long", "wavy", "curly", "bob"])
def test_hanging_hair_frames_the_face_and_leaves_it_free(population, name):
    template, head = population.template, population.template.mean
    marks = head[template.landmarks68]
    for seed in range(3):
        points = strands(template, head, cut(name, seed, fringe=0.0, cut=-150.0, frame=2.0)).reshape(-1, 3)
        before = points[(points[:, 2] > 40.0) & (points[:, 1] < marks[36:48, 1].max()) & (points[:, 1] > marks[8, 1])]
        assert (np.abs(before[:, 0]) < 35.0).mean() < 0.02
        assert (points[:, 1] < marks[48, 1]).any()


def test_a_fringe_reaches_towards_the_brows(population):
    template, head = population.template, population.template.mean
    brow = head[template.landmarks68[17:27], 1].mean()

    def lowest(hair: Hair) -> float:
        points = strands(template, head, hair).reshape(-1, 3)
        before = points[(np.abs(points[:, 0]) < 25.0) & (points[:, 2] > 70.0), 1]
        return float(np.quantile(before, 0.02))

    assert lowest(cut("bob", fringe=1.0)) < brow + 12.0 < lowest(cut("bob", fringe=0.0))


def test_baldness_takes_crown_and_temples_and_leaves_the_sides(population):
    template, head = population.template, population.template.mean
    full, bald = cut("crop"), cut("crop", crown=0.8, recession=1.0)

    def roots(hair: Hair, low: float, high: float) -> int:
        points = strands(template, head, hair)[:, 0]
        return int(((points[:, 1] > low) & (points[:, 1] < high)).sum())

    assert roots(bald, 110.0, 200.0) < 0.1 * roots(full, 110.0, 200.0)
    assert roots(bald, -60.0, 40.0) > 0.8 * roots(full, -60.0, 40.0)
    assert hair_cover(template, bald).sum() < 0.8 * hair_cover(template, full).sum()
    bare = replace(full, style="bald", density=0.0, shade=0.0)
    assert hair_props(template, head, bare) == ()
    assert not hair_cover(template, bare).any()


def test_hair_moves_with_the_head_and_is_the_same_every_time(population):
    template, head = population.template, population.template.mean
    hair = cut("side part")
    first = strands(template, head, hair)
    np.testing.assert_array_equal(strands(template, head, hair), first)
    moved = strands(template, head * np.float32(1.1), hair)
    np.testing.assert_allclose(moved[:, 0], 1.1 * first[:, 0], atol=1e-3)


def test_what_is_worn_presses_hair_flat_and_long_hair_comes_out_below(population):
    template, head = population.template, population.template.mean
    covered = template.region("scalp") & (head[:, 1] > 45.0)
    obstacle = Obstacle.of(template, head, ears=False)

    def height(points: np.ndarray) -> np.ndarray:
        azimuth, down, distance, _ = obstacle.capsule.polar(points[points[:, 1] > 70.0].T)
        return distance - obstacle.reach(azimuth, down)

    for name in ("curly", "long"):
        points = strands(template, head, cut(name, cut=-150.0), covered=covered).reshape(-1, 3)
        assert np.quantile(height(points), 0.99) < 6.0
        assert (points[:, 1] < -100.0).any()
    short = strands(template, head, cut("quiff"), covered=covered)
    assert short[:, 0, 1].max() < 80.0


def test_asset_styles_are_cards_where_there_is_a_folder_and_strands_elsewhere(population):
    template, head = population.template, population.template.mean
    none, flat = np.zeros(0, np.int64), np.zeros((3, 3))
    proxy = Proxy(
        name="short09",
        texture=Path("short09.png"),
        tags=(),
        ids=np.arange(9).reshape(3, 3),
        weights=np.eye(3),
        offsets=flat,
        scales=np.array([[0, 1], [0, 2], [0, 3]]),
        spans=np.ones(3),
        faces=np.array([[0, 1, 2, -1]], np.int32),
        uv=np.zeros((1, 4, 2), np.float32),
        loose=none,
        beside=none,
        rest=np.zeros((0, 3)),
    )
    folder = SimpleNamespace(hair={"short09": proxy})
    hair = replace(cut("crop"), style="asset:short09")
    (cards,) = hair_props(template, head, hair, folder)
    assert isinstance(cards, MeshProp)
    assert cards.surfaces[0].kind == "cards"
    np.testing.assert_allclose(cards.vertices, head[[0, 4, 8]], rtol=1e-5)
    assert all(isinstance(prop, CurveProp) for prop in hair_props(template, head, hair))


def test_draws_go_with_sex_and_age_and_are_json():
    def draws(traits: Traits) -> list[Hair]:
        return [draw_hair(np.random.default_rng(seed), traits) for seed in range(300)]

    women, men = draws(YOUNG_WOMAN), draws(OLD_MAN)
    long = {"long", "wavy", "bob", "curly", "tied"}
    assert sum(hair.style in long for hair in women) > 200 > 90 > sum(hair.style in long for hair in men)
    assert sum(hair.crown > 0.2 or hair.style == "bald" for hair in men) > 75
    assert sum(hair.crown > 0.2 for hair in women) < 10
    assert np.mean([hair.grey for hair in men]) > 0.6 > 0.05 > np.mean([hair.grey for hair in women])
    assert len({hair.style for hair in women + men}) > 8
    for hair in women[:40]:
        assert json.loads(json.dumps(asdict(hair)))["style"] == hair.style


def test_asset_styles_are_drawn_only_from_the_names_given():
    drawn = {draw_hair(np.random.default_rng(seed), YOUNG_WOMAN, ("a", "b")).style for seed in range(300)}
    assert {"asset:a", "asset:b"} <= drawn
    assert not any(
        draw_hair(np.random.default_rng(seed), YOUNG_WOMAN).style.startswith("asset:") for seed in range(300)
    )


def test_more_melanin_is_darker_and_pheomelanin_redder():
    shades = [sum(melanin_colour(*NATURAL[name])) for name in ("black", "brown", "light brown", "blond", "platinum")]
    assert shades == sorted(shades)
    red, green, _ = melanin_colour(*NATURAL["red"])
    brown, plain, _ = melanin_colour(*NATURAL["light brown"])
    assert red / green > 1.15 * brown / plain
