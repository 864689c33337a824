"""What one measures on a face with callipers: lengths and angles between landmarks.

Landmarks are those of iBUG-68; the distances are Farkas's (Anthropometry of the Head and Face, 2nd ed., 1994) where
those landmarks have them, the names what a sculptor calls them. All lengths but the head's own size are shares of
that size: else a larger head would have more of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.template import Template

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
Heads = NDArray[np.floating]
Marks = tuple[int, ...]
Measure = Callable[[Heads], Floats]

# Places on the template's mean head by landmarks: the vertex nearest to a weighted mean of these, and then mirrored.
_CHEEKBONE = ((36, 0.45), (1, 0.3), (31, 0.25))
_CHEEK = ((48, 0.45), (3, 0.35), (41, 0.2))
_FOREHEAD_MM = (35.0, 62.0)  # above the nasion
# Boxes (least, most) of the template's mean head that hold the left ear's auricle and the throat below the chin.
_AURICLE_MM = ((74.0, -30.0, -40.0), (100.0, 40.0, -2.0))
_THROAT_MM = ((0.0, -118.0, -60.0), (100.0, -100.0, 10.0))


@dataclass(frozen=True)
class Measurement:
    """One number of a head. `of` maps heads (n,N,3), head space mm, to (n,) mm or degrees."""

    name: str
    group: str
    of: Measure
    length: bool = True


def measured(kinds: Sequence[Measurement], heads: Heads) -> Floats:
    """(n,S) of heads (n,N,3): the first kind, which is the size, in mm, other lengths as shares of it, degrees."""
    values = np.stack([kind.of(heads) for kind in kinds], 1)
    for index, kind in enumerate(kinds):
        if index and kind.length:
            values[:, index] /= values[:, 0]
    return values


def measurements(template: Template) -> tuple[Measurement, ...]:
    """All measurements on the template's topology, in the order in which one describes a head."""
    face = _Callipers(template)
    between, ahead = face.between, face.ahead
    lips = face.sum(between((50, 51, 52), (61, 62, 63)), between((56, 57, 58), (65, 66, 67)))
    return (
        Measurement("Head Size", "Head", face.size),
        Measurement("Neck Width", "Head", face.across(face.throat)),
        Measurement("Ear Size", "Head", face.of_pair(*face.ear)),
        Measurement("Ear Protrusion", "Head", face.ears_stand_out),
        Measurement("Face Width", "Face", between((1,), (15,))),
        Measurement("Forehead Slope", "Face", face.forehead_slope, length=False),
        Measurement("Cheekbones", "Face", face.outward(_CHEEKBONE)),
        Measurement("Cheek Fullness", "Face", face.outward(_CHEEK)),
        Measurement("Jaw Width", "Face", between((4,), (12,))),
        Measurement("Chin Height", "Face", between((57,), (8,))),
        Measurement("Chin Projection", "Face", ahead((8,), (33,), 2)),
        Measurement("Brow Ridge", "Eyes", ahead((18, 19, 20), (37, 38, 40, 41), 2)),
        Measurement("Brow Height", "Eyes", ahead((18, 19, 20), (37, 38), 1)),
        Measurement("Eye Opening", "Eyes", face.both((37, 38), (40, 41))),
        Measurement("Eye Width", "Eyes", face.both((36,), (39,))),
        Measurement("Eye Spacing", "Eyes", between((39,), (42,))),
        Measurement("Eye Tilt", "Eyes", face.rise((39,), (36,), face.both((39,), (36,))), length=False),
        Measurement("Nose Length", "Nose", between((27,), (33,))),
        Measurement("Nose Width", "Nose", between((31,), (35,))),
        Measurement("Nose Bridge", "Nose", ahead((27, 28), (39,), 2)),
        Measurement("Nose Projection", "Nose", between((30,), (31, 35))),
        Measurement("Nose Tip Angle", "Nose", face.rise((33,), (30,), ahead((30,), (33,), 2)), length=False),
        Measurement("Mouth Width", "Mouth", between((48,), (54,))),
        Measurement("Philtrum Length", "Mouth", between((33,), (51,))),
        Measurement("Lip Fullness", "Mouth", lips),
    )


