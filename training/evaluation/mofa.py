"""How well codes explain pictures of faces: Tewari et al. 2017, section 7, "Quantitative Evaluation"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.evaluation.inverse import posed_error, turn_between
from training.evaluation.metrics import mask_iou
from training.formation.code import Code
from training.formation.decoder import FaceDecoder
from training.formation.geometry import rotation_matrices
from training.formation.raster import NOTHING, rasterise
from training.recipes.mofa.losses import MARKS, photometric

Floats = NDArray[np.floating]

_CHUNK = 32
_PAPERS_SIZE = 240


@dataclass(frozen=True)
class Scores:
    """Per face. photometric: mean distance in colour of the vertices that face the camera, channels 0..1.

    landmarks: mean distance of 46 points in pixels of a picture of 240; geometric: mean distance of the face's vertices
    in mm, the rotation counted, translation and isotropic scale taken away; root the same as root mean square; degrees:
    by how much the rotation is off; overlap: intersection over union of what the two faces cover.
    """

    photometric: Floats
    landmarks: Floats
    geometric: Floats
    root: Floats
    degrees: Floats
    overlap: Floats

    def summary(self) -> dict[str, float]:
        """The mean of each that was measured."""
        return {name: float(np.mean(values)) for name, values in vars(self).items() if len(values)}


@torch.no_grad()
def score(
    decoder: FaceDecoder,
    code: Code,
    focal: float,
    images: torch.Tensor,
    landmarks: torch.Tensor | None = None,
    truth: Code | None = None,
) -> Scores:
    """Scores of codes for images (n,3,S,S) 0..1; decoder is that of the face.

    landmarks (n,68,2) px are true or detected ones; truth are the codes that the images were drawn from.
    """
    size = images.shape[-1]
    found: dict[str, list[Floats]] = {name: [] for name in Scores.__dataclass_fields__}
    for start in range(0, len(images), _CHUNK):
        some = slice(start, start + _CHUNK)
        part = code.at(some)
        assert part.translation is not None
        surface = decoder.surface(part)
        lens = torch.full((len(part),), focal)
        seen = decoder.see(surface, part.translation, lens, size)
        found["photometric"].append(photometric(images[some], surface, seen, decoder.inside).numpy())
        if truth is not None:
            true = truth.at(some)
            assert true.translation is not None
            right = decoder.surface(true)
            before = decoder.see(right, true.translation, lens, size)
            pairs = list(zip(surface.turned.numpy(), right.turned.numpy(), strict=True))
            inside = decoder.inside.numpy()
            found["geometric"].append(np.array([mean_posed_error(a[inside], b[inside]) for a, b in pairs]))
            found["root"].append(np.array([posed_error(a[inside], b[inside]) for a, b in pairs]))
            turns = zip(rotation_matrices(part.rotation), rotation_matrices(true.rotation), strict=True)
            found["degrees"].append(np.array([turn_between(a.numpy(), b.numpy()) for a, b in turns]))
            masks = [(rasterise(s.points, decoder.triangles, size) != NOTHING).numpy() for s in (seen, before)]
            found["overlap"].append(np.array([mask_iou(a, b) for a, b in zip(*masks, strict=True)]))
            marks = before.landmarks
        elif landmarks is not None:
            marks = landmarks[some]
        else:
            continue
        away = (seen.landmarks - marks)[:, list(MARKS)].norm(dim=2).mean(1) * (_PAPERS_SIZE / size)
        found["landmarks"].append(away.numpy())
    return Scores(**{name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in found.items()})


def mean_posed_error(estimate: Floats, truth: Floats) -> float:
    """Mean distance in mm of vertices (P,3) in camera axes, translation and isotropic scale taken away."""
    a, b = np.asarray(estimate, np.float64), np.asarray(truth, np.float64)
    a, b = a - a.mean(0), b - b.mean(0)
    factor = (a * b).sum() / (a**2).sum()
    return float(np.linalg.norm(factor * a - b, axis=1).mean())
