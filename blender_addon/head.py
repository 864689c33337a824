"""Makes the head object: mesh, shape keys, regions, colours, materials."""

from __future__ import annotations

import re

import bpy
import numpy as np
from numpy.typing import NDArray

from . import arkit, material
from .bundle import Bundle
from .reconstruction import Reconstruction

_IDENTITY_NAME = re.compile(r"identity\d{3,}")
IDENTITY_RANGE = 3.0
IDENTITY_LIMIT = 10.0  # Blender's own limit of shape key values
SOLID_LIGHT = 2.4  # Solid mode lights the middle of a white thing with some 0.4 of white

# Custom properties of a head, in plain text so that they mean something without the add-on.
METHOD = "likeness_method"
BUNDLE = "likeness_bundle"
BUNDLE_SHA256 = "likeness_bundle_sha256"
LICENCES = "likeness_licences"
PHOTO = "likeness_photo"
IDENTITY = "likeness_identity"  # what was recovered, to go back to
EXPRESSION = "likeness_expression"
SLIDERS = "likeness_sliders"  # (S, K) row after row, with names and groups one a line
SLIDER_NAMES = "likeness_slider_names"
SLIDER_GROUPS = "likeness_slider_groups"
FOR_EDITING = (IDENTITY, EXPRESSION, SLIDERS, SLIDER_NAMES, SLIDER_GROUPS)

MIRROR = "mirror"  # vertex attributes: the vertex on the other side,
BASE_VERTEX = "makehuman"  # and the vertex of MakeHuman's base mesh, -1 for none

# (x, y, z) mm @ _AXES = (x, -z, y) / 1000. In float32: Blender copies a buffer of another type number by number.
_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]], np.float32) * np.float32(0.001)


def create(
    bundle: Bundle, reconstruction: Reconstruction, collection: bpy.types.Collection, *, photo: str = ""
) -> bpy.types.Object:
    """A new head in `collection`, at the world's origin, nothing selected.

    Identity keys stand at the recovered coefficients (at most 10 in size, Blender's limit), expression keys at the
    recovered values, or 0 where the method does not estimate them.
    """
    mesh = _mesh(bundle)
    head = bpy.data.objects.new("Head", mesh)
    collection.objects.link(head)
    _add_keys(head, bundle, reconstruction)
    _add_regions(head, bundle)
    _add_colours(mesh, bundle, reconstruction)
    _describe(head, bundle, reconstruction, photo)
    return head


def is_head(thing: bpy.types.Object | None) -> bool:
    """Whether `thing` is a head of this add-on, shape keys included."""
    return thing is not None and thing.type == "MESH" and METHOD in thing and thing.data.shape_keys is not None


def identity_keys(head: bpy.types.Object) -> list[bpy.types.ShapeKey]:
    """The keys of the learned basis, in its order."""
    return [key for key in head.data.shape_keys.key_blocks[1:] if is_identity(key)]


def is_identity(key: bpy.types.ShapeKey) -> bool:
    """Whether a key is one of the learned basis: known by name, since files of other formats lose the range."""
    return _IDENTITY_NAME.fullmatch(key.name) is not None


def expression_keys(head: bpy.types.Object) -> list[bpy.types.ShapeKey]:
    """The ARKit keys; not those that somebody has added."""
    names = frozenset(arkit.NAMES)
    return [key for key in head.data.shape_keys.key_blocks[1:] if key.name in names]


