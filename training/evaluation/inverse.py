"""How well codes explain masked pictures of faces: Kim et al. 2018, section 8, "Error Measures"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.evaluation.metrics import mask_iou, per_vertex_error
from training.formation.decoder import FaceDecoder, skin_decoder
from training.formation.face_model import FaceModel
from training.formation.geometry import rotation_matrices
from training.recipes.inverse.config import InverseConfig
from training.recipes.inverse.corpus import picture_of, to_pixels

Floats = NDArray[np.floating]

_CHUNK = 32


@dataclass(frozen=True)
class Truth:
    """What scores are measured against: heads (n,N,3) mm with expression, head space, and rotations (n,3,3)."""

    heads: NDArray[np.float32]
    rotations: NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """Per face. photometric: root mean square of the difference over the input's mask, 8 bits a channel.

    geometric: root mean square distance of the face's vertices after similarity alignment, mm; posed: the same with the
    rotation counted, translation and scale alone taken away; overlap: intersection over union of the masks; degrees: by
    how much the rotation is off.
    """

    photometric: Floats
    overlap: Floats
    geometric: Floats
    posed: Floats
    degrees: Floats

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean and standard deviation of each."""
        return {
            name: {"mean": float(np.mean(values)), "deviation": float(np.std(values))}
            for name, values in vars(self).items()
            if len(values)
        }


def score(
    config: InverseConfig,
    model: FaceModel,
    masked: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    theta: NDArray[np.float32],
    truth: Truth | None = None,
) -> Scores:
    """Scores of codes theta (n,m) for masked pictures (n,S,S,3) and their masks (n,S,S)."""
    drawn, covered = rendered(config, skin_decoder(model), theta)
    difference = (masked.astype(np.float32) - drawn) ** 2
    photometric = np.array(
        [np.sqrt(pixels[mask].mean()) if mask.any() else 0.0 for pixels, mask in zip(difference, masks, strict=True)]
    )
    overlap = np.array([mask_iou(ours, theirs) for ours, theirs in zip(covered, masks, strict=True)])
    none = np.zeros(0)
    if truth is None:
        return Scores(photometric, overlap, none, none, none)
    return Scores(photometric, overlap, *geometry(config, model, theta, truth))


def rendered(
    config: InverseConfig, decoder: FaceDecoder, theta: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Masked pictures (n,S,S,3) of codes and what they cover (n,S,S), seen from the middle of the corpus' distances."""
    middle = float(np.sqrt(np.prod(config.corpus.distance)))
    pictures, covered = [], []
    for start in range(0, len(theta), _CHUNK):
        part = torch.from_numpy(theta[start : start + _CHUNK])
        picture = picture_of(decoder, config, part, torch.full((len(part),), middle))
        pictures.append(to_pixels(picture))
        covered.append(picture.covered.numpy())
    return np.concatenate(pictures), np.concatenate(covered)


def geometry(
    config: InverseConfig, model: FaceModel, theta: NDArray[np.float32], truth: Truth
) -> tuple[Floats, Floats, Floats]:
    """Geometric and posed errors (n,) mm and rotation errors (n,) degrees of codes theta (n,m)."""
    face, groups = model.region("face"), config.codes.groups
    rotations = rotation_matrices(torch.from_numpy(theta[:, groups["rotation"]])).numpy()
    geometric, posed, degrees = [], [], []
    for code, rotation, head, true_rotation in zip(theta, rotations, truth.heads, truth.rotations, strict=True):
        estimate = model.vertices(code[groups["identity"]], code[groups["expression"]])[face]
        geometric.append(rms(per_vertex_error(estimate, head[face])))
        posed.append(posed_error(estimate @ rotation.T, head[face] @ true_rotation.T))
        degrees.append(turn_between(rotation, true_rotation))
    return np.array(geometric), np.array(posed), np.array(degrees)


def posed_error(estimate: Floats, truth: Floats) -> float:
    """Root mean square distance in mm of vertices (P,3) in camera axes, translation and scale taken away."""
    a, b = np.asarray(estimate, np.float64), np.asarray(truth, np.float64)
    a, b = a - a.mean(0), b - b.mean(0)
    factor = (a * b).sum() / (a**2).sum()
    return rms(np.linalg.norm(factor * a - b, axis=1))


def turn_between(rotation: Floats, other: Floats) -> float:
    """Angle in degrees between two rotations (3,3)."""
    cosine = (np.trace(np.asarray(rotation, np.float64) @ np.asarray(other, np.float64).T) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def rms(values: Floats) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.asarray(values) ** 2)))


def known_truth(config: InverseConfig, model: FaceModel, theta: NDArray[np.float32]) -> Truth:
    """The truth of faces that were drawn as codes."""
    groups = config.codes.groups
    heads = model.vertices(theta[:, groups["identity"]], theta[:, groups["expression"]])
    return Truth(heads, rotation_matrices(torch.from_numpy(theta[:, groups["rotation"]])).numpy())


def report_line(scores: Scores) -> dict[str, Any]:
    """The summary, flat, for logs."""
    return {name: round(values["mean"], 4) for name, values in scores.summary().items()}
