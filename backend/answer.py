"""What a photo's reconstruction answers, and the protocol's form of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import PROTOCOL
from .detail import SkinDetail
from .photo import Box
from .skin import SkinTexture

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Reconstruction:
    """What one photo says about one face. What the method does not estimate is None.

    `identity` (K,) and `reflectance` (R,) in standard deviations, `expression` (52,) 0..1, `illumination` (9, 3) as
    `Estimate` has it, `landmarks68_2d` (68, 2) in pixels of the upright photo, `rotation` (3, 3) and `translation` (3,)
    mm from head space to camera space, `focal` pixels, `image_size` (width, height), `face_box` (x, y, width, height)
    pixels, `seconds` that each stage took, `texture` and `detail` only where they are asked for. `sigma` (N,) mm is how
    far each vertex of the neutral head may be off (standard deviation), and `personalisation` (0..1) the share of what
    faces differ by that the head is sure to have of this one's.
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
    sigma: Floats | None = None
    personalisation: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The protocol's answer, ready for `json`; `sigma` is called `uncertainty` there, in hundredths of a mm."""
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
        if self.sigma is not None:
            answer["sigma_mm_median"] = round(float(np.median(self.sigma)), 3)
            answer["uncertainty"] = np.round(self.sigma, 2).astype(float).tolist()
        if self.personalisation is not None:
            answer["personalisation"] = round(self.personalisation, 3)
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
