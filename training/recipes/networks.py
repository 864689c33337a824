"""A compact residual network for faces, quick on a CPU: cheap at full resolution, spatial to the end."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def in_precision(module: Callable[[Tensor], Tensor], images: Tensor, bfloat16: bool) -> Tensor:
    """What the module makes of the images, its convolutions and products in bfloat16 if asked; float32 comes back.

    Processors that would only imitate the format, slowly, go on in single precision.
    """
    if not bfloat16 or not _has_bfloat16(images.device):
        return module(images)
    with torch.autocast(images.device.type, torch.bfloat16):
        return module(images).float()


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        # A block that starts as its shortcut trains faster (Goyal et al. 2017).
        nn.init.zeros_(self.second_norm.weight)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Features (B,C,H,W) -> (B,C',H/stride,W/stride)."""
        inner = torch.relu(self.first_norm(self.first(features)))
        return torch.relu(self.second_norm(self.second(inner)) + self.shortcut(features))


class Backbone(nn.Module):
    """Image (B,3,S,S) -> one feature map per stage, at S/4, S/8, ...; the stem folds 2 x 2 pixels into channels."""

    def __init__(self, channels: int, widths: tuple[int, ...], depths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * channels, widths[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        stages, previous = [], widths[0]
        for number, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            blocks = []
            for block in range(depth):
                blocks.append(Residual(previous, width, 2 if block == 0 and number > 0 else 1))
                previous = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Feature maps of all stages, the finest first."""
        features, maps = self.stem(images), []
        for stage in self.stages:
            features = stage(features)
            maps.append(features)
        return maps


class PointHead(nn.Module):
    """Points by soft-argmax over one map each (integral regression, Sun et al. 2018), in units of the map's side."""

    def __init__(self, inputs: int, points: int) -> None:
        super().__init__()
        self.maps = nn.Conv2d(inputs, points, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Features (B,C,H,W) -> points (B,P,2), -0.5..0.5 from edge to edge with the middle at zero."""
        # Places need single precision: eight bits of mantissa would round them to a 500th of the crop.
        with torch.autocast(features.device.type, enabled=False):
            return self._places(features.float())

    def _places(self, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        weights = torch.softmax(self.maps(features).flatten(2), dim=2)
        y = (torch.arange(height, device=features.device) + 0.5) / height - 0.5
        x = (torch.arange(width, device=features.device) + 0.5) / width - 0.5
        grid = torch.stack([x[None].expand(height, -1), y[:, None].expand(-1, width)], -1).reshape(-1, 2)
        return weights @ grid.to(weights.dtype)
