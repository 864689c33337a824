"""Shows props in the training scene: objects are made once for each topology and then only moved and recoloured."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from training.render import materials
from training.render.axes import to_blender
from training.subjects.props import SEGMENTS, CurveProp, MeshProp, Prop, Surface


def add_mesh(
    name: str, points: NDArray[np.floating], faces: NDArray[np.integer], smooth: bool = True
) -> bpy.types.Mesh:
    """A mesh (not yet an object): points (V,3) mm head space, faces (F,4), -1 pads triangles."""
    mesh = bpy.data.meshes.new(name)
    used = faces >= 0
    sides = used.sum(1)
    mesh.vertices.add(len(points))
    mesh.loops.add(int(sides.sum()))
    mesh.polygons.add(len(faces))
    mesh.vertices.foreach_set("co", to_blender(points).ravel())
    mesh.loops.foreach_set("vertex_index", faces[used].astype(np.int32))
    mesh.polygons.foreach_set("loop_start", np.concatenate([[0], np.cumsum(sides)[:-1]]).astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.full(len(faces), smooth))
    return mesh


class PropRoom:
    """The props of one scene."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene = scene
        self._meshes: dict[str, bpy.types.Object] = {}
        self._curves: list[bpy.types.Object] = []
        self._materials: dict[tuple[str, ...], bpy.types.Material] = {}
        self._images: dict[Path, bpy.types.Image] = {}

    def show(self, props: tuple[Prop, ...]) -> None:
        """Shows these and nothing else. Raises ``ValueError`` when two share a topology."""
        shown: set[str] = set()
        strands = 0
        for prop in props:
            if isinstance(prop, CurveProp):
                item = self._curve(strands)
                self._set_curve(item, prop, strands)
                strands += 1
            else:
                if prop.topology in shown:
                    raise ValueError(f"Two props of one subject are called {prop.topology}.")
                shown.add(prop.topology)
                item = self._mesh(prop)
                self._set_mesh(item, prop)
            item.hide_render = False
        for name, item in self._meshes.items():
            if name not in shown:
                item.hide_render = True
        for item in self._curves[strands:]:
            item.hide_render = True

    def _mesh(self, prop: MeshProp) -> bpy.types.Object:
        if prop.topology not in self._meshes:
            mesh = add_mesh(prop.topology, prop.vertices, prop.faces, prop.smooth)
            if prop.material is not None:
                mesh.polygons.foreach_set("material_index", prop.material.astype(np.int32))
            if prop.uv is not None:
                mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", prop.uv[prop.faces >= 0].ravel())
            for _ in prop.surfaces:
                mesh.materials.append(None)
            mesh.update(calc_edges=True)
            self._meshes[prop.topology] = self._link(mesh)
        return self._meshes[prop.topology]

    def _link(self, data: bpy.types.ID) -> bpy.types.Object:
        item = bpy.data.objects.new(data.name, data)
        self._scene.collection.objects.link(item)
        return item

    def _set_mesh(self, item: bpy.types.Object, prop: MeshProp) -> None:
        item.data.vertices.foreach_set("co", to_blender(prop.vertices).ravel())
        item.data.update()
        item.pass_index = SEGMENTS.index(prop.segment)
        for slot, look in enumerate(prop.surfaces):
            self._set_surface(item, slot, look, prop.segment)

    def _curve(self, number: int) -> bpy.types.Object:
        while len(self._curves) <= number:
            self._curves.append(self._link(bpy.data.hair_curves.new(f"strands {len(self._curves)}")))
        return self._curves[number]

    def _set_curve(self, item: bpy.types.Object, prop: CurveProp, number: int) -> None:
        count, length, _ = prop.points.shape
        data = item.data
        if len(data.curves) != count or len(data.points) != count * length:
            data.remove_curves()
            data.add_curves([length] * count)
        data.points.foreach_set("position", to_blender(prop.points).ravel())
        data.points.foreach_set("radius", (prop.radius / 1000.0).astype(np.float32).ravel())
        data.update_tag()
        item.pass_index = SEGMENTS.index(prop.segment)
        if not data.materials:
            data.materials.append(None)
        self._set_surface(item, 0, prop.surface, prop.segment)

    def _set_surface(self, item: bpy.types.Object, slot: int, look: Surface, segment: str) -> None:
        kind = "strands" if isinstance(item.data, bpy.types.Curves) else look.kind
        key = (item.name, str(slot), kind, look.pattern, str(look.texture or ""))
        if key not in self._materials:
            unwrapped = isinstance(item.data, bpy.types.Mesh) and len(item.data.uv_layers) > 0
            self._materials[key] = self._make(key, kind, look, unwrapped)
        material = self._materials[key]
        material.pass_index = SEGMENTS.index(segment)
        if item.data.materials[slot] != material:
            item.data.materials[slot] = material
        nodes = material.node_tree.nodes
        if kind == "glass":
            clear = 1.0 - look.opacity
            nodes["mirror"].inputs[1].default_value = look.metallic
            nodes["tint"].inputs["Color"].default_value = (*(clear + look.opacity * c for c in look.colour), 1.0)
            return
        bsdf = nodes["Principled BSDF"]
        if kind in ("strands", "cards"):
            nodes["colour"].outputs["Color"].default_value = (*look.colour, 1.0)
            return
        if look.pattern:
            nodes["colours"].inputs["A"].default_value = (*look.colour, 1.0)
            nodes["colours"].inputs["B"].default_value = (*look.second, 1.0)
            nodes["pattern"].inputs["Scale"].default_value = look.scale
        else:
            bsdf.inputs["Base Color"].default_value = (*look.colour, 1.0)
        bsdf.inputs["Roughness"].default_value = look.roughness
        bsdf.inputs["Metallic"].default_value = look.metallic
        bsdf.inputs["Sheen Weight"].default_value = look.sheen
        bsdf.inputs["Alpha"].default_value = look.opacity
        if segment == "skin":
            bsdf.inputs["Subsurface Weight"].default_value = 0.8
            bsdf.inputs["Subsurface Scale"].default_value = 0.003

    def _make(self, key: tuple[str, ...], kind: str, look: Surface, unwrapped: bool) -> bpy.types.Material:
        name = " ".join(part for part in key[:3] if part)
        if kind == "strands":
            return materials.strands(name)
        if kind == "glass":
            return materials.glass(name)
        if kind == "cards":
            if look.texture is None:
                raise ValueError("Hair cards need a texture.")
            if look.texture not in self._images:
                self._images[look.texture] = bpy.data.images.load(str(look.texture))
            return materials.cards(name, self._images[look.texture])
        return materials.surface(name, look.pattern, unwrapped)
