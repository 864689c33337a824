"""From the answer about an object to files, without a window: what `likeness reconstruct` does in Blender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from . import objects
from .failures import Failure
from .objects_voxels import Voxels

_PREVIEW = (640, 640)
_SAMPLES = 24


def build_object_file(
    answer: Mapping[str, Any], output: Path, preview: Path | None = None, *, photo: str = "", crumbs: bool = False
) -> None:
    """Make the object that the backend's `answer` describes and write it to `output`, and its picture to `preview`.

    The open file is replaced by an empty scene with the object standing at the origin, a camera and lights. Raises
    Failure: `output_ending`, `output_failed`, and those of `Voxels.from_answer`.
    """
    output = output.absolute()
    ending = output.suffix.lower()
    if ending not in _WRITERS:
        raise Failure("output_ending", known=", ".join(_WRITERS), found=output.suffix or output.name)
    voxels = Voxels.from_answer(answer)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    thing = objects.create(voxels, scene.collection, photo=photo)
    if crumbs:
        objects.remesh(thing, voxels.threshold, crumbs=True)
    _add_studio(scene)
    thing.select_set(True)
    bpy.context.view_layer.objects.active = thing
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _WRITERS[ending](output)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().removeprefix("Error: ") or type(error).__name__
        raise Failure("output_failed", name=output, reason=reason) from error
    if preview is not None:
        _render(scene, preview.absolute())


def _write_blend(path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, copy=True)


def _write_glb(path: Path) -> None:
    bpy.ops.export_scene.gltf(filepath=str(path), use_selection=True, export_apply=True, export_yup=True)


def _write_fbx(path: Path) -> None:
    bpy.ops.export_scene.fbx(filepath=str(path), use_selection=True, object_types={"MESH"})


def _write_obj(path: Path) -> None:
    bpy.ops.wm.obj_export(filepath=str(path), export_selected_objects=True)


_WRITERS: dict[str, Callable[[Path], None]] = {
    ".blend": _write_blend,
    ".glb": _write_glb,
    ".fbx": _write_fbx,
    ".obj": _write_obj,
}


def _add_studio(scene: bpy.types.Scene) -> None:
    """A camera from the front and above, a soft key light, a dim world."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = 60.0
    camera.matrix_world = _looking(np.array([1.5, -2.3, 1.3]), np.array([0.0, 0.0, 0.42]))
    light = bpy.data.objects.new("Key", bpy.data.lights.new("Key", "AREA"))
    light.data.energy, light.data.size = 120.0, 1.5
    light.matrix_world = _looking(np.array([-1.6, -2.0, 2.6]), np.array([0.0, 0.0, 0.4]))
    for item in (camera, light):
        scene.collection.objects.link(item)
    scene.camera = camera
    scene.world = bpy.data.worlds.new("World")
    if scene.world.node_tree is None:
        scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.55, 0.57, 0.6, 1.0)


def _looking(place: np.ndarray, target: np.ndarray) -> Matrix:
    back = (place - target) / np.linalg.norm(place - target)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    matrix[:3, 3] = place
    return Matrix(matrix.tolist())


def _render(scene: bpy.types.Scene, path: Path) -> None:
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = _PREVIEW
    render.resolution_percentage = 100
    render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    scene.cycles.device = "CPU"
    scene.cycles.samples = _SAMPLES
    scene.cycles.use_denoising = bool(getattr(bpy.app.build_options, "openimagedenoise", True))
    render.filepath = str(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        bpy.ops.render.render(write_still=True)
    except (OSError, RuntimeError) as error:
        raise Failure("output_failed", name=path, reason=str(error).strip()) from error
