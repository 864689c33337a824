from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.camera import Camera
from training.render.visibility import LandmarkSight

SIZE = 64
CAMERA = Camera(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 600.0]), 400.0, SIZE)


def ball(radius: float = 40.0, steps: int = 25) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices mm and outward triangles of a sphere about the origin."""
    v, u = np.meshgrid(np.linspace(0.02, np.pi - 0.02, steps), np.linspace(0, 2 * np.pi, steps, endpoint=False))
    points = radius * np.stack([np.sin(v) * np.cos(u), np.cos(v), np.sin(v) * np.sin(u)], -1).reshape(-1, 3)
    faces = []
    for a in range(steps):
        for b in range(steps - 1):
            one, two = a * steps + b, (a + 1) % steps * steps + b
            faces += [[one, two, two + 1], [one, two + 1, one + 1]]
    triangles = np.array(faces)
    outward = np.cross(
        points[triangles[:, 1]] - points[triangles[:, 0]], points[triangles[:, 2]] - points[triangles[:, 0]]
    )
    if (outward * points[triangles].mean(1)).sum() < 0:
        triangles = triangles[:, ::-1]
    return points, triangles


def depth_of_ball(radius: float = 40.0) -> NDArray[np.float64]:
    """What the camera sees of it: the nearer root of |t ray - centre| = radius, at pixel centres."""
    column, row = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    rays = np.stack([(column - SIZE / 2) / 400.0, (row - SIZE / 2) / 400.0, np.ones_like(column)], -1)
    a, b = (rays**2).sum(-1), -2.0 * 600.0 * rays[..., 2]
    root = b**2 - 4.0 * a * (600.0**2 - radius**2)
    return np.where(root > 0.0, (-b - np.sqrt(np.maximum(root, 0.0))) / (2.0 * a), np.inf)


def test_of_a_ball_the_half_towards_the_camera_shows() -> None:
    points, triangles = ball()
    sight = LandmarkSight(np.arange(len(points)), triangles)
    visible = sight.visible(points, CAMERA, depth_of_ball())
    towards = (
        ((np.array([0.0, 0.0, 600.0]) - points) * points).sum(1) / 40.0 / np.linalg.norm(points - [0, 0, 600], axis=1)
    )
    assert visible[towards > 0.2].all()
    assert not visible[towards < -0.2].any()


def test_what_stands_in_front_hides() -> None:
    points, triangles = ball()
    depth = depth_of_ball()
    depth[:, : SIZE // 2] = 400.0
    visible = LandmarkSight(np.arange(len(points)), triangles).visible(points, CAMERA, depth)
    column = CAMERA.project(points)[:, 0]
    assert not visible[column < SIZE / 2 - 1].any()
    assert visible[(column > SIZE / 2 + 1) & (points[:, 2] > 20.0)].all()


def test_a_hair_before_the_skin_hides_nothing() -> None:
    points, triangles = ball()
    visible = LandmarkSight(np.arange(len(points)), triangles).visible(points, CAMERA, depth_of_ball() - 1.0)
    assert visible[points[:, 2] > 20.0].all()


def test_outside_the_picture_nothing_shows() -> None:
    points, triangles = ball()
    aside = Camera(CAMERA.rotation, np.array([80.0, 0.0, 600.0]), 400.0, SIZE)
    assert not LandmarkSight(np.arange(len(points)), triangles).visible(points, aside, depth_of_ball()).any()


def test_a_vertex_may_be_asked_for_twice() -> None:
    points, triangles = ball()
    front = int(np.argmax(points[:, 2]))
    back = int(np.argmin(points[:, 2]))
    flags = LandmarkSight(np.array([front, back, front]), triangles).visible(points, CAMERA, depth_of_ball())
    assert flags.tolist() == [True, False, True]
