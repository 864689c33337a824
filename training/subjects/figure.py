"""A subject built: the numbers of a draw made into vertices, colours, props and a camera. No Blender here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.assets.makehuman import AssetFolder
from training.camera import Camera
from training.populations.identity import Population
from training.subjects.beard import beard_cover, beard_props, beard_shade
from training.subjects.brows import brow_cover, brow_props, brow_shade
from training.subjects.clothes import beneath, clothes_props
from training.subjects.expression import posed_vertices
from training.subjects.glasses import glasses_props
from training.subjects.hair import hair_cover, hair_props
from training.subjects.hair_colour import mixed
from training.subjects.headwear import covered, headwear_props
from training.subjects.occluder import occluder_props
from training.subjects.photo_skin import load_photo_skin
from training.subjects.props import Prop
from training.subjects.skin import Painter
from training.subjects.subject import Stock, SubjectParams
from training.subjects.view import view_camera

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Figure:
    """neutral and vertices (with expression) (N,3) mm, head space; props; the camera.

    paint (N,3) linear RGB is what the skin's shader starts from, reflectance (N,3) what comes of it.
    """

    neutral: Floats
    vertices: Floats
    paint: Floats
    reflectance: Floats
    props: tuple[Prop, ...]
    camera: Camera


class FigureBuilder:
    """Builds subjects of one population, with photographic skins and hair styles where there are assets."""

    def __init__(self, population: Population, assets: AssetFolder | None = None) -> None:
        self.population = population
        self.template = population.template
        self.assets = assets
        self.photos = {path.stem: load_photo_skin(path, self.template) for path in assets.skins} if assets else {}
        self.painter = Painter(self.template)
        self._throat = self.template.region("neck")
        self._actions = tuple(str(name) for name in self.template.expression_names)

    def stock(self, worlds: tuple[str, ...]) -> Stock:
        """What draws may choose from, with HDRIs of these names."""
        styles = tuple(self.assets.hair) if self.assets else ()
        return Stock(worlds, tuple(self.photos), styles)

    def build(self, subject: SubjectParams, resolution: int) -> Figure:
        """The subject for pictures of `resolution` px."""
        template, identity = self.template, subject.identity
        neutral = self.population.vertices(identity)
        vertices = posed_vertices(neutral, self.population.expression(identity), self._actions, subject.expression)
        hair, beard, brows = subject.hair, subject.beard, subject.brows
        headwear = subject.headwear
        hidden = covered(template, vertices, headwear) if headwear else None
        covers = (
            (hair_cover(template, hair), mixed(hair.colour, hair.grey_colour, hair.grey)),
            (beard_cover(template, beard), beard_shade(beard)),
            (brow_cover(template, brows), brow_shade(brows)),
        )
        props = [
            *hair_props(template, vertices, hair, self.assets, hidden),
            *beard_props(template, vertices, beard),
            *brow_props(template, vertices, brows),
        ]
        paint = self.painter.albedo(subject.skin, covers)
        red, green, blue = np.median(paint[self._throat], axis=0)
        bare = float(red), float(green), float(blue)
        wrapped = (headwear and headwear.kind == "headscarf") or (subject.occluder and subject.occluder.kind == "scarf")
        clothes = beneath(subject.clothes) if wrapped else subject.clothes
        props += clothes_props(template, vertices, clothes, bare)
        if headwear:
            props += headwear_props(template, vertices, headwear, clothes.build)
        if subject.glasses:
            props += glasses_props(template, vertices, subject.glasses)
        if subject.occluder:
            props += occluder_props(template, vertices, subject.occluder, clothes.build, bare)
        camera = view_camera(template, vertices, subject.view, resolution)
        return Figure(neutral, vertices, paint, self._reflectance(subject, paint), tuple(props), camera)

    def _reflectance(self, subject: SubjectParams, albedo: Floats) -> Floats:
        """What the shader makes of the painted albedo with a photographic skin."""
        photo = self.photos.get(subject.skin.texture)
        if photo is None:
            return albedo
        return np.clip(albedo * photo.at_vertices**subject.skin.contrast, 0.0, 1.0).astype(np.float32)

    def strengths(self, subject: SubjectParams) -> Floats:
        """The expression as an array (52,) in the template's order."""
        return np.array([subject.expression.get(name, 0.0) for name in self._actions], np.float32)
