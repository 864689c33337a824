"""Shading by spherical harmonics in PyTorch.

Ramamoorthi & Hanrahan 2001; Kim et al. 2018, eq. 4; Tewari et al. 2017, eq. 4.

Codes hold shading coefficients (9,3): shading(n) = sum_k theta_k H_k(n) is what multiplies the reflectance, with
H_k = Y_k / Y_0, so that the first coefficient is the mean shading and 1 shows the reflectance as it is. n is in the
viewer's frame: the camera's axes turned about x (x right, y up, z towards the viewer), which is head space where the
head is frontal. `training.illumination` has the product's convention: radiance arriving in head space.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.illumination import harmonics

_ROOTS = (1.0, 3.0**0.5, 3.0**0.5, 3.0**0.5, 15.0**0.5, 15.0**0.5, 1.25**0.5, 15.0**0.5, 3.75**0.5)
# Coefficient of radiance -> coefficient of shading: the cosine lobe's bands over pi, and Y_0 for the normalisation.
_FROM_RADIANCE = np.array([1.0] + [2.0 / 3.0] * 3 + [0.25] * 5) * np.sqrt(0.25 / np.pi)
# Directions whose harmonics determine nine coefficients well: an icosahedron's corners.
_GOLDEN = (1 + 5**0.5) / 2
_DIRECTIONS = np.array(
    [(0, a, b * _GOLDEN) for a in (-1, 1) for b in (-1, 1)]
    + [(a, b * _GOLDEN, 0) for a in (-1, 1) for b in (-1, 1)]
    + [(b * _GOLDEN, 0, a) for a in (-1, 1) for b in (-1, 1)]
) / np.sqrt(1 + _GOLDEN**2)


def basis(normals: Tensor) -> Tensor:
    """H (…,9) at unit normals (…,3)."""
    x, y, z = normals.unbind(-1)
    values = [torch.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return torch.stack(values, -1) * normals.new_tensor(_ROOTS)


def shading(coefficients: Tensor, normals: Tensor) -> Tensor:
    """Coefficients (B,9,3), unit normals (B,V,3) of the viewer's frame -> shading (B,V,3), never negative."""
    return (basis(normals) @ coefficients).clamp(min=0)


def to_radiance(coefficients: Tensor) -> Tensor:
    """Shading coefficients (B,9,3) -> radiance coefficients (B,9,3) of `training.illumination`, in the same frame."""
    return coefficients / coefficients.new_tensor(_FROM_RADIANCE)[:, None]


def from_radiance(coefficients: Tensor) -> Tensor:
    """Undoes `to_radiance`."""
    return coefficients * coefficients.new_tensor(_FROM_RADIANCE)[:, None]


def turned(coefficients: Tensor, rotations: Tensor) -> Tensor:
    """The same light in another frame: coefficients (B,9,3) for normals n' where n = rotations (B,3,3) @ n'.

    Exact, because a band's functions turned are combinations of that band's: twelve directions decide them.
    """
    solve = coefficients.new_tensor(np.linalg.pinv(harmonics(_DIRECTIONS) / harmonics(_DIRECTIONS)[0, 0]))
    seen = coefficients.new_tensor(_DIRECTIONS) @ rotations.transpose(1, 2)
    return solve @ (basis(seen) @ coefficients)
