from __future__ import annotations

import numpy as np

from training.illumination import harmonics, irradiance, project


def _sphere(count: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    i = np.arange(count) + 0.5
    z = 1.0 - 2.0 * i / count
    phi = np.pi * (1.0 + 5.0**0.5) * i
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], 1), np.full(count, 4.0 * np.pi / count)


def test_the_harmonics_are_orthonormal() -> None:
    directions, areas = _sphere()
    values = harmonics(directions)
    assert np.abs(values.T @ (values * areas[:, None]) - np.eye(9)).max() < 1e-3


def test_irradiance_under_an_even_sky_is_pi() -> None:
    directions, areas = _sphere()
    coefficients = project(directions, np.ones((len(directions), 3)), areas)
    assert np.abs(irradiance(coefficients, directions[::1000]) / np.pi - 1.0).max() < 1e-2


def test_irradiance_under_half_a_sky_is_near_the_integral() -> None:
    directions, areas = _sphere()
    radiance = np.repeat((directions[:, 1:2] > 0).astype(float), 3, axis=1)
    coefficients = project(directions, radiance, areas)
    up, down, side = irradiance(coefficients, np.array([[0.0, 1, 0], [0, -1, 0], [0, 0, 1]]))[:, 0] / np.pi
    assert abs(up - 1.0) < 0.05
    assert abs(down) < 0.05
    assert abs(side - 0.5) < 0.05
