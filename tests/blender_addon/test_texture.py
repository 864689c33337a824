"""The photo on the skin: in the file, in the materials, and in exported copies."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon import png
from blender_addon.bundle import Bundle
from blender_addon.reconstruction import Reconstruction

bpy = pytest.importorskip("bpy")

from blender_addon import export, material, result, texture  # noqa: E402  needs bpy
from blender_addon.result import Shot  # noqa: E402

SIDE = 16


def picture(*colour: int) -> str:
    return base64.b64encode(png.encode(np.full((SIDE, SIDE, len(colour)), colour, np.uint8))).decode()


@pytest.fixture
def made(scene: Any, bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> Any:
    painted = {"side": SIDE, "albedo": picture(200, 150, 120), "origin": picture(255)}
    answer = Reconstruction.from_answer(make_answer(texture=painted), bundle)
    return result.add(scene, scene.collection, bundle, [Shot(answer, "me.jpg")]).head


def test_the_photo_is_on_the_skin_and_inside_the_file(made: Any, tmp_path: Path) -> None:
    image = texture.of(made)
    assert image.packed_file is not None and tuple(image.size) == (SIDE, SIDE)
    skin = next(slot for slot in made.data.materials if slot[material.KIND] == "skin")
    colour = next(node for node in skin.node_tree.nodes if node.label == material.ALBEDO_LABEL)
    assert colour.outputs["Color"].is_linked and skin.node_tree.nodes.active == colour
    assert not any(getattr(node, "attribute_name", "") == material.REFLECTANCE for node in skin.node_tree.nodes)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    back = texture.of(bpy.data.objects["Head"])
    pixels = np.empty(4 * SIDE * SIDE, np.float32)
    back.pixels.foreach_get(pixels)
    assert 255 * pixels[:3] == pytest.approx([200, 150, 120], abs=1)


def test_without_a_texture_the_vertices_have_the_colours(
    scene: Any, bundle: Bundle, make_answer: Callable[..., dict[str, Any]]
) -> None:
    head = result.add(
        scene, scene.collection, bundle, [Shot(Reconstruction.from_answer(make_answer(), bundle), "me.jpg")]
    ).head
    assert texture.of(head) is None
    assert not any(image.name.startswith(texture.ALBEDO) for image in bpy.data.images)


def test_what_is_hidden_is_known(made: Any) -> None:
    slot = made.data.materials[0]
    assert not material.is_hidden(slot)
    material.hide(slot)
    assert material.is_hidden(slot)


def test_the_texture_goes_with_an_exported_copy(made: Any, tmp_path: Path) -> None:
    export.write(made, tmp_path / "head.glb")
    assert texture.of(made) is not None, "the head keeps its own materials"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "head.glb"))
    (thing,) = [one for one in bpy.data.objects if one.type == "MESH" and one.data.shape_keys]
    sizes = {
        tuple(node.image.size)
        for slot in thing.data.materials
        for node in slot.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image is not None
    }
    assert (SIDE, SIDE) in sizes
