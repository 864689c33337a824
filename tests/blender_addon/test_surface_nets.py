from __future__ import annotations

import numpy as np
import pytest

from blender_addon.surface_nets import largest_parts, surface_nets


def edges_of(quads: np.ndarray) -> np.ndarray:
    return np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])


def volume_of(vertices: np.ndarray, quads: np.ndarray) -> float:
    corners = vertices[np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])]
    return float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


@pytest.mark.parametrize("density", [0.02, 0.1, 0.3, 0.5, 0.9])
def test_every_edge_has_two_faces_whatever_the_grid(density: float) -> None:
    rng = np.random.default_rng(1)
    for grid in (rng.random((9, 10, 11)) < density, rng.random((9, 10, 11))):
        vertices, quads = surface_nets(grid.astype(float), 0.5 if grid.dtype == bool else 1 - density)
        edges = [tuple(edge) for edge in edges_of(quads).tolist()]
        assert len(set(edges)) == len(edges)
        assert {(b, a) for a, b in edges} == set(edges)
        assert volume_of(vertices, quads) > 0
        # Around every vertex the faces form one ring: there are as many corners as neighbours.
        neighbours = np.bincount([a for a, _ in set(edges)], minlength=len(vertices))
        corners = np.bincount(quads.ravel(), minlength=len(vertices))
        np.testing.assert_array_equal(neighbours, corners)


def test_a_ball_is_round_and_in_its_place() -> None:
    centre, radius = np.array([9.0, 10.0, 11.0]), 6.0
    middles = np.stack(np.meshgrid(*[np.arange(20) + 0.5] * 3, indexing="ij"), -1)
    field = np.clip(radius - np.linalg.norm(middles - centre, axis=-1) + 0.5, 0, 1)
    vertices, quads = surface_nets(field)
    distance = np.linalg.norm(vertices - centre, axis=1)
    assert distance.mean() == pytest.approx(radius, abs=0.15)
    assert distance.std() < 0.2
    assert volume_of(vertices, quads) == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.08)


def test_thin_parts_survive_and_the_border_is_closed() -> None:
    grid = np.zeros((8, 8, 8))
    grid[4, 4, :] = 1
    vertices, _ = surface_nets(grid)
    assert np.ptp(vertices[:, 2]) == pytest.approx(8, abs=1.1)
    assert np.ptp(vertices[:, 0]) > 0.1


def test_a_higher_threshold_gives_a_smaller_thing() -> None:
    field = np.random.default_rng(2).random((12, 12, 12)) * 0.2
    field[3:9, 3:9, 3:9] = np.linspace(0.3, 0.9, 6)
    volumes = [volume_of(*surface_nets(field, threshold)) for threshold in (0.25, 0.5, 0.8)]
    assert volumes == sorted(volumes, reverse=True)


def test_nothing_above_the_threshold_is_no_mesh() -> None:
    vertices, quads = surface_nets(np.zeros((4, 4, 4)))
    assert (len(vertices), len(quads)) == (0, 0)


def test_crumbs_are_left_out() -> None:
    field = np.zeros((12, 12, 12))
    field[1:7, 1:7, 1:7] = 1
    field[10, 10, 10] = 1
    field[7, 7, 7] = 1  # touches the large part's corner
    kept = largest_parts(field, 0.5)
    assert kept.sum() == 6**3 + 1
    assert not kept[10, 10, 10]
    assert not largest_parts(np.zeros((3, 3, 3)), 0.5).any()
