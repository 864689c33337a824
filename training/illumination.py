"""Illumination as spherical harmonics: 3 bands, 9 coefficients a channel, in head space.

`L(d) ~ sum_k c_k Y_k(d)` is the radiance arriving from direction d, with the real orthonormal harmonics in the order
1, y, z, x, xy, yz, 3z^2-1, xz, x^2-y^2. Irradiance follows by Ramamoorthi and Hanrahan (2001), eq. 7 and 8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

_CONSTANTS = np.sqrt(np.array([1.0, 3.0, 3.0, 3.0, 15.0, 15.0, 1.25, 15.0, 3.75]) / (4.0 * np.pi))
_BANDS = np.array([np.pi] + [2.0 * np.pi / 3.0] * 3 + [np.pi / 4.0] * 5)


def harmonics(directions: Floats) -> Floats:
    """Values (D,9) of the harmonics at unit directions (D,3)."""
    x, y, z = np.asarray(directions, np.float64).T
    values = np.stack([np.ones_like(x), y, z, x, x * y, y * z, 3.0 * z * z - 1.0, x * z, x * x - y * y], -1)
    return np.asarray(values * _CONSTANTS)


def project(directions: Floats, radiance: Floats, solid_angles: Floats) -> Floats:
    """Coefficients (9,3) of radiance (D,3) that arrives from directions (D,3) with solid angles (D,) sr."""
    return np.asarray(harmonics(directions).T @ (radiance * solid_angles[:, None]))


def irradiance(coefficients: Floats, normals: Floats) -> Floats:
    """Irradiance (M,3) at unit normals (M,3); a white diffuse surface has this over pi as radiance."""
    return np.asarray(harmonics(normals) @ (_BANDS[:, None] * coefficients))