class _Callipers:
    """Ways of measuring heads on one template; `marks` are iBUG-68's numbers, several stand for their middle."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._ids = template.landmarks68.astype(np.int64)
        self._mirror = template.mirror.astype(np.int64)
        self._skin = template.region("skin")
        self._bulk = np.flatnonzero(self._skin & ~template.region("neck"))
        place = template.mean
        auricle = _part(template, template.region("ears"), _AURICLE_MM)
        throat = _part(template, template.region("neck") & self._skin, _THROAT_MM)
        self.ear = int(auricle[place[auricle, 1].argmax()]), int(auricle[place[auricle, 1].argmin()])
        self.helix = int(auricle[place[auricle, 0].argmax()])
        self.throat = int(throat[place[throat, 0].argmax()])
        nasion = float(place[self._ids[27], 1])
        self._forehead = [_nearest_on_profile(template, self._skin, nasion + above) for above in _FOREHEAD_MM]

    def size(self, heads: Heads) -> Floats:
        """Root mean square distance of the skin from its middle, mm."""
        skin = heads[:, self._bulk].astype(np.float64)
        return np.sqrt(np.mean(np.sum((skin - skin.mean(1, keepdims=True)) ** 2, axis=2), axis=1))

    def sum(self, one: Measure, other: Measure) -> Measure:
        """Two lengths together."""
        return lambda heads: one(heads) + other(heads)

    def between(self, one: Marks, other: Marks) -> Measure:
        """The distance of two places."""
        return lambda heads: np.linalg.norm(self._place(heads, one) - self._place(heads, other), axis=1)

    def both(self, one: Marks, other: Marks) -> Measure:
        """As `between`, the mean of the right and the left side."""
        right, left = self.between(one, other), self.between(_twins(one), _twins(other))
        return lambda heads: (right(heads) + left(heads)) / 2

    def ahead(self, one: Marks, other: Marks, axis: int) -> Measure:
        """How much farther `one` lies along an axis than `other`, both sides together."""
        first, second = (*one, *_twins(one)), (*other, *_twins(other))
        return lambda heads: (self._place(heads, first) - self._place(heads, second))[:, axis]

    def rise(self, one: Marks, other: Marks, along: Measure) -> Measure:
        """Degrees by which the way from `one` to `other` goes up, where `along` is its length on the level."""
        up = self.ahead(other, one, 1)
        return lambda heads: np.degrees(np.arctan2(up(heads), along(heads)))

    def outward(self, place: tuple[tuple[int, float], ...]) -> Measure:
        """How far the skin stands out over the plane of three landmarks, where their weighted mean lies; both sides."""
        marks = tuple(mark for mark, _ in place)
        weights = np.array([weight for _, weight in place])
        vertex = _nearest(self._template, self._skin, weights @ self._template.mean[self._ids[list(marks)]])
        sides = ((marks, vertex), (_twins(marks), int(self._mirror[vertex])))

        def over(heads: Heads, marks: Marks, vertex: int) -> Floats:
            a, b, c = (self._place(heads, (mark,)) for mark in marks)
            normal = np.cross(b - a, c - a)
            normal *= np.sign(normal[:, 2:]) / np.linalg.norm(normal, axis=1, keepdims=True)
            return np.sum((heads[:, vertex] - a) * normal, axis=1)

        return lambda heads: np.mean([over(heads, *side) for side in sides], axis=0)

    def of_pair(self, one: int, other: int) -> Measure:
        """The distance of two vertices, the mean of both sides."""
        pairs = ((one, other), (int(self._mirror[one]), int(self._mirror[other])))
        return lambda heads: np.mean([_distance(heads, *pair) for pair in pairs], axis=0)

    def across(self, vertex: int) -> Measure:
        """The distance of a vertex and its mirror image."""
        return lambda heads: _distance(heads, vertex, int(self._mirror[vertex]))

    def ears_stand_out(self, heads: Heads) -> Floats:
        """How much farther out than the cheek before it the ear reaches, the mean of both sides, mm."""
        return (self.across(self.helix)(heads) - self.between((0,), (16,))(heads)) / 2

    def forehead_slope(self, heads: Heads) -> Floats:
        """Degrees that the forehead leans back."""
        low, high = (heads[:, vertex].astype(np.float64) for vertex in self._forehead)
        return np.degrees(np.arctan2(low[:, 2] - high[:, 2], high[:, 1] - low[:, 1]))

    def _place(self, heads: Heads, marks: Marks) -> Floats:
        return heads[:, self._ids[list(marks)]].mean(1).astype(np.float64)


# iBUG-68's point on the other side of each.
_TWINS = {
    **{i: 16 - i for i in range(17)},
    **{i: 43 - i for i in range(17, 27)},
    **{i: i for i in range(27, 31)},
    **{i: 66 - i for i in range(31, 36)},
    **dict(zip(range(36, 48), (45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40), strict=True)),
    **dict(zip(range(48, 60), (54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55), strict=True)),
    **dict(zip(range(60, 68), (64, 63, 62, 61, 60, 67, 66, 65), strict=True)),
}


def _twins(marks: Marks) -> Marks:
    return tuple(_TWINS[mark] for mark in marks)


def _distance(heads: Heads, one: int, other: int) -> Floats:
    return np.linalg.norm((heads[:, one] - heads[:, other]).astype(np.float64), axis=1)


def _nearest(template: Template, among: NDArray[np.bool_], place: NDArray[np.floating]) -> int:
    """The vertex of the mean head's skin nearest to a place, as seen from the front."""
    candidates = np.flatnonzero(among & (template.mean[:, 2] > 0.0))
    distance = np.linalg.norm(template.mean[candidates, :2] - place[:2], axis=1)
    return int(candidates[distance.argmin()])


def _nearest_on_profile(template: Template, among: NDArray[np.bool_], height: float) -> int:
    """The vertex in the middle of the face at a height, mm."""
    candidates = np.flatnonzero(among & (template.mean[:, 2] > 0.0) & (np.abs(template.mean[:, 0]) < 1.0))
    return int(candidates[np.abs(template.mean[candidates, 1] - height).argmin()])


def _part(template: Template, region: NDArray[np.bool_], box: tuple[tuple[float, ...], tuple[float, ...]]) -> Ids:
    """Vertices of a region within a box; on a head that is made otherwise, the whole region."""
    inside = np.all((template.mean > box[0]) & (template.mean < box[1]), axis=1)
    return np.flatnonzero(region & inside if (region & inside).any() else region)
