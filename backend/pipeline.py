"""The way a photo takes: decode -> localise -> crop -> regress -> second look -> (feedback) -> pose -> (texture) ->
(detail) -> coefficients."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import PROTOCOL
from .bundle import Bundle, open_bundle
from .crop import Crop, crop_from_box, crop_from_keypoints, crop_from_landmarks, sample
from .decode import Picture, decode
from .detail import SIDE, Detail, SkinDetail
from .failures import Failure
from .feedback import Feedback
from .localise import Face, Localiser
from .pose import EXIF_SPREAD, FOCAL_SPREAD, Pose, fit_pose, focal_length
from .regress import Estimate, Regressor
from .skin import Portrait, Skin, SkinTexture, painted

Floats = NDArray[np.floating[Any]]
Box = tuple[float, float, float, float]

FARTHEST: Final = 0.5
"""A second look whose crop lies farther from the first than this share of its side, or differs more than twofold in
size, is of landmarks that the network did not find."""


@dataclass(frozen=True)
class Reconstruction:
    """What one photo says about one face. What the method does not estimate is None.

    `identity` (K,) and `reflectance` (R,) in standard deviations, `expression` (52,) 0..1, `illumination` (9, 3) as
    `Estimate` has it, `landmarks68_2d` (68, 2) in pixels of the upright photo, `rotation` (3, 3) and `translation` (3,)
    mm from head space to camera space, `focal` pixels, `image_size` (width, height), `face_box` (x, y, width, height)
    pixels, `seconds` that each stage took, `texture` and `detail` only where they are asked for.
    """

    identity: Floats
    reflectance: Floats | None
    expression: Floats | None
    illumination: Floats | None
    landmarks68_2d: Floats | None
    rotation: Floats | None
    translation: Floats | None
    focal: float | None
    image_size: tuple[int, int]
    face_box: tuple[float, float, float, float]
    method: str
    bundle: str
    bundle_sha256: str
    seconds: Mapping[str, float]
    texture: SkinTexture | None = None
    detail: SkinDetail | None = None

    def to_json(self) -> dict[str, Any]:
        """The protocol's answer, ready for `json`."""
        answer: dict[str, Any] = {
            "protocol": PROTOCOL,
            "method": self.method,
            "bundle": self.bundle,
            "bundle_sha256": self.bundle_sha256,
            "image_size": list(self.image_size),
            "face_box": list(self.face_box),
            "seconds": {stage: round(seconds, 4) for stage, seconds in self.seconds.items()},
        }
        names = ("identity", "reflectance", "expression", "illumination", "landmarks68_2d", "rotation", "translation")
        for name in names:
            value = getattr(self, name)
            if value is not None:
                answer[name] = value.tolist()
        if self.focal is not None:
            answer["focal"] = self.focal
        if self.texture is not None:
            answer["texture"] = self.texture.to_json()
        if self.detail is not None:
            answer["detail"] = self.detail.to_json()
        return answer


@dataclass(frozen=True)
class FacesFound:
    """`boxes` (x, y, width, height) in pixels of the upright photo, whose size is `image_size` (width, height)."""

    image_size: tuple[int, int]
    boxes: tuple[Box, ...]

    def to_json(self) -> dict[str, Any]:
        """The protocol's answer, ready for `json`."""
        return {"protocol": PROTOCOL, "image_size": list(self.image_size), "faces": [list(box) for box in self.boxes]}


