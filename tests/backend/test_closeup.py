"""A ball before a camera: everything about it is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.closeup import CHANNELS, PIXEL_MM, STEP, Closeup, look_closely
from backend.light import harmonics
from backend.texture import View

RADIUS, DISTANCE, FOCAL = 80.0, 600.0, 500.0
Floats = NDArray[np.float64]


def ball(count: int = 60) -> tuple[Floats, NDArray[np.int64]]:
    """A sphere's vertices and triangles, anticlockwise from outside."""
    across, up = np.meshgrid(np.linspace(0, 2 * np.pi, 2 * count, endpoint=False), np.linspace(0, np.pi, count))
    points = np.stack([np.sin(up) * np.sin(across), np.cos(up), np.sin(up) * np.cos(across)], -1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(count - 1), np.arange(2 * count), indexing="ij")
    a, b = row * 2 * count + column, row * 2 * count + (column + 1) % (2 * count)
    quads = np.stack([a, a + 2 * count, b + 2 * count, b], -1).reshape(-1, 4)
    return RADIUS * points, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def look(
    picture: NDArray[np.float32] | None = None, size: int = 400, translation: Floats | None = None
) -> Closeup | None:
    points, triangles = ball()
    if picture is None:
        picture = np.full((size, size, 3), 0.4, np.float32)
    away = np.array([0.0, 0.0, DISTANCE]) if translation is None else translation
    view = View(picture, np.diag([1.0, -1.0, -1.0]), away, FOCAL)
    return look_closely(view, points, triangles, np.full((len(points), 3), 0.5), np.ones(len(points)))


def test_the_scale_is_fixed_and_sides_can_be_halved() -> None:
    seen = look()
    assert seen is not None
    height, width = seen.present.shape
    assert height % STEP == width % STEP == 0
    assert seen.scale == pytest.approx(DISTANCE / FOCAL / PIXEL_MM, rel=0.1)
    assert seen.channels.shape == (len(CHANNELS), height, width) and np.isfinite(seen.channels).all()


def test_normals_are_the_balls() -> None:
    seen = look()
    assert seen is not None
    rows, columns = np.mgrid[0 : seen.present.shape[0], 0 : seen.present.shape[1]] + 0.5
    x, y = columns / seen.scale + seen.corner[0] - 200, rows / seen.scale + seen.corner[1] - 200
    point = np.stack([x, y, np.full_like(x, FOCAL)], -1) * (seen.depth / FOCAL)[..., None] - [0, 0, DISTANCE]
    facing = seen.present & (seen.normals[..., 2] < -0.5)
    assert np.abs(point / RADIUS - seen.normals)[facing].max() < 0.02


def test_a_height_tilts_the_surface_as_its_gradient_says() -> None:
    seen = look()
    assert seen is not None
    # A height that is a coordinate of the point itself has a gradient everybody knows: the axis, along the surface.
    _, columns = np.mgrid[0 : seen.present.shape[0], 0 : seen.present.shape[1]] + 0.5
    x = (columns / seen.scale + seen.corner[0] - 200) * seen.depth / FOCAL
    gradient = seen.tilt(np.where(seen.present, x, 0.0))
    axis = np.array([1.0, 0.0, 0.0])
    expected = axis - seen.normals * (seen.normals @ axis)[..., None]
    height, width = seen.present.shape
    middle = np.zeros_like(seen.present)
    middle[height // 4 : -height // 4, width // 4 : -width // 4] = True
    assert np.abs(gradient - expected)[middle].max() < 0.03


def test_light_is_divided_out() -> None:
    plain = look()
    assert plain is not None
    lamp = np.zeros((9, 3))
    lamp[0], lamp[3] = 0.5, 0.25  # from the right
    rows, columns = np.mgrid[0:400, 0:400] + 0.5
    x, y = (columns - 200) / FOCAL, (rows - 200) / FOCAL
    # Where the pixel's ray meets the ball.
    square = x**2 + y**2 + 1
    inside = np.maximum(DISTANCE**2 - square * (DISTANCE**2 - RADIUS**2), 0.0)
    depth = (DISTANCE - np.sqrt(inside)) / square
    normal = (np.stack([x, y, np.ones_like(x)], -1) * depth[..., None] - [0, 0, DISTANCE]) / RADIUS
    picture = 0.5 * np.maximum(harmonics(normal) @ lamp, 0.02)
    seen = look(picture.astype(np.float32))
    assert seen is not None
    facing = seen.present & (seen.normals[..., 2] < -0.4)
    assert np.abs(seen.channels[:3, facing]).max() < 0.35  # of tenths: 3.5 %
    # Light changes when the surface tilts to the right, and hardly when it tilts down.
    along_x, along_y = seen.channels[3:5]
    middle = facing & (np.abs(seen.normals[..., :2]).max(2) < 0.3)
    assert along_x[middle].max() < -0.3 and np.abs(along_y[middle]).max() < 0.35


def test_what_is_not_in_the_photo_is_not_looked_at() -> None:
    assert look(translation=np.array([2000.0, 0.0, DISTANCE])) is None
