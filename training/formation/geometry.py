"""Rotations, the perspective camera, and the camera that a face itself frames."""

from __future__ import annotations

import torch
from torch import Tensor

# A frontal upright head: its left is the picture's right, its up is the picture's up.
FRONTAL = (1.0, -1.0, -1.0)


def rotation_matrices(angles: Tensor) -> Tensor:
    """Angles (B,3) radians -> head-to-camera rotations (B,3,3).

    The frontal head is turned about the camera's x, y and z axes (right, down, forward) in succession (Kim et al. 2018,
    section 4.2).
    """
    (ca, cb, cg), (sa, sb, sg) = torch.cos(angles).unbind(1), torch.sin(angles).unbind(1)
    rows = [
        torch.stack([cg * cb, cg * sb * sa - sg * ca, cg * sb * ca + sg * sa], 1),
        torch.stack([sg * cb, sg * sb * sa + cg * ca, sg * sb * ca - cg * sa], 1),
        torch.stack([-sb, cb * sa, cb * ca], 1),
    ]
    return torch.stack(rows, 1) * angles.new_tensor(FRONTAL)


def rotation_angles(rotations: Tensor) -> Tensor:
    """Head-to-camera rotations (B,3,3) -> angles (B,3), such that `rotation_matrices` undoes it."""
    turned = rotations * rotations.new_tensor(FRONTAL)
    beta = torch.asin((-turned[:, 2, 0]).clamp(-1, 1))
    alpha = torch.atan2(turned[:, 2, 1], turned[:, 2, 2])
    gamma = torch.atan2(turned[:, 1, 0], turned[:, 0, 0])
    return torch.stack([alpha, beta, gamma], 1)


def project(points: Tensor, focal: Tensor, size: int) -> Tensor:
    """Camera-space points (B,V,3) mm -> pixels (B,V,2) of a square picture; focal (B,) px."""
    depth = points[..., 2:].clamp(min=1.0)
    return focal[:, None, None] * points[..., :2] / depth + size / 2


def framed(points: Tensor, distance: Tensor, size: int, fill: float) -> tuple[Tensor, Tensor]:
    """Translation (B,3) mm and focal (B,) px with which the points' box fills `fill` of the picture, in its middle.

    points (B,P,3) mm are landmarks, already turned into camera axes; distance (B,) mm is from the camera to the middle
    of their box. Perspective moves the box as it is centred: both are settled in turn, with gradients left out.
    """
    with torch.no_grad():
        low, high = points.amin(1), points.amax(1)
        shift = -(low + high) / 2
        shift[:, 2] += distance
        focal = torch.ones_like(distance)
        for _ in range(4):
            seen = points + shift[:, None]
            rays = seen[..., :2] / seen[..., 2:]
            low, high = rays.amin(1), rays.amax(1)
            focal = fill * size / (high - low).amax(1)
            shift[:, :2] -= (low + high) / 2 * distance[:, None]
    return shift, focal
