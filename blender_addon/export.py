"""Writes the current file or one head of it in the formats that other programs read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from . import detail, eye_texture, images, material, modifiers, shape, texture
from . import head as heads
from .failures import Failure

ENDINGS = (".blend", ".glb", ".fbx", ".obj", ".usdc", ".usdz")
EYE_TEXTURE_SIDE = 1024
FACE = "likeness_face"  # custom property of an exported head that keeps its identity keys


@dataclass(frozen=True)
class Options:
    """`identity` keeps the learned components as keys in place of baking them in. `modifiers` applies those that are
    switched on in the viewport to the mesh and to each of its keys."""

    identity: bool = False
    modifiers: bool = False


def write(head: bpy.types.Object, path: Path, options: Options | None = None) -> None:
    """Write `head` to `path`; its ending chooses the format.

    `.blend` holds the whole file with all keys. The others hold the head alone, its identity baked into the base mesh
    and the expression keys (not in `.obj`) at their values. Raises Failure: `output_ending`, `output_failed`,
    `usd_missing`, `export_modifiers`.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise Failure("output_ending", known=", ".join(ENDINGS), found=path.suffix or path.name)
    if ending.startswith(".usd") and not bpy.app.build_options.usd:
        raise Failure("usd_missing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".blend":
            bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, copy=True)
        else:
            _write_copy(head, path, ending, options or Options())
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().removeprefix("Error: ") or type(error).__name__
        raise Failure("output_failed", name=path, reason=reason) from error


def baked_copy(head: bpy.types.Object, options: Options | None = None) -> bpy.types.Object:
    """A copy of `head` in the scene's own collection, whose base is its identity, and without what only editing needs.

    The expression keys keep their names and values. Raises Failure: `export_modifiers`.
    """
    options = options or Options()
    copy = head.copy()
    copy.data = head.data.copy()
    copy.name = copy.data.name = head.name
    copy.parent = None
    bpy.context.scene.collection.objects.link(copy)
    try:
        if options.identity:
            copy[FACE] = shape.face(head).to_text()
        else:
            _bake_identity(copy)
        for name in heads.FOR_EDITING:
            if name in copy:
                del copy[name]
        if options.modifiers:
            modifiers.apply(copy)
        copy.modifiers.clear()
    except Exception:
        _remove(copy)
        raise
    return copy


def _bake_identity(copy: bpy.types.Object) -> None:
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


def _remove(copy: bpy.types.Object, *added: bpy.types.ID) -> None:
    mesh, keys = copy.data, copy.data.shape_keys
    bpy.data.batch_remove([copy, mesh, *([keys] if keys is not None else []), *added])


def _positions(key: bpy.types.ShapeKey) -> NDArray[np.float32]:
    positions = np.empty(3 * len(key.points), np.float32)
    key.points.foreach_get("co", positions)
    return positions.reshape(-1, 3)


def _write_copy(head: bpy.types.Object, path: Path, ending: str, options: Options) -> None:
    names = head.name, head.data.name
    layer = bpy.context.view_layer
    selected, active = list(bpy.context.selected_objects), layer.objects.active
    added: list[bpy.types.ID] = []
    copy = baked_copy(head, options)
    try:
        # Files name the object; the copy takes the head's names while they are written.
        head.name = head.data.name = "Original"
        copy.name, copy.data.name = names
        added = _plain_materials(copy, ending)
        layer.update()
        for thing in layer.objects:
            thing.select_set(thing == copy)
        layer.objects.active = copy
        _EXPORTERS[ending](path)
    finally:
        _remove(copy, *added)
        head.name, head.data.name = names
        for thing in selected:
            thing.select_set(True)
        layer.objects.active = active


