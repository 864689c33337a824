"""Where hair grows: the hairline with its variations, and roots scattered over the skin inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.subjects.skull import RADIUS, Capsule, ear_mask
from training.template import Template

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

# The hairline of a young head on the capsule: degrees of azimuth, mm down from the crown. Over the forehead, down the
# temple, the sideburn, over the ear, down behind it, the nape.
_AZIMUTH = (
    0.0, 20.0, 34.0, 45.0, 54.0, 60.0, 66.0, 70.0, 76.0, 80.0, 84.0, 92.0, 100.0, 106.0, 114.0, 124.0, 140.0, 160.0,
    180.0,
)  # fmt: skip
_DOWN = (
    81.0, 82.0, 86.0, 98.0, 117.0, 137.0, 152.0, 158.0, 158.0, 152.0, 145.0, 142.0, 150.0, 166.0, 190.0, 206.0, 215.0,
    219.0, 220.0,
)  # fmt: skip
_CROWN = np.array([0.0, 128.0, -52.0])


@dataclass(frozen=True)
class Hairline:
    """forehead mm it stands higher than usual; recession 0..1 of the temples' corners; peak mm of a widow's peak;
    crown 0..1 how much of the top is bald; sideburn mm it reaches further down before the ear; thinned 0..1 share of
    hairs that baldness takes."""

    forehead: float = 0.0
    recession: float = 0.0
    peak: float = 0.0
    crown: float = 0.0
    sideburn: float = 0.0
    thinned: float = 1.0

    def depth(self, azimuth: Floats, down: Floats) -> Floats:
        """How far inside the hairline, mm (negative: bare skin), by the capsule's coordinates of the mean head."""
        turn = np.degrees(np.abs(azimuth))
        around = np.linspace(0.0, 180.0, 181)
        line = np.interp(around, _AZIMUTH, _DOWN)
        line = np.convolve(np.pad(line, 3, mode="reflect"), [0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05], mode="valid")
        front = 1.0 / (1.0 + np.exp((around - 52.0) / 5.0))
        line = line - self.forehead * front
        corner = np.exp(-(((around - 37.0) / 13.0) ** 2))
        line = line - self.recession * (46.0 * corner + 14.0 * self.recession * front)
        line = line + self.peak * np.exp(-((around / 9.0) ** 2))
        line = line + self.sideburn * np.exp(-(((around - 73.0) / 5.0) ** 2))
        slope = np.gradient(line, np.radians(1.0)) / (RADIUS * np.sin(np.minimum(line / RADIUS, np.pi / 2.0)))
        gap = np.interp(turn, around, line) - down
        return gap / np.sqrt(1.0 + np.interp(turn, around, slope) ** 2)

    def density(self, rest: Floats, capsule: Capsule, feather: float = 3.0) -> Floats:
        """Share 0..1 of full hair at points (...,3) mm of the template's mean head."""
        azimuth, down = capsule.place(rest)
        share = 1.0 / (1.0 + np.exp(np.clip(-self.depth(azimuth, down) / feather, -30.0, 30.0)))
        if self.crown > 0.0:
            bare = np.linalg.norm((rest - _CROWN) * [1.0, 1.0, 0.85], axis=-1) - 112.0 * self.crown
            share = share * (1.0 - self.thinned / (1.0 + np.exp(np.clip(bare / 7.0, -30.0, 30.0))))
        return share


@dataclass(frozen=True)
class Roots:
    """Points on the template's skin: corners (S,3) vertex ids, weights (S,3) barycentric, rest (S,3) mm, mean head."""

    corners: Ints
    weights: Floats
    rest: Floats

    @staticmethod
    def scatter(template: Template, faces: Ints, count: int) -> Roots:
        """`count` points spread evenly over triangles (F,3) of the mean head; the same every time.

        The additive recurrence of Roberts (2018, "R-sequence", in three dimensions) keeps them from bunching.
        """
        corners = template.mean[faces]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        place = np.cumsum(area) / area.sum()
        u, v, w = ((0.5 + np.arange(1, count + 1)[:, None] * [0.8191725134, 0.6710436067, 0.5497004779]) % 1.0).T
        face = np.minimum(np.searchsorted(place, u), len(faces) - 1)
        flip = v + w > 1.0
        v, w = np.where(flip, 1.0 - v, v), np.where(flip, 1.0 - w, w)
        weights = np.stack([1.0 - v - w, v, w], 1)
        ids = faces[face]
        return Roots(ids, weights, np.einsum("sc,scd->sd", weights, template.mean[ids]))

    def keep(self, mask: NDArray[np.bool_]) -> Roots:
        """Those under a mask (S,)."""
        return Roots(self.corners[mask], self.weights[mask], self.rest[mask])

    def on(self, values: Floats) -> Floats:
        """Per-vertex values (N,D) at the roots (S,D)."""
        return np.einsum("sc,scd->sd", self.weights, values[self.corners])


def scalp_roots(template: Template, hairline: Hairline, count: int, rng: np.random.Generator) -> Roots:
    """Roots inside a hairline; `count` is what a full head of hair gets, balding ones get fewer."""
    capsule = Capsule.of(template, template.mean)
    faces = template.triangles[np.repeat(template.material == 0, 2)]
    near = (template.mean[:, 1] > -60.0) & ~ear_mask(template) & template.region("skin")
    azimuth, down = capsule.place(template.mean)
    near &= hairline.depth(azimuth, down) > -14.0
    faces = faces[near[faces].all(1)]
    roots = Roots.scatter(template, faces, round(count * 1.12))
    return roots.keep(rng.random(len(roots.rest)) < hairline.density(roots.rest, capsule))


def vertex_normals(template: Template, vertices: Floats) -> Floats:
    """Unit normals (N,3) of the skin of a posed head."""
    faces = template.triangles[np.repeat(template.material == 0, 2)]
    corners = vertices[faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    count, spread = len(vertices), faces.ravel()
    total = np.stack([np.bincount(spread, np.repeat(flat[:, axis], 3), count) for axis in range(3)], 1)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
