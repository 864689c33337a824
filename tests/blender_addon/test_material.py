from __future__ import annotations

from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import camera, head, material, studio  # noqa: E402  needs bpy

KINDS = ("skin", "eye", "teeth", "mouth", "brow", "lash")


@pytest.mark.parametrize("kind", KINDS)
def test_a_material_is_connected_and_uses_known_nodes(scene: Any, kind: str) -> None:
    made = material.create(kind)
    trees = [made.node_tree, *bpy.data.node_groups]
    for tree in trees:
        assert tree.nodes
        assert all(link.is_valid for link in tree.links)
    output = next(node for node in made.node_tree.nodes if node.bl_idname == "ShaderNodeOutputMaterial")
    assert output.inputs["Surface"].is_linked


def test_the_iris_colour_is_an_input(scene: Any) -> None:
    made = material.create("eye")
    iris = next(node for node in made.node_tree.nodes if node.label == material.IRIS_LABEL)
    assert {"Iris Color", "Iris Radius", "Pupil Radius"} <= {socket.name for socket in iris.inputs}


def test_an_unknown_kind_gives_skin(scene: Any) -> None:
    assert material.create("feathers").node_tree.nodes


@pytest.mark.slow
def test_an_eye_has_a_dark_pupil_a_coloured_iris_and_a_light_sclera(scene: Any, bundle: Any, tmp_path: Any) -> None:
    from blender_addon.reconstruction import Reconstruction

    answer = Reconstruction("joint", bundle.name, bundle.sha256, np.zeros(len(bundle.identity), np.float32))
    head.create(bundle, answer, scene.collection)
    studio.add(scene, scene.collection)
    view = camera.portrait(0.0)
    view.data.lens = 900.0
    view.location.x, view.location.z, view.rotation_euler = 0.032, 0.028, (np.pi / 2, 0, 0)
    scene.collection.objects.link(view)
    scene.camera = view
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 16
    scene.cycles.use_denoising = True
    scene.render.resolution_x = scene.render.resolution_y = 96
    scene.render.filepath = str(tmp_path / "eye.png")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.array(image.pixels[:], np.float32).reshape(96, 96, 4)[..., :3]
    metres_a_pixel = 36.0 / 900.0 * (camera.PORTRAIT_DISTANCE - 0.04) / 96
    radius = np.hypot(*(np.indices((96, 96)) - 47.5)) * metres_a_pixel / 0.012
    angle = np.arcsin(np.clip(radius, 0, 1)) / np.pi / 2  # in UV
    pupil = np.median(pixels[angle < 0.6 * material.PUPIL_RADIUS], axis=0)
    iris = np.median(pixels[(angle > 1.3 * material.PUPIL_RADIUS) & (angle < 0.8 * material.IRIS_RADIUS)], axis=0)
    sclera = np.median(pixels[(angle > 1.3 * material.IRIS_RADIUS) & (angle < 0.13)], axis=0)
    assert pupil.max() < 0.6 * iris.max() < 0.6 * sclera.max()
    assert iris[0] > 1.1 * iris[2], "brown"
