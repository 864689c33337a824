from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from blender_addon.bundle import Bundle
from blender_addon.reconstruction import Pose, Reconstruction

bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402  needs bpy
from mathutils import Vector  # noqa: E402

from blender_addon import camera  # noqa: E402
from blender_addon.camera import Crop  # noqa: E402
from blender_addon.head import to_blender  # noqa: E402

POINTS = np.array([[0.0, 0.0, 100.0], [60.0, 20.0, 30.0], [-70.0, -90.0, 10.0]])


def turned_pose() -> Pose:
    yaw, pitch = 0.5, -0.3
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    return Pose(np.diag([1.0, -1.0, -1.0]) @ about_x @ about_y, np.array([30.0, -50.0, 700.0]), 900.0, (800, 600))


def seen(scene: Any, view: Any, width: float, height: float) -> np.ndarray:
    scene.collection.objects.link(view)
    scene.render.resolution_x, scene.render.resolution_y = int(width), int(height)
    bpy.context.view_layer.update()
    found = [world_to_camera_view(scene, view, Vector(point)) for point in to_blender(POINTS).tolist()]
    return np.array([[point.x * width, (1 - point.y) * height] for point in found])


def projected(pose: Pose) -> np.ndarray:
    points = POINTS @ pose.rotation.T + pose.translation
    return pose.focal * points[:, :2] / points[:, 2:] + np.array(pose.image_size) / 2


@pytest.mark.parametrize("size", [(800, 600), (600, 800)])
def test_the_photo_camera_sees_points_where_the_photo_does(scene: Any, size: tuple[int, int]) -> None:
    pose = replace(turned_pose(), image_size=size)
    np.testing.assert_allclose(seen(scene, camera.from_pose(pose), *size), projected(pose), atol=0.05)


@pytest.mark.parametrize("crop", [Crop(100, 50, 400, 420), Crop(-80, 200, 900, 945)])
def test_a_cropped_camera_sees_the_crop(scene: Any, crop: Crop) -> None:
    pose = turned_pose()
    found = seen(scene, camera.cropped(pose, crop), crop.width, crop.height)
    np.testing.assert_allclose(found, projected(pose) - [crop.left, crop.top], atol=0.05)


def test_the_portrait_shows_the_whole_face(bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> None:
    answer = Reconstruction.from_answer(make_answer(), bundle)
    crop = camera.face_crop(answer, 400 / 420)
    assert crop is not None and answer.landmarks is not None
    assert crop.width / crop.height == pytest.approx(400 / 420)
    assert (answer.landmarks > [crop.left, crop.top]).all()
    assert (answer.landmarks < [crop.left + crop.width, crop.top + crop.height]).all()


def test_without_landmarks_the_face_box_serves(bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> None:
    answer = Reconstruction.from_answer(make_answer(), bundle)
    assert camera.face_crop(replace(answer, landmarks=None), 1.0) is not None
    assert camera.face_crop(replace(answer, landmarks=None, face_box=None), 1.0) is None
