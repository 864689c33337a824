"""MakeHuman targets: the file that MPFB reads, applied to the base mesh again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon.bundle import Bundle
from blender_addon.failures import Failure
from blender_addon.reconstruction import Reconstruction

bpy = pytest.importorskip("bpy")

from blender_addon import head, targets  # noqa: E402  needs bpy


@pytest.fixture
def base() -> np.ndarray:
    with np.load(targets.BASE_MESH) as arrays:
        return arrays["positions"].astype(np.float64)


@pytest.fixture
def made(scene: Any, bundle: Bundle, base: np.ndarray) -> Any:
    """A head whose first vertices are those of the base mesh's upper head, a tenth larger."""
    with np.load(targets.BASE_MESH) as arrays:
        body = arrays["body"]
    ids = body[(base[body, 1] > -140.0) & (base[body, 1] < 200.0)][: len(bundle.mean)]
    mean = bundle.mean.copy()
    mean[: len(ids)] = 1.1 * base[ids]
    chosen = replace(bundle, mean=mean, base_ids=ids)
    return head.create(chosen, Reconstruction("joint", "small", "", np.zeros(6, np.float32)), scene.collection)


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """As MakeHuman does: lines of a vertex and its offset, `#` begins a comment."""
    rows = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return np.array([int(row[0]) for row in rows]), np.array([[float(word) for word in row[1:]] for row in rows])


def test_the_target_makes_the_head_of_the_base_mesh(made: Any, base: np.ndarray, tmp_path: Path) -> None:
    count = targets.write(made, tmp_path / "me.target")
    ids, offsets = read(tmp_path / "me.target")
    assert len(ids) == count > 1000 and ids.max() < len(base)
    moved = base.copy()
    moved[ids] += offsets * targets.DECIMETRE_MM
    known = np.empty(len(made.data.vertices), np.int32)
    made.data.attributes[head.BASE_VERTEX].data.foreach_get("value", known)
    known = known[known >= 0]
    upper = known[base[known, 1] > base[known, 1].min() + targets.NECK_MM]
    np.testing.assert_allclose(moved[upper], 1.1 * base[upper], atol=0.01)
    lowest = known[base[known, 1] < base[known, 1].min() + 0.5]
    assert np.abs(moved[lowest] - base[lowest]).max() < 0.5, "the neck meets the body"


def test_helpers_follow_and_the_body_stays(made: Any, base: np.ndarray) -> None:
    offsets = targets.offsets(made)
    with np.load(targets.BASE_MESH) as arrays:
        body, eyes = arrays["body"], arrays["eyes"]
    assert not offsets[body[base[body, 1] < -300.0]].any()
    assert np.abs(offsets[eyes[0]]).max() > 1.0, "the eyes' helpers move with the eyeballs"
    helpers = np.setdiff1d(np.flatnonzero(base[:, 1] > 20.0), np.concatenate([body, eyes.ravel()]))
    assert (np.linalg.norm(offsets[helpers], axis=1) > 0.5).mean() > 0.8, "all but hair and clothes far from the head"


def test_a_head_of_another_model_is_refused(scene: Any, bundle: Bundle, tmp_path: Path) -> None:
    plain = head.create(bundle, Reconstruction("joint", "small", "", np.zeros(6, np.float32)), scene.collection)
    assert not targets.can_write(plain)
    with pytest.raises(Failure) as caught:
        targets.write(plain, tmp_path / "me.target")
    assert caught.value.code == "targets_none"
    assert not (tmp_path / "me.target").exists()
