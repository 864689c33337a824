"""A portrait studio around the world's origin: three soft lights and a dim world."""

from __future__ import annotations

import bpy
from mathutils import Vector

from .camera import FACE_MIDDLE

# name, place in metres, side in metres, watts, colour
_LIGHTS = (
    ("Key Light", (-0.75, -1.0, 0.65), 0.55, 17.0, (1.0, 0.94, 0.88)),
    ("Fill Light", (1.1, -0.9, 0.05), 1.0, 10.0, (0.88, 0.94, 1.0)),
    ("Rim Light", (0.65, 0.85, 0.7), 0.5, 16.0, (1.0, 0.98, 0.95)),
)
_WORLD_COLOUR = (0.40, 0.43, 0.47, 1.0)
_WORLD_STRENGTH = 0.45


def add(scene: bpy.types.Scene, collection: bpy.types.Collection) -> tuple[bpy.types.Object, ...]:
    """Put lights into `collection` and a dim world behind `scene`; returns the lights."""
    lights = []
    for name, place, side, watts, colour in _LIGHTS:
        data = bpy.data.lights.new(name, "AREA")
        data.size, data.energy, data.color = side, watts, colour
        light = bpy.data.objects.new(name, data)
        light.location = place
        light.rotation_euler = (FACE_MIDDLE - Vector(place)).to_track_quat("-Z", "Y").to_euler()
        collection.objects.link(light)
        lights.append(light)
    world = bpy.data.worlds.new("Studio")
    if world.node_tree is None:
        world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = _WORLD_COLOUR
    background.inputs["Strength"].default_value = _WORLD_STRENGTH
    scene.world = world
    return tuple(lights)
