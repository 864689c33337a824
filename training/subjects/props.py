"""What stands beside the head in a photo (hair, glasses, a hand, clothes), as plain arrays that a renderer shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Colour = tuple[float, float, float]

# Classes of the segmentation pass; a pixel's value is the index here.
SEGMENTS = (
    "background", "skin", "lips", "eyes", "brows", "lashes", "mouth", "teeth", "hair", "beard", "glasses", "headwear",
    "occluder", "clothes",
)  # fmt: skip


@dataclass(frozen=True)
class Surface:
    """How a part of a prop looks.

    kind: ``plain`` (a principled shader), ``glass`` (a thin lens: transparent, glossy by Fresnel), ``hair`` (streaked
    along the strand) or ``cards`` (hair cards: colour and opacity from `texture`, recoloured). colour linear RGB 0..1;
    roughness, metallic, sheen and opacity 0..1; `texture` an image whose grey values modulate the colour (and whose
    alpha cuts the surface for ``cards``); `pattern` names a procedural one: ``""``, ``stripes``, ``checks``, ``noise``,
    ``knit``, in `second` colour, `scale` repeats per metre.
    """

    kind: str = "plain"
    colour: Colour = (0.5, 0.5, 0.5)
    roughness: float = 0.5
    metallic: float = 0.0
    sheen: float = 0.0
    opacity: float = 1.0
    texture: Path | None = None
    pattern: str = ""
    second: Colour = (0.5, 0.5, 0.5)
    scale: float = 40.0


@dataclass(frozen=True)
class MeshProp:
    """A mesh in head space. Props of one `topology` name have the same faces, uv and material, so only points change.

    segment one of ``SEGMENTS``; vertices (V,3) mm; faces (F,4), -1 pads triangles; uv (F,4,2) or None; material (F,)
    index into `surfaces`.
    """

    topology: str
    segment: str
    vertices: Floats
    faces: Ints
    surfaces: tuple[Surface, ...]
    uv: Floats | None = None
    material: Ints | None = None
    smooth: bool = True


@dataclass(frozen=True)
class CurveProp:
    """Strands in head space: points (S,P,3) mm, radius (S,P) mm, all strands with the same number of points.

    segment one of ``SEGMENTS``.
    """

    segment: str
    points: Floats
    radius: Floats
    surface: Surface = field(default_factory=Surface)


Prop = MeshProp | CurveProp
