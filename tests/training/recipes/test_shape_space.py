from __future__ import annotations

import numpy as np
import pytest

from training.dataset import mirror_vertices
from training.evaluation.alignment import align
from training.recipes.shape_space import ShapeSpace, alignment_free_metric, make_shape_space, mean_head

COUNT, VERTICES, MODES = 40, 30, 5
MIRROR = np.arange(VERTICES).reshape(-1, 2)[:, ::-1].reshape(-1)


def _heads() -> np.ndarray:
    rng = np.random.default_rng(0)
    base = 50 * rng.normal(size=(VERTICES, 3))
    base = (base + mirror_vertices(base, MIRROR)) / 2
    modes = rng.normal(size=(MODES, VERTICES, 3))
    return (base + np.tensordot(rng.normal(size=(COUNT, MODES)), modes, 1)).astype(np.float32)


@pytest.mark.parametrize("dimensions", [None, 2 * MODES])
def test_distances_are_weighted_distances_of_vertices(dimensions: int | None) -> None:
    heads, weights = _heads(), np.linspace(0.2, 1, VERTICES, dtype=np.float32)
    space = make_shape_space(heads, MIRROR, weights, 2.0, dimensions, np.random.default_rng(0))
    vectors = space.vectors(heads)
    expected = (weights * ((heads[0] - heads[1]) ** 2).sum(1)).sum() / 4
    assert ((vectors[0] - vectors[1]) ** 2).sum() == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(space.columns(vectors) + space.mean, heads, atol=1e-3)
    mirrored = mirror_vertices(heads, MIRROR)
    np.testing.assert_allclose(space.columns(space.vectors(mirrored)) + space.mean, mirrored, atol=1e-3)


def test_the_mean_head_is_symmetric() -> None:
    mean = mean_head(_heads(), MIRROR)
    np.testing.assert_allclose(mirror_vertices(mean, MIRROR), mean)


def test_a_space_survives_its_checkpoint() -> None:
    heads = _heads()
    space = make_shape_space(heads, MIRROR, np.ones(VERTICES, np.float32), 1.0, 4, np.random.default_rng(0))
    again = ShapeSpace.from_state(space.state())
    np.testing.assert_array_equal(again.vectors(heads), space.vectors(heads))


def test_the_metric_sees_what_alignment_leaves() -> None:
    heads = _heads()
    space = make_shape_space(heads, MIRROR, np.ones(VERTICES, np.float32), 1.0, 2 * MODES, np.random.default_rng(0))
    region = np.arange(20)
    metric = alignment_free_metric(space, region)
    vector = 0.01 * np.random.default_rng(1).normal(size=space.dimensions).astype(np.float32)
    moved = space.mean + space.columns(vector[None])[0]
    rotation, translation, factor = align(moved[region], space.mean[region], scale=True)
    left = factor * moved[region] @ rotation.T + translation - space.mean[region]
    assert np.sum((metric @ vector) ** 2) == pytest.approx((left**2).sum(1).mean(), rel=0.02)