def _plain_materials(copy: bpy.types.Object, ending: str) -> list[bpy.types.ID]:
    """Give `copy` materials that the format can hold; return what was added to the file for it.

    In .glb the colour attribute is multiplied in, so the skin is white there and all else has a white attribute, and
    a skin with a texture too.
    """
    mesh = copy.data
    attribute = mesh.color_attributes[material.REFLECTANCE]
    colours = np.empty(4 * len(mesh.vertices), np.float32)
    attribute.data.foreach_get("color", colours)
    colours = colours.reshape(-1, 4)
    skin = _skin_vertices(mesh)
    added: list[bpy.types.ID] = []
    eye: bpy.types.Image | None = None
    skin_image, relief = texture.of(copy), detail.of(copy)
    shown = detail.strength(copy)
    strength = 1.0 if shown is None else float(shown.default_value)
    for index, original in enumerate(mesh.materials):
        kind = original.get(material.KIND, "skin")
        colour, image, normals = None, None, None
        if kind == "skin" and skin_image is not None and ending != ".obj":
            image = skin_image
        elif kind == "skin":
            colour = (1.0, 1.0, 1.0, 1.0) if ending == ".glb" else tuple(colours[skin].mean(axis=0).tolist())
        elif kind == "eye" and ending != ".obj":
            if eye is None:
                eye = _eye_image(original)
                added.append(eye)
            image = eye
        if kind == "skin" and relief is not None and ending != ".obj":
            normals = relief
        mesh.materials[index] = material.plain(kind, original.name, colour, image, normals, strength)
        if material.is_hidden(original):
            material.hide(mesh.materials[index])
        added.append(mesh.materials[index])
    colours[~skin if skin_image is None else slice(None)] = 1.0
    attribute.data.foreach_set("color", colours.ravel())
    return added


def _skin_vertices(mesh: bpy.types.Mesh) -> NDArray[np.bool_]:
    skin_slots = [i for i, used in enumerate(mesh.materials) if used.get(material.KIND, "skin") == "skin"]
    slots = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    sizes = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", sizes)
    vertices = np.zeros(len(mesh.vertices), np.bool_)
    vertices[corners[np.repeat(np.isin(slots, skin_slots), sizes)]] = True
    return vertices


def _eye_image(eye: bpy.types.Material) -> bpy.types.Image:
    iris = next(node for node in eye.node_tree.nodes if node.label == material.IRIS_LABEL).inputs
    linear = np.array(iris["Iris Color"].default_value[:3], np.float32)
    # The shader's fibres are lighter than the colour they are mixed from.
    colour = 255.0 * images.encoded(1.6 * linear)
    pixels = eye_texture.paint(
        EYE_TEXTURE_SIDE,
        (float(colour[0]), float(colour[1]), float(colour[2])),
        iris["Iris Radius"].default_value,
        iris["Pupil Radius"].default_value,
    )
    image = bpy.data.images.new("Eye", EYE_TEXTURE_SIDE, EYE_TEXTURE_SIDE)
    rows = np.ones((EYE_TEXTURE_SIDE, EYE_TEXTURE_SIDE, 4), np.float32)
    rows[..., :3] = pixels[::-1] / 255.0
    image.pixels.foreach_set(rows.ravel())
    image.pack()
    return image


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


def _write_fbx(path: Path) -> None:
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=True,
        object_types={"MESH"},
        use_mesh_modifiers=False,
        bake_anim=False,
        colors_type="LINEAR",
        path_mode="COPY",
        embed_textures=True,
        use_custom_props=True,
    )


def _write_obj(path: Path) -> None:
    bpy.ops.wm.obj_export(
        filepath=str(path),
        export_selected_objects=True,
        apply_modifiers=False,
        export_colors=True,
        export_triangulated_mesh=False,
    )


def _write_usd(path: Path) -> None:
    bpy.ops.wm.usd_export(
        filepath=str(path),
        selected_objects_only=True,
        export_animation=False,
        export_shapekeys=True,
        export_subdivision="IGNORE",
        convert_world_material=False,
    )


_EXPORTERS: dict[str, Callable[[Path], None]] = {
    ".glb": _write_glb,
    ".fbx": _write_fbx,
    ".obj": _write_obj,
    ".usdc": _write_usd,
    ".usdz": _write_usd,
}
