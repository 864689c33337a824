"""The materials of a head: plain shader nodes that stay in the file and need no add-on.

One tree serves Cycles, EEVEE and Material Preview. Lengths are metres, since heads have their natural size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy

from .nodes import Socket, Tree

REFLECTANCE = "reflectance"
REST_POSITION = "rest_position"
UV = "UVMap"

# Diffuse mean free path of skin in red, green and blue (Jensen et al. 2001, table 1, "skin1"), as shares of the first.
SKIN_SCATTER = (1.0, 0.37, 0.19)
SKIN_SCATTER_METRES = 0.0032

IRIS_COLOUR = (0.075, 0.042, 0.020, 1.0)
IRIS_LABEL = "Iris"  # of the node that has the iris colour and radii as inputs
IRIS_RADIUS = 0.075  # in UV, where 0.5 is the back of the eyeball
PUPIL_RADIUS = 0.027


ALBEDO_LABEL, ORIGIN_LABEL = "Skin From Photo", "Seen, Mirrored or Made Up"  # of the nodes with the pictures
RELIEF_LABEL, DISPLACEMENT_LABEL = "Relief From Photo", "The Same as Displacement"  # of the nodes with the pictures
STRENGTH_LABEL = "Relief's Strength"  # of the node that turns the picture into normals
KIND = "likeness_material"  # custom property of a material


@dataclass(frozen=True)
class EyePart:
    """A disc around the pupil's middle: its radius in the eye's UV, and its colour in Solid mode."""

    name: str
    radius: float
    display: tuple[float, float, float, float]


# The larger first, since each covers the ones before.
EYE_PARTS = (
    EyePart("Iris", IRIS_RADIUS, (0.20, 0.11, 0.05, 1.0)),
    EyePart("Pupil", PUPIL_RADIUS, (0.01, 0.01, 0.01, 1.0)),
)


def create(kind: str) -> bpy.types.Material:
    """A new material of the bundle's `kind`; an unknown kind gives skin."""
    build, display = _KINDS.get(kind, _KINDS["skin"])
    material = bpy.data.materials.new(f"Likeness {kind.capitalize()}")
    if material.node_tree is None:
        material.use_nodes = True
    material.diffuse_color = display
    material[KIND] = kind
    tree = Tree(material.node_tree)
    shader = build(tree)
    tree.node("ShaderNodeOutputMaterial", {"Surface": shader})
    tree.arrange()
    return material


def eye_part(eye: bpy.types.Material, part: EyePart) -> bpy.types.Material:
    """A copy of the material `eye` that differs in Solid mode alone."""
    material = eye.copy()
    material.name = f"Likeness {part.name}"
    material.diffuse_color = part.display
    return material


def show_image(skin: bpy.types.Material, albedo: bpy.types.Image, origin: bpy.types.Image) -> None:
    """Let `albedo` take the place of the vertices' colours; `origin` lies beside it, for whoever wants to paint."""
    tree = skin.node_tree
    colours = next(node for node in tree.nodes if getattr(node, "attribute_name", "") == REFLECTANCE)
    uv = tree.nodes.new("ShaderNodeUVMap")
    uv.uv_map = UV
    for picture, label, place in ((albedo, ALBEDO_LABEL, 0.0), (origin, ORIGIN_LABEL, -300.0)):
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image, node.label = picture, label
        node.location = (colours.location.x, colours.location.y + place)
        tree.links.new(uv.outputs["UV"], node.inputs["Vector"])
        if picture == albedo:
            for link in list(colours.outputs["Color"].links):
                tree.links.new(node.outputs["Color"], link.to_socket)
            tree.nodes.active = node  # Solid mode shows the active one
    uv.location = (colours.location.x - 220.0, colours.location.y)
    tree.nodes.remove(colours)


def image(skin: bpy.types.Material) -> bpy.types.Image | None:
    """The skin's picture, None where the vertices' colours are shown."""
    nodes = skin.node_tree.nodes if skin.node_tree is not None else ()
    return next((node.image for node in nodes if node.label == ALBEDO_LABEL), None)


