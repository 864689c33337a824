"""Finds the faces in a picture, with six key points each, by BlazeFace.

Source: Bazarevsky et al., "BlazeFace: Sub-millisecond neural face detection on mobile GPUs", 2019 (anchors: section
3.2; blending instead of suppression: 3.3), and MediaPipe's graph `face_detection_short_range.pbtxt` with its
SsdAnchorsCalculator, TensorsToDetectionsCalculator and NonMaxSuppressionCalculator, whose constants these are.
What is looked at, and the second, upright look that every finding must pass, are this project's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from .crop import Crop, sample
from .decode import Picture
from .failures import Failure
from .runtime import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MODEL: Final = Path(__file__).parent / "models" / "localiser.onnx"
SIZE: Final = 128
STRIDES: Final = ((8, 2), (16, 6))
"""(stride, anchors per cell): MediaPipe's four layers of strides 8, 16, 16, 16 with two anchors each, merged."""

CANDIDATE_SCORE: Final = 0.5
"""A finding of the first look; what is not a face often reaches 0.7."""

CONFIRMED_SCORE: Final = 0.66
SURE_SCORE: Final = 0.75
"""Mean score of the second looks. Seen: 0.79 and more for faces in photos, down to 0.67 for rendered profiles, and 0.68
for the one thing that was no face in some 490 pieces cut from photos beside the faces. What is not sure waits for the
further searches, which look at much more and take nothing less than sure."""

OVERLAP: Final = 0.3
CANDIDATES: Final = 8
"""At most so many candidates, the largest and surest, get second looks."""

WHOLE: Final = 0.95
CUT_POWER: Final = 4
"""A face of whose box less than this share is in the picture counts less by this power: half a face must be thirteen
times as large as a whole one to come before it, one that lacks a tenth a quarter larger."""

FOREMOST: Final = 0.18
"""A face whose side is at least so much of the picture's larger one is not looked for in parts of it."""

LOOK_SIDES: Final = (1.6, 2.2)
"""Sides of the second looks' crops as multiples of the found box: the sizes that BlazeFace is surest of."""

OVERVIEW: Final = 640
"""Faces are looked for in a copy of the picture whose larger side is at most twice this many pixels."""

_ANY_SCORE: Final = 0.1
_UPRIGHT: Final = np.deg2rad(12)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """A face in picture pixels.

    `box` (x, y, width, height), upright whatever the face's roll. `keypoints` (6, 2): the subject's right eye, left
    eye, nose tip, middle of the mouth, right ear, left ear. `score` 0..1.
    """

    box: tuple[float, float, float, float]
    keypoints: Floats
    score: float

    @property
    def centre(self) -> tuple[float, float]:
        """Middle (x, y) of the box."""
        x, y, width, height = self.box
        return x + width / 2, y + height / 2

    @property
    def side(self) -> float:
        """The box's larger side in pixels."""
        return max(self.box[2:])

    @property
    def roll(self) -> float:
        """Angle in radians of the line through the eyes, -pi..pi."""
        right, left = self.keypoints[:2]
        return float(np.arctan2(left[1] - right[1], left[0] - right[0]))


