"""Materials of the training scene. Each reads its per-subject numbers from named nodes that :mod:`looks` sets."""

from __future__ import annotations

import bpy
import numpy as np

from training.render.passes import TRUTH

Colour = tuple[float, float, float]


def new(name: str) -> tuple[bpy.types.Material, bpy.types.Node]:
    """A material with nodes, and its principled shader."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    return material, material.node_tree.nodes["Principled BSDF"]


def node(material: bpy.types.Material, kind: str, name: str = "", **settings: object) -> bpy.types.Node:
    """A new node, under a name to find it by, with properties set."""
    made = material.node_tree.nodes.new(kind)
    if name:
        made.name = name
    for key, value in settings.items():
        setattr(made, key, value)
    return made


def multiply(material: bpy.types.Material, name: str = "") -> bpy.types.Node:
    """A node that multiplies colours A and B."""
    mix = node(material, "ShaderNodeMix", name, data_type="RGBA", blend_type="MULTIPLY")
    mix.inputs["Factor"].default_value = 1.0
    return mix


def _truth(material: bpy.types.Material) -> bpy.types.NodeSocket:
    """1 where passes are rendered, 0 in the picture; see :mod:`training.render.passes`."""
    return node(material, "ShaderNodeAttribute", attribute_type="VIEW_LAYER", attribute_name=TRUTH).outputs["Fac"]


def skin(detail: bpy.types.Image) -> bpy.types.Material:
    """Albedo from the colour attribute, times a photographic skin's detail, blotches, freckles; pores as bump.

    Named nodes: ``photo`` (image of half the ratio to its mean), ``place`` (its part of the UV), ``contrast``,
    ``spread`` (offset of the detail map), ``mottle``, ``freckles``, ``pores``, ``oil``.
    """
    material, bsdf = new("skin")
    link = material.node_tree.links.new
    albedo = node(material, "ShaderNodeAttribute", attribute_name="albedo")
    uv = node(material, "ShaderNodeUVMap")
    place = node(material, "ShaderNodeMapping", "place")
    photo = node(material, "ShaderNodeTexImage", "photo", extension="EXTEND")
    link(uv.outputs["UV"], place.inputs["Vector"])
    link(place.outputs["Vector"], photo.inputs["Vector"])
    doubled = node(material, "ShaderNodeVectorMath", operation="SCALE")
    doubled.inputs["Scale"].default_value = 2.0
    contrast = node(material, "ShaderNodeGamma", "contrast")
    link(photo.outputs["Color"], doubled.inputs[0])
    link(doubled.outputs["Vector"], contrast.inputs["Color"])
    with_photo = multiply(material)
    link(albedo.outputs["Color"], with_photo.inputs["A"])
    link(contrast.outputs["Color"], with_photo.inputs["B"])
    spread = node(material, "ShaderNodeMapping", "spread")
    spread.inputs["Scale"].default_value = (9.0, 9.0, 1.0)
    details = node(material, "ShaderNodeTexImage", image=detail)
    parts = node(material, "ShaderNodeSeparateColor")
    link(uv.outputs["UV"], spread.inputs["Vector"])
    link(spread.outputs["Vector"], details.inputs["Vector"])
    link(details.outputs["Color"], parts.inputs["Color"])
    mottle = node(material, "ShaderNodeMapRange", "mottle", clamp=False)
    link(parts.outputs["Red"], mottle.inputs["Value"])
    mottled = multiply(material)
    link(with_photo.outputs["Result"], mottled.inputs["A"])
    # Blood, not light, varies: green and blue move more than red.
    tone = node(material, "ShaderNodeCombineColor")
    root = node(material, "ShaderNodeMath", operation="SQRT")
    link(mottle.outputs["Result"], root.inputs[0])
    link(root.outputs["Value"], tone.inputs["Red"])
    link(mottle.outputs["Result"], tone.inputs["Green"])
    link(mottle.outputs["Result"], tone.inputs["Blue"])
    link(tone.outputs["Color"], mottled.inputs["B"])
    amount = node(material, "ShaderNodeMath", "freckles", operation="MULTIPLY")
    link(parts.outputs["Green"], amount.inputs[0])
    freckled = node(material, "ShaderNodeMix", data_type="RGBA", blend_type="MULTIPLY")
    freckled.inputs["B"].default_value = (0.55, 0.36, 0.25, 1.0)
    link(amount.outputs["Value"], freckled.inputs["Factor"])
    link(mottled.outputs["Result"], freckled.inputs["A"])
    link(freckled.outputs["Result"], bsdf.inputs["Base Color"])
    bump = node(material, "ShaderNodeBump", "pores")
    bump.inputs["Distance"].default_value = 0.0004
    link(parts.outputs["Blue"], bump.inputs["Height"])
    link(bump.outputs["Normal"], bsdf.inputs["Normal"])
    # The attribute's alpha is where skin is oily; node "oil" lowers the roughness there.
    oil = node(material, "ShaderNodeMath", "oil", operation="MULTIPLY_ADD")
    link(albedo.outputs["Alpha"], oil.inputs[0])
    link(oil.outputs["Value"], bsdf.inputs["Roughness"])
    # Burley's profile is the cheapest of Cycles' three, and at these sizes looks the same.
    bsdf.subsurface_method = "BURLEY"
    bsdf.inputs["Subsurface Radius"].default_value = (1.0, 0.36, 0.2)
    bsdf.inputs["Subsurface Scale"].default_value = 0.003
    return material


def eye() -> bpy.types.Material:
    """Pupil, iris, its dark rim and sclera by the angle from the optical axis, which the radial UV holds.

    Named nodes ``iris``, ``ring``, ``sclera`` (colours) and ``pupil`` (radii of its edge).
    """
    material, bsdf = new("eye")
    link = material.node_tree.links.new
    uv = node(material, "ShaderNodeUVMap")
    centre = node(material, "ShaderNodeVectorMath", operation="SUBTRACT")
    centre.inputs[1].default_value = (0.5, 0.5, 0.0)
    radius = node(material, "ShaderNodeVectorMath", operation="LENGTH")
    fibres = node(material, "ShaderNodeTexNoise")
    fibres.inputs["Scale"].default_value = 90.0
    fibres.inputs["Detail"].default_value = 1.0
    iris = node(material, "ShaderNodeRGB", "iris")
    tone = multiply(material)
    tone.inputs["Factor"].default_value = 0.7
    link(uv.outputs["UV"], centre.inputs[0])
    link(centre.outputs["Vector"], radius.inputs[0])
    link(centre.outputs["Vector"], fibres.inputs["Vector"])
    link(iris.outputs["Color"], tone.inputs["A"])
    link(fibres.outputs["Fac"], tone.inputs["B"])
    colour = tone.outputs["Result"]
    # Edges as radii of the UV (0.5 is the back pole, 180 degrees): rim from 20, limbus 24-27 degrees.
    for name, low, high in (("ring", 0.054, 0.072), ("sclera", 0.066, 0.075)):
        edge = node(material, "ShaderNodeMapRange", interpolation_type="SMOOTHSTEP")
        edge.inputs["From Min"].default_value = low
        edge.inputs["From Max"].default_value = high
        link(radius.outputs["Value"], edge.inputs["Value"])
        mix = node(material, "ShaderNodeMix", name, data_type="RGBA")
        if name == "ring":
            mix.blend_type = "MULTIPLY"
        link(edge.outputs["Result"], mix.inputs["Factor"])
        link(colour, mix.inputs["A"])
        colour = mix.outputs["Result"]
    pupil = node(material, "ShaderNodeMapRange", "pupil", interpolation_type="SMOOTHSTEP")
    link(radius.outputs["Value"], pupil.inputs["Value"])
    dark = node(material, "ShaderNodeMix", data_type="RGBA")
    dark.inputs["A"].default_value = (0.004, 0.004, 0.004, 1.0)
    link(pupil.outputs["Result"], dark.inputs["Factor"])
    link(colour, dark.inputs["B"])
    link(dark.outputs["Result"], bsdf.inputs["Base Color"])
    bsdf.inputs["Roughness"].default_value = 0.06
    bsdf.inputs["IOR"].default_value = 1.38
    return material


def plain(name: str, colour: Colour, roughness: float) -> bpy.types.Material:
    """One colour, set later through the principled shader's base colour."""
    material, bsdf = new(name)
    bsdf.inputs["Base Color"].default_value = (*colour, 1.0)
    bsdf.inputs["Roughness"].default_value = roughness
    return material


