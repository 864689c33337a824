"""The skin's texture from the photo: its pictures in the file, and the skin's material that shows it."""

from __future__ import annotations

import bpy

from . import images, material
from .reconstruction import Texture

ALBEDO, ORIGIN = "Skin", "Skin Origin"


def add(head: bpy.types.Object, texture: Texture) -> bpy.types.Image:
    """Show the texture on the skin of `head`; returns the skin's picture, packed into the file like that of origins."""
    albedo = images.packed(ALBEDO, texture.albedo, texture.side)
    origin = images.packed(ORIGIN, texture.origin, texture.side)
    origin.colorspace_settings.name = "Non-Color"
    for slot in head.data.materials:
        if slot.get(material.KIND) == "skin":
            material.show_image(slot, albedo, origin)
        elif slot.get(material.KIND) == "brow":
            # The photo's own brows are on the skin.
            material.hide(slot)
    return albedo


def of(head: bpy.types.Object) -> bpy.types.Image | None:
    """The picture on the skin of `head`, None where there is none."""
    for slot in head.data.materials:
        if slot is not None and slot.get(material.KIND) == "skin":
            return material.image(slot)
    return None
