"""Rendered faces as the batches that the recipe trains on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from training.augmentation import Augmentation, cut, luminance, photograph
from training.dataset import MIRROR_68, FaceSet, mirror_points, mirror_vertices
from training.recipes.joint.config import JointConfig
from training.recipes.joint.losses import Batch
from training.recipes.joint.reshape import Reshaper, make_reshaper
from training.recipes.shape_space import Floats, ShapeSpace, make_shape_space

_CHUNK = 256
_REFLECTANCE_SAMPLE = 1500


@dataclass(frozen=True)
class Reflectance:
    """mean (N,3) linear RGB, columns (R,N,3) per standard deviation, sorted by variance."""

    mean: Floats
    columns: Floats

    def coefficients(self, albedo: NDArray[np.float16]) -> Floats:
        """Albedo (n,N,3) -> least-squares coefficients (n,R)."""
        flat = self.columns.reshape(len(self.columns), -1)
        inverse = np.linalg.inv((flat @ flat.T).astype(np.float64)).astype(np.float32) @ flat
        parts = [
            (albedo[start : start + _CHUNK].astype(np.float32) - self.mean).reshape(-1, flat.shape[1]) @ inverse.T
            for start in range(0, len(albedo), _CHUNK)
        ]
        return np.concatenate(parts)


def fit_reflectance(albedo: NDArray[np.float16], count: int, rng: np.random.Generator) -> Reflectance:
    """Principal components of albedo (n,N,3), from a sample of the faces."""
    chosen = np.sort(rng.permutation(len(albedo))[:_REFLECTANCE_SAMPLE])
    flat = albedo[chosen].astype(np.float32).reshape(len(chosen), -1)
    mean = flat.mean(0)
    flat -= mean
    values, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
    order = np.argsort(values)[::-1][:count]
    directions = flat.T @ vectors[:, order].astype(np.float32)
    columns = directions.T / np.sqrt(len(chosen))
    return Reflectance(mean.reshape(-1, 3), columns.reshape(len(order), -1, 3))


@dataclass(frozen=True)
class Faces:
    """A set of faces and what the recipe makes of them.

    vectors and mirrored (n,D) are the heads and their mirror images in the shape space; None where the space has no
    subspace: vectors as long as the vertices are made batch by batch. reflectance (n,R) or None; swap as
    `landmark_swap`; plain (n,C,S,S) the crops of a configuration that does not change them, or None; reshaper what
    draws other heads for the pictures, or None.
    """

    faces: FaceSet
    space: ShapeSpace
    vectors: Floats | None
    mirrored: Floats | None
    reflectance: Floats | None
    swap: NDArray[np.intp]
    reshaper: Reshaper | None = None
    plain: torch.Tensor | None = None

    def heads(self, indices: NDArray[np.intp], flipped: NDArray[np.bool_]) -> Floats:
        """Vectors (B,D) of the heads at `indices`, or of their mirror images."""
        if self.vectors is not None and self.mirrored is not None:
            return np.where(flipped[:, None], self.mirrored[indices], self.vectors[indices])
        vertices = self.faces.vertices[indices]
        if flipped.any():
            vertices[flipped] = mirror_vertices(vertices[flipped], self.faces.template["mirror"])
        return self.space.vectors(vertices)

    def batch(self, indices: NDArray[np.intp], config: JointConfig, rng: np.random.Generator) -> Batch:
        """The faces at `indices`, cropped, augmented as `config` says with numbers from `rng`."""
        return self._batch(indices, config, config.augmentation, config.reshape, rng)

    def plain_batch(self, indices: NDArray[np.intp], config: JointConfig) -> Batch:
        """The faces at `indices` in their plain crops."""
        return self._batch(indices, config, Augmentation.none(), (0.0, 0.0), np.random.default_rng(0))

    def _batch(
        self,
        indices: NDArray[np.intp],
        config: JointConfig,
        changes: Augmentation,
        reshape: tuple[float, float],
        rng: np.random.Generator,
    ) -> Batch:
        faces = self.faces
        if self.plain is not None:
            return self._plain_batch(indices)
        shapes = None
        marks68, dense = faces.landmarks68[indices], faces.landmarks_dense[indices]
        if self.reshaper is not None and reshape[0] > 0:
            shapes = self.reshaper.draw(faces, indices, reshape, rng)
            marks68, dense = shapes.landmarks68, shapes.landmarks_dense
        warp = None if shapes is None else shapes.field
        crops = cut(faces.images[indices], marks68, config.size, changes, rng, config.crop_scale, warp)
        images = photograph(crops.images, changes, rng)
        if config.grey:
            images = luminance(images)
        points = crops.to_crop(np.concatenate([marks68, dense], axis=1)) / np.float32(config.size) - np.float32(0.5)
        visible = np.ones(points.shape[:2], np.float32)
        # A mirrored face's point is the mirror image of the point on its other side, where that is a landmark too.
        points[crops.flipped] = points[crops.flipped][:, self.swap]
        visible[crops.flipped] = self.swap >= 0
        vectors = self.heads(indices, crops.flipped)
        if shapes is not None:
            vectors = shapes.mix(vectors, self.heads(shapes.partner, crops.flipped))
        return Batch(
            images=images.contiguous(memory_format=torch.channels_last),
            vectors=torch.from_numpy(vectors),
            points=torch.from_numpy(points),
            visible=torch.from_numpy(visible),
            reflectance=None if self.reflectance is None else torch.from_numpy(self.reflectance[indices]),
        )

    def _plain_batch(self, indices: NDArray[np.intp]) -> Batch:
        assert self.plain is not None
        nobody = np.zeros(len(indices), bool)
        points = torch.zeros(len(indices), 0, 2)
        return Batch(
            images=self.plain[torch.from_numpy(indices)].contiguous(memory_format=torch.channels_last),
            vectors=torch.from_numpy(self.heads(indices, nobody)),
            points=points,
            visible=points[..., 0],
            reflectance=None,
        )


def landmark_swap(template: dict[str, NDArray]) -> NDArray[np.intp]:
    """(68 + L,): for each of the 68 and of the dense landmarks, the one on the other side, -1 where there is none."""
    dense = mirror_points(template["landmarks_dense"], template["mirror"])
    return np.concatenate([MIRROR_68, np.where(dense >= 0, dense + 68, -1)]).astype(np.intp)


def prepare_space(faces: FaceSet, training: NDArray[np.intp], config: JointConfig) -> ShapeSpace:
    """The shape space of the faces at `training`."""
    weights = np.full(faces.vertices.shape[1], config.outside, np.float32)
    weights[faces.region("face")] = 1.0
    rng = np.random.default_rng([config.seed, 1])
    mirror, unit = faces.template["mirror"], float(np.sqrt(weights.sum()))
    if config.first_loss is not None:
        # An autoencoder that has learned nothing returns the mean.
        plain = make_shape_space(faces.vertices, mirror, weights, 1.0, None, rng, training)
        sample = np.sort(rng.permutation(training)[:_CHUNK])
        squares = np.square(plain.vectors(faces.vertices[sample])).sum(1)
        unit = float(np.sqrt(squares.mean() / config.first_loss))
    return make_shape_space(faces.vertices, mirror, weights, unit, config.subspace, rng, training)


def prepare_faces(faces: FaceSet, space: ShapeSpace, reflectance: Reflectance | None) -> Faces:
    """Targets for every face and its mirror image."""
    mirror = faces.template["mirror"]
    coefficients = None
    if reflectance is not None and faces.reflectance is not None:
        coefficients = reflectance.coefficients(faces.reflectance)
    vectors, mirrored = None, None
    if space.rotation is not None:
        parts = [
            space.vectors(mirror_vertices(faces.vertices[start : start + _CHUNK], mirror))
            for start in range(0, len(faces), _CHUNK)
        ]
        vectors, mirrored = space.vectors(faces.vertices), np.concatenate(parts)
    return Faces(faces, space, vectors, mirrored, coefficients, landmark_swap(faces.template))


def prepare_pictures(known: Faces, config: JointConfig, training: NDArray[np.intp]) -> Faces:
    """What `config` needs of the pictures made ready: the reshaper (other heads are those at `training`), plain crops.

    A configuration whose network looks at crops alone, and always at the same ones, gets them from memory.
    """
    if config.reshape[0] > 0:
        rng = np.random.default_rng([config.seed, 6])
        return replace(known, reshaper=make_reshaper(known.faces, training, known.space.mean, rng))
    if config.network.kind != "paper" or config.augmentation != Augmentation.none():
        return known
    indices = np.arange(len(known.faces))
    parts = [known.plain_batch(part, config).images for part in np.array_split(indices, -(-len(indices) // _CHUNK))]
    return replace(known, plain=torch.cat(parts))


def fingerprint(faces: FaceSet) -> str:
    """Identifies a set of faces by its samples' names and heads, so that a run resumes on the data it began with."""
    digest = hashlib.sha256("\n".join(faces.keys).encode())
    digest.update(np.ascontiguousarray(faces.vertices[:: max(1, len(faces) // 16)]).tobytes())
    return digest.hexdigest()
