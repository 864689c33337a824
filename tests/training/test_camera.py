from __future__ import annotations

import numpy as np
import pytest

from training.camera import frame, rotation_from_angles

BOX = np.array([[x, y, z] for x in (-60.0, 60.0) for y in (-90.0, 50.0) for z in (20.0, 90.0)])


def test_a_frontal_head_is_upright_and_not_mirrored() -> None:
    camera = frame(BOX, rotation_from_angles(0, 0, 0), 1000.0, 200, 0.6, np.zeros(2))
    left, up = camera.project(np.array([[50.0, 0.0, 90.0], [0.0, 40.0, 90.0]])) - camera.project(np.zeros((1, 3)))
    assert left[0] > 0
    assert up[1] < 0


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (40, 0, 0), (-80, 20, 10), (15, -30, -25)])
def test_the_box_fills_its_share_of_the_picture(yaw: float, pitch: float, roll: float) -> None:
    camera = frame(BOX, rotation_from_angles(yaw, pitch, roll), 500.0, 200, 0.6, np.array([0.05, -0.02]))
    pixels = camera.project(BOX)
    low, high = pixels.min(0), pixels.max(0)
    assert (high - low).max() == pytest.approx(120.0, rel=0.02)
    assert (low + high) / 2 == pytest.approx([110.0, 96.0], abs=1.5)


def test_angles_turn_the_way_they_say() -> None:
    nose = np.array([[0.0, 0.0, 100.0]])

    def moved(*angles: float) -> np.ndarray:
        return (nose @ rotation_from_angles(*angles).T)[0]

    assert moved(30, 0, 0)[0] < 0  # to the picture's left
    assert moved(0, 20, 0)[1] < 0  # chin up: the nose rises in the picture
    up = np.array([[0.0, 1.0, 0.0]]) @ rotation_from_angles(0, 0, 20).T
    assert up[0, 0] > 0  # clockwise: the crown goes to the picture's right
    rotation = rotation_from_angles(33, -12, 7)
    assert np.allclose(rotation @ rotation.T, np.eye(3))
    assert np.linalg.det(rotation) == pytest.approx(1.0)
