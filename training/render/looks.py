"""The head's own materials, and how a subject's numbers set them."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from training.render import materials
from training.subjects.photo_skin import PhotoSkin
from training.subjects.pictures import skin_detail
from training.subjects.props import SEGMENTS
from training.subjects.skin import oiliness
from training.subjects.subject import SubjectParams
from training.template import Template

# Pictures of at least this many px show pores.
_PORES_FROM = 320

# Segment of each of the template's materials.
_SEGMENT = {"skin": "skin", "eye": "eyes", "mouth": "mouth", "teeth": "teeth", "brow": "brows", "lash": "lashes"}


class HeadLooks:
    """Materials of the head; photos are photographic skins that subjects may name; resolution px of the picture.

    oil (N,) 0..1 and face (N,) bool are the template's.
    """

    def __init__(self, template: Template, photos: tuple[PhotoSkin, ...] = (), resolution: int = 512) -> None:
        detail = skin_detail(np.random.default_rng(5))
        self.materials = {
            "skin": materials.skin(_image("skin detail", detail)),
            "eye": materials.eye(),
            "mouth": materials.plain("mouth", (0.30, 0.08, 0.07), 0.32),
            "teeth": materials.plain("teeth", (0.70, 0.64, 0.52), 0.18),
            "brow": materials.plain("brow", (0.02, 0.015, 0.01), 0.55),
            "lash": materials.plain("lash", (0.008, 0.006, 0.005), 0.55),
        }
        for name, material in self.materials.items():
            material.pass_index = SEGMENTS.index(_SEGMENT[name])
        # Pores are far smaller than a pixel of a small picture, and bump takes a tenth of its time.
        self.materials["skin"].node_tree.nodes["pores"].mute = resolution < _PORES_FROM
        self.oil = oiliness(template)
        self.face = template.region("face")
        self._plain = _image("no photo", np.full((2, 2, 3), 0.5, np.float32))
        self._photos = {photo.name: _image(photo.name, 0.5 * photo.ratio, deep=False) for photo in photos}
        if photos:
            u0, v0, u1, v1 = photos[0].box
            place = self.materials["skin"].node_tree.nodes["place"]
            place.inputs["Scale"].default_value = (1.0 / (u1 - u0), 1.0 / (v1 - v0), 1.0)
            place.inputs["Location"].default_value = (-u0 / (u1 - u0), -v0 / (v1 - v0), 0.0)

    def set(self, subject: SubjectParams) -> None:
        """Sets the materials to a subject."""
        skin, eyes = subject.skin, subject.eyes
        nodes = self.materials["skin"].node_tree.nodes
        nodes["photo"].image = self._photos.get(skin.texture, self._plain)
        nodes["contrast"].inputs["Gamma"].default_value = skin.contrast
        nodes["spread"].inputs["Location"].default_value = (*skin.detail, 0.0)
        nodes["mottle"].inputs["To Min"].default_value = 1.0 - skin.mottle
        nodes["mottle"].inputs["To Max"].default_value = 1.0 + skin.mottle
        nodes["freckles"].inputs[1].default_value = skin.freckles
        nodes["pores"].inputs["Strength"].default_value = 0.5 * skin.pores
        nodes["oil"].inputs[1].default_value = -0.12 * skin.shine
        nodes["oil"].inputs[2].default_value = skin.roughness
        bsdf = nodes["Principled BSDF"]
        bsdf.inputs["Specular IOR Level"].default_value = skin.specular
        bsdf.inputs["Subsurface Weight"].default_value = skin.subsurface
        nodes = self.materials["eye"].node_tree.nodes
        nodes["iris"].outputs["Color"].default_value = (*eyes.iris, 1.0)
        nodes["ring"].inputs["B"].default_value = (*([1.0 - 0.85 * eyes.ring] * 3), 1.0)
        nodes["sclera"].inputs["B"].default_value = (*eyes.sclera, 1.0)
        # The iris ends at a radius of 0.07 of the UV.
        nodes["pupil"].inputs["From Min"].default_value = 0.07 * eyes.pupil - 0.002
        nodes["pupil"].inputs["From Max"].default_value = 0.07 * eyes.pupil + 0.002
        teeth = self.materials["teeth"].node_tree.nodes["Principled BSDF"]
        teeth.inputs["Base Color"].default_value = (*eyes.teeth, 1.0)


def _image(name: str, picture: NDArray[np.floating], deep: bool = True) -> bpy.types.Image:
    """A picture (H,W,3) of plain numbers as Blender's image, in floats or (not deep) bytes."""
    height, width, _ = picture.shape
    image = bpy.data.images.new(name, width, height, float_buffer=deep, is_data=True)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = picture[::-1]
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    return image
