"""The network for detail: a face at a fixed scale in, heights over its coarse surface out."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.closeup import CHANNELS

WIDTHS = (20, 40, 56, 64)

_GUESSES = 4
_FLAT = 0.1  # of the light's change by slope, squared: less is no direction to go by


class DetailNetwork(nn.Module):
    """A small U-Net (Ronneberger et al. 2015), fully convolutional: (B,C,h,w) -> heights (B,h,w) mm.

    Sides are multiples of 8. Heights and not slopes, so that the answer is a surface whatever the network does.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.enter = _block(len(CHANNELS) + _GUESSES, widths[0])
        self.down = nn.ModuleList(
            nn.Sequential(_convolution(a, b, stride=2), _convolution(b, b)) for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList(_convolution(a + b, a) for a, b in reversed([*pairwise(widths)]))
        self.leave = nn.Sequential(_convolution(widths[0], widths[0]), nn.Conv2d(widths[0], 1, 3, padding=1))
        last = self.leave[1]
        nn.init.normal_(last.weight, std=1e-3)
        nn.init.zeros_(last.bias)

    def forward(self, channels: Tensor) -> Tensor:
        """Channels (B,C,h,w) as ``CHANNELS`` -> heights (B,h,w) mm."""
        found = [self.enter(torch.cat([channels, _guessed(channels)], 1))]
        for down in self.down:
            found.append(down(found[-1]))
        value = found.pop()
        for up in self.up:
            value = functional.interpolate(value, scale_factor=2.0, mode="nearest")
            value = up(torch.cat([found.pop(), value], 1))
        height: Tensor = self.leave[0](value)
        # A height of 1 mm must still tell hundredths apart: not in bfloat16.
        with torch.autocast(height.device.type, enabled=False):
            return self.leave[1](height.float())[:, 0]


def _guessed(channels: Tensor) -> Tensor:
    """Slopes (B,4,h,w) that would explain what is brighter or darker, were it all shading: by blue, and by red.

    Of all slopes that do, those along the light's own change; where light changes with no slope, none. Products like
    these take a network of convolutions long to learn.
    """
    along = channels[:, 3:5]
    share = along / (along.square().sum(1, keepdim=True) + _FLAT)
    return torch.cat([channels[:, 2:3] * share, channels[:, 0:1] * share], 1)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.ReLU())


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_convolution(inputs, outputs), _convolution(outputs, outputs))
