"""The skin's texture from the photo: its pictures in the file, and the skin's material that shows it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bpy

from . import material

ALBEDO, ORIGIN = "Skin", "Skin Origin"
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Texture:
    """PNG files of `side` x `side` texels in the head's UV: `albedo` the skin's colour, sRGB; `origin` where it comes
    from: white seen in the photo, grey mirrored from the other side, black made up.
    """

    side: int
    albedo: bytes
    origin: bytes

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Texture:
        """Read the backend's `texture`. Raises KeyError, TypeError and ValueError for what is none."""
        return cls(int(answer["side"]), _png(answer["albedo"]), _png(answer["origin"]))


def add(head: bpy.types.Object, texture: Texture) -> bpy.types.Image:
    """Show the texture on the skin of `head`; returns the skin's picture, packed into the file like that of origins."""
    albedo = _image(ALBEDO, texture.albedo, texture.side)
    origin = _image(ORIGIN, texture.origin, texture.side)
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


def _png(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"a texture is no base64: {error}") from error
    if not data.startswith(_PNG):
        raise ValueError("a texture is no PNG file")
    return data


def _image(name: str, data: bytes, side: int) -> bpy.types.Image:
    image = bpy.data.images.new(name, side, side)
    image.source = "FILE"
    image.pack(data=data, data_len=len(data))
    return image