def show_relief(skin: bpy.types.Material, normals: bpy.types.Image, displacement: bpy.types.Image) -> None:
    """Let `normals` bend the skin's, below its pores; `displacement` lies beside it, for whoever wants geometry."""
    tree = skin.node_tree
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    pores = next((node for node in tree.nodes if node.type == "BUMP"), None)
    uv = tree.nodes.new("ShaderNodeUVMap")
    uv.uv_map = UV
    bent = tree.nodes.new("ShaderNodeNormalMap")
    bent.space, bent.uv_map, bent.label = "TANGENT", UV, STRENGTH_LABEL
    for picture, label, place in ((normals, RELIEF_LABEL, 0.0), (displacement, DISPLACEMENT_LABEL, -300.0)):
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image, node.label = picture, label
        node.location = (shader.location.x - 660.0, shader.location.y - 900.0 + place)
        tree.links.new(uv.outputs["UV"], node.inputs["Vector"])
        if picture == normals:
            tree.links.new(node.outputs["Color"], bent.inputs["Color"])
    uv.location = (shader.location.x - 880.0, shader.location.y - 900.0)
    bent.location = (shader.location.x - 360.0, shader.location.y - 900.0)
    tree.links.new(bent.outputs["Normal"], (pores or shader).inputs["Normal"])


def relief(skin: bpy.types.Material) -> bpy.types.Image | None:
    """The picture of the skin's normals, None where it has none."""
    nodes = skin.node_tree.nodes if skin.node_tree is not None else ()
    return next((node.image for node in nodes if node.label == RELIEF_LABEL), None)


def relief_strength(skin: bpy.types.Material) -> bpy.types.NodeSocket | None:
    """The input that says how much of the relief is shown, None where there is none."""
    nodes = skin.node_tree.nodes if skin.node_tree is not None else ()
    return next((node.inputs["Strength"] for node in nodes if node.label == STRENGTH_LABEL), None)


