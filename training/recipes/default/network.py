"""One trunk, many heads: what is in a face photo, and how sure each landmark is."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.recipes.default.config import CorrectionConfig, DefaultConfig
from training.recipes.joint.network import FaceNetwork
from training.recipes.networks import in_precision

LIGHTS = 27
_LANDMARKS = 68
_FIRST_SIGMA = 0.02
_LEAST, _MOST = 1e-3, 0.3
_STEP = 0.05  # of the crop's side: what a correction is counted in


class Estimate(NamedTuple):
    """What the network says of pictures (B,3,S,S).

    identity (B,K) and reflectance (B,R) in standard deviations; expression (B,52) 0..1; points (B,P,2), the 68
    landmarks and then the dense ones, in shares of the crop with the middle at zero, sigma (B,P) their standard
    deviation in each direction; illumination (B,27) and distance (B,), the logarithm of millimetres, standardised.
    """

    identity: Tensor
    expression: Tensor
    points: Tensor
    sigma: Tensor
    reflectance: Tensor
    illumination: Tensor
    distance: Tensor


class AtPoints(nn.Module):
    """What maps show at points: each map reduced to `channels` by a 1 x 1 convolution, and read there bilinearly."""

    def __init__(self, widths: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.reduce = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
            for width in widths
        )

    def forward(self, maps: tuple[Tensor, ...], points: Tensor) -> Tensor:
        """Maps (B,C,h,w) each, points (B,P,2) in shares of their sides, the middle at zero -> (B, maps x channels x P).

        Points are not moved by what is read at them.
        """
        places = (2.0 * points.detach()).unsqueeze(1)
        reduced = [reduce(one) for reduce, one in zip(self.reduce, maps, strict=True)]
        with torch.autocast(points.device.type, enabled=False):
            read = [
                nn.functional.grid_sample(
                    one.float(), places.float(), mode="bilinear", padding_mode="border", align_corners=False
                )
                for one in reduced
            ]
        return torch.cat(read, 1).flatten(1)


class Corrector(nn.Module):
    """How far points are off by what maps show around the 68 landmarks: the second stage of a cascade.

    Soft-argmax reads points from maps of an eighth of the picture's side; finer ones show edges where they are. Each
    landmark has weights of its own for the nine places about it, and all of them together say how all points move.
    """

    def __init__(self, widths: tuple[int, ...], config: CorrectionConfig, points: int) -> None:
        super().__init__()
        self.maps = AtPoints(widths, config.channels)
        line = torch.linspace(-config.reach, config.reach, 3)
        self.register_buffer("around", torch.cartesian_prod(line, line), persistent=False)
        seen = len(widths) * config.channels * len(self.around)
        self.each = nn.Parameter(torch.randn(_LANDMARKS, seen, config.each) / seen**0.5)
        self.together = nn.Sequential(
            nn.Linear(_LANDMARKS * config.each, config.neurons), nn.ReLU(), nn.Linear(config.neurons, 2 * points)
        )
        nn.init.zeros_(self.together[-1].weight)
        nn.init.zeros_(self.together[-1].bias)

    def forward(self, maps: tuple[Tensor, ...], points: Tensor) -> Tensor:
        """Maps (B,C,h,w) each and points (B,P,2) in shares of the crop -> points (B,P,2)."""
        about = points[:, :_LANDMARKS, None] + self.around
        seen = self.maps(maps, about.flatten(1, 2)).unflatten(1, (-1, _LANDMARKS, len(self.around)))
        seen = seen.permute(2, 0, 1, 3).flatten(2)
        each = torch.relu(torch.matmul(seen, self.each)).transpose(0, 1).flatten(1)
        return points + _STEP * self.together(each).float().unflatten(1, (-1, 2))


class DefaultNetwork(nn.Module):
    """The trunk of `joint`, whose last layer gives the identity, and heads for all else.

    Expression has neurons of its own on the trunk's last maps and points, and on what finer maps show at the 68
    landmarks: what says where eyes look is small, and what says how a mouth is open is not what says whose it is.
    """

    def __init__(self, config: DefaultConfig, identity: int, actions: int, points: int) -> None:
        super().__init__()
        self.bfloat16 = config.bfloat16
        self.trunk = FaceNetwork(config.network, 3, config.size, identity, points)
        widths = (config.network.widths[0], config.network.merged or config.network.widths[-2])
        self.correct = Corrector(widths, config.correction, points) if config.correction.neurons else None
        self.local = AtPoints(widths, config.local) if config.local else None
        inputs = self.trunk.spread.in_features + len(widths) * config.local * _LANDMARKS
        features = config.network.features
        self.expression = nn.Sequential(
            nn.Linear(inputs, config.expression, bias=False),
            nn.BatchNorm1d(config.expression),
            nn.ReLU(),
            nn.Dropout(config.network.dropout),
            nn.Linear(config.expression, actions),
        )
        self.sigma = nn.Linear(features, points)
        self.light = nn.Linear(features, LIGHTS)
        self.distance = nn.Linear(features, 1)
        with torch.no_grad():
            self.sigma.weight.mul_(0.1)
            self.sigma.bias.fill_(float(torch.tensor(_FIRST_SIGMA).log()))

    @torch.no_grad()
    def expect(self, expression: Tensor) -> None:
        """Begins with the mean actions (52,) as every picture's answer."""
        self.expression[-1].bias.copy_(torch.logit(expression.clamp(0.005, 0.995)))
        self.expression[-1].weight.mul_(0.1)

    def forward(self, images: Tensor) -> Estimate:
        """Images (B,3,S,S), 0..1 -> everything."""
        found = in_precision(lambda seen: torch.cat(self._heads(seen), 1), images, self.bfloat16 and self.training)
        identity, expression, points, sigma, reflectance, light, distance = found.split(self._lengths(), 1)
        return Estimate(
            identity, expression, points.unflatten(1, (-1, 2)), sigma, reflectance, light, distance.squeeze(1)
        )

    def _lengths(self) -> list[int]:
        trunk, points = self.trunk, self.sigma.out_features
        assert trunk.reflectance is not None
        last = self.expression[-1].out_features
        return [trunk.code.out_features, last, 2 * points, points, trunk.reflectance.out_features, LIGHTS, 1]

    def _heads(self, images: Tensor) -> tuple[Tensor, ...]:
        trunk = self.trunk
        assert trunk.reflectance is not None
        seen = trunk.look(images)
        maps, points, spread = (seen.finest, seen.merged), seen.points, seen.spread
        if self.correct is not None:
            points = self.correct(maps, points)
            spread = trunk.with_points(spread, points)
        features = trunk.dropout(torch.relu(trunk.spread_norm(trunk.spread(spread))))
        if self.local is not None:
            spread = torch.cat([spread, self.local(maps, points[:, :_LANDMARKS])], 1)
        sigma = self.sigma(features).float().exp().clamp(_LEAST, _MOST)
        return (
            trunk.code(features).float(),
            torch.sigmoid(self.expression(spread)).float(),
            points.flatten(1).float(),
            sigma,
            trunk.reflectance(features).float(),
            self.light(features).float(),
            self.distance(features).float(),
        )
