"""The way a photo takes: decode -> localise -> crop -> regress -> second look -> (feedback) -> pose or refine ->
tone -> (texture) -> (detail) -> coefficients. Photos of one person meet where heads are fitted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .answer import FacesFound, Reconstruction
from .bundle import Bundle, open_bundle
from .decode import Picture, decode
from .detail import SIDE, Detail, SkinDetail
from .failures import Failure
from .feedback import Feedback
from .heads import Head, Heads, mean
from .localise import Face, Localiser
from .photo import Box, Photo, drawn_crop, first_crop, looked, second_look
from .regress import Regressor
from .skin import Portrait, Skin, SkinTexture, painted

Cancelled = Callable[[], bool]


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
        self._heads = Heads(bundle)

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
        refine: bool = True,
        cancelled: Cancelled = lambda: False,
    ) -> Reconstruction:
        """The head of face number `face` (0: the largest and surest) in an image file's content.

        `box` (x, y, width, height), pixels of the upright photo, is where somebody says that the face is, from the
        brows to the chin; then no face is looked for. `texture` is the side of the skin's texture, one of `SIDES`, and
        None where none is wanted; `detail` says whether fine relief is. The answer has none either where bundle or
        photo do not give one. `refine` says whether the head is fitted to the points that the network sees, where it
        sees enough. `cancelled` is asked between the stages. Raises Failure: those of `decode`, and `method_unknown`,
        `face_none`, `face_number`, `box_outside`, `regressor_failed`, `detail_missing`, `cancelled`.
        """
        self._check_method(method)
        photo = self._photo(image_bytes, face, box, cancelled)
        return self._reconstructions([photo], texture, detail, refine, cancelled)[0]

    def reconstruct_together(
        self,
        images: Sequence[bytes],
        *,
        method: str | None = None,
        texture: int | None = None,
        detail: bool = False,
        refine: bool = True,
        failed: Callable[[int, Failure], None] = lambda index, failure: None,
        cancelled: Cancelled = lambda: False,
    ) -> list[Reconstruction]:
        """The head of the person whom all photos show, once for each of the image files' contents.

        Identity and reflectance are shared, each photo counting as much as its network is sure; expression, pose,
        light and camera are the photo's own. Only the first has `texture` and `detail`. `failed` is told the index of
        each photo that fails, which is left out. Raises Failure: the first photo's where all fail, and
        `method_unknown`, `detail_missing`, `cancelled`. Raises ValueError for no photos.
        """
        if not images:
            raise ValueError("at least one photo is needed")
        self._check_method(method)
        photos, failures = list[Photo](), list[Failure]()
        for index, content in enumerate(images):
            try:
                photos.append(self._photo(content, 0, None, cancelled))
            except Failure as failure:
                if failure.code == "cancelled":
                    raise
                failures.append(failure)
                failed(index, failure)
        if not photos:
            raise failures[0]
        return self._reconstructions(photos, texture, detail, refine, cancelled)

    def faces(self, image_bytes: bytes) -> FacesFound:
        """The faces in an image file's content, the largest and surest first. Raises Failure: those of `decode`."""
        picture = decode(image_bytes)
        return FacesFound(picture.size, tuple(face.box for face in self._localiser.find(picture)))

    def _face(self, picture: Picture, number: int) -> Face:
        if number == 0:
            foremost = self._localiser.foremost(picture)
            if foremost is None:
                raise Failure("face_none")
            return foremost
        faces = self._localiser.find(picture)
        if not faces:
            raise Failure("face_none")
        if not 0 <= number < len(faces):
            raise Failure("face_number", count=len(faces), face=number, last=len(faces) - 1)
        return faces[number]

    def _check_method(self, method: str | None) -> None:
        if method not in (None, "", self.bundle.method):
            raise Failure("method_unknown", method=method, known=self.bundle.method)

    def _photo(self, image_bytes: bytes, face: int, box: Box | None, cancelled: Cancelled) -> Photo:
        """A photo by itself: what the network says of it."""
        seconds: dict[str, float] = {}
        regressor, crop_scale = self._regressor, self.bundle.crop_scale
        with _stage("decode", seconds, cancelled):
            picture = decode(image_bytes)
        with _stage("localise", seconds, cancelled):
            if box is None:
                shown = self._face(picture, face)
                box, first = shown.box, first_crop(shown, crop_scale)
            else:
                first = drawn_crop(box, picture.size, crop_scale)
        with _stage("regress", seconds, cancelled):
            crop, estimate = looked(picture, first, regressor)
        if regressor.has_landmarks:
            with _stage("second_look", seconds, cancelled):
                crop, estimate = second_look(picture, crop, estimate, regressor, crop_scale)
        landmarks = None if estimate.landmarks is None else crop.to_picture(estimate.landmarks, regressor.size)
        if self._feedback is not None and landmarks is not None:
            with _stage("feedback", seconds, cancelled):
                found = self._feedback.answer(picture.image, picture.reduction, landmarks)
                if found is not None:
                    estimate = replace(estimate, identity=found.identity, expression=found.expression)
        return Photo(picture, box, crop, regressor.size, estimate, landmarks, seconds)

    def _reconstructions(
        self, photos: list[Photo], texture: int | None, detail: bool, refine: bool, cancelled: Cancelled
    ) -> list[Reconstruction]:
        """One person's photos, together."""
        heads = self._fitted(photos, refine, cancelled)
        tones, first = list[NDArray[np.float32] | None](), None
        for photo, head in zip(photos, heads, strict=True):
            portrait = self._portrait(photo, head)
            first = portrait if not tones else first
            tones.append(self._tone(photo, head, portrait, cancelled))
        known = [tone for tone in tones if tone is not None]
        reflectance = mean(known, [head.weight for head in heads]) if len(known) == len(tones) else None
        skin, relief = None, None
        if first is not None and (texture is not None or detail):
            seconds = photos[0].seconds
            skin, relief = self._surface(first, reflectance, texture, detail, seconds, cancelled)
        if cancelled():
            raise Failure("cancelled")
        surfaces = [(skin, relief), *[(None, None)] * (len(photos) - 1)]
        return [
            self._answer(photo, head, reflectance, *surface)
            for photo, head, surface in zip(photos, heads, surfaces, strict=True)
        ]

    def _fitted(self, photos: list[Photo], refine: bool, cancelled: Cancelled) -> list[Head]:
        if not self._regressor.has_landmarks:
            return self._heads.fitted(photos, None)
        observations = self._heads.observations(photos) if refine else None
        stage, seconds = "pose" if observations is None else "refine", dict[str, float]()
        with _stage(stage, seconds, cancelled):
            heads = self._heads.fitted(photos, observations)
        for photo in photos:
            photo.seconds[stage] = seconds[stage] / len(photos)
        return heads

    def _portrait(self, photo: Photo, head: Head) -> Portrait | None:
        if self._skin is None or photo.landmarks is None or head.pose is None:
            return None
        vertices = self.bundle.vertices(head.estimate.identity, head.estimate.expression)
        return Portrait(photo.picture.image, photo.picture.reduction, head.pose, photo.landmarks, vertices)

    def _tone(
        self, photo: Photo, head: Head, portrait: Portrait | None, cancelled: Cancelled
    ) -> NDArray[np.float32] | None:
        """The reflectance (R,) with the tone that the photo tells."""
        reflectance = head.estimate.reflectance
        if reflectance is None or portrait is None or self._skin is None or not self._skin.knows_tone:
            return reflectance
        with _stage("tone", photo.seconds, cancelled):
            return np.asarray(self._skin.toned(portrait, reflectance), np.float32)

    def _surface(
        self,
        portrait: Portrait,
        reflectance: NDArray[np.float32] | None,
        texture: int | None,
        detail: bool,
        seconds: dict[str, float],
        cancelled: Cancelled,
    ) -> tuple[SkinTexture | None, SkinDetail | None]:
        assert self._skin is not None
        relief = None
        with _stage("texture", seconds, cancelled):
            atlas, made = self._skin.texture(portrait, reflectance, texture or SIDE)
            skin = None if texture is None else painted(atlas, made)
        if detail and self._detail is not None:
            with _stage("detail", seconds, cancelled):
                trust = atlas.image(made.trust[:, None])[..., 0]
                view, shift = self._skin.sight(portrait)
                model = self._skin.model(reflectance)
                relief = self._detail.detail(view, portrait.vertices, model, shift, trust)
        return skin, relief

    def _answer(
        self,
        photo: Photo,
        head: Head,
        reflectance: NDArray[np.float32] | None,
        texture: SkinTexture | None,
        detail: SkinDetail | None,
    ) -> Reconstruction:
        estimate, pose = head.estimate, head.pose
        return Reconstruction(
            identity=estimate.identity,
            reflectance=reflectance,
            expression=estimate.expression,
            illumination=estimate.illumination,
            landmarks68_2d=photo.landmarks,
            rotation=None if pose is None else pose.rotation,
            translation=None if pose is None else pose.translation,
            focal=None if pose is None else pose.focal,
            image_size=photo.picture.size,
            face_box=photo.box,
            method=self.bundle.method,
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            seconds=photo.seconds,
            texture=texture,
            detail=detail,
            sigma=head.sigma,
            personalisation=head.personalisation,
        )


@contextmanager
def _stage(name: str, seconds: dict[str, float], cancelled: Cancelled) -> Iterator[None]:
    if cancelled():
        raise Failure("cancelled")
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started
