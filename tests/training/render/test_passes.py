"""Truth per pixel of a real render, held against the mesh that was rendered."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.camera import Camera
from training.populations.anny import AnnyPopulation
from training.shards import DatasetInfo
from training.subjects.figure import Figure
from training.subjects.props import SEGMENTS
from training.template import Template
from training.truth import PASSES, Truth, unpack_truth

pytest.importorskip("bpy")

SIZE = 128
INFO = DatasetInfo(seed=3, count=40, per_shard=10, resolution=SIZE, samples=2, passes=PASSES)


@dataclass(frozen=True)
class Rendered:
    template: Template
    figure: Figure
    truth: Truth
    picture: NDArray[np.uint8]

    @property
    def camera(self) -> Camera:
        return self.figure.camera

    def shows(self, *segments: str) -> NDArray[np.bool_]:
        return np.isin(self.truth["seg"], [SEGMENTS.index(name) for name in segments])


@pytest.fixture(scope="module", params=[5.0, -50.0], ids=["frontal", "turned"])
def rendered(request: pytest.FixtureRequest, population: AnnyPopulation) -> Iterator[Rendered]:
    from training.render.worker import SampleMaker

    maker = SampleMaker(population, INFO)
    subject = maker.draw(0)
    view = replace(subject.view, yaw=request.param, pitch=6.0, roll=9.0, aperture=1.8)
    subject = replace(
        subject,
        view=view,
        headwear=None,
        occluder=None,
        expression={"jawOpen": 0.5},
        beard=replace(subject.beard, length=0),
    )
    figure = maker.build(subject)
    # What clothes leave bare is skin too, but no part of the head.
    figure = replace(figure, props=tuple(prop for prop in figure.props if prop.segment != "skin"))
    sample = maker.record(subject, figure, maker.show(subject, figure), maker.render())
    picture = np.asarray(Image.open(io.BytesIO(sample.picture)).convert("RGB"))
    yield Rendered(population.template, figure, unpack_truth(sample.packed), picture)
    maker.close()


def bilinear(image: NDArray, pixels: NDArray) -> tuple[NDArray, NDArray]:
    """Values of (H,W,2) between pixel centres, and the matrices (...,2,2) of their derivatives to x and y."""
    corner = np.floor(pixels - 0.5).astype(int)
    x, y = (pixels - 0.5 - corner).T[:, :, None]
    column, row = corner.T
    a, b = image[row, column], image[row, column + 1]
    c, d = image[row + 1, column], image[row + 1, column + 1]
    value = (a * (1 - x) + b * x) * (1 - y) + (c * (1 - x) + d * x) * y
    return value, np.stack([(b - a) * (1 - y) + (d - c) * y, (c - a) * (1 - x) + (d - b) * x], -1)


def skin_uv(template: Template) -> NDArray:
    """The one UV (N,2) of each skin vertex; nan where islands meet and elsewhere."""
    skin = template.material == list(template.material_names).index("skin")
    corners, uv = template.quads[skin].ravel(), template.uv[skin].reshape(-1, 2)
    one, other = (np.full((len(template.mean), 2), np.nan) for _ in range(2))
    one[corners], other[corners[::-1]] = uv, uv[::-1]
    one[~np.isclose(one, other).all(1)] = np.nan
    return one


def test_projected_vertices_agree_with_the_uv_pass_to_half_a_pixel(rendered: Rendered) -> None:
    from training.render.visibility import LandmarkSight

    template, camera, depth = rendered.template, rendered.camera, rendered.truth["depth"]
    pixels = camera.project(rendered.figure.vertices)
    inside = ((pixels > 1.0) & (pixels < SIZE - 1.0)).all(1)
    uv = skin_uv(template)
    everything = LandmarkSight(np.arange(len(pixels)), template.triangles)
    seen = everything.visible(rendered.figure.vertices, camera, depth)
    chosen = np.flatnonzero(inside & seen & np.isfinite(uv).all(1))
    # Between pixels that show even skin, so that the pass may be interpolated.
    corner = np.floor(pixels[chosen] - 0.5).astype(int)
    rows, columns = corner[:, 1, None] + [0, 0, 1, 1], corner[:, 0, None] + [0, 1, 0, 1]
    even = rendered.shows("skin", "lips")[rows, columns].all(1) & (np.ptp(depth[rows, columns], axis=1) < 2.0)
    z = (rendered.figure.vertices @ camera.rotation.T + camera.translation)[:, 2]
    even &= np.abs(depth[rows, columns].mean(1) - z[chosen]) < 1.0
    chosen = chosen[even]
    assert len(chosen) > 300
    found, slopes = bilinear(rendered.truth["uv"], pixels[chosen])
    away = np.linalg.norm(np.linalg.solve(slopes, (uv[chosen] - found)[..., None])[..., 0], axis=1)
    assert np.median(away) < 0.1
    assert np.percentile(away, 99) < 0.5
    landmarks = np.isin(chosen, np.concatenate([template.landmarks68, template.landmarks_dense]))
    assert landmarks.sum() > 50
    assert np.percentile(away[landmarks], 99) < 0.5


def test_depth_and_uv_agree_with_the_mesh_behind_each_pixel(rendered: Rendered) -> None:
    from mathutils.bvhtree import BVHTree

    camera, template = rendered.camera, rendered.template
    quads = template.material == list(template.material_names).index("skin")
    triangles = template.triangles.reshape(-1, 2, 3)[quads].reshape(-1, 3)
    corner_uv = template.uv[quads][:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 2)
    seen = rendered.figure.vertices @ camera.rotation.T + camera.translation
    tree = BVHTree.FromPolygons(seen.tolist(), triangles.tolist())
    rows, columns = np.nonzero(rendered.shows("skin", "lips"))
    rays = np.stack([(columns + 0.5 - SIZE / 2) / camera.focal, (rows + 0.5 - SIZE / 2) / camera.focal], 1)
    cast = [tree.ray_cast((0.0, 0.0, 0.0), (x, y, 1.0)) for x, y in rays]
    hit = np.array([face is not None for _, _, face, _ in cast])
    # At a silhouette either may see past the other.
    assert hit.mean() > 0.995
    rows, columns = rows[hit], columns[hit]
    places = np.array([place for place, _, face, _ in cast if face is not None])
    error = np.abs(rendered.truth["depth"][rows, columns] - places[:, 2])
    assert np.percentile(error, 99.5) < 0.1
    faces = np.array([face for _, _, face, _ in cast if face is not None])
    first, second, third = seen[triangles[faces]].transpose(1, 0, 2)
    edges = np.stack([second - first, third - first], -1)
    weights = np.linalg.solve(edges.transpose(0, 2, 1) @ edges, edges.transpose(0, 2, 1) @ (places - first)[..., None])
    a, b, c = corner_uv[faces].transpose(1, 0, 2)
    expected = a + weights[:, 0] * (b - a) + weights[:, 1] * (c - a)
    away = np.linalg.norm(rendered.truth["uv"][rows, columns] - expected, axis=1)
    per_pixel = np.nanmedian(np.linalg.norm(np.diff(rendered.truth["uv"], axis=1)[rows[:-1], columns[:-1] - 1], axis=1))
    assert np.percentile(away, 99.5) < 0.5 * per_pixel
    assert np.isinf(rendered.truth["depth"][rendered.shows("background")]).all()


def test_normals_are_those_of_the_depth(rendered: Rendered) -> None:
    camera, depth = rendered.camera, rendered.truth["depth"].astype(float)
    normals = rendered.truth["normals"].astype(float)
    column, row = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    rays = np.stack([(column - SIZE / 2) / camera.focal, (row - SIZE / 2) / camera.focal, np.ones_like(column)], -1)
    points = rays * np.where(np.isfinite(depth), depth, np.nan)[..., None]
    across = points[1:-1, 2:] - points[1:-1, :-2]
    down = points[2:, 1:-1] - points[:-2, 1:-1]
    flat = np.cross(down, across)  # towards the camera
    length = np.linalg.norm(flat, axis=-1)
    even = np.isfinite(length) & (np.abs(across[..., 2]) < 3.0) & (np.abs(down[..., 2]) < 3.0)
    even &= rendered.shows("skin")[1:-1, 1:-1]
    cosine = (flat[even] / length[even, None] * normals[1:-1, 1:-1][even]).sum(-1)
    assert even.sum() > 1000
    # The pass holds smooth normals with the skin's pores.
    assert np.median(np.degrees(np.arccos(np.clip(cosine, -1, 1)))) < 12.0
    assert not normals[rendered.shows("background")].any()


def test_segments_lie_where_the_mesh_has_them(rendered: Rendered) -> None:
    template, camera = rendered.template, rendered.camera
    pixels = np.floor(camera.project(rendered.figure.vertices)).astype(int)
    inside = ((pixels >= 0) & (pixels < SIZE)).all(1)
    seen = rendered.figure.vertices @ camera.rotation.T + camera.translation
    column, row = np.where(inside, pixels.T, 0)
    front = inside & (np.abs(rendered.truth["depth"][row, column] - seen[:, 2]) < 2.0)
    for region, segment in (("lips", "lips"), ("eyes", "eyes"), ("nose", "skin")):
        vertices = np.flatnonzero(template.region(region) & front)
        right = rendered.shows(segment)[row[vertices], column[vertices]]
        assert right.mean() > 0.7, region
    assert rendered.shows("mouth", "teeth").any(), "the mouth is open"
    assert rendered.shows("brows").any()


def test_albedo_is_the_skin_without_its_light(rendered: Rendered) -> None:
    skin = rendered.shows("skin")
    albedo = rendered.truth["albedo"][skin].astype(float)
    face = rendered.figure.reflectance[rendered.template.region("face")]
    assert np.abs(np.median(albedo, axis=0) - np.median(face, axis=0)).max() < 0.1
    assert not rendered.truth["albedo"][rendered.shows("background")].any()


def test_passes_leave_the_picture_as_it_is(population: AnnyPopulation) -> None:
    from training.render.worker import SampleMaker

    pictures = []
    for passes in ((), PASSES):
        maker = SampleMaker(population, replace(INFO, passes=passes))
        subject = maker.draw(1)
        subject = replace(subject, view=replace(subject.view, aperture=0.0))
        maker.show(subject, maker.build(subject))
        pictures.append(np.asarray(Image.open(io.BytesIO(maker.render().picture))).astype(float))
        maker.close()
    assert np.abs(pictures[0] - pictures[1]).mean() < 1.0