class Localiser:
    """BlazeFace behind one question: which faces are in this picture? `find` may be called from several threads."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._anchors = anchors()

    @classmethod
    def open(cls, model: Path = MODEL) -> Localiser:
        """Load the network. Raises Failure `localiser_missing`, `runtime_missing`."""
        try:
            return cls(open_session(model.read_bytes(), accelerated=False))
        except Failure:
            raise
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise Failure("localiser_missing", name=model.name) from error

    def find(self, picture: Picture) -> list[Face]:
        """The faces, the largest and surest first; empty when there is none.

        First the whole picture and tiles of half its size; if that gives nothing sure, the same turned by 45 and by
        90 degrees either way; if that gives nothing either, tiles of a quarter.
        """
        overview, doubtful = _overview(picture), list[Face]()
        for windows, least in _searches(picture.size):
            faces = self._searched(picture, overview, windows, least)
            if any(face.score >= SURE_SCORE for face in faces):
                return faces
            doubtful = doubtful or faces
        return doubtful

    def foremost(self, picture: Picture) -> Face | None:
        """The first of the faces, None when there is none; in most portraits in half the time of `find`.

        A sure face, not cut off, that takes up much of the whole picture comes before any that only parts of it show.
        """
        upright, least = next(iter(_searches(picture.size)))
        faces = self._searched(picture, _overview(picture), upright[:2], least)
        first = next(iter(faces), None)
        large = first is not None and first.side >= FOREMOST * max(picture.size)
        if first is not None and large and first.score >= SURE_SCORE and _visible(first, picture.size) >= WHOLE:
            return first
        return next(iter(self.find(picture)), None)

    def _searched(self, picture: Picture, overview: Picture, windows: list[Crop], least: float) -> list[Face]:
        """The faces that the windows show and second looks confirm, the largest and surest first."""
        importance = partial(_importance, size=picture.size)
        found = [face for faces in self._look(overview, windows, CANDIDATE_SCORE) for face in faces]
        candidates = sorted(blend(found), key=importance, reverse=True)[:CANDIDATES]
        looked = [self._confirmed(picture, face) for face in candidates]
        faces = blend(face for face in looked if face is not None and face.score >= least)
        return sorted(faces, key=importance, reverse=True)

    def _confirmed(self, picture: Picture, candidate: Face) -> Face | None:
        """The candidate looked at again, and once more where that has turned it: then it was not yet upright."""
        face = self._look_again(picture, candidate)
        if face is None or abs(np.angle(np.exp(1j * (face.roll - candidate.roll)))) < _UPRIGHT:
            return face
        return self._look_again(picture, face)

    def _look_again(self, picture: Picture, face: Face) -> Face | None:
        """The face seen upright, at two sizes, each also mirrored: better key points, and a score that tells faces
        from what resembles them once. None when fewer than half of the looks find it again."""
        windows = [Crop(face.centre, side * face.side, face.roll) for side in LOOK_SIDES]
        seen = self._look(picture, windows, _ANY_SCORE, mirrored=(False, True))
        again = [max(near, key=_score) for faces in seen if (near := [f for f in faces if _same(f, face)])]
        if 2 * len(again) < len(seen):
            return None
        mean = _mean(again)
        return Face(mean.box, mean.keypoints, sum(f.score for f in again) / len(seen))

    def _look(
        self, picture: Picture, windows: list[Crop], least: float, *, mirrored: tuple[bool, ...] = (False,)
    ) -> list[list[Face]]:
        """What is found in each of the windows with score `least` or more, once for each entry of `mirrored`."""
        pixels = np.stack([sample(picture.image, window, SIZE, picture.reduction) for window in windows])
        views = [(window, flip) for flip in mirrored for window in windows]
        images = np.concatenate([pixels[:, :, ::-1] if flip else pixels for flip in mirrored])
        images = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32) / np.float32(127.5) - np.float32(1)
        boxes, logits = self._session.run(["boxes", "scores"], {"image": images})
        return [
            blend(decode_boxes(box, logit, self._anchors, window, least, mirrored=flip))
            for box, logit, (window, flip) in zip(boxes, logits, views, strict=True)
        ]


def anchors() -> Floats:
    """(896, 2) anchor centres (x, y) in 0..1: two per cell at stride 8, then six per cell at stride 16."""
    layers = []
    for stride, count in STRIDES:
        cells = SIZE // stride
        line = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(line, line, indexing="ij")
        layers.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), count, axis=0))
    return np.concatenate(layers)


def decode_boxes(
    boxes: NDArray[Any], logits: NDArray[Any], centres: Floats, window: Crop, least: float, *, mirrored: bool = False
) -> list[Face]:
    """The network's output for one window -> the faces of `least` score or more, in picture pixels.

    `boxes` (896, 16): x, y, width, height, then six points x, y, in pixels of the window and, but for width and
    height, relative to the anchor's centre; `logits` (896, 1). A turned window's boxes stay upright in the picture.
    `mirrored` says that the network saw the window's mirror image.
    """
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -100, 100)))
    kept = np.flatnonzero(scores >= least)
    pairs = boxes[kept].astype(np.float64).reshape(-1, 8, 2)
    points = pairs[:, [0, *range(2, 8)]] + centres[kept, None] * SIZE
    if mirrored:
        points = points[:, [0, 2, 1, 3, 4, 6, 5]] * (-1, 1) + (SIZE, 0)
    points = window.to_picture(points, SIZE)
    sides = pairs[:, 1] * (window.side / SIZE)
    return [
        Face(_box_around(point[0], side), point[1:], float(score))
        for point, side, score in zip(points, sides, scores[kept], strict=True)
    ]


def blend(faces: Iterable[Face]) -> list[Face]:
    """Weighted non-maximum suppression: overlapping findings become one, their mean weighted by score.

    The best score is kept as the blend's. Source: BlazeFace, section 3.3.
    """
    remaining = sorted(faces, key=_score, reverse=True)
    blended = []
    while remaining:
        best, *others = remaining
        group, remaining = [best], []
        for face in others:
            (group if _same(face, best) else remaining).append(face)
        blended.append(_mean(group))
    return blended


def _mean(faces: list[Face]) -> Face:
    """Mean weighted by score, with the best score."""
    weights = [face.score for face in faces]
    x, y, width, height = np.average([face.box for face in faces], axis=0, weights=weights)
    keypoints = np.average([face.keypoints for face in faces], axis=0, weights=weights)
    return Face((float(x), float(y), float(width), float(height)), keypoints, max(weights))


def _searches(size: tuple[int, int]) -> Iterator[tuple[list[Crop], float]]:
    """The windows to look through, and the score that a face must reach, one after the other until one gives a face."""
    width, height = size
    longest = max(size)
    whole = Crop((width / 2, height / 2), float(longest))
    # The wider one is for a face that fills the picture, which the network has not learned to see.
    upright = [whole, Crop(whole.centre, 1.5 * longest), *_tiles(size, longest / 2)]
    yield upright, CONFIRMED_SCORE
    for angle in (-np.pi / 4, np.pi / 4, -np.pi / 2, np.pi / 2):
        yield [Crop(window.centre, window.side, angle) for window in upright], SURE_SCORE
    yield _tiles(size, longest / 4), SURE_SCORE


def _tiles(size: tuple[int, int], side: float) -> list[Crop]:
    """Squares that cover the picture, each overlapping its neighbours by at least half."""
    lines = []
    for length in size:
        count = max(int(np.ceil(2 * length / side)) - 1, 1)
        lines.append(np.linspace(side / 2, length - side / 2, count) if count > 1 else np.array([length / 2]))
    return [Crop((float(x), float(y)), side) for y in lines[1] for x in lines[0]]


def _overview(picture: Picture) -> Picture:
    factor = max(max(picture.image.size) // OVERVIEW, 1)
    if factor == 1:
        return picture
    return Picture(picture.image.reduce(factor), picture.size, picture.reduction * factor)


def _importance(face: Face, size: tuple[int, int]) -> float:
    """Side by score, less where the edge of a picture of `size` cuts the face off."""
    return face.side * face.score * min(_visible(face, size) / WHOLE, 1.0) ** CUT_POWER


def _visible(face: Face, size: tuple[int, int]) -> float:
    """The share of the face's box that lies in a picture of `size`."""
    area = face.box[2] * face.box[3]
    return _common(face.box, (0.0, 0.0, *size)) / area if area > 0 else 0.0


def _score(face: Face) -> float:
    return face.score


def _same(one: Face, other: Face) -> bool:
    return _overlap(one.box, other.box) > OVERLAP


def _box_around(centre: Floats, sides: Floats) -> tuple[float, float, float, float]:
    x, y = centre - sides / 2
    return float(x), float(y), float(sides[0]), float(sides[1])


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes (x, y, width, height)."""
    common = _common(one, other)
    return 0.0 if common == 0 else common / (one[2] * one[3] + other[2] * other[3] - common)


def _common(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The area of what two boxes (x, y, width, height) have in common."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
