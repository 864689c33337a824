"""Between head space (mm, y up, z out of the face) and Blender's world (m, z up, -y out of the face)."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

# Rotates head-space directions into Blender's world.
TO_BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def to_blender(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Head-space points (...,3) mm -> Blender's world, m."""
    return np.asarray((np.asarray(points) @ TO_BLENDER.T / 1000.0), np.float32)


def aim(item: bpy.types.Object, place: NDArray[np.floating], target: NDArray[np.floating]) -> None:
    """Puts a lamp at ``place`` (3,) mm, head space, shining at ``target``."""
    back = place - target
    back = back / np.linalg.norm(back)
    upwards = [0.0, 1.0, 0.0] if abs(back[1]) < 0.99 else [0.0, 0.0, 1.0]
    right = np.cross(upwards, back)
    right = right / np.linalg.norm(right)
    axes = np.eye(4)
    axes[:3, :3] = TO_BLENDER @ np.stack([right, np.cross(back, right), back], axis=1)
    axes[:3, 3] = to_blender(place)
    item.matrix_world = Matrix(axes.tolist())
