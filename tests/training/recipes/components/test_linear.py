from __future__ import annotations

import numpy as np
import pytest

from training.recipes.components import linear


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize("shape", [(30, 200), (200, 30)])
def test_the_basis_is_that_of_the_svd(rng: np.random.Generator, shape: tuple[int, int]) -> None:
    X = rng.normal(size=shape) @ np.diag(np.linspace(1, 3, shape[1]))
    found = linear.basis(X, 5)
    expected = np.linalg.svd(X - X.mean(1, keepdims=True), full_matrices=False)[0][:, :5]
    np.testing.assert_allclose(np.abs((found.U * expected).sum(0)), 1, atol=1e-8)
    np.testing.assert_allclose(found.samples(found.code(X)).mean(1), X.mean(1), atol=1e-8)


def test_least_squares_is_numpys(rng: np.random.Generator) -> None:
    Y, B = rng.normal(size=(6, 40)), rng.normal(size=(4, 40))
    expected = np.linalg.lstsq(Y.T, B.T, rcond=None)[0].T
    np.testing.assert_allclose(linear.least_squares(Y, B), expected, atol=1e-8)
    few = Y[:, :3]
    np.testing.assert_allclose(
        linear.least_squares(few, B[:, :3]), np.linalg.lstsq(few.T, B[:, :3].T, rcond=None)[0].T, atol=1e-8
    )


def test_least_squares_leaves_no_direction_out_in_single_precision(rng: np.random.Generator) -> None:
    Y = (rng.normal(size=(20, 4000)) * np.geomspace(1, 3e-3, 20)[:, None]).astype(np.float32)
    T = rng.normal(size=(3, 20)).astype(np.float32)
    np.testing.assert_allclose(linear.least_squares(Y, T @ Y), T, atol=1e-3)


def test_a_linear_world_is_recovered_and_low_dimensions_resist_noise(rng: np.random.Generator) -> None:
    cause = rng.normal(size=(4, 260))
    X = rng.normal(size=(100, 4)) @ cause + 0.3 * rng.normal(size=(100, 260)) + 5
    Z = rng.normal(size=(50, 4)) @ cause - 2
    known, asked = slice(0, 130), slice(130, None)
    low = linear.low_dimensional(linear.basis(X, 4), linear.basis(Z, 4), X[:, known], Z[:, known])
    direct = linear.direct(X[:, known], Z[:, known])
    errors = [np.sqrt(np.mean((m.reconstruct(X[:, asked]) - Z[:, asked]) ** 2)) for m in (low, direct)]
    assert errors[0] < 0.15 * Z.std()
    assert errors[0] < 0.6 * errors[1]


def test_bases_may_come_from_samples_that_have_no_partner(rng: np.random.Generator) -> None:
    cause = rng.normal(size=(3, 400))
    pictures, shapes = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    bases = linear.basis(pictures @ cause[:, :200], 3), linear.basis(shapes @ cause[:, 200:], 3)
    few = rng.normal(size=(3, 12))
    model = linear.low_dimensional(*bases, pictures @ few, shapes @ few)
    asked = rng.normal(size=(3, 5))
    apart = model.reconstruct(pictures @ asked) - shapes @ asked
    assert np.square(apart).mean() < 0.05 * np.square(shapes @ asked).mean()
