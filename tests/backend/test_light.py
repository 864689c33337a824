from __future__ import annotations

import numpy as np
import pytest

from backend.light import fit_light, harmonics, shading


def directions(count: int, rng: np.random.Generator) -> np.ndarray:
    vectors = rng.normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_harmonics_are_orthonormal_over_the_sphere() -> None:
    values = harmonics(directions(200_000, np.random.default_rng(0)))
    np.testing.assert_allclose(values.T @ values / len(values), np.eye(9), atol=0.02)


def test_light_is_recovered_among_highlights_and_hair() -> None:
    rng = np.random.default_rng(1)
    normals = directions(6_000, rng)
    normals[:, 2] = np.abs(normals[:, 2])  # what a camera sees
    albedo = rng.uniform(0.2, 0.7, (6_000, 3))
    light = np.zeros((9, 3))
    light[0], light[1:4] = (0.9, 0.8, 0.7), rng.normal(0, 0.2, (3, 3))
    colours = albedo * shading(light, normals)
    clean = fit_light(colours, albedo, normals, np.ones(6_000))
    assert shading(clean, normals) == pytest.approx(shading(light, normals), abs=0.01)
    colours[:600] += 1.0
    colours[600:1_000] *= 0.1
    spoilt = fit_light(colours, albedo, normals, np.ones(6_000))
    assert np.abs(shading(spoilt, normals) - shading(light, normals)).mean() < 0.03
    colours[1_000:] = 9.0
    ignored = np.zeros(6_000)
    ignored[:3] = 1.0
    assert np.isfinite(fit_light(colours, albedo, normals, ignored)).all()
