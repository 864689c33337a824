"""Pictures of people who were never rendered: a picture is warped as its head's shape is changed.

Rendered identities are what limits the training. Between two renders lie others that need no rendering: with a head
``cos a * (head - mean) + sin a * (other head - mean)`` the population's spread stays as it is, its points are where the
picture's own camera sees them, and the picture is bent to put them there. Light and shadows stay those of the
rendered head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.crop import Crops
from training.dataset import FaceSet
from training.evaluation.metrics import vertex_normals
from training.recipes.shape_space import Floats

# Points on the skin that say how a picture is bent, and how fine the field between them is.
_ANCHORS = 140
_GRID = 14
# Anchors count by 1 / (distance^2 + this^2)^2, in shares of the crop: smooth between them, level beyond them.
_SOFTNESS = 0.04


@dataclass(frozen=True)
class Reshaped:
    """Faces with changed heads: angle (B,) radians of the change, partner (B,) index of the other head, length (B,) how
    many times as far from the mean the mixture is.

    landmarks68 (B,68,2) and landmarks_dense (B,L,2) are in the pixels of the bent pictures.
    """

    angle: Floats
    length: Floats
    partner: NDArray[np.intp]
    landmarks68: Floats
    landmarks_dense: Floats
    places: NDArray[np.float64]
    moves: NDArray[np.float64]
    seen: NDArray[np.bool_]

    def mix(self, vectors: Floats, partners: Floats) -> Floats:
        """The changed heads' vectors (B,D) of their own and their partners' centred vectors (B,D)."""
        angle, length = self.angle[:, None], self.length[:, None]
        mixed: Floats = length * (np.cos(angle) * vectors + np.sin(angle) * partners)
        return mixed

    def field(self, crops: Crops) -> torch.Tensor:
        """(B,2,g,g): how far from their own places the crops' pixels are taken, in picture pixels."""
        line = (np.arange(_GRID) + 0.5) / _GRID
        grid = np.stack(np.meshgrid(line, line), -1).reshape(1, -1, 2)
        nodes = torch.from_numpy(crops.to_picture(np.repeat(grid, len(crops.side), 0), 1).astype(np.float32))
        places, moves = (torch.from_numpy(a.astype(np.float32)) for a in (self.places, self.moves))
        side = torch.from_numpy(crops.side.astype(np.float32))[:, None, None]
        near = (torch.cdist(nodes, places) / side).square_().add_(_SOFTNESS**2).square_().reciprocal_()
        near *= torch.from_numpy(self.seen.astype(np.float32))[:, None]
        field = (near @ moves) / near.sum(2, keepdim=True)
        return -field.transpose(1, 2).reshape(-1, 2, _GRID, _GRID)


@dataclass(frozen=True)
class Reshaper:
    """anchors (A,) vertex ids with the mean head's normals (A,3); mean (N,3); pool the indices of the other heads."""

    anchors: NDArray[np.intp]
    normals: NDArray[np.float64]
    mean: Floats
    pool: NDArray[np.intp]

    def draw(
        self,
        faces: FaceSet,
        indices: NDArray[np.intp],
        limits: tuple[float, float],
        rng: np.random.Generator,
        further: float = 0.0,
    ) -> Reshaped:
        """Changes for the faces at `indices`; `limits` are a change's probability and the most degrees of it, `further`
        the most by which a changed head is further from the mean than the population's (0.5: half as far again).
        """
        share, most = limits
        count = len(indices)
        angle = np.radians(rng.uniform(-most, most, count)) * (rng.random(count) < share)
        partner = rng.choice(self.pool, count)
        length = np.ones(count)
        if further > 0:
            length = np.where(angle != 0, rng.uniform(1.0, 1.0 + further, count), 1.0)
        ids = np.concatenate([self.anchors, faces.template["landmarks68"], faces.template["landmarks_dense"]])
        mean = self.mean[ids]
        before = faces.vertices[indices][:, ids]
        other = faces.vertices[partner][:, ids]
        cosine, sine = ((length * part)[:, None, None] for part in (np.cos(angle), np.sin(angle)))
        change = (cosine - 1) * (before - mean) + sine * (other - mean)
        rotation, focal = faces.rotation[indices].astype(np.float64), faces.focal[indices, None, None]
        seen = np.einsum("nij,npj->npi", rotation, before) + faces.translation[indices, None]
        moved = seen + np.einsum("nij,npj->npi", rotation, change)
        # Expressions move points, too, but about as far in either head: the difference is the identity's.
        moves = focal * (moved[..., :2] / moved[..., 2:] - seen[..., :2] / seen[..., 2:])
        middle = faces.images.shape[1] / 2
        places = focal * moved[..., :2] / moved[..., 2:] + middle
        marks = len(self.anchors)
        facing = np.einsum("nij,pj->npi", rotation, self.normals)
        visible = (facing * seen[:, :marks]).sum(2) < 0
        return Reshaped(
            angle=angle.astype(np.float32),
            length=length.astype(np.float32),
            partner=partner,
            landmarks68=(faces.landmarks68[indices] + moves[:, marks : marks + 68]).astype(np.float32),
            landmarks_dense=(faces.landmarks_dense[indices] + moves[:, marks + 68 :]).astype(np.float32),
            places=places[:, :marks],
            moves=moves[:, :marks],
            seen=visible,
        )


def make_reshaper(faces: FaceSet, pool: NDArray[np.intp], mean: Floats, rng: np.random.Generator) -> Reshaper:
    """Anchors spread over the skin, and the faces at `pool` as partners.

    Raises `ValueError` for faces whose cameras are not known.
    """
    if not (faces.focal > 0).all():
        raise ValueError("reshaping needs the cameras of the pictures: these samples hold no focal length")
    skin = faces.region("skin")
    anchors = np.sort(rng.permutation(skin)[:_ANCHORS])
    return Reshaper(anchors, vertex_normals(mean, faces.template["triangles"])[anchors], mean, pool)
