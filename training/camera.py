"""The camera of a rendered photo: full perspective, square pixels, principal point in the middle of the picture.

Head space -> camera space: ``Xc = rotation @ X + translation`` (mm; x right, y down, z forward), and
``pixel = focal * (Xc.x, Xc.y) / Xc.z + size / 2`` (pixel centres at .5, y down).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SENSOR_MM = 36.0

# A frontal upright head: its left is the picture's right, its up is the picture's up.
_FRONTAL = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Camera:
    """rotation (3,3), translation (3,) mm, focal px, size px of the square picture."""

    rotation: Floats
    translation: Floats
    focal: float
    size: int

    def project(self, points: NDArray[np.floating]) -> Floats:
        """Head-space points (...,3) mm -> pixels (...,2)."""
        seen = np.asarray(points, np.float64) @ self.rotation.T + self.translation
        return self.focal * seen[..., :2] / seen[..., 2:] + self.size / 2.0


def rotation_from_angles(yaw: float, pitch: float, roll: float) -> Floats:
    """Head-to-camera rotation (3,3) for angles in degrees.

    Positive yaw turns the face to the picture's left (towards the subject's right), positive pitch lifts the chin,
    positive roll tips the head clockwise in the picture.
    """
    y, p, r = np.radians([-yaw, -pitch, roll])
    about_y = np.array([[np.cos(y), 0.0, np.sin(y)], [0.0, 1.0, 0.0], [-np.sin(y), 0.0, np.cos(y)]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(p), -np.sin(p)], [0.0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0.0], [np.sin(r), np.cos(r), 0.0], [0.0, 0.0, 1.0]])
    return about_z @ _FRONTAL @ about_x @ about_y


def frame(points: Floats, rotation: Floats, distance: float, size: int, fill: float, shift: Floats) -> Camera:
    """The camera at a distance whose lens makes the points' box fill a share of the picture.

    points (M,3) mm head space; distance mm from the camera to the box's middle; fill is the box's longer side over the
    picture's; shift (2,) moves the box off the picture's middle, in shares of the picture.
    """
    turned = np.asarray(points, np.float64) @ rotation.T
    offset = np.array([0.0, 0.0, distance]) - (turned.min(0) + turned.max(0)) / 2.0
    focal = 1.0
    for _ in range(4):  # perspective moves the box as it is centred: settle both in turn
        seen = turned + offset
        rays = seen[:, :2] / seen[:, 2:]
        low, high = rays.min(0), rays.max(0)
        focal = fill * size / float((high - low).max())
        offset[:2] += (np.asarray(shift) * size / focal - (low + high) / 2.0) * distance
    return Camera(rotation, offset, focal, size)
