"""Slider ranges of heads that come back from a file format that does not keep them."""

from __future__ import annotations

import bpy

from . import arkit, shape
from . import head as heads
from .export import FACE
from .facetext import Face


def can_restore(thing: bpy.types.Object | None) -> bool:
    """Whether `thing` has keys whose names say what they are."""
    if thing is None or thing.type != "MESH" or thing.data.shape_keys is None:
        return False
    names = {key.name for key in thing.data.shape_keys.key_blocks}
    return not names.isdisjoint(arkit.NAMES)


def restore(thing: bpy.types.Object) -> int:
    """Give expression keys 0..1 and identity keys -3..3, and the values that were exported where the file has them.

    Returns how many keys were set right.
    """
    expressions = heads.expression_keys(thing)
    for key in expressions:
        key.slider_min, key.slider_max = 0.0, 1.0
    identity = heads.identity_keys(thing)
    for key in identity:
        key.slider_min, key.slider_max = -heads.IDENTITY_RANGE, heads.IDENTITY_RANGE
    if identity and FACE in thing:
        face = Face.from_text(str(thing[FACE]))
        thing[heads.IDENTITY] = [face.identity.get(key.name, 0.0) for key in identity]
        thing[heads.BUNDLE_SHA256] = face.model
        shape.set_identity_of(thing, face)
        shape.set_expression_of(thing, face)
    return len(expressions) + len(identity)
