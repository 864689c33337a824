"""The backend's answer to one photo, checked against the bundle it was made with."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bundle import Bundle
from .failures import Failure

PROTOCOL = 1

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Pose:
    """The camera that took the photo, seen from the head.

    `rotation` (3, 3) and `translation` (3,) mm map head space to camera space (x right, y down, z forward); `focal` is
    in pixels of a picture of `image_size` (width, height), whose principal point is its middle.
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    focal: float
    image_size: tuple[int, int]


@dataclass(frozen=True)
class Texture:
    """PNG files of `side` x `side` texels in the head's UV: `albedo` the skin's colour, sRGB; `origin` where it comes
    from: white seen in the photo, grey mirrored from the other side, black made up.
    """

    side: int
    albedo: bytes
    origin: bytes

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Texture:
        """Read the backend's `texture`. Raises KeyError, TypeError and ValueError for what is none."""
        return cls(int(answer["side"]), _png(answer["albedo"]), _png(answer["origin"]))


@dataclass(frozen=True)
class Detail:
    """PNG files of `side` x `side` texels in the head's UV, 16 bits deep: `normal` the skin's fine relief as a normal
    map in tangent space (x along u, y along v), and `displacement` the same as heights: black to white are `range_mm`,
    and the middle is none.
    """

    side: int
    range_mm: float
    normal: bytes
    displacement: bytes

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Detail:
        """Read the backend's `detail`. Raises KeyError, TypeError and ValueError for what is none."""
        return cls(int(answer["side"]), float(answer["range_mm"]), _png(answer["normal"]), _png(answer["displacement"]))


@dataclass(frozen=True)
class Reconstruction:
    """Coefficients of one head. What the method does not estimate is None.

    `identity` (K,) and `reflectance` (R,) are in standard deviations, `expression` (52,) 0..1, `landmarks` (68, 2) and
    `face_box` (x, y, width, height) in pixels of the upright photo. `illumination` (9, 3) are real orthonormal
    spherical harmonics of the arriving light in head space, in the order 1, y, z, x, xy, yz, 3z2-1, xz, x2-y2;
    `uncertainty` (N,) the standard deviation in mm of where each vertex of the neutral head lies.
    """

    method: str
    bundle: str
    bundle_sha256: str
    identity: NDArray[np.float32]
    reflectance: NDArray[np.float32] | None = None
    expression: NDArray[np.float32] | None = None
    pose: Pose | None = None
    landmarks: NDArray[np.float64] | None = None
    face_box: tuple[float, float, float, float] | None = None
    illumination: NDArray[np.float32] | None = None
    uncertainty: NDArray[np.float32] | None = None
    texture: Texture | None = None
    detail: Detail | None = None

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any], bundle: Bundle) -> Reconstruction:
        """Read the JSON of `/v1/reconstruct`.

        Raises Failure: `protocol` for another protocol's answer, `bundle_differs` for another bundle's,
        `backend_answer` for missing fields, wrong lengths and numbers that are not finite.
        """
        protocol = answer.get("protocol", PROTOCOL)
        if protocol != PROTOCOL:
            raise Failure("protocol", ours=PROTOCOL, theirs=protocol)
        if answer.get("bundle_sha256") != bundle.sha256:
            raise Failure("bundle_differs")
        try:
            return cls(
                method=str(answer["method"]),
                bundle=str(answer["bundle"]),
                bundle_sha256=str(answer["bundle_sha256"]),
                identity=_numbers(answer, "identity", (len(bundle.identity),)).astype(np.float32),
                reflectance=_estimated(answer, "reflectance", (len(bundle.reflectance),)),
                expression=_estimated(answer, "expression", (len(bundle.expression),)),
                pose=_pose(answer),
                landmarks=_numbers(answer, "landmarks68_2d", (68, 2)) if answer.get("landmarks68_2d") else None,
                face_box=_box(answer),
                illumination=_estimated(answer, "illumination", (9, 3)),
                uncertainty=_estimated(answer, "uncertainty", (len(bundle.mean),)),
                texture=None if answer.get("texture") is None else Texture.from_answer(answer["texture"]),
                detail=None if answer.get("detail") is None else Detail.from_answer(answer["detail"]),
            )
        except KeyError as error:
            raise Failure("backend_answer", reason=f"{error.args[0]} is missing") from error
        except (TypeError, ValueError) as error:
            raise Failure("backend_answer", reason=error) from error


def of_one_person(several: Sequence[Reconstruction]) -> tuple[Reconstruction, ...]:
    """The same photos of one person, all with the mean of their identities and of their reflectances.

    What a photo says wrongly about a face differs from photo to photo, so the mean errs less than each; where all say
    how unsure they are, the surer ones count more, by the inverse squares. What belongs to the photo (expression, pose,
    light) stays its own. Raises ValueError for none.
    """
    if not several:
        raise ValueError("at least one photo is needed")
    unsure = [one.uncertainty for one in several if one.uncertainty is not None]
    known = len(unsure) == len(several) and min(float(np.median(one)) for one in unsure) > 0
    weights = [float(np.median(one)) ** -2 for one in unsure] if known else None
    identity = np.average([one.identity for one in several], axis=0, weights=weights).astype(np.float32)
    tones = [one.reflectance for one in several if one.reflectance is not None]
    reflectance = np.mean(tones, axis=0, dtype=np.float64).astype(np.float32) if tones else None
    return tuple(replace(one, identity=identity, reflectance=reflectance) for one in several)


def _png(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"a texture is no base64: {error}") from error
    if not data.startswith(_PNG):
        raise ValueError("a texture is no PNG file")
    return data


def _numbers(answer: Mapping[str, Any], name: str, shape: Sequence[int]) -> NDArray[np.float64]:
    values = np.asarray(answer[name], dtype=np.float64)
    if values.shape != tuple(shape):
        raise ValueError(f"{name} has shape {values.shape}, not {tuple(shape)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} is not finite")
    return values


def _estimated(answer: Mapping[str, Any], name: str, shape: Sequence[int]) -> NDArray[np.float32] | None:
    return None if answer.get(name) is None else _numbers(answer, name, shape).astype(np.float32)


def _pose(answer: Mapping[str, Any]) -> Pose | None:
    if answer.get("rotation") is None:
        return None
    width, height = _numbers(answer, "image_size", (2,))
    return Pose(
        rotation=_numbers(answer, "rotation", (3, 3)),
        translation=_numbers(answer, "translation", (3,)),
        focal=float(_numbers(answer, "focal", ())),
        image_size=(int(width), int(height)),
    )


def _box(answer: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    if answer.get("face_box") is None:
        return None
    x, y, width, height = (float(v) for v in _numbers(answer, "face_box", (4,)))
    return x, y, width, height
