from __future__ import annotations

import numpy as np
import pytest

from training.registration.rig import Rig
from training.registration.target import BadScan, Target, clean_mesh


def test_only_the_part_with_the_landmarks_is_kept_and_faces_outwards(rig: Rig) -> None:
    marks = rig.neutral[rig.landmarks68]
    ball = rig.neutral - np.array([0.0, 0.0, 300.0])
    vertices = np.concatenate([rig.neutral, ball])
    triangles = np.concatenate([rig.skin, rig.skin[:500] + len(ball)])[:, ::-1]
    kept = clean_mesh(vertices, triangles, marks)
    assert len(kept) == len(rig.skin)
    assert np.array_equal(np.sort(np.unique(kept)), rig.skin_ids)
    assert np.array_equal(np.sort(kept, axis=1), np.sort(rig.skin, axis=1))
    middle = vertices[kept].mean(1)
    a, b, c = (vertices[kept[:, i]] for i in range(3))
    outwards = (np.cross(b - a, c - a) * (middle - vertices[kept].mean((0, 1)))).sum(1)
    assert (outwards > 0).mean() > 0.8


def test_bad_meshes_are_refused_with_a_sentence(rig: Rig) -> None:
    marks = rig.neutral[rig.landmarks68]
    with pytest.raises(BadScan, match="empty"):
        clean_mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64), marks)
    fins = np.concatenate([rig.skin, np.roll(rig.skin[:2000], 1, axis=0) * [1, 1, 0] + [0, 0, 5], rig.skin[:2000]])
    with pytest.raises(BadScan, match=r"non-manifold: \d+% of its edges"):
        clean_mesh(rig.neutral, fins.astype(np.int64), marks)
    holed = rig.neutral.copy()
    holed[rig.skin[0, 0]] = np.nan
    with pytest.raises(BadScan, match="not numbers"):
        clean_mesh(holed, rig.skin, marks)


def test_eye_openings_are_found_where_the_mesh_has_holes(rig: Rig) -> None:
    marks = dict(enumerate(rig.neutral[rig.landmarks68]))
    target = Target.of(rig.neutral, rig.skin, marks)
    for side, loops in (("left", rig.lids[0]), ("right", rig.lids[1])):
        narrowest, edge = target.openings[side]
        assert set(narrowest) == set(loops[0])
        assert set(edge).isdisjoint(narrowest)
    closed = np.concatenate([rig.all_skin])
    assert Target.of(rig.neutral, closed, marks).openings == {}
