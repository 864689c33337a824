"""Rendered faces as the batches that the recipe trains on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.augmentation import Augmentation, cut, photograph
from training.dataset import FaceSet, mirror_vertices
from training.recipes.default.config import DefaultConfig
from training.recipes.default.network import LIGHTS
from training.recipes.joint.data import Reflectance, landmark_swap
from training.recipes.joint.reshape import Reshaped, Reshaper, make_reshaper
from training.recipes.shape_space import Floats

_CHUNK = 256
_LEAST_SPREAD = 0.02

# Harmonics of an odd number of x change their sign in a mirror: x, xy and xz.
MIRRORED_LIGHT = np.repeat(np.array([1, 1, 1, -1, -1, 1, 1, -1, 1], np.float32), 3)


@dataclass(frozen=True)
class Basis:
    """What the heads mean, from a bundle's head.npz: mean (N,3) mm, identity (K,N,3) mm per standard deviation.

    expression (52,N,3) mm at 1.0, reflectance mean (N,3) and columns (R,N,3) of linear RGB.
    """

    mean: Floats
    identity: Floats
    expression: Floats
    reflectance: Reflectance

    @staticmethod
    def of(arrays: Mapping[str, NDArray]) -> Basis:
        """That of the arrays of head.npz. Raises `ValueError` for heads without reflectance."""
        if "reflectance" not in arrays:
            raise ValueError("this bundle has no reflectance: the recipe starts from a bundle of the recipe joint")
        reflectance = Reflectance(arrays["reflectance_mean"].reshape(-1, 3), arrays["reflectance"])
        return Basis(arrays["mean"], arrays["identity"], arrays["expression"], reflectance)

    def coefficients(self, vertices: Floats, weights: Floats) -> Floats:
        """Heads (n,N,3) -> the least-squares coefficients (n,K), vertices counting by `weights` (N,)."""
        flat = (self.identity * np.sqrt(weights)[:, None]).reshape(len(self.identity), -1).astype(np.float64)
        inverse = np.linalg.solve(flat @ flat.T, flat).astype(np.float32)
        parts = []
        for start in range(0, len(vertices), _CHUNK):
            apart = (vertices[start : start + _CHUNK] - self.mean) * np.sqrt(weights)[:, None]
            parts.append(apart.reshape(len(apart), -1) @ inverse.T)
        return np.concatenate(parts).astype(np.float32)


@dataclass(frozen=True)
class Standard:
    """Means and standard deviations: illumination (27,), logarithm of the distance, expression's deviations (52,)."""

    light_mean: Floats
    light_spread: Floats
    distance_mean: float
    distance_spread: float
    expression_spread: Floats

    def state(self) -> dict[str, Tensor]:
        """As tensors, for a checkpoint."""
        values = (self.light_mean, self.light_spread, [self.distance_mean, self.distance_spread])
        names = ("light_mean", "light_spread", "distance")
        state = {
            name: torch.as_tensor(np.asarray(value, np.float32)) for name, value in zip(names, values, strict=True)
        }
        return state | {"expression_spread": torch.as_tensor(self.expression_spread)}

    @staticmethod
    def from_state(state: dict[str, Tensor]) -> Standard:
        """The one that `state` described."""
        mean, spread = (float(value) for value in state["distance"])
        lights = state["light_mean"].numpy(), state["light_spread"].numpy()
        return Standard(*lights, mean, spread, state["expression_spread"].numpy())


