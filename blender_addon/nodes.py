"""A few words for building shader node trees by hand, the same in every Blender from 4.5 on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

COLUMN_WIDTH = 220.0
ROW_HEIGHT = 280.0

Socket = Any  # bpy.types.NodeSocket, or a plain value for an unlinked input


class Tree:
    """Adds nodes to `tree`; values and output sockets are passed alike."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree
        tree.nodes.clear()

    def node(self, kind: str, inputs: Mapping[Any, Socket] | None = None, **settings: object) -> bpy.types.Node:
        """A new node of type `kind`. `inputs` are named by identifier, name or index."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for key, value in (inputs or {}).items():
            self.connect(_socket(node, key), value)
        return node

    def connect(self, socket: bpy.types.NodeSocket, value: Socket) -> None:
        """Link an output socket to `socket`, or set its value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, *values: Socket) -> bpy.types.NodeSocket:
        """A scalar operation."""
        return self.node("ShaderNodeMath", dict(enumerate(values)), operation=operation).outputs[0]

    def vector(self, operation: str, *values: Socket) -> bpy.types.NodeSocket:
        """A vector operation; for LENGTH the scalar output."""
        node = self.node("ShaderNodeVectorMath", dict(enumerate(values)), operation=operation)
        return node.outputs["Value" if operation == "LENGTH" else "Vector"]

    def step(self, value: Socket, low: Socket, high: Socket) -> bpy.types.NodeSocket:
        """0 below `low`, 1 above `high`, smooth between."""
        inputs = {"Value": value, "From Min": low, "From Max": high}
        return self.node("ShaderNodeMapRange", inputs, interpolation_type="SMOOTHSTEP").outputs["Result"]

    def mix(self, factor: Socket, a: Socket, b: Socket, blend: str = "MIX") -> bpy.types.NodeSocket:
        """A colour between `a` (at 0) and `b` (at 1)."""
        inputs = {"Factor_Float": factor, "A_Color": a, "B_Color": b}
        node = self.node("ShaderNodeMix", inputs, data_type="RGBA", blend_type=blend, clamp_factor=True)
        return next(s for s in node.outputs if s.identifier == "Result_Color")

    def noise(self, vector: Socket, scale: float, detail: float = 2.0, roughness: float = 0.5) -> bpy.types.NodeSocket:
        """Perlin noise, 0..1 around 0.5."""
        inputs = {"Vector": vector, "Scale": scale, "Detail": detail, "Roughness": roughness}
        return self.node("ShaderNodeTexNoise", inputs, normalize=True).outputs[0]

    def bump(self, height: Socket, strength: float, distance: float) -> bpy.types.NodeSocket:
        """The normal of a surface raised by `height` x `distance` metres."""
        inputs = {"Height": height, "Strength": strength, "Distance": distance}
        return self.node("ShaderNodeBump", inputs).outputs["Normal"]

    def arrange(self) -> None:
        """Put the nodes in columns, each to the left of what it feeds."""
        links = [(link.from_node.name, link.to_node.name) for link in self.tree.links]
        depth = {node.name: 0 for node in self.tree.nodes}
        for _ in depth:
            moved = False
            for source, target in links:
                if depth[source] <= depth[target]:
                    depth[source] = depth[target] + 1
                    moved = True
            if not moved:
                break
        rows: dict[int, int] = {}
        places = []
        for node in self.tree.nodes:
            column = depth[node.name]
            places += [-COLUMN_WIDTH * column, -ROW_HEIGHT * rows.get(column, 0)]
            rows[column] = rows.get(column, 0) + 1
        self.tree.nodes.foreach_set("location", places)  # one by one each would update the tree


def _socket(node: bpy.types.Node, key: str | int) -> bpy.types.NodeSocket:
    if isinstance(key, int):
        return node.inputs[key]
    for socket in node.inputs:
        if socket.identifier == key:
            return socket
    return node.inputs[key]