def to_blender(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Head space (..., 3) mm, y up, to Blender's metres, z up, the face towards -y. Offsets map alike."""
    turned: NDArray[np.float32] = np.asarray(points, np.float32) @ _AXES
    return turned


def from_blender(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Undo `to_blender`."""
    turned: NDArray[np.float64] = np.asarray(points, np.float64) @ np.linalg.inv(_AXES.astype(np.float64))
    return turned


def _mesh(bundle: Bundle) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new("Head")
    count = len(bundle.quads)
    mesh.vertices.add(len(bundle.mean))
    mesh.loops.add(4 * count)
    mesh.polygons.add(count)
    mesh.vertices.foreach_set("co", to_blender(bundle.mean).ravel())
    mesh.loops.foreach_set("vertex_index", bundle.quads.ravel())
    mesh.polygons.foreach_set("loop_start", np.arange(0, 4 * count, 4, dtype=np.int32))
    mesh.polygons.foreach_set("material_index", _slots(bundle))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    layer = mesh.uv_layers.new(name=material.UV, do_init=False)
    layer.uv.foreach_set("vector", bundle.uv.ravel())
    rest = mesh.attributes.new(material.REST_POSITION, "FLOAT_VECTOR", "POINT")
    rest.data.foreach_set("vector", to_blender(bundle.mean).ravel())
    mirror = mesh.attributes.new(MIRROR, "INT", "POINT")
    mirror.data.foreach_set("value", bundle.mirror)
    if len(bundle.base_ids):
        ids = np.full(len(bundle.mean), -1, np.int32)
        ids[: len(bundle.base_ids)] = bundle.base_ids
        mesh.attributes.new(BASE_VERTEX, "INT", "POINT").data.foreach_set("value", ids)
    for kind in bundle.material_names:
        mesh.materials.append(material.create(kind))
    if "eye" in bundle.material_names:
        eye = mesh.materials[bundle.material_names.index("eye")]
        for part in material.EYE_PARTS:
            mesh.materials.append(material.eye_part(eye, part))
    return mesh


def _slots(bundle: Bundle) -> NDArray[np.int32]:
    """(Q,) material slot of each face: the bundle's, but for iris and pupil, which have slots of their own at the end.

    Their shader is the eye's; it is the colour in Solid mode that makes the eyes look at somebody there, too.
    """
    slots = bundle.material.copy()
    if "eye" in bundle.material_names:
        eye = slots == bundle.material_names.index("eye")
        radius = np.linalg.norm(bundle.uv.mean(axis=1) - 0.5, axis=1)
        for index, part in enumerate(material.EYE_PARTS):
            slots[eye & (radius < part.radius)] = len(bundle.material_names) + index
    return slots


def _add_keys(head: bpy.types.Object, bundle: Bundle, reconstruction: Reconstruction) -> None:
    basis = to_blender(bundle.mean)
    head.shape_key_add(name="Basis", from_mix=False)
    head.data.shape_keys.name = "Head"
    for name, column, value in zip(bundle.identity_names, bundle.identity, reconstruction.identity, strict=True):
        _add_key(head, name, basis + to_blender(column), float(value), IDENTITY_RANGE)
    values = reconstruction.expression if reconstruction.expression is not None else np.zeros(len(bundle.expression))
    for name, column, value in zip(bundle.expression_names, bundle.expression, values, strict=True):
        _add_key(head, name, basis + to_blender(column), float(value), 0.0)


def _add_key(head: bpy.types.Object, name: str, positions: NDArray[np.float32], value: float, negative: float) -> None:
    """One relative key; `negative` is how far its slider goes below zero, 0.0 for a key of 0 to 1."""
    key = head.shape_key_add(name=name, from_mix=False)
    key.points.foreach_set("co", positions.ravel())
    reach = min(max(IDENTITY_RANGE, abs(value)), IDENTITY_LIMIT) if negative else 1.0
    key.slider_min = -reach if negative else 0.0
    key.slider_max = reach
    key.value = value  # always, since Blender 5 starts new keys at 1


def _add_regions(head: bpy.types.Object, bundle: Bundle) -> None:
    for name, members in zip(bundle.region_names, bundle.regions, strict=True):
        group = head.vertex_groups.new(name=name)
        group.add(np.flatnonzero(members).tolist(), 1.0, "REPLACE")


def _add_colours(mesh: bpy.types.Mesh, bundle: Bundle, reconstruction: Reconstruction) -> None:
    albedo = bundle.albedo(reconstruction.reflectance)
    if "skin" in bundle.material_names:
        slot = bundle.material_names.index("skin")
        mean = albedo[bundle.quads[bundle.material == slot]].mean(axis=(0, 1))
        shown = mean * min(SOLID_LIGHT, 1.0 / max(float(mean.max()), 0.01))
        mesh.materials[slot].diffuse_color = (*shown.tolist(), 1.0)
    colours = np.ones((len(albedo), 4), np.float32)
    colours[:, :3] = albedo
    attribute = mesh.color_attributes.new(material.REFLECTANCE, "FLOAT_COLOR", "POINT")
    attribute.data.foreach_set("color", colours.ravel())
    mesh.color_attributes.active_color = attribute
    mesh.color_attributes.render_color_index = mesh.color_attributes.find(material.REFLECTANCE)


def _describe(head: bpy.types.Object, bundle: Bundle, reconstruction: Reconstruction, photo: str) -> None:
    head[METHOD] = reconstruction.method
    head[BUNDLE] = bundle.name
    head[BUNDLE_SHA256] = bundle.sha256
    head[LICENCES] = "\n".join(str(licence) for licence in bundle.licences)
    if photo:
        head[PHOTO] = photo
    head[IDENTITY] = reconstruction.identity.astype(float)
    if reconstruction.expression is not None:
        head[EXPRESSION] = reconstruction.expression.astype(float)
    if bundle.slider_names:
        head[SLIDERS] = bundle.sliders.astype(float).ravel()
        head[SLIDER_NAMES] = "\n".join(bundle.slider_names)
        head[SLIDER_GROUPS] = "\n".join(bundle.slider_groups)
