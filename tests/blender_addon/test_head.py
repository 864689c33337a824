from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon.bundle import Bundle
from blender_addon.reconstruction import Reconstruction
from tests.bundles import ARKIT_NAMES

bpy = pytest.importorskip("bpy")

from blender_addon import head, material  # noqa: E402  needs bpy

HUNDREDTH_MM = 1e-5


@pytest.fixture
def answer(bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> Reconstruction:
    return Reconstruction.from_answer(make_answer(), bundle)


def evaluated(thing: Any) -> np.ndarray:
    shown = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    positions = np.empty(3 * len(shown.vertices), np.float32)
    shown.vertices.foreach_get("co", positions)
    return positions.reshape(-1, 3)


@pytest.mark.parametrize("seed", range(3))
def test_the_evaluated_mesh_is_the_linear_model(
    scene: Any, bundle: Bundle, make_answer: Callable[..., dict[str, Any]], seed: int
) -> None:
    expression = np.random.default_rng(seed).uniform(size=52)
    answer = Reconstruction.from_answer(make_answer(seed, expression=expression.tolist()), bundle)
    made = head.create(bundle, answer, scene.collection)
    x, y, z = (
        bundle.mean.astype(float)
        + np.tensordot(answer.identity.astype(float), bundle.identity, 1)
        + np.tensordot(expression, bundle.expression, 1)
    ).T
    wanted = np.stack([x, -z, y], axis=1) / 1000
    assert np.abs(evaluated(made) - wanted).max() < HUNDREDTH_MM


def test_sliders(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    identity = answer.identity.copy()
    identity[:3] = [4.5, -25.0, 0.0]
    made = head.create(bundle, replace(answer, identity=identity), scene.collection)
    keys = made.data.shape_keys.key_blocks
    assert [key.name for key in keys] == ["Basis", *bundle.identity_names, *ARKIT_NAMES]
    far, beyond, usual = keys[1:4]
    assert (far.slider_min, far.slider_max, far.value) == (-4.5, 4.5, 4.5)
    assert (beyond.slider_min, beyond.slider_max, beyond.value) == (-10, 10, -10), "Blender's own limit"
    assert (usual.slider_min, usual.slider_max, usual.value) == (-3, 3, 0)
    for name in ARKIT_NAMES:
        assert (keys[name].slider_min, keys[name].slider_max, keys[name].value) == (0, 1, 0)
    assert [key.name for key in head.identity_keys(made)] == list(bundle.identity_names)
    assert [key.name for key in head.expression_keys(made)] == list(ARKIT_NAMES)


def test_mesh(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    mesh = head.create(bundle, answer, scene.collection).data
    assert not mesh.validate(), "nothing to repair"
    assert {polygon.loop_total for polygon in mesh.polygons} == {4}
    assert all(polygon.use_smooth for polygon in mesh.polygons)
    assert [slot.name for slot in mesh.materials] == [
        "Likeness Skin", "Likeness Eye", "Likeness Iris", "Likeness Pupil"
    ]  # fmt: skip
    slots = np.array([polygon.material_index for polygon in mesh.polygons])
    assert ((slots > 0) == (bundle.material == 1)).all()
    uv = np.empty(2 * len(mesh.loops), np.float32)
    mesh.uv_layers.active.uv.foreach_get("vector", uv)
    np.testing.assert_array_equal(uv.reshape(bundle.uv.shape), bundle.uv)


def test_the_face_looks_along_minus_y_and_is_of_natural_size(
    scene: Any, bundle: Bundle, answer: Reconstruction
) -> None:
    made = head.create(bundle, replace(answer, identity=np.zeros_like(answer.identity)), scene.collection)
    positions = evaluated(made)
    nose = positions[np.argmin(positions[:, 1])]
    assert abs(nose[0]) < 0.005 and nose[1] < -0.08
    assert 0.15 < np.ptp(positions[:, 2]) < 0.35


def test_colours_and_regions(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    made = head.create(bundle, answer, scene.collection)
    attribute = made.data.color_attributes[material.REFLECTANCE]
    colours = np.empty(4 * len(bundle.mean), np.float32)
    attribute.data.foreach_get("color", colours)
    np.testing.assert_allclose(colours.reshape(-1, 4)[:, :3], bundle.albedo(answer.reflectance), atol=1e-6)
    for index, name in enumerate(bundle.region_names):
        group = made.vertex_groups[name].index
        members = [v.index for v in made.data.vertices if any(entry.group == group for entry in v.groups)]
        assert members == np.flatnonzero(bundle.regions[index]).tolist()


def test_the_source_is_written_on_the_head(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    made = head.create(bundle, answer, scene.collection, photo="me.jpg")
    assert made[head.METHOD] == "joint"
    assert made[head.BUNDLE] == "small"
    assert made[head.PHOTO] == "me.jpg"
    assert "GPL-3.0-or-later" in made[head.LICENCES]


def test_two_heads_do_not_share_materials(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    one, two = (head.create(bundle, answer, scene.collection) for _ in range(2))
    assert not set(one.data.materials) & set(two.data.materials)


def test_a_saved_file_opens_without_the_addon(
    scene: Any, bundle: Bundle, answer: Reconstruction, tmp_path: Path
) -> None:
    made = head.create(bundle, answer, scene.collection)
    wanted = evaluated(made)
    np.save(tmp_path / "wanted.npy", wanted)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    script = f"""
import sys
import bpy
import numpy as np
bpy.ops.wm.open_mainfile(filepath={str(tmp_path / "head.blend")!r})
head = bpy.data.objects["Head"]
mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
positions = np.empty(3 * len(mesh.vertices), np.float32)
mesh.vertices.foreach_get("co", positions)
error = np.abs(positions.reshape(-1, 3) - np.load({str(tmp_path / "wanted.npy")!r})).max()
assert error < {HUNDREDTH_MM}, error
assert head["likeness_method"] == "joint"
for slot in head.material_slots:
    for tree in [slot.material.node_tree, *bpy.data.node_groups]:
        assert not [node for node in tree.nodes if node.bl_idname == "NodeUndefined"]
assert not [name for name in sys.modules if name.startswith("blender_addon")]
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, timeout=120)
