"""Pre-training of an encoder by what it is known that pictures show the same thing, though of none its shape.

Codes of the views of one thing shall agree, vary from thing to thing, and say different things in each number: VICReg
(Bardes, Ponce & LeCun 2022), whose three terms are taken behind an expander that is thrown away afterwards. What the
views have in common is the thing; pose and light, which an autoencoder must keep, may be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.recipes.components.config import ViewsConfig
from training.recipes.components.data import Indices, Pairs

# Weights of the terms; agreement counts less than the authors' 25, as views of a thing differ more than crops of one
# picture do.
_AGREE, _VARY, _DIFFER = 10.0, 25.0, 1.0


@dataclass(frozen=True)
class Views:
    """The pictures of each of n things: those of thing number i are pictures[first[i] : first[i + 1]]."""

    things: Indices
    pictures: Indices
    first: Indices

    def __len__(self) -> int:
        return len(self.things)

    def draw(self, members: Indices, count: int, rng: np.random.Generator) -> Indices:
        """Pictures (T,count) of the things number `members` (T,), no picture twice where a thing has enough."""
        drawn = []
        for member in members:
            own = self.pictures[self.first[member] : self.first[member + 1]]
            turns = -(-count // len(own))
            drawn.append(np.concatenate([rng.permutation(own) for _ in range(turns)])[:count])
        return np.stack(drawn)


def views_of(pairs: Pairs, things: Indices) -> Views:
    """The pictures of those of `things` that are in any."""
    pictures = pairs.of(things)
    order = np.argsort(pairs.owner[pictures], kind="stable")
    shown, first = np.unique(pairs.owner[pictures][order], return_index=True)
    return Views(shown, pictures[order], np.append(first, len(pictures)))


class Expander(nn.Module):
    """Codes to more numbers, among which the terms are taken: of a code itself they would ask too much."""

    def __init__(self, code: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(code, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )  # fmt: skip

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B,k) -> (B,width)."""
        expanded: Tensor = self.layers(codes)
        return expanded


def disagreement(numbers: Tensor) -> Tensor:
    """VICReg's loss for numbers (T,V,d) of V views of each of T things; T and V are at least 2.

    Apart: the mean squared distance of two views of a thing. Flat: by how much a number's spread over the things falls
    below 1. Alike: squared covariances of different numbers.
    """
    things, views, length = numbers.shape
    apart = 2 * (numbers - numbers.mean(1, keepdim=True)).square().mean() * views / (views - 1)
    centred = (numbers - numbers.mean(0)).transpose(0, 1)
    flat = torch.relu(1 - (centred.square().sum(1) / (things - 1) + 1e-4).sqrt()).mean()
    covariance = centred.transpose(1, 2) @ centred / (things - 1)
    own = covariance.diagonal(dim1=1, dim2=2).square().sum()
    alike = (covariance.square().sum() - own) / (views * length)
    return _AGREE * apart + _VARY * flat + _DIFFER * alike


def varied(images: Tensor, config: ViewsConfig, rng: np.random.Generator) -> Tensor:
    """Images (B,1,S,S) each moved by up to `config.shift` pixels on white, and darker or lighter by `config.tone`.

    Codes shall not agree, nor differ, in where a thing lies or how grey it is.
    """
    count, side, shift = len(images), images.shape[-1], config.shift
    padded = nn.functional.pad(images, [shift] * 4, value=1.0)
    corners = rng.integers(0, 2 * shift + 1, (count, 2))
    moved = torch.stack([padded[i, :, y : y + side, x : x + side] for i, (y, x) in enumerate(corners)])
    factors: NDArray[np.float32] = np.exp(rng.uniform(-config.tone, config.tone, (count, 1, 1, 1))).astype(np.float32)
    return (1 - (1 - moved) * torch.from_numpy(factors)).clamp(0, 1)
