"""What the model-based decoder is compared with: learned convolutional ones (paper, figures 12 and 13)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.dataset import Sampler
from training.formation.code import Code
from training.progress import Progress
from training.recipes.mofa.pictures import Scenes
from training.recipes.mofa.run import as_input
from training.recipes.runs import cosine_rate

_RATE, _WARMUP, _FINAL = 1e-3, 100, 0.02
_NUMBERS = 257


class _Up(nn.Module):
    """Numbers -> picture (B,3,S,S): a dense layer, four 4 x 4 deconvolutions of 128, 96, 64 and 3 channels."""

    def __init__(self, numbers: int, size: int, width: float) -> None:
        super().__init__()
        first, *channels = (max(8, round(count * width)) for count in (256, 128, 96, 64))
        self.side = size // 16
        self.first = first
        self.dense = nn.Linear(numbers, first * self.side**2)
        layers: list[nn.Module] = []
        for inputs, outputs in zip((first, *channels), (*channels, 3), strict=True):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
            layers += [nn.BatchNorm2d(outputs), nn.ReLU()] if outputs != 3 else []
        self.layers = nn.Sequential(*layers)

    def forward(self, numbers: Tensor) -> Tensor:
        """Pictures, 0..1 where they are right."""
        maps = torch.relu(self.dense(numbers)).reshape(-1, self.first, self.side, self.side)
        return self.layers(maps) + 0.5


class ConvAutoencoder(nn.Module):
    """Figure 12: four 3 x 3 convolutions (64, 96, 128, 256), 257 numbers, and back. Sides are multiples of 16."""

    def __init__(self, size: int, width: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for count in (64, 96, 128, 256):
            outputs = max(8, round(count * width))
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        self.down = nn.Sequential(*layers)
        self.code = nn.Linear(inputs * (size // 16) ** 2, _NUMBERS)
        self.up = _Up(_NUMBERS, size, width)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B,3,S,S) 0..1 -> the same, through 257 numbers."""
        pictures: Tensor = self.up(self.code(self.down(as_input(images)).flatten(1)))
        return pictures


class LearnedDecoder(nn.Module):
    """Figure 13: a convolutional decoder that is taught what picture a code makes."""

    def __init__(self, numbers: int, size: int, width: float = 1.0) -> None:
        super().__init__()
        self.up = _Up(numbers, size, width)

    def forward(self, code: Code) -> Tensor:
        """The codes' pictures (B,3,S,S)."""
        pictures: Tensor = self.up(numbers_of(code))
        return pictures


def numbers_of(code: Code) -> Tensor:
    """A code with its translation as one vector (B,m+3), lengths in dm."""
    assert code.translation is not None
    return torch.cat([code.vector(), code.translation / 100 - code.translation.new_tensor([0, 0, 8.0])], 1)


def train_autoencoder(
    scenes: Scenes, width: float, steps: int, batch_size: int, seed: int, progress: bool
) -> ConvAutoencoder:
    """An autoencoder of the scenes' pictures, by the colours' distance."""
    torch.manual_seed(seed)
    rival = ConvAutoencoder(scenes.config.size, width)

    def loss(indices: NDArray[np.intp]) -> Tensor:
        images = scenes.images(indices)
        return colour_distance(rival(images), images).mean()

    _train(rival, loss, len(scenes), steps, batch_size, seed, progress, "convolutional autoencoder")
    return rival


def train_decoder(
    scenes: Scenes, width: float, steps: int, batch_size: int, seed: int, progress: bool
) -> LearnedDecoder:
    """A decoder taught on the scenes' codes and their pictures; what is behind the head does not count."""
    torch.manual_seed(seed)
    sizes = scenes.config.codes
    rival = LearnedDecoder(sizes.total + 3, scenes.config.size, width)

    def loss(indices: NDArray[np.intp]) -> Tensor:
        images, covered = scenes.images(indices), scenes.covered(indices)
        distance = colour_distance(rival(scenes.code.at(torch.from_numpy(indices))), images)
        return (distance * covered).sum() / covered.sum()

    _train(rival, loss, len(scenes), steps, batch_size, seed, progress, "learned decoder")
    return rival


def colour_distance(one: Tensor, other: Tensor) -> Tensor:
    """Distances in colour (B,S,S) of pictures (B,3,S,S)."""
    return ((one - other).square().sum(1) + 1e-8).sqrt()


def _train(
    rival: nn.Module,
    loss: Callable[[NDArray[np.intp]], Tensor],
    count: int,
    steps: int,
    batch_size: int,
    seed: int,
    progress: bool,
    label: str,
) -> None:
    sampler = Sampler((np.arange(count),), (1.0,), batch_size, seed)
    optimiser = torch.optim.AdamW(rival.parameters(), lr=_RATE, weight_decay=0.01, fused=True)
    rival.train()
    with Progress(label, steps, unit="batch", shown=progress) as bar:
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = _RATE * cosine_rate(step, steps, min(_WARMUP, steps // 10), _FINAL)
            value = loss(sampler.batch(step))
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            optimiser.step()
            bar.advance(note=f"{float(value.detach()):.4f}")
    rival.eval()
