"""A ball for a head: its left half painted otherwise, lit from one side, seen from the front and from a side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.atlas import Atlas, make_atlas
from backend.light import shading
from backend.raster import rasterise, vertex_normals
from backend.texture import INVENTED, MIRRORED, SEEN, Regions, Texture, View, make_texture, spread

ROWS, COLUMNS, RADIUS, SIZE = 24, 48, 80.0, 200
LIGHT = np.zeros((9, 3))
LIGHT[0], LIGHT[3] = (0.6, 0.6, 0.6), (0.25, 0.2, 0.15)


@dataclass(frozen=True)
class Ball:
    vertices: NDArray[np.float64]
    triangles: NDArray[np.int64]
    atlas: Atlas
    albedo: NDArray[np.float64]


@pytest.fixture(scope="module")
def ball() -> Ball:
    """A sphere without poles, in longitude and latitude; texture space is the same."""
    row, column = np.mgrid[0 : ROWS + 1, 0:COLUMNS]
    turn, rise = 2 * np.pi * column / COLUMNS, np.pi * (row / ROWS - 0.5) * 0.96
    vertices = np.stack([np.cos(rise) * np.sin(turn), np.sin(rise), np.cos(rise) * np.cos(turn)], -1).reshape(-1, 3)
    r, c = np.mgrid[0:ROWS, 0:COLUMNS]
    corners = [(r, c), (r, c + 1), (r + 1, c + 1), (r + 1, c)]
    quads = np.stack([a * COLUMNS + b % COLUMNS for a, b in corners], -1).reshape(-1, 4)
    # The seam is at the back: columns start half-way round.
    uv = np.stack([np.stack([((b + COLUMNS // 2 - (c >= COLUMNS // 2) * COLUMNS) / COLUMNS), a / ROWS], -1)
                   for a, b in corners], 2).reshape(-1, 4, 2)  # fmt: skip
    mirror = (row * COLUMNS + (-column) % COLUMNS).ravel()
    atlas = make_atlas(quads, uv, np.ones(len(quads), bool), mirror, 128)
    spots = np.where((np.abs(vertices[:, 0]) < 0.62) & (np.abs(vertices[:, 0]) > 0.5), 0.6, 1.0)
    albedo = np.array([0.6, 0.4, 0.3]) * spots[:, None]
    return Ball(RADIUS * vertices, quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3), atlas, albedo)


def photo(ball: Ball, yaw: float) -> View:
    """The ball as a camera sees it that is turned to a side by `yaw` degrees."""
    a = np.radians(yaw)
    rotation = np.array([[np.cos(a), 0, -np.sin(a)], [0, -1, 0], [-np.sin(a), 0, -np.cos(a)]])
    view = View(np.zeros((SIZE, SIZE, 3), np.float32), rotation, np.array([0.0, 0.0, 600.0]), 500.0)
    normals = vertex_normals(ball.vertices, ball.triangles)
    raster = rasterise(view.project(ball.vertices), ball.triangles, (SIZE, SIZE))
    picture = raster.interpolate(ball.triangles, ball.albedo * shading(LIGHT, normals))
    return View(picture, rotation, view.translation, view.focal)


def textured(ball: Ball, view: View, model: NDArray[np.float64], **changed: NDArray[Any]) -> Texture:
    """The ball's texture from `view`; all of it is face but for what is `changed` of the regions."""
    regions = replace(Regions.bare(np.ones(len(model))), **changed)
    return make_texture(ball.atlas, view, ball.vertices, ball.triangles, model, regions)


def test_the_atlas_knows_its_points_and_their_mirror_images(ball: Ball) -> None:
    points = ball.atlas.interpolate(ball.vertices)
    assert len(points) == 128 * 128
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.full(len(points), RADIUS), rel=0.02)
    across = points[ball.atlas.mirrored] * (-1, 1, 1)
    assert (ball.atlas.mirrored >= 0).all()
    assert np.linalg.norm(across - points, axis=1).max() < 0.1 * RADIUS


def test_light_is_taken_out_where_the_photo_shows_the_skin(ball: Ball) -> None:
    model = np.broadcast_to(np.array([0.6, 0.4, 0.3]), ball.vertices.shape)
    texture = textured(ball, photo(ball, 0.0), model)
    truth = ball.atlas.interpolate(ball.albedo)
    seen = texture.origin == SEEN
    assert 0.2 < seen.mean() < 0.5
    ours = np.sqrt(((texture.albedo - truth)[seen] ** 2).mean())
    undelit = np.sqrt(((texture.projected - truth)[seen] ** 2).mean())
    assert ours < 0.5 * undelit


