"""Names, shapes and ranges through every format and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon.bundle import Bundle
from blender_addon.failures import Failure
from blender_addon.reconstruction import Reconstruction

bpy = pytest.importorskip("bpy")

from blender_addon import arkit, export, head, modifiers, ranges, result, shape  # noqa: E402  needs bpy
from blender_addon.result import Shot  # noqa: E402

IMPORTERS: dict[str, Callable[[str], Any]] = {
    ".glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    ".fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    ".usdc": lambda path: bpy.ops.wm.usd_import(filepath=path, import_blendshapes=True),
    ".usdz": lambda path: bpy.ops.wm.usd_import(filepath=path, import_blendshapes=True),
}


@pytest.fixture
def made(scene: Any, bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> Any:
    answer = Reconstruction.from_answer(make_answer(expression=np.linspace(0.0, 1.0, 52).tolist()), bundle)
    return result.add(scene, scene.collection, bundle, [Shot(answer, "me.jpg")]).head


def back(path: Path) -> Any:
    """The one mesh in a file, imported into an empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    IMPORTERS[path.suffix](str(path))
    (thing,) = [one for one in bpy.data.objects if one.type == "MESH" and one.data.shape_keys]
    return thing


def positions(thing: Any) -> np.ndarray:
    shown = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.empty(3 * len(shown.data.vertices), np.float32)
    shown.data.vertices.foreach_get("co", points)
    matrix = np.array(thing.matrix_world)
    return points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.array([np.linalg.norm(others - point, axis=1).min() for point in points])


@pytest.mark.parametrize("ending", IMPORTERS)
def test_names_shape_and_expression_survive(made: Any, tmp_path: Path, ending: str) -> None:
    wanted = positions(made)
    before = {kind: len(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "materials", "images", "shape_keys")}
    export.write(made, tmp_path / f"head{ending}")
    assert before == {kind: len(getattr(bpy.data, kind)) for kind in before}, "nothing is left of the copy"
    assert made.name == "Head" and head.identity_keys(made)
    thing = back(tmp_path / f"head{ending}")
    names = [key.name for key in thing.data.shape_keys.key_blocks[1:]]
    assert sorted(names) == sorted(arkit.NAMES), "the ARKit keys and no other"
    smile = dict(zip(arkit.NAMES, np.linspace(0.0, 1.0, 52), strict=True))
    if not ending.startswith(".usd"):  # which keeps the values in an animation
        found = {key.name: key.value for key in thing.data.shape_keys.key_blocks[1:]}
        assert found == pytest.approx(smile, abs=1e-3)
    for name, value in smile.items():
        thing.data.shape_keys.key_blocks[name].value = value
    assert nearest(positions(thing)[::17], wanted).max() < 2e-5


def test_identity_sliders_come_back_from_fbx_with_range_and_value(made: Any, tmp_path: Path) -> None:
    face, wanted = shape.face(made), positions(made)
    export.write(made, tmp_path / "head.fbx", export.Options(identity=True))
    thing = back(tmp_path / "head.fbx")
    assert ranges.can_restore(thing)
    assert ranges.restore(thing) == 52 + 6
    assert [(key.slider_min, key.slider_max) for key in head.identity_keys(thing)] == [(-3.0, 3.0)] * 6
    assert {(key.slider_min, key.slider_max) for key in head.expression_keys(thing)} == {(0.0, 1.0)}
    assert shape.face(thing).identity == pytest.approx(face.identity, abs=1e-3)
    assert nearest(positions(thing)[::17], wanted).max() < 2e-5
    assert head.is_head(thing), "it can be edited as before"


def test_ranges_need_names_that_say_what_they_are(scene: Any) -> None:
    assert not ranges.can_restore(None)
    mesh = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    scene.collection.objects.link(mesh)
    assert not ranges.can_restore(mesh)
    mesh.shape_key_add(name="Basis")
    mesh.shape_key_add(name="smile")
    assert not ranges.can_restore(mesh)


def test_modifiers_are_applied_to_every_expression(made: Any, tmp_path: Path) -> None:
    subdivision = made.modifiers[result.SUBDIVISION]
    subdivision.show_viewport = True
    wanted = positions(made)
    count = len(made.data.vertices)
    assert len(wanted) > 3 * count
    export.write(made, tmp_path / "head.glb", export.Options(modifiers=True))
    assert len(made.data.vertices) == count and len(made.modifiers) == 1, "the head itself stays as it is"
    thing = back(tmp_path / "head.glb")
    assert nearest(positions(thing)[::37], wanted).max() < 5e-5
    assert sorted(key.name for key in thing.data.shape_keys.key_blocks[1:]) == sorted(arkit.NAMES)


def test_a_modifier_that_changes_the_number_of_vertices(made: Any, tmp_path: Path) -> None:
    welding = made.modifiers.new("Weld", "WELD")
    welding.merge_threshold = 0.004
    before = len(bpy.data.objects), len(bpy.data.meshes)
    with pytest.raises(Failure) as caught:
        export.write(made, tmp_path / "head.glb", export.Options(modifiers=True))
    assert caught.value.code == "export_modifiers" and "Weld" in str(caught.value)
    assert (len(bpy.data.objects), len(bpy.data.meshes)) == before


def test_without_modifiers_nothing_happens(made: Any) -> None:
    mesh = made.data
    modifiers.apply(made)
    assert made.data == mesh


def test_what_only_editing_needs_is_not_exported(made: Any) -> None:
    copy = export.baked_copy(made)
    assert head.METHOD in copy and head.LICENCES in copy
    assert not [name for name in head.FOR_EDITING if name in copy]
    assert not copy.modifiers and copy.parent is None


def test_the_selection_stays(made: Any, scene: Any, tmp_path: Path) -> None:
    other = bpy.data.objects.new("Other", None)
    scene.collection.objects.link(other)
    other.select_set(True)
    bpy.context.view_layer.objects.active = other
    export.write(made, tmp_path / "head.obj")
    assert bpy.context.selected_objects == [other] and bpy.context.view_layer.objects.active == other