def strands(name: str) -> bpy.types.Material:
    """Hair on curves: each strand a little lighter or darker; named node ``colour``."""
    material, bsdf = new(name)
    link = material.node_tree.links.new
    info = node(material, "ShaderNodeHairInfo")
    spread = node(material, "ShaderNodeMapRange")
    spread.inputs["To Min"].default_value = 0.7
    spread.inputs["To Max"].default_value = 1.25
    colour = node(material, "ShaderNodeRGB", "colour")
    mix = multiply(material)
    link(info.outputs["Random"], spread.inputs["Value"])
    link(colour.outputs["Color"], mix.inputs["A"])
    link(spread.outputs["Result"], mix.inputs["B"])
    link(mix.outputs["Result"], bsdf.inputs["Base Color"])
    bsdf.inputs["Roughness"].default_value = 0.45
    bsdf.inputs["Specular IOR Level"].default_value = 0.3
    return material


def surface(name: str, pattern: str, unwrapped: bool = False) -> bpy.types.Material:
    """A prop's plain surface in two colours (node ``colours``) of a pattern (node ``pattern``).

    The pattern runs along the UV (in metres) of what is unwrapped, else through space.
    """
    material, bsdf = new(name)
    if not pattern:
        return material
    link = material.node_tree.links.new
    place = node(material, "ShaderNodeTexCoord")
    mix = node(material, "ShaderNodeMix", "colours", data_type="RGBA")
    if pattern == "checks":
        texture = node(material, "ShaderNodeTexChecker", "pattern")
    elif pattern == "noise":
        texture = node(material, "ShaderNodeTexNoise", "pattern")
    else:
        texture = node(material, "ShaderNodeTexWave", "pattern")
        across = "Y" if unwrapped else "Z"
        texture.bands_direction = across if pattern == "stripes" else "X"
        texture.inputs["Distortion"].default_value = 0.0 if pattern == "stripes" else 1.0
    link(place.outputs["UV" if unwrapped else "Object"], texture.inputs["Vector"])
    link(texture.outputs["Fac"], mix.inputs["Factor"])
    link(mix.outputs["Result"], bsdf.inputs["Base Color"])
    if pattern == "knit":
        bump = node(material, "ShaderNodeBump")
        bump.inputs["Distance"].default_value = 0.0015
        link(texture.outputs["Fac"], bump.inputs["Height"])
        link(bump.outputs["Normal"], bsdf.inputs["Normal"])
    return material


