"""A subject built: the numbers of a draw made into vertices, colours, props and a camera. No Blender here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.camera import Camera
from training.populations.identity import Population
from training.subjects.expression import posed_vertices
from training.subjects.photo_skin import PhotoSkin
from training.subjects.props import Prop
from training.subjects.skin import Painter
from training.subjects.subject import SubjectParams
from training.subjects.view import view_camera

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Figure:
    """neutral and vertices (with expression) (N,3) mm, head space; albedo (N,3) linear RGB; props; the camera."""

    neutral: Floats
    vertices: Floats
    albedo: Floats
    props: tuple[Prop, ...]
    camera: Camera


class FigureBuilder:
    """Builds subjects of one population."""

    def __init__(self, population: Population, photos: tuple[PhotoSkin, ...] = ()) -> None:
        self.population = population
        self.photos = {photo.name: photo for photo in photos}
        self.template = population.template
        self.painter = Painter(self.template)
        self._actions = tuple(str(name) for name in self.template.expression_names)

    def build(self, subject: SubjectParams, resolution: int) -> Figure:
        """The subject for pictures of `resolution` px."""
        template, identity = self.template, subject.identity
        neutral = self.population.vertices(identity)
        vertices = posed_vertices(neutral, self.population.expression(identity), self._actions, subject.expression)
        skin = subject.skin
        albedo = self.painter.albedo(skin, (0.03, 0.02, 0.01))
        return Figure(neutral, vertices, albedo, (), view_camera(template, vertices, subject.view, resolution))

    def strengths(self, subject: SubjectParams) -> Floats:
        """The expression as an array (52,) in the template's order."""
        return np.array([subject.expression.get(name, 0.0) for name in self._actions], np.float32)
