"""The light that a photo was taken in, as a world: spherical harmonics drawn on an environment picture."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from .nodes import Tree

NAME = "Photo Light"
SIZE = 128, 64  # nine coefficients hold nothing finer

CONSTANTS = np.sqrt(np.array([1.0, 3.0, 3.0, 3.0, 15.0, 15.0, 1.25, 15.0, 3.75]) / (4.0 * np.pi))


def add(scene: bpy.types.Scene, coefficients: NDArray[np.floating]) -> bpy.types.World:
    """A new world of the `coefficients` (9, 3), which are in head space; the head stands upright, facing -y."""
    width, height = SIZE
    image = bpy.data.images.new(NAME, width, height, float_buffer=True)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = radiance(coefficients, directions(width, height))
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    world = bpy.data.worlds.new(NAME)
    if world.node_tree is None:
        world.use_nodes = True
    tree = Tree(world.node_tree)
    picture = tree.node("ShaderNodeTexEnvironment", {}, image=image).outputs["Color"]
    background = tree.node("ShaderNodeBackground", {"Color": picture, "Strength": 1.0}).outputs["Background"]
    tree.node("ShaderNodeOutputWorld", {"Surface": background})
    tree.arrange()
    scene.world = world
    return world


def directions(width: int, height: int) -> NDArray[np.float64]:
    """(height, width, 3) unit vectors of Blender's world that an environment picture shows, the lowest row first."""
    around = np.pi - 2.0 * np.pi * (np.arange(width) + 0.5) / width
    up = np.pi * ((np.arange(height) + 0.5) / height - 0.5)
    level, across = np.meshgrid(up, around, indexing="ij")
    return np.stack([np.cos(level) * np.cos(across), np.cos(level) * np.sin(across), np.sin(level)], axis=-1)


def radiance(coefficients: NDArray[np.floating], towards: NDArray[np.floating]) -> NDArray[np.float32]:
    """(..., 3) linear RGB that arrives from the unit directions `towards` (..., 3), Blender's axes; never below zero.

    Real orthonormal harmonics in the order 1, y, z, x, xy, yz, 3z2-1, xz, x2-y2 of head space (Ramamoorthi and
    Hanrahan 2001, eq. 3).
    """
    x, z, y = towards[..., 0], -towards[..., 1], towards[..., 2]
    values = np.stack([np.ones_like(x), y, z, x, x * y, y * z, 3.0 * z * z - 1.0, x * z, x * x - y * y], axis=-1)
    return np.clip((values * CONSTANTS) @ np.asarray(coefficients, np.float64), 0.0, None).astype(np.float32)
