"""The faces that the network learns from: codes drawn or bred, rasterised when they are looked at."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.formation.decoder import FaceDecoder
from training.formation.face_model import FaceModel
from training.formation.picture import Picture, draw
from training.recipes.inverse.config import BreedConfig, CorpusConfig, InverseConfig

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Drawn:
    """n faces: theta (n,m) as `CodeSizes` orders it, distance (n,) mm of the camera."""

    theta: Floats
    distance: Floats

    def __len__(self) -> int:
        return len(self.theta)


def draw_first(config: InverseConfig, model: FaceModel, rng: np.random.Generator, count: int) -> Drawn:
    """Faces of the first corpus (paper, section 5).

    Reflectance is normal within what the skins that the model was made from have: beyond the palest and the darkest
    skin a linear model has colours that no skin has.
    """
    corpus, groups = config.corpus, config.codes.groups
    theta = np.empty((count, config.codes.total), np.float32)
    most = np.radians([corpus.tilt, corpus.tilt, corpus.roll])
    theta[:, groups["rotation"]] = rng.uniform(-most, most, (count, 3))
    theta[:, groups["identity"]] = rng.standard_normal((count, config.codes.identity))
    expression = rng.uniform(-corpus.expression, corpus.expression, (count, config.codes.expression))
    expression[:, 0] += corpus.opening
    theta[:, groups["expression"]] = expression
    low, high = model.reflectance_limits[: config.codes.reflectance].T
    reflectance = rng.standard_normal((count, config.codes.reflectance))
    theta[:, groups["reflectance"]] = np.clip(reflectance, low, high)
    light = rng.uniform(-corpus.light, corpus.light, (count, 9))
    light[:, 0] = rng.uniform(*corpus.ambient, count)
    theta[:, groups["illumination"]] = np.repeat(light, 3, axis=1)
    return Drawn(theta, _distances(corpus, rng, count))


def perturb(found: Floats, config: InverseConfig, breed: BreedConfig, rng: np.random.Generator) -> Drawn:
    """Found codes (n,m) -> `copies` x n faces around them (paper, section 7, step 2)."""
    theta = np.repeat(found, breed.copies, axis=0).astype(np.float32)
    most = np.radians(breed.rotation)
    for name, where in config.codes.groups.items():
        part = theta[:, where]
        if name == "rotation":
            part += rng.uniform(-most, most, part.shape)
            continue
        noise = np.full(part.shape[1], getattr(breed, name), np.float32)
        if breed.restore and name in ("identity", "reflectance"):
            noise = np.maximum(noise, np.sqrt(np.maximum(0, 1 - found[:, where].var(0))))
        part += noise * rng.standard_normal(part.shape, dtype=np.float32)
    return Drawn(theta, _distances(config.corpus, rng, len(theta)))


def _distances(corpus: CorpusConfig, rng: np.random.Generator, count: int) -> Floats:
    low, high = np.log(corpus.distance)
    distances: Floats = np.exp(rng.uniform(low, high, count)).astype(np.float32)
    return distances


class Corpus:
    """Drawn faces as batches of masked pictures with their codes.

    Pictures are rasterised when they are first asked for and kept while all fit into `memory` bytes, in a file of the
    folder `spill` that nobody sees; otherwise every time anew. Face i depends on the seed and i alone.
    """

    def __init__(self, drawn: Drawn, decoder: FaceDecoder, config: InverseConfig, seed: list[int], spill: Path) -> None:
        self.drawn, self.decoder, self.config, self.seed = drawn, decoder, config, seed
        shape = (len(drawn), config.size, config.size, 3)
        self._kept: NDArray[np.uint8] | None = None
        self._known = np.zeros(len(drawn), bool)
        if np.prod(shape) <= config.memory:
            spill.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=spill) as file:
                self._kept = np.memmap(file, np.uint8, "w+", shape=shape)

    def batch(self, indices: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
        """Images (B,3,S,S) -0.5..0.5 as the network takes them (black is -0.5), and theta (B,m)."""
        pixels = self.pixels(indices)
        return as_input(pixels), torch.from_numpy(self.drawn.theta[indices])

    def pixels(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Masked pictures (B,S,S,3) sRGB."""
        if self._kept is None:
            return self._draw(indices)
        missing = np.unique(indices[~self._known[indices]])
        if len(missing):
            self._kept[missing] = self._draw(missing)
            self._known[missing] = True
        return np.asarray(self._kept[indices])

    def _draw(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        noise = self.config.corpus.landmark_noise * self.config.size
        moved = None
        if noise:
            rows = [np.random.default_rng([*self.seed, int(i)]).standard_normal((68, 2)) for i in indices]
            moved = torch.from_numpy(noise * np.stack(rows)).float()
        theta = torch.from_numpy(self.drawn.theta[indices])
        distance = torch.from_numpy(self.drawn.distance[indices])
        return to_pixels(picture_of(self.decoder, self.config, theta, distance, moved))


@torch.no_grad()
def picture_of(
    decoder: FaceDecoder, config: InverseConfig, theta: Tensor, distance: Tensor, moved: Tensor | None = None
) -> Picture:
    """The masked picture of codes theta (B,m), framed by the landmarks; `moved` (B,68,2) px is a detector's error."""
    size = config.size
    surface = decoder.surface(config.codes.split(theta))
    translation, focal = decoder.frame(surface, distance, size, config.fill)
    seen = decoder.see(surface, translation, focal, size)
    picture = draw(decoder, surface, seen, size)
    if moved is not None:
        picture = Picture(picture.images, picture.covered, picture.landmarks + moved)
    return picture.masked()


def to_pixels(picture: Picture) -> NDArray[np.uint8]:
    """Images (B,3,S,S) -> pixels (B,S,S,3)."""
    pixels: NDArray[Any] = (picture.images * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return pixels


def as_input(pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels (B,S,S,3) -> what networks take: (B,3,S,S), -0.5..0.5 (paper, section 6.1)."""
    images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()
    return (images / 255 - 0.5).contiguous(memory_format=torch.channels_last)