@dataclass(frozen=True)
class Batch:
    """images (B,3,S,S) 0..1 and what `Estimate` should say of them; visible (B,P) tells which points count."""

    images: Tensor
    identity: Tensor
    expression: Tensor
    points: Tensor
    visible: Tensor
    reflectance: Tensor
    illumination: Tensor
    distance: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same where the network is."""
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


@dataclass(frozen=True)
class Faces:
    """A set of faces and what the recipe makes of them.

    identity and mirrored (n,K): coefficients of the heads and of their mirror images; reflectance (n,R); illumination
    (n,27) and distance (n,) standardised; swap as `landmark_swap`, actions (52,) the action on the other side.
    """

    faces: FaceSet
    identity: Floats
    mirrored: Floats
    reflectance: Floats
    illumination: Floats
    distance: Floats
    swap: NDArray[np.intp]
    actions: NDArray[np.intp]
    reshaper: Reshaper | None

    def batch(self, indices: NDArray[np.intp], config: DefaultConfig, rng: np.random.Generator) -> Batch:
        """The faces at `indices`, cropped, augmented as `config` says with numbers from `rng`."""
        return self._batch(indices, config, config.augmentation, config.reshape, rng)

    def plain_batch(self, indices: NDArray[np.intp], config: DefaultConfig) -> Batch:
        """The faces at `indices` in their plain crops."""
        return self._batch(indices, config, Augmentation.none(), (0.0, 0.0), np.random.default_rng(0))

    def _batch(
        self,
        indices: NDArray[np.intp],
        config: DefaultConfig,
        changes: Augmentation,
        reshape: tuple[float, float],
        rng: np.random.Generator,
    ) -> Batch:
        faces, shapes = self.faces, None
        marks68, dense = faces.landmarks68[indices], faces.landmarks_dense[indices]
        if self.reshaper is not None and reshape[0] > 0:
            shapes = self.reshaper.draw(faces, indices, reshape, rng, config.further)
            marks68, dense = shapes.landmarks68, shapes.landmarks_dense
        warp = None if shapes is None else shapes.field
        crops = cut(faces.images[indices], marks68, config.size, changes, rng, config.crop_scale, warp)
        images = photograph(crops.images, changes, rng)
        points = crops.to_crop(np.concatenate([marks68, dense], axis=1)) / np.float32(config.size) - np.float32(0.5)
        visible = np.ones(points.shape[:2], np.float32)
        flipped = crops.flipped
        # A mirrored face's point is the mirror image of the point on its other side, where that is a landmark too.
        points[flipped] = points[flipped][:, self.swap]
        visible[flipped] = self.swap >= 0
        expression = np.where(flipped[:, None], faces.expression[indices][:, self.actions], faces.expression[indices])
        light = self.illumination[indices]
        return Batch(
            images=images.contiguous(memory_format=torch.channels_last),
            identity=torch.from_numpy(self._heads(indices, flipped, shapes)),
            expression=torch.from_numpy(expression),
            points=torch.from_numpy(points),
            visible=torch.from_numpy(visible),
            reflectance=torch.from_numpy(self.reflectance[indices]),
            illumination=torch.from_numpy(np.where(flipped[:, None], light * MIRRORED_LIGHT, light)),
            distance=torch.from_numpy(self.distance[indices]),
        )

    def _heads(self, indices: NDArray[np.intp], flipped: NDArray[np.bool_], shapes: Reshaped | None) -> Floats:
        heads = np.where(flipped[:, None], self.mirrored[indices], self.identity[indices])
        if shapes is not None:
            others = np.where(flipped[:, None], self.mirrored[shapes.partner], self.identity[shapes.partner])
            heads = shapes.mix(heads, others)
        return heads


def other_side(names: Sequence[str]) -> NDArray[np.intp]:
    """For each action (52,) the one that it is in a mirror: Left and Right change places."""
    swapped = [
        name.removesuffix("Left") + "Right"
        if name.endswith("Left")
        else name.removesuffix("Right") + "Left"
        if name.endswith("Right")
        else name
        for name in names
    ]
    return np.array([list(names).index(name) for name in swapped], np.intp)


def standard(faces: FaceSet, training: NDArray[np.intp]) -> Standard:
    """Means and deviations over the faces at `training`, the lights' with their mirror images."""
    lights = faces.illumination[training].reshape(-1, LIGHTS)
    both = np.concatenate([lights, lights * MIRRORED_LIGHT])
    far = np.log(np.maximum(faces.translation[training, 2], 1.0))
    return Standard(
        light_mean=both.mean(0),
        light_spread=both.std(0) + np.float32(1e-6),
        distance_mean=float(far.mean()),
        distance_spread=float(far.std()) + 1e-6,
        expression_spread=np.maximum(faces.expression[training].std(0), np.float32(_LEAST_SPREAD)),
    )


def face_weights(faces: FaceSet, outside: float = 0.2) -> Floats:
    """Weights (N,) of the vertices: 1 in the face, `outside` elsewhere."""
    weights = np.full(faces.vertices.shape[1], outside, np.float32)
    weights[faces.region("face")] = 1.0
    return weights


def prepare(
    faces: FaceSet, basis: Basis, known: Standard, config: DefaultConfig, training: NDArray[np.intp] | None = None
) -> Faces:
    """Targets for every face and its mirror image; the heads at `training` are what pictures are bent to.

    Raises `ValueError` for faces without reflectance.
    """
    if faces.reflectance is None:
        raise ValueError("the recipe needs the reflectance of every face: render them with this version")
    mirror, weights = faces.template["mirror"], face_weights(faces)
    mirrored = [
        basis.coefficients(mirror_vertices(faces.vertices[start : start + _CHUNK], mirror), weights)
        for start in range(0, len(faces), _CHUNK)
    ]
    light = (faces.illumination.reshape(-1, LIGHTS) - known.light_mean) / known.light_spread
    far = (np.log(np.maximum(faces.translation[:, 2], 1.0)) - known.distance_mean) / known.distance_spread
    reshaper = None
    if training is not None and config.reshape[0] > 0:
        reshaper = make_reshaper(faces, training, basis.mean, np.random.default_rng([config.seed, 6]))
    return Faces(
        faces=faces,
        identity=basis.coefficients(faces.vertices, weights),
        mirrored=np.concatenate(mirrored),
        reflectance=basis.reflectance.coefficients(faces.reflectance),
        illumination=np.clip(light, -4, 4).astype(np.float32),
        distance=far.astype(np.float32),
        swap=landmark_swap(faces.template),
        actions=other_side([str(name) for name in faces.template["expression_names"]]),
        reshaper=reshaper,
    )


def fingerprint(faces: FaceSet, basis: Basis) -> str:
    """Identifies faces and basis: a run goes on with the same only."""
    digest = hashlib.sha256()
    for array in (faces.keys, faces.vertices[:: max(1, len(faces) // 50)], basis.identity):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