def test_the_hidden_side_comes_from_the_other_one(ball: Ball) -> None:
    model = np.broadcast_to(np.array([0.6, 0.4, 0.3]), ball.vertices.shape)
    texture = textured(ball, photo(ball, 50.0), model)
    kinds = {int(kind) for kind in np.unique(texture.origin)}
    assert kinds == {SEEN, MIRRORED, INVENTED}
    truth = ball.atlas.interpolate(ball.albedo)
    mirrored = texture.origin == MIRRORED
    spotted = truth[:, 0] < 0.45
    darker = texture.albedo[mirrored & spotted].mean() / texture.albedo[mirrored & ~spotted].mean()
    assert darker < 0.85
    assert np.isfinite(texture.albedo).all() and texture.albedo.min() >= 0 and texture.albedo.max() <= 1


def test_a_head_outside_the_photo_gets_the_model(ball: Ball) -> None:
    view = photo(ball, 0.0)
    away = replace(view, translation=np.array([2_000.0, 0.0, 600.0]))
    model = np.broadcast_to(np.array([0.6, 0.4, 0.3]), ball.vertices.shape)
    texture = textured(ball, away, model)
    assert (texture.origin == INVENTED).all()
    assert texture.albedo == pytest.approx(ball.atlas.interpolate(model), abs=0.02)


def test_tone_is_carried_on_smoothly() -> None:
    edges = np.stack([np.arange(99), np.arange(1, 100)], 1)
    weight, values = np.zeros(100), np.zeros((100, 1))
    weight[:10], values[:10] = 1.0, 0.5
    weight[90:], values[90:] = 1.0, -0.5
    found = spread(values, weight, edges, 400)[:, 0]
    assert found[5] == pytest.approx(0.4, abs=0.2) and found[95] == pytest.approx(-0.4, abs=0.2)
    assert np.abs(np.diff(found)).max() < 0.05


def test_what_is_not_skin_stays_out_of_the_texture(ball: Ball) -> None:
    model = np.broadcast_to(np.array([0.6, 0.4, 0.3]), ball.vertices.shape)
    view = photo(ball, 0.0)
    picture = view.picture.copy()
    hair = np.zeros(picture.shape[:2], bool)
    hair[: SIZE // 2 - 25] = True
    hair &= picture.any(2)
    picture[hair] = (0.5, 0.45, 0.1)
    below = (ball.vertices[:, 1] < 0).astype(float)
    texture = textured(ball, replace(view, picture=picture), model, plain=below)
    height = ball.atlas.interpolate(ball.vertices)[:, 1]
    assert (texture.origin[height > 45] != SEEN).all(), "hair"
    assert (texture.origin[(height < 10) & (texture.trust > 0)] == SEEN).mean() > 0.5, "skin"
    blue = texture.albedo[height > 45][:, 2] / texture.albedo[height > 45][:, 0]
    assert blue.min() > 0.3, "of the skin's colour, not of the hair's"


def test_teeth_do_not_become_lips(ball: Ball) -> None:
    model = np.broadcast_to(np.array([0.5, 0.25, 0.22]), ball.vertices.shape)
    view = photo(ball, 0.0)
    picture = view.picture * np.float32([0.8, 0.6, 0.7])
    picture[SIZE // 2 - 6 : SIZE // 2 + 6, SIZE // 2 - 15 : SIZE // 2 + 15] = (0.85, 0.85, 0.85)
    inner = np.linalg.norm(ball.vertices - (0, 0, RADIUS), axis=1) < 25
    texture = textured(ball, replace(view, picture=picture), model, features=inner, plain=~inner)
    middle = np.linalg.norm(ball.atlas.interpolate(ball.vertices) - (0, 0, RADIUS), axis=1) < 6
    assert texture.albedo[middle].max() < 0.6


def test_the_photo_is_taken_from_where_it_shows_the_vertex(ball: Ball) -> None:
    model = np.broadcast_to(np.array([0.6, 0.4, 0.3]), ball.vertices.shape)
    view = photo(ball, 0.0)
    moved = View(np.roll(view.picture, 8, axis=1), view.rotation, view.translation, view.focal)
    shift = np.tile([8.0, 0.0], (len(ball.vertices), 1))
    regions = Regions.bare(np.ones(len(model)))
    plainly = make_texture(ball.atlas, view, ball.vertices, ball.triangles, model, regions)
    shifted = make_texture(ball.atlas, moved, ball.vertices, ball.triangles, model, regions, shift)
    sure = plainly.trust > 0.9
    assert shifted.projected[sure] == pytest.approx(plainly.projected[sure], abs=1e-4)
