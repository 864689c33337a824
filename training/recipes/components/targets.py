"""Shapes as the vectors that the training compares, in as few numbers as lose nothing.

Training shapes, n of them, lie in a space of at most n dimensions, however many numbers p each has. Where the decoder's
last layer is linear, training in orthonormal coordinates of that space gives the very same losses and gradients as
training on the p numbers, at a fraction of the cost; in the end the last layer is turned back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.recipes.components.config import ComponentsConfig
from training.recipes.components.data import Floats, Indices, Pairs, Space
from training.recipes.components.linear import left_singular_vectors

# Directions with less than this share of the shapes' squared extent are rounding.
_NOTHING = 1e-7
_CHUNK = 256
_SPANNED = 2000


@dataclass(frozen=True)
class Targets:
    """What shapes are compared as; vectors (B,d) of things.

    Without a `rotation` (p,d) these are the shapes' own p numbers, else plain and mirrored (n,d), known beforehand for
    the things that were `seen`; `mean` (p,) is then taken off first.
    """

    pairs: Pairs
    space: Space
    rotation: Floats | None = None
    mean: Floats | None = None
    plain: Floats | None = None
    mirrored: Floats | None = None

    @property
    def length(self) -> int:
        """Numbers of a vector, d."""
        return self.space.length if self.rotation is None else self.rotation.shape[1]

    def vectors(self, things: Indices, flipped: NDArray[np.bool_] | None = None) -> Tensor:
        """Vectors (B,d) of things, those under `flipped` (B,) seen in a mirror."""
        turned = flipped is not None and bool(flipped.any())
        if self.plain is not None:
            found = self.plain[things]
            if flipped is not None and turned and self.mirrored is not None:
                found = np.where(flipped[:, None], self.mirrored[things], found)
            return torch.from_numpy(found)
        shapes = self.pairs.shapes[things]
        if flipped is not None and turned:
            shapes = shapes.copy()
            shapes[flipped] = self.pairs.in_mirror(shapes[flipped])
        return torch.from_numpy(self.space.vectors(shapes))

    def full_layer(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """A linear last layer, weight (d,k) and bias (d,), as one that gives all p numbers."""
        if self.rotation is None or self.mean is None:
            return weight, bias
        rotation = torch.from_numpy(self.rotation)
        return rotation @ weight, rotation @ bias + torch.from_numpy(self.mean)


def make_targets(config: ComponentsConfig, pairs: Pairs, space: Space, seen: Indices) -> Targets:
    """Targets for a run that may see the shapes of the things `seen`.

    Occupancies that a sigmoid ends in are compared as they are.
    """
    if config.kind == "objects" and config.decoder.kind != "linear":
        return Targets(pairs, space)
    samples = _flat(pairs, space, seen, False)
    if config.mirror:
        samples = np.concatenate([samples, _flat(pairs, space, seen, True)])
    mean = samples.mean(0)
    samples -= mean
    rotation = spanning(samples)
    rotated = samples @ rotation
    columns = [np.zeros((len(pairs.names), rotation.shape[1]), np.float32) for _ in range(2)]
    columns[0][seen] = rotated[: len(seen)]
    if config.mirror:
        columns[1][seen] = rotated[len(seen) :]
    return Targets(pairs, space, rotation, mean, columns[0], columns[1] if config.mirror else None)


def spanning(samples: Floats, at_once: int = _SPANNED) -> Floats:
    """Orthonormal directions (p,d) that span samples (n,p) but for rounding.

    Thousands of heads lie in a space of some hundred dimensions: it is found on `at_once` of them, then on those of
    which it leaves the most, until nothing is left.
    """
    total = float(np.square(samples, dtype=np.float64).sum())
    left, found = samples, np.zeros((samples.shape[1], 0), np.float32)
    while True:
        lengths = np.square(left, dtype=np.float64).sum(1)
        worst = np.argsort(-lengths, kind="stable")[:at_once]
        directions, sigma = left_singular_vectors(left[worst].T)
        directions = directions[:, sigma.astype(np.float64) ** 2 > _NOTHING * total]
        directions -= found @ (found.T @ directions)
        found = np.concatenate([found, directions], axis=1)
        if len(samples) <= at_once or not directions.shape[1] or found.shape[1] >= min(samples.shape):
            return np.ascontiguousarray(found)
        left = left - (left @ directions) @ directions.T


def _flat(pairs: Pairs, space: Space, things: Indices, turned: bool) -> Floats:
    parts = []
    for start in range(0, len(things), _CHUNK):
        shapes = pairs.shapes[things[start : start + _CHUNK]]
        parts.append(space.vectors(pairs.in_mirror(shapes) if turned else shapes))
    return np.concatenate(parts)
