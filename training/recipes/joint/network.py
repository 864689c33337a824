"""The CNNs that map a picture to the representation: the paper's, and the one that ships."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.recipes.joint.config import NetworkConfig
from training.recipes.networks import Backbone, PointHead

_PLACES = 4.0


class Estimate(NamedTuple):
    """code (B,neurons); points (B,P,2) in shares of the crop, the middle at zero; reflectance (B,R); or None."""

    code: Tensor
    points: Tensor | None = None
    reflectance: Tensor | None = None


class Looked(NamedTuple):
    """spread (B,F) is what the dense layers see; points (B,P,2) as `Estimate` has them; finest (B,C,S/4,S/4) are the
    first stage's maps and merged (B,M,S/8,S/8) those that points are read from.
    """

    spread: Tensor
    points: Tensor
    finest: Tensor
    merged: Tensor


class PaperNetwork(nn.Module):
    """Three convolutions and two feed-forward layers, dropout after the first of these (paper, section IV.D, V.H)."""

    def __init__(self, config: NetworkConfig, channels: int, size: int, neurons: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((channels, *config.widths[:-1]), config.widths, strict=True):
            layers += [nn.Conv2d(inputs, outputs, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*layers)
        side = size // 2 ** len(config.widths)
        self.fc4 = nn.Linear(config.widths[-1] * side * side, config.features)
        self.dropout = nn.Dropout(config.dropout)
        self.fc5 = nn.Linear(config.features, neurons)

    @property
    def last(self) -> nn.Linear:
        """The layer that gives the code: a linear change of the representation goes into it."""
        return self.fc5

    def forward(self, images: Tensor, last: nn.Module | None = None) -> Estimate:
        """Images (B,C,S,S), 0..1 -> code, or what another `last` layer makes of it."""
        maps = self.convolutions(images - 0.5).flatten(1)
        return Estimate((last or self.last)(self.dropout(torch.relu(self.fc4(maps)))))


class FaceNetwork(nn.Module):
    """Residual stages; landmarks by soft-argmax from merged maps; the code from the last map and the landmarks."""

    def __init__(self, config: NetworkConfig, channels: int, size: int, neurons: int, points: int) -> None:
        super().__init__()
        self.backbone = Backbone(channels, config.widths, config.depths)
        merged = config.merged or config.widths[-2]
        # Points are read at an eighth of the picture's side, the coarser maps brought up to it.
        self.laterals = nn.ModuleList([nn.Conv2d(width, merged, 1) for width in config.widths[1:]])
        self.merge = nn.Sequential(nn.ReLU(), nn.Conv2d(merged, merged, 3, 1, 1, bias=False), nn.BatchNorm2d(merged))
        self.points = PointHead(merged, points)
        self.reduce = nn.Sequential(
            nn.Conv2d(config.widths[-1], config.reduced, 1, bias=False), nn.BatchNorm2d(config.reduced), nn.ReLU()
        )
        self.side = side = size // 4 // 2 ** (len(config.widths) - 1)
        self.spread = nn.Linear(config.reduced * side * side + 2 * points, config.features)
        self.spread_norm = nn.BatchNorm1d(config.features)
        self.dropout = nn.Dropout(config.dropout)
        self.code = nn.Linear(config.features, neurons)
        self.reflectance = nn.Linear(config.features, config.reflectance) if config.reflectance else None

    @property
    def last(self) -> nn.Linear:
        """The layer that gives the code: a linear change of the representation goes into it."""
        return self.code

    def forward(self, images: Tensor, last: nn.Module | None = None) -> Estimate:
        """Images (B,C,S,S), 0..1 -> code (or what another `last` layer makes of it), points, reflectance."""
        seen = self.look(images)
        features = self.dropout(torch.relu(self.spread_norm(self.spread(seen.spread))))
        reflectance = None if self.reflectance is None else self.reflectance(features)
        return Estimate((last or self.last)(features), seen.points, reflectance)

    def look(self, images: Tensor) -> Looked:
        """Images (B,C,S,S), 0..1 -> all that comes before the dense layers."""
        maps = self.backbone(images - 0.5)
        merged = self.laterals[-1](maps[-1])
        for lateral, finer in zip(reversed(self.laterals[:-1]), reversed(maps[1:-1]), strict=True):
            merged = lateral(finer) + nn.functional.interpolate(merged, scale_factor=2.0, mode="nearest")
        merged = torch.relu(self.merge(merged))
        points = self.points(merged)
        last_maps = maps[-1]
        if last_maps.shape[-1] != self.side:
            # Smaller pictures, early in the training: each place keeps its neurons.
            last_maps = nn.functional.interpolate(last_maps, (self.side, self.side), mode="bilinear")
        # Shape is read off the points relative to one another, in units in which they differ.
        spread = torch.cat([self.reduce(last_maps).flatten(1), _PLACES * points.flatten(1)], dim=1)
        return Looked(spread, points, maps[0], merged)

    def with_points(self, spread: Tensor, points: Tensor) -> Tensor:
        """What the dense layers see (B,F), with other points (B,P,2) in the place of those that it was made with."""
        return torch.cat([spread[:, : -points[0].numel()], _PLACES * points.flatten(1)], dim=1)


def make_network(config: NetworkConfig, channels: int, size: int, neurons: int, points: int) -> nn.Module:
    """The network of `config.kind`; `points` is the number of landmarks that it also estimates, if it can."""
    if config.kind == "paper":
        return PaperNetwork(config, channels, size, neurons)
    return FaceNetwork(config, channels, size, neurons, points)
