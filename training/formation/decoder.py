"""The decoder: a code in, the face's surface out, with gradients (Tewari et al. 2017, eq. 5 and 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.formation import illumination
from training.formation.code import Code
from training.formation.colour import encode
from training.formation.face_model import FaceModel
from training.formation.geometry import FRONTAL, framed, project, rotation_matrices


@dataclass(frozen=True)
class Surface:
    """V vertices of B faces as a camera sees them, before perspective.

    turned (B,V,3) mm in camera axes, without translation; normals (B,V,3) unit, in the viewer's frame (x right, y up,
    z towards the viewer); colours (B,V,3) sRGB, not clipped at 1; landmarks (B,68,3) mm as `turned`.
    """

    turned: Tensor
    normals: Tensor
    colours: Tensor
    landmarks: Tensor


@dataclass(frozen=True)
class Seen:
    """A surface before a camera: points (B,V,3) in pixels and depth mm, landmarks (B,68,2) px, facing (B,V) bool."""

    points: Tensor
    landmarks: Tensor
    facing: Tensor


class FaceDecoder(nn.Module):
    """Image formation for some of a face model's vertices: those of `triangles` (indices into the template's).

    `ids` (V,) are the vertices' ids in the template, `inside` (V,) tells those whose ring of triangles is whole, which
    alone have true normals. The module has no weights: the columns are constants.
    """

    mean: Tensor
    identity: Tensor
    expression: Tensor
    reflectance_mean: Tensor
    reflectance: Tensor
    triangles: Tensor
    rings: Tensor
    ids: Tensor
    inside: Tensor
    marks_mean: Tensor
    marks_identity: Tensor
    marks_expression: Tensor

    def __init__(self, model: FaceModel, triangles: NDArray[np.integer]) -> None:
        super().__init__()
        every = np.asarray(model.template["triangles"])
        ids, corners = np.unique(every[triangles], return_inverse=True)
        corners = corners.reshape(-1, 3)
        whole = np.bincount(every.ravel(), minlength=len(model.mean))[ids]
        inside = np.bincount(corners.ravel(), minlength=len(ids)) == whole
        marks = model.template["landmarks68"]

        def keep(name: str, array: NDArray) -> None:
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)), persistent=False)

        keep("mean", model.mean[ids].reshape(-1))
        keep("identity", model.identity[:, ids].reshape(len(model.identity), -1))
        keep("expression", model.expression[:, ids].reshape(len(model.expression), -1))
        keep("reflectance_mean", model.reflectance_mean[ids].reshape(-1))
        keep("reflectance", model.reflectance[:, ids].reshape(len(model.reflectance), -1))
        keep("triangles", corners.astype(np.int64))
        keep("ids", ids.astype(np.int64))
        keep("inside", inside)
        # (V, F): which triangles are around each vertex.
        around = torch.from_numpy(np.stack([corners.T.ravel(), np.tile(np.arange(len(corners)), 3)]))
        shape = (len(ids), len(corners))
        rings = torch.sparse_coo_tensor(around, torch.ones(around.shape[1]), shape, check_invariants=False).coalesce()
        self.register_buffer("rings", rings, persistent=False)
        # Landmarks need not be among the vertices.
        keep("marks_mean", model.mean[marks].reshape(-1))
        keep("marks_identity", model.identity[:, marks].reshape(len(model.identity), -1))
        keep("marks_expression", model.expression[:, marks].reshape(len(model.expression), -1))

    def heads(self, code: Code) -> Tensor:
        """Vertices (B,V,3) mm in head space."""
        flat = self.mean + code.identity @ self.identity + code.expression @ self.expression
        return flat.reshape(len(code), -1, 3)

    def head_landmarks(self, code: Code) -> Tensor:
        """Landmarks (B,68,3) mm in head space."""
        flat = self.marks_mean + code.identity @ self.marks_identity + code.expression @ self.marks_expression
        return flat.reshape(len(code), 68, 3)

    def albedo(self, code: Code) -> Tensor:
        """Reflectance (B,V,3), linear RGB, never negative."""
        flat = self.reflectance_mean + code.reflectance @ self.reflectance
        return flat.reshape(len(code), -1, 3).clamp(min=0)

    def normals(self, vertices: Tensor) -> Tensor:
        """Unit normals (B,V,3) of vertices (B,V,3), from the triangles around each."""
        count, faces = len(vertices), len(self.triangles)
        # Vertices first: then a sum over triangles is one sparse product for the whole batch.
        rows = vertices.transpose(0, 1).reshape(vertices.shape[1], -1)
        a, b, c = (rows[self.triangles[:, i]].reshape(faces, count, 3) for i in range(3))
        crosses = torch.linalg.cross(b - a, c - a).reshape(faces, -1)
        total = torch.sparse.mm(self.rings.to(crosses.dtype), crosses).reshape(-1, count, 3).transpose(0, 1)
        return nn.functional.normalize(total, dim=2, eps=1e-12)

    def surface(self, code: Code) -> Surface:
        """The surface that a code describes."""
        bare = self.bare_surface(code)
        light = illumination.shading(code.illumination, bare.normals)
        return replace(bare, colours=encode(self.albedo(code) * light))

    def bare_surface(self, code: Code) -> Surface:
        """The same, black: for whoever paints it otherwise."""
        rotation = rotation_matrices(code.rotation)
        turned = self.heads(code) @ rotation.transpose(1, 2)
        normals = self.normals(turned) * turned.new_tensor(FRONTAL)
        return Surface(turned, normals, torch.zeros_like(turned), self.turned_landmarks(code))

    def turned_landmarks(self, code: Code) -> Tensor:
        """Landmarks (B,68,3) mm in camera axes, without translation."""
        return self.head_landmarks(code) @ rotation_matrices(code.rotation).transpose(1, 2)

    def see(self, surface: Surface, translation: Tensor, focal: Tensor, size: int) -> Seen:
        """The surface before a camera; translation (B,3) mm, focal (B,) px."""
        placed = surface.turned + translation[:, None]
        points = torch.cat([project(placed, focal, size), placed[..., 2:]], 2)
        landmarks = project(surface.landmarks + translation[:, None], focal, size)
        # A vertex faces the camera where its normal and the ray to it point opposite ways.
        rays = placed * placed.new_tensor(FRONTAL)
        facing = (surface.normals * rays).sum(2) < 0
        return Seen(points, landmarks, facing)

    def frame(self, surface: Surface, distance: Tensor, size: int, fill: float) -> tuple[Tensor, Tensor]:
        """Translation and focal length that make the landmarks' box fill the picture (Kim et al. 2018, section 6.1)."""
        return framed(surface.landmarks, distance, size, fill)


def skin_decoder(model: FaceModel) -> FaceDecoder:
    """The decoder of all skin: what covers a face in a picture."""
    return FaceDecoder(model, model.material("skin"))


def head_decoder(model: FaceModel) -> FaceDecoder:
    """The decoder of the whole head, eyes, mouth and brows with it: for pictures that shall look like photos."""
    return FaceDecoder(model, np.arange(len(model.template["triangles"])))


def face_decoder(model: FaceModel) -> FaceDecoder:
    """The decoder of the face region and the ring of vertices around it: what losses on vertices look at."""
    face = np.zeros(len(model.mean), bool)
    face[model.region("face")] = True
    skin = model.material("skin")
    triangles = np.asarray(model.template["triangles"])
    return FaceDecoder(model, skin[face[triangles[skin]].any(1)])
