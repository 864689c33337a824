"""What is selected, and what the views show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from . import head as heads


def only(context: bpy.types.Context, things: Sequence[bpy.types.Object]) -> None:
    """Select `things` alone, the first of them active."""
    for thing in context.selected_objects:
        thing.select_set(False)
    for thing in things:
        thing.select_set(True)
    context.view_layer.objects.active = things[0]


def frame(context: bpy.types.Context) -> None:
    """A head is a tenth of what Blender shows at first, and may lie inside the default cube: bring it into view."""
    area = context.area
    if area is None or area.type != "VIEW_3D":
        return
    region = next(region for region in area.regions if region.type == "WINDOW")
    with context.temp_override(area=area, region=region):
        if bpy.ops.view3d.view_selected.poll():
            bpy.ops.view3d.view_selected()


def active_head(context: bpy.types.Context) -> Any:
    """The active object where it is a head; the head whose camera or light is active; None for all else."""
    thing = context.active_object
    while thing is not None and not heads.is_head(thing):
        thing = thing.parent
    return thing
