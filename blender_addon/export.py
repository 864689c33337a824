"""Writes the current file or one head of it in the formats that `likeness reconstruct` offers."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from . import head as heads
from .failures import Failure

ENDINGS = (".blend", ".glb", ".fbx", ".obj")


def write(head: bpy.types.Object, path: Path) -> None:
    """Write `head` to `path`; its ending chooses the format.

    `.blend` holds the whole file with all keys. The others hold the head alone, its identity baked into the base mesh
    and the expression keys (not in `.obj`) at their values. Raises Failure: `output_ending`, `output_failed`.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise Failure("output_ending", known=", ".join(ENDINGS), found=path.suffix or path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".blend":
            bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, copy=True)
        else:
            _write_copy(head, path, ending)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().removeprefix("Error: ") or type(error).__name__
        raise Failure("output_failed", name=path, reason=reason) from error


def baked_copy(head: bpy.types.Object) -> bpy.types.Object:
    """A copy of `head` in the scene's own collection, whose base is its identity; the expression keys keep their names and values."""
    copy = head.copy()
    copy.data = head.data.copy()
    copy.name = copy.data.name = head.name
    bpy.context.scene.collection.objects.link(copy)
    blocks = copy.data.shape_keys.key_blocks
    basis = blocks[0]
    base = _positions(basis)
    offset = np.zeros_like(base)
    identity = [key.name for key in heads.identity_keys(copy)]
    for name in identity:
        offset += blocks[name].value * (_positions(blocks[name]) - base)
    for name in identity:
        copy.shape_key_remove(blocks[name])
    for key in blocks:
        key.points.foreach_set("co", (_positions(key) + offset).ravel())
    copy.data.vertices.foreach_set("co", (base + offset).ravel())
    return copy


def _positions(key: bpy.types.ShapeKey) -> NDArray[np.float32]:
    positions = np.empty(3 * len(key.points), np.float32)
    key.points.foreach_get("co", positions)
    return positions.reshape(-1, 3)


def _write_copy(head: bpy.types.Object, path: Path, ending: str) -> None:
    copy = baked_copy(head)
    try:
        bpy.context.view_layer.update()
        for thing in bpy.context.view_layer.objects:
            thing.select_set(thing == copy)
        bpy.context.view_layer.objects.active = copy
        if ending == ".glb":
            _write_glb(path)
        elif ending == ".fbx":
            bpy.ops.export_scene.fbx(
                filepath=str(path), use_selection=True, object_types={"MESH"}, use_mesh_modifiers=False,
                add_leaf_bones=False, bake_anim=False, colors_type="LINEAR",
            )  # fmt: skip
        else:
            bpy.ops.wm.obj_export(
                filepath=str(path), export_selected_objects=True, apply_modifiers=False, export_colors=True,
                export_triangulated_mesh=False,
            )  # fmt: skip
    finally:
        keys, mesh = copy.data.shape_keys, copy.data
        bpy.data.batch_remove([copy, mesh, *([keys] if keys is not None else [])])


def _write_glb(path: Path) -> None:
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_apply=False,
        export_morph=True,
        export_morph_normal=True,
        export_vertex_color="ACTIVE",
        export_extras=True,
        export_animations=False,
        export_cameras=False,
        export_lights=False,
    )
