"""Materials of the training scene. Each reads its per-subject numbers from named nodes that the scene sets."""

from __future__ import annotations

import bpy


def _new(name: str) -> tuple[bpy.types.Material, bpy.types.Node]:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    return material, material.node_tree.nodes["Principled BSDF"]


def _node(material: bpy.types.Material, kind: str, name: str = "", **settings: object) -> bpy.types.Node:
    node = material.node_tree.nodes.new(kind)
    if name:
        node.name = name
    for key, value in settings.items():
        setattr(node, key, value)
    return node


def skin() -> bpy.types.Material:
    """Albedo from the colour attribute, mottled by noise; named nodes ``offset`` (noise) and ``mottle``."""
    material, bsdf = _new("skin")
    link = material.node_tree.links.new
    albedo = _node(material, "ShaderNodeAttribute", attribute_name="albedo")
    place = _node(material, "ShaderNodeTexCoord")
    offset = _node(material, "ShaderNodeMapping", "offset")
    noise = _node(material, "ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = 70.0
    noise.inputs["Detail"].default_value = 2.0
    mottle = _node(material, "ShaderNodeMapRange", "mottle")
    mix = _node(material, "ShaderNodeMix", data_type="RGBA", blend_type="MULTIPLY")
    mix.inputs["Factor"].default_value = 1.0
    link(place.outputs["Object"], offset.inputs["Vector"])
    link(offset.outputs["Vector"], noise.inputs["Vector"])
    link(noise.outputs["Fac"], mottle.inputs["Value"])
    link(albedo.outputs["Color"], mix.inputs["A"])
    link(mottle.outputs["Result"], mix.inputs["B"])
    link(mix.outputs["Result"], bsdf.inputs["Base Color"])
    bsdf.inputs["Specular IOR Level"].default_value = 0.42
    return material


def eye() -> bpy.types.Material:
    """Pupil, iris and sclera by the angle from the optical axis, which the radial UV holds; named node ``iris``."""
    material, bsdf = _new("eye")
    link = material.node_tree.links.new
    uv = _node(material, "ShaderNodeUVMap")
    centre = _node(material, "ShaderNodeVectorMath", operation="SUBTRACT")
    centre.inputs[1].default_value = (0.5, 0.5, 0.0)
    radius = _node(material, "ShaderNodeVectorMath", operation="LENGTH")
    fibres = _node(material, "ShaderNodeTexNoise")
    fibres.inputs["Scale"].default_value = 90.0
    iris = _node(material, "ShaderNodeRGB", "iris")
    tone = _node(material, "ShaderNodeMix", data_type="RGBA", blend_type="MULTIPLY")
    tone.inputs["Factor"].default_value = 0.7
    link(uv.outputs["UV"], centre.inputs[0])
    link(centre.outputs["Vector"], radius.inputs[0])
    link(centre.outputs["Vector"], fibres.inputs["Vector"])
    link(iris.outputs["Color"], tone.inputs["A"])
    link(fibres.outputs["Fac"], tone.inputs["B"])
    colour = tone.outputs["Result"]
    # Edges as radii of the UV (0.5 is the back pole, 180 degrees): limbus 24-27 degrees, pupil 9-10 degrees.
    for low, high, outside in ((0.066, 0.075, (0.62, 0.55, 0.50, 1.0)), (0.024, 0.028, None)):
        edge = _node(material, "ShaderNodeMapRange", interpolation_type="SMOOTHSTEP")
        edge.inputs["From Min"].default_value = low
        edge.inputs["From Max"].default_value = high
        link(radius.outputs["Value"], edge.inputs["Value"])
        mix = _node(material, "ShaderNodeMix", data_type="RGBA")
        link(edge.outputs["Result"], mix.inputs["Factor"])
        if outside is None:
            mix.inputs["A"].default_value = (0.004, 0.004, 0.004, 1.0)
            link(colour, mix.inputs["B"])
        else:
            link(colour, mix.inputs["A"])
            mix.inputs["B"].default_value = outside
        colour = mix.outputs["Result"]
    link(colour, bsdf.inputs["Base Color"])
    bsdf.inputs["Roughness"].default_value = 0.08
    bsdf.inputs["IOR"].default_value = 1.38
    return material


def plain(name: str, colour: tuple[float, float, float], roughness: float) -> bpy.types.Material:
    """One colour, set later through the principled shader's base colour."""
    material, bsdf = _new(name)
    bsdf.inputs["Base Color"].default_value = (*colour, 1.0)
    bsdf.inputs["Roughness"].default_value = roughness
    return material


def hair() -> bpy.types.Material:
    """Streaked hair colour; named nodes ``colour`` and ``streaks``."""
    material, bsdf = _new("hair")
    link = material.node_tree.links.new
    place = _node(material, "ShaderNodeTexCoord")
    stretch = _node(material, "ShaderNodeMapping", "streaks")
    stretch.inputs["Scale"].default_value = (260.0, 260.0, 22.0)
    noise = _node(material, "ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = 1.0
    noise.inputs["Detail"].default_value = 3.0
    spread = _node(material, "ShaderNodeMapRange")
    spread.inputs["From Min"].default_value = 0.3
    spread.inputs["From Max"].default_value = 0.7
    spread.inputs["To Min"].default_value = 0.25
    spread.inputs["To Max"].default_value = 1.6
    colour = _node(material, "ShaderNodeRGB", "colour")
    mix = _node(material, "ShaderNodeMix", data_type="RGBA", blend_type="MULTIPLY")
    mix.inputs["Factor"].default_value = 1.0
    link(place.outputs["Object"], stretch.inputs["Vector"])
    link(stretch.outputs["Vector"], noise.inputs["Vector"])
    link(noise.outputs["Fac"], spread.inputs["Value"])
    link(colour.outputs["Color"], mix.inputs["A"])
    link(spread.outputs["Result"], mix.inputs["B"])
    link(mix.outputs["Result"], bsdf.inputs["Base Color"])
    bsdf.inputs["Roughness"].default_value = 0.45
    return material
