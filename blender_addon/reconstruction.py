"""The backend's answer to one photo, checked against the bundle it was made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bundle import Bundle
from .failures import Failure

PROTOCOL = 1


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
class Reconstruction:
    """Coefficients of one head. What the method does not estimate is None.

    `identity` (K,) and `reflectance` (R,) are in standard deviations, `expression` (52,) 0..1, `landmarks` (68, 2) and
    `face_box` (x, y, width, height) in pixels of the upright photo.
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
                reflectance=_coefficients(answer, "reflectance", len(bundle.reflectance)),
                expression=_coefficients(answer, "expression", len(bundle.expression)),
                pose=_pose(answer),
                landmarks=_numbers(answer, "landmarks68_2d", (68, 2)) if answer.get("landmarks68_2d") else None,
                face_box=_box(answer),
            )
        except KeyError as error:
            raise Failure("backend_answer", reason=f"{error.args[0]} is missing") from error
        except (TypeError, ValueError) as error:
            raise Failure("backend_answer", reason=error) from error


def _numbers(answer: Mapping[str, Any], name: str, shape: Sequence[int]) -> NDArray[np.float64]:
    values = np.asarray(answer[name], dtype=np.float64)
    if values.shape != tuple(shape):
        raise ValueError(f"{name} has shape {values.shape}, not {tuple(shape)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} is not finite")
    return values


def _coefficients(answer: Mapping[str, Any], name: str, count: int) -> NDArray[np.float32] | None:
    if answer.get(name) is None:
        return None
    return _numbers(answer, name, (count,)).astype(np.float32)


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
