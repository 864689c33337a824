"""The skin's fine relief from the photo: its pictures in the file, and the skin's material that shows it."""

from __future__ import annotations

import bpy

from . import images, material
from .reconstruction import Detail

NORMALS, DISPLACEMENT = "Skin Normals", "Skin Displacement"
RANGE = "likeness_range_mm"  # custom property of the displacement's picture: what its whole range is, grey being none


def add(head: bpy.types.Object, detail: Detail) -> None:
    """Show the relief on the skin of `head`; both pictures are packed into the file."""
    normals = images.packed(NORMALS, detail.normal, detail.side)
    displacement = images.packed(DISPLACEMENT, detail.displacement, detail.side)
    for picture in (normals, displacement):
        picture.colorspace_settings.name = "Non-Color"
    displacement[RANGE] = detail.range_mm
    for slot in head.data.materials:
        if slot.get(material.KIND) == "skin":
            material.show_relief(slot, normals, displacement)


def strength(head: bpy.types.Object) -> bpy.types.NodeSocket | None:
    """The input that says how much of the relief is shown, 1 for all; None where the skin has none."""
    for slot in head.data.materials:
        if slot is not None and slot.get(material.KIND) == "skin":
            return material.relief_strength(slot)
    return None


def of(head: bpy.types.Object) -> bpy.types.Image | None:
    """The picture of normals on the skin of `head`, None where there is none."""
    for slot in head.data.materials:
        if slot is not None and slot.get(material.KIND) == "skin":
            return material.relief(slot)
    return None
