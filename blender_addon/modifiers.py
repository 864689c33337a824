"""Modifiers applied to a mesh that has shape keys, which Blender itself refuses."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from .failures import Failure


def apply(thing: bpy.types.Object) -> None:
    """Give `thing` the mesh that its modifiers make of it, and to each key what they make of that key.

    Keys are evaluated one after the other at their full value; names, values and ranges stay. Modifiers that are off
    in the viewport are left out. Raises Failure: `export_modifiers` where a key's vertices come out in another number.
    """
    shown = [modifier for modifier in thing.modifiers if modifier.show_viewport]
    if not shown:
        return
    blocks = thing.data.shape_keys.key_blocks
    keys = [(key.name, key.value, key.slider_min, key.slider_max) for key in blocks[1:]]
    for key in blocks[1:]:
        key.value = 0.0
    base = _evaluated(thing)
    positions = []
    for name, _, _, greatest in keys:
        blocks[name].value = greatest
        moved = _evaluated(thing)
        blocks[name].value = 0.0
        if moved.shape != base.shape:
            raise Failure("export_modifiers", name=shown[0].name)
        positions.append(base + (moved - base) / greatest)
    graph = bpy.context.evaluated_depsgraph_get()
    made = bpy.data.meshes.new_from_object(thing.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    previous, previous_keys = thing.data, thing.data.shape_keys
    made.name = previous.name
    thing.modifiers.clear()
    thing.data = made
    bpy.data.batch_remove([previous, *([previous_keys] if previous_keys is not None else [])])
    thing.shape_key_add(name="Basis", from_mix=False)
    for (name, value, least, greatest), moved in zip(keys, positions, strict=True):
        key = thing.shape_key_add(name=name, from_mix=False)
        key.points.foreach_set("co", moved.astype(np.float32).ravel())
        key.slider_min, key.slider_max, key.value = least, greatest, value


def _evaluated(thing: bpy.types.Object) -> NDArray[np.float32]:
    thing.data.shape_keys.update_tag()
    mesh = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    positions = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", positions)
    return positions.reshape(-1, 3)
