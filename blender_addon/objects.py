"""Objects made of an occupancy grid: the mesh follows a threshold, and may follow it again at any time."""

from __future__ import annotations

import bpy
import numpy as np

from .objects_voxels import METHOD, Voxels, unpacked

# Custom properties of an object, from which its mesh can be made anew.
OCCUPANCY = "likeness_occupancy"
RESOLUTION = "likeness_resolution"
THRESHOLD = "likeness_threshold"
KIND = "likeness_method"
BUNDLE = "likeness_bundle"
BUNDLE_SHA256 = "likeness_bundle_sha256"
PHOTO = "likeness_photo"

SHARP_DEGREES = 35.0
_COLOUR = (0.55, 0.52, 0.48, 1.0)


def create(voxels: Voxels, collection: bpy.types.Collection, *, photo: str = "") -> bpy.types.Object:
    """A new object in `collection`, 1 m at its longest, standing at the world's origin, nothing selected."""
    mesh = bpy.data.meshes.new("Object")
    material = bpy.data.materials.new("Object")
    material.diffuse_color = _COLOUR
    if material.node_tree is None:
        material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = _COLOUR
    mesh.materials.append(material)
    thing = bpy.data.objects.new("Object", mesh)
    thing[KIND] = METHOD
    thing[OCCUPANCY] = voxels.packed()
    thing[RESOLUTION] = len(voxels.occupancy)
    thing[THRESHOLD] = voxels.threshold
    thing[BUNDLE], thing[BUNDLE_SHA256] = voxels.bundle, voxels.bundle_sha256
    if photo:
        thing[PHOTO] = photo
    remesh(thing, voxels.threshold)
    collection.objects.link(thing)
    return thing


def is_object(thing: bpy.types.Object | None) -> bool:
    """Whether `thing` was made of an occupancy grid."""
    return thing is not None and thing.type == "MESH" and OCCUPANCY in thing and RESOLUTION in thing


def voxels_of(thing: bpy.types.Object) -> Voxels:
    """The grid that `thing` was made of. Raises `ValueError` when somebody damaged its custom properties."""
    occupancy = unpacked(str(thing[OCCUPANCY]), int(thing[RESOLUTION]))
    return Voxels(occupancy, float(thing.get(THRESHOLD, 0.5)), str(thing.get(BUNDLE, "")))


def remesh(thing: bpy.types.Object, threshold: float, crumbs: bool = False) -> None:
    """Make the mesh of `thing` anew; materials, modifiers and place stay."""
    points, quads = voxels_of(thing).mesh(threshold, crumbs)
    mesh = thing.data
    mesh.clear_geometry()
    if not len(quads):
        mesh.update()
        return
    mesh.vertices.add(len(points))
    mesh.loops.add(4 * len(quads))
    mesh.polygons.add(len(quads))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(quads, np.int32).ravel())
    mesh.polygons.foreach_set("loop_start", np.arange(0, 4 * len(quads), 4, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=float(np.radians(SHARP_DEGREES)))
