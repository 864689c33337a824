from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("bpy")

LIGHT_ALONE = {"share": 0.0, "turns": (75.0, 0.0), "tint": (1.0, 1.0, 1.0), "backdrop": -1.0}


def test_a_white_ball_is_as_bright_as_its_illumination_says(tmp_path: Path) -> None:
    """Under HDRI and lamp, the rendered shading of a diffuse ball is the irradiance of the 27 numbers, over pi."""
    import bpy

    from training.illumination import irradiance
    from training.render.world import TrainingWorld, blender_worlds
    from training.subjects.light import Lamp, Light

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 64, False, 0
    scene.render.resolution_x = scene.render.resolution_y = 48
    scene.view_settings.view_transform = "Raw"
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(tmp_path / "ball.png")
    bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, radius=0.1)
    bpy.ops.object.shade_smooth()
    material = bpy.data.materials.new("white")
    material.use_nodes = True
    shader = material.node_tree.nodes.new("ShaderNodeBsdfDiffuse")
    shader.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    output = material.node_tree.nodes["Material Output"]
    material.node_tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
    bpy.context.object.data.materials.append(material)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.data.type, camera.data.ortho_scale = "ORTHO", 0.2
    camera.location, camera.rotation_euler = (0.0, -1.0, 0.0), (np.pi / 2.0, 0.0, 0.0)
    world = TrainingWorld(scene, blender_worlds(), backdrops=1)
    lamp = Lamp(azimuth=50.0, height=30.0, strength=1.0, size=0.3, colour=(1.0, 1.0, 1.0))
    light = Light(worlds=("courtyard", "city"), lamps=(lamp,), **LIGHT_ALONE)
    coefficients = world.set(light, np.array([0.0, 0.0, 1.0]), 0.4, 0.35)
    bpy.ops.render.render(write_still=True)
    picture = np.asarray(Image.open(io.BytesIO((tmp_path / "ball.png").read_bytes())).convert("RGB")) / 255.0
    y, x = np.mgrid[0:48, 0:48]
    right, up = (x + 0.5) / 24.0 - 1.0, 1.0 - (y + 0.5) / 24.0
    inside = right**2 + up**2 < 0.7
    normals = np.stack([right, up, np.sqrt(np.maximum(1.0 - right**2 - up**2, 0.0))], -1)[inside]
    expected = irradiance(coefficients, normals) / np.pi
    seen = picture[inside]
    assert seen.max() < 1.0, "not burnt out"
    assert np.abs(seen.mean(0) / expected.mean(0) - 1.0).max() < 0.03
    # Nine numbers draw a lamp's edge softly.
    assert np.abs(seen - expected).mean() < 0.12 * expected.mean()
    assert np.corrcoef(seen.ravel(), expected.ravel())[0, 1] > 0.95


def test_an_unreadable_hdri_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import bpy

    from training.render.world import TrainingWorld, blender_worlds, folder_worlds

    bpy.ops.wm.read_factory_settings(use_empty=True)
    (tmp_path / "broken.exr").write_bytes(b"no picture")
    world = TrainingWorld(bpy.context.scene, (blender_worlds()[0], tmp_path / "broken.exr"), backdrops=1)
    assert world.names == (blender_worlds()[0].stem,)
    assert "broken.exr" in caplog.text
    with pytest.raises(FileNotFoundError, match="--hdris"):
        TrainingWorld(bpy.context.scene, (tmp_path / "broken.exr",), backdrops=1)
    (tmp_path / "broken.exr").unlink()
    with pytest.raises(FileNotFoundError, match="--hdris"):
        folder_worlds(tmp_path)