class Reconstructor:
    """A bundle and the networks it needs, loaded once; `reconstruct` may be called from several threads."""

    def __init__(
        self, bundle: Bundle, localiser: Localiser, regressor: Regressor, feedback: Feedback | None = None
    ) -> None:
        self.bundle = bundle
        self._localiser = localiser
        self._regressor = regressor
        self._feedback = feedback
        self._skin = Skin.of(bundle)
        self._detail = Detail.of(bundle)

    @classmethod
    def open(cls, bundle_dir: Path | None = None) -> Reconstructor:
        """Load a bundle, by default the one that `LIKENESS_BUNDLE` names or that ships.

        Raises Failure: `bundle_missing`, `bundle_damaged`, `bundle_schema`, `localiser_missing`, `runtime_missing`.
        """
        bundle = open_bundle(bundle_dir)
        return cls(bundle, Localiser.open(), Regressor.open(bundle), Feedback.open(bundle))

    @property
    def provider(self) -> str:
        """Onnxruntime's name of what the bundle's network runs on."""
        return self._regressor.provider

    def reconstruct(
        self,
        image_bytes: bytes,
        *,
        face: int = 0,
        box: Box | None = None,
        method: str | None = None,
        texture: int | None = None,
        detail: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Reconstruction:
        """The head of face number `face` (0: the largest and surest) in an image file's content.

        `box` (x, y, width, height), pixels of the upright photo, is where somebody says that the face is, from the
        brows to the chin; then no face is looked for. `texture` is the side of the skin's texture, one of `SIDES`, and
        None where none is wanted; `detail` says whether fine relief is. The answer has none either where bundle or
        photo do not give one. `cancelled` is asked between the stages. Raises Failure: those of `decode`, and
        `method_unknown`, `face_none`, `face_number`, `box_outside`, `regressor_failed`, `detail_missing`, `cancelled`.
        """
        if method not in (None, "", self.bundle.method):
            raise Failure("method_unknown", method=method, known=self.bundle.method)
        seconds: dict[str, float] = {}

        with _stage("decode", seconds, cancelled):
            picture = decode(image_bytes)
        with _stage("localise", seconds, cancelled):
            if box is None:
                shown = self._face(picture, face)
                box, first = shown.box, _first_crop(shown, self.bundle.crop_scale)
            else:
                first = _drawn_crop(box, picture.size, self.bundle.crop_scale)
        with _stage("regress", seconds, cancelled):
            crop, estimate = self._looked(picture, first)
        if self._regressor.has_landmarks:
            with _stage("second_look", seconds, cancelled):
                crop, estimate = self._second_look(picture, crop, estimate)
        landmarks = None if estimate.landmarks is None else crop.to_picture(estimate.landmarks, self._regressor.size)
        if self._feedback is not None and landmarks is not None:
            with _stage("feedback", seconds, cancelled):
                found = self._feedback.answer(picture.image, picture.reduction, landmarks)
                if found is not None:
                    estimate = replace(estimate, identity=found.identity, expression=found.expression)
        pose = None
        if landmarks is not None:
            with _stage("pose", seconds, cancelled):
                pose = self._pose(picture, landmarks, estimate)
        skin, relief = None, None
        if self._skin is not None and landmarks is not None and pose is not None:
            head = self.bundle.vertices(estimate.identity, estimate.expression)
            portrait = Portrait(picture.image, picture.reduction, pose, landmarks, head)
            if estimate.reflectance is not None and self._skin.knows_tone:
                with _stage("tone", seconds, cancelled):
                    estimate = replace(estimate, reflectance=self._skin.toned(portrait, estimate.reflectance))
            if texture is not None or detail:
                with _stage("texture", seconds, cancelled):
                    atlas, made = self._skin.texture(portrait, estimate.reflectance, texture or SIDE)
                    skin = None if texture is None else painted(atlas, made)
            if detail and self._detail is not None:
                with _stage("detail", seconds, cancelled):
                    trust = atlas.image(made.trust[:, None])[..., 0]
                    view, shift = self._skin.sight(portrait)
                    relief = self._detail.detail(view, head, self._skin.model(estimate.reflectance), shift, trust)
        if cancelled():
            raise Failure("cancelled")
        return Reconstruction(
            identity=estimate.identity,
            reflectance=estimate.reflectance,
            expression=estimate.expression,
            illumination=estimate.illumination,
            landmarks68_2d=landmarks,
            rotation=None if pose is None else pose.rotation,
            translation=None if pose is None else pose.translation,
            focal=None if pose is None else pose.focal,
            image_size=picture.size,
            face_box=box,
            method=self.bundle.method,
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            seconds=seconds,
            texture=skin,
            detail=relief,
        )

    def faces(self, image_bytes: bytes) -> FacesFound:
        """The faces in an image file's content, the largest and surest first. Raises Failure: those of `decode`."""
        picture = decode(image_bytes)
        return FacesFound(picture.size, tuple(face.box for face in self._localiser.find(picture)))

    def _face(self, picture: Picture, number: int) -> Face:
        faces = self._localiser.find(picture)
        if not faces:
            raise Failure("face_none")
        if not 0 <= number < len(faces):
            raise Failure("face_number", count=len(faces), face=number, last=len(faces) - 1)
        return faces[number]

    def _looked(self, picture: Picture, crop: Crop) -> tuple[Crop, Estimate]:
        return crop, self._regressor.run(sample(picture.image, crop, self._regressor.size, picture.reduction))

    def _second_look(self, picture: Picture, crop: Crop, estimate: Estimate) -> tuple[Crop, Estimate]:
        """Crop again where the network itself put the landmarks; stay with the first look where that is absurd."""
        assert estimate.landmarks is not None
        try:
            second = crop_from_landmarks(
                crop.to_picture(estimate.landmarks, self._regressor.size), self.bundle.crop_scale
            )
        except ValueError:
            return crop, estimate
        away = np.hypot(second.centre[0] - crop.centre[0], second.centre[1] - crop.centre[1])
        if away > FARTHEST * crop.side or not 0.5 < second.side / crop.side < 2:
            return crop, estimate
        return self._looked(picture, second)

    def _pose(self, picture: Picture, landmarks: Floats, estimate: Estimate) -> Pose | None:
        points = self.bundle.landmarks(estimate.identity, estimate.expression)
        focal = focal_length(picture.size, picture.focal_35mm)
        spread = FOCAL_SPREAD if picture.focal_35mm is None else EXIF_SPREAD
        return fit_pose(landmarks, points, focal, picture.size, spread)


def _first_crop(face: Face, crop_scale: float) -> Crop:
    try:
        return crop_from_keypoints(face.keypoints, face.centre, crop_scale)
    except ValueError as error:
        raise Failure("face_none") from error


def _drawn_crop(box: Box, size: tuple[int, int], crop_scale: float) -> Crop:
    x, y, width, height = box
    if x >= size[0] or y >= size[1] or x + width <= 0 or y + height <= 0:
        raise Failure("box_outside")
    try:
        return crop_from_box(box, crop_scale)
    except ValueError as error:
        raise Failure("box_outside") from error


@contextmanager
def _stage(name: str, seconds: dict[str, float], cancelled: Callable[[], bool]) -> Iterator[None]:
    if cancelled():
        raise Failure("cancelled")
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started
