from __future__ import annotations

import numpy as np
import pytest

from tests.training.toy_faces import toy_template
from training.detail.fine import FineMesh, relief_mask
from training.detail.relief import BOTTOM, LEFT, SMOOTH, STEEPEST, STEP, Relief, ReliefArtist, map_places
from training.template import Template


@pytest.fixture(scope="module")
def template() -> Template:
    arrays = toy_template()
    return Template.from_arrays({"eye_left": np.zeros(0, np.int32), "eye_right": np.zeros(0, np.int32), **arrays})


def test_a_face_depends_on_its_generator_alone(template: Template) -> None:
    artist = ReliefArtist(template)
    one, other = (artist.draw(np.random.default_rng([1, 5])) for _ in range(2))
    assert one.kind == other.kind and np.array_equal(one.height, other.height) and np.array_equal(one.tint, other.tint)


def test_a_third_is_smooth_and_nothing_is_steeper_than_skin(template: Template) -> None:
    artist = ReliefArtist(template)
    drawn = [artist.draw(np.random.default_rng([2, index])) for index in range(24)]
    smooth = [relief for relief in drawn if relief.kind == SMOOTH]
    assert 3 <= len(smooth) <= 14
    assert all(not relief.height.any() for relief in smooth)
    for relief in drawn:
        down, across = np.gradient(relief.height, STEP)
        assert np.percentile(np.hypot(down, across), 99.5) <= STEEPEST + 1e-3
        assert np.abs(relief.height).max() < 4.0
    assert any((relief.tint < 0.9).any() for relief in smooth), "marks without relief"


def test_samples_are_heights_and_their_slopes() -> None:
    rows, columns = np.mgrid[0:60, 0:80]
    height = (0.02 * columns - 0.01 * rows).astype(np.float32)
    relief = Relief("lines", height, np.ones((60, 80, 3), np.float32))
    places = np.array([[LEFT + 10 * STEP, BOTTOM + 20 * STEP]])
    found, slopes, tint = relief.sample(places)
    assert found == pytest.approx([0.0], abs=1e-6) and tint.tolist() == [[1.0, 1.0, 1.0]]
    assert slopes[0] == pytest.approx([0.02 / STEP, -0.01 / STEP], abs=1e-5)


def test_the_fine_mesh_lies_on_the_coarse_one(template: Template) -> None:
    mesh = FineMesh(template, spacing=2.0)
    flat = Relief(SMOOTH, np.zeros((700, 800), np.float32), np.ones((700, 800, 3), np.float32))
    raised = mesh.raised(template.mean, flat)
    assert len(raised.points) == mesh.quads.max() + 1 and mesh.uv.shape == (len(mesh.quads), 4, 2)
    np.testing.assert_allclose(raised.points, mesh.interpolate(template.mean), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(raised.normals, axis=1), 1.0, atol=1e-5)


def test_normals_are_those_of_the_raised_surface(template: Template) -> None:
    """The facets of the fine mesh agree with the normals it says it has, but for the coarse mesh's own facets."""
    mesh = FineMesh(template, spacing=0.6)
    columns = np.arange(900) * STEP
    height = np.broadcast_to(0.4 * np.sin(columns / 2.0), (700, 900)).astype(np.float32)
    tint = np.ones((700, 900, 3), np.float32)
    waves, flat = (mesh.raised(template.mean, Relief("lines", one, tint)) for one in (height, np.zeros_like(height)))

    def facets(points: np.ndarray) -> np.ndarray:
        a, b, c, d = (points[mesh.quads[:, k]].astype(float) for k in range(4))
        normal = np.cross(c - a, d - b)
        return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)

    turned = facets(waves.points) - facets(flat.points)
    said = (waves.normals - flat.normals)[mesh.quads].mean(1)
    strong = np.linalg.norm(said, axis=1) > 0.05
    assert strong.sum() > 100
    assert np.corrcoef(turned[strong].ravel(), said[strong].ravel())[0, 1] > 0.9
    assert np.linalg.norm(turned[strong]) == pytest.approx(np.linalg.norm(said[strong]), rel=0.15)


def test_there_is_no_relief_at_lips_and_border(template: Template) -> None:
    mask = relief_mask(template)
    assert not mask[template.region("lips")].any() and not mask[~template.region("face")].any()
    assert mask.max() == 1.0 and map_places(template.mean).shape == (len(mask), 2)