def glass(name: str) -> bpy.types.Material:
    """A thin lens: lets light through, tinted (node ``tint``), and mirrors by Fresnel and by a share (``mirror``)."""
    material, bsdf = new(name)
    link = material.node_tree.links.new
    through, mirror = node(material, "ShaderNodeBsdfTransparent", "tint"), node(material, "ShaderNodeBsdfAnisotropic")
    mirror.inputs["Roughness"].default_value = 0.03
    fresnel, mix = node(material, "ShaderNodeFresnel"), node(material, "ShaderNodeMixShader")
    # The passes look through a lens wherever they look: it mirrors nothing there.
    shown = node(material, "ShaderNodeMath", operation="SUBTRACT", use_clamp=True)
    coated = node(material, "ShaderNodeMath", "mirror", operation="ADD", use_clamp=True)
    link(fresnel.outputs["Fac"], coated.inputs[0])
    link(coated.outputs["Value"], shown.inputs[0])
    link(_truth(material), shown.inputs[1])
    link(shown.outputs["Value"], mix.inputs["Fac"])
    link(through.outputs["BSDF"], mix.inputs[1])
    link(mirror.outputs["BSDF"], mix.inputs[2])
    link(mix.outputs["Shader"], material.node_tree.nodes["Material Output"].inputs["Surface"])
    material.node_tree.nodes.remove(bsdf)
    return material


def cards(name: str, texture: bpy.types.Image) -> bpy.types.Material:
    """Hair on cards: its picture's grey over their mean, times a colour (node ``colour``), cut out by its alpha."""
    material, bsdf = new(name)
    pixels = np.empty(texture.size[0] * texture.size[1] * 4, np.float32)
    texture.pixels.foreach_get(pixels)
    red, green, blue, opaque = pixels.reshape(-1, 4).T
    # As the shader sees them: linear.
    grey_values = (0.2126 * red + 0.7152 * green + 0.0722 * blue) ** 2.2
    mean = float((grey_values * opaque).sum() / max(float(opaque.sum()), 1e-6))
    link = material.node_tree.links.new
    picture = node(material, "ShaderNodeTexImage", image=texture)
    grey = node(material, "ShaderNodeRGBToBW")
    spread = node(material, "ShaderNodeMapRange", clamp=False)
    spread.inputs["From Max"].default_value = 2.0 * max(mean, 1e-3)
    spread.inputs["To Max"].default_value = 2.0
    colour = node(material, "ShaderNodeRGB", "colour")
    mix = multiply(material)
    link(picture.outputs["Color"], grey.inputs["Color"])
    link(grey.outputs["Val"], spread.inputs["Value"])
    link(colour.outputs["Color"], mix.inputs["A"])
    link(spread.outputs["Result"], mix.inputs["B"])
    link(mix.outputs["Result"], bsdf.inputs["Base Color"])
    # In the passes a card is there or not, nothing between.
    there = node(material, "ShaderNodeMath", operation="GREATER_THAN")
    there.inputs[1].default_value = 0.5
    alpha = node(material, "ShaderNodeMix", data_type="FLOAT")
    link(picture.outputs["Alpha"], there.inputs[0])
    link(_truth(material), alpha.inputs["Factor"])
    link(picture.outputs["Alpha"], alpha.inputs["A"])
    link(there.outputs["Value"], alpha.inputs["B"])
    link(alpha.outputs["Result"], bsdf.inputs["Alpha"])
    # Cards are smooth where hair is not: little gloss, or it looks like a helmet.
    bsdf.inputs["Roughness"].default_value = 0.7
    bsdf.inputs["Specular IOR Level"].default_value = 0.15
    return material
