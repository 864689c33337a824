"""Measures of a head that props are fitted to: how far the skin reaches, where the ears carry an arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.subjects.props import Floats
from training.template import Template

Array = NDArray[np.float64]

# Where an arm of glasses lies on the left ear, as vertices of MakeHuman's base mesh: on the root of the helix, then
# down behind it.
EAR_SEAT = (12353, 7579, 7581, 7636)
# Barycentric weights (10,3) of points strewn evenly over a triangle.
STREWN = np.array([(i + 1 / 3, j + 1 / 3, 4 - i - j - 2 / 3) for i in range(4) for j in range(4 - i)]) / 4.0


class WrongTemplate(ValueError):
    """The template does not know the base-mesh vertices that props are bound to."""


def vertex_ids(template: Template, base_ids: NDArray[np.integer] | tuple[int, ...]) -> NDArray[np.int64]:
    """Template vertices of vertices of MakeHuman's base mesh, same shape.

    Raises :class:`WrongTemplate` where the template lacks one.
    """
    wanted = np.asarray(base_ids)
    known = template.base_ids
    found = np.searchsorted(known, wanted)
    if len(known) == 0 or (known[np.minimum(found, len(known) - 1)] != wanted).any():
        raise WrongTemplate(
            "Glasses, hats and clothes need a template that knows its base-mesh vertices: this population file is "
            "older than they are, make it again with this version."
        )
    return found.astype(np.int64)


class HeightMap:
    """How far triangles reach along an axis (0 x, 2 z), by cells of the other two axes: (z, y) for x, (x, y) for z."""

    def __init__(self, triangles: NDArray[np.floating], axis: int, cell: float = 2.5) -> None:
        """triangles (T,3,3) mm; those that look away from the axis do not count. Built from points strewn on them."""
        first = 2 if axis == 0 else 0
        b, c = (triangles[:, k] - triangles[:, 0] for k in (1, 2))
        i, j = (axis + 1) % 3, (axis + 2) % 3
        facing = triangles[b[:, i] * c[:, j] > b[:, j] * c[:, i]]
        points = (facing.transpose(2, 0, 1) @ STREWN.T).reshape(3, -1)
        plane = points[[first, 1]].T
        self.cell = cell
        self.low = plane.min(0) - 1.5 * cell
        place = ((plane - self.low) / cell).astype(np.int64)
        self.shape = tuple(place.max(0) + 2)
        flat = place[:, 0] * self.shape[1] + place[:, 1]
        size = int(np.prod(self.shape))
        self.count = np.bincount(flat, minlength=size)
        self.total = np.bincount(flat, points[axis], minlength=size)

    def __call__(self, points: Array) -> Array:
        """Over points (P,2): the height (P,), or -inf beside the triangles."""
        place = (points - self.low) / self.cell - 0.5
        corner = np.floor(place).astype(np.int64)
        share = place - corner
        total, weight = np.zeros(len(points)), np.zeros(len(points))
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            at = corner + np.array([i, j])
            inside = ((at >= 0) & (at < self.shape)).all(1)
            flat = np.where(inside, at[:, 0] * self.shape[1] + at[:, 1], 0)
            near = (share[:, 0] if i else 1.0 - share[:, 0]) * (share[:, 1] if j else 1.0 - share[:, 1]) * inside
            near = near * (self.count[flat] > 0)
            total += near * self.total[flat] / np.maximum(self.count[flat], 1)
            weight += near
        return np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), -np.inf)


def skin_triangles(template: Template, vertices: Floats, low: tuple[float, float, float]) -> Floats:
    """The skin's triangles (T,3,3) whose first corner lies beyond `low` on all axes, mm."""
    skin = (vertices > np.array(low, np.float32)).all(1) & template.region("skin")
    return vertices[template.triangles[skin[template.triangles[:, 0]]]]


@dataclass(frozen=True)
class FaceMeasures:
    """Points of a face, mm: eye centres (2,3) right then left, bridge and tip of the nose (3,), chin (3,), mouth (3,).

    ear_seats (2,4,3) right then left: the path of an arm of glasses over and behind the ear.
    """

    eyes: Array
    bridge: Array
    tip: Array
    chin: Array
    mouth: Array
    ear_seats: Array

    @staticmethod
    def of(template: Template, vertices: Floats) -> FaceMeasures:
        """From the 68 points and the ears. Raises :class:`WrongTemplate` for another topology."""
        marks = vertices[template.landmarks68].astype(np.float64)
        left = vertex_ids(template, EAR_SEAT)
        seats = vertices[np.stack([template.mirror[left], left])].astype(np.float64)
        return FaceMeasures(
            eyes=np.stack([marks[36:42].mean(0), marks[42:48].mean(0)]),
            bridge=marks[27],
            tip=marks[30],
            chin=vertices[template.chin_front].astype(np.float64),
            mouth=marks[48:68].mean(0),
            ear_seats=seats,
        )
