"""A face model as every reader gives it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.registration.carry import Parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class BadModel(ValueError):
    """A file or folder that is not the face model it should be; the message says what is missing."""


@dataclass(frozen=True)
class FaceModel:
    """A linear face model in its own frame and unit.

    mean (V,3); triangles (F,3) of the skin alone; modes (K,V,3) per standard deviation; landmarks iBUG number -> (3,);
    unit a key of ``align.UNITS``; expression ARKit name -> offsets (V,3), empty where the model has none of that kind;
    parts eyes and teeth; source and licence for the model card.
    """

    name: str
    mean: Floats
    triangles: Ints
    modes: NDArray[np.floating]
    landmarks: dict[int, Floats]
    unit: str
    source: str
    licence: str
    expression: dict[str, Floats] = field(default_factory=dict)
    parts: Parts = field(default_factory=Parts)
