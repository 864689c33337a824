"""Light on a diffuse surface: nine spherical harmonics a channel, and what they are in a photo of known albedo.

Ramamoorthi & Hanrahan (2001): the irradiance of distant light is quadratic in the normal. Coefficients here are of
shading, what multiplies albedo, in the monomials that make up the harmonics of three bands.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

ROUNDS: Final = 6
_LEAST_SCALE: Final = 0.02
_BAND_RIDGE: Final = np.array([0.0] + [1e-3] * 3 + [4e-3] * 5)


def harmonics(normals: Floats) -> NDArray[np.float64]:
    """1, y, z, x, xy, yz, 3z^2-1, xz, x^2-y^2 at unit normals (..., 3) -> (..., 9), scaled to unit mean square."""
    x, y, z = np.moveaxis(np.asarray(normals, np.float64), -1, 0)
    values = [np.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    scaled: NDArray[np.float64] = np.stack(values, -1) * np.sqrt([1.0, 3.0, 3.0, 3.0, 15.0, 15.0, 1.25, 15.0, 3.75])
    return scaled


def shading(light: Floats, normals: Floats) -> NDArray[np.float64]:
    """Light (9, 3) and unit normals (..., 3) -> what multiplies linear albedo (..., 3), never negative."""
    return np.maximum(harmonics(normals) @ light, 0.0)


def fit_light(colours: Floats, albedo: Floats, normals: Floats, weights: Floats) -> NDArray[np.float64]:
    """Light (9, 3) under which `albedo` (M, 3) at `normals` (M, 3) looks as `colours` (M, 3), all linear RGB.

    Weighted least squares for each channel, with a ridge on the higher bands in units of the mean brightness, and
    reweighted by Geman and McClure's function at three times the median residual: highlights, hair and cast shadows are
    no diffuse light. Without any weight the light is white and even.
    """
    basis = harmonics(normals)
    seen, held = np.asarray(colours, np.float64), np.asarray(albedo, np.float64)
    trust = np.asarray(weights, np.float64)
    light = np.zeros((9, 3))
    robust = np.ones(len(seen))
    counted = trust > 0
    if not counted.any():
        light[0] = 1.0
        return light
    level = max(float(np.linalg.norm(seen[counted], axis=1).mean()), 1e-6)
    for _ in range(ROUNDS):
        weight = trust * robust
        for channel in range(3):
            rows = basis * held[:, channel, None]
            normal = (rows * weight[:, None]).T @ rows
            ridge = np.diag(_BAND_RIDGE) * normal[0, 0]
            light[:, channel] = np.linalg.solve(
                normal + ridge + 1e-9 * np.eye(9), (rows * weight[:, None]).T @ seen[:, channel]
            )
        residual = np.linalg.norm(seen - held * (basis @ light), axis=1)
        scale = max(3.0 * float(np.median(residual[counted])), _LEAST_SCALE * level)
        robust = (scale**2 / (scale**2 + residual**2)) ** 2
    return light