def hide(thing: bpy.types.Material) -> None:
    """Let nothing be seen of it in renders and Material Preview."""
    shader = next(node for node in thing.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Alpha"].default_value = 0.0


def is_hidden(thing: bpy.types.Material) -> bool:
    """Whether `hide` was called."""
    nodes = thing.node_tree.nodes if thing.node_tree is not None else ()
    return any(node.type == "BSDF_PRINCIPLED" and node.inputs["Alpha"].default_value == 0.0 for node in nodes)


def plain(
    kind: str,
    name: str,
    colour: Socket | None,
    image: bpy.types.Image | None,
    normals: bpy.types.Image | None = None,
    strength: float = 1.0,
) -> bpy.types.Material:
    """A material of one colour or image that exporters understand; without `colour` that of `create` in Solid mode.

    `normals` is a normal map, shown with a `strength`.
    """
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    tree = Tree(material.node_tree)
    if image is not None:
        colour = tree.node("ShaderNodeTexImage", {}, image=image).outputs["Color"]
    elif colour is None:
        colour = _KINDS.get(kind, _KINDS["skin"])[1]
    roughness = 0.15 if kind == "eye" else 0.5
    inputs: dict[str, Socket] = {"base_color": colour, "roughness": roughness}
    if normals is not None:
        told = tree.node("ShaderNodeTexImage", {}, image=normals).outputs["Color"]
        bent = tree.node("ShaderNodeNormalMap", {"Color": told, "Strength": strength}, space="TANGENT", uv_map=UV)
        inputs["normal"] = bent.outputs["Normal"]
    tree.node("ShaderNodeOutputMaterial", {"Surface": _principled(tree, **inputs)})
    tree.arrange()
    return material


def _principled(tree: Tree, **inputs: Socket) -> bpy.types.NodeSocket:
    named = {name.replace("_", " ").title().replace("Ior", "IOR"): value for name, value in inputs.items()}
    return tree.node("ShaderNodeBsdfPrincipled", named).outputs["BSDF"]


def _rest_position(tree: Tree) -> bpy.types.NodeSocket:
    """Where the point lies on the mean head, so that patterns stay on the skin when it moves."""
    return tree.node("ShaderNodeAttribute", attribute_name=REST_POSITION).outputs["Vector"]


def _reflectance(tree: Tree) -> bpy.types.NodeSocket:
    return tree.node("ShaderNodeAttribute", attribute_name=REFLECTANCE).outputs["Color"]


def _skin(tree: Tree) -> bpy.types.NodeSocket:
    place = _rest_position(tree)
    albedo = _reflectance(tree)
    blotches = tree.step(tree.noise(place, 55.0, 3.0), 0.35, 0.75)
    flushed = tree.mix(1.0, albedo, (1.0, 0.84, 0.80, 1.0), "MULTIPLY")
    colour = tree.mix(tree.math("MULTIPLY", blotches, 0.55), albedo, flushed)
    freckles = tree.step(tree.noise(place, 420.0, 2.0), 0.56, 0.74)
    darker = tree.mix(1.0, colour, (0.86, 0.80, 0.78, 1.0), "MULTIPLY")
    colour = tree.mix(tree.math("MULTIPLY", freckles, 0.45), colour, darker)
    pores = tree.noise(place, 1100.0, 2.0, 0.6)
    wrinkles = tree.noise(place, 260.0, 2.0, 0.55)
    height = tree.math("ADD", tree.math("MULTIPLY", pores, 0.5), wrinkles)
    roughness = tree.math("MULTIPLY_ADD", tree.noise(place, 130.0, 2.0), 0.22, 0.36)
    return _principled(
        tree,
        base_color=colour,
        roughness=roughness,
        ior=1.4,
        specular_ior_level=0.45,
        subsurface_weight=0.65,
        subsurface_radius=SKIN_SCATTER,
        subsurface_scale=SKIN_SCATTER_METRES,
        normal=tree.bump(height, 0.35, 0.0004),
    )


def _eye(tree: Tree) -> bpy.types.NodeSocket:
    uv = tree.node("ShaderNodeUVMap", uv_map=UV).outputs["UV"]
    iris = tree.node("ShaderNodeGroup", {}, node_tree=_iris_group())
    iris.label = IRIS_LABEL
    iris.width = 200.0
    tree.connect(iris.inputs["UV"], uv)
    return _principled(
        tree,
        base_color=iris.outputs["Color"],
        roughness=0.35,
        ior=1.38,
        specular_ior_level=0.4,
        subsurface_weight=0.2,
        subsurface_radius=(1.0, 0.6, 0.5),
        subsurface_scale=0.0015,
        coat_weight=1.0,
        coat_roughness=0.03,
        coat_ior=1.38,
        normal=iris.outputs["Normal"],
    )


def _iris_group() -> bpy.types.NodeTree:
    """Iris, pupil, limbus and sclera from the radial UV: the pupil at (0.5, 0.5), the radius growing to the back."""
    group = bpy.data.node_groups.new("Likeness Iris", "ShaderNodeTree")
    face = group.interface
    face.new_socket("UV", in_out="INPUT", socket_type="NodeSocketVector")
    colour = face.new_socket("Iris Color", in_out="INPUT", socket_type="NodeSocketColor")
    colour.default_value = IRIS_COLOUR
    for name, value, largest in (("Iris Radius", IRIS_RADIUS, 0.15), ("Pupil Radius", PUPIL_RADIUS, 0.1)):
        radius = face.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
        radius.default_value, radius.min_value, radius.max_value = value, 0.001, largest
    face.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    face.new_socket("Normal", in_out="OUTPUT", socket_type="NodeSocketVector")

    tree = Tree(group)
    given = tree.node("NodeGroupInput").outputs
    offset = tree.vector("SUBTRACT", given["UV"], (0.5, 0.5, 0.0))
    radius = tree.vector("LENGTH", offset)
    share = tree.math("DIVIDE", radius, given["Iris Radius"])

    direction = tree.node("ShaderNodeSeparateXYZ", {0: tree.vector("NORMALIZE", offset)}).outputs
    around = tree.node(
        "ShaderNodeCombineXYZ",
        {
            "X": tree.math("MULTIPLY", direction["X"], 7.0),
            "Y": tree.math("MULTIPLY", direction["Y"], 7.0),
            "Z": tree.math("MULTIPLY", share, 1.6),
        },
    ).outputs[0]
    fibres = tree.noise(around, 1.0, 4.0, 0.65)
    dark = tree.mix(1.0, given["Iris Color"], (0.30, 0.30, 0.32, 1.0), "MULTIPLY")
    light = tree.mix(1.0, given["Iris Color"], (2.6, 2.3, 2.0, 1.0), "MULTIPLY")
    iris = tree.mix(tree.step(fibres, 0.30, 0.72), dark, light)
    limbus = tree.step(share, 0.72, 1.02)
    iris = tree.mix(tree.math("MULTIPLY", limbus, 0.85), iris, (0.012, 0.009, 0.008, 1.0))
    pupil = tree.step(
        radius, tree.math("MULTIPLY", given["Pupil Radius"], 0.92), tree.math("MULTIPLY", given["Pupil Radius"], 1.08)
    )
    iris = tree.mix(pupil, (0.002, 0.002, 0.002, 1.0), iris)

    vein_place = tree.node("ShaderNodeVectorMath", {0: offset, "Scale": 1.0}, operation="SCALE").outputs["Vector"]
    veins = tree.step(tree.noise(vein_place, 38.0, 6.0, 0.72), 0.54, 0.70)
    white = tree.mix(tree.step(radius, 0.08, 0.22), (0.66, 0.61, 0.57, 1.0), (0.52, 0.33, 0.29, 1.0))
    reddened = tree.math("MULTIPLY", veins, tree.math("MULTIPLY", tree.step(radius, 0.10, 0.20), 0.35))
    white = tree.mix(reddened, white, (0.50, 0.16, 0.12, 1.0))

    colour_out = tree.mix(tree.step(share, 0.93, 1.09), iris, white)
    bowl = tree.math("MULTIPLY", tree.math("MINIMUM", share, 1.0), tree.math("MINIMUM", share, 1.0))
    relief = tree.math("ADD", bowl, tree.math("MULTIPLY", fibres, tree.math("MULTIPLY", 0.25, pupil)))
    normal = tree.bump(relief, 0.5, 0.0012)
    tree.node("NodeGroupOutput", {"Color": colour_out, "Normal": normal})
    tree.arrange()
    return group


def _teeth(tree: Tree) -> bpy.types.NodeSocket:
    tint = tree.noise(_rest_position(tree), 300.0, 2.0)
    return _principled(
        tree,
        base_color=tree.mix(tint, (0.76, 0.70, 0.58, 1.0), (0.66, 0.58, 0.45, 1.0)),
        roughness=0.22,
        ior=1.6,
        subsurface_weight=0.35,
        subsurface_radius=(1.0, 0.9, 0.7),
        subsurface_scale=0.0012,
        coat_weight=0.5,
        coat_roughness=0.08,
    )


def _mouth(tree: Tree) -> bpy.types.NodeSocket:
    place = _rest_position(tree)
    colour = tree.mix(tree.noise(place, 160.0, 2.0), (0.36, 0.085, 0.075, 1.0), (0.24, 0.045, 0.045, 1.0))
    return _principled(
        tree,
        base_color=colour,
        roughness=0.32,
        ior=1.4,
        subsurface_weight=0.5,
        subsurface_radius=(1.0, 0.25, 0.2),
        subsurface_scale=0.003,
        coat_weight=0.4,
        coat_roughness=0.15,
        normal=tree.bump(tree.noise(place, 700.0, 2.0), 0.4, 0.0004),
    )


def _hair(tree: Tree) -> bpy.types.NodeSocket:
    shade = tree.noise(_rest_position(tree), 900.0, 2.0)
    return _principled(
        tree,
        base_color=tree.mix(shade, (0.075, 0.044, 0.027, 1.0), (0.024, 0.014, 0.009, 1.0)),
        roughness=0.55,
        specular_ior_level=0.3,
    )


_Build = Callable[[Tree], bpy.types.NodeSocket]
_Colour = tuple[float, float, float, float]

# How to build each of the bundle's materials, and its colour in Solid mode.
_KINDS: dict[str, tuple[_Build, _Colour]] = {
    "skin": (_skin, (0.60, 0.38, 0.29, 1.0)),
    "eye": (_eye, (0.80, 0.78, 0.75, 1.0)),
    "teeth": (_teeth, (0.78, 0.73, 0.62, 1.0)),
    "mouth": (_mouth, (0.38, 0.10, 0.09, 1.0)),
    "brow": (_hair, (0.05, 0.03, 0.02, 1.0)),
    "lash": (_hair, (0.03, 0.02, 0.015, 1.0)),
}
